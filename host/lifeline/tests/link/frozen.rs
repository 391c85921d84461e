//! A server that is there and does nothing, and those that only look like it. The pings are the
//! real engine's: they would find it after minutes.

use crate::engine::{Engine, TOKEN};
use crate::proxy::{Manner, Proxy};
use crate::wire::{Wire, beside_others, connector};
use lifeline::link::{LinkEvent, SocketIo};
use lifeline::settings::Probing;
use serde_json::json;
use std::time::Duration;

/// Both time-outs, and some for a busy machine.
const BOUND: f64 = 6.0 + 20.0;

/// Asks soon.
fn probed(url: &str) -> SocketIo {
    connector(url, TOKEN).probing(Probing {
        silence: Duration::from_millis(200),
        every: Duration::from_secs(1),
    })
}

async fn frozen(wire: &mut Wire, seconds: f64) -> String {
    match wire.next(seconds).await {
        Some(LinkEvent::Frozen { detail }) => detail,
        other => panic!("expected a frozen server, got {other:?}"),
    }
}

#[tokio::test]
async fn a_frozen_server() {
    let _beside = beside_others().await;
    let engine = Engine::patient();
    let mut wire = Wire::up_by(&probed(&engine.url())).await;
    engine.signal("STOP");
    let detail = frozen(&mut wire, BOUND).await;
    assert!(detail.contains("frozen"), "{detail}");
    wire.assert_ended().await;
}

#[tokio::test]
async fn a_server_that_freezes_after_many_answers() {
    let _beside = beside_others().await;
    let engine = Engine::patient();
    let mut wire = Wire::up_by(&probed(&engine.url())).await;
    assert_eq!(wire.next(4.0).await, None, "it lives");
    engine.signal("STOP");
    frozen(&mut wire, BOUND).await;
    wire.assert_ended().await;
}

#[tokio::test]
async fn a_server_that_is_busy_for_five_seconds_is_not_lost() {
    let _beside = beside_others().await;
    let engine = Engine::patient();
    let mut wire = Wire::up_by(&probed(&engine.url())).await;
    engine.signal("STOP");
    tokio::time::sleep(Duration::from_secs(5)).await;
    engine.signal("CONT");
    assert_eq!(wire.next(4.0).await, None);
}

#[tokio::test]
async fn a_gateway_that_answers_for_a_dead_server() {
    let _beside = beside_others().await;
    let engine = Engine::patient();
    let proxy = Proxy::start(engine.port, Manner::HandOn).await;
    for status in [502, 503, 504] {
        proxy.treat(Manner::HandOn);
        let mut wire = Wire::up_by(&probed(&proxy.url)).await;
        proxy.treat(Manner::Answer(status));
        let detail = frozen(&mut wire, BOUND).await;
        assert!(detail.contains(&status.to_string()), "{detail}");
        wire.assert_ended().await;
    }
}

#[tokio::test]
async fn any_other_answer_is_a_sign_of_life() {
    let _beside = beside_others().await;
    let engine = Engine::patient();
    for status in [200, 301, 400, 401, 403, 404, 429, 500] {
        let proxy = Proxy::start(engine.port, Manner::Answer(status)).await;
        let mut wire = Wire::up_by(&probed(&proxy.url)).await;
        // Two probes, without the pause after one that was not answered.
        assert_eq!(wire.next(1.0).await, None, "{status}");
        assert!(proxy.asked().len() >= 2, "{status}");
    }
}

#[tokio::test]
async fn a_line_that_delivers_is_not_lost_whatever_becomes_of_the_probes() {
    let _beside = beside_others().await;
    let engine = Engine::patient();
    for manner in [Manner::HangUp, Manner::Answer(503)] {
        let proxy = Proxy::start(engine.port, manner).await;
        let mut wire = Wire::up_by(&probed(&proxy.url)).await;
        for _ in 0..6 {
            // Longer than the silence, so it is asked; shorter than what it takes to be lost.
            assert_eq!(wire.next(1.5).await, None);
            engine.post(
                "/emit",
                &json!({"username": "ann", "event": "x", "data": 1}),
            );
            let event = wire.next(5.0).await;
            assert!(matches!(event, Some(LinkEvent::Server(_))), "{event:?}");
        }
        assert!(proxy.asked().len() >= 6);
        // With nothing delivered, it is.
        frozen(&mut wire, BOUND).await;
    }
}

#[tokio::test]
async fn where_no_asking_gets_through_a_line_is_lost_once_and_no_more() {
    let _beside = beside_others().await;
    let engine = Engine::patient();
    let proxy = Proxy::start(engine.port, Manner::HangUp).await;
    let connector = probed(&proxy.url);
    frozen(&mut Wire::up_by(&connector).await, BOUND).await;
    let mut wire = Wire::up_by(&connector).await;
    assert_eq!(wire.next(8.0).await, None);
    // As soon as one gets through, silence means something again.
    proxy.treat(Manner::HandOn);
    assert_eq!(wire.next(4.0).await, None);
    engine.signal("STOP");
    frozen(&mut wire, BOUND).await;
}

#[tokio::test]
async fn an_asking_carries_no_token_and_makes_no_session() {
    let _beside = beside_others().await;
    let engine = Engine::patient();
    let proxy = Proxy::start(engine.port, Manner::HandOn).await;
    let mut wire = Wire::up_by(&probed(&proxy.url)).await;
    assert_eq!(wire.next(1.5).await, None);
    let asked = proxy.asked();
    assert!(!asked.is_empty());
    for head in asked {
        let path = "GET /ws/socket.io/?EIO=4&transport=probe&t=";
        assert!(head.starts_with(path), "{head}");
        assert!(!head.contains(TOKEN) && !head.contains("ann"), "{head}");
    }
    let blenders = engine.status()["blenders"].clone();
    assert_eq!(blenders.as_array().map(Vec::len), Some(1), "{blenders}");
    assert_eq!(blenders[0]["connections"], 1);
}

#[tokio::test]
async fn nobody_asks_unless_told_to() {
    let _beside = beside_others().await;
    let engine = Engine::patient();
    let proxy = Proxy::start(engine.port, Manner::HandOn).await;
    let mut wire = Wire::up(&proxy.url).await;
    assert_eq!(wire.next(1.5).await, None);
    assert_eq!(proxy.asked(), Vec::<String>::new());
}
