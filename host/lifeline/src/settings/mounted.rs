//! Files that hold one secret, as they are mounted into containers, and renewed there.

use super::Secret;
use lifeline_files::Links;
use std::io::{self, Read};
use std::path::Path;

/// Bytes of the longest one: ten thousand URLs.
const MAX: u64 = 32 << 20;

/// What the file holds now, without white space at its ends. Mounted secrets are links.
pub(super) fn read(path: &Path) -> io::Result<Secret> {
    let file = lifeline_files::open_to_read(path, Links::Followed)?;
    let mut text = String::new();
    if file.take(MAX + 1).read_to_string(&mut text)? as u64 > MAX {
        return Err(io::Error::other(format!("longer than {MAX} bytes")));
    }
    Ok(Secret::new(super::value::trimmed(&text)))
}
