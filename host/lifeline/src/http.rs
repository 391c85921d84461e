//! What uploads, notifications and the probing of a server have in common. Their URLs are secrets:
//! no text from here carries one.

use crate::background::in_background;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Client, ClientBuilder, StatusCode, redirect};
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

const CONNECT: Duration = Duration::from_secs(10);

/// A client that follows no redirect: it would lead what is sent to somewhere else.
pub(crate) fn client() -> Result<Client, String> {
    builder()
        .dns_resolver(Arc::new(System))
        .build()
        .map_err(words)
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

/// A name's addresses, as the system has them. The port is put in by whoever asks.
pub(crate) async fn look_up(name: String) -> io::Result<Vec<SocketAddr>> {
    let found = in_background("lifeline-name", move || {
        (name.as_str(), 0).to_socket_addrs().map(Vec::from_iter)
    })?;
    found
        .await
        .unwrap_or_else(|_| Err(io::Error::other("the lookup has died")))
}

/// As reqwest's own, but see [`crate::background`].
struct System;

impl Resolve for System {
    fn resolve(&self, name: Name) -> Resolving {
        let found = look_up(name.as_str().to_owned());
        Box::pin(async { Ok(Box::new(found.await?.into_iter()) as Addrs) })
    }
}

/// The pauses between requests that are made again: half a second, then twice as long each time, up
/// to half a minute.
pub(crate) struct Pauses(Duration);

impl Pauses {
    /// The first one comes next.
    pub fn new() -> Self {
        Pauses(Duration::from_millis(500))
    }

    /// The next one.
    pub fn next(&mut self) -> Duration {
        let longer = (self.0 * 2).min(Duration::from_secs(30));
        std::mem::replace(&mut self.0, longer)
    }
}

/// Whether the same request may be answered in another way later.
pub(crate) fn may_change(status: StatusCode) -> bool {
    let later = [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_MANY_REQUESTS];
    status.is_server_error() || later.contains(&status)
}

/// How long a runtime may take to end: a name lookup cannot be interrupted.
pub(crate) const SHUTDOWN: Duration = Duration::from_millis(200);

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_up_to_half_a_minute() {
        let mut pauses = Pauses::new();
        let seconds: Vec<f64> = (0..8).map(|_| pauses.next().as_secs_f64()).collect();
        assert_eq!(seconds, [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]);
    }

    #[test]
    fn what_may_be_answered_otherwise_later() {
        let later = [408, 429, 500, 502, 503, 504];
        let never = [200, 301, 400, 401, 403, 404, 413];
        let of = |status| may_change(StatusCode::from_u16(status).unwrap());
        assert!(later.into_iter().all(of));
        assert!(!never.into_iter().any(of));
    }

    #[tokio::test]
    async fn a_name_is_looked_up() {
        let found = look_up("localhost".into()).await.unwrap();
        assert!(
            found
                .iter()
                .all(|it| it.ip().is_loopback() && it.port() == 0)
        );
        assert!(!found.is_empty());
        look_up("nowhere.invalid".into()).await.unwrap_err();
    }

    #[tokio::test]
    async fn a_client_finds_a_server_by_its_name() {
        // Nobody listens: the name was found, and the connection refused.
        let nowhere = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = nowhere.local_addr().unwrap().port();
        drop(nowhere);
        let url = format!("http://localhost:{port}/");
        let error = client().unwrap().get(url).send().await.unwrap_err();
        let words = words(error);
        assert!(words.contains("refused"), "{words}");
        assert!(!words.contains("localhost"), "{words}");
    }
}
