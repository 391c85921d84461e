//! Asks a server over a connection of its own whether it lives.
//!
//! The request names a transport that no Engine.IO server has: it is refused with one line, and no
//! session comes of it. It carries no token, and nothing else that the URL may hold.
//!
//! Each asking has a thread and a runtime of its own, gone with the answer: reqwest's tasks would
//! be taken for the poll task of the line's runtime.

use super::names::Names;
use super::plain::{self, Unanswered};
use crate::background::in_background;
use crate::http;
use reqwest::{Client, StatusCode};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout};
use url::Url;

/// The longest that an answer is waited for.
const LIMIT: Duration = Duration::from_secs(7);
/// How long a runtime may take to end: a name lookup cannot be interrupted.
const SHUTDOWN: Duration = Duration::from_millis(50);

/// What became of an asking.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// The server lives; how long it took to say so.
    Alive(Duration),
    /// None, or a gateway's own. In words, without the URL.
    None(String),
    /// No server was reached that could have answered, for a reason that is known: its name, its
    /// certificate, this computer's network, or nobody listens. It says nothing of a line that stands.
    Unclear,
}

/// Who asks.
#[derive(Clone, Debug)]
pub(super) struct Probe {
    url: Url,
    names: Names,
    /// For TLS. Made with the first asking: reading the certificates takes a while.
    client: Arc<Mutex<Option<Client>>>,
}

impl Probe {
    /// `server`: what the line itself connects to.
    pub fn new(server: &Url) -> Self {
        let mut url = server.clone();
        let scheme = match url.scheme() {
            "wss" | "https" => "https",
            _ => "http",
        };
        // Neither can fail: the one scheme is as special as the other, and there is a host.
        let _ = url.set_scheme(scheme);
        let _ = url.set_username("");
        let _ = url.set_password(None);
        url.set_fragment(None);
        Probe {
            url,
            names: Names::default(),
            client: Arc::default(),
        }
    }

    /// Asks once. The connection is closed when this ends, or is dropped.
    pub async fn ask(self) -> Answer {
        // Goes with this future, and the asking with it.
        let (_wanted, unwanted) = oneshot::channel::<()>();
        match in_background("lifeline-ask", move || self.ask_here(unwanted)) {
            Ok(answer) => answer.await.unwrap_or(Answer::Unclear),
            Err(_) => Answer::Unclear, // this computer has no thread to give
        }
    }

    fn ask_here(&self, unwanted: oneshot::Receiver<()>) -> Answer {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
        else {
            return Answer::Unclear;
        };
        let answer = runtime.block_on(async {
            tokio::select! {
                answer = self.request() => answer,
                _ = unwanted => Answer::None("nobody waits for it".into()),
            }
        });
        runtime.shutdown_timeout(SHUTDOWN);
        answer
    }

    async fn request(&self) -> Answer {
        let begun = Instant::now();
        let mut url = self.url.clone();
        // The number keeps caches out of it, as Engine.IO's own clients do.
        let query = format!("EIO=4&transport=probe&t={:x}", fastrand::u64(..));
        url.set_query(Some(&query));
        let answer = async {
            if url.scheme() == "http" {
                return plain::get(&url, &self.names).await;
            }
            let client = self.client().ok_or(Unanswered::Unreached)?;
            match client.get(url).send().await {
                Ok(response) => Ok(response.status()),
                Err(error) if error.is_connect() => Err(Unanswered::of(&error)),
                Err(error) => Err(Unanswered::BrokenOff(http::words(error))),
            }
        };
        match timeout(LIMIT, answer).await {
            Err(_) => Answer::None("nothing came back".into()),
            Ok(Err(Unanswered::Unreached)) => Answer::Unclear,
            Ok(Err(Unanswered::BrokenOff(why))) => Answer::None(why),
            Ok(Ok(
                status @ (StatusCode::BAD_GATEWAY
                | StatusCode::SERVICE_UNAVAILABLE
                | StatusCode::GATEWAY_TIMEOUT),
            )) => Answer::None(format!("a gateway answers for it: HTTP {status}")),
            Ok(Ok(_)) => Answer::Alive(begun.elapsed()),
        }
    }

    fn client(&self) -> Option<Client> {
        // Written as a whole: a poisoned one is still in order.
        let mut client = self.client.lock().unwrap_or_else(PoisonError::into_inner);
        if client.is_none() {
            *client = http::direct_client(self.names.clone()).ok();
        }
        client.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::ServerUrl;

    fn asked(server: &str) -> String {
        let server = ServerUrl::parse(server).unwrap();
        Probe::new(server.reveal()).url.to_string()
    }

    #[test]
    fn the_place_is_the_lines_own_without_what_is_secret() {
        assert_eq!(asked("ws://h:8000"), "http://h:8000/ws/socket.io/");
        assert_eq!(asked("http://h/x"), "http://h/x/socket.io/");
        assert_eq!(
            asked("wss://me:hunter2@h:8443/ws#f"),
            "https://h:8443/ws/socket.io/"
        );
        assert_eq!(asked("https://h"), "https://h/ws/socket.io/");
    }

    #[tokio::test]
    async fn what_reaches_no_server_says_nothing_of_it() {
        let ask = |server: &str| Probe::new(ServerUrl::parse(server).unwrap().reveal()).ask();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let hangs_up = std::thread::spawn(move || {
            for _ in 0..2 {
                listener.accept().unwrap();
            }
        });
        // Not TLS, and broken off: the one is told in the handshake, the other after it.
        let answer = ask(&format!("wss://127.0.0.1:{port}")).await;
        assert_eq!(answer, Answer::Unclear);
        let answer = ask(&format!("ws://127.0.0.1:{port}")).await;
        assert!(matches!(answer, Answer::None(_)), "{answer:?}");
        hangs_up.join().unwrap();
        // Nobody listens any more.
        let answer = ask(&format!("ws://127.0.0.1:{port}")).await;
        assert_eq!(answer, Answer::Unclear);
        assert_eq!(ask("ws://nowhere.invalid").await, Answer::Unclear);
    }
}
