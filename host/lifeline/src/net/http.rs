//! One request over a connection of its own, and its answer.

use super::AGENT;
use super::dial::{DialError, dial};
use super::names::Names;
use super::proxy::{Proxies, Proxy};
use super::stream::{Stream, Watched};
use super::tls::{self, TlsError};
use crate::settings::{Headers, Trust};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hyper::body::{Body, Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::header::{AUTHORIZATION, HOST, HeaderValue, USER_AGENT};
use hyper::http::request::Builder;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use percent_encoding::percent_decode_str;
use std::cell::Cell;
use std::error::Error;
use std::io;
use std::time::Duration;
use thiserror::Error as ThisError;
use tokio::task::JoinHandle;
use url::{Host, Position, Url};

/// Why there is no answer. Holds no URL.
#[derive(Debug, ThisError)]
pub(crate) enum NetError {
    /// The lookup.
    #[error("its name was not found: {0}")]
    Name(io::Error),
    /// Each address.
    #[error(transparent)]
    Dial(#[from] DialError),
    /// The handshake of TLS.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// What stands between.
    #[error("the proxy {0}")]
    Proxy(String),
    /// It was reached, and broke off.
    #[error("{}", words(.0))]
    BrokenOff(#[from] hyper::Error),
    /// Not a URL that can be asked.
    #[error("it is no request that can be made: {0}")]
    Request(#[from] hyper::http::Error),
}

/// hyper keeps the reason for itself.
fn words(error: &hyper::Error) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}

/// How far a connection has come, for whoever has no more patience.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Place {
    /// Its name is looked up.
    #[default]
    Name,
    /// Its addresses are dialled.
    Dial,
    /// The handshake of TLS.
    Tls,
    /// Connected: the rest is the server's.
    Server,
}

/// Ends a connection when it is dropped.
#[derive(Debug)]
pub(crate) struct Driver(JoinHandle<()>);

impl Drop for Driver {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Asks servers. It keeps no connections, and follows no redirect: it would lead what is sent to
/// somewhere else.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    names: Names,
    trust: Trust,
    proxies: Proxies,
    headers: Headers,
}

impl Client {
    /// By no proxy, as Socket.IO goes. `headers`: of each [`Client::get`].
    pub fn direct(names: Names, trust: Trust, headers: Headers) -> Self {
        Client {
            headers,
            ..Client::with(names, trust, Proxies::none())
        }
    }

    /// By the proxy that the environment names, if it does.
    pub fn by_proxy(trust: Trust) -> Self {
        Client::with(Names::default(), trust, Proxies::of_the_environment())
    }

    pub(super) fn with(names: Names, trust: Trust, proxies: Proxies) -> Self {
        Client {
            names,
            trust,
            proxies,
            headers: Headers::default(),
        }
    }

    /// A request to a server that stands behind something which wants headers of its own.
    pub fn get(&self, url: &Url) -> Builder {
        let mut request = Client::request(Method::GET, url);
        if let Some(headers) = request.headers_mut() {
            headers.extend(self.headers.0.clone());
        }
        request
    }

    /// A request, with all that is the same in each.
    pub fn request(method: Method, url: &Url) -> Builder {
        let mut request = Request::builder()
            .method(method)
            .uri(&url[Position::BeforePath..Position::AfterQuery])
            .header(HOST, &url[Position::BeforeHost..Position::AfterPort])
            .header(USER_AGENT, AGENT);
        if let Some(authorization) = authorization(url) {
            request = request.header(AUTHORIZATION, authorization);
        }
        request
    }

    /// Nothing limits how long it takes. The connection ends with the driver.
    pub async fn send<B>(
        &self,
        url: &Url,
        mut request: Request<B>,
    ) -> Result<(Response<Incoming>, Driver), NetError>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let Some(proxy) = self.proxies.to(url)? else {
            let (stream, _) = self.connect(url, &Cell::default()).await?;
            return exchange(stream, request).await;
        };
        let mut stream = self.plain_or_tls(&proxy.url).await?;
        if is_secure(url) {
            proxy.tunnel(&mut stream, url).await?;
            // Within the proxy's own TLS there is no second one.
            let Stream::Plain(stream) = stream else {
                return Err(NetError::Proxy("must be one for http:// itself".into()));
            };
            let stream = tls::handshake(stream, &host(url)?, &self.trust).await?;
            return exchange(stream, request).await;
        }
        *request.uri_mut() = Proxy::absolute(url)?;
        proxy.authorize(request.headers_mut());
        exchange(stream, request).await
    }

    /// A connection to the server itself, and how long one round trip takes. `place` is kept up to
    /// date.
    pub async fn connect(
        &self,
        url: &Url,
        place: &Cell<Place>,
    ) -> Result<(Stream, Duration), NetError> {
        let host = host(url)?;
        let port = url.port_or_known_default().unwrap_or(80);
        let addresses = match &host {
            Host::Domain(name) => self
                .names
                .look_up(name, port)
                .await
                .map_err(NetError::Name)?,
            Host::Ipv4(address) => vec![(*address, port).into()],
            Host::Ipv6(address) => vec![(*address, port).into()],
        };
        place.set(Place::Dial);
        let (stream, round_trip) = dial(addresses).await?;
        let stream = Watched::new(stream);
        let stream = if is_secure(url) {
            place.set(Place::Tls);
            tls::handshake(stream, &host, &self.trust).await?
        } else {
            Stream::Plain(stream)
        };
        place.set(Place::Server);
        Ok((stream, round_trip))
    }

    async fn plain_or_tls(&self, proxy: &Url) -> Result<Stream, NetError> {
        self.connect(proxy, &Cell::default())
            .await
            .map(|(stream, _)| stream)
            .map_err(|error| NetError::Proxy(format!("cannot be reached: {error}")))
    }
}

/// A request and its answer over a connection that is there. The rest of the answer, or what it is
/// upgraded to, comes as long as the driver is kept.
pub(crate) async fn exchange<B>(
    stream: Stream,
    request: Request<B>,
) -> Result<(Response<Incoming>, Driver), NetError>
where
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let driver = Driver(tokio::spawn(async {
        // Its error is the request's, too.
        let _ = connection.with_upgrades().await;
    }));
    Ok((sender.send_request(request).await?, driver))
}

fn is_secure(url: &Url) -> bool {
    matches!(url.scheme(), "https" | "wss")
}

fn host(url: &Url) -> Result<Host<String>, NetError> {
    match url.host() {
        Some(host) => Ok(host.to_owned()),
        None => Err(NetError::Name(io::ErrorKind::InvalidInput.into())),
    }
}

/// Of user and password in the URL, if they are there.
pub(super) fn authorization(url: &Url) -> Option<HeaderValue> {
    if url.username().is_empty() && url.password().is_none() {
        return None;
    }
    let mut both: Vec<u8> = percent_decode_str(url.username()).collect();
    both.push(b':');
    both.extend(percent_decode_str(url.password().unwrap_or_default()));
    let mut value =
        HeaderValue::try_from(format!("Basic {}", BASE64_STANDARD.encode(both))).ok()?;
    value.set_sensitive(true);
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::super::dial::tests::BlackHole;
    use super::super::names::tests::pretend;
    use super::*;
    use http_body_util::Empty;
    use std::io::{Read, Write};
    use std::net::TcpListener;

    fn get(url: &Url) -> Request<Empty<Bytes>> {
        Client::request(Method::GET, url)
            .body(Empty::new())
            .unwrap()
    }

    /// Answers one request; its head.
    fn serve(listener: TcpListener) -> std::thread::JoinHandle<String> {
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut head = vec![0; 4096];
            let count = stream.read(&mut head).unwrap();
            stream
                .write_all(b"HTTP/1.1 204 Taken\r\nContent-Length: 0\r\n\r\n")
                .unwrap();
            String::from_utf8_lossy(&head[..count]).into_owned()
        })
    }

    #[tokio::test]
    async fn the_second_address_of_a_name_answers_when_the_first_swallows_everything() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let good = listener.local_addr().unwrap();
        let hole = BlackHole::at("127.0.0.4:0".parse().unwrap()).await;
        let server = serve(listener);
        pretend("client.test", vec![hole.address, good]);
        let url = Url::parse("http://client.test/x").unwrap();
        let client = Client::direct(Names::default(), Trust::default(), Headers::default());
        let answer = client.send(&url, get(&url));
        let answer = tokio::time::timeout(Duration::from_secs(5), answer).await;
        assert_eq!(answer.expect("not in its time").unwrap().0.status(), 204);
        assert!(server.join().unwrap().starts_with("GET /x HTTP/1.1\r\n"));
    }

    #[tokio::test]
    async fn who_asks_and_with_which_password_is_said_in_each_request() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = serve(listener);
        let url = Url::parse(&format!("http://me:p%40ss@{address}/x?y=1")).unwrap();
        let client = Client::direct(Names::default(), Trust::default(), Headers::default());
        client.send(&url, get(&url)).await.unwrap();
        let head = server.join().unwrap().to_lowercase();
        assert!(head.starts_with("get /x?y=1 http/1.1\r\n"), "{head}");
        assert!(head.contains(&format!("host: {address}\r\n")), "{head}");
        assert!(head.contains(&format!("user-agent: {AGENT}\r\n")), "{head}");
        let basic = BASE64_STANDARD.encode("me:p@ss").to_lowercase();
        assert!(
            head.contains(&format!("authorization: basic {basic}\r\n")),
            "{head}"
        );
    }

    #[tokio::test]
    async fn a_name_that_is_not_there_is_told_as_such_without_it() {
        let url = Url::parse("http://nowhere.invalid/?secret").unwrap();
        let client = Client::direct(Names::default(), Trust::default(), Headers::default());
        let error = client.send(&url, get(&url)).await.unwrap_err();
        let words = error.to_string();
        assert!(words.starts_with("its name was not found: "), "{words}");
        assert!(!words.contains("secret"), "{words}");
    }
}
