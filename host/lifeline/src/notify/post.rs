//! Sends a notification by HTTP POST, as JSON.
//!
//! The URL is a secret: no error here carries it.

use super::message::Notification;
use crate::net::{Client, retry};
use crate::settings::{Secret, Trust};
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use hyper::{Method, StatusCode};
use jiff::Timestamp;
use jiff::fmt::rfc2822;
use std::time::Duration;
use thiserror::Error;
use tokio::runtime::Runtime;
use tokio::time::{sleep, timeout};
use url::Url;

/// Names the notification to whoever got it twice.
const KEY: &str = "Idempotency-Key";

/// Why the other side does not have it.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub(super) enum NotifyError {
    /// A status that no retry will change.
    #[error("it was refused with status {0}")]
    Refused(u16),
    /// All the time there was.
    #[error("there was no more time; the last attempt: {0}")]
    GivenUp(String),
    /// The event loop, the client, the thread.
    #[error("{0}")]
    Local(String),
    /// The webhook is too slow, or the policy warns too often.
    #[error("too many wait to be sent")]
    TooMany,
}

/// How one request has ended that may be made again.
struct Again {
    why: String,
    /// The other side wants a pause as long as this.
    pause: Option<Duration>,
}

/// The way to the webhook.
pub(super) struct Post {
    url: Url,
    client: Client,
    runtime: Runtime,
}

impl Post {
    pub fn new(url: &Secret, trust: &Trust) -> Result<Self, NotifyError> {
        let url = Url::parse(url.reveal())
            .map_err(|error| NotifyError::Local(format!("not a URL: {error}")))?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| NotifyError::Local(error.to_string()))?;
        Ok(Post {
            url,
            client: Client::by_proxy(trust.clone()),
            runtime,
        })
    }

    /// Again and again until it is taken, or refused, or nothing is `left` of its time. Waits for
    /// that.
    pub fn deliver(
        &self,
        notification: &Notification,
        left: &impl Fn() -> Duration,
    ) -> Result<(), NotifyError> {
        self.runtime.block_on(self.until_taken(notification, left))
    }

    async fn until_taken(
        &self,
        it: &Notification,
        left: &impl Fn() -> Duration,
    ) -> Result<(), NotifyError> {
        let body = serde_json::to_vec(it).map_err(|error| NotifyError::Local(error.to_string()))?;
        let key = format!("{}-{}", it.id, it.sequence);
        let mut pauses = retry::Pauses::new();
        let mut last = "not answered".to_string();
        while !left().is_zero() {
            let Ok(answer) = timeout(left(), self.once(body.clone(), &key)).await else {
                break;
            };
            let again = match answer? {
                None => return Ok(()),
                Some(again) => again,
            };
            last = again.why;
            let pause = pauses.next().max(again.pause.unwrap_or_default());
            if pause >= left() {
                break; // waiting for nothing would only hold up the next one
            }
            sleep(pause).await;
        }
        Err(NotifyError::GivenUp(last))
    }

    /// One request; None: taken.
    async fn once(&self, body: Vec<u8>, key: &str) -> Result<Option<Again>, NotifyError> {
        let request = Client::request(Method::POST, &self.url)
            .header(CONTENT_TYPE, "application/json")
            .header(KEY, key)
            .body(Full::<Bytes>::from(body))
            .map_err(|error| NotifyError::Local(error.to_string()))?;
        match self.client.send(&self.url, request).await {
            Ok((answer, _)) => judge(answer.status(), answer.headers()),
            Err(error) => Ok(Some(Again {
                why: error.to_string(),
                pause: None,
            })),
        }
    }
}

fn judge(status: StatusCode, headers: &HeaderMap) -> Result<Option<Again>, NotifyError> {
    if status.is_success() {
        Ok(None)
    } else if retry::may_change(status) {
        let wanted = headers.get(RETRY_AFTER).and_then(|it| it.to_str().ok());
        Ok(Some(Again {
            why: format!("it was answered with status {}", status.as_u16()),
            pause: wanted.and_then(|text| pause(text, Timestamp::now())),
        }))
    } else {
        Err(NotifyError::Refused(status.as_u16()))
    }
}

/// Of a `Retry-After`: seconds, or a date.
fn pause(text: &str, now: Timestamp) -> Option<Duration> {
    if let Ok(seconds) = text.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = rfc2822::parse(text.trim()).ok()?.timestamp();
    Some(Duration::try_from(at.duration_since(now)).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now: Timestamp = "2026-11-24T18:53:12Z".parse().unwrap();
        let seconds = |text| pause(text, now).map(|it| it.as_secs());
        assert_eq!(seconds("7"), Some(7));
        assert_eq!(seconds("Tue, 24 Nov 2026 18:53:42 GMT"), Some(30));
        assert_eq!(seconds("Tue, 24 Nov 2026 18:53:00 GMT"), Some(0), "past");
        assert_eq!(seconds("soon"), None);
    }
}
