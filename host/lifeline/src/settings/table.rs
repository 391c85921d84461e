//! Every setting there is: the one source for resolving, preferences and documentation.

use super::value::{Kind, Value};
use serde_json::{Map, Value as Json, json};
use std::collections::BTreeMap;

/// One setting.
#[derive(Debug)]
pub struct Setting {
    /// In preferences.
    pub name: &'static str,
    /// In the environment.
    pub variable: &'static str,
    /// What it takes.
    pub kind: Kind,
    /// As JSON text.
    default: &'static str,
    /// One sentence for a person.
    pub about: &'static str,
}

const DAY: f64 = 86_400.0;

/// All settings, in the order in which people should meet them.
pub const TABLE: &[Setting] = &[
    Setting {
        name: "server_url",
        variable: "WS_URL",
        kind: Kind::Url,
        default: "\"\"",
        about: "The server, like ws://host:8000; its path is /ws/socket.io/ unless the URL has one",
    },
    Setting {
        name: "username",
        variable: "CR8_USERNAME",
        kind: Kind::Text,
        default: "\"\"",
        about: "Whose Blender this is",
    },
    Setting {
        name: "token",
        variable: "CR8_AUTH_TOKEN",
        kind: Kind::Secret,
        default: "\"\"",
        about: "What the server asks for before it accepts this Blender",
    },
    Setting {
        name: "retry_attempts",
        variable: "CR8_RETRY_ATTEMPTS",
        kind: Kind::Count(0, 1000),
        default: "5",
        about: "Attempts to reconnect before the countdown starts",
    },
    Setting {
        name: "retry_delay",
        variable: "CR8_RETRY_DELAY",
        kind: Kind::Seconds(0.01, 3600.0),
        default: "2",
        about: "Delay before the first attempt; it doubles with each further one",
    },
    Setting {
        name: "retry_delay_max",
        variable: "CR8_RETRY_DELAY_MAX",
        kind: Kind::Seconds(0.01, 3600.0),
        default: "10",
        about: "The longest delay between attempts",
    },
    Setting {
        name: "retry_jitter",
        variable: "CR8_RETRY_JITTER",
        kind: Kind::Seconds(0.0, 3600.0),
        default: "0.5",
        about: "Each delay is moved by up to this much, either way",
    },
    Setting {
        name: "connect_timeout",
        variable: "CR8_CONNECT_TIMEOUT",
        kind: Kind::Seconds(0.1, 600.0),
        default: "10",
        about: "An attempt without an answer has failed after this long",
    },
    Setting {
        name: "probe_silence",
        variable: "CR8_PROBE_SILENCE",
        kind: Kind::Seconds(0.0, 600.0),
        default: "3",
        about: "A connected server that has been silent for this long is asked by HTTP whether it lives; 0: never",
    },
    Setting {
        name: "probe_every",
        variable: "CR8_PROBE_EVERY",
        kind: Kind::Seconds(1.0, DAY),
        default: "1800",
        about: "In the long run a server without traffic is asked no more often than this",
    },
    Setting {
        name: "cleanup_timeout",
        variable: "CR8_CLEANUP_TIMEOUT",
        kind: Kind::Seconds(0.0, 7.0 * DAY),
        default: "300",
        about: "The countdown: Blender saves and closes this long after the last attempt",
    },
    Setting {
        name: "warn_before",
        variable: "CR8_WARN_BEFORE",
        kind: Kind::SecondsList,
        default: "[60, 10]",
        about: "Warn when this much of the countdown is left",
    },
    Setting {
        name: "render_wait",
        variable: "CR8_RENDER_WAIT",
        kind: Kind::Seconds(0.0, 7.0 * DAY),
        default: "0",
        about: "A running render may put off the save by this much at most",
    },
    Setting {
        name: "quit_floor",
        variable: "CR8_QUIT_FLOOR",
        kind: Kind::Seconds(0.0, DAY),
        default: "10",
        about: "Blender never closes sooner than this after the loss, whatever the policy",
    },
    Setting {
        name: "outage_limit",
        variable: "CR8_OUTAGE_LIMIT",
        kind: Kind::Seconds(0.0, 30.0 * DAY),
        default: "86400",
        about: "A policy that has not ended an outage this long after its attempts and its countdown, though nobody holds it, is set aside; 0: never",
    },
    Setting {
        name: "save_url",
        variable: "CR8_SAVE_URL",
        kind: Kind::Secret,
        default: "\"\"",
        about: "A URL that takes the saved file by HTTP PUT (a presigned one, say) before Blender closes",
    },
    Setting {
        name: "upload_timeout",
        variable: "CR8_UPLOAD_TIMEOUT",
        kind: Kind::Seconds(1.0, DAY),
        default: "300",
        about: "An upload, with all its retries, is given up after this long; the file stays on disk",
    },
    Setting {
        name: "unsaved_wait",
        variable: "CR8_UNSAVED_WAIT",
        kind: Kind::Seconds(0.0, 7.0 * DAY),
        default: "3600",
        about: "When nothing can be saved, saving is tried again for this long before Blender closes all the same",
    },
    Setting {
        name: "quit_timeout",
        variable: "CR8_QUIT_TIMEOUT",
        kind: Kind::Seconds(1.0, DAY),
        default: "30",
        about: "A Blender whose work is safe and that does not close is ended after this long",
    },
    Setting {
        name: "stuck_timeout",
        variable: "CR8_STUCK_TIMEOUT",
        kind: Kind::Seconds(0.0, 7.0 * DAY),
        default: "0",
        about: "A Blender too busy to begin the save is ended after this long, its work unsaved; 0: never",
    },
    Setting {
        name: "terminate_timeout",
        variable: "CR8_TERMINATE_TIMEOUT",
        kind: Kind::Seconds(0.0, 3600.0),
        default: "25",
        about: "On SIGTERM Blender saves and closes, an upload and the closing within this long; 0: SIGTERM is left alone",
    },
    Setting {
        name: "notify_url",
        variable: "CR8_NOTIFY_URL",
        kind: Kind::Secret,
        default: "\"\"",
        about: "A webhook that is told by HTTP POST of the countdown, of its end, and of what was saved",
    },
    Setting {
        name: "notify_timeout",
        variable: "CR8_NOTIFY_TIMEOUT",
        kind: Kind::Seconds(1.0, 600.0),
        default: "10",
        about: "A notification, with all its retries, is given up after this long",
    },
    Setting {
        name: "journal",
        variable: "CR8_JOURNAL",
        kind: Kind::Path,
        default: "\"\"",
        about: "Where each outage is written down; empty: a file in Blender's user data",
    },
    Setting {
        name: "log_file",
        variable: "CR8_LOG_FILE",
        kind: Kind::Path,
        default: "\"\"",
        about: "Where the log goes as JSON lines, beside standard output; empty: nowhere",
    },
    Setting {
        name: "metrics_file",
        variable: "CR8_METRICS_FILE",
        kind: Kind::Path,
        default: "\"\"",
        about: "Where metrics are kept for node_exporter: a name that ends in .prom; empty: nowhere",
    },
    Setting {
        name: "policy",
        variable: "CR8_POLICY",
        kind: Kind::Path,
        default: "\"\"",
        about: "A policy component (.wasm), taken again whenever the file changes; empty: the built-in five-minutes",
    },
    Setting {
        name: "policy_sha256",
        variable: "CR8_POLICY_SHA256",
        kind: Kind::Digests,
        default: "\"\"",
        about: "SHA-256 of the only policies that are taken, separated by commas; empty: any",
    },
    Setting {
        name: "policy_push",
        variable: "CR8_POLICY_PUSH",
        kind: Kind::Switch,
        default: "false",
        about: "1: the server may send another policy",
    },
    Setting {
        name: "policy_store",
        variable: "CR8_POLICY_STORE",
        kind: Kind::Path,
        default: "\"\"",
        about: "Where a policy that the server has sent is kept; empty: a folder in Blender's user data",
    },
    Setting {
        name: "policy_cache",
        variable: "CR8_POLICY_CACHE",
        kind: Kind::Path,
        default: "\"\"",
        about: "Where compiled policies are kept; empty: the user's cache folder; off: nowhere",
    },
    Setting {
        name: "policy_fuel",
        variable: "CR8_POLICY_FUEL",
        kind: Kind::Count(100_000, 2_000_000_000),
        default: "50000000",
        about: "Units of fuel (roughly, instructions) that a call of a policy may use",
    },
    Setting {
        name: "policy_time",
        variable: "CR8_POLICY_TIME",
        kind: Kind::Seconds(0.1, 60.0),
        default: "2",
        about: "A call of a policy is broken off after this long, whatever its fuel",
    },
    Setting {
        name: "policy_memory",
        variable: "CR8_POLICY_MEMORY",
        kind: Kind::Count(1, 1024),
        default: "64",
        about: "MiB of memory that a call of a policy may use",
    },
    Setting {
        name: "policy_table",
        variable: "CR8_POLICY_TABLE",
        kind: Kind::Count(1_000, 10_000_000),
        default: "100000",
        about: "Entries that a table of a policy may have",
    },
    Setting {
        name: "policy_stack",
        variable: "CR8_POLICY_STACK",
        kind: Kind::Count(64, 1024),
        default: "512",
        about: "KiB of stack that a call of a policy may use",
    },
    Setting {
        name: "policy_answer",
        variable: "CR8_POLICY_ANSWER",
        kind: Kind::Count(16, 65_536),
        default: "1024",
        about: "KiB that a policy may answer with: state, memo, actions and texts together",
    },
    Setting {
        name: "policy_memo",
        variable: "CR8_POLICY_MEMO",
        kind: Kind::Count(0, 1_048_576),
        default: "4096",
        about: "Bytes of memo that a policy may keep",
    },
    Setting {
        name: "policy_actions",
        variable: "CR8_POLICY_ACTIONS",
        kind: Kind::Count(1, 10_000),
        default: "16",
        about: "Actions that a policy may ask for at once",
    },
    Setting {
        name: "policy_size",
        variable: "CR8_POLICY_SIZE",
        kind: Kind::Count(1, 512),
        default: "64",
        about: "MiB that a policy's file may have",
    },
    Setting {
        name: "recovery_dir",
        variable: "CR8_RECOVERY_DIR",
        kind: Kind::Path,
        default: "\"\"",
        about: "Where recovery copies go; empty: a folder in Blender's user data",
    },
];

impl Setting {
    /// What it is when nobody has set it.
    pub fn default(&self) -> Json {
        serde_json::from_str(self.default).unwrap_or(json!(null))
    }

    /// The value in force, or the sentence that says why there is none.
    pub(super) fn resolve(
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
        if let Some(text) = environment
            .get(self.variable)
            .filter(|text| !text.trim().is_empty())
        {
            let value = self.kind.from_text(text);
            return value.ok_or_else(|| fault(self.variable.into(), format!("{text:?}"), true));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_is_a_value_of_its_kind() {
        for setting in TABLE {
            assert!(
                setting.kind.from_json(&setting.default()).is_some(),
                "{}",
                setting.name
            );
        }
    }
}
