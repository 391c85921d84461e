//! What uploads, notifications and the probing of a server have in common. Their URLs are secrets:
//! no text from here carries one.

use reqwest::dns::Resolve;
use reqwest::{Client, ClientBuilder, redirect};
use std::sync::Arc;
use std::time::Duration;

const CONNECT: Duration = Duration::from_secs(10);

/// A client that follows no redirect: it would lead what is sent to somewhere else.
pub(crate) fn client() -> Result<Client, String> {
    builder().build().map_err(words)
}

/// As [`client`], but by no proxy, as Socket.IO goes, with a new connection for each request, and
/// with names looked up by this.
pub(crate) fn direct_client<R: Resolve + 'static>(names: R) -> Result<Client, String> {
    builder()
        .dns_resolver(Arc::new(names))
        .no_proxy()
        .pool_max_idle_per_host(0)
        .build()
        .map_err(words)
}

fn builder() -> ClientBuilder {
    Client::builder()
        .redirect(redirect::Policy::none())
        .connect_timeout(CONNECT)
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
