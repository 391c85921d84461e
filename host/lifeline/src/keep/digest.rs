//! Reads a file back, all of it.

use lifeline_core::Digest;
use sha2::{Digest as _, Sha256};
use std::fs::File;
use std::io::{self, Read, Seek};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

const CHUNK: usize = 1 << 20;

/// None: cancelled. Fails also if the file is shorter than its size says.
pub(super) fn read(file: &mut File, cancelled: &AtomicBool) -> io::Result<Option<Digest>> {
    let begun = Instant::now();
    let size = file.metadata()?.len();
    file.rewind()?;
    let mut hasher = Sha256::new();
    let mut chunk = vec![0; CHUNK];
    let mut bytes = 0u64;
    loop {
        if cancelled.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let count = file.read(&mut chunk)?;
        if count == 0 {
            break;
        }
        hasher.update(&chunk[..count]);
        bytes += count as u64;
    }
    if bytes < size {
        return Err(io::Error::other(format!("{bytes} of its {size} bytes")));
    }
    Ok(Some(Digest {
        bytes,
        sha256: hex::encode(hasher.finalize()),
        seconds: begun.elapsed().as_secs_f64(),
    }))
}
