//! Sends a file by HTTP PUT, as object stores with presigned URLs take it.
//!
//! The URL is a secret: no error here carries it.

use crate::http;
use crate::settings::Secret;
use futures_util::stream;
use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE};
use reqwest::{Body, Client, StatusCode};
use std::fs::File;
use std::io::{self, Read, Seek};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use thiserror::Error;
use tokio::time::{interval, sleep, timeout};

const CHUNK: usize = 256 << 10;
/// A request of which nothing has moved for this long is given up, and made again.
const STALL: Duration = Duration::from_secs(30);
/// How often progress is told, and the end looked for.
const LOOK: Duration = Duration::from_millis(200);

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Bytes of this attempt that the system has taken.
    pub sent: u64,
    /// Bytes of the file.
    pub total: u64,
    /// From 1.
    pub attempt: u32,
}

/// Why the other side does not have the file.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum UploadError {
    /// A status that no retry will change.
    #[error("the upload was refused with status {0}")]
    Refused(u16),
    /// A status that may change.
    #[error("the upload was answered with status {0}")]
    Status(u16),
    /// The connection.
    #[error("the upload failed: {0}")]
    Transport(String),
    /// Nothing moved.
    #[error("nothing of the upload moved for {0} s")]
    Stalled(u64),
    /// All the time there was.
    #[error("the upload was given up after {seconds} s; the last attempt: {last}")]
    GivenUp {
        /// As set.
        seconds: u64,
        /// The last error.
        last: String,
    },
    /// The event loop, the file.
    #[error("the upload could not be begun: {0}")]
    Local(String),
}

/// Sends all of the file, again and again until it is taken. The requests made, and why it failed.
pub(super) fn put(
    file: &File,
    total: u64,
    url: &Secret,
    limit: Duration,
    cancelled: &AtomicBool,
    tell: &impl Fn(Progress),
) -> Result<u32, (u32, UploadError)> {
    let local = |error: &dyn std::fmt::Display| (0, UploadError::Local(error.to_string()));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| local(&error))?;
    let client = http::client().map_err(|error| local(&error))?;
    let sender = Sender {
        client,
        file,
        total,
        url,
    };
    let outcome = runtime.block_on(sender.until_taken(limit, cancelled, tell));
    runtime.shutdown_timeout(http::SHUTDOWN);
    outcome
}

struct Sender<'a> {
    client: Client,
    file: &'a File,
    total: u64,
    url: &'a Secret,
}

impl Sender<'_> {
    async fn until_taken(
        &self,
        limit: Duration,
        cancelled: &AtomicBool,
        tell: &impl Fn(Progress),
    ) -> Result<u32, (u32, UploadError)> {
        let begun = Instant::now();
        let left = || limit.saturating_sub(begun.elapsed());
        let mut pauses = http::Pauses::new();
        let mut attempt = 0;
        let mut last = None;
        while !cancelled.load(Ordering::Relaxed) && !left().is_zero() {
            attempt += 1;
            match timeout(left(), self.once(attempt, cancelled, tell)).await {
                Ok(Ok(())) => return Ok(attempt),
                Ok(Err(error @ UploadError::Refused(_))) => return Err((attempt, error)),
                Ok(Err(error)) => last = Some(error),
                Err(_) => break,
            }
            sleep(pauses.next().min(left())).await;
        }
        let last = last.map_or_else(|| "not answered".into(), |error| error.to_string());
        let seconds = limit.as_secs();
        Err((attempt, UploadError::GivenUp { seconds, last }))
    }

    /// One request.
    async fn once(
        &self,
        attempt: u32,
        cancelled: &AtomicBool,
        tell: &impl Fn(Progress),
    ) -> Result<(), UploadError> {
        // At once: an attempt may be over before the first look.
        tell(Progress {
            sent: 0,
            total: self.total,
            attempt,
        });
        let sent = Arc::new(AtomicU64::new(0));
        let body = body(self.file, &sent).map_err(|e| UploadError::Local(e.to_string()))?;
        let request = self
            .client
            .put(self.url.reveal())
            // Known beforehand: object stores take no chunked encoding.
            .header(CONTENT_LENGTH, self.total)
            .header(CONTENT_TYPE, "application/octet-stream")
            .body(body)
            .send();
        tokio::pin!(request);
        let mut look = interval(LOOK);
        let mut moved = (0, Instant::now());
        loop {
            tokio::select! {
                answer = &mut request => {
                    let status = answer.map_err(|error| UploadError::Transport(http::words(error)))?.status();
                    return judge(status);
                }
                _ = look.tick() => {
                    let now = sent.load(Ordering::Relaxed);
                    tell(Progress { sent: now, total: self.total, attempt });
                    if now != moved.0 {
                        moved = (now, Instant::now());
                    }
                    if moved.1.elapsed() > STALL {
                        return Err(UploadError::Stalled(STALL.as_secs()));
                    }
                    if cancelled.load(Ordering::Relaxed) {
                        return Err(UploadError::Local("cancelled".into()));
                    }
                }
            }
        }
    }
}

/// The file from its beginning, piece by piece; `sent` counts.
fn body(file: &File, sent: &Arc<AtomicU64>) -> io::Result<Body> {
    let mut file = file.try_clone()?;
    file.rewind()?;
    let sent = Arc::clone(sent);
    // Reading blocks: the runtime is this upload's own, and a piece is small.
    let pieces = stream::iter(std::iter::from_fn(move || {
        let mut piece = vec![0; CHUNK];
        match file.read(&mut piece) {
            Ok(0) => None,
            Ok(count) => {
                piece.truncate(count);
                sent.fetch_add(count as u64, Ordering::Relaxed);
                Some(Ok(piece))
            }
            Err(error) => Some(Err(error)),
        }
    }));
    Ok(Body::wrap_stream(pieces))
}

fn judge(status: StatusCode) -> Result<(), UploadError> {
    if status.is_success() {
        Ok(())
    } else if http::may_change(status) {
        Err(UploadError::Status(status.as_u16()))
    } else {
        Err(UploadError::Refused(status.as_u16()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{BufRead, BufReader, Write};
    use std::net::{TcpListener, TcpStream};
    use std::thread;

    const SIGNATURE: &str = "X-Signature=abcdef";

    /// Takes one connection for each answer; what came in the bodies.
    fn serve(answers: Vec<&'static str>) -> (Secret, thread::JoinHandle<Vec<Vec<u8>>>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/f?{SIGNATURE}", listener.local_addr().unwrap());
        let thread = thread::spawn(move || {
            let serve = |answer| one(&listener.accept().unwrap().0, answer);
            answers.into_iter().map(serve).collect()
        });
        (Secret::new(url), thread)
    }

    fn one(stream: &TcpStream, answer: &str) -> Vec<u8> {
        let mut reader = BufReader::new(stream);
        let mut length = 0;
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            if line.trim().is_empty() {
                break;
            }
        }
        if answer == "cut" {
            return Vec::new();
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        let mut writer = stream;
        write!(
            writer,
            "HTTP/1.1 {answer}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        )
        .unwrap();
        body
    }

    fn send(content: &[u8], url: &Secret, seconds: u64) -> Result<u32, (u32, UploadError)> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(content).unwrap();
        let limit = Duration::from_secs(seconds);
        let size = content.len() as u64;
        put(&file, size, url, limit, &AtomicBool::new(false), &|_| {})
    }

    #[test]
    fn all_of_the_file_arrives_with_its_length() {
        let (url, server) = serve(vec!["200 OK"]);
        let content = vec![7; CHUNK * 2 + 5];
        assert_eq!(send(&content, &url, 20), Ok(1));
        assert_eq!(server.join().unwrap(), [content]);
    }

    #[test]
    fn what_may_change_is_tried_again() {
        let (url, server) = serve(vec!["503 Busy", "cut", "204 Taken"]);
        assert_eq!(send(b"work", &url, 20), Ok(3));
        assert_eq!(server.join().unwrap()[2], b"work");
    }

    #[test]
    fn a_refusal_is_final_and_keeps_the_secret() {
        let elsewhere = "303 Elsewhere\r\nLocation: http://127.0.0.1:1/";
        for answer in ["403 Expired", elsewhere] {
            let (url, server) = serve(vec![answer]);
            let (attempts, error) = send(b"work", &url, 3).unwrap_err();
            assert_eq!(attempts, 1);
            assert!(matches!(error, UploadError::Refused(_)), "{error}");
            server.join().unwrap();
        }
    }

    #[test]
    fn a_server_that_is_not_there_is_given_up_in_the_end_without_the_url() {
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let url = Secret::new(format!("http://127.0.0.1:{port}/f?{SIGNATURE}"));
        let told = std::cell::RefCell::new(Vec::new());
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"work").unwrap();
        let limit = Duration::from_secs(1);
        let (attempts, error) = put(&file, 4, &url, limit, &AtomicBool::new(false), &|it| {
            told.borrow_mut().push(it);
        })
        .unwrap_err();
        assert!(attempts >= 1);
        let last = told.borrow().last().copied();
        assert_eq!(last.map(|it| (it.total, it.attempt)), Some((4, attempts)));
        let text = error.to_string();
        assert!(text.contains("given up after 1 s"), "{text}");
        assert!(
            !text.contains("abcdef") && !format!("{error:?}").contains("abcdef"),
            "{text}"
        );
    }
}
