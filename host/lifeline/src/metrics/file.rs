//! The file for node_exporter, written on a thread of its own: on a disk that hangs, nobody waits.

use super::Metrics;
use lifeline_files::{Readers, Synced, replace};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

/// How long the last write may hold up the end.
const LAST_WRITE: Duration = Duration::from_millis(300);

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
                let outcome = write(&path, &text());
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

/// Whoever collects the metrics is another user. A collector that comes by in between reads the earlier one; a draft's name does not end in .prom.
fn write(path: &Path, text: &str) -> io::Result<()> {
    replace(path, &[text.as_bytes()], Readers::All, Synced::No)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::sync::Mutex;
    use std::sync::mpsc::channel;

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
