//! Machine code that is made ahead of time, sealed with a digest of itself and of the component that
//! it was made from.
//!
//! The seal tells what belongs together, and nothing of who made it: whether machine code is safe to
//! run is for whoever embeds it to say.

use crate::Limits;
use crate::engine::{self, Processor};
use sha2::{Digest, Sha256};
use wasmtime::Result;

/// Bytes of a SHA-256.
const DIGEST: usize = 32;
/// Bytes before the machine code.
pub(crate) const SEAL: usize = DIGEST;

/// Compiles a component for any processor of this target, with the usual limits.
pub fn make(component: &[u8]) -> Result<Vec<u8>> {
    let compiler = engine::compiler(&Limits::default(), Processor::Any)?;
    let code = compiler.precompile_component(component)?;
    Ok(seal(&Sha256::digest(component).into(), &code))
}

/// Machine code that was made from the component of this SHA-256.
pub fn seal(component: &[u8; DIGEST], code: &[u8]) -> Vec<u8> {
    [digest(component, code).as_slice(), code].concat()
}

/// The machine code, if all of it was made from the component of this SHA-256.
pub fn of<'a>(sealed: &'a [u8], component: &[u8; DIGEST]) -> Option<&'a [u8]> {
    let (seal, code) = sealed.split_at_checked(DIGEST)?;
    (seal == digest(component, code)).then_some(code)
}

fn digest(component: &[u8; DIGEST], code: &[u8]) -> [u8; DIGEST] {
    let digest = Sha256::new().chain_update(component).chain_update(code);
    digest.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_made_from_this_very_component_is_given() {
        let sealed = seal(&[1; DIGEST], b"code");
        assert_eq!(of(&sealed, &[1; DIGEST]), Some(&b"code"[..]));
        assert_eq!(of(&sealed, &[2; DIGEST]), None);
        for end in 0..sealed.len() {
            assert_eq!(of(&sealed[..end], &[1; DIGEST]), None, "cut at {end}");
        }
        for at in 0..sealed.len() {
            let mut altered = sealed.clone();
            altered[at] ^= 1;
            assert_eq!(of(&altered, &[1; DIGEST]), None, "altered at {at}");
        }
    }
}
