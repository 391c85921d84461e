//! What a store says that it has, against what was sent.
//!
//! Sources: the S3 API's "Checking object integrity" and `ETag` (an MD5, unless the store encrypts with a
//! key of its customer's), Google's `x-goog-hash`, RFC 1864's `Content-MD5`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper::header::{ETAG, HeaderMap};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io;
use std::ops::Range;

const CHUNK: usize = 1 << 20;
/// With a key of these the ETag is no MD5, though it looks like one.
const ENCRYPTED: [&str; 2] = [
    "x-amz-server-side-encryption-customer-algorithm",
    "x-amz-server-side-encryption-aws-kms-key-id",
];

/// One sum of all bytes.
enum Sum {
    /// Known already.
    Md5,
    Sha256(Sha256),
    Crc(Crc),
}

impl Sum {
    fn update(&mut self, bytes: &[u8]) {
        match self {
            Sum::Md5 => {}
            Sum::Sha256(sum) => sum.update(bytes),
            Sum::Crc(sum) => sum.update(bytes),
        }
    }

    fn bytes(self) -> Vec<u8> {
        match self {
            Sum::Md5 => Vec::new(),
            Sum::Sha256(sum) => sum.finalize().to_vec(),
            Sum::Crc(sum) => sum.bytes(),
        }
    }
}

/// What one header says.
struct Claim {
    header: &'static str,
    sum: Sum,
    value: Vec<u8>,
}

/// What the store's sums say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compared {
    /// It has the file.
    Same,
    /// It gives none.
    Unknown,
    /// It has something else, by this header.
    Other(&'static str),
}

/// Of all sums that an answer gives. `md5`: of these bytes of the file.
pub(super) fn compare(
    file: &File,
    bytes: Range<u64>,
    md5: &[u8; 16],
    headers: &HeaderMap,
) -> io::Result<Compared> {
    let (known, mut claims): (Vec<_>, Vec<_>) = claims(headers)
        .into_iter()
        .partition(|claim| matches!(claim.sum, Sum::Md5));
    if let Some(wrong) = known.iter().find(|claim| claim.value != md5) {
        return Ok(Compared::Other(wrong.header));
    }
    if claims.is_empty() {
        return Ok(match known.is_empty() {
            true => Compared::Unknown,
            false => Compared::Same,
        });
    }
    let mut chunk = vec![0; CHUNK];
    let mut at = bytes.start;
    while at < bytes.end {
        let wanted = CHUNK.min(usize::try_from(bytes.end - at).unwrap_or(CHUNK));
        let count = read_at(file, &mut chunk[..wanted], at)?;
        if count == 0 {
            break;
        }
        for claim in &mut claims {
            claim.sum.update(&chunk[..count]);
        }
        at += count as u64;
    }
    let wrong = claims.into_iter().find_map(|claim| {
        let Claim { header, sum, value } = claim;
        (sum.bytes() != value).then_some(header)
    });
    Ok(wrong.map_or(Compared::Same, Compared::Other))
}

/// From there, whatever others read of the file.
pub(super) fn read_at(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    #[cfg(unix)]
    {
        std::os::unix::fs::FileExt::read_at(file, buffer, at)
    }
    #[cfg(windows)]
    {
        std::os::windows::fs::FileExt::seek_read(file, buffer, at)
    }
}

fn claims(headers: &HeaderMap) -> Vec<Claim> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let coded = |text: &str, length: usize| {
        let value = STANDARD.decode(text.trim()).ok()?;
        (value.len() == length).then_some(value)
    };
    let mut claims = Vec::new();
    let mut add = |header, sum, value: Option<Vec<u8>>| {
        claims.extend(value.map(|value| Claim { header, sum, value }));
    };
    add("ETag", Sum::Md5, etag(headers));
    add(
        "Content-MD5",
        Sum::Md5,
        text("content-md5").and_then(|it| coded(it, 16)),
    );
    let google = text("x-goog-hash").into_iter().flat_map(|it| it.split(','));
    let mut google = google.filter_map(|it| it.trim().strip_prefix("md5="));
    add(
        "x-goog-hash",
        Sum::Md5,
        google.next().and_then(|it| coded(it, 16)),
    );
    let amazon = [
        ("x-amz-checksum-sha256", 32, Sum::Sha256(Sha256::new())),
        (
            "x-amz-checksum-crc32",
            4,
            Sum::Crc(Crc::new(32, 0xedb8_8320)),
        ),
        (
            "x-amz-checksum-crc32c",
            4,
            Sum::Crc(Crc::new(32, 0x82f6_3b78)),
        ),
        (
            "x-amz-checksum-crc64nvme",
            8,
            Sum::Crc(Crc::new(64, 0x9a6c_9329_ac4b_c9b5)),
        ),
    ];
    for (header, length, sum) in amazon {
        add(header, sum, text(header).and_then(|it| coded(it, length)));
    }
    claims
}

/// As an MD5: of a single PUT, in quotes, without a `-` and a number of parts.
fn etag(headers: &HeaderMap) -> Option<Vec<u8>> {
    if ENCRYPTED.iter().any(|name| headers.contains_key(*name)) {
        return None;
    }
    let text = headers.get(ETAG)?.to_str().ok()?.trim();
    let value = hex::decode(text.strip_prefix('"')?.strip_suffix('"')?).ok()?;
    (value.len() == 16).then_some(value)
}

/// A reflected CRC, all ones at first and at last.
struct Crc {
    bits: u32,
    table: Box<[u64; 256]>,
    state: u64,
}

impl Crc {
    fn new(bits: u32, polynomial: u64) -> Self {
        let entry = |index: usize| {
            (0..8).fold(index as u64, |value, _| {
                (value >> 1) ^ (if value & 1 == 1 { polynomial } else { 0 })
            })
        };
        Crc {
            bits,
            table: Box::new(std::array::from_fn(entry)),
            state: u64::MAX >> (64 - bits),
        }
    }

    fn update(&mut self, bytes: &[u8]) {
        for byte in bytes {
            let index = (self.state ^ u64::from(*byte)) & 0xff;
            self.state = (self.state >> 8) ^ self.table[index as usize];
        }
    }

    fn bytes(self) -> Vec<u8> {
        let value = self.state ^ (u64::MAX >> (64 - self.bits));
        value.to_be_bytes()[8 - self.bits as usize / 8..].to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use md5::Md5;
    use std::io::Write;

    /// Of "123456789", as the standards have them.
    const RIGHT: [(&str, &str); 7] = [
        ("ETag", "\"25f9e794323b453885f5181f1b624d0b\""),
        ("Content-MD5", "JfnnlDI7RTiF9RgfG2JNCw=="),
        (
            "x-goog-hash",
            "crc32c=4waSgw==,md5=JfnnlDI7RTiF9RgfG2JNCw==",
        ),
        (
            "x-amz-checksum-sha256",
            "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=",
        ),
        ("x-amz-checksum-crc32", "y/Q5Jg=="),
        ("x-amz-checksum-crc32c", "4waSgw=="),
        ("x-amz-checksum-crc64nvme", "rosUhgp5mIg="),
    ];

    fn found(content: &[u8], headers: &[(&'static str, &str)]) -> Compared {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"?").unwrap();
        file.write_all(content).unwrap();
        let headers = headers
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        // The bytes before are none of it.
        let md5 = Md5::digest(content).into();
        compare(&file, 1..content.len() as u64 + 1, &md5, &headers.collect()).unwrap()
    }

    #[test]
    fn a_sum_is_the_files_or_it_is_not() {
        for (name, value) in RIGHT {
            assert_eq!(
                found(b"123456789", &[(name, value)]),
                Compared::Same,
                "{name}"
            );
            assert_eq!(found(b"123456780", &[(name, value)]), Compared::Other(name));
        }
        assert_eq!(found(b"123456789", &RIGHT), Compared::Same);
    }

    #[test]
    fn what_is_no_sum_says_nothing() {
        let other = [
            ("ETag", "\"0x8DC5A1B2C3D4E5F\""),
            ("ETag", "\"25f9e794323b453885f5181f1b624d0b-2\""),
            ("ETag", "W/\"25f9e794323b453885f5181f1b624d0b\""),
            ("x-goog-hash", "crc32c=4waSgw=="),
            ("x-amz-checksum-crc32", "?"),
        ];
        for header in other {
            assert_eq!(found(b"other", &[header]), Compared::Unknown, "{header:?}");
        }
        let encrypted = [
            RIGHT[0],
            ("x-amz-server-side-encryption-aws-kms-key-id", "k"),
        ];
        assert_eq!(found(b"other", &encrypted), Compared::Unknown);
    }
}
