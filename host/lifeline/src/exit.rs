//! Ends this process from the host thread, when Blender does not.

/// At once: no handler that is run at exit may stand in the way of it.
pub fn end_process(code: i32) -> ! {
    #[cfg(unix)]
    // SAFETY: _exit takes any code, touches no memory of ours and does not return.
    unsafe {
        libc::_exit(code)
    }
    #[cfg(not(unix))]
    std::process::exit(code)
}

/// However Blender ends from here on, its exit code is 0: the work is safe, and it was told to
/// close. (Blender 3.4 exits with 1 if any render of the session had failed.)
pub fn succeed_at_exit() {
    #[cfg(unix)]
    {
        extern "C" fn succeed() {
            // SAFETY: flushes the C library's streams, as exit would do after this.
            unsafe { libc::fflush(std::ptr::null_mut()) };
            end_process(0);
        }
        // SAFETY: the handler takes and gives nothing, and stays as long as the process.
        // Without it the exit code is Blender's own.
        let _ = unsafe { libc::atexit(succeed) };
    }
}
