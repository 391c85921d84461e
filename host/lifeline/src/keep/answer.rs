//! What a store answers when it does not take a file: its own code and sentence, without what is secret.

use crate::net::retry;
use crate::settings::{Headers, Secret};
use hyper::StatusCode;

/// Of an answer's body. A store's own are a few hundred.
pub(super) const BODY_MAX: usize = 64 << 10;
/// Letters that are told.
const TOLD: usize = 300;
/// Shorter parts of a URL are no secrets, and stand in many words.
const SECRET_FROM: usize = 6;

/// Codes by which stores ask for the same request again, whatever the status: S3's, as its clients
/// have them, and its like. Bodies that were cut or damaged on the way are sent again, too.
const AGAIN: [&str; 13] = [
    "RequestTimeout",
    "RequestTimeoutException",
    "IncompleteBody",
    "BadDigest",
    "InternalError",
    "OperationAborted",
    "ConditionalRequestConflict",
    "SlowDown",
    "ServiceUnavailable",
    "ServerBusy",
    "Throttling",
    "ThrottlingException",
    "RequestLimitExceeded",
];

/// An answer that is no success.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    /// The same request may be taken later.
    pub again: bool,
    /// `: AccessDenied, Request has expired`; empty if the store says nothing.
    pub said: String,
}

/// Reads it.
pub(super) fn read(status: StatusCode, body: &str, url: &Secret, headers: &Headers) -> Refusal {
    let code = field(body, "Code");
    let message = field(body, "Message");
    let mut said: Vec<&str> = [code, message].into_iter().flatten().collect();
    if said.is_empty() && !body.trim_start().starts_with('<') {
        said.push(body);
    }
    let said = without_secrets(&said.join(", "), url, headers);
    let line = said.split_whitespace().collect::<Vec<_>>().join(" ");
    let line: String = line
        .chars()
        .filter(|it| !it.is_control())
        .take(TOLD)
        .collect();
    Refusal {
        again: retry::may_change(status) || code.is_some_and(|it| AGAIN.contains(&it)),
        said: if line.is_empty() {
            line
        } else {
            format!(": {line}")
        },
    }
}

/// Of XML, or of JSON in which it is a text.
pub(super) fn field<'a>(body: &'a str, name: &str) -> Option<&'a str> {
    let between = |start: &str, end: &str| {
        let from = body.find(start)? + start.len();
        let length = body[from..].find(end)?;
        Some(body[from..from + length].trim())
    };
    let json = format!("\"{}\"", name.to_ascii_lowercase());
    between(&format!("<{name}>"), &format!("</{name}>"))
        .or_else(|| {
            let after = &body[body.find(&json)? + json.len()..];
            let text = after.trim_start().strip_prefix(':')?.trim_start();
            text.strip_prefix('"')?.split('"').next()
        })
        .filter(|text| !text.is_empty())
}

/// A store may repeat what it was asked, in whole or in part.
fn without_secrets(text: &str, url: &Secret, headers: &Headers) -> String {
    let revealed = url.reveal();
    let mut secrets = vec![revealed.to_string()];
    if let Ok(url) = url::Url::parse(revealed) {
        secrets.extend(url.query().map(str::to_string));
        secrets.extend(url.query_pairs().map(|(_, value)| value.into_owned()));
        let raw = url.query().into_iter().flat_map(|it| it.split('&'));
        secrets.extend(raw.filter_map(|pair| Some(pair.split_once('=')?.1.to_string())));
        secrets.extend(url.password().map(str::to_string));
        secrets.push(url.username().to_string());
        secrets.push(url.path().to_string());
    }
    secrets.extend(headers.values().map(str::to_string));
    secrets.sort_by_key(|it| std::cmp::Reverse(it.len()));
    secrets
        .iter()
        .filter(|it| it.len() >= SECRET_FROM)
        .fold(text.to_string(), |text, it| {
            text.replace(it.as_str(), "***")
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "https://h/works/job.blend?X-Sig=abc%2Fdef01&X-Date=20261129T190000Z";

    fn answer(status: u16, body: &str) -> Refusal {
        let headers = Headers::parse("x-a: hunter2").unwrap();
        read(
            StatusCode::from_u16(status).unwrap(),
            body,
            &Secret::new(URL),
            &headers,
        )
    }

    #[test]
    fn the_stores_own_sentence_is_told() {
        let xml = "<?xml version=\"1.0\"?>\n<Error><Code>AccessDenied</Code>\
                   <Message>Request has\nexpired</Message><RequestId>1</RequestId></Error>";
        assert_eq!(answer(403, xml).said, ": AccessDenied, Request has expired");
        let json = r#"{"error": {"code": "Expired", "message" : "Too late"}}"#;
        assert_eq!(answer(403, json).said, ": Expired, Too late");
        assert_eq!(answer(413, "too\u{7} large").said, ": too large");
        assert_eq!(answer(502, "<html>Bad gateway</html>").said, "");
        assert_eq!(answer(500, "").said, "");
        assert_eq!(answer(500, &"a".repeat(9_000)).said.len(), TOLD + 2);
    }

    #[test]
    fn no_secret_is_told_in_whole_or_in_part() {
        for secret in [
            URL,
            "abc%2Fdef01",
            "abc/def01",
            "20261129T190000Z",
            "hunter2",
        ] {
            let said = answer(403, &format!("<Message>not {secret}!</Message>")).said;
            assert_eq!(said, ": not ***!", "{secret}");
        }
    }

    #[test]
    fn what_stores_ask_for_again() {
        let code = |status, code: &str| answer(status, &format!("<Code>{code}</Code>")).again;
        assert!(AGAIN.iter().all(|it| code(400, it)));
        assert!(code(503, "Unknown"));
        assert!(!code(400, "EntityTooLarge"));
        assert!(!code(403, "RequestTimeTooSkewed"));
        assert!(!answer(400, "RequestTimeout").again, "a word is no code");
    }
}
