//! Where work is, as the journal has it: `no`, `local` or `uploaded`.

use lifeline_core::Safe;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

const ALL: [Safe; 3] = [Safe::No, Safe::Local, Safe::Uploaded];

/// A name, or what earlier versions wrote.
#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Name(String),
    OnDisk(bool),
}

fn read<E: Error>(written: &Written) -> Result<Safe, E> {
    match written {
        Written::OnDisk(true) => Ok(Safe::Local),
        Written::OnDisk(false) => Ok(Safe::No),
        Written::Name(name) => ALL
            .into_iter()
            .find(|safe| safe.name() == name)
            .ok_or_else(|| E::custom("expected no, local or uploaded")),
    }
}

pub(super) fn serialize<S: Serializer>(safe: &Option<Safe>, to: S) -> Result<S::Ok, S::Error> {
    safe.map(Safe::name).serialize(to)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Safe>, D::Error> {
    let written = Option::<Written>::deserialize(from)?;
    written.as_ref().map(read).transpose()
}

/// What it was before it could be set.
pub(super) fn local() -> Safe {
    Safe::Local
}

/// One that is always there.
pub(super) mod set {
    use super::{Deserialize, Deserializer, Safe, Serialize, Serializer, Written, read};

    pub fn serialize<S: Serializer>(safe: &Safe, to: S) -> Result<S::Ok, S::Error> {
        safe.name().serialize(to)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Safe, D::Error> {
        read(&Written::deserialize(from)?)
    }
}
