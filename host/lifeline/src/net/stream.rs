//! A connection's bytes, with or without TLS.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_rustls::client::TlsStream;

/// What has moved on a connection: half a message is a sign of life, too.
#[derive(Clone, Debug)]
pub(crate) struct Activity(Arc<Moved>);

#[derive(Debug)]
struct Moved {
    up: Instant,
    /// Milliseconds after `up`.
    read_at: AtomicU64,
    /// Bytes that the system has taken.
    written: AtomicU64,
}

impl Activity {
    fn new() -> Self {
        Activity(Arc::new(Moved {
            up: Instant::now(),
            read_at: AtomicU64::new(0),
            written: AtomicU64::new(0),
        }))
    }

    /// When something came last.
    pub fn read_at(&self) -> Instant {
        self.0.up + Duration::from_millis(self.0.read_at.load(Ordering::Relaxed))
    }

    /// How many bytes have gone.
    pub fn written(&self) -> u64 {
        self.0.written.load(Ordering::Relaxed)
    }

    fn read(&self) {
        let now = u64::try_from(self.0.up.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.0.read_at.store(now, Ordering::Relaxed);
    }

    fn wrote(&self, bytes: usize) {
        self.0.written.fetch_add(bytes as u64, Ordering::Relaxed);
    }
}

/// TCP, watched.
#[derive(Debug)]
pub(crate) struct Watched {
    tcp: TcpStream,
    activity: Activity,
}

impl Watched {
    pub fn new(tcp: TcpStream) -> Self {
        Watched {
            tcp,
            activity: Activity::new(),
        }
    }
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.tcp).poll_read(cx, buffer);
        if buffer.filled().len() > before {
            self.activity.read();
        }
        polled
    }
}

impl AsyncWrite for Watched {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.tcp).poll_write(cx, bytes);
        match &polled {
            Poll::Ready(Ok(count)) => self.activity.wrote(*count),
            // Whoever refuses what comes may have answered, and closed. What is read next says so: an answer,
            // or the end.
            Poll::Ready(Err(error)) if is_closed(error) => return Poll::Pending,
            _ => {}
        }
        polled
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(cx)
    }
}

/// The other side takes no more.
fn is_closed(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset
    )
}

/// As HTTP and websockets use it.
pub(crate) enum Stream {
    Plain(Watched),
    Tls(Box<TlsStream<Watched>>),
}

impl Stream {
    /// What moves on it.
    pub fn activity(&self) -> Activity {
        match self {
            Stream::Plain(watched) => watched.activity.clone(),
            Stream::Tls(tls) => tls.get_ref().0.activity.clone(),
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            Stream::Tls(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Stream::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Stream::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Stream::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Stream::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
