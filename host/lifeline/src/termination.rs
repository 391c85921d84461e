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
    use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
    use tokio::signal::unix::{SignalKind, signal};

    /// Set while nobody listens: then the handler does what the system would. Registered with the
    /// first listener, and for ever: a process has one handler for all that listen.
    static DEFAULT: OnceLock<Arc<AtomicBool>> = OnceLock::new();
    static LISTENERS: Mutex<usize> = Mutex::new(0);

    fn listeners() -> MutexGuard<'static, usize> {
        // Nothing here can panic half way.
        LISTENERS.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn apply(listeners: usize) {
        if let Some(default) = DEFAULT.get() {
            default.store(listeners == 0, Ordering::SeqCst);
        }
    }

    /// In a child by fork, as Python's multiprocessing makes them, there is no host thread.
    extern "C" fn in_child() {
        apply(0);
    }

    fn register() -> io::Result<()> {
        let flag = Arc::new(AtomicBool::new(true));
        if is_default()? {
            signal_hook::flag::register_conditional_default(SIGTERM, Arc::clone(&flag))?;
        }
        // SAFETY: the function takes and gives nothing, and only stores into an atomic. Without
        // it children do not end by SIGTERM, and no more.
        let _ = unsafe { libc::pthread_atfork(None, None, Some(in_child)) };
        // Nobody else sets it: the caller holds the lock.
        let _ = DEFAULT.set(flag);
        Ok(())
    }

    impl Listening {
        /// Calls `heard` at each SIGTERM. In a tokio runtime that has I/O.
        pub fn begin(heard: impl Fn() + Send + 'static) -> io::Result<Self> {
            let mut listeners = listeners();
            if DEFAULT.get().is_none() {
                register()?;
            }
            let mut signals = signal(SignalKind::terminate())?;
            *listeners += 1;
            apply(*listeners);
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
            let mut listeners = listeners();
            *listeners -= 1;
            apply(*listeners);
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
