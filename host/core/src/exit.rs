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
