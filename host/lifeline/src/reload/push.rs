//! A policy that the server sends: the event `policy_update`.

use super::source::SwapError;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::read::GzDecoder;
use lifeline_sandbox::{LoadError, Sandbox};
use serde::Deserialize;
use serde_json::Value;
use std::fmt;
use std::io::Read;
use thiserror::Error;

/// How the bytes are written in the event: JSON carries no binary data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
enum Encoding {
    /// Base64.
    #[default]
    #[serde(rename = "base64")]
    Base64,
    /// Compressed, then base64: a message of more than 16 MiB would cost the connection.
    #[serde(rename = "gzip+base64")]
    Gzip,
}

/// A policy as the server sends it.
#[derive(Clone, Deserialize)]
pub(crate) struct Push {
    /// The server's own name for it; the answer repeats it.
    #[serde(default)]
    pub id: Option<String>,
    /// Of the component's bytes, hexadecimal digits.
    #[serde(default)]
    pub sha256: String,
    /// The component.
    #[serde(default)]
    wasm: String,
    #[serde(default)]
    encoding: Encoding,
    /// Go back to what was set before instead.
    #[serde(default)]
    pub revert: bool,
}

impl fmt::Debug for Push {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Push")
            .field("id", &self.id)
            .field("sha256", &self.sha256)
            .field("revert", &self.revert)
            .finish_non_exhaustive()
    }
}

/// Why an event is no policy.
#[derive(Debug, Error)]
pub(crate) enum PushError {
    #[error("policy_update without data")]
    Empty,
    #[error("policy_update cannot be read: {0}")]
    Shape(#[from] serde_json::Error),
    #[error("policy_update without sha256 and wasm: both are needed, or revert")]
    Incomplete,
}

impl Push {
    /// From the event's arguments.
    pub fn read(args: &[Value]) -> Result<Self, PushError> {
        let push = Push::deserialize(args.first().ok_or(PushError::Empty)?)?;
        if !push.revert && (push.sha256.is_empty() || push.wasm.is_empty()) {
            return Err(PushError::Incomplete);
        }
        Ok(push)
    }

    /// The component; no more than a policy may have, however well it was compressed.
    pub(super) fn bytes(&self, sandbox: &Sandbox) -> Result<Vec<u8>, SwapError> {
        let broken = |why: String| SwapError::Load(LoadError::Malformed(why));
        let sent = STANDARD
            .decode(&self.wasm)
            .map_err(|error| broken(format!("no base64: {error}")))?;
        match self.encoding {
            Encoding::Base64 => Ok(sent),
            Encoding::Gzip => {
                let mut bytes = Vec::new();
                let limit = sandbox.limits().component as u64;
                GzDecoder::new(sent.as_slice())
                    .take(limit.saturating_add(1))
                    .read_to_end(&mut bytes)
                    .map_err(|error| broken(format!("no gzip: {error}")))?;
                Ok(bytes)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::FIVE_MINUTES;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use lifeline_sandbox::{Compiling, Limits};
    use serde_json::json;
    use std::io::Write;

    fn sandbox() -> Sandbox {
        Sandbox::new(Limits::default(), None, Compiling::Here).unwrap()
    }

    fn gzip(bytes: &[u8]) -> String {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        STANDARD.encode(encoder.finish().unwrap())
    }

    #[test]
    fn both_encodings_give_the_bytes() {
        for (encoding, wasm) in [
            ("base64", STANDARD.encode(FIVE_MINUTES.component)),
            ("gzip+base64", gzip(FIVE_MINUTES.component)),
        ] {
            let event = json!({"id": "a", "sha256": "00", "wasm": wasm, "encoding": encoding});
            let push = Push::read(&[event]).unwrap();
            assert_eq!(push.bytes(&sandbox()).unwrap(), FIVE_MINUTES.component);
            assert_eq!(push.id.as_deref(), Some("a"));
        }
    }

    #[test]
    fn what_unpacks_to_more_than_a_policy_may_have_stops_there() {
        let bomb = gzip(&vec![0; 80 << 20]);
        let event = json!({"sha256": "00", "wasm": bomb, "encoding": "gzip+base64"});
        let bytes = Push::read(&[event]).unwrap().bytes(&sandbox()).unwrap();
        assert_eq!(bytes.len(), (64 << 20) + 1);
    }

    #[test]
    fn each_fault_is_named() {
        let fault = |args: &[Value]| Push::read(args).unwrap_err().to_string();
        assert_eq!(fault(&[]), "policy_update without data");
        assert!(fault(&[json!(5)]).starts_with("policy_update cannot be read"));
        assert!(fault(&[json!({"id": "a"})]).contains("both are needed"));
        assert!(fault(&[json!({"encoding": "zip"})]).contains("zip"));
        let junk = Push::read(&[json!({"sha256": "00", "wasm": "%%"})]).unwrap();
        let error = junk.bytes(&sandbox()).unwrap_err().to_string();
        assert!(error.contains("no base64"), "{error}");
    }

    #[test]
    fn a_revert_needs_nothing_else() {
        assert!(Push::read(&[json!({"revert": true})]).unwrap().revert);
    }

    #[test]
    fn the_bytes_are_not_in_a_log() {
        let push = Push::read(&[json!({"sha256": "00", "wasm": "QUJD"})]).unwrap();
        assert!(!format!("{push:?}").contains("QUJD"));
    }
}
