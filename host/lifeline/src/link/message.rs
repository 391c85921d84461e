//! What events carry, either way.

use serde_json::{Map, Value};

/// The arguments of an event, or of an answer.
///
/// Where `attachments` has any, an object `{"_placeholder": true, "num": n}` in `values` stands for the
/// n-th of them; where there are none, it is an object like any other.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Args {
    /// JSON.
    pub values: Vec<Value>,
    /// Bytes.
    pub attachments: Vec<Vec<u8>>,
}

impl From<Option<Value>> for Args {
    fn from(value: Option<Value>) -> Self {
        Args::from(Vec::from_iter(value))
    }
}

impl From<Vec<Value>> for Args {
    fn from(values: Vec<Value>) -> Self {
        Args {
            values,
            attachments: Vec::new(),
        }
    }
}

impl Args {
    /// Which attachment an object stands for, if there are any.
    pub fn placeholder(map: &Map<String, Value>) -> Option<usize> {
        let number = map.get("num").filter(|_| {
            // As python-socketio has it.
            map.get("_placeholder") == Some(&Value::Bool(true))
        })?;
        // One too large is none that is there.
        Some(
            number
                .as_u64()
                .map_or(usize::MAX, |it| usize::try_from(it).unwrap_or(usize::MAX)),
        )
    }

    /// Bytes of memory that they take, or a little more.
    pub fn size(&self) -> usize {
        let attachments = self.attachments.iter().map(Vec::len).sum::<usize>();
        self.values.iter().map(size).sum::<usize>() + attachments
    }
}

/// Bytes of memory that a value takes, or a little more.
fn size(value: &Value) -> usize {
    /// Of an entry in a map, beside its key's text and its value.
    const ENTRY: usize = 64;
    let within = match value {
        Value::Null | Value::Bool(_) => 0,
        Value::Number(number) => number.as_str().len(),
        Value::String(text) => text.len(),
        Value::Array(values) => values.iter().map(size).sum(),
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| ENTRY + name.len() + size(value))
            .sum(),
    };
    size_of::<Value>() + within
}

/// An event that the server has sent.
#[derive(Clone, Debug, PartialEq)]
pub struct ServerEvent {
    /// Its name.
    pub name: String,
    /// What it carries.
    pub args: Args,
    /// The server waits for an answer under this number.
    pub ack: Option<u64>,
}

impl ServerEvent {
    /// Bytes of memory that it takes, or a little more.
    pub fn size(&self) -> usize {
        size_of::<ServerEvent>() + self.name.len() + self.args.size()
    }
}
