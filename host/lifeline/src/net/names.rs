//! Looks up the addresses of servers.

use crate::background::in_background;
use std::collections::HashMap;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::timeout;

/// Less than the first probe waits for its answer.
const SOON: Duration = Duration::from_secs(2);

/// Remembers what it has found last for each name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names {
    last: Arc<Mutex<HashMap<String, Vec<SocketAddr>>>>,
    /// A name that cannot be looked up says nothing of its server: its last addresses are taken then,
    /// soon.
    last_will_do: bool,
}

impl Names {
    /// The same, but for the probes beside a connection: a lookup that hangs must not be taken for a
    /// server that is silent.
    pub fn or_the_last(&self) -> Self {
        Names {
            last_will_do: true,
            ..self.clone()
        }
    }

    /// A name's addresses, as the system has them, with this port.
    pub async fn look_up(&self, name: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        #[cfg(test)]
        match tests::pretended(name) {
            Some(hangs) if hangs.is_empty() => std::future::pending::<()>().await,
            Some(addresses) => return Ok(addresses),
            None => {}
        }
        let found = if self.last_will_do {
            timeout(SOON, look_up(name.to_owned()))
                .await
                .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
        } else {
            look_up(name.to_owned()).await
        };
        // Written as a whole: a poisoned one is still in order.
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let mut addresses = match (found, last.get(name)) {
            (Ok(found), _) => {
                last.insert(name.to_owned(), found.clone());
                found
            }
            (Err(_), Some(known)) if self.last_will_do => known.clone(),
            (Err(error), _) => return Err(error),
        };
        for address in &mut addresses {
            address.set_port(port);
        }
        Ok(addresses)
    }
}

/// The system's own lookup, which cannot be interrupted, and blocks.
async fn look_up(name: String) -> io::Result<Vec<SocketAddr>> {
    let found = in_background("lifeline-name", move || {
        (name.as_str(), 0).to_socket_addrs().map(Vec::from_iter)
    })?;
    found
        .await
        .unwrap_or_else(|_| Err(io::Error::other("the lookup has died")))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    static PRETENDED: Mutex<Vec<(String, Vec<SocketAddr>)>> = Mutex::new(Vec::new());

    /// From now on the name has these addresses. None: its lookup hangs.
    pub(crate) fn pretend(name: &str, addresses: Vec<SocketAddr>) {
        PRETENDED.lock().unwrap().push((name.into(), addresses));
    }

    pub(super) fn pretended(name: &str) -> Option<Vec<SocketAddr>> {
        let all = PRETENDED.lock().unwrap();
        let found = all.iter().find(|(it, _)| it == name);
        found.map(|(_, addresses)| addresses.clone())
    }

    #[tokio::test]
    async fn a_name_is_looked_up() {
        let names = Names::default();
        let found = names.look_up("localhost", 7).await.unwrap();
        let ours = |it: &SocketAddr| it.ip().is_loopback() && it.port() == 7;
        assert!(found.iter().all(ours) && !found.is_empty());
        names.look_up("nowhere.invalid", 7).await.unwrap_err();
    }

    #[tokio::test]
    async fn a_name_that_is_not_found_any_more_stands_for_its_last_addresses_where_asked_for() {
        let names = Names::default();
        let known: Vec<SocketAddr> = vec!["127.0.0.1:0".parse().unwrap()];
        names
            .last
            .lock()
            .unwrap()
            .insert("nowhere.invalid".into(), known);
        names.look_up("nowhere.invalid", 7).await.unwrap_err();
        let found = names.or_the_last().look_up("nowhere.invalid", 7).await;
        assert_eq!(found.unwrap(), ["127.0.0.1:7".parse().unwrap()]);
    }
}
