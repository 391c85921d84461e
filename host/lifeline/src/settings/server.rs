//! The server's URL: what is connected to, and what of it may be shown.

use std::fmt;
use url::Url;

/// The path of cr8_engine's Socket.IO server.
const PATH: &str = "/ws/socket.io/";
/// What every Socket.IO path ends with.
const TAIL: &str = "/socket.io/";

/// A checked URL. Its `Display` and `Debug` leave out user, password and query.
#[derive(Clone, PartialEq, Eq)]
pub struct ServerUrl(Url);

impl ServerUrl {
    /// Takes ws, wss, http and https. Without a path it is cr8_engine's own; a path that does not
    /// end in `/socket.io/` gets that added.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut url = Url::parse(text.trim())
            .map_err(|error| format!("not a URL ({error}): expected one like ws://host:8000"))?;
        if !matches!(url.scheme(), "ws" | "wss" | "http" | "https") {
            let scheme = url.scheme();
            return Err(format!(
                "scheme {scheme:?}: expected ws, wss, http or https"
            ));
        }
        if url.host_str().is_none_or(str::is_empty) {
            return Err("no host: expected a URL like ws://host:8000".to_string());
        }
        let path = match url.path().trim_end_matches('/') {
            "" => PATH.to_string(),
            path if path.ends_with(TAIL.trim_end_matches('/')) => format!("{path}/"),
            path => format!("{path}{TAIL}"),
        };
        url.set_path(&path);
        Ok(ServerUrl(url))
    }

    /// All of it, for the one place that connects.
    pub fn reveal(&self) -> &Url {
        &self.0
    }
}

impl fmt::Display for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = self.0.host_str().unwrap_or_default();
        write!(f, "{}://{host}", self.0.scheme())?;
        if let Some(port) = self.0.port() {
            write!(f, ":{port}")?;
        }
        f.write_str(self.0.path())
    }
}

impl fmt::Debug for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        ServerUrl::parse(text).map_or_else(|fault| fault, |url| url.to_string())
    }

    #[test]
    fn paths() {
        assert_eq!(shown("ws://h:8000"), "ws://h:8000/ws/socket.io/");
        assert_eq!(shown("wss://h/"), "wss://h/ws/socket.io/");
        assert_eq!(shown("ws://h/ws"), "ws://h/ws/socket.io/");
        assert_eq!(
            shown("http://[::1]:1/ws/socket.io"),
            "http://[::1]:1/ws/socket.io/"
        );
    }

    #[test]
    fn faults_say_what_was_expected() {
        assert_eq!(
            shown("ftp://h"),
            "scheme \"ftp\": expected ws, wss, http or https"
        );
        assert!(
            shown("localhost").starts_with("not a URL"),
            "{}",
            shown("localhost")
        );
    }
}
