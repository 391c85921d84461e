//! Every setting there is: the one source for resolving, preferences and documentation.

use super::value::{Kind, Value};
use serde_json::{Map, Value as Json, json};
use std::collections::BTreeMap;

/// One setting.
#[derive(Debug)]
pub struct Setting {
    /// In preferences.
    pub name: &'static str,
    /// What it takes.
    pub kind: Kind,
    /// The title that it stands under.
    pub section: &'static str,
    /// One sentence for a person.
    pub about: &'static str,
    unit: Option<&'static str>,
    /// In the environment, if the name is not ours.
    variable: Option<&'static str>,
    /// As JSON text.
    default: &'static str,
}

const DAY: f64 = 86_400.0;

const SERVER: &str = "Server";
const ATTEMPTS: &str = "Attempts and countdown";
const SAVING: &str = "Saving";
const CLOSING: &str = "Closing";
const REPORTS: &str = "Reports";
const POLICY: &str = "Policy";
const LIMITS: &str = "Limits of a policy";

/// The type of a value, by its kind: milliseconds and counts are numbers.
macro_rules! type_of {
    (Seconds) => { u64 };
    (Count) => { u64 };
    (SecondsList) => { Vec<u64> };
    (Switch) => { bool };
    (Digests) => { Vec<String> };
    ($text:ident) => { String };
}

macro_rules! optional {
    () => {
        None
    };
    ($it:literal) => {
        Some($it)
    };
}

/// One declaration makes a row of the table and a field of the values, so that a name that is misspelt
/// somewhere is no name. A row: name, kind with its limits, unit, default, section, variable, sentence.
macro_rules! settings {
    ($(
        $name:ident: $kind:ident $(($($limit:expr),*))? $(in $unit:literal)? = $default:literal,
            $section:ident $(as $variable:literal)?, $about:literal;
    )*) => {
        /// All settings, in the order in which people should meet them.
        pub const TABLE: &[Setting] = &[$(Setting {
            name: stringify!($name),
            kind: Kind::$kind $(($($limit),*))?,
            section: $section,
            about: $about,
            unit: optional!($($unit)?),
            variable: optional!($($variable)?),
            default: $default,
        }),*];

        /// The values in force. Lengths of time in milliseconds.
        #[allow(dead_code)] // the add-on alone uses some
        pub(super) struct Values {
            $(pub $name: type_of!($kind),)*
        }

        impl Values {
            /// Each from where it is set first.
            pub fn resolve(layers: &mut Layers) -> Self {
                let mut rows = TABLE.iter();
                // They are taken in the order in which they are declared.
                Values { $($name: layers.take(rows.next()),)* }
            }
        }
    };
}

settings! {
    server_url: Url = "\"\"", SERVER as "WS_URL",
        "The server, like ws://host:8000; its path is /ws/socket.io/ unless the URL has one";
    username: Text = "\"\"", SERVER,
        "Whose Blender this is";
    user_id: Text = "\"\"", SERVER,
        "Who that is, where two people may have one name: recovery copies go by it, else by the name";
    project: Text = "\"\"", SERVER,
        "What is worked on: recovery copies of one project are not offered in another";
    token: Secret = "\"\"", SERVER as "CR8_AUTH_TOKEN",
        "What the server asks for before it accepts this Blender";
    token_file: Path = "\"\"", SERVER as "CR8_AUTH_TOKEN_FILE",
        "A file that holds the token, and is read again at each attempt to connect: it may be renewed";
    ca_file: Path = "\"\"", SERVER,
        "Certificates (PEM) of authorities that are trusted beside the system's";
    headers: Secret = "\"\"", SERVER,
        "Headers for what stands in front of the server, like X-Gate: open; several are separated by semicolons or ends of lines";
    retry_attempts: Count(0, 1000) = "5", ATTEMPTS,
        "Attempts to reconnect before the countdown starts";
    retry_delay: Seconds(0.01, 3600.0) = "2", ATTEMPTS,
        "Delay before the first attempt; it doubles with each further one";
    retry_delay_max: Seconds(0.01, 3600.0) = "10", ATTEMPTS,
        "The longest delay between attempts";
    retry_jitter: Seconds(0.0, 3600.0) = "0.5", ATTEMPTS,
        "Each delay is moved by up to this much, either way";
    connect_timeout: Seconds(0.1, 600.0) = "10", ATTEMPTS,
        "An attempt without an answer has failed after this long";
    probe_silence: Seconds(0.0, 600.0) = "3", ATTEMPTS,
        "A connected server that has been silent for this long is asked by HTTP whether it lives; 0: never";
    probe_every: Seconds(1.0, DAY) = "1800", ATTEMPTS,
        "In the long run a server without traffic is asked no more often than this";
    cleanup_timeout: Seconds(0.0, 7.0 * DAY) = "300", ATTEMPTS,
        "The countdown: Blender saves and closes this long after the last attempt";
    warn_before: SecondsList = "[60, 10]", ATTEMPTS,
        "Warn when this much of the countdown is left";
    render_wait: Seconds(0.0, 7.0 * DAY) = "0", ATTEMPTS,
        "A running render may put off the save by this much at most";
    quit_floor: Seconds(0.0, DAY) = "10", CLOSING,
        "Blender never closes sooner than this after the loss, whatever the policy";
    outage_limit: Seconds(0.0, 30.0 * DAY) = "86400", CLOSING,
        "A policy that has not ended an outage this long after its attempts and its countdown, though nobody holds it, is set aside; 0: never";
    save_url: Secret = "\"\"", SAVING,
        "A URL that takes the saved file by HTTP PUT (a presigned one, say) before Blender closes";
    save_target: Secret = "\"\"", SAVING,
        "In place of save_url: a URL, or the JSON of an upload in parts";
    save_target_file: Path = "\"\"", SAVING,
        "A file that holds what save_target would, and is read again at each upload: it may be renewed";
    safe: Choice(&["local", "uploaded"]) = "\"local\"", SAVING,
        "What counts as safe. local: what is on the disk; uploaded: what the save target has, and until then Blender stays as if nothing could be saved";
    recovery_url: Secret = "\"\"", SAVING,
        "Where copies are uploaded that must not replace the file at the save target: a URL with {name} in it, or a JSON list of URLs that are used once each";
    upload_headers: Secret = "\"\"", SAVING,
        "Headers of the upload, like x-ms-blob-type: BlockBlob; several are separated by semicolons or ends of lines";
    upload_timeout: Seconds(1.0, DAY) = "300", SAVING,
        "An upload, with all its retries, is given up after this long; the file stays on disk";
    early_copy: Switch = "true", SAVING,
        "Once the server is unreachable, a recovery copy of the work is made, and again each minute in which it has changed; 0: not before the countdown has ended";
    unsaved_wait: Seconds(0.0, 7.0 * DAY) = "3600", SAVING,
        "When nothing can be saved, saving is tried again for this long before Blender closes all the same";
    quit_timeout: Seconds(1.0, DAY) = "30", CLOSING,
        "A Blender whose work is safe and that does not close is ended after this long";
    stuck_timeout: Seconds(0.0, 7.0 * DAY) = "0", CLOSING,
        "A Blender too busy to begin the save is ended after this long, its work unsaved; 0: never";
    terminate: Choice(&["recover", "save", "leave"]) = "\"recover\"", CLOSING,
        "On SIGTERM while the server is connected Blender closes. recover: its work goes into a recovery copy, and the file stays as it is; save: into the file, which is uploaded; leave: SIGTERM is left alone, in an outage too";
    terminate_timeout: Seconds(0.0, 3600.0) = "4", CLOSING,
        "After a SIGTERM an upload and the closing may take this long; 0: as leave";
    notify_url: Secret = "\"\"", REPORTS,
        "A webhook that is told by HTTP POST of the countdown, of its end, and of what was saved";
    notify_timeout: Seconds(1.0, 600.0) = "10", REPORTS,
        "A notification, with all its retries, is given up after this long";
    journal: Path = "\"\"", REPORTS,
        "Where each outage is written down; empty: a file in Blender's user data";
    log_file: Path = "\"\"", REPORTS,
        "Where the log goes as JSON lines, beside standard output; empty: nowhere";
    metrics_file: Path = "\"\"", REPORTS,
        "Where metrics are kept for node_exporter: a name that ends in .prom; empty: nowhere";
    policy: Path = "\"\"", POLICY,
        "A policy component (.wasm), taken again whenever the file changes; empty: the built-in five-minutes";
    policy_sha256: Digests = "\"\"", POLICY,
        "SHA-256 of the only policies that are taken, separated by commas; empty: any";
    policy_push: Switch = "false", POLICY,
        "1: the server may send another policy";
    policy_store: Path = "\"\"", POLICY,
        "Where a policy that the server has sent is kept; empty: a folder in Blender's user data";
    policy_cache: Path = "\"\"", POLICY,
        "Where compiled policies are kept; empty: the user's cache folder; off: nowhere";
    policy_fuel: Count(100_000, 2_000_000_000) = "50000000", LIMITS,
        "Units of fuel (roughly, instructions) that a call of a policy may use";
    policy_time: Seconds(0.1, 60.0) = "2", LIMITS,
        "A call of a policy is broken off after this long, whatever its fuel";
    policy_memory: Count(1, 1024) in "MiB" = "64", LIMITS,
        "MiB of memory that a call of a policy may use";
    policy_table: Count(1_000, 10_000_000) = "100000", LIMITS,
        "Entries that a table of a policy may have";
    policy_stack: Count(64, 1024) in "KiB" = "512", LIMITS,
        "KiB of stack that a call of a policy may use";
    policy_answer: Count(16, 65_536) in "KiB" = "1024", LIMITS,
        "KiB that a policy may answer with: state, memo, actions and texts together";
    policy_memo: Count(0, 1_048_576) in "bytes" = "4096", LIMITS,
        "Bytes of memo that a policy may keep";
    policy_actions: Count(1, 10_000) = "16", LIMITS,
        "Actions that a policy may ask for at once";
    policy_size: Count(1, 512) in "MiB" = "64", LIMITS,
        "MiB that a policy's file may have";
    recovery_dir: Path = "\"\"", SAVING,
        "Where recovery copies go; empty: a folder in Blender's user data";
}

impl Setting {
    /// In the environment.
    pub fn variable(&self) -> String {
        let ours = || format!("CR8_{}", self.name.to_ascii_uppercase());
        self.variable.map_or_else(ours, str::to_string)
    }

    /// What a number of it stands for; None: for itself, or it is no number.
    pub fn unit(&self) -> Option<&'static str> {
        match self.kind {
            Kind::Seconds(..) | Kind::SecondsList => Some("s"),
            _ => self.unit,
        }
    }

    /// What it is when nobody has set it.
    pub fn default(&self) -> Json {
        serde_json::from_str(self.default).unwrap_or(json!(null))
    }

    /// The value in force, or the sentence that says why there is none.
    fn resolve(
        &self,
        preferences: &Map<String, Json>,
        environment: &BTreeMap<String, String>,
    ) -> Result<Value, String> {
        let fault = |source: String, given: String, shown: bool| {
            let expected = self.kind.expected();
            if shown && self.kind.may_be_shown() {
                format!("{source} is {given}: expected {expected}")
            } else {
                format!("{source} has a value that cannot be used: expected {expected}")
            }
        };
        let variable = self.variable();
        if let Some(text) = environment
            .get(&variable)
            .filter(|text| !text.trim().is_empty())
        {
            let value = self.kind.from_text(text);
            return value.ok_or_else(|| fault(variable, format!("{text:?}"), true));
        }
        if let Some(json) = preferences.get(self.name).filter(|json| !json.is_null()) {
            let source = || format!("{} (preference)", self.name);
            // An object stands for what no setting takes, and JSON may not even carry.
            return self
                .kind
                .from_json(json)
                .ok_or_else(|| fault(source(), json.to_string(), !json.is_object()));
        }
        self.kind
            .from_json(&self.default())
            .ok_or_else(|| format!("{}: no default", self.name))
    }
}

/// Where values come from: the environment wins over preferences, preferences over defaults.
pub(super) struct Layers<'a> {
    pub preferences: &'a Map<String, Json>,
    pub environment: &'a BTreeMap<String, String>,
    /// What cannot be used, a sentence each.
    pub faults: Vec<String>,
    /// What was taken, as people write it; but for secrets.
    pub shown: Map<String, Json>,
}

impl Layers<'_> {
    /// The type's own default where there is a fault.
    fn take<T: TryFrom<Value> + Default>(&mut self, setting: Option<&Setting>) -> T {
        let Some(setting) = setting else {
            return T::default();
        };
        match setting.resolve(self.preferences, self.environment) {
            Ok(value) => {
                if setting.kind != Kind::Secret {
                    self.shown.insert(setting.name.to_string(), value.json());
                }
                T::try_from(value).unwrap_or_default()
            }
            Err(fault) => {
                self.faults.push(fault);
                T::default()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_is_a_value_of_its_kind() {
        let (preferences, environment) = Default::default();
        let mut layers = Layers {
            preferences: &preferences,
            environment: &environment,
            faults: Vec::new(),
            shown: Map::new(),
        };
        Values::resolve(&mut layers);
        assert_eq!(layers.faults, Vec::<String>::new());
        for setting in TABLE.iter().filter(|it| it.kind != Kind::Secret) {
            let expected = setting.kind.from_json(&setting.default());
            let found = layers.shown.get(setting.name);
            assert_eq!(
                found,
                expected.map(|it| it.json()).as_ref(),
                "{}",
                setting.name
            );
        }
    }

    #[test]
    fn a_unit_is_the_one_that_the_sentence_names() {
        for setting in TABLE {
            match setting.unit() {
                Some("s") | None => {}
                Some(unit) => {
                    let about = setting.about.to_lowercase();
                    assert!(about.contains(&unit.to_lowercase()), "{}", setting.name);
                }
            }
        }
    }
}
