//! What has happened in a day, one line each: their hash, and the last ones.

use std::collections::VecDeque;
use std::fmt;
use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::Instant;

/// So many lines are kept, for whoever has to find out what went wrong.
const KEPT: usize = 40;
/// FNV-1a.
const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0100_0000_01b3;

struct Lines {
    begun: Instant,
    hash: u64,
    count: u64,
    last: VecDeque<String>,
    aloud: bool,
}

/// Clones are the same trace.
#[derive(Clone)]
pub(super) struct Trace(Arc<Mutex<Lines>>);

impl Trace {
    /// From now on. `aloud`: each line goes to stdout, too.
    pub fn begin(aloud: bool) -> Self {
        Trace(Arc::new(Mutex::new(Lines {
            begun: Instant::now(),
            hash: OFFSET,
            count: 0,
            last: VecDeque::new(),
            aloud,
        })))
    }

    pub fn tell(&self, what: fmt::Arguments<'_>) {
        let mut lines = self.0.lock().unwrap();
        let line = format!("{} {what}", at(lines.begun.elapsed()));
        for byte in line.bytes() {
            lines.hash = (lines.hash ^ u64::from(byte)).wrapping_mul(PRIME);
        }
        lines.count += 1;
        if lines.aloud {
            // Past the test runner, which would keep it until the end.
            writeln!(std::io::stdout(), "{line}").unwrap();
        }
        if lines.last.len() == KEPT {
            lines.last.pop_front();
        }
        lines.last.push_back(line);
    }

    /// Milliseconds.
    pub fn now(&self) -> u64 {
        crate::clock::as_millis(self.0.lock().unwrap().begun.elapsed())
    }

    /// Milliseconds, of some instant of the day.
    pub fn when(&self, instant: Instant) -> u64 {
        let begun = self.0.lock().unwrap().begun;
        crate::clock::as_millis(instant.saturating_duration_since(begun))
    }

    pub fn instant(&self, millis: u64) -> Instant {
        self.0.lock().unwrap().begun + Duration::from_millis(millis)
    }

    /// Of all lines, and how many there are.
    pub fn digest(&self) -> (u64, u64) {
        let lines = self.0.lock().unwrap();
        (lines.hash, lines.count)
    }

    pub fn last(&self) -> String {
        let lines = self.0.lock().unwrap();
        let last: Vec<&str> = lines.last.iter().map(String::as_str).collect();
        last.join("\n")
    }
}

/// As a clock shows it.
pub(super) fn at(since: Duration) -> String {
    let seconds = since.as_secs();
    format!(
        "{:02}:{:02}:{:02}.{:03}",
        seconds / 3_600,
        seconds / 60 % 60,
        seconds % 60,
        since.subsec_millis()
    )
}
