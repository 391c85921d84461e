//! Each way of not getting a connection in the first place.

use crate::engine::{Engine, TOKEN};
use crate::wire::{Wire, beside_others};
use lifeline::contract::ConnectError;
use lifeline::link::{Failure, LinkEvent};
use serde_json::json;
use std::net::TcpListener;
use std::time::Duration;

const LONG: Duration = Duration::from_secs(10);

async fn failure(wire: &mut Wire) -> Failure {
    match wire.next(15.0).await {
        Some(LinkEvent::Failed(failure)) => failure,
        other => panic!("expected a failure, got {other:?}"),
    }
}

#[tokio::test]
async fn token_refused_with_the_servers_reason_and_without_the_token() {
    let _beside = beside_others().await;
    let engine = Engine::start();
    let mut wire = Wire::begin(&engine.url(), "a-wrong-token", LONG);
    let failure = failure(&mut wire).await;
    assert_eq!(failure.why, ConnectError::Refused);
    assert!(
        failure
            .detail
            .starts_with("the server refuses this Blender: "),
        "{failure:?}"
    );
    assert!(failure.detail.len() > "the server refuses this Blender: ".len());
    assert!(!failure.detail.contains("a-wrong-token"), "{failure:?}");
    wire.assert_ended().await;
}

#[tokio::test]
async fn everybody_refused() {
    let _beside = beside_others().await;
    let engine = Engine::start();
    engine.post("/refuse", &json!({"on": true}));
    let mut wire = Wire::begin(&engine.url(), TOKEN, LONG);
    assert_eq!(failure(&mut wire).await.why, ConnectError::Refused);
    wire.assert_ended().await;
}

#[tokio::test]
async fn nobody_listens() {
    let _beside = beside_others().await;
    let free = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let mut wire = Wire::begin(&format!("ws://{free}"), TOKEN, LONG);
    let failure = failure(&mut wire).await;
    assert_eq!(failure.why, ConnectError::Unreachable);
    assert!(failure.detail.contains("refused"), "{failure:?}");
    wire.assert_ended().await;
}

#[tokio::test]
async fn a_name_that_does_not_exist() {
    let _beside = beside_others().await;
    let mut wire = Wire::begin("ws://no-such-host.invalid:1", TOKEN, LONG);
    let why = failure(&mut wire).await.why;
    assert!(
        matches!(why, ConnectError::Unreachable | ConnectError::TimedOut),
        "{why:?}"
    );
    wire.assert_ended().await;
}

#[tokio::test]
async fn accepted_by_tcp_and_never_answered() {
    let _beside = beside_others().await;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}", listener.local_addr().unwrap());
    let mut wire = Wire::begin(&url, TOKEN, Duration::from_millis(500));
    assert_eq!(failure(&mut wire).await.why, ConnectError::TimedOut);
    wire.assert_ended().await;
}

#[tokio::test]
async fn namespace_never_accepted() {
    let _beside = beside_others().await;
    let engine = Engine::start();
    engine.post("/delay-connect", &json!({"seconds": 30}));
    let mut wire = Wire::begin(&engine.url(), TOKEN, Duration::from_millis(800));
    assert_eq!(failure(&mut wire).await.why, ConnectError::TimedOut);
    wire.assert_ended().await;
}

#[tokio::test]
async fn a_server_that_speaks_no_socketio() {
    let _beside = beside_others().await;
    let engine = Engine::start();
    let mut wire = Wire::begin(&format!("{}/elsewhere", engine.url()), TOKEN, LONG);
    let failure = failure(&mut wire).await;
    assert_eq!(failure.why, ConnectError::Refused, "{failure:?}");
    wire.assert_ended().await;
}
