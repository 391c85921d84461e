//! A server's messages: nothing that is sent as bytes becomes an event or a packet, and every one is one
//! that was sent.
#![no_main]
#![allow(clippy::expect_used)] // a panic is what a fuzz target finds

use libfuzzer_sys::fuzz_target;
use lifeline::link::transport::{Fault, Frames, Taken};
use lifeline_fuzz::{Arbitrary, Result, Unstructured};
use serde_json::Value;

#[derive(Debug)]
enum Message {
    /// Any text.
    Text(String),
    /// A packet of this type.
    Packet(u8, String),
    /// An event with so many attachments.
    Attached(u8, bool, String),
    Bytes(Vec<u8>),
}

impl<'a> Arbitrary<'a> for Message {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        Ok(match u.int_in_range(0..=6)? {
            0 => Message::Text(u.arbitrary()?),
            1 => Message::Packet(u.arbitrary()?, u.arbitrary()?),
            2 | 3 => Message::Attached(u.arbitrary()?, u.arbitrary()?, u.arbitrary()?),
            _ => Message::Bytes(u.arbitrary()?),
        })
    }
}

fuzz_target!(|messages: Vec<Message>| {
    let mut frames = Frames::of("/blender");
    let mut waiting = 0;
    for message in messages {
        let taken = match message {
            Message::Text(text) => take(&mut frames, &text, &mut waiting),
            Message::Packet(kind, rest) => {
                let text = format!("4{}{rest}", kind % 8);
                take(&mut frames, &text, &mut waiting)
            }
            Message::Attached(count, deep, name) => {
                let count = count % 4;
                let place = |number| format!(r#"{{"_placeholder":true,"num":{number}}}"#);
                let places: Vec<String> = (0..count).map(place).collect();
                let places = places.join(",");
                let places = if deep { format!("[{places}]") } else { places };
                let name = Value::from(name);
                let text = format!("45{count}-/blender,[{name},{{}},{places}]");
                take(&mut frames, &text, &mut waiting)
            }
            Message::Bytes(bytes) => {
                let before = waiting;
                waiting = before.saturating_sub(1);
                let taken = frames.binary(bytes);
                match &taken {
                    Ok(Taken::Event(event)) => {
                        assert_eq!(before, 1, "with the last attachment");
                        assert!(!event.args.attachments.is_empty());
                    }
                    Ok(Taken::Unreadable(_)) => assert_eq!(before, 1, "with the last attachment"),
                    // It waits for more, or nobody wants it.
                    Ok(Taken::Nothing) => assert!(before > 0),
                    Err(Fault::Unexpected) => assert_eq!(before, 0),
                    Err(_) => {}
                    other => panic!("{other:?}"),
                }
                taken
            }
        };
        match taken {
            Ok(Taken::Packet(packet)) => {
                assert!(matches!(
                    packet.as_bytes().first(),
                    Some(b'0' | b'1' | b'4')
                ));
            }
            Ok(_) => {}
            Err(_) => return, // the connection ends
        }
    }
});

fn take(frames: &mut Frames, text: &str, waiting: &mut usize) -> std::result::Result<Taken, Fault> {
    let taken = frames.text(text);
    if let Ok(Taken::Packet(_) | Taken::Event(_) | Taken::Unreadable(_)) = &taken {
        assert_eq!(
            *waiting, 0,
            "nothing comes between an event and its attachments"
        );
        assert!(text.starts_with('4'));
    }
    let attached = text.strip_prefix("45").or(text.strip_prefix("46"));
    if let (Ok(Taken::Nothing), Some(rest)) = (&taken, attached) {
        let count = rest.split_once('-').expect("it was understood").0;
        *waiting = count.parse().expect("it was understood");
        assert!(*waiting > 0 || text.starts_with("46"));
    }
    taken
}
