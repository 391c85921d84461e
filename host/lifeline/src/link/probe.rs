//! Asks a server over a connection of its own whether it lives.
//!
//! The request names a transport that no Engine.IO server has: it is refused with one line, and no
//! session comes of it. It carries no token, and nothing else but what something in between might ask
//! for, which would answer for the server: the URL's user and password, and the headers that are set.
//!
//! Each probe has a thread and a runtime of its own, gone with the answer: it may outlive its line.

use super::pace::Pace;
use crate::background::in_background;
use crate::net::{Client, NetError};
use http_body_util::Empty;
use hyper::StatusCode;
use hyper::body::Bytes;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout};
use url::Url;

/// An answer that comes so much later still tells that the server was not frozen.
const LATE: Duration = Duration::from_secs(10);

/// What became of a probe.
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
    client: Client,
    pace: Pace,
}

/// A probe under way. It ends when this is dropped.
pub(super) struct Asked {
    wanted: Option<oneshot::Sender<()>>,
    answer: Option<oneshot::Receiver<Answer>>,
}

impl Asked {
    /// The server was taken for frozen without waiting any longer: an answer that comes now is one to
    /// learn from, and of no use otherwise.
    pub fn go_on(mut self) {
        if let Some(wanted) = self.wanted.take() {
            // It may have ended.
            let _ = wanted.send(());
        }
    }
}

impl Future for Asked {
    type Output = Answer;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Answer> {
        match &mut self.answer {
            Some(answer) => Pin::new(answer)
                .poll(cx)
                .map(|it| it.unwrap_or(Answer::Unclear)),
            None => Poll::Ready(Answer::Unclear), // this computer has no thread to give
        }
    }
}

impl Probe {
    /// `server`: what the line itself connects to, by `client`, whose names must be found soon.
    pub fn new(server: &Url, client: Client, pace: Pace) -> Self {
        let mut url = server.clone();
        let scheme = match url.scheme() {
            "wss" | "https" => "https",
            _ => "http",
        };
        // It cannot fail: the one scheme is as special as the other.
        let _ = url.set_scheme(scheme);
        url.set_fragment(None);
        Probe { url, client, pace }
    }

    /// Asks once; an answer is waited for so long, and a little longer for what can be learnt from it.
    pub fn ask(&self, wait: Duration) -> Asked {
        let (wanted, unwanted) = oneshot::channel();
        let probe = self.clone();
        let limit = wait.saturating_add(LATE);
        let answer = in_background("lifeline-ask", move || probe.ask_here(limit, unwanted));
        Asked {
            wanted: Some(wanted),
            answer: answer.ok(),
        }
    }

    fn ask_here(&self, limit: Duration, unwanted: oneshot::Receiver<()>) -> Answer {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
        else {
            return Answer::Unclear;
        };
        runtime.block_on(async {
            let mut request = std::pin::pin!(self.request(limit));
            tokio::select! {
                answer = &mut request => answer,
                gone = unwanted => match gone {
                    Ok(()) => {
                        let answer = request.await;
                        if matches!(answer, Answer::Alive(_)) {
                            self.pace.mistaken();
                        }
                        answer
                    }
                    Err(_) => Answer::None("nobody waits for it".into()),
                },
            }
        })
    }

    async fn request(&self, limit: Duration) -> Answer {
        let begun = Instant::now();
        let mut url = self.url.clone();
        // The number keeps caches out of it, as Engine.IO's own clients do.
        let query = format!("EIO=4&transport=probe&t={:x}", fastrand::u64(..));
        url.set_query(Some(&query));
        let Ok(request) = self.client.get(&url).body(Empty::<Bytes>::new()) else {
            return Answer::Unclear;
        };
        match timeout(limit, self.client.send(&url, request)).await {
            Err(_) => Answer::None("nothing came back".into()),
            Ok(Err(error)) => of_error(&error),
            Ok(Ok((response, _))) => match response.status() {
                status @ (StatusCode::BAD_GATEWAY
                | StatusCode::SERVICE_UNAVAILABLE
                | StatusCode::GATEWAY_TIMEOUT) => {
                    Answer::None(format!("a gateway answers for it: HTTP {status}"))
                }
                _ => Answer::Alive(begun.elapsed()),
            },
        }
    }
}

fn of_error(error: &NetError) -> Answer {
    match error {
        NetError::BrokenOff(_) => Answer::None(error.to_string()),
        // Its network is there, and nobody at the address: as good as no answer.
        NetError::Dial(error) if error.nobody_there() => Answer::None(error.to_string()),
        _ => Answer::Unclear,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::Names;
    use crate::settings::{Headers, ServerUrl, Trust};

    fn probe(server: &str) -> Probe {
        let server = ServerUrl::parse(server).unwrap();
        let client = Client::direct(
            Names::default().or_the_last(),
            Trust::default(),
            Headers::default(),
        );
        Probe::new(server.reveal(), client, Pace::default())
    }

    #[test]
    fn the_place_is_the_lines_own() {
        let asked = |server: &str| probe(server).url.to_string();
        assert_eq!(asked("ws://h:8000"), "http://h:8000/ws/socket.io/");
        assert_eq!(asked("http://h/x"), "http://h/x/socket.io/");
        assert_eq!(asked("wss://h:8443/ws#f"), "https://h:8443/ws/socket.io/");
        assert_eq!(asked("https://h"), "https://h/ws/socket.io/");
    }

    #[tokio::test]
    async fn what_reaches_no_server_says_nothing_of_it() {
        let ask = |server: &str| probe(server).ask(Duration::from_secs(20));
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

    #[tokio::test]
    async fn the_second_address_answers_when_the_first_swallows_everything() {
        let (url, server) = slow(Duration::ZERO);
        let good = url.trim_start_matches("ws://").parse().unwrap();
        let hole = crate::net::BlackHole::at("127.0.0.7:0".parse().unwrap()).await;
        crate::net::pretend("probe.test", vec![hole.address, good]);
        let answer = probe("ws://probe.test").ask(Duration::from_secs(5)).await;
        assert!(matches!(answer, Answer::Alive(_)), "{answer:?}");
        server.join().unwrap();
    }

    /// Takes one connection, and answers it after so long.
    fn slow(pause: Duration) -> (String, std::thread::JoinHandle<()>) {
        use std::io::{Read, Write};
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("ws://{}", listener.local_addr().unwrap());
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            assert!(stream.read(&mut [0; 1024]).unwrap() > 0);
            std::thread::sleep(pause);
            // Nobody may wait for it.
            let _ = stream.write_all(b"HTTP/1.1 400 No\r\nContent-Length: 0\r\n\r\n");
        });
        (url, server)
    }

    #[tokio::test]
    async fn an_answer_after_the_loss_contradicts_it() {
        let before = Pace::default().wait();
        let (url, server) = slow(Duration::from_millis(500));
        let probe = probe(&url);
        probe.ask(Duration::from_secs(20)).go_on();
        for _ in 0..1000 {
            if probe.pace.wait() > before {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert!(probe.pace.wait() > before);
        server.join().unwrap();
        // In its time it is an answer like any other.
        let (url, server) = slow(Duration::ZERO);
        let probe = self::probe(&url);
        let answer = probe.ask(Duration::from_secs(20)).await;
        assert!(matches!(answer, Answer::Alive(_)), "{answer:?}");
        assert_eq!(probe.pace.wait(), before);
        server.join().unwrap();
    }
}
