//! A child on a system that holds it to its memory and time.
//!
//! The parent sends the bounds that machine code depends on, and the component; the child answers
//! with a greeting as soon as it is there, and with the machine code, sealed (see
//! [`crate::precompiled`]), or the reason.

use super::{Child, ChildError};
use crate::engine::{self, Processor};
use crate::text::{one_line, told};
use crate::{Limits, precompiled};
use sha2::{Digest, Sha256};
use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{self, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// What every child says first.
const GREETING: &[u8; 8] = b"lifeline";
/// Bytes of address space. (A policy with Python's interpreter in it takes 600 MB.)
const MEMORY: u64 = 1_536 << 20;
/// Seconds of a processor. (The same: 10 to 30.)
const PROCESSOR: u64 = 120;
/// By the clock: a machine that is busy with other things.
const TIME: Duration = Duration::from_secs(600);
/// How long the greeting may take.
const START: Duration = Duration::from_secs(30);
/// How often it is looked whether somebody has given it up.
const LOOK: Duration = Duration::from_millis(50);
/// Bytes of machine code. (The same: 54 MiB.)
const CODE: u64 = 64 << 20;
/// Blender's own work goes first.
#[cfg(target_os = "linux")]
const NICE: i32 = 5;

/// Machine code for [`engine::runner`] with these limits.
pub(super) fn compile_in(
    child: &Child,
    limits: &Limits,
    component: &[u8],
    sha256: &[u8; 32],
    given_up: &AtomicBool,
) -> Result<Vec<u8>, ChildError> {
    let mut reasons = vec!["none is known".to_string()];
    for program in &child.programs {
        match Running::start(program, &child.arguments, given_up) {
            Ok(child) => return child.compile(limits, component, sha256),
            Err(_) if given_up.load(Ordering::Relaxed) => return Err(ChildError::GivenUp),
            Err(error) => reasons.push(format!("{}: {error}", program.display())),
        }
    }
    if reasons.len() > 1 {
        reasons.remove(0);
    }
    Err(ChildError::NotStarted(told(&reasons.join("; "), 400)))
}

/// It is ended when this is dropped.
struct Running<'a> {
    process: process::Child,
    line: UnixStream,
    given_up: &'a AtomicBool,
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl<'a> Running<'a> {
    /// It has greeted.
    fn start(
        program: &PathBuf,
        arguments: &[OsString],
        given_up: &'a AtomicBool,
    ) -> io::Result<Self> {
        let (ours, its) = UnixStream::pair()?;
        let end = |stream: UnixStream| Stdio::from(OwnedFd::from(stream));
        let mut command = Command::new(program);
        command
            .args(arguments)
            .stdin(end(its.try_clone()?))
            .stdout(end(its))
            .stderr(Stdio::null());
        for (name, _) in std::env::vars_os() {
            // Tokens are none of its business.
            if name.to_string_lossy().starts_with("CR8_") {
                command.env_remove(name);
            }
        }
        let mut child = Running {
            process: command.spawn()?,
            line: ours,
            given_up,
        };
        // Else the child's end would stay open here.
        drop(command);
        let mut greeting = [0; GREETING.len()];
        child.read(&mut greeting, Instant::now() + START)?;
        if &greeting != GREETING {
            return Err(io::Error::other("it is something else"));
        }
        Ok(child)
    }

    fn compile(
        mut self,
        limits: &Limits,
        component: &[u8],
        sha256: &[u8; 32],
    ) -> Result<Vec<u8>, ChildError> {
        let by = Instant::now() + TIME;
        let answer = self.ask(limits, component, by);
        let sealed = match answer {
            Ok(answer) => answer.map_err(ChildError::Refused)?,
            Err(_) if self.given_up.load(Ordering::Relaxed) => {
                return Err(ChildError::GivenUp);
            }
            Err(error) if error.kind() == io::ErrorKind::TimedOut => {
                return Err(ChildError::TooMuch("time"));
            }
            Err(error) => {
                return Err(match self.process.wait() {
                    Ok(status) => ended(status).map_or(error.into(), ChildError::TooMuch),
                    Err(_) => error.into(),
                });
            }
        };
        if precompiled::of(&sealed, sha256).is_none() {
            return Err(io::Error::other("the child's answer is not whole").into());
        }
        let mut code = sealed;
        code.drain(..precompiled::SEAL);
        Ok(code)
    }

    /// The outer error: the child is gone, or the time over.
    fn ask(
        &mut self,
        limits: &Limits,
        component: &[u8],
        by: Instant,
    ) -> io::Result<Result<Vec<u8>, String>> {
        for number in [limits.memory as u64, limits.stack as u64] {
            self.send(&number.to_le_bytes(), by)?;
        }
        self.send(component, by)?;
        self.line.shutdown(Shutdown::Write)?;
        let mut head = [0; 9];
        self.read(&mut head, by)?;
        let [compiled, length @ ..] = head;
        let length = u64::from_le_bytes(length);
        if length > CODE {
            return Ok(Err(format!("it has {length} bytes of machine code")));
        }
        let mut answer = vec![0; usize::try_from(length).unwrap_or(0)];
        self.read(&mut answer, by)?;
        Ok(if compiled == 1 {
            Ok(answer)
        } else {
            Err(told(&String::from_utf8_lossy(&answer), 400))
        })
    }

    /// All of them.
    fn send(&self, mut bytes: &[u8], by: Instant) -> io::Result<()> {
        while !bytes.is_empty() {
            self.line.set_write_timeout(Some(self.patience(by)?))?;
            match send(&self.line, bytes) {
                Ok(sent) => bytes = &bytes[sent..],
                Err(error) => timed_out(error)?,
            }
        }
        Ok(())
    }

    /// So many.
    fn read(&mut self, mut room: &mut [u8], by: Instant) -> io::Result<()> {
        while !room.is_empty() {
            self.line.set_read_timeout(Some(self.patience(by)?))?;
            match self.line.read(room) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(read) => room = &mut room[read..],
                Err(error) => timed_out(error)?,
            }
        }
        Ok(())
    }
}

impl Running<'_> {
    /// Until somebody may have given it up.
    fn patience(&self, by: Instant) -> io::Result<Duration> {
        let left = by.saturating_duration_since(Instant::now());
        if left.is_zero() || self.given_up.load(Ordering::Relaxed) {
            Err(io::ErrorKind::TimedOut.into())
        } else {
            Ok(left.min(LOOK))
        }
    }
}

/// Without SIGPIPE, which would end Blender.
fn send(line: &UnixStream, bytes: &[u8]) -> io::Result<usize> {
    use std::os::fd::AsRawFd;
    #[cfg(target_os = "linux")]
    let flags = libc::MSG_NOSIGNAL;
    // The standard library has set SO_NOSIGPIPE.
    #[cfg(not(target_os = "linux"))]
    let flags = 0;
    // SAFETY: the socket is open as long as `line` lives, and the bytes are there.
    let sent = unsafe { libc::send(line.as_raw_fd(), bytes.as_ptr().cast(), bytes.len(), flags) };
    usize::try_from(sent).map_err(|_| io::Error::last_os_error())
}

/// Whether to go on.
fn timed_out(error: io::Error) -> io::Result<()> {
    match error.kind() {
        // What a time-out of a socket is called.
        io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => Ok(()),
        _ => Err(error),
    }
}

/// What it was that a child has had too much of.
fn ended(status: ExitStatus) -> Option<&'static str> {
    match status.signal()? {
        libc::SIGXCPU => Some("time"),
        // Memory that is not to be had ends a Rust program.
        libc::SIGABRT | libc::SIGKILL | libc::SIGSEGV | libc::SIGBUS => Some("memory"),
        _ => None,
    }
}

/// The child's side, on its standard input and output. Gives the exit code.
pub fn serve() -> u8 {
    restrict();
    let mut out = io::stdout().lock();
    let greeted = out.write_all(GREETING).and_then(|()| out.flush());
    let answer = |out: &mut dyn Write| -> io::Result<()> {
        let (compiled, answer) = match compile(&mut io::stdin().lock())? {
            Ok(code) => (1, code),
            Err(reason) => (0, reason.into_bytes()),
        };
        out.write_all(&[compiled])?;
        out.write_all(&(answer.len() as u64).to_le_bytes())?;
        out.write_all(&answer)?;
        out.flush()
    };
    // Nobody else could be told.
    u8::from(greeted.and_then(|()| answer(&mut out)).is_err())
}

fn compile(from: &mut dyn Read) -> io::Result<Result<Vec<u8>, String>> {
    let mut number = || {
        let mut bytes = [0; 8];
        from.read_exact(&mut bytes)?;
        usize::try_from(u64::from_le_bytes(bytes)).map_err(io::Error::other)
    };
    let limits = Limits {
        memory: number()?,
        stack: number()?,
        ..Limits::default()
    };
    let mut component = Vec::new();
    from.read_to_end(&mut component)?;
    let sha256 = Sha256::digest(&component).into();
    let code = engine::compiler(&limits, Processor::This)
        .and_then(|engine| engine.precompile_component(&component));
    Ok(code
        .map(|code| precompiled::seal(&sha256, &code))
        .map_err(|error| one_line(&error)))
}

/// What this process may take from now on. What cannot be set is not: the parent looks at the clock.
fn restrict() {
    let limit = |what, most: u64| {
        let limit = libc::rlimit {
            rlim_cur: most,
            rlim_max: most,
        };
        // SAFETY: the structure is there for the call.
        unsafe { libc::setrlimit(what, &limit) };
    };
    limit(libc::RLIMIT_AS, MEMORY);
    limit(libc::RLIMIT_CPU, PROCESSOR);
    // A Blender's worth of it would fill the disk.
    limit(libc::RLIMIT_CORE, 0);
    // It writes no file.
    limit(libc::RLIMIT_FSIZE, 0);
    #[cfg(target_os = "linux")]
    // SAFETY: plain numbers.
    unsafe {
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
        libc::nice(NICE);
        // Of Blender's files and connections none is to stay open for it.
        libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bombs;
    use crate::{FIVE_MINUTES, LoadError};

    /// As `cargo xtask build` leaves it.
    fn child() -> Child {
        let program = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../target/release/lifeline-precompile"
        );
        Child {
            programs: vec![program.into()],
            arguments: vec!["--child".into()],
        }
    }

    fn compile(child: &Child, component: &[u8]) -> Result<Vec<u8>, LoadError> {
        let sha256 = Sha256::digest(component).into();
        let given_up = AtomicBool::new(false);
        Ok(child.compile(&Limits::default(), component, &sha256, &given_up)?)
    }

    #[test]
    fn a_child_compiles_what_this_process_would() {
        let engine = engine::compiler(&Limits::default(), Processor::This).unwrap();
        let here = engine.precompile_component(FIVE_MINUTES.component).unwrap();
        assert_eq!(compile(&child(), FIVE_MINUTES.component).unwrap(), here);
    }

    #[test]
    fn what_cannot_be_compiled_is_told() {
        let error = compile(&child(), b"\0asm\x0d\0\x01\0\xff").unwrap_err();
        assert!(matches!(&error, LoadError::Compile(_)), "{error}");
    }

    #[test]
    fn without_a_child_nothing_foreign_is_compiled() {
        let none = Child {
            programs: vec![
                "/nowhere/python".into(),
                "/bin/echo".into(),
                "/bin/cat".into(),
            ],
            arguments: vec!["hello".into()],
        };
        let error = compile(&none, FIVE_MINUTES.component).unwrap_err();
        let said = error.to_string();
        assert!(matches!(error, LoadError::NoCompiler(_)), "{said}");
        for program in ["/nowhere/python: ", "/bin/echo: ", "/bin/cat: "] {
            assert!(said.contains(program), "{said}");
        }
    }

    #[test]
    fn one_that_nobody_wants_any_more_is_ended() {
        let bomb = bombs::many(500, 780, 10);
        let given_up = AtomicBool::new(false);
        let error = std::thread::scope(|scope| {
            let compiling =
                scope.spawn(|| child().compile(&Limits::default(), &bomb, &[0; 32], &given_up));
            std::thread::sleep(Duration::from_millis(300));
            given_up.store(true, Ordering::Relaxed);
            compiling.join().unwrap().unwrap_err()
        });
        assert!(matches!(error, ChildError::GivenUp), "{error}");
    }

    /// Whatever the bounds before it let through.
    #[test]
    fn a_child_that_takes_too_much_is_ended_and_nothing_else() {
        let error = compile(&child(), &bombs::nested(30_000, 40_000)).unwrap_err();
        assert!(
            matches!(error, LoadError::CompileTooMuch("memory")),
            "{error}"
        );
        compile(&child(), FIVE_MINUTES.component).unwrap();
    }
}
