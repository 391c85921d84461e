//! A server's messages: its events are taken here, the other packets go to rust_socketio.
//!
//! The crate does not hand events on as they are meant: it forgets that an answer is asked for, takes
//! those called `error`, `open`, `close` or `message` for its own, drops all attachments but the first
//! with all other arguments, and says nothing of one that it cannot read. So what it is given are the
//! packets of the session alone: accepted, refused, goodbye.

use super::LONGEST;
use crate::link::{Args, ServerEvent};
use serde_json::Value;
use thiserror::Error;

/// What an attachment takes in memory beside its bytes, or a little more.
const ATTACHMENT: usize = 64;

/// What the server may not send: nothing more of it can be understood.
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
    /// How many attachments follow cannot be read.
    #[error("an event with an unknown number of attachments")]
    Number,
    /// Together.
    #[error("an event with attachments of more than {0} MiB")]
    TooLong(usize),
}

/// What came of a message.
#[derive(Clone, Debug, PartialEq)]
pub enum Taken {
    /// A packet of the session, for the crate.
    Packet(String),
    /// An event.
    Event(ServerEvent),
    /// One that cannot be taken: why. The connection goes on.
    Unreadable(String),
    /// A ping, to be answered with the same.
    Ping(String),
    /// The server ends the session.
    Close,
    /// Nothing yet, or nothing of interest.
    Nothing,
}

/// The messages of one connection, one after the other.
#[derive(Debug)]
pub struct Frames {
    namespace: String,
    waiting: Option<Waiting>,
    goodbye: bool,
}

/// A packet whose attachments have not all come.
#[derive(Debug)]
struct Waiting {
    /// None: nobody wants it.
    event: Option<Result<ServerEvent, String>>,
    missing: usize,
    attachments: Vec<Vec<u8>>,
    bytes: usize,
}

impl Frames {
    /// Events of this namespace are taken.
    pub fn of(namespace: &str) -> Self {
        Frames {
            namespace: namespace.into(),
            waiting: None,
            goodbye: false,
        }
    }

    /// The server has said goodbye to this Blender: whatever comes next, that is how it ends.
    pub fn said_goodbye(&self) -> bool {
        self.goodbye
    }

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
        let (kind, rest) = packet.split_at_checked(1).ok_or(Fault::Type)?;
        match kind {
            "2" => {
                let event = self.event(rest);
                Ok(event.map_or_else(Taken::Unreadable, Taken::Event))
            }
            // With attachments: their number, `-`, and what any event is.
            "5" | "6" => {
                let (count, rest) = rest.split_once('-').ok_or(Fault::Number)?;
                self.waiting = Some(Waiting {
                    event: (kind == "5").then(|| self.event(rest)),
                    missing: count.parse().map_err(|_| Fault::Number)?,
                    attachments: Vec::new(),
                    bytes: packet.len(),
                });
                self.complete()
            }
            // An answer to what nobody asked.
            "3" => Ok(Taken::Nothing),
            "0" | "4" => Ok(Taken::Packet(packet.to_string())),
            "1" => {
                self.goodbye |= namespace_of(rest).0 == self.namespace;
                Ok(Taken::Packet(packet.to_string()))
            }
            _ => Err(Fault::Type),
        }
    }

    /// Without its attachments.
    fn event(&self, packet: &str) -> Result<ServerEvent, String> {
        let (namespace, rest) = namespace_of(packet);
        if namespace != self.namespace {
            return Err("it is of a namespace that nobody has asked for".into());
        }
        let digits = rest.find(|it: char| !it.is_ascii_digit());
        let (id, json) = rest.split_at(digits.unwrap_or(rest.len()));
        let ack = match id {
            "" => None,
            id => Some(id.parse().map_err(|_| "its number is none")?),
        };
        // Within JSON it may only stand escaped; servers that do not know that are understood.
        let json = json.replace('\u{1e}', "\\u001e");
        let parts: Vec<Value> = serde_json::from_str(&json).map_err(|error| unreadable(&error))?;
        let mut parts = parts.into_iter();
        let Some(Value::String(name)) = parts.next() else {
            return Err("it has no name".into());
        };
        let args = Args::from(parts.collect::<Vec<_>>());
        Ok(ServerEvent { name, args, ack })
    }

    /// Bytes.
    ///
    /// # Errors
    ///
    /// The server may not send them.
    pub fn binary(&mut self, bytes: Vec<u8>) -> Result<Taken, Fault> {
        let waiting = self.waiting.as_mut().ok_or(Fault::Unexpected)?;
        waiting.bytes = waiting.bytes.saturating_add(bytes.len() + ATTACHMENT);
        if waiting.bytes > LONGEST {
            return Err(Fault::TooLong(LONGEST >> 20));
        }
        if matches!(waiting.event, Some(Ok(_))) {
            waiting.attachments.push(bytes);
        }
        waiting.missing -= 1; // there was one, or it would not be waiting
        self.complete()
    }

    fn complete(&mut self) -> Result<Taken, Fault> {
        let Some(Waiting {
            event, attachments, ..
        }) = self.waiting.take_if(|it| it.missing == 0)
        else {
            return Ok(Taken::Nothing);
        };
        let Some(event) = event else {
            return Ok(Taken::Nothing);
        };
        let whole = event.and_then(|mut event| {
            let mut free = vec![true; attachments.len()];
            event
                .args
                .values
                .iter()
                .try_for_each(|it| place(it, &mut free))?;
            event.args.attachments = attachments;
            Ok(event)
        });
        Ok(whole.map_or_else(Taken::Unreadable, Taken::Event))
    }
}

/// The error's own words may repeat all that was sent.
fn unreadable(error: &serde_json::Error) -> String {
    format!(
        "it is no JSON array: {:?} at column {}",
        error.classify(),
        error.column()
    )
}

/// What of a packet is its namespace, and what comes behind.
fn namespace_of(packet: &str) -> (&str, &str) {
    if packet.starts_with('/') {
        packet.split_once(',').unwrap_or((packet, ""))
    } else {
        ("/", packet)
    }
}

/// Each attachment has at most one place, and each place an attachment: a server that names one a
/// thousand times fills no memory.
fn place(value: &Value, free: &mut [bool]) -> Result<(), String> {
    match value {
        Value::Array(items) => items.iter().try_for_each(|it| place(it, free)),
        Value::Object(map) => match Args::placeholder(map) {
            Some(number) => {
                let free = free.get_mut(number).filter(|free| **free);
                *free.ok_or("it names an attachment that is not there, or twice")? = false;
                Ok(())
            }
            None => map.values().try_for_each(|it| place(it, free)),
        },
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn frames() -> Frames {
        Frames::of("/blender")
    }

    fn text(text: &str) -> Result<Taken, Fault> {
        frames().text(text)
    }

    fn event(name: &str, args: Value, ack: Option<u64>) -> Result<Taken, Fault> {
        Ok(Taken::Event(ServerEvent {
            name: name.into(),
            args: Args::from(args.as_array().unwrap().clone()),
            ack,
        }))
    }

    fn unreadable(taken: Result<Taken, Fault>) -> String {
        match taken {
            Ok(Taken::Unreadable(why)) => why,
            other => panic!("{other:?}"),
        }
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
    fn events_of_every_shape() {
        let of = |packet: &str| text(&format!("42/blender,{packet}"));
        assert_eq!(of(r#"["error",1]"#), event("error", json!([1]), None));
        assert_eq!(of(r#"["x"]"#), event("x", json!([]), None));
        let several = event("x", json!([1, [2], {"a": null}]), Some(17));
        assert_eq!(of(r#"17[ "x",1,[2],{"a":null}]"#), several);
        let huge = u64::MAX;
        assert_eq!(
            of(&format!(r#"{huge}["x"]"#)),
            event("x", json!([]), Some(huge))
        );
        // Bytes are only where attachments are.
        let mock = json!([{"_placeholder": true, "num": 0}]);
        assert_eq!(
            of(r#"["x",{"_placeholder":true,"num":0}]"#),
            event("x", mock, None)
        );
    }

    #[test]
    fn what_cannot_be_taken_is_said_and_the_connection_goes_on() {
        for (odd, why) in [
            (r#"2/blender,["x",NaN]"#, "no JSON"),
            (r#"2/blender,["x","\ud800"]"#, "no JSON"),
            (r#"2["x"]"#, "namespace"),
            (r#"2/other,["x"]"#, "namespace"),
            ("2/blender,[]", "no name"),
            ("2/blender,[1]", "no name"),
            ("2/blender,{}", "no JSON"),
            (r#"2/blender,"a-token""#, "no JSON"),
            (r#"2/blender,99999999999999999999["x"]"#, "number"),
        ] {
            let said = unreadable(text(&format!("4{odd}")));
            assert!(said.contains(why), "{odd}: {said}");
            assert!(!said.contains("a-token"), "what was sent may be a secret");
        }
        // Its attachments go with it.
        let mut frames = frames();
        assert_eq!(frames.text(r#"451-/blender,["x",NaN]"#), Ok(Taken::Nothing));
        assert!(unreadable(frames.binary(vec![1])).contains("no JSON"));
        assert_eq!(
            frames.text(r#"42/blender,["y"]"#),
            event("y", json!([]), None)
        );
    }

    #[test]
    fn other_packets_stay_as_they_are() {
        for same in [
            r#"0/blender,{"sid":"x"}"#,
            "1/blender,",
            r#"4/blender,{"message":"no"}"#,
        ] {
            assert_eq!(text(&format!("4{same}")), Ok(Taken::Packet(same.into())));
        }
        assert_eq!(text("43/blender,1[]"), Ok(Taken::Nothing));
        // An answer with an attachment.
        let mut frames = frames();
        let answer = frames.text(r#"461-/blender,1[{"_placeholder":true,"num":0}]"#);
        assert_eq!(answer, Ok(Taken::Nothing));
        assert_eq!(frames.binary(vec![1]), Ok(Taken::Nothing));
        assert_eq!(frames.binary(vec![1]), Err(Fault::Unexpected));
    }

    #[test]
    fn a_goodbye_is_remembered() {
        let mut frames = frames();
        frames.text("41/other,").unwrap();
        assert!(!frames.said_goodbye());
        frames.text("41/blender").unwrap();
        assert!(frames.said_goodbye());
    }

    #[test]
    fn a_record_separator_separates_nothing() {
        let forged = "42/blender,[\"x\",\"a\u{1e}42/blender,[\\\"injected\\\",1]\"]";
        let whole = json!(["a\u{1e}42/blender,[\"injected\",1]"]);
        assert_eq!(text(forged), event("x", whole, None));
    }

    #[test]
    fn attachments_come_in_their_places_and_a_ping_may_come_between() {
        let mut frames = frames();
        let sent = r#"452-/blender,7["up",{"a":{"_placeholder":true,"num":1}},{"_placeholder":true,"num":0}]"#;
        assert_eq!(frames.text(sent), Ok(Taken::Nothing));
        let forged = b"x\x1e42/blender,[\"injected\",1]".to_vec();
        assert_eq!(frames.binary(forged.clone()), Ok(Taken::Nothing));
        assert_eq!(frames.text("2"), Ok(Taken::Ping(String::new())));
        let Ok(Taken::Event(event)) = frames.binary(vec![1, 2]) else {
            panic!()
        };
        assert_eq!((event.name.as_str(), event.ack), ("up", Some(7)));
        assert_eq!(event.args.attachments, [forged, vec![1, 2]]);
        assert_eq!(frames.binary(vec![]), Err(Fault::Unexpected), "once more");
    }

    #[test]
    fn bytes_are_never_a_packet() {
        let forged = br#"2/blender,["injected",1]"#.to_vec();
        assert_eq!(frames().binary(forged), Err(Fault::Unexpected));
    }

    #[test]
    fn attachments_that_do_not_fit() {
        let sent = r#"451-/blender,["x",{"_placeholder":true,"num":0}]"#;
        let mut one = frames();
        one.text(sent).unwrap();
        assert_eq!(one.text(r#"42/blender,["y"]"#), Err(Fault::Incomplete));
        for nowhere in [
            r#"451-/blender,["x",{"_placeholder":true,"num":1}]"#,
            r#"451-/blender,["x",[{"_placeholder":true,"num":0},{"_placeholder":true,"num":0}]]"#,
        ] {
            let mut frames = frames();
            frames.text(nowhere).unwrap();
            assert!(unreadable(frames.binary(vec![])).contains("attachment"));
        }
        let mut two = frames();
        two.text(r#"452-/blender,["x"]"#).unwrap();
        two.binary(vec![0; LONGEST / 2]).unwrap();
        assert_eq!(two.binary(vec![0; LONGEST / 2]), Err(Fault::TooLong(64)));
        // Empty ones fill memory, too.
        let mut many = frames();
        many.text(r#"459999999-/blender,["x"]"#).unwrap();
        let fault = (0..9_999_999).find_map(|_| many.binary(vec![]).err());
        assert_eq!(fault, Some(Fault::TooLong(64)));
        for odd in ["45[]", "45-[]", "45x-[]"] {
            assert_eq!(text(odd), Err(Fault::Number), "{odd}");
        }
        assert_eq!(text(r#"450-/blender,["x"]"#), event("x", json!([]), None));
    }
}
