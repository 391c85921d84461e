//! SIGTERM: the platform takes the machine away.
//!
//! While a line listens, the signal is that line's; at all other times it ends the process, as if
//! nobody had ever listened. Where there is no such signal, nothing is heard.

/// The signal is ours until this is dropped.
#[derive(Debug)]
pub struct Listening(());

#[cfg(unix)]
mod unix {
    use super::Listening;
    use signal_hook::consts::SIGTERM;
    use std::io;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
    use tokio::signal::unix::{SignalKind, signal};

    #[derive(Default)]
    struct State {
        listeners: usize,
        /// Set while nobody listens: then the handler does what the system would. Registered with
        /// the first listener, and for ever: a process has one handler for all that listen.
        default: Option<Arc<AtomicBool>>,
    }

    static STATE: Mutex<State> = Mutex::new(State {
        listeners: 0,
        default: None,
    });

    fn state() -> MutexGuard<'static, State> {
        // Nothing here can panic half way.
        STATE.lock().unwrap_or_else(PoisonError::into_inner)
    }

    impl Listening {
        /// Calls `heard` at each SIGTERM. In a tokio runtime that has I/O.
        pub fn begin(heard: impl Fn() + Send + 'static) -> io::Result<Self> {
            let mut state = state();
            if state.default.is_none() {
                let flag = Arc::new(AtomicBool::new(true));
                if is_default()? {
                    signal_hook::flag::register_conditional_default(SIGTERM, Arc::clone(&flag))?;
                }
                state.default = Some(flag);
            }
            let mut signals = signal(SignalKind::terminate())?;
            state.listeners += 1;
            state.apply();
            tokio::spawn(async move {
                while signals.recv().await.is_some() {
                    heard();
                }
            });
            Ok(Listening(()))
        }
    }

    impl Drop for Listening {
        fn drop(&mut self) {
            let mut state = state();
            state.listeners -= 1;
            state.apply();
        }
    }

    impl State {
        fn apply(&self) {
            if let Some(default) = &self.default {
                default.store(self.listeners == 0, Ordering::SeqCst);
            }
        }
    }

    /// Nobody else in this process handles or ignores the signal.
    fn is_default() -> io::Result<bool> {
        let mut found = std::mem::MaybeUninit::<libc::sigaction>::uninit();
        // SAFETY: a null action only asks; what is asked for has room for the answer.
        let asked = unsafe { libc::sigaction(SIGTERM, std::ptr::null(), found.as_mut_ptr()) };
        if asked != 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the call has succeeded, and filled it in.
        Ok(unsafe { found.assume_init() }.sa_sigaction == libc::SIG_DFL)
    }
}

#[cfg(not(unix))]
impl Listening {
    /// There is no such signal.
    pub fn begin(_heard: impl Fn() + Send + 'static) -> std::io::Result<Self> {
        Ok(Listening(()))
    }
}
