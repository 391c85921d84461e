//! Looks up a server's name for the askings.
//!
//! A name that cannot be looked up says nothing of the server: its last addresses are taken then.
//! Nor may a lookup that hangs be taken for a silent server, so it ends before an asking does.

use crate::http::look_up;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::timeout;

/// Less than the first asking waits for its answer.
const LIMIT: Duration = Duration::from_secs(2);

/// Of one server.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    last: Arc<Mutex<Vec<SocketAddr>>>,
}

impl Names {
    /// Its addresses, with port 0.
    pub async fn look_up(self, name: String) -> io::Result<Vec<SocketAddr>> {
        let found = timeout(LIMIT, look_up(name)).await;
        let found = found.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
        // Written as a whole: a poisoned one is still in order.
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        match found {
            Ok(found) => last.clone_from(&found),
            Err(error) if last.is_empty() => return Err(error),
            Err(_) => {}
        }
        Ok(last.clone())
    }
}

impl Resolve for Names {
    fn resolve(&self, name: Name) -> Resolving {
        let found = self.clone().look_up(name.as_str().to_owned());
        Box::pin(async {
            // Not as a time-out: that would be one of the server.
            let found = found
                .await
                .map_err(|error| format!("its name was not found: {error}"))?;
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_name_that_is_not_found_any_more_stands_for_its_last_addresses() {
        let names = Names::default();
        let nowhere = "nowhere.invalid";
        names.clone().look_up(nowhere.into()).await.unwrap_err();
        let found = names.clone().look_up("localhost".into()).await.unwrap();
        assert!(!found.is_empty());
        assert_eq!(names.look_up(nowhere.into()).await.unwrap(), found);
    }
}
