//! The proxies that the environment names (`HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, `NO_PROXY`), for
//! uploads and notifications.

use super::http::NetError;
use super::stream::Stream;
use hyper::Uri;
use hyper::header::{HeaderMap, HeaderValue, PROXY_AUTHORIZATION};
use hyper_util::client::proxy::matcher::Matcher;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use url::{Position, Url};

/// An answer to CONNECT is shorter.
const HEAD: usize = 8 << 10;

/// Which there are.
#[derive(Clone, Debug)]
pub(super) struct Proxies(Option<Arc<Matcher>>);

/// One of them.
pub(super) struct Proxy {
    pub url: Url,
    authorization: Option<HeaderValue>,
}

impl Proxies {
    pub fn none() -> Self {
        Proxies(None)
    }

    pub fn of_the_environment() -> Self {
        Proxies(Some(Arc::new(Matcher::from_env())))
    }

    /// The one by which this is reached; None: directly.
    pub fn to(&self, url: &Url) -> Result<Option<Proxy>, NetError> {
        let Some(matcher) = &self.0 else {
            return Ok(None);
        };
        let Some(found) = matcher.intercept(&Proxy::absolute(url)?) else {
            return Ok(None);
        };
        let unusable = |_| NetError::Proxy("that the environment names has no URL".into());
        let url = Url::parse(&found.uri().to_string()).map_err(unusable)?;
        if !matches!(url.scheme(), "http" | "https") {
            let scheme = url.scheme();
            return Err(NetError::Proxy(format!(
                "that the environment names is one for {scheme}: expected http or https"
            )));
        }
        Ok(Some(Proxy {
            url,
            authorization: found.basic_auth().cloned(),
        }))
    }
}

impl Proxy {
    /// As a proxy is told of a place, without user and password.
    pub fn absolute(url: &Url) -> Result<Uri, NetError> {
        let place = &url[Position::BeforeHost..Position::AfterQuery];
        let uri = format!("{}://{place}", url.scheme());
        Ok(Uri::try_from(uri).map_err(hyper::http::Error::from)?)
    }

    pub fn authorize(&self, headers: &mut HeaderMap) {
        if let Some(value) = &self.authorization {
            headers.insert(PROXY_AUTHORIZATION, value.clone());
        }
    }

    /// From here on `stream` is one to the place itself.
    pub async fn tunnel(&self, stream: &mut Stream, to: &Url) -> Result<(), NetError> {
        let host = to.host_str().unwrap_or_default();
        let port = to.port_or_known_default().unwrap_or(443);
        let mut head = format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n");
        if let Some(value) = self.authorization.as_ref().and_then(|it| it.to_str().ok()) {
            head.push_str(&format!("Proxy-Authorization: {value}\r\n"));
        }
        head.push_str("\r\n");
        let broken = |error: std::io::Error| NetError::Proxy(format!("broke off: {error}"));
        stream.write_all(head.as_bytes()).await.map_err(broken)?;
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            // Byte by byte: what follows is not the proxy's any more.
            answer.push(stream.read_u8().await.map_err(broken)?);
            if answer.len() > HEAD {
                return Err(NetError::Proxy("answers without an end".into()));
            }
        }
        let status = answer.get(b"HTTP/1.1 ".len()..).and_then(|it| it.get(..3));
        match status {
            Some([b'2', _, _]) => Ok(()),
            other => Err(NetError::Proxy(format!(
                "refused with status {}",
                String::from_utf8_lossy(other.unwrap_or(b"???"))
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::http::Client;
    use super::super::names::Names;
    use super::*;
    use crate::settings::Trust;
    use http_body_util::Empty;
    use hyper::Method;
    use hyper::body::Bytes;
    use std::io::{Read, Write};
    use std::net::TcpListener;

    impl Proxies {
        fn all(url: &str) -> Self {
            Proxies(Some(Arc::new(Matcher::builder().all(url).build())))
        }
    }

    /// What a proxy is asked first; it refuses.
    async fn asked(url: &str) -> (String, Result<u16, String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let proxies = Proxies::all(&format!("http://me:pw@{}", listener.local_addr().unwrap()));
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut head = vec![0; 4096];
            let count = stream.read(&mut head).unwrap();
            let refusal = b"HTTP/1.1 407 Who are you\r\nContent-Length: 0\r\n\r\n";
            stream.write_all(refusal).unwrap();
            String::from_utf8_lossy(&head[..count]).to_lowercase()
        });
        let url = Url::parse(url).unwrap();
        let request = Client::request(Method::PUT, &url)
            .body(Empty::<Bytes>::new())
            .unwrap();
        let client = Client::with(Names::default(), Trust::default(), proxies);
        let answer = client.send(&url, request).await;
        let answer = answer
            .map(|it| it.0.status().as_u16())
            .map_err(|it| it.to_string());
        (server.join().unwrap(), answer)
    }

    #[tokio::test]
    async fn a_proxy_is_told_where_to_and_who_asks() {
        let (head, answer) = asked("http://h.invalid:81/x?y").await;
        assert!(
            head.starts_with("put http://h.invalid:81/x?y http/1.1\r\n"),
            "{head}"
        );
        assert!(
            head.contains("proxy-authorization: basic bwu6chc=\r\n"),
            "{head}"
        );
        assert_eq!(answer, Ok(407));
    }

    #[tokio::test]
    async fn what_is_encrypted_goes_through_a_tunnel() {
        let (head, answer) = asked("https://h.invalid/x?y").await;
        assert!(
            head.starts_with("connect h.invalid:443 http/1.1\r\n"),
            "{head}"
        );
        assert!(
            head.contains("proxy-authorization: basic bwu6chc=\r\n"),
            "{head}"
        );
        assert_eq!(answer, Err("the proxy refused with status 407".into()));
    }
}
