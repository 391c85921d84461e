//! What rust_socketio cannot send: answers, and several attachments.

use crate::link::Args;
use rust_engineio::{Packet, PacketId};
use serde_json::Value;

/// What is sent: each has its type without attachments, and three more with them.
#[derive(Clone, Copy, Debug)]
pub(in crate::link) enum Kind {
    /// An event.
    Event = 2,
    /// The answer to one.
    Answer = 3,
}

/// The packet, and its attachments behind it.
pub(in crate::link) fn packets(
    kind: Kind,
    namespace: &str,
    id: Option<u64>,
    args: Args,
) -> impl Iterator<Item = Packet> {
    let Args {
        values,
        attachments,
    } = args;
    let (kind, count) = match attachments.len() {
        0 => (kind as u8, String::new()),
        count => (kind as u8 + 3, format!("{count}-")),
    };
    let id = id.map_or_else(String::new, |id| id.to_string());
    let text = format!("{kind}{count}{namespace},{id}{}", Value::Array(values));
    let bytes = attachments.into_iter();
    let bytes = bytes.map(|it| Packet::new(PacketId::MessageBinary, it));
    std::iter::once(Packet::new(PacketId::Message, text)).chain(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn sent(kind: Kind, id: Option<u64>, args: Args) -> Vec<Packet> {
        packets(kind, "/blender", id, args).collect()
    }

    fn text(text: &str) -> Packet {
        Packet::new(PacketId::Message, text.to_string())
    }

    #[test]
    fn with_attachments_and_without() {
        let plain = Args::from(vec![json!("x"), json!(1)]);
        assert_eq!(
            sent(Kind::Event, None, plain.clone()),
            [text(r#"2/blender,["x",1]"#)]
        );
        assert_eq!(
            sent(Kind::Answer, Some(7), plain),
            [text(r#"3/blender,7["x",1]"#)]
        );
        let args = Args {
            values: vec![json!({"_placeholder": true, "num": 0})],
            attachments: vec![vec![1, 2]],
        };
        assert_eq!(
            sent(Kind::Answer, Some(7), args),
            [
                text(r#"61-/blender,7[{"_placeholder":true,"num":0}]"#),
                Packet::new(PacketId::MessageBinary, vec![1, 2])
            ]
        );
    }
}
