//! The shape of a notification. Instants are ISO 8601 in UTC; lengths of time are seconds.

use crate::journal::PolicyName;
use lifeline_core::Safe;
use serde::Serialize;

/// The version of this shape.
pub const SCHEMA: u32 = 1;

/// What is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum About {
    /// Blender will save and close.
    Warn,
    /// It will not.
    Cancelled,
    /// The work is safe.
    Saved,
    /// It is not.
    Failed,
}

impl About {
    /// As `event` says it.
    pub fn name(self) -> &'static str {
        match self {
            About::Warn => "warn",
            About::Cancelled => "cancelled",
            About::Saved => "saved",
            About::Failed => "failed",
        }
    }
}

/// How it came, or what comes now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Of [`About::Cancelled`]: the server is back.
    Recovered,
    /// Of [`About::Cancelled`]: a person keeps Blender open.
    Held,
    /// Of [`About::Cancelled`]: a person has closed Blender, or the add-on was disabled.
    Closed,
    /// Of [`About::Failed`]: saving is tried again.
    Retrying,
    /// Of [`About::Failed`]: Blender closes without its work.
    Quit,
    /// Of [`About::Failed`]: the same, because of SIGTERM.
    Terminated,
    /// Of [`About::Failed`]: Blender did not answer, and its process is ended.
    EndedByHost,
}

/// Where the work is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Work {
    /// The saved file.
    pub path: String,
    /// It is a copy in a recovery folder.
    pub recovery: bool,
    /// Size of the file; None: not verified.
    pub bytes: Option<u64>,
    /// Of the file, lower-case hex; None: not verified.
    pub sha256: Option<String>,
}

/// Two lengths of time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Seconds {
    /// Until Blender saves; only of [`About::Warn`].
    pub left: Option<f64>,
    /// Since the server was lost, or SIGTERM came.
    pub outage: f64,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Notification {
    /// [`SCHEMA`]
    pub schema: u32,
    /// What is told.
    pub event: About,
    /// The same as one sentence for people.
    pub text: String,
    /// Of the outage, as in the journal.
    pub id: String,
    /// Grows within an outage: `id` and this name a notification.
    pub sequence: u32,
    /// When it happened.
    pub at: String,
    /// Whose Blender.
    pub username: String,
    /// Without secrets.
    pub server: String,
    /// Of Blender.
    pub pid: u32,
    /// Of this library.
    pub version: String,
    /// Who decides.
    pub policy: PolicyName,
    /// What is open; None: it has no name yet.
    pub file: Option<String>,
    /// The contract's name of the loss, or `sigterm`.
    pub reason: String,
    /// The server is there, and has refused the last attempt: its words.
    pub refusal: Option<String>,
    /// How long.
    pub seconds: Seconds,
    /// How it came, or what comes now.
    pub outcome: Option<Outcome>,
    /// Where the work is.
    pub save: Option<Work>,
    /// Where the last save is: `no`, `local` or `uploaded`; None: no save was asked for.
    pub safe: Option<&'static str>,
    /// What failed in the last save, or its upload, a sentence each.
    pub failures: Vec<String>,
}

impl Notification {
    /// With the sentence that says all of this.
    pub fn with_text(mut self) -> Self {
        self.text = self.sentence();
        self
    }

    fn sentence(&self) -> String {
        let blender = match self.username.as_str() {
            "" => "Blender".to_string(),
            name => format!("Blender of {name}"),
        };
        let file = match &self.file {
            Some(path) => path.rsplit(['/', '\\']).next().unwrap_or(path),
            None => "the untitled file",
        };
        let outage = self.seconds.outage;
        match (self.event, self.outcome, &self.save) {
            (About::Warn, ..) if self.reason == "sigterm" => {
                format!("{blender} was told to end (SIGTERM): it saves {file} now, then closes.")
            }
            (About::Warn, ..) => {
                let left = self.seconds.left.unwrap_or_default();
                let (what, back) = match &self.refusal {
                    Some(words) => (format!("is refused by its server ({words})"), "lets it in"),
                    None => ("cannot reach its server".into(), "comes back"),
                };
                format!(
                    "{blender} {what}: it saves {file} and closes in {left:.0} seconds, unless the \
                     server {back} or somebody keeps it open."
                )
            }
            (About::Cancelled, Some(Outcome::Held), _) => format!(
                "{blender} is kept open by somebody: it stays until it is released, or the \
                 server is back."
            ),
            (About::Cancelled, Some(Outcome::Closed), _) => {
                format!("{blender} was closed, or its add-on disabled: no clean-up follows.")
            }
            (About::Cancelled, ..) => {
                format!("{blender} has its server back after {outage:.0} seconds: it stays open.")
            }
            (About::Saved, _, Some(work)) => {
                let copy = if work.recovery { "recovery copy " } else { "" };
                format!(
                    "{blender} has saved {file} ({copy}{}), and closes.",
                    work.path
                )
            }
            (About::Saved, _, None) => format!("{blender} has saved {file}, and closes."),
            (About::Failed, ..) => self.failed(&blender, file),
        }
    }

    fn failed(&self, blender: &str, file: &str) -> String {
        let stays = self.outcome == Some(Outcome::Retrying);
        // Not one that somebody has worked on since.
        let local = self.safe == Some(Safe::Local.name());
        if let Some(Work { path, .. }) = self.save.as_ref().filter(|_| local) {
            let next = match stays {
                true => "it stays open, and tries again",
                false => "it closes all the same",
            };
            return format!(
                "{blender} has saved {file} on its own disk ({path}), but could not upload it: {next}."
            );
        }
        match self.outcome {
            Some(Outcome::Retrying) => {
                format!("{blender} could not save {file}: it stays open, and tries again.")
            }
            Some(Outcome::EndedByHost) => {
                format!(
                    "{blender} was too busy to save {file}: it was ended with its work unsaved."
                )
            }
            _ => format!("{blender} could not save {file}, and closes with its work unsaved."),
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use serde_json::json;

    pub fn notification(event: About, sequence: u32) -> Notification {
        Notification {
            schema: SCHEMA,
            event,
            text: String::new(),
            id: "ab".repeat(16),
            sequence,
            at: "2026-11-24T18:53:12.000Z".into(),
            username: "ann".into(),
            server: "ws://h/ws/socket.io/".into(),
            pid: 1,
            version: "0".into(),
            policy: PolicyName::default(),
            file: Some("/works/chair.blend".into()),
            reason: "transport-error".into(),
            refusal: None,
            seconds: Seconds {
                left: (event == About::Warn).then_some(300.0),
                outage: 34.2,
            },
            outcome: None,
            save: None,
            safe: None,
            failures: vec![],
        }
    }

    #[test]
    fn its_json_is_what_is_documented() {
        let mut it = notification(About::Cancelled, 2).with_text();
        it.outcome = Some(Outcome::EndedByHost);
        let json = serde_json::to_value(it).unwrap();
        assert_eq!(
            (&json["schema"], &json["event"], &json["outcome"]),
            (&json!(1), &json!("cancelled"), &json!("ended-by-host"))
        );
        assert_eq!(json["seconds"], json!({"left": null, "outage": 34.2}));
        for about in [About::Warn, About::Cancelled, About::Saved, About::Failed] {
            assert_eq!(serde_json::to_value(about).unwrap(), json!(about.name()));
        }
    }

    #[test]
    fn the_sentence_says_whose_what_and_what_next() {
        let text = |it: &Notification| it.clone().with_text().text;
        let mut it = notification(About::Warn, 1);
        assert_eq!(
            text(&it),
            "Blender of ann cannot reach its server: it saves chair.blend and closes in 300 \
             seconds, unless the server comes back or somebody keeps it open."
        );
        it.refusal = Some("no browser".into());
        assert_eq!(
            text(&it),
            "Blender of ann is refused by its server (no browser): it saves chair.blend and closes \
             in 300 seconds, unless the server lets it in or somebody keeps it open."
        );
        it.reason = "sigterm".into();
        assert!(text(&it).contains("saves chair.blend now"), "{}", text(&it));
        it.event = About::Saved;
        it.file = None;
        it.username = String::new();
        it.save = Some(Work {
            path: "/r/ann-1.blend".into(),
            recovery: true,
            bytes: None,
            sha256: None,
        });
        assert_eq!(
            text(&it),
            "Blender has saved the untitled file (recovery copy /r/ann-1.blend), and closes."
        );
    }
}
