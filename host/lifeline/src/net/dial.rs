//! Connects to one of a name's addresses: the first that answers (RFC 8305, "happy eyeballs").
//!
//! The addresses come sorted by the system, those of both families in one list; they are tried in
//! turns of the families, each as soon as the one before has failed or a quarter of a second after
//! it has begun. All go on until one is connected.

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep};

/// RFC 8305's "Connection Attempt Delay".
const DELAY: Duration = Duration::from_millis(250);

/// None of the addresses could be connected to.
#[derive(Debug)]
pub(crate) struct DialError(Vec<(SocketAddr, io::Error)>);

impl DialError {
    /// Their network is there, and nobody at any address: as good as no answer. A host that refuses is
    /// one that answers.
    pub fn nobody_there(&self) -> bool {
        (self.any(io::ErrorKind::HostUnreachable) || self.timed_out())
            && !self.any(io::ErrorKind::ConnectionRefused)
    }

    /// The system had no patience any more.
    pub fn timed_out(&self) -> bool {
        self.any(io::ErrorKind::TimedOut)
    }

    fn any(&self, kind: io::ErrorKind) -> bool {
        self.0.iter().any(|(_, error)| error.kind() == kind)
    }
}

impl fmt::Display for DialError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_slice() {
            [] => f.write_str("its name has no address"),
            [(_, error)] => fmt::Display::fmt(error, f),
            several => {
                f.write_str("none of its addresses can be connected to: ")?;
                for (nth, (address, error)) in several.iter().enumerate() {
                    let comma = if nth == 0 { "" } else { ", " };
                    write!(f, "{comma}{}: {error}", address.ip())?;
                }
                Ok(())
            }
        }
    }
}

impl std::error::Error for DialError {}

/// A connection, and how long one round trip to the other side has taken.
pub(crate) async fn dial(addresses: Vec<SocketAddr>) -> Result<(TcpStream, Duration), DialError> {
    let mut waiting = in_turns(addresses);
    let mut trying = FuturesUnordered::new();
    let mut failed = Vec::new();
    loop {
        if let Some(address) = waiting.pop_front() {
            trying.push(connect(address));
        }
        tokio::select! {
            biased;
            Some((address, outcome)) = trying.next() => match outcome {
                Ok(connected) => return Ok(connected),
                Err(error) => failed.push((address, error)),
            },
            () = sleep(DELAY), if !waiting.is_empty() => {}
            else => return Err(DialError(failed)),
        }
    }
}

async fn connect(address: SocketAddr) -> (SocketAddr, io::Result<(TcpStream, Duration)>) {
    let begun = Instant::now();
    let stream = TcpStream::connect(address).await.and_then(|stream| {
        // Small events go at once.
        stream.set_nodelay(true)?;
        Ok((stream, begun.elapsed()))
    });
    (address, stream)
}

/// The first one's family first, then the other, and so on.
fn in_turns(addresses: Vec<SocketAddr>) -> VecDeque<SocketAddr> {
    let first = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (mut these, mut others): (VecDeque<_>, VecDeque<_>) = addresses
        .into_iter()
        .partition(|address| address.is_ipv6() == first);
    let mut turns = VecDeque::new();
    while let Some(address) = these.pop_front() {
        turns.push_back(address);
        std::mem::swap(&mut these, &mut others);
        if these.is_empty() {
            std::mem::swap(&mut these, &mut others);
        }
    }
    turns
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use tokio::net::{TcpListener, TcpSocket};

    /// An address at which connections are neither taken nor refused: its queue is full.
    pub(crate) struct BlackHole {
        pub address: SocketAddr,
        _listener: TcpListener,
        _queued: Vec<TcpStream>,
    }

    impl BlackHole {
        pub async fn at(address: SocketAddr) -> Self {
            let socket = TcpSocket::new_v4().unwrap();
            socket.bind(address).unwrap();
            let listener = socket.listen(0).unwrap();
            let address = listener.local_addr().unwrap();
            let mut queued = Vec::new();
            // Until nobody is let in any more.
            while let Ok(stream) =
                tokio::time::timeout(Duration::from_millis(200), TcpStream::connect(address)).await
            {
                queued.push(stream.unwrap());
            }
            BlackHole {
                address,
                _listener: listener,
                _queued: queued,
            }
        }
    }

    fn addresses(texts: &[&str]) -> Vec<SocketAddr> {
        texts.iter().map(|it| it.parse().unwrap()).collect()
    }

    #[test]
    fn the_families_take_turns() {
        let of = |texts: &[&str]| Vec::from(in_turns(addresses(texts)));
        assert_eq!(
            of(&["[::1]:1", "[::2]:1", "[::3]:1", "1.1.1.1:1"]),
            addresses(&["[::1]:1", "1.1.1.1:1", "[::2]:1", "[::3]:1"])
        );
        assert_eq!(
            of(&["1.1.1.1:1", "[::1]:1", "[::2]:1", "2.2.2.2:1"]),
            addresses(&["1.1.1.1:1", "[::1]:1", "2.2.2.2:1", "[::2]:1"])
        );
        assert_eq!(of(&[]), []);
    }

    #[tokio::test]
    async fn an_address_that_swallows_everything_costs_a_moment() {
        let hole = BlackHole::at("127.0.0.2:0".parse().unwrap()).await;
        let good = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let there = good.local_addr().unwrap();
        let dialled = tokio::time::timeout(Duration::from_secs(5), dial(vec![hole.address, there]));
        let (stream, _) = dialled.await.expect("not in its time").unwrap();
        assert_eq!(stream.peer_addr().unwrap(), there);
    }

    #[tokio::test]
    async fn an_address_that_refuses_costs_nothing_and_all_are_named_in_the_end() {
        let closed = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let nobody = closed.local_addr().unwrap();
        drop(closed);
        let good = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let there = good.local_addr().unwrap();
        let (stream, _) = dial(vec![nobody, there]).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), there);
        let error = dial(vec![nobody]).await.unwrap_err();
        assert_eq!(error.to_string(), "Connection refused (os error 111)");
        let mut other = nobody;
        other.set_ip("127.0.0.3".parse().unwrap());
        let words = dial(vec![nobody, other]).await.unwrap_err().to_string();
        assert!(
            words.contains("127.0.0.1: Conn") && words.contains("127.0.0.3: Conn"),
            "{words}"
        );
        assert_eq!(
            dial(vec![]).await.unwrap_err().to_string(),
            "its name has no address"
        );
    }

    #[test]
    fn a_host_that_is_gone_is_one_that_does_not_answer() {
        let of = |kinds: &[io::ErrorKind]| {
            let failed = kinds
                .iter()
                .map(|kind| (([127, 0, 0, 1], 1).into(), (*kind).into()));
            DialError(failed.collect()).nobody_there()
        };
        use io::ErrorKind::{ConnectionRefused, HostUnreachable, NetworkUnreachable};
        assert!(of(&[HostUnreachable]));
        assert!(
            of(&[NetworkUnreachable, HostUnreachable]),
            "one family has no network"
        );
        assert!(!of(&[HostUnreachable, ConnectionRefused]));
        assert!(!of(&[NetworkUnreachable]));
        assert!(!of(&[]));
    }
}
