//! SIGTERM: the platform takes the machine away; and the other signals by which somebody, or the
//! system, ends a process.
//!
//! While a line listens, they are that line's; at all other times they end the process, as if nobody
//! had ever listened. Where there are no such signals, nothing is heard.
//!
//! | signal | who sends it | here |
//! |---|---|---|
//! | SIGTERM | a platform, an administrator | heard, whoever else handles it |
//! | SIGHUP | a terminal or an ssh session that is gone | heard; ignored under `nohup`, so left alone |
//! | SIGQUIT | Ctrl-\\ in a terminal, some containers' stop | heard |
//! | SIGUSR1, SIGUSR2, SIGXCPU | batch systems, before they send SIGKILL | heard |
//! | SIGALRM, SIGVTALRM, SIGPROF | a timer whose owner has no handler for it | heard |
//! | SIGINT | Ctrl-C | not here: the add-on's `interrupts` |
//! | SIGPIPE, SIGXFSZ | the system, at a write | left alone: Python ignores them, and the write fails |
//! | SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSYS, SIGTRAP | a crash | left to Blender: nothing in memory can be trusted |
//! | SIGPWR, SIGIO, SIGSTKFLT, real-time signals | nobody, unasked | left alone |
//! | SIGKILL, SIGSTOP | | cannot be heard |
//!
//! All but SIGTERM are heard only where they would end the process: one that is ignored, or that
//! Blender or a script has a handler for, means something else.

/// The signals are ours until this is dropped.
#[derive(Debug)]
pub struct Listening(());

#[cfg(unix)]
mod unix {
    use super::Listening;
    use signal_hook::consts::{
        SIGALRM, SIGHUP, SIGPROF, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGVTALRM, SIGXCPU,
    };
    use std::ffi::c_int;
    use std::io;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
    use tokio::signal::unix::{SignalKind, signal};

    /// Set while nobody listens: then the handler does what the system would. Registered with the
    /// first listener, and for ever: a process has one handler for all that listen.
    static DEFAULT: OnceLock<Default> = OnceLock::new();
    static LISTENERS: Mutex<usize> = Mutex::new(0);

    const TERMINATE: (c_int, &str) = (SIGTERM, "SIGTERM");
    const OTHERS: [(c_int, &str); 8] = [
        (SIGHUP, "SIGHUP"),
        (SIGQUIT, "SIGQUIT"),
        (SIGUSR1, "SIGUSR1"),
        (SIGUSR2, "SIGUSR2"),
        (SIGXCPU, "SIGXCPU"),
        (SIGALRM, "SIGALRM"),
        (SIGVTALRM, "SIGVTALRM"),
        (SIGPROF, "SIGPROF"),
    ];

    struct Default {
        /// Nobody listens.
        in_force: Arc<AtomicBool>,
        /// What is listened for.
        heard: Vec<(c_int, &'static str)>,
    }

    fn listeners() -> MutexGuard<'static, usize> {
        // Nothing here can panic half way.
        LISTENERS.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn apply(listeners: usize) {
        if let Some(default) = DEFAULT.get() {
            default.in_force.store(listeners == 0, Ordering::SeqCst);
        }
    }

    /// In a child by fork, as Python's multiprocessing makes them, there is no host thread.
    extern "C" fn in_child() {
        apply(0);
    }

    fn register() -> io::Result<()> {
        let flag = Arc::new(AtomicBool::new(true));
        let mut heard = vec![TERMINATE];
        for signal in OTHERS {
            if is_default(signal.0)? {
                heard.push(signal);
            }
        }
        for (number, _) in heard.iter().copied() {
            if is_default(number)? {
                signal_hook::flag::register_conditional_default(number, Arc::clone(&flag))?;
            }
        }
        // SAFETY: the function takes and gives nothing, and only stores into an atomic. Without
        // it children do not end by a signal, and no more.
        let _ = unsafe { libc::pthread_atfork(None, None, Some(in_child)) };
        // Nobody else sets it: the caller holds the lock.
        let _ = DEFAULT.set(Default {
            in_force: flag,
            heard,
        });
        Ok(())
    }

    impl Listening {
        /// Calls `heard` with the signal's name at each one. In a tokio runtime that has I/O.
        pub fn begin(heard: impl Fn(&'static str) + Send + Sync + 'static) -> io::Result<Self> {
            let mut listeners = listeners();
            if DEFAULT.get().is_none() {
                register()?;
            }
            let heard = Arc::new(heard);
            for (number, name) in DEFAULT.get().iter().flat_map(|it| it.heard.iter().copied()) {
                let mut signals = signal(SignalKind::from_raw(number))?;
                let heard = Arc::clone(&heard);
                tokio::spawn(async move {
                    while signals.recv().await.is_some() {
                        heard(name);
                    }
                });
            }
            *listeners += 1;
            apply(*listeners);
            Ok(Listening(()))
        }
    }

    impl Drop for Listening {
        fn drop(&mut self) {
            let mut listeners = listeners();
            *listeners -= 1;
            apply(*listeners);
        }
    }

    /// Nobody else in this process handles or ignores the signal.
    fn is_default(signal: c_int) -> io::Result<bool> {
        let mut found = std::mem::MaybeUninit::<libc::sigaction>::uninit();
        // SAFETY: a null action only asks; what is asked for has room for the answer.
        let asked = unsafe { libc::sigaction(signal, std::ptr::null(), found.as_mut_ptr()) };
        if asked != 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the call has succeeded, and filled it in.
        Ok(unsafe { found.assume_init() }.sa_sigaction == libc::SIG_DFL)
    }
}

#[cfg(not(unix))]
impl Listening {
    /// There are no such signals.
    pub fn begin(_heard: impl Fn(&'static str) + Send + Sync + 'static) -> std::io::Result<Self> {
        Ok(Listening(()))
    }
}
