//! A server's messages, made ready for rust_socketio.
//!
//! The crate reads Socket.IO's packets, but not all of them as they are meant:
//! - it takes an event called `error`, `open`, `close` or `message` for one of its own: each event's
//!   name goes marked, and comes out of it unmarked ([`unmark`]);
//! - of an event with attachments it hands on the first one alone, without the other arguments, and it
//!   cannot take a ping between them: such an event goes as one without attachments, each of them in
//!   its place as `{"_placeholder": true, "base64": "…"}`;
//! - bytes that belong to no event would be read as a packet: they end the connection.

use super::LONGEST;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use thiserror::Error;

/// Stands before each event's name, so that it is none of the crate's own.
const MARK: char = '+';

/// What the server may not send.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Fault {
    /// A packet of no known type.
    #[error("a packet of an unknown type")]
    Type,
    /// No event is waiting for them.
    #[error("bytes that belong to no event")]
    Unexpected,
    /// Something else came in their place.
    #[error("an event without its attachments")]
    Incomplete,
    /// It cannot be read.
    #[error("an event with attachments that cannot be read: {0}")]
    Event(String),
    /// Together.
    #[error("an event with attachments of more than {0} MiB")]
    TooLong(usize),
}

/// What came of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Taken {
    /// A packet of Socket.IO, for the crate.
    Packet(String),
    /// A ping, to be answered with the same.
    Ping(String),
    /// The server ends the session.
    Close,
    /// Nothing yet, or nothing of interest.
    Nothing,
}

/// The messages of one connection, one after the other.
#[derive(Debug, Default)]
pub struct Frames {
    waiting: Option<Waiting>,
}

/// An event whose attachments have not all come.
#[derive(Debug)]
struct Waiting {
    /// Namespace and id, as they stand before the event.
    head: String,
    event: Value,
    missing: usize,
    attachments: Vec<Option<Vec<u8>>>,
    bytes: usize,
}

impl Frames {
    /// A text.
    ///
    /// # Errors
    ///
    /// The server may not send it.
    pub fn text(&mut self, text: &str) -> Result<Taken, Fault> {
        let mut rest = text.chars();
        match rest.next() {
            Some('1') => Ok(Taken::Close),
            Some('2') => Ok(Taken::Ping(rest.as_str().to_string())),
            // A pong, a no-op: clients send the one, and nobody upgrades.
            Some('3' | '6') => Ok(Taken::Nothing),
            Some('4') => self.packet(rest.as_str()),
            _ => Err(Fault::Type),
        }
    }

    fn packet(&mut self, packet: &str) -> Result<Taken, Fault> {
        if self.waiting.is_some() {
            return Err(Fault::Incomplete);
        }
        // Within JSON it may only stand escaped; servers that do not know that are understood.
        let packet = packet.replace('\u{1e}', "\\u001e");
        Ok(match packet.as_bytes().first() {
            Some(b'2') => Taken::Packet(marked(&packet)),
            Some(b'5') => return self.event(&packet[1..]),
            // An answer to what nobody asked.
            Some(b'3' | b'6') => Taken::Nothing,
            Some(b'0' | b'1' | b'4') => Taken::Packet(packet),
            _ => return Err(Fault::Type),
        })
    }

    /// An event with attachments: their number, `-`, and what any event is.
    fn event(&mut self, packet: &str) -> Result<Taken, Fault> {
        let fault = |what: &str| Fault::Event(what.into());
        let (count, rest) = packet.split_once('-').ok_or(fault("no number of them"))?;
        let missing = count.parse().map_err(|_| fault("no number of them"))?;
        let (head, event) = rest.split_at(head(rest));
        let event = serde_json::from_str(event).map_err(|error| fault(&error.to_string()))?;
        self.waiting = Some(Waiting {
            head: head.to_string(),
            event,
            missing,
            attachments: Vec::new(),
            bytes: packet.len(),
        });
        self.complete()
    }

    /// Bytes.
    ///
    /// # Errors
    ///
    /// The server may not send them.
    pub fn binary(&mut self, bytes: Vec<u8>) -> Result<Taken, Fault> {
        let waiting = self.waiting.as_mut().ok_or(Fault::Unexpected)?;
        waiting.bytes = waiting.bytes.saturating_add(bytes.len());
        if waiting.bytes > LONGEST {
            return Err(Fault::TooLong(LONGEST >> 20));
        }
        waiting.attachments.push(Some(bytes));
        waiting.missing -= 1; // there was one, or it would not be waiting
        self.complete()
    }

    fn complete(&mut self) -> Result<Taken, Fault> {
        if self.waiting.as_ref().is_none_or(|it| it.missing > 0) {
            return Ok(Taken::Nothing);
        }
        let Some(mut waiting) = self.waiting.take() else {
            return Ok(Taken::Nothing);
        };
        fill(&mut waiting.event, &mut waiting.attachments)?;
        let packet = format!("2{}{}", waiting.head, waiting.event);
        Ok(Taken::Packet(marked(&packet)))
    }
}

/// Puts each attachment in its place, and in no other: a server that names one a thousand times fills no
/// memory.
fn fill(value: &mut Value, attachments: &mut [Option<Vec<u8>>]) -> Result<(), Fault> {
    match value {
        Value::Array(items) => items.iter_mut().try_for_each(|it| fill(it, attachments)),
        Value::Object(map) if map.get("_placeholder") == Some(&Value::Bool(true)) => {
            let bytes = map
                .get("num")
                .and_then(Value::as_u64)
                .and_then(|number| attachments.get_mut(usize::try_from(number).ok()?)?.take())
                .ok_or_else(|| {
                    Fault::Event("one that is not there, or is somewhere else already".into())
                })?;
            *value = json!({"_placeholder": true, "base64": BASE64_STANDARD.encode(bytes)});
            Ok(())
        }
        Value::Object(map) => map.values_mut().try_for_each(|it| fill(it, attachments)),
        _ => Ok(()),
    }
}

/// Where an event begins: after its namespace and id.
fn head(packet: &str) -> usize {
    let namespace = match packet.strip_prefix('/') {
        Some(_) => packet.find(',').map_or(packet.len(), |comma| comma + 1),
        None => 0,
    };
    let id = packet[namespace..].find(|it: char| !it.is_ascii_digit());
    id.map_or(packet.len(), |id| namespace + id)
}

/// The packet with its event's name marked. What is no event with a name stays as it is: the crate
/// takes it for no event.
fn marked(packet: &str) -> String {
    let begin = 1 + head(&packet[1..]);
    let event = &packet[begin..];
    let name = event
        .strip_prefix('[')
        .map(|it| it.trim_ascii_start())
        .and_then(|it| it.strip_prefix('"'));
    match name {
        Some(name) => {
            let before = packet.len() - name.len();
            format!("{}{MARK}{name}", &packet[..before])
        }
        None => packet.to_string(),
    }
}

/// The name of a server's event; None: it is none.
pub fn unmark(name: &str) -> Option<&str> {
    name.strip_prefix(MARK)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Result<Taken, Fault> {
        Frames::default().text(text)
    }

    fn packet(text: &str) -> Result<Taken, Fault> {
        Ok(Taken::Packet(text.into()))
    }

    #[test]
    fn the_engines_own() {
        assert_eq!(text("2"), Ok(Taken::Ping(String::new())));
        assert_eq!(text("2probe"), Ok(Taken::Ping("probe".into())));
        assert_eq!(text("1"), Ok(Taken::Close));
        assert_eq!(
            (text("3"), text("6")),
            (Ok(Taken::Nothing), Ok(Taken::Nothing))
        );
        for odd in ["", "0{}", "5", "9", "b4AAA", "ö", "4", "47", "4ö"] {
            assert_eq!(text(odd), Err(Fault::Type), "{odd}");
        }
    }

    #[test]
    fn an_events_name_is_marked() {
        assert_eq!(text(r#"42["error",1]"#), packet(r#"2["+error",1]"#));
        assert_eq!(text(r#"42/blender,["x"]"#), packet(r#"2/blender,["+x"]"#));
        assert_eq!(
            text(r#"42/blender,17[ "x"]"#),
            packet(r#"2/blender,17[ "+x"]"#)
        );
        // None with a name.
        for odd in ["2", "2[]", "2[1]", "2/blender", "2/blender,", "217", "2{}"] {
            assert_eq!(text(&format!("4{odd}")), packet(odd));
        }
        assert_eq!((unmark("+x"), unmark("x")), (Some("x"), None));
    }

    #[test]
    fn other_packets_stay_as_they_are() {
        for same in [
            r#"0/blender,{"sid":"x"}"#,
            "1/blender,",
            r#"4/blender,{"message":"no"}"#,
        ] {
            assert_eq!(text(&format!("4{same}")), packet(same));
        }
        assert_eq!(text("43/blender,1[]"), Ok(Taken::Nothing));
    }

    #[test]
    fn a_record_separator_separates_nothing() {
        let forged = "42/blender,[\"x\",\"a\u{1e}42/blender,[\\\"injected\\\",1]\"]";
        let taken = text(forged).unwrap();
        let Taken::Packet(packet) = taken else {
            panic!()
        };
        assert!(!packet.contains('\u{1e}'));
        let event: Value = serde_json::from_str(&packet["2/blender,".len()..]).unwrap();
        assert_eq!(event[1], "a\u{1e}42/blender,[\"injected\",1]");
    }

    #[test]
    fn attachments_come_in_their_places_and_a_ping_may_come_between() {
        let mut frames = Frames::default();
        let event = r#"452-/blender,7["up",{"a":{"_placeholder":true,"num":1}},{"_placeholder":true,"num":0}]"#;
        assert_eq!(frames.text(event), Ok(Taken::Nothing));
        let forged = b"x\x1e42/blender,[\"injected\",1]".to_vec();
        assert_eq!(frames.binary(forged.clone()), Ok(Taken::Nothing));
        assert_eq!(frames.text("2"), Ok(Taken::Ping(String::new())));
        let Ok(Taken::Packet(packet)) = frames.binary(vec![1, 2]) else {
            panic!()
        };
        let event = packet.strip_prefix("2/blender,7").unwrap();
        let event: Value = serde_json::from_str(event).unwrap();
        let bytes =
            |bytes: &[u8]| json!({"_placeholder": true, "base64": BASE64_STANDARD.encode(bytes)});
        assert_eq!(event, json!(["+up", {"a": bytes(&[1, 2])}, bytes(&forged)]));
        assert_eq!(frames.binary(vec![]), Err(Fault::Unexpected), "once more");
    }

    #[test]
    fn bytes_are_never_a_packet() {
        let forged = br#"2/blender,["injected",1]"#.to_vec();
        assert_eq!(Frames::default().binary(forged), Err(Fault::Unexpected));
    }

    #[test]
    fn attachments_that_do_not_fit() {
        let event = r#"451-["x",{"_placeholder":true,"num":0}]"#;
        let mut frames = Frames::default();
        frames.text(event).unwrap();
        assert_eq!(frames.text(r#"42["y"]"#), Err(Fault::Incomplete));
        let mut frames = Frames::default();
        frames
            .text(r#"451-["x",{"_placeholder":true,"num":1}]"#)
            .unwrap();
        assert!(matches!(frames.binary(vec![]), Err(Fault::Event(_))));
        let mut frames = Frames::default();
        frames.text(r#"452-["x"]"#).unwrap();
        frames.binary(vec![0; LONGEST / 2]).unwrap();
        assert_eq!(frames.binary(vec![0; LONGEST / 2]), Err(Fault::TooLong(64)));
        for odd in ["45[]", "45-[]", "45x-[]", "451-", "451-[", "45-1-[]"] {
            assert!(matches!(text(odd), Err(Fault::Event(_))), "{odd}");
        }
        assert_eq!(text(r#"450-["x"]"#), packet(r#"2["+x"]"#));
    }
}
