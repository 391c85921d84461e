//! Where a saved file goes.

use super::Secret;
use super::mounted;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use std::path::PathBuf;
use url::Url;

/// A store gives no upload more parts than this: S3's own bound.
const PARTS_MAX: usize = 10_000;

/// Where a target is to be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SaveSource {
    /// From the start.
    Given(SaveTarget),
    /// At each use from this file, which may have been renewed.
    File(PathBuf),
}

impl SaveSource {
    /// As it is now. Reads a file: not on a thread that must not wait. The fault repeats nothing of it.
    pub fn target(&self) -> Result<SaveTarget, String> {
        match self {
            SaveSource::Given(target) => Ok(target.clone()),
            SaveSource::File(path) => mounted::read(path)
                .map_err(|error| format!("the save target's file cannot be read: {error}"))
                .and_then(|text| {
                    SaveTarget::parse(text.reveal())
                        .map_err(|fault| format!("the save target's file: {fault}"))
                }),
        }
    }

    /// All that must be seen nowhere, as far as it is known.
    pub(super) fn secrets(&self) -> impl Iterator<Item = &Secret> {
        let given = match self {
            SaveSource::Given(target) => Some(target),
            SaveSource::File(_) => None,
        };
        given.into_iter().flat_map(SaveTarget::urls)
    }
}

/// What takes copies, each under a name of its own. All of its URLs are secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CopyPlaces {
    /// With [`NAME`] where the name goes.
    Template(Secret),
    /// One for each copy.
    List(Vec<Secret>),
}

/// What stands for a copy's name.
const NAME: &str = "{name}";

impl CopyPlaces {
    /// A URL, or a JSON list of URLs. The fault repeats nothing of it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let expected = "expected a URL with {name} in it, or a JSON list of URLs";
        let places = if text.trim_start().starts_with('[') {
            let urls: Vec<String> = serde_json::from_str(text).map_err(|_| expected)?;
            CopyPlaces::List(urls.into_iter().map(Secret::new).collect())
        } else {
            CopyPlaces::Template(Secret::new(text))
        };
        let good = match &places {
            CopyPlaces::Template(it) => it.reveal().contains(NAME),
            CopyPlaces::List(urls) => !urls.is_empty(),
        };
        let mut all = (0..)
            .map_while(|used| places.place("a", used))
            .take(PARTS_MAX);
        match good && all.all(|url| is_http(&url)) {
            true => Ok(places),
            false => Err(expected.into()),
        }
    }

    /// Of the copy with this name, once so many were used; None: all were.
    pub fn place(&self, name: &str, used: usize) -> Option<Secret> {
        match self {
            CopyPlaces::Template(url) => {
                let name = utf8_percent_encode(name, NON_ALPHANUMERIC).to_string();
                Some(Secret::new(url.reveal().replace(NAME, &name)))
            }
            CopyPlaces::List(urls) => urls.get(used).cloned(),
        }
    }

    pub(super) fn secrets(&self) -> &[Secret] {
        match self {
            CopyPlaces::Template(url) => std::slice::from_ref(url),
            CopyPlaces::List(urls) => urls,
        }
    }
}

/// What takes a saved file. All of its URLs are secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SaveTarget {
    /// One HTTP PUT.
    Whole(Secret),
    /// A PUT for each part of it.
    Parts(Parts),
}

/// An upload that the store has begun, as S3 has them.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Parts {
    /// Bytes of each part but the last.
    pub part_size: u64,
    /// A presigned PUT for each part, in their order.
    #[serde(deserialize_with = "secrets")]
    pub part_urls: Vec<Secret>,
    /// A presigned POST that makes a file of the parts; None: whoever gave the target does that.
    #[serde(default, deserialize_with = "secret")]
    pub complete_url: Option<Secret>,
    /// A presigned DELETE of the parts.
    #[serde(default, deserialize_with = "secret")]
    pub abort_url: Option<Secret>,
    /// Told back to whoever makes a file of the parts.
    #[serde(default)]
    pub key: Option<String>,
    /// Told back, as `key`.
    #[serde(default)]
    pub upload_id: Option<String>,
}

fn secrets<'de, D: serde::Deserializer<'de>>(it: D) -> Result<Vec<Secret>, D::Error> {
    let texts = Vec::<String>::deserialize(it)?;
    Ok(texts.into_iter().map(Secret::new).collect())
}

fn secret<'de, D: serde::Deserializer<'de>>(it: D) -> Result<Option<Secret>, D::Error> {
    Ok(Option::<String>::deserialize(it)?.map(Secret::new))
}

impl SaveTarget {
    /// A URL, or a JSON object. The fault repeats nothing of it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if !text.starts_with('{') {
            let url = Secret::new(text);
            return match is_http(&url) {
                true => Ok(SaveTarget::Whole(url)),
                false => Err("not a URL that can be used: expected one like https://…".into()),
            };
        }
        // Its own words may repeat what was given.
        let parts: Parts = serde_json::from_str(text).map_err(|_| {
            "expected a URL, or {part_size, part_urls, complete_url?, abort_url?, key?, upload_id?}"
        })?;
        let target = SaveTarget::Parts(parts);
        let fault = match &target {
            SaveTarget::Parts(it) if it.part_size == 0 => Some("part_size: expected bytes above 0"),
            SaveTarget::Parts(it) if !(1..=PARTS_MAX).contains(&it.part_urls.len()) => {
                Some("part_urls: expected 1 to 10000 of them")
            }
            it if !it.urls().all(is_http) => Some("not all of its URLs are like https://…"),
            _ => None,
        };
        fault.map_or(Ok(target), |fault| Err(fault.into()))
    }

    /// What it is for in the store: that stays when its URLs are renewed. It may be a secret.
    pub fn object(&self) -> &str {
        let (url, key) = match self {
            SaveTarget::Whole(url) => (Some(url), None),
            SaveTarget::Parts(parts) => (parts.part_urls.first(), parts.key.as_deref()),
        };
        let url = url.map(Secret::reveal).unwrap_or_default();
        // What comes after it is who may, and until when.
        key.unwrap_or_else(|| url.split(['?', '#']).next().unwrap_or_default())
    }

    /// All of them.
    pub fn urls(&self) -> impl Iterator<Item = &Secret> {
        let (whole, parts) = match self {
            SaveTarget::Whole(url) => (Some(url), None),
            SaveTarget::Parts(parts) => (None, Some(parts)),
        };
        let parts = parts.into_iter().flat_map(|it| {
            let rest = it.complete_url.iter().chain(&it.abort_url);
            it.part_urls.iter().chain(rest)
        });
        whole.into_iter().chain(parts)
    }

    /// Bytes of each part but the last.
    pub fn part_size(&self) -> u64 {
        match self {
            SaveTarget::Whole(_) => u64::MAX,
            SaveTarget::Parts(parts) => parts.part_size,
        }
    }
}

/// Whatever is sent there, it may hold secrets itself.
pub(super) fn is_http(url: &Secret) -> bool {
    let is_http = |url: Url| matches!(url.scheme(), "http" | "https") && url.has_host();
    Url::parse(url.reveal()).is_ok_and(is_http)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_a_url_or_an_upload_in_parts() {
        let whole = SaveTarget::parse(" https://h/f?sig=abcdef\n").unwrap();
        assert_eq!(
            whole,
            SaveTarget::Whole(Secret::new("https://h/f?sig=abcdef"))
        );
        let text = r#"{"part_size": 5, "part_urls": ["http://h/1", "http://h/2"],
                       "complete_url": "http://h/c", "key": "k", "upload_id": null}"#;
        let target = SaveTarget::parse(text).unwrap();
        assert_eq!((target.urls().count(), target.part_size()), (3, 5));
        assert!(!format!("{target:?}").contains("http"), "{target:?}");
    }

    #[test]
    fn copies_have_names_or_places_of_their_own() {
        let template = CopyPlaces::parse("http://h/{name}?sig=abcdef").unwrap();
        let place = |it: &CopyPlaces, used| it.place("ann's 1.blend", used);
        let url = Secret::new("http://h/ann%27s%201%2Eblend?sig=abcdef");
        assert_eq!(place(&template, 7), Some(url));
        let list = CopyPlaces::parse(r#"["http://h/1", "http://h/2"]"#).unwrap();
        assert_eq!(place(&list, 1), Some(Secret::new("http://h/2")));
        assert_eq!(
            place(&list, 2),
            None,
            "nothing is written over another copy"
        );
        for wrong in ["http://h/hunter2", "{name}", "[]", "[1]", r#"["hunter2"]"#] {
            let fault = CopyPlaces::parse(wrong).unwrap_err();
            assert!(!fault.contains("hunter2"), "{fault}");
        }
    }

    #[test]
    fn a_fault_says_what_was_expected_and_repeats_nothing() {
        let faults = [
            ("hunter2", "not a URL"),
            ("{", "expected a URL, or"),
            (r#"{"hunter2": 1}"#, "expected a URL, or"),
            (
                r#"{"part_size": 0, "part_urls": ["http://h/hunter2"]}"#,
                "part_size",
            ),
            (r#"{"part_size": 1, "part_urls": []}"#, "part_urls"),
            (
                r#"{"part_size": 1, "part_urls": ["hunter2"]}"#,
                "not all of its URLs",
            ),
        ];
        for (text, begins) in faults {
            let fault = SaveTarget::parse(text).unwrap_err();
            assert!(
                fault.starts_with(begins) && !fault.contains("hunter2"),
                "{fault}"
            );
        }
    }
}
