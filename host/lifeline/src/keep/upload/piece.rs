//! One PUT, and what the store answers.

use super::body::{Sent, body};
use super::{Piece, Progress, Sender, UploadError, What};
use crate::keep::answer;
use crate::keep::checksum::{self, Compared};
use crate::net::{Client, Driver};
use crate::settings::Secret;
use http_body_util::BodyExt;
use hyper::body::{Body, Bytes, Incoming};
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, ETAG};
use hyper::{Method, Request, Response};
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tokio::time::{interval, timeout};
use url::Url;

/// A request of which nothing has moved for this long is given up, and made again.
const STALL: Duration = Duration::from_secs(30);
/// For what a store says when it does not take the file.
const SAID: Duration = Duration::from_secs(2);
/// How often progress is told, and the end looked for.
const LOOK: Duration = Duration::from_millis(200);

impl<F: Fn(Progress)> Sender<'_, F> {
    /// One request; the ETag of what was taken.
    pub(super) async fn once(
        &self,
        piece: &Piece<'_>,
        attempt: u32,
    ) -> Result<Option<String>, UploadError> {
        // At once: an attempt may be over before the first look.
        self.moved(piece, 0, attempt);
        let sent = Arc::new(Sent::default());
        let total = piece.bytes.end - piece.bytes.start;
        let url = self.parsed(piece.url)?;
        let hold = !self.has_sums.get();
        let request = request(self.what, &url, piece, hold, &sent)?;
        let request = self.client.send(&url, request);
        tokio::pin!(request);
        let mut look = interval(LOOK);
        let mut moved = (0, Instant::now());
        let (mut taken, mut early) = (None, false);
        loop {
            tokio::select! {
                answer = &mut request, if taken.is_none() => {
                    // The rest of the file goes as long as the driver is kept.
                    let (answer, driver) = answer.map_err(|error| broken_off(&sent, &error))?;
                    if !answer.status().is_success() {
                        return Err(self.refusal(piece.url, answer, driver).await);
                    }
                    early = sent.bytes.load(Ordering::Relaxed) < total;
                    sent.answered.notify_one();
                    taken = Some((answer, driver));
                }
                _ = look.tick() => {
                    let now = sent.bytes.load(Ordering::Relaxed);
                    self.moved(piece, now, attempt);
                    if now != moved.0 {
                        moved = (now, Instant::now());
                    }
                    if moved.1.elapsed() > STALL {
                        return Err(UploadError::Stalled(STALL.as_secs()));
                    }
                    if self.cancelled.load(Ordering::Relaxed) {
                        return Err(UploadError::Local("cancelled".into()));
                    }
                }
            }
            if let Some((answer, _)) = &taken {
                if sent.bytes.load(Ordering::Relaxed) >= total {
                    self.check(piece, &sent, answer, early)?;
                    self.moved(piece, total, attempt);
                    let etag = answer.headers().get(ETAG);
                    return Ok(etag.and_then(|it| Some(it.to_str().ok()?.to_string())));
                }
                if sent.over.load(Ordering::Relaxed) {
                    return Err(UploadError::Early);
                }
            }
        }
    }

    /// The store has the bytes of the file, as far as it tells.
    fn check(
        &self,
        piece: &Piece,
        sent: &Sent,
        answer: &Response<Incoming>,
        early: bool,
    ) -> Result<(), UploadError> {
        if sent.md5.get() != Some(&piece.md5) {
            return Err(UploadError::Changed);
        }
        let bytes = piece.bytes.clone();
        match checksum::compare(self.what.file, bytes, &piece.md5, answer.headers()) {
            Ok(Compared::Unknown) if early => Err(UploadError::Early),
            Ok(Compared::Unknown) => Ok(()),
            Ok(Compared::Same) => {
                self.has_sums.set(true);
                Ok(())
            }
            Ok(Compared::Other(header)) => Err(UploadError::Damaged(header)),
            Err(error) => Err(UploadError::Local(error.to_string())),
        }
    }

    pub(super) async fn refusal(
        &self,
        url: &Secret,
        answer: Response<Incoming>,
        _driver: Driver,
    ) -> UploadError {
        let status = answer.status();
        let said = said(answer, SAID).await;
        let refusal = answer::read(status, &said, url, self.what.headers);
        if refusal.again {
            UploadError::Status(status.as_u16(), refusal.said)
        } else {
            UploadError::Refused(status.as_u16(), refusal.said)
        }
    }
}

/// `hold`: its last byte, for a while.
fn request(
    what: &What,
    url: &Url,
    piece: &Piece,
    hold: bool,
    sent: &Arc<Sent>,
) -> Result<Request<impl Body<Data = Bytes, Error = io::Error> + Send + use<>>, UploadError> {
    let length = piece.bytes.end - piece.bytes.start;
    let body = body(what.file, piece.bytes.clone(), hold, sent)
        .map_err(|error| UploadError::Local(error.to_string()))?;
    let mut request = Client::request(Method::PUT, url)
        // Known beforehand: object stores take no chunked encoding.
        .header(CONTENT_LENGTH, length)
        .header(CONTENT_TYPE, "application/octet-stream")
        .body(body)
        .map_err(|error| UploadError::Local(error.to_string()))?;
    request.headers_mut().extend(what.headers.0.clone());
    Ok(request)
}

/// The body of an answer: what has come until then, and no more.
pub(super) async fn said(answer: Response<Incoming>, within: Duration) -> String {
    let mut pieces = answer.into_body();
    let mut body = Vec::new();
    // Late, it is cut off.
    let _ = timeout(within, async {
        while let Some(Ok(piece)) = pieces.frame().await {
            body.extend_from_slice(piece.data_ref().unwrap_or(&Bytes::new()));
            if body.len() > answer::BODY_MAX {
                break;
            }
        }
    })
    .await;
    String::from_utf8_lossy(&body).into_owned()
}

fn broken_off(sent: &Sent, error: &dyn std::fmt::Display) -> UploadError {
    if sent.short.load(Ordering::Relaxed) {
        UploadError::Changed
    } else {
        UploadError::Transport(error.to_string())
    }
}
