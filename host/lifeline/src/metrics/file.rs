//! The file for node_exporter, written on a thread of its own: on a disk that hangs, nobody waits.

use super::Metrics;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

/// How long the last write may hold up the end.
const LAST_WRITE: Duration = Duration::from_millis(300);
/// Whoever collects the metrics is another user.
#[cfg(unix)]
const READABLE: u32 = 0o644;

impl Metrics {
    /// Begins to write the file: now, whenever something changes, and in the end.
    /// `text`: how things stand; `tell`: a sentence for the log.
    pub fn write_to(
        self: &Arc<Self>,
        path: PathBuf,
        text: impl Fn() -> String + Send + 'static,
        tell: impl Fn(String) + Send + 'static,
    ) -> io::Result<()> {
        // Blender's working folder may change.
        let path = std::path::absolute(&path).unwrap_or(path);
        let metrics = Arc::clone(self);
        let work = move || {
            let mut failing = false;
            let mut going_on = true;
            let mut written = Instant::now();
            while going_on {
                going_on = metrics.bell.wait(written);
                let outcome = replace(&path, &text());
                written = Instant::now();
                match &outcome {
                    // The same trouble comes with each write.
                    Err(error) if !failing => tell(format!(
                        "The metrics cannot be written to {}, which is tried again: {error}",
                        path.display()
                    )),
                    _ => {}
                }
                failing = outcome.is_err();
            }
            metrics.bell.leave();
        };
        self.bell.answer();
        thread::Builder::new()
            .name("lifeline-prom".into())
            .spawn(work)
            .map(drop)
            .inspect_err(|_| self.bell.leave())
    }

    /// A last write; not waited for if the disk hangs. Later calls do nothing.
    pub fn finish(&self) {
        self.bell.end(LAST_WRITE);
    }
}

/// Whole or not at all. A collector that comes by in between reads the earlier one.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let Some(name) = path.file_name() else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    // Not one that ends in .prom, which would be collected.
    let mut draft = name.to_os_string();
    draft.push(format!(".new-{}", std::process::id()));
    let draft = path.with_file_name(draft);
    let written = write(&draft, text).and_then(|()| fs::rename(&draft, path));
    if written.is_err() {
        // The first error is the one to tell.
        let _ = fs::remove_file(&draft);
    }
    written
}

fn write(draft: &Path, text: &str) -> io::Result<()> {
    // Of an earlier process with our number. Where others may write, it could be a link, too.
    match fs::remove_file(draft) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = OpenOptions::new();
    let mut file = options.write(true).create_new(true).open(draft)?;
    // While Blender saves, the umask of the process may be one that keeps everybody out.
    #[cfg(unix)]
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(READABLE))?;
    file.write_all(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;
    use std::sync::mpsc::channel;

    #[test]
    fn a_file_is_replaced_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("blender.prom");
        replace(&path, "one\n").unwrap();
        let earlier = fs::File::open(&path).unwrap();
        replace(&path, "two\n").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "two\n");
        // Whoever has begun to read it goes on.
        assert_eq!(io::read_to_string(earlier).unwrap(), "one\n");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_cannot_be_written_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        // A folder that is not empty cannot be replaced.
        let path = folder.path().join("blender.prom");
        fs::create_dir_all(path.join("in the way")).unwrap();
        replace(&path, "one\n").unwrap_err();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        replace(Path::new("/"), "one\n").unwrap_err();
    }

    #[cfg(unix)]
    #[test]
    fn a_link_in_the_drafts_place_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let (path, precious) = (folder.path().join("a.prom"), folder.path().join("precious"));
        fs::write(&precious, "mine").unwrap();
        let draft = format!("a.prom.new-{}", std::process::id());
        std::os::unix::fs::symlink(&precious, folder.path().join(draft)).unwrap();
        replace(&path, "one\n").unwrap();
        assert_eq!(fs::read_to_string(&precious).unwrap(), "mine");
        assert!(fs::symlink_metadata(&path).unwrap().is_file());
    }

    #[test]
    fn it_is_written_at_once_on_each_news_and_in_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("blender.prom");
        let metrics = Arc::new(Metrics::default());
        let (out, written) = channel();
        let number = Mutex::new(0);
        let text = move || {
            let mut number = number.lock().unwrap();
            *number += 1;
            out.send(*number).unwrap();
            number.to_string()
        };
        metrics.write_to(path.clone(), text, |_| panic!()).unwrap();
        assert_eq!(written.recv().unwrap(), 1);
        metrics.stands("connected");
        assert_eq!(written.recv().unwrap(), 2);
        metrics.finish();
        metrics.finish();
        assert_eq!(written.iter().collect::<Vec<i32>>(), [3]);
        assert_eq!(fs::read_to_string(&path).unwrap(), "3");
    }

    #[test]
    fn the_same_trouble_is_told_once() {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().join("later");
        let metrics = Arc::new(Metrics::default());
        let (out, asked) = channel();
        let (tell, told) = channel();
        let text = move || {
            out.send(()).unwrap();
            String::new()
        };
        let tell = move |sentence| tell.send(sentence).unwrap();
        metrics.write_to(home.join("a.prom"), text, tell).unwrap();
        asked.recv().unwrap();
        // Each answer is asked for once the earlier write has ended.
        for state in ["connected", "reconnecting"] {
            metrics.stands(state);
            asked.recv().unwrap();
        }
        fs::create_dir(&home).unwrap();
        metrics.stands("counting-down");
        asked.recv().unwrap();
        metrics.finish();
        let told: Vec<String> = told.iter().collect();
        assert!(home.join("a.prom").is_file());
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].contains("a.prom"), "{told:?}");
    }

    #[test]
    fn a_disk_that_hangs_is_not_waited_for() {
        let metrics = Arc::new(Metrics::default());
        let (begun, begins) = channel();
        let (release, hang) = channel::<()>();
        let text = move || {
            begun.send(()).unwrap();
            // Until the test is over.
            let _ = hang.recv();
            String::new()
        };
        metrics.write_to("/".into(), text, |_| {}).unwrap();
        begins.recv().unwrap();
        metrics.stands("connected");
        metrics.policy_failed();
        metrics.finish();
        drop(release);
    }
}
