//! Every event that python-socketio's server can send, before it has accepted the connection and
//! after.

use crate::engine::{Engine, TOKEN};
use crate::wire::{Wire, beside_others, connector};
use lifeline::link::{Args, LinkEvent, ServerEvent};
use serde_json::{Value, json};
use std::time::Duration;

const FORGED: &[u8] = b"x\x1e42/blender,[\"injected\",1]";

fn taken(name: &str, values: Vec<Value>, attachments: &[&[u8]]) -> Option<LinkEvent> {
    let attachments = attachments.iter().map(|it| it.to_vec()).collect();
    Some(LinkEvent::Server(ServerEvent {
        name: name.into(),
        args: Args {
            values,
            attachments,
        },
        ack: None,
    }))
}

fn place(number: u32) -> Value {
    json!({"_placeholder": true, "num": number})
}

/// As `shapes.py` sends them; None: it says why it cannot be taken.
fn shapes() -> Vec<Option<LinkEvent>> {
    let one = json!({"text": "äöü 🙂\u{1e}", "list": [1, 2.5, null, true]});
    let several = vec![json!(1), json!("two"), json!([3]), json!({"four": 4})];
    let number: Value = serde_json::from_str("18446744073709551616").expect("a number");
    let nested = vec![
        json!({"a": [place(0), {"b": place(1)}]}),
        place(2),
        json!({"_placeholder": false, "num": 0}),
    ];
    vec![
        taken("none", vec![], &[]),
        taken("one", vec![one], &[]),
        taken("several", several, &[]),
        taken("number", vec![number], &[]),
        taken("text", vec![json!("")], &[]),
        taken("list", vec![json!([1, 2])], &[]),
        taken("bytes", vec![place(0)], &[FORGED]),
        taken("nested", nested, &[b"", FORGED, b"\x00\xff"]),
        taken("mock", vec![place(0)], &[]),
        taken("message", vec![json!("boo")], &[]),
        taken("error", vec![json!("boo"), json!(1)], &[]),
        taken("", vec![json!("no name at all")], &[]),
        None,
        None,
        None,
        taken("last", vec![json!(1)], &[]),
    ]
}

async fn hear_shapes(wire: &mut Wire) {
    for shape in shapes() {
        let heard = wire.next(10.0).await;
        match shape {
            Some(_) => assert_eq!(heard, shape),
            None => match heard {
                Some(LinkEvent::Unreadable(why)) => assert!(why.contains("no JSON"), "{why}"),
                other => panic!("expected a reason, got {other:?}"),
            },
        }
    }
}

/// The event that is asked about, whatever it carries.
async fn asked(wire: &mut Wire, name: &str) -> (u64, Args) {
    match wire.next(10.0).await {
        Some(LinkEvent::Server(ServerEvent {
            name: heard,
            args,
            ack: Some(ack),
        })) if heard == name => (ack, args),
        other => panic!("expected {name}, got {other:?}"),
    }
}

#[tokio::test]
async fn what_is_sent_before_the_connection_is_accepted_is_told_after_it_in_order() {
    let _beside = beside_others().await;
    let engine = Engine::of_shapes();
    let mut wire = Wire::by(
        &connector(&engine.url(), TOKEN),
        TOKEN,
        Duration::from_secs(10),
    );
    assert_eq!(wire.next(10.0).await, Some(LinkEvent::Connected));
    hear_shapes(&mut wire).await;

    let (ack, args) = asked(&mut wire, "ask").await;
    assert_eq!(
        (args.values, args.attachments),
        (vec![json!(1), place(0)], vec![b"two".to_vec()])
    );
    wire.connection
        .answer(ack, vec![json!({"a": 1}), json!(2)].into());
    let both = taken("answered", vec![json!({"a": 1}), json!(2)], &[]);
    assert_eq!(wire.next(10.0).await, both);

    let (ack, _) = asked(&mut wire, "ask-bytes").await;
    let bytes = Args {
        values: vec![json!([place(0)])],
        attachments: vec![FORGED.to_vec()],
    };
    wire.connection.answer(ack, bytes);
    // One answer, a list: python-socketio sends it on as it came.
    let answered = taken("answered", vec![json!([place(0)])], &[FORGED]);
    assert_eq!(wire.next(10.0).await, answered);

    let (ack, _) = asked(&mut wire, "ask-nothing").await;
    wire.connection.answer(ack, Args::default());
    assert_eq!(wire.next(10.0).await, taken("answered", vec![], &[]));

    let sent = Args {
        values: vec![json!({"file": place(0)}), json!(2)],
        attachments: vec![FORGED.to_vec()],
    };
    wire.connection.emit("again".into(), sent);
    let echo = vec![json!({"file": place(0)}), json!(2)];
    assert_eq!(wire.next(10.0).await, taken("echo", echo, &[FORGED]));
    hear_shapes(&mut wire).await;
    assert_eq!(wire.next(0.2).await, None);
}

#[tokio::test]
async fn ten_thousand_events_of_a_real_server_arrive_whole_and_in_order() {
    let _beside = beside_others().await;
    let engine = Engine::of_shapes();
    let mut wire = Wire::up(&engine.url()).await;
    hear_shapes(&mut wire).await;
    for _ in 0..3 {
        // The questions, which nobody answers here.
        while let Some(LinkEvent::Server(event)) = wire.next(0.5).await {
            if let Some(ack) = event.ack {
                wire.connection.answer(ack, Args::default());
            }
        }
    }
    wire.connection
        .emit("many".into(), vec![json!(10_000)].into());
    for number in 0..10_000 {
        assert_eq!(wire.next(30.0).await, taken("n", vec![json!(number)], &[]));
    }
}
