//! What can be set, and where it comes from: the environment wins over preferences, preferences
//! over defaults. Every value that cannot be used is named, all of them at once.

mod headers;
mod policies;
mod server;
mod table;
mod value;

pub use headers::Headers;
pub use policies::PolicySettings;
pub use server::ServerUrl;
pub use table::{Setting, TABLE};
pub use value::{Kind, Value};

use table::{Layers, Values};

use crate::contract;
use lifeline_core::Config;
use serde_json::{Map, Value as Json};
use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;
use thiserror::Error;
use url::Url;

/// When a silent server is asked, beside the connection, whether it lives. See
/// `docs/frozen-server.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Probing {
    /// A line that has been silent for so long is asked for.
    pub silence: Duration,
    /// In the long run a line without traffic is asked for no more often than this.
    pub every: Duration,
}

/// Whom a server's certificate may come from: the authorities of the system (or of `SSL_CERT_FILE` and
/// `SSL_CERT_DIR`), and those of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trust {
    /// PEM; None: the system's alone.
    pub ca_file: Option<PathBuf>,
}

/// Text that must not be seen: it has no `Display`, and its `Debug` hides it.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Hides `text` from now on.
    pub fn new(text: impl Into<String>) -> Self {
        Secret(text.into())
    }

    /// The text itself, for the one place that sends it.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// `text` without this secret, should it stand in there. A text of a few letters is no secret,
    /// and stands in many words.
    pub fn redact(&self, text: &str) -> String {
        if self.0.len() < 6 {
            text.to_string()
        } else {
            text.replace(&self.0, "***")
        }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(***)")
    }
}

/// The settings in force.
#[derive(Clone, Debug)]
pub struct Settings {
    /// None: not configured, nothing to connect to.
    pub server: Option<ServerUrl>,
    /// Sent to the server when connecting.
    pub username: String,
    /// Sent to the server when connecting.
    pub token: Secret,
    /// Who may vouch for the server, and for what takes uploads and notifications.
    pub trust: Trust,
    /// What a policy gets to see.
    pub timing: contract::Settings,
    /// How a silent server is asked whether it lives; None: not at all.
    pub probing: Option<Probing>,
    /// Milliseconds after a loss in which nothing quits, whatever a policy says.
    pub quit_floor: u64,
    /// Milliseconds after which an outage must have ended that nobody holds; 0: for ever.
    pub outage_limit: u64,
    /// Which policy decides, and what it may use.
    pub policy: PolicySettings,
    /// Copies are made while the server is unreachable.
    pub early_copy: bool,
    /// Where recovery copies go; None: the add-on chooses.
    pub recovery_dir: Option<PathBuf>,
    /// Where outages are written down; None: nowhere.
    pub journal: Option<PathBuf>,
    /// What node_exporter reads; None: nothing is written.
    pub metrics_file: Option<PathBuf>,
    /// What takes the saved file by HTTP PUT.
    pub save_url: Option<Secret>,
    /// What is sent with it beside the file.
    pub upload_headers: Headers,
    /// Of the handshake with the server, and of askings whether it lives.
    pub headers: Headers,
    /// What takes notifications by HTTP POST.
    pub notify_url: Option<Secret>,
    /// What bounds the end of a Blender.
    pub bounds: Bounds,
    shown: Map<String, Json>,
}

/// How long the steps of a clean-up may take. Milliseconds.
#[derive(Clone, Copy, Debug, Default)]
pub struct Bounds {
    /// An upload with its retries.
    pub upload: u64,
    /// Saving is tried again for this long before a quit with unsaved work.
    pub unsaved_wait: u64,
    /// From being told to close to being ended, with safe work.
    pub quit: u64,
    /// From being asked to save to being ended, unsaved; 0: never.
    pub stuck: u64,
    /// On SIGTERM: the upload and the closing; 0: SIGTERM is left alone.
    pub terminate: u64,
    /// A SIGTERM under a living server does not touch the file: the work goes into a copy.
    pub recover: bool,
    /// A notification with its retries.
    pub notify: u64,
}

/// Everything that is wrong with the settings, a line each.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{}", .0.join("\n"))]
pub struct SettingsError(pub Vec<String>);

impl Settings {
    /// Puts the layers together.
    ///
    /// `preferences` go by [`Setting::name`]; null counts as not set. `environment` goes by
    /// [`Setting::variable`]; an empty text counts as not set.
    pub fn resolve(
        preferences: &Map<String, Json>,
        environment: &BTreeMap<String, String>,
    ) -> Result<Self, SettingsError> {
        let unknown = preferences
            .keys()
            .filter(|name| !TABLE.iter().any(|setting| setting.name == name.as_str()))
            .map(|name| format!("{name}: there is no such setting"));
        let mut layers = Layers {
            preferences,
            environment,
            faults: unknown.collect(),
            shown: Map::new(),
        };
        let values = Values::resolve(&mut layers);
        let Layers {
            mut faults,
            mut shown,
            ..
        } = layers;
        let server = Some(values.server_url.as_str()).filter(|url| !url.is_empty());
        let server = server.and_then(|url| {
            ServerUrl::parse(url)
                .map_err(|fault| faults.push(format!("server_url: {fault}")))
                .ok()
        });
        let save_url = http_url("save_url", &values.save_url, &mut faults);
        let notify_url = http_url("notify_url", &values.notify_url, &mut faults);
        let upload_headers = headers("upload_headers", &values.upload_headers, &mut faults);
        let headers = headers("headers", &values.headers, &mut faults);
        if !faults.is_empty() {
            return Err(SettingsError(faults));
        }
        if let Some(server) = &server {
            shown.insert("server_url".into(), Json::String(server.to_string()));
        }
        let timing = timing(&values);
        Ok(Settings {
            server,
            username: values.username.clone(),
            token: Secret(values.token.clone()),
            trust: trust(&values),
            outage_limit: outage_limit(values.outage_limit, &timing),
            timing,
            probing: probing(&values),
            quit_floor: values.quit_floor,
            policy: PolicySettings::resolve(&values),
            early_copy: values.early_copy,
            recovery_dir: path(&values.recovery_dir),
            journal: path(&values.journal),
            metrics_file: path(&values.metrics_file),
            save_url,
            upload_headers,
            headers,
            notify_url,
            bounds: bounds(&values),
            shown,
        })
    }

    /// `text` without any secret, should one stand in there.
    pub fn redact(&self, text: &str) -> String {
        let urls = [&self.save_url, &self.notify_url].into_iter().flatten();
        let headers = [&self.upload_headers, &self.headers].into_iter();
        let headers = headers.flat_map(Headers::values);
        // A value whole, and each of its words: what refuses `Bearer …` repeats the token alone.
        let headers = headers.flat_map(|it| std::iter::once(it).chain(it.split_whitespace()));
        let server = self.server.as_ref().map(ServerUrl::reveal);
        let password = server.and_then(Url::password).unwrap_or_default();
        let decoded = percent_encoding::percent_decode_str(password).decode_utf8_lossy();
        urls.cloned()
            .chain(headers.chain([password, &decoded]).map(Secret::new))
            .fold(self.token.redact(text), |text, secret| secret.redact(&text))
    }

    /// What of them decides anything.
    pub fn core(&self) -> Config {
        let bounds = &self.bounds;
        Config {
            username: self.username.clone(),
            timing: self.timing.clone(),
            bounds: self.policy.bounds,
            quit_floor: self.quit_floor,
            outage_limit: self.outage_limit,
            unsaved_wait: bounds.unsaved_wait,
            upload: self.save_url.as_ref().map(|_| bounds.upload),
            early_copy: self.early_copy,
            quit: bounds.quit,
            stuck: bounds.stuck,
            recover: bounds.recover,
            terminate: bounds.terminate,
        }
    }

    /// Every setting by name, durations in seconds, secrets left out.
    pub fn shown(&self) -> &Map<String, Json> {
        &self.shown
    }
}

fn timing(values: &Values) -> contract::Settings {
    contract::Settings {
        retry_attempts: u32::try_from(values.retry_attempts).unwrap_or(u32::MAX),
        retry_delay: values.retry_delay,
        retry_delay_max: values.retry_delay_max,
        retry_jitter: values.retry_jitter,
        connect_timeout: values.connect_timeout,
        cleanup_timeout: values.cleanup_timeout,
        warn_before: values.warn_before.clone(),
        render_wait: values.render_wait,
    }
}

fn bounds(values: &Values) -> Bounds {
    Bounds {
        upload: values.upload_timeout,
        unsaved_wait: values.unsaved_wait,
        quit: values.quit_timeout,
        stuck: values.stuck_timeout,
        terminate: match values.terminate.as_str() {
            "leave" => 0,
            _ => values.terminate_timeout,
        },
        recover: values.terminate == "recover",
        notify: values.notify_timeout,
    }
}

fn trust(values: &Values) -> Trust {
    Trust {
        ca_file: path(&values.ca_file),
    }
}

fn probing(values: &Values) -> Option<Probing> {
    (values.probe_silence > 0).then(|| Probing {
        silence: Duration::from_millis(values.probe_silence),
        every: Duration::from_millis(values.probe_every),
    })
}

/// On top of what an outage can take by these settings; 0: for ever. Milliseconds.
fn outage_limit(limit: u64, timing: &contract::Settings) -> u64 {
    if limit == 0 {
        return 0;
    }
    let attempt = timing
        .retry_delay_max
        .saturating_add(timing.retry_jitter)
        .saturating_add(timing.connect_timeout);
    attempt
        .saturating_mul(u64::from(timing.retry_attempts))
        .saturating_add(timing.cleanup_timeout)
        .saturating_add(timing.render_wait)
        .saturating_add(limit)
}

/// Whatever is sent there, it may hold secrets itself.
fn http_url(name: &str, url: &str, faults: &mut Vec<String>) -> Option<Secret> {
    let url = Some(url).filter(|url| !url.is_empty())?;
    let is_http = |url: Url| matches!(url.scheme(), "http" | "https") && url.has_host();
    if !Url::parse(url).is_ok_and(is_http) {
        faults.push(format!(
            "{name}: not a URL that can be used: expected one like https://…"
        ));
    }
    Some(Secret(url.to_string()))
}

fn headers(name: &str, text: &str, faults: &mut Vec<String>) -> Headers {
    Headers::parse(text).unwrap_or_else(|fault| {
        faults.push(format!("{name}: {fault}"));
        Headers::default()
    })
}

fn path(text: &str) -> Option<PathBuf> {
    Some(text)
        .filter(|path| !path.is_empty())
        .map(PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn resolve(preferences: Json, environment: &[(&str, &str)]) -> Result<Settings, SettingsError> {
        let environment = environment
            .iter()
            .map(|(k, v)| (k.to_string(), v.to_string()))
            .collect();
        Settings::resolve(preferences.as_object().unwrap(), &environment)
    }

    #[test]
    fn the_defaults_are_the_contracts() {
        let timing = resolve(json!({}), &[]).unwrap().timing;
        assert_eq!(timing, contract::Settings::default());
    }

    #[test]
    fn a_silence_of_nothing_switches_the_asking_off() {
        let probing = |text: &str| {
            let settings = resolve(json!({}), &[("CR8_PROBE_SILENCE", text)]);
            settings.unwrap().probing
        };
        assert_eq!(
            probing(""),
            Some(Probing {
                silence: Duration::from_secs(3),
                every: Duration::from_secs(1800),
            })
        );
        assert_eq!(probing("0"), None);
        let faults = resolve(json!({"probe_every": 0}), &[("CR8_PROBE_SILENCE", "-1")]);
        assert_eq!(
            faults.unwrap_err().0,
            [
                "CR8_PROBE_SILENCE is \"-1\": expected seconds from 0 to 600",
                "probe_every (preference) is 0: expected seconds from 1 to 86400",
            ]
        );
    }

    #[test]
    fn the_environment_wins_over_preferences_over_defaults() {
        let preferences = json!({"cleanup_timeout": 60, "retry_delay": 1.5, "username": "ada"});
        let settings = resolve(preferences, &[("CR8_CLEANUP_TIMEOUT", "7.25")]).unwrap();
        assert_eq!(settings.timing.cleanup_timeout, 7_250);
        assert_eq!(settings.timing.retry_delay, 1_500);
        assert_eq!(settings.timing.retry_attempts, 5);
        assert_eq!(settings.username, "ada");
    }

    #[test]
    fn empty_and_null_mean_not_set() {
        let settings = resolve(
            json!({"retry_delay": null}),
            &[("CR8_CLEANUP_TIMEOUT", " ")],
        )
        .unwrap();
        assert_eq!(settings.timing.retry_delay, 2_000);
        assert_eq!(settings.timing.cleanup_timeout, 300_000);
    }

    #[test]
    fn lists_of_seconds() {
        let settings = resolve(json!({}), &[("CR8_WARN_BEFORE", "90, 5.5")]).unwrap();
        assert_eq!(settings.timing.warn_before, [90_000, 5_500]);
        let settings = resolve(json!({"warn_before": []}), &[]).unwrap();
        assert!(settings.timing.warn_before.is_empty());
    }

    #[test]
    fn the_limits_of_policies_are_the_sandboxs_unless_set() {
        let policy = resolve(json!({}), &[]).unwrap().policy;
        assert_eq!(policy.limits, lifeline_sandbox::Limits::default());
        assert_eq!(policy.bounds, lifeline_core::guard::Bounds::default());
        assert!(!policy.push && policy.pins.is_empty());
        let set = [
            ("CR8_POLICY_FUEL", "200000"),
            ("CR8_POLICY_TIME", "0.5"),
            ("CR8_POLICY_MEMORY", "3"),
            ("CR8_POLICY_TABLE", "2000"),
            ("CR8_POLICY_STACK", "128"),
            ("CR8_POLICY_ANSWER", "32"),
            ("CR8_POLICY_SIZE", "5"),
            ("CR8_POLICY_MEMO", "17"),
            ("CR8_POLICY_ACTIONS", "4"),
            ("CR8_POLICY_CACHE", "off"),
        ];
        let policy = resolve(json!({"policy_push": true}), &set).unwrap().policy;
        let limits = lifeline_sandbox::Limits {
            fuel: 200_000,
            memory: 3 << 20,
            table: 2_000,
            stack: 128 << 10,
            time: std::time::Duration::from_millis(500),
            answer: 32 << 10,
            component: 5 << 20,
        };
        assert_eq!(policy.limits, limits);
        assert_eq!((policy.bounds.memo, policy.bounds.actions), (17, 4));
        assert!(policy.push && policy.cache.is_none());
    }

    #[test]
    fn a_pin_is_sixty_four_hexadecimal_digits() {
        let (one, two) = ("AB".repeat(32), "01".repeat(32));
        let pins = |text: &str| {
            Some(
                resolve(json!({"policy_sha256": text}), &[])
                    .ok()?
                    .policy
                    .pins,
            )
        };
        let found = pins(&format!("{one}, {two}")).unwrap();
        assert_eq!(found, [one.to_lowercase(), two]);
        assert_eq!(pins(""), Some(vec![]));
        for wrong in ["ab", &"g".repeat(64), &format!("{one},")] {
            assert_eq!(pins(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn every_fault_is_named_with_what_was_expected() {
        let error = resolve(
            json!({"retry_attempts": 2.5, "cleanup": 3}),
            &[
                ("CR8_RETRY_DELAY", "soon"),
                ("CR8_CLEANUP_TIMEOUT", "-1"),
                ("CR8_CONNECT_TIMEOUT", "nan"),
            ],
        )
        .unwrap_err();
        assert_eq!(
            error.0,
            [
                "cleanup: there is no such setting",
                "retry_attempts (preference) is 2.5: expected a whole number from 0 to 1000",
                "CR8_RETRY_DELAY is \"soon\": expected seconds from 0.01 to 3600",
                "CR8_CONNECT_TIMEOUT is \"nan\": expected seconds from 0.1 to 600",
                "CR8_CLEANUP_TIMEOUT is \"-1\": expected seconds from 0 to 604800",
            ]
        );
    }

    #[test]
    fn the_token_is_shown_nowhere() {
        let settings = resolve(
            json!({}),
            &[
                ("CR8_AUTH_TOKEN", "hunter2"),
                ("WS_URL", "ws://me:hunter2@h:1/?token=hunter2"),
            ],
        )
        .unwrap();
        let shown = format!("{settings:?} {:?}", settings.shown());
        assert!(!shown.contains("hunter2"), "{shown}");
        assert_eq!(settings.token.reveal(), "hunter2");
        assert_eq!(settings.token.redact("bad token hunter2"), "bad token ***");
    }

    #[test]
    fn a_url_that_is_sent_to_is_checked_and_never_echoed() {
        for name in ["save_url", "notify_url"] {
            for wrong in ["s3://bucket/key?secret", "https://", "h/secret"] {
                let error = resolve(json!({ name: wrong }), &[]).unwrap_err();
                let said = "not a URL that can be used: expected one like https://…";
                assert_eq!(error.0, [format!("{name}: {said}")], "{wrong}");
            }
            let settings = resolve(json!({ name: " https://h/f?X-Sig=abcdef" }), &[]).unwrap();
            let shown = format!("{settings:?} {:?}", settings.shown());
            assert!(!shown.contains("abcdef"), "{shown}");
            assert_eq!(settings.redact("to https://h/f?X-Sig=abcdef"), "to ***");
        }
    }

    #[test]
    fn what_stands_before_the_server_is_told_nobody_else() {
        let url = [("WS_URL", "ws://me:hunter2@h:1")];
        let settings = resolve(json!({ "headers": "X-Gate: gatekeeper" }), &url).unwrap();
        assert_eq!(settings.redact("gatekeeper hunter2"), "*** ***");
        assert!(!format!("{settings:?}").contains("gatekeeper"));
    }

    #[test]
    fn a_token_of_the_wrong_type_is_not_echoed() {
        let error = resolve(json!({"token": 12345}), &[]).unwrap_err();
        assert_eq!(
            error.0,
            ["token (preference) has a value that cannot be used: expected text"]
        );
    }
}
