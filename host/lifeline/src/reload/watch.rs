//! The file of the settings: read again whenever it has changed and come to rest.
//!
//! The system tells of changes in the file's folder; what counts is how the file looks then. So a
//! file that is written in place, renamed into place, behind a link, deleted and made again, or on a
//! disk that tells of nothing is all the same: the last case is only noticed later.

use super::loader::Loader;
use super::source::SwapError;
use lifeline_sandbox::{Boundary, LoadError};
use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

/// A file that has not changed for this long is read.
const REST: Duration = Duration::from_millis(50);
/// One that never rests is read all the same.
const RESTLESS: Duration = Duration::from_secs(1);
/// One that is no whole component may still be written: so long nobody is told.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often a file is looked at whose folder tells of nothing.
const LOOK: Duration = Duration::from_secs(5);
/// The same while its folder cannot be watched at all.
const LOOK_BLIND: Duration = Duration::from_secs(1);
/// In a busy folder, changes are looked at so often at most.
const PAUSE: Duration = Duration::from_millis(10);

/// Watches until it is dropped.
#[derive(Debug)]
pub(crate) struct Watch {
    over: Arc<AtomicBool>,
    wake: Sender<()>,
}

impl Watch {
    /// `at_once`: the file as it is now is loaded too; otherwise only what comes later.
    pub fn begin(path: PathBuf, loader: Loader, at_once: bool) -> io::Result<Self> {
        let reader = loader.clone();
        let seen_at = path.clone();
        Watch::start(
            path,
            at_once,
            move |path| reader.read(path),
            move |bytes| loader.watched(&seen_at, bytes),
        )
    }

    fn start(
        path: PathBuf,
        at_once: bool,
        read: impl Fn(&Path) -> Result<Vec<u8>, SwapError> + Send + 'static,
        tell: impl Fn(Result<Vec<u8>, SwapError>) + Send + 'static,
    ) -> io::Result<Self> {
        let over = Arc::new(AtomicBool::new(false));
        let (wake, changes) = channel();
        let eye = Eye {
            at_once,
            seen: None,
            path,
            over: Arc::clone(&over),
            wake: wake.clone(),
            changes,
            watcher: None,
        };
        thread::Builder::new()
            .name("lifeline-policy".into())
            .spawn(move || eye.run(&read, &tell))?;
        Ok(Watch { over, wake })
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        // It may have ended.
        let _ = self.wake.send(());
    }
}

/// How a file looks from outside; None: it is not there.
type Look = Option<Fingerprint>;

#[derive(Clone, Debug, PartialEq, Eq)]
struct Fingerprint {
    size: u64,
    modified: Option<SystemTime>,
    /// Device, inode, and when the inode has changed: a file that was renamed into place.
    #[cfg(unix)]
    inode: (u64, u64, i64, i64),
}

fn look(path: &Path) -> Look {
    // A link is followed: what it leads to counts.
    let found = fs::metadata(path).ok()?;
    Some(Fingerprint {
        size: found.len(),
        modified: found.modified().ok(),
        #[cfg(unix)]
        inode: {
            use std::os::unix::fs::MetadataExt;
            (found.dev(), found.ino(), found.ctime(), found.ctime_nsec())
        },
    })
}

struct Eye {
    path: PathBuf,
    /// The first look is told too.
    at_once: bool,
    /// None: never looked.
    seen: Option<Look>,
    over: Arc<AtomicBool>,
    wake: Sender<()>,
    changes: Receiver<()>,
    watcher: Option<RecommendedWatcher>,
}

impl Eye {
    fn run(
        mut self,
        read: &dyn Fn(&Path) -> Result<Vec<u8>, SwapError>,
        tell: &dyn Fn(Result<Vec<u8>, SwapError>),
    ) {
        // Not before: a disk that hangs holds up nobody else.
        if !self.at_once {
            self.watcher = self.watch_folder();
            self.seen = Some(look(&self.path));
        }
        while !self.is_over() {
            if self.watcher.is_none() {
                self.watcher = self.watch_folder();
            }
            if self.seen.as_ref() == Some(&look(&self.path)) {
                let often = if self.watcher.is_some() {
                    LOOK
                } else {
                    LOOK_BLIND
                };
                self.wait(often);
                continue;
            }
            if let Some(bytes) = self.settle(read) {
                tell(bytes);
            }
            // The folder may be another one of the same name.
            self.watcher = None;
        }
    }

    fn watch_folder(&self) -> Option<RecommendedWatcher> {
        let wake = self.wake.clone();
        let mut watcher = notify::recommended_watcher(move |_| {
            // The eye looks for itself; it may have closed.
            let _ = wake.send(());
        })
        .ok()?;
        let folder = match self.path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        watcher.watch(folder, RecursiveMode::NonRecursive).ok()?;
        Some(watcher)
    }

    /// The file's content once it rests; None: the watch is over.
    fn settle(
        &mut self,
        read: &dyn Fn(&Path) -> Result<Vec<u8>, SwapError>,
    ) -> Option<Result<Vec<u8>, SwapError>> {
        let first = self.seen.is_none();
        loop {
            let found = self.rest()?;
            self.seen = Some(found.clone());
            let bytes = match found {
                None if !first => Err(SwapError::Gone),
                _ => read(&self.path),
            };
            // At the first look nobody is waiting for a writer.
            let whole = bytes.as_ref().is_ok_and(|bytes| is_whole(bytes));
            if whole || first || !self.changes_soon()? {
                return Some(bytes);
            }
        }
    }

    /// Waits until it has looked the same for a while.
    fn rest(&self) -> Option<Look> {
        let begun = Instant::now();
        let mut found = look(&self.path);
        // At the first look there was no change.
        while self.seen.is_some() {
            thread::sleep(REST);
            if self.is_over() {
                return None;
            }
            let next = look(&self.path);
            if next == found || begun.elapsed() > RESTLESS {
                return Some(next);
            }
            found = next;
        }
        Some(found)
    }

    /// Whether it changes before the patience is at its end.
    fn changes_soon(&self) -> Option<bool> {
        let begun = Instant::now();
        while let Some(left) = PATIENCE.checked_sub(begun.elapsed()) {
            self.wait(left);
            if self.is_over() {
                return None;
            }
            if self.seen.as_ref() != Some(&look(&self.path)) {
                return Some(true);
            }
        }
        Some(false)
    }

    /// Until something has happened in the folder, or for this long.
    fn wait(&self, at_most: Duration) {
        if self.changes.recv_timeout(at_most).is_ok() {
            thread::sleep(PAUSE.min(at_most));
            while self.changes.try_recv().is_ok() {}
        }
    }

    fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }
}

/// Whether these can be all the bytes of a component, a policy or not.
fn is_whole(bytes: &[u8]) -> bool {
    !matches!(
        Boundary::read(bytes),
        Err(LoadError::Empty | LoadError::Malformed(_) | LoadError::NotWasm)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIVE_MINUTES: &[u8] = crate::FIVE_MINUTES.component;
    use std::io::Write;
    use std::sync::mpsc::RecvTimeoutError;

    struct Stage {
        folder: tempfile::TempDir,
        told: Receiver<Result<Vec<u8>, SwapError>>,
        watch: Watch,
    }

    fn path(folder: &tempfile::TempDir) -> PathBuf {
        folder.path().join("policy.wasm")
    }

    /// A watch of `policy.wasm`, which is as `prepare` leaves it.
    fn stage(at_once: bool, prepare: impl FnOnce(&Path)) -> Stage {
        let folder = tempfile::tempdir().unwrap();
        prepare(&path(&folder));
        let (tell, told) = channel();
        let watch = Watch::start(
            path(&folder),
            at_once,
            |path| Ok(fs::read(path)?),
            move |bytes| tell.send(bytes).unwrap(),
        )
        .unwrap();
        // Until the folder is watched: a change before that is noticed too, but later.
        thread::sleep(Duration::from_millis(100));
        Stage {
            folder,
            told,
            watch,
        }
    }

    impl Stage {
        fn path(&self) -> PathBuf {
            path(&self.folder)
        }

        fn next(&self) -> Result<Vec<u8>, SwapError> {
            self.told.recv_timeout(Duration::from_secs(20)).unwrap()
        }

        fn nothing_for(&self, seconds: f64) {
            let error = self.told.recv_timeout(Duration::from_secs_f64(seconds));
            assert!(matches!(error, Err(RecvTimeoutError::Timeout)), "{error:?}");
        }
    }

    /// A whole component of its own.
    fn component(number: u8) -> Vec<u8> {
        // A custom section without a name, with one byte.
        [b"\0asm\x0d\0\x01\0", &[0, 2, 0, number][..]].concat()
    }

    #[test]
    fn the_file_as_it_is_comes_first_if_it_is_wanted() {
        let stage = stage(true, |path| fs::write(path, component(1)).unwrap());
        assert_eq!(stage.next().unwrap(), component(1));
        let later = self::stage(false, |path| fs::write(path, component(1)).unwrap());
        later.nothing_for(0.3);
    }

    #[test]
    fn a_file_that_is_missing_is_told_once_and_taken_when_it_comes() {
        let stage = stage(true, |_| {});
        let error = stage.next().unwrap_err();
        assert!(matches!(error, SwapError::Read(_)), "{error}");
        fs::write(stage.path(), component(1)).unwrap();
        assert_eq!(stage.next().unwrap(), component(1));
    }

    #[test]
    fn written_in_place_and_renamed_into_place() {
        let stage = stage(false, |path| fs::write(path, component(1)).unwrap());
        fs::write(stage.path(), component(2)).unwrap();
        assert_eq!(stage.next().unwrap(), component(2));
        let draft = stage.folder.path().join("draft");
        fs::write(&draft, component(3)).unwrap();
        fs::rename(&draft, stage.path()).unwrap();
        assert_eq!(stage.next().unwrap(), component(3));
        stage.nothing_for(0.3);
    }

    #[test]
    fn a_deleted_file_is_told_and_a_new_one_taken() {
        let stage = stage(false, |path| fs::write(path, component(1)).unwrap());
        fs::remove_file(stage.path()).unwrap();
        assert!(matches!(stage.next(), Err(SwapError::Gone)));
        fs::write(stage.path(), component(2)).unwrap();
        assert_eq!(stage.next().unwrap(), component(2));
    }

    #[test]
    fn an_editor_that_deletes_and_writes_again_is_not_told_as_a_deletion() {
        let stage = stage(false, |path| fs::write(path, component(1)).unwrap());
        fs::remove_file(stage.path()).unwrap();
        thread::sleep(Duration::from_millis(300));
        fs::write(stage.path(), component(2)).unwrap();
        assert_eq!(stage.next().unwrap(), component(2));
    }

    #[test]
    fn a_file_that_is_written_slowly_is_read_when_it_is_whole() {
        let stage = stage(false, |path| fs::write(path, component(1)).unwrap());
        let mut file = fs::File::create(stage.path()).unwrap();
        for part in FIVE_MINUTES.chunks(FIVE_MINUTES.len() / 5) {
            file.write_all(part).unwrap();
            thread::sleep(Duration::from_millis(150));
        }
        assert_eq!(stage.next().unwrap(), FIVE_MINUTES);
    }

    #[test]
    fn a_file_that_stays_half_written_is_told() {
        let stage = stage(false, |path| fs::write(path, component(1)).unwrap());
        fs::write(stage.path(), &FIVE_MINUTES[..1000]).unwrap();
        assert_eq!(stage.next().unwrap(), &FIVE_MINUTES[..1000]);
    }

    #[test]
    fn ten_times_a_second_ends_with_the_last_one() {
        let stage = stage(false, |path| fs::write(path, component(0)).unwrap());
        for number in 1..=30 {
            fs::write(stage.path(), component(number)).unwrap();
            thread::sleep(Duration::from_millis(100));
        }
        let mut last = stage.next().unwrap();
        while let Ok(next) = stage.told.recv_timeout(Duration::from_secs(2)) {
            last = next.unwrap();
        }
        assert_eq!(last, component(30));
    }

    #[cfg(unix)]
    #[test]
    fn a_link_that_leads_elsewhere_is_followed() {
        use std::os::unix::fs::symlink;
        let stage = stage(false, |path| {
            let folder = path.parent().unwrap();
            for number in [1, 2] {
                fs::create_dir(folder.join(format!("v{number}"))).unwrap();
                fs::write(folder.join(format!("v{number}/p.wasm")), component(number)).unwrap();
            }
            symlink("v1", folder.join("current")).unwrap();
            symlink("current/p.wasm", path).unwrap();
        });
        // As a configuration that is mounted into a container is replaced.
        let folder = stage.folder.path();
        symlink("v2", folder.join("next")).unwrap();
        fs::rename(folder.join("next"), folder.join("current")).unwrap();
        assert_eq!(stage.next().unwrap(), component(2));
    }

    #[test]
    fn its_folder_may_come_later() {
        let stage = stage(true, |_| {});
        stage.next().unwrap_err();
        let other = stage.folder.path().join("later/policy.wasm");
        let (tell, told) = channel();
        let _watch = Watch::start(
            other.clone(),
            true,
            |path| Ok(fs::read(path)?),
            move |bytes| tell.send(bytes).unwrap(),
        )
        .unwrap();
        assert!(told.recv_timeout(Duration::from_secs(20)).unwrap().is_err());
        fs::create_dir(other.parent().unwrap()).unwrap();
        fs::write(&other, component(1)).unwrap();
        let bytes = told.recv_timeout(Duration::from_secs(20)).unwrap();
        assert_eq!(bytes.unwrap(), component(1));
    }

    #[test]
    fn nothing_is_told_after_it_is_dropped() {
        let Stage {
            folder,
            told,
            watch,
        } = stage(false, |path| fs::write(path, component(1)).unwrap());
        drop(watch);
        fs::write(path(&folder), component(2)).unwrap();
        let error = told.recv_timeout(Duration::from_secs(5)).unwrap_err();
        assert_eq!(error, RecvTimeoutError::Disconnected);
    }
}
