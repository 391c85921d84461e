//! Each way of losing a server, with the reason told and nothing left running.

use crate::engine::Engine;
use crate::wire::{Wire, beside_others};
use lifeline::contract::Loss;
use lifeline::link::LinkEvent;
use serde_json::json;
use std::time::Duration;

/// PING interval + time-out of the engine under test, and some for a busy machine.
const PING_BOUND: f64 = 2.0 + 6.0;

async fn lost(wire: &mut Wire, seconds: f64) -> Loss {
    match wire.next(seconds).await {
        Some(LinkEvent::Lost { why, .. }) => why,
        other => panic!("expected a loss, got {other:?}"),
    }
}

#[tokio::test]
async fn server_killed() {
    let _beside = beside_others().await;
    let engine = Engine::start();
    let mut wire = Wire::up(&engine.url()).await;
    engine.kill();
    assert_eq!(lost(&mut wire, 5.0).await, Loss::TransportError);
    wire.assert_ended().await;
}

#[tokio::test]
async fn server_stopped() {
    let _beside = beside_others().await;
    let engine = Engine::start();
    let mut wire = Wire::up(&engine.url()).await;
    engine.signal("TERM");
    assert_eq!(lost(&mut wire, 5.0).await, Loss::TransportError);
    wire.assert_ended().await;
}

#[tokio::test]
async fn server_frozen() {
    let _beside = beside_others().await;
    let engine = Engine::start();
    let mut wire = Wire::up(&engine.url()).await;
    engine.signal("STOP");
    assert_eq!(lost(&mut wire, PING_BOUND).await, Loss::PingTimeout);
    wire.assert_ended().await;
}

#[tokio::test]
async fn server_frozen_with_a_large_emit_in_flight() {
    let _beside = beside_others().await;
    let engine = Engine::start();
    let mut wire = Wire::up(&engine.url()).await;
    engine.signal("STOP");
    for _ in 0..4 {
        wire.connection
            .emit("bulk".into(), vec![json!("x".repeat(8 << 20))].into());
    }
    // The send's own time limit, 10 s, is what finds it.
    assert_eq!(lost(&mut wire, 10.0 + PING_BOUND).await, Loss::PingTimeout);
    wire.assert_ended().await;
}

#[tokio::test]
async fn server_frozen_for_less_than_the_ping_timeout_is_not_lost() {
    let _beside = beside_others().await;
    let engine = Engine::start();
    let mut wire = Wire::up(&engine.url()).await;
    engine.signal("STOP");
    tokio::time::sleep(Duration::from_millis(700)).await;
    engine.signal("CONT");
    assert_eq!(wire.next(4.0).await, None);
}

#[tokio::test]
async fn namespace_disconnected_by_the_server() {
    let _beside = beside_others().await;
    let engine = Engine::start();
    let mut wire = Wire::up(&engine.url()).await;
    engine.post("/disconnect", &json!({"username": "ann"}));
    assert_eq!(lost(&mut wire, 5.0).await, Loss::ServerDisconnect);
    wire.assert_ended().await;
}

#[tokio::test]
async fn engineio_close_only() {
    let _beside = beside_others().await;
    let engine = Engine::start();
    let mut wire = Wire::up(&engine.url()).await;
    engine.post("/engineio-close", &json!({"username": "ann"}));
    lost(&mut wire, PING_BOUND).await;
    wire.assert_ended().await;
}
