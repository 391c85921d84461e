//! The shape of a journal line. Instants are ISO 8601 in UTC; lengths of time are seconds.

use lifeline_core::Safe;
use lifeline_sandbox::Identity;
use serde::{Deserialize, Serialize};

/// The version of this shape. Until 1, `safe` was a bool: whether the work was on the disk.
pub const SCHEMA: u32 = 2;

/// What a line is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// The line to the server was lost.
    Outage,
    /// SIGTERM while the server was connected.
    Termination,
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The server came back.
    Recovered,
    /// Blender was told to close.
    Quit,
    /// Blender was told to close because of SIGTERM.
    Terminated,
    /// Blender did not close, and its process was ended.
    EndedByHost,
    /// The add-on was disabled, or a person closed Blender.
    Closed,
    /// The process, or its host thread, died; also what an entry says as long as its outage lasts.
    Interrupted,
}

impl From<lifeline_core::Outcome> for Outcome {
    fn from(outcome: lifeline_core::Outcome) -> Self {
        match outcome {
            lifeline_core::Outcome::Recovered => Outcome::Recovered,
            lifeline_core::Outcome::Quit => Outcome::Quit,
            lifeline_core::Outcome::Terminated => Outcome::Terminated,
            lifeline_core::Outcome::EndedByHost => Outcome::EndedByHost,
            lifeline_core::Outcome::Closed => Outcome::Closed,
        }
    }
}

/// The policy that decided last.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyName {
    /// As it describes itself.
    pub name: String,
    /// As it describes itself.
    pub version: String,
    /// Of the component's bytes.
    pub sha256: String,
}

impl From<&Identity> for PolicyName {
    fn from(identity: &Identity) -> Self {
        PolicyName {
            name: identity.name.clone(),
            version: identity.version.clone(),
            sha256: identity.sha256.clone(),
        }
    }
}

/// What a person, or a script, asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Requested {
    /// When.
    pub at: String,
    /// The contract's name of it.
    pub request: String,
    /// Of an extension.
    pub seconds: Option<f64>,
    /// Who asked, as the caller says.
    pub by: String,
}

/// One save that Blender was asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Save {
    /// When Blender began it.
    pub at: String,
    /// Where it was asked for: `in-place` or `recovery`.
    pub place: String,
    /// It is safe on the disk.
    pub ok: bool,
    /// Where it is.
    pub path: Option<String>,
    /// It is a copy in a recovery folder.
    pub recovery: bool,
    /// Size of the file.
    pub bytes: Option<u64>,
    /// Of the file, lower-case hex.
    pub sha256: Option<String>,
    /// How long it took.
    pub seconds: f64,
    /// What failed before, or why all of it failed.
    pub failures: Vec<String>,
    /// Where the finished render is that the file does not hold.
    #[serde(default)]
    pub render: Option<String>,
}

/// What became of the upload of the last save.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Upload {
    /// The other side has all of it.
    pub ok: bool,
    /// Of the file.
    pub bytes: u64,
    /// Requests made.
    pub attempts: u32,
    /// All requests together.
    pub seconds: f64,
    /// Why it failed.
    pub error: Option<String>,
    /// The other side has all of it in these parts, and no file was made of them yet.
    #[serde(default)]
    pub multipart: Option<Multipart>,
}

/// What S3's `CompleteMultipartUpload` asks for, in its own words.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Multipart {
    /// As given with the save target.
    pub key: Option<String>,
    /// As given with the save target.
    pub upload_id: Option<String>,
    /// All of them, in their order.
    pub parts: Vec<Part>,
}

/// One part.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// From 1.
    #[serde(rename = "PartNumber")]
    pub number: u32,
    /// With its quotes.
    #[serde(rename = "ETag")]
    pub etag: String,
}

impl From<&lifeline_core::Multipart> for Multipart {
    fn from(it: &lifeline_core::Multipart) -> Self {
        let part = |it: &lifeline_core::Part| Part {
            number: it.number,
            etag: it.etag.clone(),
        };
        Multipart {
            key: it.key.clone(),
            upload_id: it.upload_id.clone(),
            parts: it.parts.iter().map(part).collect(),
        }
    }
}

/// How long the steps took; None for those that did not happen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Seconds {
    /// From the loss to the end.
    pub outage: Option<f64>,
    /// All saves together.
    pub save: Option<f64>,
    /// Reading the saved file back.
    pub digest: Option<f64>,
    /// The upload with its retries.
    pub upload: Option<f64>,
}

/// One outage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// [`SCHEMA`]
    pub schema: u32,
    /// What it is about.
    #[serde(rename = "type")]
    pub kind: Kind,
    /// 128 random bits in hex.
    pub id: String,
    /// Whose Blender.
    pub username: String,
    /// Without secrets.
    pub server: String,
    /// Of Blender.
    pub pid: u32,
    /// Of this library.
    pub version: String,
    /// Who decided last.
    pub policy: PolicyName,
    /// When the line was lost.
    pub lost_at: Option<String>,
    /// The contract's name of the loss, or `sigterm`.
    pub why: String,
    /// In words.
    pub detail: Option<String>,
    /// The server was there, and refused the last attempt: its words.
    #[serde(default)]
    pub refusal: Option<String>,
    /// Attempts to connect begun.
    pub attempts: u32,
    /// When the countdown began.
    pub countdown_at: Option<String>,
    /// The copy that was made in case Blender does not live to save; None: it is not needed any more.
    pub early_copy: Option<String>,
    /// Oldest first.
    pub requests: Vec<Requested>,
    /// Oldest first.
    pub saves: Vec<Save>,
    /// None: not asked for, or nothing was saved.
    pub upload: Option<Upload>,
    /// How it ended.
    pub outcome: Outcome,
    /// Where the last save was at the end; None: no save was asked for.
    #[serde(with = "super::safe")]
    pub safe: Option<Safe>,
    /// What of that counts as safe, as set.
    #[serde(default = "super::safe::local", with = "super::safe::set")]
    pub wanted: Safe,
    /// When it ended, as far as is known.
    pub ended_at: Option<String>,
    /// How long the steps took.
    pub seconds: Seconds,
}

impl Entry {
    /// Where the last save is.
    pub fn reached(&self) -> Option<Safe> {
        let uploaded = self.upload.as_ref().is_some_and(|upload| upload.ok);
        self.saves.last().map(|save| match save.ok {
            true if uploaded => Safe::Uploaded,
            true => Safe::Local,
            false => Safe::No,
        })
    }

    /// Work was to be saved, and is not where it counts as safe.
    pub fn is_unsafe(&self) -> bool {
        self.safe.is_some_and(|safe| safe < self.wanted)
    }
}

/// Now, as a journal writes it.
pub fn utc_now() -> String {
    jiff::Timestamp::now()
        .strftime("%Y-%m-%dT%H:%M:%S%.3fZ")
        .to_string()
}

/// The server has an entry: it is not sent again.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Acknowledged {
    pub schema: u32,
    #[serde(rename = "type")]
    pub kind: String,
    pub id: String,
    pub at: String,
}

impl Acknowledged {
    /// What their `type` says.
    pub const TYPE: &'static str = "acknowledged";

    pub fn now(id: String) -> Self {
        Acknowledged {
            schema: SCHEMA,
            kind: Self::TYPE.into(),
            id,
            at: utc_now(),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// An outage with one save.
    pub fn entry(id: &str) -> Entry {
        Entry {
            schema: SCHEMA,
            kind: Kind::Outage,
            id: id.into(),
            username: "ann".into(),
            server: "ws://h/".into(),
            pid: 1,
            version: "0".into(),
            policy: PolicyName::default(),
            lost_at: Some(utc_now()),
            why: "transport-error".into(),
            detail: None,
            refusal: None,
            attempts: 5,
            countdown_at: None,
            early_copy: None,
            requests: vec![],
            saves: vec![Save {
                at: utc_now(),
                place: "in-place".into(),
                ok: true,
                path: Some("/work.blend".into()),
                recovery: false,
                bytes: Some(u64::MAX),
                sha256: None,
                seconds: 0.25,
                failures: vec![],
                render: None,
            }],
            upload: None,
            outcome: Outcome::Quit,
            safe: Some(Safe::Local),
            wanted: Safe::Local,
            ended_at: None,
            seconds: Seconds::default(),
        }
    }

    #[test]
    fn times_are_iso_8601_with_milliseconds() {
        let now = utc_now();
        assert_eq!(
            (now.len(), &now[10..11], &now[23..]),
            (24, "T", "Z"),
            "{now}"
        );
    }

    #[test]
    fn entries_of_earlier_versions_are_read() {
        let mut json = serde_json::to_value(entry("a")).unwrap();
        assert_eq!(
            (&json["safe"], &json["wanted"]),
            (&"local".into(), &"local".into())
        );
        json.as_object_mut().unwrap().remove("wanted");
        json["schema"] = 1.into();
        for (old, new) in [
            (Some(true), Some(Safe::Local)),
            (Some(false), Some(Safe::No)),
            (None, None),
        ] {
            json["safe"] = old.into();
            let entry: Entry = serde_json::from_value(json.clone()).unwrap();
            assert_eq!((entry.safe, entry.wanted), (new, Safe::Local));
        }
        json["safe"] = "perhaps".into();
        assert!(serde_json::from_value::<Entry>(json).is_err());
    }

    #[test]
    fn an_entry_survives_json() {
        let entry = entry("a");
        let text = serde_json::to_string(&entry).unwrap();
        assert!(text.contains(r#""type":"outage""#), "{text}");
        assert!(!text.contains('\n'));
        assert_eq!(serde_json::from_str::<Entry>(&text).unwrap(), entry);
    }
}
