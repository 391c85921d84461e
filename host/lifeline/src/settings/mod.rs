//! What can be set, and where it comes from: the environment wins over preferences, preferences
//! over defaults. Every value that cannot be used is named, all of them at once.

mod headers;
mod mounted;
mod policies;
mod renewed;
mod server;
mod table;
mod target;
mod value;

pub use headers::Headers;
pub use policies::PolicySettings;
pub use renewed::Renewed;
pub(crate) use renewed::expiry;
pub use server::ServerUrl;
pub use table::{Setting, TABLE};
pub use target::{CopyPlaces, Parts, SaveSource, SaveTarget};
pub use value::{Kind, Value};

use table::{Layers, Values};

use crate::contract;
use jiff::Timestamp;
use lifeline_core::{Config, Safe};
use serde_json::{Map, Value as Json};
use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;
use thiserror::Error;
use url::Url;

/// So many tokens of before are remembered.
const RETIRED: usize = 8;

/// When a silent server is asked, beside the connection, whether it lives. See
/// `docs/frozen-server.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Probing {
    /// A connection that has been silent for so long is asked for.
    pub silence: Duration,
    /// In the long run a connection without traffic is asked for no more often than this.
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
    /// A file that holds it, and may be renewed.
    pub token_file: Option<PathBuf>,
    /// How long token and save target are good for, if anybody has said so.
    pub expires_at: Option<Timestamp>,
    /// Tokens of before: still to be seen nowhere.
    retired: Vec<Secret>,
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
    /// Where the saved file goes before Blender closes.
    pub save: Option<SaveSource>,
    /// Where copies go that must not replace the file there.
    pub recovery: Option<CopyPlaces>,
    /// What counts as safe.
    pub safe: Safe,
    /// What is sent with it beside the file.
    pub upload_headers: Headers,
    /// Of the handshake with the server, and of probes whether it lives.
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
        let server = server(&values, &mut faults);
        let save = save_source(&values, &mut faults);
        let recovery = copy_places(&values, &mut faults);
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
            token_file: path(&values.token_file),
            expires_at: None,
            retired: Vec::new(),
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
            save,
            recovery,
            safe: safe(&values),
            upload_headers,
            headers,
            notify_url,
            bounds: bounds(&values),
            shown,
        })
    }

    /// These count from now on.
    pub fn renew(&mut self, renewed: Renewed) {
        let Renewed {
            token,
            save,
            expires_at,
        } = renewed;
        if token.is_some() || expires_at.is_some() {
            self.expires_at = expires_at;
        }
        if let Some(token) = token {
            self.retired
                .insert(0, std::mem::replace(&mut self.token, token));
            self.retired.truncate(RETIRED);
        }
        if let Some(save) = save {
            self.save = Some(SaveSource::Given(save));
        }
    }

    /// What the token's file holds now. Reads a file: not on a thread that must not wait.
    pub(crate) fn mounted_token(path: &Path) -> io::Result<Secret> {
        mounted::read(path)
    }

    /// `text` without any secret, should one stand in there.
    pub fn redact(&self, text: &str) -> String {
        let save = self.save.iter().flat_map(SaveSource::secrets);
        let copies = self.recovery.iter().flat_map(CopyPlaces::secrets);
        let urls = self.notify_url.iter().chain(save).chain(copies);
        let headers = [&self.upload_headers, &self.headers].into_iter();
        let headers = headers.flat_map(Headers::values);
        // A value whole, and each of its words: what refuses `Bearer …` repeats the token alone.
        let headers = headers.flat_map(|it| std::iter::once(it).chain(it.split_whitespace()));
        let server = self.server.as_ref().map(ServerUrl::reveal);
        let password = server.and_then(Url::password).unwrap_or_default();
        let decoded = percent_encoding::percent_decode_str(password).decode_utf8_lossy();
        urls.chain(&self.retired)
            .cloned()
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
            upload: bounds.upload,
            target: self.save.is_some(),
            copies: self.recovery.is_some(),
            safe: self.safe,
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

fn safe(values: &Values) -> Safe {
    match values.safe.as_str() {
        "uploaded" => Safe::Uploaded,
        _ => Safe::Local,
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

fn server(values: &Values, faults: &mut Vec<String>) -> Option<ServerUrl> {
    parsed("server_url", &values.server_url, ServerUrl::parse, faults)
}

fn copy_places(values: &Values, faults: &mut Vec<String>) -> Option<CopyPlaces> {
    let url = &values.recovery_url;
    parsed("recovery_url", url, CopyPlaces::parse, faults)
}

/// What is renewed wins over what is given, and that over a URL.
fn save_source(values: &Values, faults: &mut Vec<String>) -> Option<SaveSource> {
    let url = http_url("save_url", &values.save_url, faults).map(SaveTarget::Whole);
    let given = parsed(
        "save_target",
        &values.save_target,
        SaveTarget::parse,
        faults,
    );
    path(&values.save_target_file)
        .map(SaveSource::File)
        .or_else(|| given.or(url).map(SaveSource::Given))
}

/// None: nothing is set, or it is a fault.
fn parsed<T>(
    name: &str,
    text: &str,
    parse: impl Fn(&str) -> Result<T, String>,
    faults: &mut Vec<String>,
) -> Option<T> {
    let parsed = Some(text).filter(|text| !text.is_empty()).map(parse)?;
    parsed
        .map_err(|fault| faults.push(format!("{name}: {fault}")))
        .ok()
}

fn http_url(name: &str, url: &str, faults: &mut Vec<String>) -> Option<Secret> {
    let url = Secret::new(Some(url).filter(|url| !url.is_empty())?);
    if !target::is_http(&url) {
        faults.push(format!(
            "{name}: not a URL that can be used: expected one like https://…"
        ));
    }
    Some(url)
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
mod tests;
