//! The kinds of values, and how text and JSON become one.

use lifeline_core::as_seconds;
use serde_json::{Value as Json, json};

/// What a setting takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// Seconds, from and to.
    Seconds(f64, f64),
    /// Several numbers of seconds.
    SecondsList,
    /// A whole number, from and to.
    Count(u64, u64),
    /// Any text.
    Text,
    /// A URL, which may hold a password.
    Url,
    /// Any text, shown nowhere.
    Secret,
    /// A path.
    Path,
    /// Yes or no.
    Switch,
    /// SHA-256 digests in hexadecimal digits, separated by commas.
    Digests,
    /// One of these words.
    Choice(&'static [&'static str]),
}

/// A value as it is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Milliseconds.
    Millis(u64),
    /// Milliseconds.
    MillisList(Vec<u64>),
    /// A number of things.
    Count(u64),
    /// Text, a path, or a secret.
    Text(String),
    /// Yes or no.
    Switch(bool),
    /// Several texts.
    Texts(Vec<String>),
}

impl Value {
    /// As people write it: seconds, not milliseconds.
    pub fn json(&self) -> Json {
        match self {
            Value::Millis(millis) => json!(as_seconds(*millis)),
            Value::MillisList(list) => {
                json!(
                    list.iter()
                        .map(|&millis| as_seconds(millis))
                        .collect::<Vec<_>>()
                )
            }
            Value::Count(count) => json!(count),
            Value::Text(text) => json!(text),
            Value::Switch(on) => json!(on),
            Value::Texts(list) => json!(list.join(", ")),
        }
    }
}

/// A value of another kind than the type's.
#[derive(Debug)]
pub struct OtherKind;

macro_rules! value_is {
    ($type:ty, $pattern:pat => $value:expr) => {
        impl TryFrom<Value> for $type {
            type Error = OtherKind;

            fn try_from(value: Value) -> Result<Self, OtherKind> {
                match value {
                    $pattern => Ok($value),
                    _ => Err(OtherKind),
                }
            }
        }
    };
}

value_is!(u64, Value::Millis(it) | Value::Count(it) => it);
value_is!(Vec<u64>, Value::MillisList(it) => it);
value_is!(String, Value::Text(it) => it);
value_is!(bool, Value::Switch(it) => it);
value_is!(Vec<String>, Value::Texts(it) => it);

impl Kind {
    /// Names the kind to programs.
    pub fn name(&self) -> &'static str {
        match self {
            Kind::Seconds(..) => "seconds",
            Kind::SecondsList => "seconds-list",
            Kind::Count(..) => "count",
            Kind::Text | Kind::Url | Kind::Digests => "text",
            Kind::Secret => "secret",
            Kind::Path => "path",
            Kind::Switch => "switch",
            Kind::Choice(_) => "choice",
        }
    }

    /// What a person should have written.
    pub fn expected(&self) -> String {
        match self {
            Kind::Seconds(from, to) => format!("seconds from {from} to {to}"),
            Kind::SecondsList => "seconds, separated by commas".to_string(),
            Kind::Count(from, to) => format!("a whole number from {from} to {to}"),
            Kind::Text | Kind::Url | Kind::Secret => "text".to_string(),
            Kind::Path => "a path".to_string(),
            Kind::Switch => "1 (yes) or 0 (no)".to_string(),
            Kind::Digests => {
                "64 hexadecimal digits, or several times that, separated by commas".to_string()
            }
            Kind::Choice(words) => format!("one of {}", words.join(", ")),
        }
    }

    /// A fault may repeat what was given.
    pub(super) fn may_be_shown(&self) -> bool {
        !matches!(self, Kind::Secret | Kind::Url)
    }

    /// From an environment variable.
    pub fn from_text(&self, text: &str) -> Option<Value> {
        match self {
            Kind::SecondsList => {
                let seconds: Option<Vec<Json>> = text
                    .split(',')
                    .map(|part| part.trim().parse::<f64>().ok().map(|number| json!(number)))
                    .collect();
                self.from_json(&Json::Array(seconds?))
            }
            Kind::Seconds(..) => self.from_json(&json!(text.trim().parse::<f64>().ok()?)),
            Kind::Count(..) => self.from_json(&json!(text.trim().parse::<u64>().ok()?)),
            Kind::Switch => match text.trim().to_ascii_lowercase().as_str() {
                "1" | "true" | "yes" | "on" => Some(Value::Switch(true)),
                "0" | "false" | "no" | "off" => Some(Value::Switch(false)),
                _ => None,
            },
            Kind::Digests => digests(text).map(Value::Texts),
            Kind::Choice(_) => self.from_json(&json!(text.trim().to_ascii_lowercase())),
            Kind::Text | Kind::Url | Kind::Secret | Kind::Path => {
                Some(Value::Text(trimmed(text).to_string()))
            }
        }
    }

    /// From a preference or a default.
    pub fn from_json(&self, json: &Json) -> Option<Value> {
        match self {
            Kind::Seconds(from, to) => {
                let seconds = json.as_f64().filter(|s| (*from..=*to).contains(s))?;
                Some(Value::Millis(millis(seconds)))
            }
            Kind::SecondsList => {
                let list = json.as_array()?.iter().map(|item| {
                    item.as_f64()
                        .filter(|s| s.is_finite() && *s >= 0.0)
                        .map(millis)
                });
                list.collect::<Option<Vec<u64>>>().map(Value::MillisList)
            }
            Kind::Count(from, to) => json
                .as_u64()
                .filter(|n| (*from..=*to).contains(n))
                .map(Value::Count),
            Kind::Text | Kind::Url | Kind::Secret | Kind::Path => json
                .as_str()
                .map(|text| Value::Text(trimmed(text).to_string())),
            Kind::Switch => json.as_bool().map(Value::Switch),
            Kind::Digests => digests(json.as_str()?).map(Value::Texts),
            Kind::Choice(words) => json
                .as_str()
                .filter(|word| words.contains(word))
                .map(|word| Value::Text(word.to_string())),
        }
    }
}

/// White space at the ends is no part of a token, name, URL or path: it comes with the end of a line in
/// a file of secrets, or with a paste. So does a byte-order mark, which is not to be seen.
pub(super) fn trimmed(text: &str) -> &str {
    text.trim_matches(|letter: char| letter.is_whitespace() || letter == '\u{feff}')
}

fn digests(text: &str) -> Option<Vec<String>> {
    if text.trim().is_empty() {
        return Some(Vec::new());
    }
    text.split(',')
        .map(|part| {
            let digest = part.trim().to_ascii_lowercase();
            (digest.len() == 64 && hex::decode(&digest).is_ok()).then_some(digest)
        })
        .collect()
}

/// Rounded to whole milliseconds; the cast saturates.
fn millis(seconds: f64) -> u64 {
    (seconds * 1000.0).round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_at_the_ends_is_no_part_of_a_value() {
        let padded = "\u{feff} \ta b \r\n";
        for kind in [Kind::Text, Kind::Url, Kind::Secret, Kind::Path] {
            let plain = Some(Value::Text("a b".into()));
            assert_eq!(kind.from_text(padded), plain, "{kind:?}");
            assert_eq!(kind.from_json(&json!(padded)), plain, "{kind:?}");
        }
        assert_eq!(Kind::Count(0, 9).from_text(" 7\n"), Some(Value::Count(7)));
    }
}
