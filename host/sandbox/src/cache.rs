//! Compiled policies, kept in the user's cache folder.
//!
//! What is loaded from here runs as machine code, outside the sandbox. So the folder and its files
//! must belong to this user alone, and each entry carries a MAC over its name and content, made
//! with a key that lies beside it: an entry that was altered, renamed or brought there is not
//! loaded, but compiled anew.

use hmac::{Hmac, Mac};
use lifeline_files::{DRAFT, Links, Readers, Synced, make_private_folder, open_to_read, replace};
use sha2::Sha256;
use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use thiserror::Error;

const KEY: &str = "key";
const KEY_BYTES: usize = 32;
const MAC_BYTES: usize = 32;
const SUFFIX: &str = "cwasm";
/// All entries together; the oldest go first.
const TOTAL: u64 = 512 << 20;
/// A single entry is read into memory.
const ENTRY: u64 = 256 << 20;
/// Drafts older than this are of a process that has died (seconds).
const DRAFT_AGE: u64 = 3_600;
/// Write permission for anybody else.
const OTHERS_WRITE: u32 = 0o022;
/// Any permission for anybody else.
const OTHERS_ANY: u32 = 0o077;

/// Why an entry was not used, or not kept.
#[derive(Debug, Error)]
pub enum CacheError {
    /// The system refuses.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// Somebody else could have written it.
    #[error("{0} is not this user's alone")]
    NotPrivate(PathBuf),
    /// It is not what was written here.
    #[error("{0} was altered, or comes from elsewhere")]
    Foreign(PathBuf),
    /// Larger than any policy's code.
    #[error("it has more than {ENTRY} bytes")]
    TooLarge,
}

/// A folder of compiled policies.
#[derive(Clone, Debug)]
pub struct Cache {
    folder: PathBuf,
}

impl Cache {
    /// Nothing is touched yet.
    pub fn new(folder: PathBuf) -> Self {
        Cache { folder }
    }

    /// `cr8_lifeline/policies` in the user's cache folder; None: the environment names none.
    pub fn user() -> Option<Self> {
        let set = |name| {
            std::env::var_os(name)
                .map(PathBuf::from)
                .filter(|path| path.is_absolute())
        };
        let base = set("XDG_CACHE_HOME").or_else(|| Some(set("HOME")?.join(".cache")))?;
        Some(Cache::new(base.join("cr8_lifeline").join("policies")))
    }

    /// The entry of this name; None: there is none.
    pub(crate) fn get(&self, name: &str) -> Result<Option<Vec<u8>>, CacheError> {
        let path = self.entry(name);
        let file = match open_private(&path) {
            Err(CacheError::Io(error)) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(None);
            }
            other => other?,
        };
        self.check_folder()?;
        let mut content = Vec::new();
        file.take(ENTRY + 1).read_to_end(&mut content)?;
        if content.len() as u64 > ENTRY {
            return Err(CacheError::TooLarge);
        }
        let key = read_key(&self.folder.join(KEY))?;
        let Some((tag, code)) = content.split_at_checked(MAC_BYTES) else {
            return Err(CacheError::Foreign(path));
        };
        mac(&key, name, code)
            .verify_slice(tag)
            .map_err(|_| CacheError::Foreign(path))?;
        content.drain(..MAC_BYTES);
        Ok(Some(content))
    }

    /// Keeps an entry; one of the same name is replaced.
    pub(crate) fn put(&self, name: &str, code: &[u8]) -> Result<(), CacheError> {
        if code.len() as u64 + MAC_BYTES as u64 > ENTRY {
            return Err(CacheError::TooLarge);
        }
        make_private_folder(&self.folder)?;
        self.check_folder()?;
        let key = self.key()?;
        let tag = mac(&key, name, code).finalize().into_bytes();
        replace(&self.entry(name), &[&tag, code], Readers::Owner, Synced::No)?;
        self.prune(&self.entry(name));
        Ok(())
    }

    fn entry(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.{SUFFIX}"))
    }

    fn check_folder(&self) -> Result<(), CacheError> {
        let found = fs::symlink_metadata(&self.folder)?;
        if found.is_dir() && is_ours(&found) && found.mode() & OTHERS_WRITE == 0 {
            Ok(())
        } else {
            Err(CacheError::NotPrivate(self.folder.clone()))
        }
    }

    /// Drawn at the first use. One that somebody else could know is replaced, and what was made
    /// with it is compiled anew.
    fn key(&self) -> Result<[u8; KEY_BYTES], CacheError> {
        let path = self.folder.join(KEY);
        if let Ok(key) = read_key(&path) {
            return Ok(key);
        }
        let mut key = [0; KEY_BYTES];
        getrandom::fill(&mut key).map_err(|error| io::Error::other(error.to_string()))?;
        replace(&path, &[&key], Readers::Owner, Synced::No)?;
        // Of two processes that draw one at once, the later one's counts.
        read_key(&path)
    }

    /// The oldest entries go until the rest has room; `newest` stays.
    fn prune(&self, newest: &Path) {
        let Ok(listing) = fs::read_dir(&self.folder) else {
            return;
        };
        let mut entries: Vec<(SystemTime, u64, PathBuf)> = listing
            .filter_map(|entry| {
                let entry = entry.ok()?;
                let found = entry.metadata().ok()?;
                let path = entry.path();
                let age = SystemTime::now().duration_since(found.modified().ok()?);
                let is_old = age.is_ok_and(|age| age.as_secs() > DRAFT_AGE);
                if is_old && entry.file_name().to_string_lossy().contains(DRAFT) {
                    // It only takes room.
                    let _ = fs::remove_file(&path);
                }
                let is_entry = path.extension().is_some_and(|it| it == SUFFIX);
                is_entry.then_some((found.modified().ok()?, found.len(), path))
            })
            .collect();
        entries.sort();
        let mut total: u64 = entries.iter().map(|(_, size, _)| size).sum();
        for (_, size, path) in entries {
            if total <= TOTAL {
                return;
            }
            // One that another process has removed is gone as well.
            if path != newest && fs::remove_file(&path).is_ok() {
                total -= size;
            }
        }
    }
}

fn mac(key: &[u8; KEY_BYTES], name: &str, code: &[u8]) -> Hmac<Sha256> {
    // Any length of key will do: there is no error to be had.
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap_or_else(|_| unreachable!());
    mac.update(name.as_bytes());
    mac.update(b"\0");
    mac.update(code);
    mac
}

fn read_key(path: &Path) -> Result<[u8; KEY_BYTES], CacheError> {
    let mut key = [0; KEY_BYTES];
    let mut file = open_private(path)?;
    file.read_exact(&mut key)?;
    Ok(key)
}

/// No link, no pipe, and nobody else's.
fn open_private(path: &Path) -> Result<File, CacheError> {
    let file = open_to_read(path, Links::Refused).map_err(|error| match error.kind() {
        io::ErrorKind::InvalidInput => CacheError::NotPrivate(path.to_path_buf()),
        _ => CacheError::Io(error),
    })?;
    let found = file.metadata()?;
    if is_ours(&found) && found.mode() & OTHERS_ANY == 0 {
        Ok(file)
    } else {
        Err(CacheError::NotPrivate(path.to_path_buf()))
    }
}

fn is_ours(found: &Metadata) -> bool {
    // SAFETY: it has no arguments, and cannot fail.
    found.uid() == unsafe { libc::geteuid() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{OpenOptions, Permissions};
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn cache() -> (tempfile::TempDir, Cache) {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::new(folder.path().join("deep/policies"));
        (folder, cache)
    }

    #[test]
    fn what_was_kept_is_found() {
        let (_folder, cache) = cache();
        assert!(cache.get("a").unwrap().is_none());
        cache.put("a", b"code").unwrap();
        assert_eq!(cache.get("a").unwrap().unwrap(), b"code");
        cache.put("a", b"other").unwrap();
        assert_eq!(cache.get("a").unwrap().unwrap(), b"other");
        let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o777;
        assert_eq!(mode(&cache.folder), 0o700);
        assert_eq!(mode(&cache.entry("a")), 0o600);
        assert_eq!(mode(&cache.folder.join(KEY)), 0o600);
    }

    #[test]
    fn an_altered_entry_is_refused() {
        let (_folder, cache) = cache();
        cache.put("a", b"code").unwrap();
        let path = cache.entry("a");
        let whole = fs::read(&path).unwrap();
        for at in [0, MAC_BYTES, whole.len() - 1] {
            let mut bytes = whole.clone();
            bytes[at] ^= 1;
            fs::write(&path, bytes).unwrap();
            assert!(
                matches!(cache.get("a"), Err(CacheError::Foreign(_))),
                "{at}"
            );
        }
        fs::write(&path, &whole[..10]).unwrap();
        assert!(matches!(cache.get("a"), Err(CacheError::Foreign(_))));
    }

    #[test]
    fn an_entry_under_another_name_is_refused() {
        let (_folder, cache) = cache();
        cache.put("a", b"code").unwrap();
        fs::rename(cache.entry("a"), cache.entry("b")).unwrap();
        assert!(matches!(cache.get("b"), Err(CacheError::Foreign(_))));
    }

    #[test]
    fn an_entry_from_another_cache_is_refused() {
        let ((_one, here), (_two, there)) = (cache(), cache());
        here.put("a", b"code").unwrap();
        there.put("a", b"code").unwrap();
        fs::copy(there.entry("a"), here.entry("a")).unwrap();
        assert!(matches!(here.get("a"), Err(CacheError::Foreign(_))));
    }

    #[test]
    fn what_others_may_write_or_read_is_refused() {
        let (_folder, cache) = cache();
        cache.put("a", b"code").unwrap();
        let refused = || matches!(cache.get("a"), Err(CacheError::NotPrivate(_)));
        let chmod = |path: &Path, mode| {
            fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
        };
        chmod(&cache.entry("a"), 0o640);
        assert!(refused());
        chmod(&cache.entry("a"), 0o600);
        chmod(&cache.folder, 0o770);
        assert!(refused());
        chmod(&cache.folder, 0o700);
        chmod(&cache.folder.join(KEY), 0o644);
        assert!(refused());
        chmod(&cache.folder.join(KEY), 0o600);
        assert!(cache.get("a").unwrap().is_some());
    }

    #[test]
    fn a_key_that_others_may_read_is_drawn_anew() {
        let (_folder, cache) = cache();
        cache.put("a", b"code").unwrap();
        let key = cache.folder.join(KEY);
        let old = fs::read(&key).unwrap();
        fs::set_permissions(&key, Permissions::from_mode(0o644)).unwrap();
        cache.put("b", b"code").unwrap();
        assert_ne!(fs::read(&key).unwrap(), old);
        assert!(matches!(cache.get("a"), Err(CacheError::Foreign(_))));
        assert!(cache.get("b").unwrap().is_some());
    }

    #[test]
    fn a_link_is_not_followed_and_a_pipe_not_waited_for() {
        let (folder, cache) = cache();
        cache.put("a", b"code").unwrap();
        let elsewhere = folder.path().join("elsewhere");
        fs::rename(cache.entry("a"), &elsewhere).unwrap();
        symlink(&elsewhere, cache.entry("a")).unwrap();
        assert!(matches!(cache.get("a"), Err(CacheError::NotPrivate(_))));
        fs::remove_file(cache.entry("a")).unwrap();
        let path = std::ffi::CString::new(cache.entry("a").to_str().unwrap()).unwrap();
        // SAFETY: the path ends in a zero byte.
        assert_eq!(unsafe { libc::mkfifo(path.as_ptr(), 0o600) }, 0);
        assert!(matches!(cache.get("a"), Err(CacheError::NotPrivate(_))));
    }

    #[test]
    fn the_oldest_entries_make_room() {
        let (_folder, cache) = cache();
        for (name, age) in [("old", 200), ("young", 100)] {
            cache.put(name, b"code").unwrap();
            let file = OpenOptions::new()
                .write(true)
                .open(cache.entry(name))
                .unwrap();
            // Sparse: no disk is filled.
            file.set_len(200 << 20).unwrap();
            let then = SystemTime::now() - std::time::Duration::from_secs(age);
            file.set_modified(then).unwrap();
        }
        let big = vec![0; 150 << 20];
        cache.put("new", &big).unwrap();
        let left = |name| cache.entry(name).exists();
        assert!(!left("old") && left("young") && left("new"));
    }
}
