//! The policy that the server has sent, kept over a restart.
//!
//! Two files in a folder of the user's own, named after the server, for a folder may be shared: the
//! component, and a record that names its digest. That one is written last, whole or not at all;
//! what it does not name does not count.

use lifeline_files::{Links, Readers, Synced, make_private_folder, open_to_read, replace};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fs;
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

/// A record is short; whatever else stands in its place is not read to its end.
const RECORD_MAX: u64 = 64 << 10;

/// Where it is kept. For one server: another one's policy is none of ours.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    folder: PathBuf,
    server: String,
}

#[derive(Serialize, Deserialize)]
struct Record {
    sha256: String,
    server: String,
}

/// What is kept.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Kept {
    pub path: PathBuf,
    /// As it was when it was sent.
    pub sha256: String,
}

impl Store {
    /// Nothing is touched yet.
    pub fn new(folder: PathBuf, server: String) -> Self {
        Store { folder, server }
    }

    /// What this server has sent last.
    pub fn kept(&self) -> io::Result<Option<Kept>> {
        let record = match open_to_read(&self.record(), Links::Followed) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            file => {
                let mut text = Vec::new();
                file?.take(RECORD_MAX).read_to_end(&mut text)?;
                serde_json::from_slice::<Record>(&text)?
            }
        };
        if record.server != self.server {
            return Ok(None);
        }
        let is_digest = record.sha256.len() == 64 && hex::decode(&record.sha256).is_ok();
        if !is_digest {
            // It becomes a part of a path.
            return Err(io::Error::new(ErrorKind::InvalidData, "no digest in it"));
        }
        Ok(Some(Kept {
            path: self.component(&record.sha256),
            sha256: record.sha256,
        }))
    }

    /// Keeps this one, and no other.
    pub fn keep(&self, sha256: &str, bytes: &[u8]) -> io::Result<()> {
        make_private_folder(&self.folder)?;
        let record = Record {
            sha256: sha256.into(),
            server: self.server.clone(),
        };
        write(&self.component(sha256), bytes)?;
        write(&self.record(), &serde_json::to_vec(&record)?)?;
        self.sweep(Some(sha256));
        Ok(())
    }

    /// The way back: from now on nothing is kept.
    pub fn forget(&self) -> io::Result<()> {
        match fs::remove_file(self.record()) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        self.sweep(None);
        Ok(())
    }

    fn record(&self) -> PathBuf {
        self.folder.join(format!("{}.json", self.prefix()))
    }

    fn component(&self, sha256: &str) -> PathBuf {
        self.folder.join(format!("{}-{sha256}.wasm", self.prefix()))
    }

    fn prefix(&self) -> String {
        let server = hex::encode(Sha256::digest(&self.server));
        format!("pushed-{:.16}", server)
    }

    /// Components that nobody names any more.
    fn sweep(&self, but: Option<&str>) {
        let stays = but.map(|sha256| self.component(sha256));
        for entry in fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let name = entry.file_name();
            let name = name.to_string_lossy();
            // Drafts, too, of a process that has died.
            let ours = name.starts_with(&self.prefix()) && !name.ends_with(".json");
            if ours && Some(&path) != stays.as_ref() {
                // It only takes room.
                let _ = fs::remove_file(&path);
            }
        }
    }
}

/// For this user alone, and on the disk.
fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    replace(path, &[content], Readers::Owner, Synced::Yes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store(folder: &tempfile::TempDir, server: &str) -> Store {
        Store::new(folder.path().join("deep"), server.into())
    }

    fn digest(digit: &str) -> String {
        digit.repeat(64)
    }

    #[test]
    fn one_is_kept_until_it_is_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(&folder, "ws://h/");
        assert_eq!(store.kept().unwrap(), None);
        store.keep(&digest("1"), b"one").unwrap();
        store.keep(&digest("2"), b"two").unwrap();
        let kept = store.kept().unwrap().unwrap();
        assert_eq!(fs::read(&kept.path).unwrap(), b"two");
        assert_eq!(kept.sha256, digest("2"));
        assert_eq!(fs::read_dir(&store.folder).unwrap().count(), 2);
        store.forget().unwrap();
        store.forget().unwrap();
        assert_eq!(store.kept().unwrap(), None);
        assert_eq!(fs::read_dir(&store.folder).unwrap().count(), 0);
    }

    #[test]
    fn another_servers_policy_is_not_ours() {
        let folder = tempfile::tempdir().unwrap();
        store(&folder, "ws://a/")
            .keep(&digest("1"), b"one")
            .unwrap();
        assert_eq!(store(&folder, "ws://b/").kept().unwrap(), None);
        assert!(store(&folder, "ws://a/").kept().unwrap().is_some());
    }

    #[test]
    fn a_record_that_names_a_path_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(&folder, "s");
        store.keep(&digest("1"), b"one").unwrap();
        for text in [r#"{"sha256": "../../x", "server": "s"}"#, "{", "[]"] {
            fs::write(store.record(), text).unwrap();
            store.kept().unwrap_err();
        }
    }
}
