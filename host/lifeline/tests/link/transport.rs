//! What the socket under rust_socketio makes of servers that the real one is not.

use crate::engine::TOKEN;
use crate::scripted::{Scripted, Talk};
use crate::wire::{Wire, alone, beside_others, connector};
use lifeline::contract::{ConnectError, Loss};
use lifeline::link::{Args, LinkEvent, ServerEvent, SocketIo};
use lifeline::settings::{Headers, Probing};
use serde_json::json;
use std::fs;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tungstenite::protocol::CloseFrame;

const LONG: Duration = Duration::from_secs(20);
/// The real engine's pings: nothing of what these tests see comes from them.
const INTERVAL: u64 = 90_000;
const LIMIT: u64 = 120_000;

async fn up(server: &Scripted, connector: &SocketIo) -> (Talk, Wire) {
    let mut wire = Wire::by(connector, TOKEN, LONG);
    let talk = server.connected(INTERVAL, LIMIT).await;
    assert_eq!(wire.next(10.0).await, Some(LinkEvent::Connected));
    (talk, wire)
}

async fn lost(wire: &mut Wire, seconds: f64) -> (Loss, String) {
    match wire.next(seconds).await {
        Some(LinkEvent::Lost { why, detail }) => (why, detail),
        other => panic!("expected a loss, got {other:?}"),
    }
}

async fn server_event(wire: &mut Wire) -> (String, Vec<serde_json::Value>) {
    match wire.next(10.0).await {
        Some(LinkEvent::Server(event)) => (event.name, event.args.values),
        other => panic!("expected an event, got {other:?}"),
    }
}

#[tokio::test]
async fn a_record_separator_in_bytes_forges_nothing_and_they_arrive_whole() {
    let _beside = beside_others().await;
    let server = Scripted::new().await;
    let (mut talk, mut wire) = up(&server, &connector(&server.url(), TOKEN)).await;
    let forged = b"x\x1e42/blender,[\"injected\",1]";
    talk.say(r#"452-/blender,["file",{"is":{"_placeholder":true,"num":1}},{"_placeholder":true,"num":0}]"#)
        .await;
    talk.bytes(forged).await;
    talk.say("2").await; // a ping may come between
    talk.bytes(&[0x1e, 0xff]).await;
    talk.say(r#"42/blender,["after",1]"#).await;
    let place = |number: u8| json!({"_placeholder": true, "num": number});
    let file = ServerEvent {
        name: "file".into(),
        args: Args {
            values: vec![json!({"is": place(1)}), place(0)],
            attachments: vec![forged.to_vec(), vec![0x1e, 0xff]],
        },
        ack: None,
    };
    assert_eq!(wire.next(10.0).await, Some(LinkEvent::Server(file)));
    let after = ("after".to_string(), vec![json!(1)]);
    assert_eq!(server_event(&mut wire).await, after);
    assert_eq!(talk.hear().await, "3");
}

#[tokio::test]
async fn bytes_out_of_the_blue_are_no_event() {
    let _beside = beside_others().await;
    let server = Scripted::new().await;
    let (mut talk, mut wire) = up(&server, &connector(&server.url(), TOKEN)).await;
    talk.bytes(b"2/blender,[\"injected\",1]").await;
    let (why, detail) = lost(&mut wire, 10.0).await;
    assert_eq!(why, Loss::TransportError);
    assert!(detail.contains("bytes that belong to no event"), "{detail}");
    wire.assert_ended().await;
}

#[tokio::test]
async fn an_event_called_close_is_no_goodbye_and_a_goodbye_is_one() {
    let _beside = beside_others().await;
    let server = Scripted::new().await;
    let (mut talk, mut wire) = up(&server, &connector(&server.url(), TOKEN)).await;
    talk.say(r#"42/blender,["close",""]"#).await;
    let close = ("close".to_string(), vec![json!("")]);
    assert_eq!(server_event(&mut wire).await, close);
    talk.say("41/blender,").await;
    assert_eq!(lost(&mut wire, 10.0).await.0, Loss::ServerDisconnect);
    wire.assert_ended().await;
}

#[tokio::test]
async fn how_a_server_ends_it_is_told() {
    let _beside = beside_others().await;
    let server = Scripted::new().await;
    let connector = connector(&server.url(), TOKEN);
    let (mut talk, mut wire) = up(&server, &connector).await;
    let frame = CloseFrame {
        code: 1012.into(),
        reason: "service restart".into(),
    };
    talk.socket.close(Some(frame)).await.unwrap();
    let (why, detail) = lost(&mut wire, 10.0).await;
    assert_eq!(why, Loss::TransportError);
    assert!(detail.ends_with("(code 1012: service restart)"), "{detail}");

    let (mut talk, mut wire) = up(&server, &connector).await;
    talk.say("1").await;
    let ended = (
        Loss::ServerDisconnect,
        "the server ended the session".into(),
    );
    assert_eq!(lost(&mut wire, 10.0).await, ended);

    let (talk, mut wire) = up(&server, &connector).await;
    drop(talk);
    let (why, detail) = lost(&mut wire, 10.0).await;
    assert_eq!(why, Loss::TransportError);
    assert!(detail.starts_with("the connection broke"), "{detail}");
}

/// A client that still sends finds out first that nobody takes it any more.
#[tokio::test]
async fn a_goodbye_is_told_whatever_becomes_of_the_connection_then() {
    let _beside = beside_others().await;
    let server = Scripted::new().await;
    let connector = connector(&server.url(), TOKEN);
    for _ in 0..20 {
        let (mut talk, mut wire) = up(&server, &connector).await;
        for _ in 0..200 {
            wire.connection
                .emit("m".into(), vec![json!("x".repeat(1 << 16))].into());
        }
        talk.hear().await;
        talk.say("41/blender,").await;
        // With what was not read it is reset, not closed.
        drop(talk);
        assert_eq!(lost(&mut wire, 10.0).await.0, Loss::ServerDisconnect);
        wire.assert_ended().await;
    }
}

#[tokio::test]
async fn a_message_that_is_too_long_is_named_with_the_limit() {
    let _beside = beside_others().await;
    let server = Scripted::new().await;
    let (mut talk, mut wire) = up(&server, &connector(&server.url(), TOKEN)).await;
    let length: u64 = 65 << 20;
    let mut head = vec![0x81, 127];
    head.extend(length.to_be_bytes());
    talk.socket.get_mut().write_all(&head).await.unwrap();
    let (why, detail) = lost(&mut wire, 10.0).await;
    assert_eq!(why, Loss::TransportError);
    assert!(
        detail.contains("65 MiB") && detail.contains("64 MiB"),
        "{detail}"
    );
}

#[tokio::test]
async fn what_fits_arrives_however_long() {
    let _beside = beside_others().await;
    let server = Scripted::new().await;
    let (mut talk, mut wire) = up(&server, &connector(&server.url(), TOKEN)).await;
    let text = "x".repeat(20 << 20);
    talk.say(&format!(r#"42/blender,["long","{text}"]"#)).await;
    let (name, args) = server_event(&mut wire).await;
    assert!(name == "long" && args == [json!(text)]);
}

#[tokio::test]
async fn ten_thousand_events_arrive_whole_and_in_order() {
    let _beside = beside_others().await;
    let server = Scripted::new().await;
    let (mut talk, mut wire) = up(&server, &connector(&server.url(), TOKEN)).await;
    let sender = tokio::spawn(async move {
        for number in 0..10_000 {
            talk.say(&format!(r#"42/blender,["n",{number}]"#)).await;
        }
        for _ in 0..10_000 {
            talk.hear().await;
        }
        talk
    });
    for _ in 0..10_000 {
        wire.connection.emit("m".into(), vec![json!({})].into());
    }
    for number in 0..10_000 {
        let event = ("n".to_string(), vec![json!(number)]);
        assert_eq!(server_event(&mut wire).await, event);
    }
    sender.await.unwrap();
}

#[tokio::test]
async fn who_asks_and_with_which_password_is_said() {
    let _beside = beside_others().await;
    let server = Scripted::new().await;
    let url = format!("ws://me:p%40ss@{}", server.address);
    let headers = Headers::parse("X-Gate: open; Authorization: Gate b").unwrap();
    let (talk, _wire) = up(&server, &connector(&url, TOKEN).sending(headers)).await;
    assert_eq!(talk.header("x-gate"), Some("open"));
    assert_eq!(
        talk.header("authorization"),
        Some("Gate b"),
        "what is set counts"
    );
    let (talk, _wire) = up(&server, &connector(&url, TOKEN)).await;
    let agent = format!("lifeline/{}", env!("CARGO_PKG_VERSION"));
    assert_eq!(talk.header("user-agent"), Some(agent.as_str()));
    assert_eq!(talk.header("authorization"), Some("Basic bWU6cEBzcw=="));
}

#[tokio::test]
async fn an_older_servers_explanation_is_shown() {
    let _beside = beside_others().await;
    let server = Scripted::new().await;
    let mut wire = Wire::begin(&server.url(), TOKEN, LONG);
    let body = r#"{"code":5,"message":"Unsupported protocol version"}"#;
    let length = body.len();
    server
        .answer(&format!(
            "HTTP/1.1 400 Bad Request\r\nContent-Length: {length}\r\n\r\n{body}"
        ))
        .await;
    let Some(LinkEvent::Failed(failure)) = wire.next(10.0).await else {
        panic!("it is refused")
    };
    assert_eq!(failure.why, ConnectError::Refused);
    let said =
        "the server refuses this Blender: HTTP 400 Bad Request: Unsupported protocol version";
    assert_eq!(failure.detail, said);
}

/// Voluntary context switches of the connection's thread: so often it has woken up.
#[expect(clippy::disallowed_methods, reason = "files of the system's own")]
fn wake_ups() -> u64 {
    fs::read_dir("/proc/self/task")
        .expect("Linux")
        .flatten()
        .filter_map(|task| {
            let name = fs::read_to_string(task.path().join("comm")).ok()?;
            let status = fs::read_to_string(task.path().join("status")).ok()?;
            let line = status.lines().find(|it| it.starts_with("voluntary"))?;
            let count = line.split_whitespace().last()?.parse::<u64>().ok()?;
            name.starts_with("lifeline-link").then_some(count)
        })
        .sum()
}

#[tokio::test]
async fn an_idle_connection_sleeps() {
    let _alone = alone().await;
    let server = Scripted::new().await;
    let (_talk, mut wire) = up(&server, &connector(&server.url(), TOKEN)).await;
    assert_eq!(wire.next(0.5).await, None);
    let before = wake_ups();
    assert_eq!(wire.next(3.0).await, None);
    let after = wake_ups();
    assert!(after >= before && after - before <= 3, "{before} {after}");
}

/// Asks soon.
fn asking(url: &str) -> SocketIo {
    connector(url, TOKEN).probing(Probing {
        silence: Duration::from_millis(200),
        every: Duration::from_secs(1),
    })
}

#[tokio::test]
async fn a_server_that_pings_is_not_frozen_whatever_becomes_of_the_probes() {
    let _beside = beside_others().await;
    let server = Scripted::new().await;
    let (mut talk, mut wire) = up(&server, &asking(&server.url())).await;
    // Nobody takes the probes.
    for _ in 0..10 {
        talk.say("2").await;
        assert_eq!(wire.next(1.0).await, None);
    }
    match wire.next(30.0).await {
        Some(LinkEvent::Frozen { .. }) => {}
        other => panic!("without any sign of life it is frozen: {other:?}"),
    }
}

#[tokio::test]
async fn half_a_message_is_a_sign_of_life() {
    let _beside = beside_others().await;
    let server = Scripted::new().await;
    let (mut talk, mut wire) = up(&server, &asking(&server.url())).await;
    let text = r#"42/blender,["slow",1]"#.as_bytes();
    let length = u8::try_from(text.len()).expect("short");
    let bytes = [&[0x81, length], text].concat();
    for byte in bytes {
        talk.socket.get_mut().write_all(&[byte]).await.unwrap();
        tokio::time::sleep(Duration::from_millis(400)).await;
    }
    assert_eq!(server_event(&mut wire).await.0, "slow");
}

/// Hands everything on, in order, so much later.
async fn delay(server: &Scripted, late: Duration) -> (String, tokio::task::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}", listener.local_addr().unwrap());
    let to = server.address;
    let task = tokio::spawn(async move {
        loop {
            let (client, _) = listener.accept().await.unwrap();
            let server = TcpStream::connect(to).await.unwrap();
            let (from_client, to_client) = client.into_split();
            let (from_server, to_server) = server.into_split();
            tokio::spawn(carry(from_client, to_server, late));
            tokio::spawn(carry(from_server, to_client, late));
        }
    });
    (url, task)
}

async fn carry(
    mut from: tokio::net::tcp::OwnedReadHalf,
    mut to: tokio::net::tcp::OwnedWriteHalf,
    late: Duration,
) {
    let (queue, mut queued) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Some((at, bytes)) = queued.recv().await {
            tokio::time::sleep_until(at).await;
            let bytes: Vec<u8> = bytes;
            if to.write_all(&bytes).await.is_err() {
                return;
            }
        }
    });
    let mut bytes = vec![0; 4096];
    while let Ok(count @ 1..) = from.read(&mut bytes).await {
        let at = tokio::time::Instant::now() + late;
        if queue.send((at, bytes[..count].to_vec())).is_err() {
            return;
        }
    }
}

#[tokio::test]
async fn an_attempt_on_a_slow_way_is_given_more_time_than_the_last_one() {
    let _beside = beside_others().await;
    let server = Scripted::new().await;
    let (url, _way) = delay(&server, Duration::from_millis(600)).await;
    let connector = connector(&url, TOKEN);
    // Two answers, of 1.2 s each, are needed.
    let limit = Duration::from_secs(2);
    let mut wire = Wire::by(&connector, TOKEN, limit);
    let _first = server.open(INTERVAL, LIMIT).await;
    let Some(LinkEvent::Failed(failure)) = wire.next(30.0).await else {
        panic!("there was not enough time")
    };
    assert_eq!(failure.why, ConnectError::TimedOut);
    let mut wire = Wire::by(&connector, TOKEN, limit);
    let _second = server.connected(INTERVAL, LIMIT).await;
    assert_eq!(wire.next(30.0).await, Some(LinkEvent::Connected));
}

#[tokio::test]
async fn a_server_at_the_end_of_a_slow_way_is_not_frozen() {
    let _beside = beside_others().await;
    let server = Scripted::new().await;
    // An answer takes 7 s, one more than a probe on a quick way is waited for.
    let (url, _way) = delay(&server, Duration::from_millis(3500)).await;
    let mut wire = Wire::by(&asking(&url), TOKEN, Duration::from_secs(60));
    let _talk = server.connected(INTERVAL, LIMIT).await;
    assert_eq!(wire.next(30.0).await, Some(LinkEvent::Connected));
    let answers = async {
        loop {
            server
                .answer("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
                .await;
        }
    };
    tokio::select! {
        () = answers => {}
        event = wire.next(12.0) => assert_eq!(event, None),
    }
}
