//! Stands between a line and its engine, and treats the probes beside the line in its own way.

use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// What becomes of a probe.
#[derive(Clone, Copy)]
pub enum Manner {
    /// It is handed on.
    HandOn,
    /// The proxy answers with this status.
    Answer(u16),
    /// Its connection is closed.
    HangUp,
}

pub struct Proxy {
    pub url: String,
    manner: Arc<Mutex<Manner>>,
    asked: Arc<Mutex<Vec<String>>>,
    _tasks: JoinSet<()>,
}

impl Proxy {
    pub async fn start(engine: u16, manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("ws://{}", listener.local_addr().expect("bound"));
        let manner = Arc::new(Mutex::new(manner));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let mut tasks = JoinSet::new();
        let (how, heads) = (Arc::clone(&manner), Arc::clone(&asked));
        tasks.spawn(async move {
            let mut serving = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                serving.spawn(serve(client, engine, Arc::clone(&how), Arc::clone(&heads)));
            }
        });
        Proxy {
            url,
            manner,
            asked,
            _tasks: tasks,
        }
    }

    pub fn treat(&self, manner: Manner) {
        *self.manner.lock().expect("not poisoned") = manner;
    }

    /// The heads of the probes so far.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("not poisoned").clone()
    }
}

async fn serve(
    mut client: TcpStream,
    engine: u16,
    manner: Arc<Mutex<Manner>>,
    asked: Arc<Mutex<Vec<String>>>,
) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let Ok(byte) = client.read_u8().await else {
            return;
        };
        head.push(byte);
    }
    let text = String::from_utf8_lossy(&head).into_owned();
    if text.contains("transport=probe") {
        asked.lock().expect("not poisoned").push(text);
        let manner = *manner.lock().expect("not poisoned");
        match manner {
            Manner::HandOn => {}
            Manner::Answer(status) => {
                let answer = format!("HTTP/1.1 {status} Word\r\nContent-Length: 0\r\n\r\n");
                // Whoever asked may have gone.
                let _ = client.write_all(answer.as_bytes()).await;
                return;
            }
            Manner::HangUp => return,
        }
    }
    let mut server = TcpStream::connect(("127.0.0.1", engine))
        .await
        .expect("the engine listens");
    server.write_all(&head).await.expect("sent");
    // Either side may break it off.
    let _ = copy_bidirectional(&mut client, &mut server).await;
}
