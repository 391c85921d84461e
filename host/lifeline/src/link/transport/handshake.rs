//! The websocket's handshake, and Engine.IO's.

use crate::link::Failure;
use crate::net::{Client, Stream, exchange};
use futures_util::StreamExt;
use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{
    CONNECTION, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION,
    UPGRADE,
};
use hyper::{Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use serde_json::Value;
use std::time::Duration;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tungstenite::Message;
use tungstenite::handshake::client::generate_key;
use tungstenite::handshake::derive_accept_key;
use tungstenite::protocol::{Role, WebSocketConfig};
use url::Url;

use super::LONGEST;
use super::wire::Closed;

/// How long a refusal's explanation is waited for, once its status is there.
const EXPLANATION: Duration = Duration::from_secs(1);
/// No explanation is longer. Bytes; characters of what is shown.
const BODY: usize = 4 << 10;
const SHOWN: usize = 200;
/// The server's own limits on its pings may be anything.
const PATIENCE_MAX: Duration = Duration::from_secs(86_400);

/// Upgrades `stream` to a websocket.
pub(super) async fn websocket(
    stream: Stream,
    url: &Url,
    client: &Client,
) -> Result<WebSocketStream<Stream>, Failure> {
    let mut url = url.clone();
    url.query_pairs_mut()
        .append_pair("EIO", "4")
        .append_pair("transport", "websocket");
    let key = generate_key();
    let request = client
        .get(&url)
        .header(UPGRADE, "websocket")
        .header(CONNECTION, "Upgrade")
        .header(SEC_WEBSOCKET_KEY, &key)
        .header(SEC_WEBSOCKET_VERSION, "13")
        .body(Empty::<Bytes>::new())
        .map_err(|error| Failure::unreachable(error.to_string()))?;
    let (response, _driver) = exchange(stream, request).await?;
    let status = response.status();
    if status != StatusCode::SWITCHING_PROTOCOLS {
        return Err(refusal(status, response).await);
    }
    let accepted = response.headers().get(SEC_WEBSOCKET_ACCEPT);
    let expected = derive_accept_key(key.as_bytes());
    if accepted.map(HeaderValue::as_bytes) != Some(expected.as_bytes()) {
        return Err(Failure::unreachable(
            "what answers there speaks no websocket (wrong Sec-WebSocket-Accept)",
        ));
    }
    let broken = |error: &dyn std::fmt::Display| Failure::unreachable(error.to_string());
    let upgraded = hyper::upgrade::on(response)
        .await
        .map_err(|error| broken(&error))?;
    let parts = upgraded
        .downcast::<TokioIo<Stream>>()
        .map_err(|_| broken(&"the connection was lost in the handshake"))?;
    let config = WebSocketConfig::default()
        .max_message_size(Some(LONGEST))
        .max_frame_size(Some(LONGEST));
    let (stream, read) = (parts.io.into_inner(), parts.read_buf.to_vec());
    Ok(WebSocketStream::from_partially_read(stream, read, Role::Client, Some(config)).await)
}

/// What the server says instead, and why if it says that, too.
async fn refusal(status: StatusCode, response: Response<Incoming>) -> Failure {
    let body = Limited::new(response.into_body(), BODY).collect();
    let body = timeout(EXPLANATION, body).await;
    let explanation = body
        .ok()
        .and_then(Result::ok)
        .and_then(|body| explanation(&body.to_bytes()));
    let said = match explanation {
        Some(explanation) => format!("HTTP {status}: {explanation}"),
        None => format!("HTTP {status}"),
    };
    match status {
        // A gateway that answers for a dead server is no refusal.
        StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT => {
            Failure::unreachable(said)
        }
        _ => Failure::refused(&said),
    }
}

/// Engine.IO's servers explain themselves in JSON; others in a line, or by a page that nobody wants to
/// read.
fn explanation(body: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(body);
    let text = text.trim();
    let text = match serde_json::from_str(text) {
        Ok(Value::String(text)) => text,
        Ok(Value::Object(map)) => map.get("message")?.as_str()?.to_string(),
        Ok(_) => return None,
        Err(_) if text.starts_with('<') => return None,
        Err(_) => text.lines().next()?.to_string(),
    };
    let shown = text.chars().filter(|it| !it.is_control()).take(SHOWN);
    Some(String::from_iter(shown)).filter(|it| !it.is_empty())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Open {
    /// Milliseconds.
    ping_interval: u64,
    ping_timeout: u64,
}

/// Engine.IO's: how long the server may be silent.
pub(super) async fn engine(socket: &mut WebSocketStream<Stream>) -> Result<Duration, Failure> {
    loop {
        let text = match socket.next().await {
            Some(Ok(Message::Text(text))) => text,
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => continue,
            Some(Ok(Message::Close(frame))) => {
                return Err(Failure::unreachable(Closed::by_server(frame).words()));
            }
            Some(Ok(_)) => return Err(stranger()),
            Some(Err(error)) => return Err(Failure::unreachable(Closed::of(&error).words())),
            None => return Err(Failure::unreachable(Closed::by_server(None).words())),
        };
        let open = text.strip_prefix('0').ok_or_else(stranger)?;
        let open: Open = serde_json::from_str(open).map_err(|_| stranger())?;
        let patience = open.ping_interval.saturating_add(open.ping_timeout);
        return Ok(Duration::from_millis(patience).min(PATIENCE_MAX));
    }
}

fn stranger() -> Failure {
    Failure::unreachable("what answers there speaks no Engine.IO: it does not begin as that does")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_servers_explanation() {
        let of = |body: &str| explanation(body.as_bytes());
        let old = r#"{"code":5,"message":"Unsupported protocol version"}"#;
        assert_eq!(of(old).as_deref(), Some("Unsupported protocol version"));
        let python = r#""The client is using an unsupported version""#;
        assert_eq!(
            of(python).as_deref(),
            Some("The client is using an unsupported version")
        );
        assert_eq!(of("Not here\n\nat all").as_deref(), Some("Not here"));
        assert_eq!(of("<html><h1>403</h1></html>"), None);
        assert_eq!((of(""), of("{}"), of("[1]")), (None, None, None));
        assert_eq!(of(&"x".repeat(1000)).map(|it| it.len()), Some(SHOWN));
    }
}
