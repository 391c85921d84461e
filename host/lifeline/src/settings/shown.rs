//! How settings are shown to people: what belongs together, and in which unit.

use super::{Kind, Setting};

/// A title, and the settings below it.
const SECTIONS: &[(&str, &[&str])] = &[
    ("Server", &["server_url", "username", "token"]),
    (
        "Attempts and countdown",
        &[
            "retry_attempts",
            "retry_delay",
            "retry_delay_max",
            "retry_jitter",
            "connect_timeout",
            "probe_silence",
            "probe_every",
            "cleanup_timeout",
            "warn_before",
            "render_wait",
        ],
    ),
    (
        "Saving",
        &["recovery_dir", "save_url", "upload_timeout", "unsaved_wait"],
    ),
    (
        "Closing",
        &[
            "quit_floor",
            "outage_limit",
            "quit_timeout",
            "stuck_timeout",
            "terminate_timeout",
        ],
    ),
    (
        "Reports",
        &[
            "notify_url",
            "notify_timeout",
            "journal",
            "log_file",
            "metrics_file",
        ],
    ),
    (
        "Policy",
        &[
            "policy",
            "policy_sha256",
            "policy_push",
            "policy_store",
            "policy_cache",
        ],
    ),
];

/// Everything else bounds what a policy may use.
const LIMITS: (&str, &str) = ("Limits of a policy", "policy_");
const OTHER: &str = "Other";

/// The title that a setting stands under.
pub fn section_of(name: &str) -> &'static str {
    SECTIONS
        .iter()
        .find(|(_, names)| names.contains(&name))
        .map(|(title, _)| *title)
        .unwrap_or(if name.starts_with(LIMITS.1) {
            LIMITS.0
        } else {
            OTHER
        })
}

/// What a number of it stands for; None: for itself, or it is no number.
pub fn unit_of(setting: &Setting) -> Option<&'static str> {
    match (&setting.kind, setting.name) {
        (Kind::Seconds(..) | Kind::SecondsList, _) => Some("s"),
        (Kind::Count(..), "policy_memory" | "policy_size") => Some("MiB"),
        (Kind::Count(..), "policy_stack" | "policy_answer") => Some("KiB"),
        (Kind::Count(..), "policy_memo") => Some("bytes"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::TABLE;
    use super::*;

    #[test]
    fn every_setting_has_a_place_and_every_name_is_one() {
        for setting in TABLE {
            assert_ne!(section_of(setting.name), OTHER, "{}", setting.name);
        }
        for name in SECTIONS.iter().flat_map(|(_, names)| *names) {
            assert!(TABLE.iter().any(|setting| setting.name == *name), "{name}");
        }
    }

    #[test]
    fn a_unit_is_the_one_that_the_sentence_names() {
        for setting in TABLE {
            match unit_of(setting) {
                Some("s") | None => {}
                Some(unit) => {
                    let about = setting.about.to_lowercase();
                    assert!(about.contains(&unit.to_lowercase()), "{}", setting.name);
                }
            }
        }
    }
}
