//! Anything in the journal's files: it is read past, and what is written afterwards can be read.
#![no_main]
#![allow(clippy::expect_used)] // a panic is what a fuzz target finds

use libfuzzer_sys::fuzz_target;
use lifeline::journal::{Entry, Journal};
use lifeline_fuzz::{Arbitrary, Result, Unstructured};
use std::fs;

/// A whole line, to be changed.
const LINE: &str = include_str!("../src/journal-line.json");

#[derive(Debug)]
struct Input {
    files: [Vec<Piece>; 3],
    acknowledges: bool,
}

impl<'a> Arbitrary<'a> for Input {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        Ok(Input {
            acknowledges: u.arbitrary()?,
            files: [u.arbitrary()?, u.arbitrary()?, u.arbitrary()?],
        })
    }
}

#[derive(Debug)]
enum Piece {
    Bytes(Vec<u8>),
    /// The line with one place replaced.
    Line {
        at: u16,
        length: u8,
        by: String,
    },
    Acknowledged,
    Newline,
}

impl<'a> Arbitrary<'a> for Piece {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        Ok(match u.int_in_range(0..=4)? {
            0 => Piece::Bytes(u.arbitrary()?),
            1 => Piece::Acknowledged,
            2 => Piece::Newline,
            _ => Piece::Line {
                at: u.arbitrary()?,
                length: u.arbitrary()?,
                by: u.arbitrary()?,
            },
        })
    }
}

impl Piece {
    fn write(&self, text: &mut Vec<u8>) {
        match self {
            Piece::Bytes(bytes) => text.extend(bytes),
            Piece::Acknowledged => {
                text.extend(br#"{"schema":1,"type":"acknowledged","id":"a","at":""}"#);
            }
            Piece::Newline => text.push(b'\n'),
            Piece::Line { at, length, by } => {
                let line = LINE.trim_end().as_bytes();
                let at = usize::from(*at) % line.len();
                let end = line.len().min(at + usize::from(*length));
                text.extend([&line[..at], by.as_bytes(), &line[end..]].concat());
            }
        }
    }
}

fuzz_target!(|input: Input| {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("journal.jsonl");
    for (pieces, name) in input.files.iter().zip(["", ".1", ".2"]) {
        let mut text = Vec::new();
        for piece in pieces {
            piece.write(&mut text);
        }
        fs::write(folder.path().join(format!("journal.jsonl{name}")), text).expect("a file");
    }
    let journal = Journal::new(path);
    let found = journal.read();
    for user in ["ann", ""] {
        let pending = journal.pending(user);
        assert!(pending.len() <= 50);
        assert!(pending.iter().all(|entry| entry.username == user));
    }
    let mut entry: Entry = serde_json::from_str(LINE).expect("the seed is an entry");
    entry.id = "written-now".into();
    journal.append(&entry).expect("it can be written on");
    if input.acknowledges {
        journal
            .acknowledge(&entry.id)
            .expect("it can be acknowledged");
    }
    let after = journal.read();
    let written = (entry, input.acknowledges);
    assert_eq!(after.last(), Some(&written));
    let older: Vec<_> = found
        .iter()
        .filter(|(it, _)| it.id != "written-now")
        .collect();
    let kept: Vec<_> = after
        .iter()
        .filter(|(it, _)| it.id != "written-now")
        .collect();
    assert_eq!(older, kept, "what was there is still there");
});
