//! An asking without TLS.
//!
//! reqwest makes ready for TLS whatever the scheme: it reads all the certificates of a system, which
//! takes two megabytes that a Blender keeps.

use super::names::Names;
use http_body_util::Empty;
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::HOST;
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;
use url::{Host, Url};

/// How long one of several addresses may take to answer before the next one is tried.
const NEXT: Duration = Duration::from_secs(1);

/// Why there was no answer, in words.
#[derive(Debug)]
pub(super) enum Unanswered {
    /// No server was reached.
    Unreached,
    /// It was reached, and broke off.
    BrokenOff(String),
}

impl Unanswered {
    /// Of a connection that could not be made.
    pub(super) fn of(error: &(dyn Error + 'static)) -> Self {
        let mut cause = Some(error);
        while let Some(error) = cause {
            // Its network is there, and nobody at the address: as good as no answer.
            if let Some(gone) = error.downcast_ref::<io::Error>()
                && gone.kind() == io::ErrorKind::HostUnreachable
            {
                return Unanswered::BrokenOff(gone.to_string());
            }
            cause = error.source();
        }
        Unanswered::Unreached
    }
}

/// The status of the answer to a GET. Nothing limits how long it takes.
pub(super) async fn get(url: &Url, names: &Names) -> Result<StatusCode, Unanswered> {
    let stream = connect(url, names)
        .await
        .map_err(|error| Unanswered::of(&error))?;
    let broken_off = |error: hyper::Error| Unanswered::BrokenOff(error.to_string());
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
        .await
        .map_err(broken_off)?;
    let request = Request::get(&url[url::Position::BeforePath..url::Position::AfterQuery])
        .header(
            HOST,
            &url[url::Position::BeforeHost..url::Position::AfterPort],
        )
        .body(Empty::<Bytes>::new())
        .map_err(|_| Unanswered::Unreached)?;
    let mut answer = pin!(sender.send_request(request));
    let response = tokio::select! {
        biased;
        answer = &mut answer => answer,
        // It may have ended with the answer.
        _ = connection => answer.await,
    };
    Ok(response.map_err(broken_off)?.status())
}

async fn connect(url: &Url, names: &Names) -> io::Result<TcpStream> {
    let port = url.port_or_known_default().unwrap_or(80);
    let mut addresses = match url.host() {
        Some(Host::Domain(name)) => names.clone().look_up(name.to_owned()).await?,
        Some(Host::Ipv4(address)) => vec![SocketAddr::from((address, 0))],
        Some(Host::Ipv6(address)) => vec![SocketAddr::from((address, 0))],
        None => Vec::new(),
    };
    for address in &mut addresses {
        address.set_port(port);
    }
    let Some((last, others)) = addresses.split_last() else {
        return Err(io::ErrorKind::NotFound.into());
    };
    for address in others {
        if let Ok(Ok(stream)) = timeout(NEXT, TcpStream::connect(address)).await {
            return Ok(stream);
        }
    }
    TcpStream::connect(last).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_that_is_gone_is_one_that_does_not_answer() {
        let of = |kind: io::ErrorKind| Unanswered::of(&io::Error::from(kind));
        assert!(matches!(
            of(io::ErrorKind::HostUnreachable),
            Unanswered::BrokenOff(_)
        ));
        for kind in [
            io::ErrorKind::NetworkUnreachable,
            io::ErrorKind::ConnectionRefused,
            io::ErrorKind::NotFound,
        ] {
            assert!(matches!(of(kind), Unanswered::Unreached), "{kind}");
        }
        // Deep in an error of somebody else's.
        let inner = io::Error::from(io::ErrorKind::HostUnreachable);
        #[derive(Debug, thiserror::Error)]
        #[error("it cannot be connected to")]
        struct Outer(#[source] io::Error);
        let outer = Outer(inner);
        assert!(matches!(Unanswered::of(&outer), Unanswered::BrokenOff(_)));
    }
}
