//! The wall clock as a backstop: a thread that moves the engine's epoch on while calls run, and
//! sleeps otherwise.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread::{self, JoinHandle, Thread};
use std::time::Duration;
use wasmtime::Engine;

/// A call's time is cut into so many ticks: it ends at most one of them late.
const TICKS: u32 = 10;

#[derive(Debug, Default)]
struct Shared {
    calls: AtomicU32,
    asleep: AtomicBool,
    over: AtomicBool,
}

/// Ends calls that take too long. Without a thread to be had, fuel is the only bound.
#[derive(Debug)]
pub(crate) struct Watchdog {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

/// A call that is watched until this is dropped.
#[derive(Debug)]
pub(crate) struct Watched<'a>(&'a Shared);

impl Drop for Watched<'_> {
    fn drop(&mut self) {
        self.0.calls.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Watchdog {
    /// After how many ticks a call has taken too long: the one that runs when it begins counts too.
    pub(crate) const DEADLINE: u64 = TICKS as u64 + 1;

    pub(crate) fn start(engine: &Engine, time: Duration) -> Self {
        let shared = Arc::new(Shared::default());
        let tick = (time / TICKS).max(Duration::from_millis(1));
        let (watched, engine) = (Arc::clone(&shared), engine.clone());
        let thread = thread::Builder::new()
            .name("lifeline-clock".into())
            .spawn(move || watch(&watched, &engine, tick))
            .ok();
        Watchdog { shared, thread }
    }

    pub(crate) fn call(&self) -> Watched<'_> {
        self.shared.calls.fetch_add(1, Ordering::SeqCst);
        if self.shared.asleep.load(Ordering::SeqCst) {
            self.wake();
        }
        Watched(&self.shared)
    }

    fn wake(&self) {
        if let Some(thread) = self.thread.as_ref().map(JoinHandle::thread) {
            Thread::unpark(thread);
        }
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::SeqCst);
        self.wake();
        if let Some(thread) = self.thread.take() {
            // It has nothing to say.
            let _ = thread.join();
        }
    }
}

fn watch(shared: &Shared, engine: &Engine, tick: Duration) {
    let mut quiet = false;
    while !shared.over.load(Ordering::SeqCst) {
        let idle = shared.calls.load(Ordering::SeqCst) == 0;
        if idle && quiet {
            shared.asleep.store(true, Ordering::SeqCst);
            // A call that began in between has not seen that.
            if shared.calls.load(Ordering::SeqCst) == 0 && !shared.over.load(Ordering::SeqCst) {
                thread::park();
            }
            shared.asleep.store(false, Ordering::SeqCst);
            if shared.over.load(Ordering::SeqCst) {
                return;
            }
        }
        quiet = idle;
        thread::park_timeout(tick);
        engine.increment_epoch();
    }
}
