//! Anything as a policy file, real components with changes among it, and such as take a compiler long:
//! an error or a policy, never a crash or a hang.
#![no_main]
#![allow(clippy::expect_used)] // a panic is what a fuzz target finds

use libfuzzer_sys::fuzz_target;
use lifeline::Call;
use lifeline::FIVE_MINUTES;
use lifeline::contract::{Moment, Phase, State};
use lifeline_fuzz::{Arbitrary, Result, Unstructured};
use lifeline_sandbox::{Boundary, Compiling, Limits, Sandbox};
use std::sync::LazyLock;

#[allow(dead_code, missing_docs)] // it has more shapes than one
#[path = "../../../host/sandbox/src/bombs.rs"]
mod bombs;

/// As the host sets it up, but with less time and memory: a fuzzer has no patience.
static SANDBOX: LazyLock<Sandbox> = LazyLock::new(|| {
    let limits = Limits {
        fuel: 1_000_000,
        ..Limits::default()
    };
    Sandbox::new(limits, None, Compiling::Here).expect("a sandbox")
});

#[derive(Debug)]
enum File {
    Bytes(Vec<u8>),
    Component(Vec<Edit>),
    /// One of version 0.1 of the contract.
    Older(Vec<Edit>),
    Slow(Slow),
}

/// A real component, and functions of loops within loops that use each local at the bottom.
#[derive(Debug)]
struct Slow {
    functions: usize,
    loops: usize,
    locals: usize,
}

impl<'a> Arbitrary<'a> for Slow {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        Ok(Slow {
            functions: u.int_in_range(1..=8)?,
            loops: u.int_in_range(0..=6_000)?,
            locals: u.int_in_range(1..=20_000)?,
        })
    }
}

impl Slow {
    /// More than a compiler is ever given: so many copies of all locals it would have to keep.
    fn is_too_much(&self) -> bool {
        self.loops * self.locals > 150_000
    }

    /// A compiler does it at once.
    fn is_little(&self) -> bool {
        self.functions * (self.loops + 1) * self.locals < 10_000 && self.loops < 4_000
    }

    fn bytes(&self) -> Vec<u8> {
        let module = bombs::many(self.functions, self.loops, self.locals);
        [FIVE_MINUTES.component, &module[HEADER..]].concat()
    }
}

/// As it was shipped.
const OLDER: &[u8] = include_bytes!("../../policies/0.1/five-minutes.wasm");

/// Bytes before a component's first section.
const HEADER: usize = 8;

/// A change to a component's bytes.
#[derive(Debug)]
enum Edit {
    Set { at: u16, to: u8 },
    Flip { at: u16, bit: u8 },
    Insert { at: u16, bytes: Vec<u8> },
    Remove { at: u16, length: u8 },
    Copy { from: u16, length: u16, to: u16 },
    Cut { at: u16 },
}

impl<'a> Arbitrary<'a> for File {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        Ok(if u.ratio(1, 4)? {
            let mut bytes = b"\0asm\x0d\0\x01\0".to_vec();
            if u.ratio(1, 8)? {
                bytes.clear();
            }
            bytes.extend(u.bytes(u.len())?);
            File::Bytes(bytes)
        } else {
            let edits = u.arbitrary()?;
            // Last: what earlier inputs mean stays the same.
            match u.arbitrary()? {
                Some(slow) => File::Slow(slow),
                None if u.arbitrary()? => File::Older(edits),
                None => File::Component(edits),
            }
        })
    }
}

impl<'a> Arbitrary<'a> for Edit {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let at = u.arbitrary()?;
        Ok(match u.int_in_range(0..=7)? {
            0..=2 => Edit::Set {
                at,
                to: u.arbitrary()?,
            },
            3 => Edit::Flip {
                at,
                bit: u.arbitrary()?,
            },
            4 => Edit::Insert {
                at,
                bytes: u.arbitrary()?,
            },
            5 => Edit::Remove {
                at,
                length: u.arbitrary()?,
            },
            6 => Edit::Copy {
                from: at,
                length: u.arbitrary()?,
                to: u.arbitrary()?,
            },
            _ => Edit::Cut { at },
        })
    }
}

impl Edit {
    fn apply(&self, bytes: &mut Vec<u8>) {
        let within = |at: u16| usize::from(at) % bytes.len().max(1);
        match self {
            _ if bytes.is_empty() => {}
            Edit::Set { at, to } => {
                let at = within(*at);
                bytes[at] = *to;
            }
            Edit::Flip { at, bit } => {
                let at = within(*at);
                bytes[at] ^= 1 << (bit % 8);
            }
            Edit::Insert { at, bytes: new } => {
                let at = within(*at);
                bytes.splice(at..at, new.iter().copied());
            }
            Edit::Remove { at, length } => {
                let at = within(*at);
                let end = bytes.len().min(at + usize::from(*length));
                bytes.drain(at..end);
            }
            Edit::Copy { from, length, to } => {
                let (from, to) = (within(*from), within(*to));
                let end = bytes.len().min(from + usize::from(*length));
                let part = bytes[from..end].to_vec();
                bytes.splice(to..to, part);
            }
            Edit::Cut { at } => {
                let at = within(*at);
                bytes.truncate(at);
            }
        }
    }
}

fn edited(component: &[u8], edits: &[Edit]) -> Vec<u8> {
    let mut bytes = component.to_vec();
    for edit in edits {
        edit.apply(&mut bytes);
    }
    bytes
}

fuzz_target!(|file: File| {
    let bytes = match file {
        File::Bytes(bytes) => bytes,
        File::Component(edits) => edited(FIVE_MINUTES.component, &edits),
        File::Older(edits) => edited(OLDER, &edits),
        File::Slow(slow) => {
            let bytes = slow.bytes();
            let checked = Boundary::read(&bytes).and_then(|it| it.check());
            assert!(checked.is_err() || !slow.is_too_much(), "{slow:?}");
            assert!(checked.is_ok() || !slow.is_little(), "{slow:?}");
            if !slow.is_little() {
                // Between the two a child decides, by what it may use.
                return;
            }
            bytes
        }
    };
    let read = Boundary::read(&bytes).and_then(|it| it.check());
    match SANDBOX.load(&bytes) {
        Ok(policy) => {
            let contract = read.expect("what is loaded can be read");
            assert_eq!(policy.contract(), contract);
            call(&policy);
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
});

/// Whatever it answers, it answers.
fn call(policy: &lifeline_sandbox::Policy) {
    let state = State {
        phase: Phase::Connected,
        seen: 0,
        memo: Vec::new(),
    };
    let moment = Moment::at(0);
    for call in [Call::Start, Call::Tick] {
        if let Err(error) = policy.call(&call, &state, &moment) {
            assert!(!error.to_string().is_empty());
        }
    }
}
