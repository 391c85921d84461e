//! Reads a file back, all of it.

use lifeline_core::Digest;
use md5::Md5;
use sha2::{Digest as _, Sha256};
use std::fs::File;
use std::io::{self, Read, Seek};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

const CHUNK: u64 = 1 << 20;

/// What a file holds.
pub(super) struct Content {
    pub digest: Digest,
    /// Of each of its parts, in their order.
    pub parts: Vec<[u8; 16]>,
}

/// None: cancelled. Fails also if the file is shorter than its size says. `part`: bytes of each part but
/// the last, of which the MD5 is wanted; None: nobody wants it.
pub(super) fn read(
    file: &mut File,
    part: Option<u64>,
    cancelled: &AtomicBool,
) -> io::Result<Option<Content>> {
    let begun = Instant::now();
    let size = file.metadata()?.len();
    file.rewind()?;
    let mut whole = Sha256::new();
    let mut chunk = vec![0; CHUNK as usize];
    let (mut bytes, mut parts) = (0u64, Vec::new());
    let mut of_part = Md5::new();
    let mut left = part.unwrap_or(u64::MAX);
    loop {
        if cancelled.load(Ordering::Relaxed) {
            return Ok(None);
        }
        // No more than the part has left; a chunk is small.
        let count = file.read(&mut chunk[..left.min(CHUNK) as usize])?;
        whole.update(&chunk[..count]);
        bytes += count as u64;
        if let Some(size) = part {
            of_part.update(&chunk[..count]);
            left -= count as u64;
            if left == 0 || count == 0 && (left < size || parts.is_empty()) {
                parts.push(of_part.finalize_reset().into());
                left = size;
            }
        }
        if count == 0 {
            break;
        }
    }
    if bytes < size {
        return Err(io::Error::other(format!("{bytes} of its {size} bytes")));
    }
    let digest = Digest {
        bytes,
        sha256: hex::encode(whole.finalize()),
        seconds: begun.elapsed().as_secs_f64(),
    };
    Ok(Some(Content { digest, parts }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn each_part_has_its_own_sum() {
        let sums = |bytes: usize, part| {
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(&vec![7; bytes]).unwrap();
            let content = read(&mut file, part, &AtomicBool::new(false));
            content.unwrap().unwrap().parts
        };
        let of = |bytes: usize| -> [u8; 16] { Md5::digest(vec![7; bytes]).into() };
        assert_eq!(sums(9, Some(4)), [of(4), of(4), of(1)]);
        assert_eq!(sums(8, Some(4)), [of(4), of(4)]);
        assert_eq!(sums(8, Some(u64::MAX)), [of(8)]);
        let more = 3 * CHUNK as usize / 2;
        assert_eq!(sums(more * 2, Some(more as u64)), [of(more), of(more)]);
        assert_eq!(sums(0, Some(4)), [of(0)]);
        assert!(sums(8, None).is_empty());
    }
}
