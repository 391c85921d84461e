//! A server that says what a test wants it to say, and nothing else.

use futures_util::{SinkExt, StreamExt};
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tungstenite::Message;
use tungstenite::handshake::server::{ErrorResponse, Request, Response};

pub struct Scripted {
    listener: TcpListener,
    pub address: SocketAddr,
}

pub struct Talk {
    pub socket: WebSocketStream<TcpStream>,
    /// Of the request: its names in lower case.
    pub headers: Vec<(String, String)>,
}

impl Scripted {
    pub async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        Scripted { listener, address }
    }

    pub fn url(&self) -> String {
        format!("ws://{}", self.address)
    }

    /// Takes a connection up to Engine.IO's handshake, with these pings (milliseconds).
    pub async fn open(&self, interval: u64, limit: u64) -> Talk {
        let (stream, _) = self.listener.accept().await.expect("a client");
        let mut headers = Vec::new();
        #[allow(clippy::result_large_err)] // tungstenite's own
        let note = |request: &Request, response: Response| -> Result<Response, ErrorResponse> {
            headers = request
                .headers()
                .iter()
                .map(|(name, value)| {
                    let value = String::from_utf8_lossy(value.as_bytes());
                    (name.as_str().to_string(), value.into_owned())
                })
                .collect();
            Ok(response)
        };
        let socket = tokio_tungstenite::accept_hdr_async(stream, note)
            .await
            .expect("a websocket");
        let mut talk = Talk { socket, headers };
        talk.say(&format!(
            r#"0{{"sid":"s","upgrades":[],"pingInterval":{interval},"pingTimeout":{limit}}}"#
        ))
        .await;
        talk
    }

    /// The same, and the namespace is accepted.
    pub async fn connected(&self, interval: u64, limit: u64) -> Talk {
        let mut talk = self.open(interval, limit).await;
        let asked = talk.hear().await;
        assert!(asked.starts_with("40/blender,{"), "{asked}");
        talk.say(r#"40/blender,{"sid":"n"}"#).await;
        talk
    }

    /// Answers one request by these bytes.
    pub async fn answer(&self, bytes: &str) {
        let (mut stream, _) = self.listener.accept().await.expect("a client");
        assert!(stream.read(&mut [0; 4096]).await.expect("a request") > 0);
        stream.write_all(bytes.as_bytes()).await.expect("sent");
        stream.shutdown().await.expect("sent");
    }
}

impl Talk {
    pub async fn say(&mut self, text: &str) {
        self.socket.send(Message::text(text)).await.expect("sent");
    }

    pub async fn bytes(&mut self, bytes: &[u8]) {
        let message = Message::binary(bytes.to_vec());
        self.socket.send(message).await.expect("sent");
    }

    pub async fn hear(&mut self) -> String {
        let message = self.socket.next().await.expect("there is more");
        message
            .expect("a message")
            .into_text()
            .expect("a text")
            .to_string()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(it, _)| it == name);
        found.map(|(_, value)| value.as_str())
    }
}
