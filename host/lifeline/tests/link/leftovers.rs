//! Connections come and go; threads, sockets and tasks must not stay.

use crate::engine::{Engine, TOKEN};
use crate::wire::{Wire, alone, connector};
use lifeline::link::LinkEvent;
use lifeline::settings::Probing;
use serde_json::json;
use std::fs;
use std::time::Duration;

const CYCLES: usize = 200;

#[derive(Debug, PartialEq)]
struct Census {
    threads: usize,
    sockets: usize,
}

#[expect(clippy::disallowed_methods, reason = "files of the system's own")]
fn census() -> Census {
    let links = |folder: &str| fs::read_dir(folder).expect("Linux").flatten();
    Census {
        threads: links("/proc/self/task")
            .filter(|task| {
                fs::read_to_string(task.path().join("comm"))
                    .is_ok_and(|name| name.starts_with("lifeline"))
            })
            .count(),
        sockets: links("/proc/self/fd")
            .filter(|fd| {
                fs::read_link(fd.path()).is_ok_and(|to| to.to_string_lossy().starts_with("socket:"))
            })
            .count(),
    }
}

/// The last thread may be about to end.
async fn settled(expected: &Census) {
    for _ in 0..100 {
        if census() == *expected {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(census(), *expected);
}

#[tokio::test]
async fn two_hundred_connections_leave_nothing() {
    let _alone = alone().await;
    let mut engine = Engine::start();
    let before = census();
    for cycle in 0..CYCLES {
        match cycle % 4 {
            // The server ends it.
            0 => {
                let mut wire = Wire::up(&engine.url()).await;
                engine.post("/disconnect", &json!({"username": "ann"}));
                let event = wire.next(5.0).await;
                assert!(
                    matches!(event, Some(LinkEvent::Lost { .. })),
                    "{cycle}: {event:?}"
                );
            }
            // We end it, without waiting.
            1 => drop(Wire::up(&engine.url()).await),
            // It is refused.
            2 => {
                let mut wire = Wire::begin(&engine.url(), "wrong", Duration::from_secs(10));
                let event = wire.next(15.0).await;
                assert!(
                    matches!(event, Some(LinkEvent::Failed(_))),
                    "{cycle}: {event:?}"
                );
            }
            // The server dies, every tenth of these; else we end it while it is still connecting.
            _ if cycle % 40 == 39 => {
                let mut wire = Wire::up(&engine.url()).await;
                let port = engine.kill();
                let event = wire.next(5.0).await;
                assert!(
                    matches!(event, Some(LinkEvent::Lost { .. })),
                    "{cycle}: {event:?}"
                );
                engine = Engine::start_on(port);
            }
            _ => drop(Wire::begin(&engine.url(), TOKEN, Duration::from_secs(10))),
        }
    }
    settled(&before).await;
    // The server, too, has nobody left.
    for _ in 0..100 {
        if engine.status()["blenders"] == json!([]) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(engine.status()["blenders"], json!([]));
}

#[tokio::test]
async fn probes_end_with_their_line() {
    let _alone = alone().await;
    let engine = Engine::patient();
    let probing = Probing {
        silence: Duration::from_millis(1),
        every: Duration::from_secs(1),
    };
    let connector = connector(&engine.url(), TOKEN).probing(probing);
    let before = census();
    for _ in 0..10 {
        let wire = Wire::up_by(&connector).await;
        engine.signal("STOP");
        // It is asked soon, and does not answer.
        while census().threads < before.threads + 2 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        drop(wire);
        settled(&before).await;
        engine.signal("CONT");
    }
}

#[tokio::test]
async fn a_goodbye_reaches_the_server() {
    let _alone = alone().await;
    let engine = Engine::start();
    let wire = Wire::up(&engine.url()).await;
    assert!(wire.connection.end(Duration::from_secs(5)));
    for _ in 0..100 {
        if engine.status()["blenders"] == json!([]) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the server still has it: {}", engine.status());
}
