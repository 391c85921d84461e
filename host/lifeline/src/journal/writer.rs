//! Writes the journal off the driver's thread, in order: a disk that hangs must not stop the clock.

use super::entry::Entry;
use super::file::{Journal, JournalError};
use super::open::{OpenEntry, adopt};
use super::policy::PolicyLine;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::sleep;

/// Where the system has no thread to give, it is asked for one again this much later.
const NO_THREAD: Duration = Duration::from_millis(500);

/// What the writer has to say.
#[derive(Debug)]
pub enum News {
    /// The entry of this id is on the disk (or there is no journal).
    Written(String),
    /// The entry of this id is not: why.
    NotWritten(String, JournalError),
    /// Something else was not written.
    Trouble(JournalError),
    /// What the server does not know yet.
    Pending(Vec<Entry>),
    /// The last outage that this user's Blenders have written down.
    Last(Box<Entry>),
    /// All that was asked for before is done.
    Flushed,
    /// So many outages of processes that died were written down.
    Adopted(usize),
}

enum Job {
    Begin,
    Flush,
    Note(Box<Entry>),
    Finish(Box<Entry>),
    Policy(Box<PolicyLine>),
    Acknowledge(String),
    Pending(String),
    Last(String),
}

/// The way to the journal. Without one, everything is "written" at once.
pub struct JournalWriter {
    jobs: Option<UnboundedSender<Job>>,
    news: UnboundedSender<News>,
}

impl JournalWriter {
    /// For a driver in a tokio runtime; the work ends when this is dropped and done.
    pub fn start(path: Option<PathBuf>, news: UnboundedSender<News>) -> Self {
        let jobs = path.map(|path| {
            let (jobs, inbox) = unbounded_channel();
            tokio::spawn(work(State::new(Journal::new(path)), inbox, news.clone()));
            // Now, and not when something is to be written: then Blender may be saving, with a
            // umask that makes folders which nobody can enter.
            let _ = jobs.send(Job::Begin);
            jobs
        });
        JournalWriter { jobs, news }
    }

    /// How an outage stands that has not ended.
    pub fn note(&self, entry: Entry) {
        self.send(Job::Note(Box::new(entry)));
    }

    /// How an outage has ended. Answered by [`News::Written`] or [`News::NotWritten`].
    pub fn finish(&self, entry: Entry) {
        if self.jobs.is_none() {
            // The driver that listens is the one that asks.
            let _ = self.news.send(News::Written(entry.id));
        } else {
            self.send(Job::Finish(Box::new(entry)));
        }
    }

    /// Asks for [`News::Flushed`].
    pub fn flush(&self) {
        if self.jobs.is_none() {
            // As above.
            let _ = self.news.send(News::Flushed);
        } else {
            self.send(Job::Flush);
        }
    }

    /// Who decides, or why not another one.
    pub fn policy(&self, line: PolicyLine) {
        self.send(Job::Policy(Box::new(line)));
    }

    /// The server has the entry of this id.
    pub fn acknowledge(&self, id: String) {
        self.send(Job::Acknowledge(id));
    }

    /// Asks what the server does not know of this user's clean-ups: [`News::Pending`].
    pub fn ask_pending(&self, username: &str) {
        self.send(Job::Pending(username.to_string()));
    }

    /// Asks for this user's last outage: [`News::Last`], if there is one.
    pub fn ask_last(&self, username: &str) {
        self.send(Job::Last(username.to_string()));
    }

    fn send(&self, job: Job) {
        if let Some(jobs) = &self.jobs {
            // The work ends with the runtime, and with it whoever asks.
            let _ = jobs.send(job);
        }
    }
}

/// What the work needs from job to job.
struct State {
    journal: Journal,
    open: Option<(String, OpenEntry)>,
    /// Not sent yet.
    told: Vec<News>,
}

impl State {
    fn new(journal: Journal) -> Self {
        State {
            journal,
            open: None,
            told: Vec::new(),
        }
    }

    fn carry_out(&mut self, job: Job) -> Vec<News> {
        let mut news = Vec::new();
        match job {
            Job::Begin => match self.journal.prepare().and_then(|()| adopt(&self.journal)) {
                Ok(0) => {}
                Ok(number) => news.push(News::Adopted(number)),
                Err(error) => news.push(News::Trouble(error)),
            },
            Job::Flush => news.push(News::Flushed),
            Job::Note(entry) => {
                if let Err(source) = self.note(&entry) {
                    let path = self.journal.path().to_path_buf();
                    news.push(News::Trouble(JournalError::Io { path, source }));
                }
            }
            Job::Finish(entry) => match self.journal.append(&entry) {
                Ok(()) => {
                    if let Some((_, open)) = self.open.take() {
                        open.remove();
                    }
                    news.push(News::Written(entry.id));
                }
                Err(error) => news.push(News::NotWritten(entry.id, error)),
            },
            Job::Policy(line) => {
                news.extend(self.journal.policy(&line).err().map(News::Trouble));
            }
            Job::Acknowledge(id) => {
                news.extend(self.journal.acknowledge(&id).err().map(News::Trouble));
            }
            Job::Pending(username) => {
                let pending = self.journal.pending(&username);
                if !pending.is_empty() {
                    news.push(News::Pending(pending));
                }
            }
            Job::Last(username) => {
                let last = self.journal.last(&username);
                news.extend(last.map(Box::new).map(News::Last));
            }
        }
        news
    }

    fn note(&mut self, entry: &Entry) -> std::io::Result<()> {
        let open = match &mut self.open {
            Some((id, open)) if *id == entry.id => open,
            slot => {
                let open = OpenEntry::begin(&self.journal, &entry.id)?;
                &mut slot.insert((entry.id.clone(), open)).1
            }
        };
        open.note(entry)
    }
}

async fn work(state: State, mut inbox: UnboundedReceiver<Job>, out: UnboundedSender<News>) {
    let state = Arc::new(Mutex::new(state));
    while let Some(job) = inbox.recv().await {
        let at_work = Arc::clone(&state);
        let mut done = begin(move || {
            let mut state = at(&at_work);
            let news = state.carry_out(job);
            state.told.extend(news);
        });
        let done = loop {
            match done {
                Some(done) => break done,
                // What comes next makes the runtime try again, and waits for what came before.
                None => {
                    sleep(NO_THREAD).await;
                    done = begin(|| ());
                }
            }
        };
        if done.await.is_err() {
            return; // a panic in there ends the journal, and nothing else
        }
        // By this task, so that it is told in its turn.
        for item in std::mem::take(&mut at(&state).told) {
            // The driver may have ended.
            let _ = out.send(item);
        }
    }
}

/// After a panic there is no next job.
fn at(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// None: the system has no thread to give. The work is not lost: the runtime, which has one thread
/// for it, does it first when there is one. It says so with a panic.
fn begin(work: impl FnOnce() + Send + 'static) -> Option<JoinHandle<()>> {
    catch_unwind(AssertUnwindSafe(|| spawn_blocking(work))).ok()
}

#[cfg(test)]
mod tests {
    use super::super::entry::tests::entry;
    use super::*;

    async fn next(news: &mut UnboundedReceiver<News>) -> News {
        news.recv().await.unwrap()
    }

    #[tokio::test]
    async fn an_outage_is_noted_finished_sent_and_acknowledged() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.jsonl");
        let (out, mut news) = unbounded_channel();
        let writer = JournalWriter::start(Some(path.clone()), out);
        writer.note(entry("a"));
        writer.finish(entry("a"));
        assert!(matches!(next(&mut news).await, News::Written(id) if id == "a"));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        writer.ask_pending("ann");
        assert!(matches!(next(&mut news).await, News::Pending(list) if list.len() == 1));
        writer.acknowledge("a".into());
        writer.ask_pending("ann");
        writer.finish(entry("b"));
        assert!(matches!(next(&mut news).await, News::Written(id) if id == "b"));
    }

    #[tokio::test]
    async fn without_a_journal_all_is_written_at_once() {
        let (out, mut news) = unbounded_channel();
        let writer = JournalWriter::start(None, out);
        writer.note(entry("a"));
        writer.finish(entry("a"));
        assert!(matches!(next(&mut news).await, News::Written(_)));
    }

    #[tokio::test]
    async fn a_journal_that_cannot_be_written_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let (out, mut news) = unbounded_channel();
        let writer = JournalWriter::start(Some(folder.path().to_path_buf()), out);
        writer.finish(entry("a"));
        assert!(matches!(next(&mut news).await, News::NotWritten(id, _) if id == "a"));
        writer.flush();
        assert!(matches!(next(&mut news).await, News::Flushed));
    }
}
