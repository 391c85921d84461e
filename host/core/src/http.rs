//! What uploads and notifications have in common. Their URLs are secrets: no text from here
//! carries one.

use reqwest::{Client, redirect};
use std::time::Duration;

const CONNECT: Duration = Duration::from_secs(10);

/// A client that follows no redirect: it would lead what is sent to somewhere else.
pub(crate) fn client() -> Result<Client, String> {
    Client::builder()
        .redirect(redirect::Policy::none())
        .connect_timeout(CONNECT)
        .build()
        .map_err(words)
}

/// An error with its causes, without the URL.
pub(crate) fn words(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut words = vec![error.to_string()];
    let mut cause = std::error::Error::source(&error);
    while let Some(inner) = cause {
        words.push(inner.to_string());
        cause = inner.source();
    }
    words.join(": ")
}
