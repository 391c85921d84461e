//! The entry of an outage that lasts, in a file of its own that its process holds locked.

use super::entry::{Entry, Outcome};
use super::file::{Journal, JournalError, lines, open, sync_folder};
use lifeline_files::{Links, unless_lost};
use std::collections::HashSet;
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// An empty file may be one that its process is about to lock.
const JUST_MADE: Duration = Duration::from_secs(60);

/// Bytes after which such a file is begun again.
const LONG: u64 = 256 << 10;

/// What comes between the journal's name and the id.
const MARK: &str = ".open-";

/// The path with something added to its name.
pub(crate) fn beside(path: &Path, addition: &str) -> PathBuf {
    let mut name: OsString = path.as_os_str().to_owned();
    name.push(addition);
    PathBuf::from(name)
}

/// One such file.
pub(super) struct OpenEntry {
    path: PathBuf,
    file: File,
}

impl OpenEntry {
    /// Ours until it is dropped.
    pub fn begin(journal: &Journal, id: &str) -> io::Result<Self> {
        let path = beside(journal.path(), &format!("{MARK}{id}"));
        let file = open(&path)?;
        // On a mount without locks it is nobody's: no other process adopts it there.
        if let Err(TryLockError::WouldBlock) = file.try_lock() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        Ok(OpenEntry { path, file })
    }

    /// How things stand now. The last line counts, so the older ones may go.
    pub fn note(&mut self, entry: &Entry) -> io::Result<()> {
        let mut text = serde_json::to_vec(entry)?;
        text.push(b'\n');
        if self.file.metadata()?.len() > LONG {
            self.file.set_len(0)?;
        }
        self.file.write_all(&text)?;
        unless_lost(self.file.sync_data())
    }

    /// The outage stands in the journal.
    pub fn remove(self) {
        // One that stays is removed by the next start, which finds its end in the journal.
        let _ = fs::remove_file(&self.path).and_then(|()| sync_folder(&self.path));
    }
}

/// Writes down what dead processes have left behind. How many there were.
pub(super) fn adopt(journal: &Journal) -> Result<usize, JournalError> {
    let mut adopted = 0;
    let left = left_behind(journal);
    if left.is_empty() {
        return Ok(0);
    }
    let ended: HashSet<String> = journal
        .read()
        .into_iter()
        .filter(|(entry, _)| entry.outcome != Outcome::Interrupted)
        .map(|(entry, _)| entry.id)
        .collect();
    for path in left {
        // Network file systems lock only what is open for writing.
        let mut options = OpenOptions::new();
        options.read(true).write(true);
        let Ok(file) = lifeline_files::open(options, &path, Links::Refused) else {
            continue;
        };
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock | TryLockError::Error(_)) => continue,
        }
        let last = lines(&path)
            .into_iter()
            .filter_map(|line| serde_json::from_value::<Entry>(line).ok())
            .next_back();
        match last {
            Some(entry) if ended.contains(&entry.id) => {}
            Some(mut entry) => {
                entry.outcome = Outcome::Interrupted;
                journal.append(&entry)?;
                adopted += 1;
            }
            None if is_new(&file) => continue,
            None => {}
        }
        // It is in the journal, or there was nothing in it.
        let _ = fs::remove_file(&path);
    }
    Ok(adopted)
}

fn is_new(file: &File) -> bool {
    file.metadata()
        .and_then(|found| found.modified())
        .is_ok_and(|at| at.elapsed().is_ok_and(|age| age < JUST_MADE))
}

fn left_behind(journal: &Journal) -> Vec<PathBuf> {
    let (Some(folder), Some(name)) = (journal.path().parent(), journal.path().file_name()) else {
        return Vec::new();
    };
    let start = beside(Path::new(name), MARK);
    let start = start.to_string_lossy();
    let Ok(found) = fs::read_dir(folder) else {
        return Vec::new();
    };
    found
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| {
            path.file_name()
                .is_some_and(|name| name.to_string_lossy().starts_with(start.as_ref()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::entry::tests::entry;
    use super::*;

    #[test]
    fn what_a_dead_process_left_is_written_down_once() {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::new(folder.path().join("journal.jsonl"));
        let mut mine = OpenEntry::begin(&journal, "a").unwrap();
        let mut noted = entry("a");
        mine.note(&noted).unwrap();
        noted.attempts = 3;
        mine.note(&noted).unwrap();
        assert_eq!(adopt(&journal).unwrap(), 0, "its process lives");
        mine.file.write_all(b"{\"schema\":1,\"ty").unwrap();
        drop(mine);
        assert_eq!(adopt(&journal).unwrap(), 1);
        assert_eq!(adopt(&journal).unwrap(), 0);
        let (read, _) = journal.read().remove(0);
        assert_eq!((read.outcome, read.attempts), (Outcome::Interrupted, 3));
        assert!(left_behind(&journal).is_empty());
    }

    #[test]
    fn an_end_that_stands_in_the_journal_stays() {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::new(folder.path().join("journal.jsonl"));
        let mut mine = OpenEntry::begin(&journal, "a").unwrap();
        mine.note(&entry("a")).unwrap();
        journal.append(&entry("a")).unwrap();
        drop(mine); // killed before the file was removed
        assert_eq!(adopt(&journal).unwrap(), 0);
        assert_eq!(journal.read()[0].0.outcome, Outcome::Quit);
        assert!(left_behind(&journal).is_empty());
    }

    #[test]
    fn a_long_outage_does_not_fill_the_disk() {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::new(folder.path().join("journal.jsonl"));
        let mut mine = OpenEntry::begin(&journal, "a").unwrap();
        let mut noted = entry("a");
        for attempts in 0..2_000 {
            noted.attempts = attempts;
            mine.note(&noted).unwrap();
        }
        assert!(mine.file.metadata().unwrap().len() <= LONG + 4_096);
        drop(mine);
        adopt(&journal).unwrap();
        assert_eq!(journal.read()[0].0.attempts, 1_999);
    }

    #[test]
    fn a_file_that_is_just_being_made_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::new(folder.path().join("journal.jsonl"));
        drop(OpenEntry::begin(&journal, "a").unwrap());
        assert_eq!(adopt(&journal).unwrap(), 0);
        assert_eq!(left_behind(&journal).len(), 1);
    }
}
