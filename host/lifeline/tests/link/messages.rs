//! Events there and back.

use crate::engine::Engine;
use crate::wire::{Wire, beside_others};
use lifeline::link::{Args, LinkEvent, ServerEvent};
use serde_json::{Value, json};
use std::time::Duration;

fn server_event(name: &str, args: Vec<Value>) -> Option<LinkEvent> {
    Some(LinkEvent::Server(ServerEvent {
        name: name.into(),
        args: args.into(),
        ack: None,
    }))
}

#[tokio::test]
async fn who_is_connected_reaches_the_server() {
    let _beside = beside_others().await;
    let engine = Engine::start();
    let _wire = Wire::up(&engine.url()).await;
    let blender = &engine.status()["blenders"][0];
    assert_eq!(blender["username"], "ann");
    assert_eq!(blender["blend_file_path"], "/tmp/a.blend");
}

#[tokio::test]
async fn events_of_the_server() {
    let _beside = beside_others().await;
    let engine = Engine::start();
    let mut wire = Wire::up(&engine.url()).await;
    let data = json!({"text": "äöü 🙂", "list": [1, 2.5, null]});
    engine.post(
        "/emit",
        &json!({"username": "ann", "event": "command", "data": data}),
    );
    assert_eq!(wire.next(5.0).await, server_event("command", vec![data]));
    engine.post(
        "/emit",
        &json!({"username": "ann", "event": "bare", "data": null}),
    );
    assert_eq!(wire.next(5.0).await, server_event("bare", vec![]));
}

#[tokio::test]
async fn an_event_called_like_one_of_the_crates_own_is_an_event_like_any_other() {
    let _beside = beside_others().await;
    const NAMES: [&str; 6] = ["error", "close", "open", "connect", "message", "Error"];
    let engine = Engine::start();
    let mut wire = Wire::up(&engine.url()).await;
    for name in NAMES {
        engine.post(
            "/emit",
            &json!({"username": "ann", "event": name, "data": "boo"}),
        );
    }
    engine.post(
        "/emit",
        &json!({"username": "ann", "event": "after", "data": 1}),
    );
    for name in NAMES {
        assert_eq!(wire.next(5.0).await, server_event(name, vec![json!("boo")]));
    }
    assert_eq!(wire.next(5.0).await, server_event("after", vec![json!(1)]));
}

#[tokio::test]
async fn events_to_the_server() {
    let _beside = beside_others().await;
    let engine = Engine::start();
    let mut wire = Wire::up(&engine.url()).await;
    wire.connection
        .emit("hello".into(), vec![json!({"a": 1})].into());
    wire.connection.emit("bare".into(), Args::default());
    for _ in 0..100 {
        if engine.status()["events"]
            .as_array()
            .is_some_and(|events| events.len() >= 2)
        {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let events = engine.status()["events"].clone();
    assert_eq!(
        (&events[0]["event"], &events[0]["data"]),
        (&json!("hello"), &json!([{"a": 1}]))
    );
    assert_eq!(
        (&events[1]["event"], &events[1]["data"]),
        (&json!("bare"), &json!([]))
    );
    assert_eq!(wire.next(0.2).await, None);
}
