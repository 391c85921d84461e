//! The journal's files: `journal.jsonl`, and before it `journal.jsonl.1` and `.2`.

use super::entry::{Acknowledged, Entry};
use super::policy::PolicyLine;
use lifeline_files::{Links, unless_lost};
use serde::Serialize;
use serde_json::Value;
use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use thiserror::Error;

/// A file that has grown beyond this is rotated.
const ROTATE_AT: u64 = 1 << 20;
/// On some mounts a file has another number at each look, and is never the one that it was.
const LOOKS: u32 = 10;
/// How many older files are kept.
const KEPT: u32 = 2;
/// A reader takes no more of a file than this: somebody else may have made it.
const READ_MAX: u64 = 8 << 20;
/// Nobody wants reports of more outages than this at once; the newest count.
const PENDING_MAX: usize = 50;

/// Why something was not written down.
#[derive(Debug, Error)]
pub enum JournalError {
    /// The system refuses.
    #[error("the journal {path} cannot be written: {source}")]
    Io {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A device, a pipe, a link.
    #[error("the journal {0} is not an ordinary file: name another in CR8_JOURNAL")]
    NotAFile(PathBuf),
}

/// A journal at a path, which several processes may share.
#[derive(Clone, Debug)]
pub struct Journal {
    path: PathBuf,
}

impl Journal {
    /// Nothing is touched yet.
    pub fn new(path: PathBuf) -> Self {
        // A bare name has no folder to look into.
        let path = std::path::absolute(&path).unwrap_or(path);
        Journal { path }
    }

    /// Makes its folder, for the user alone.
    pub fn prepare(&self) -> Result<(), JournalError> {
        make_folder(&self.path).map_err(|source| JournalError::Io {
            path: self.path.clone(),
            source,
        })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes an entry down, for good: when this returns it is on the disk.
    pub fn append(&self, entry: &Entry) -> Result<(), JournalError> {
        self.write(entry)
    }

    /// Writes down who decides, or why not another one.
    pub fn policy(&self, line: &PolicyLine) -> Result<(), JournalError> {
        self.write(line)
    }

    /// The server has the entry of this id.
    pub fn acknowledge(&self, id: &str) -> Result<(), JournalError> {
        self.write(&Acknowledged::now(id.to_string()))
    }

    /// The entries, oldest first, each as it was written last; with whether the server has it.
    pub fn read(&self) -> Vec<(Entry, bool)> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut acknowledged = HashSet::new();
        for number in (0..=KEPT).rev() {
            for line in lines(&self.numbered(number)) {
                let kind = line.get("type").and_then(Value::as_str);
                if kind == Some(Acknowledged::TYPE) {
                    let id = line.get("id").and_then(Value::as_str);
                    acknowledged.extend(id.map(str::to_string));
                } else if let Ok(entry) = serde_json::from_value::<Entry>(line) {
                    entries.retain(|known| known.id != entry.id);
                    // The server has seen the earlier line, if any.
                    acknowledged.remove(&entry.id);
                    entries.push(entry);
                }
            }
        }
        entries
            .into_iter()
            .map(|entry| {
                let known = acknowledged.contains(&entry.id);
                (entry, known)
            })
            .collect()
    }

    /// What the server does not know yet of this user's clean-ups, oldest first.
    pub fn pending(&self, username: &str) -> Vec<Entry> {
        let mut pending: Vec<Entry> = self
            .read()
            .into_iter()
            .filter(|(entry, acknowledged)| {
                !acknowledged && entry.username == username && entry.safe.is_some()
            })
            .map(|(entry, _)| entry)
            .collect();
        pending.drain(..pending.len().saturating_sub(PENDING_MAX));
        pending
    }

    /// The last outage of this user's Blenders in which anything was to be saved, else the last.
    pub fn last(&self, username: &str) -> Option<Entry> {
        let entries = self.read().into_iter().map(|(entry, _)| entry);
        let mut own: Vec<Entry> = entries.filter(|entry| entry.username == username).collect();
        match own.iter().rposition(|entry| entry.safe.is_some()) {
            Some(at) => Some(own.swap_remove(at)),
            None => own.pop(),
        }
    }

    fn write(&self, line: &impl Serialize) -> Result<(), JournalError> {
        self.try_write(line).map_err(|source| {
            if source.kind() == io::ErrorKind::InvalidInput {
                JournalError::NotAFile(self.path.clone())
            } else {
                JournalError::Io {
                    path: self.path.clone(),
                    source,
                }
            }
        })
    }

    fn try_write(&self, line: &impl Serialize) -> io::Result<()> {
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        let mut file = self.locked()?;
        if file.metadata()?.len() > ROTATE_AT {
            self.rotate()?;
            file = self.locked()?;
        }
        if ends_torn(&mut file)? {
            text.insert(0, b'\n');
        }
        file.write_all(&text)?;
        unless_lost(file.sync_all())?;
        sync_folder(&self.path)
    }

    /// The file, ours alone until it is dropped, where there are locks: a line is written at once.
    fn locked(&self) -> io::Result<File> {
        let mut file = open(&self.path)?;
        for _ in 0..LOOKS {
            // A mount without locks.
            if file.lock().is_err() {
                break;
            }
            // Another process may have rotated it away before the lock was ours.
            if is_still(&file, &self.path)? {
                break;
            }
            file = open(&self.path)?;
        }
        Ok(file)
    }

    fn rotate(&self) -> io::Result<()> {
        for number in (0..KEPT).rev() {
            match fs::rename(self.numbered(number), self.numbered(number + 1)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    fn numbered(&self, number: u32) -> PathBuf {
        match number {
            0 => self.path.clone(),
            _ => super::open::beside(&self.path, &format!(".{number}")),
        }
    }
}

/// For appending; private to the user; never a device, nor through a link.
pub(super) fn open(path: &Path) -> io::Result<File> {
    make_folder(path)?;
    let mut options = OpenOptions::new();
    options.read(true).append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    lifeline_files::open(options, path, Links::Refused)
}

fn make_folder(path: &Path) -> io::Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.exists()) {
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(folder)?;
    }
    Ok(())
}

fn is_still(file: &File, path: &Path) -> io::Result<bool> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let ours = file.metadata()?;
        match fs::metadata(path) {
            Ok(found) => Ok((found.dev(), found.ino()) == (ours.dev(), ours.ino())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }
    #[cfg(not(unix))]
    {
        // Here a file that is open cannot be renamed.
        let _ = (file, path);
        Ok(true)
    }
}

fn ends_torn(file: &mut File) -> io::Result<bool> {
    if file.seek(SeekFrom::End(0))? == 0 {
        return Ok(false);
    }
    file.seek(SeekFrom::End(-1))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    Ok(last != *b"\n")
}

/// A new name is safe only when its folder is.
pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    if let Some(folder) = path.parent().filter(|it| !it.as_os_str().is_empty()) {
        // One that cannot be read may be written to.
        #[expect(
            clippy::disallowed_methods,
            reason = "a folder, of which nothing is read"
        )]
        if let Ok(folder) = File::open(folder) {
            unless_lost(folder.sync_all())?;
        }
    }
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

/// The whole lines of a file that are JSON objects; none if it cannot be read.
pub(super) fn lines(path: &Path) -> Vec<Value> {
    let mut text = Vec::new();
    let read = lifeline_files::open_to_read(path, Links::Refused)
        .and_then(|file| file.take(READ_MAX).read_to_end(&mut text))
        .is_ok();
    if !read {
        return Vec::new();
    }
    text.split(|byte| *byte == b'\n')
        .filter_map(|line| serde_json::from_slice(line).ok())
        .filter(Value::is_object)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::entry::tests::entry;
    use super::*;

    fn journal(folder: &tempfile::TempDir) -> Journal {
        Journal::new(folder.path().join("deep/er/journal.jsonl"))
    }

    fn ids(entries: &[Entry]) -> Vec<&str> {
        entries.iter().map(|entry| entry.id.as_str()).collect()
    }

    #[test]
    fn what_is_written_can_be_read() {
        let folder = tempfile::tempdir().unwrap();
        let journal = journal(&folder);
        journal.append(&entry("a")).unwrap();
        journal.append(&entry("b")).unwrap();
        let mut later = entry("a");
        later.attempts = 9;
        journal.append(&later).unwrap();
        journal.acknowledge("b").unwrap();
        journal.acknowledge("a").unwrap();
        journal.append(&later).unwrap(); // changed since the server has seen it
        assert_eq!(
            journal.read(),
            [(entry_of(&journal, "b"), true), (later, false)]
        );
    }

    fn entry_of(journal: &Journal, id: &str) -> Entry {
        let found = journal.read().into_iter().find(|(it, _)| it.id == id);
        found.unwrap().0
    }

    #[test]
    fn a_torn_line_is_read_past_and_not_written_on() {
        let folder = tempfile::tempdir().unwrap();
        let journal = journal(&folder);
        journal.append(&entry("a")).unwrap();
        let whole = fs::read(journal.path()).unwrap();
        fs::write(
            journal.path(),
            [&whole[..], &whole[..whole.len() / 2]].concat(),
        )
        .unwrap();
        journal.append(&entry("b")).unwrap();
        assert_eq!(ids(&journal.pending("ann")), ["a", "b"]);
    }

    #[test]
    fn pending_is_what_this_user_saved_and_the_server_does_not_know() {
        let folder = tempfile::tempdir().unwrap();
        let journal = journal(&folder);
        let mut other = entry("other");
        other.username = "bob".into();
        let mut nothing = entry("nothing");
        nothing.safe = None;
        for entry in [&entry("known"), &other, &nothing, &entry("new")] {
            journal.append(entry).unwrap();
        }
        journal.acknowledge("known").unwrap();
        assert_eq!(ids(&journal.pending("ann")), ["new"]);
    }

    #[test]
    fn the_last_one_is_this_users_newest() {
        let folder = tempfile::tempdir().unwrap();
        let journal = journal(&folder);
        assert_eq!(journal.last("ann"), None);
        let mut other = entry("other");
        other.username = "bob".into();
        for entry in [&entry("older"), &entry("newer"), &other] {
            journal.append(entry).unwrap();
        }
        let last = |user| journal.last(user).map(|entry| entry.id);
        assert_eq!(last("ann").as_deref(), Some("newer"));
        // One in which nothing was to be saved tells nobody where the work is.
        let mut hiccup = entry("hiccup");
        hiccup.safe = None;
        journal.append(&hiccup).unwrap();
        assert_eq!(last("ann").as_deref(), Some("newer"));
        hiccup.username = "eve".into();
        journal.append(&hiccup).unwrap();
        assert_eq!(last("eve").as_deref(), Some("hiccup"));
    }

    #[test]
    fn a_large_file_is_rotated_and_still_read() {
        let folder = tempfile::tempdir().unwrap();
        let journal = journal(&folder);
        journal.append(&entry("old")).unwrap();
        let mut long = entry("long");
        long.detail = Some("x".repeat(ROTATE_AT as usize));
        journal.append(&long).unwrap();
        journal.append(&entry("new")).unwrap();
        assert!(fs::metadata(journal.path()).unwrap().len() < 2_000);
        assert_eq!(ids(&journal.pending("ann")), ["old", "long", "new"]);
        for _ in 0..5 {
            journal.append(&long).unwrap();
        }
        assert!(!journal.numbered(KEPT + 1).exists());
    }

    #[cfg(unix)]
    #[test]
    fn it_is_private() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let journal = journal(&folder);
        journal.append(&entry("a")).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(journal.path()), 0o600);
        assert_eq!(mode(journal.path().parent().unwrap()), 0o700);
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_ordinary_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.jsonl");
        std::os::unix::fs::symlink(folder.path().join("elsewhere"), &path).unwrap();
        let error = Journal::new(path).append(&entry("a")).unwrap_err();
        assert!(matches!(error, JournalError::NotAFile(_)), "{error}");
        assert!(!folder.path().join("elsewhere").exists());
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_named() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("deep"), "a file").unwrap();
        let error = journal(&folder).append(&entry("a")).unwrap_err();
        assert!(
            error
                .to_string()
                .contains("journal.jsonl cannot be written"),
            "{error}"
        );
    }
}
