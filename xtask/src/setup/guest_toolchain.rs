//! A compiler that can make WebAssembly of the policies.
//!
//! The ways, in the order in which they are tried:
//! 1. the toolchain in use has the target;
//! 2. Debian's Rust is there with the source of its library, which is then compiled along;
//! 3. `rustup target add`, which needs rustup's server and never waits long for it;
//! 4. Debian's Rust and that source are installed, as root on Debian.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Result, bail};

use crate::process::{self, Step};
use crate::setup::apt;

/// What policies are compiled for.
pub const GUEST_TARGET: &str = "wasm32-unknown-unknown";

/// Offline, rustup hangs instead of failing.
const RUSTUP_LIMIT: Duration = Duration::from_secs(30);

const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
const DEBIAN_PACKAGES: &[&str] = &["rustc-web", "rust-web-src"];

/// A compiler for policies.
#[derive(Debug)]
pub enum GuestToolchain {
    /// The toolchain in use has the target.
    Target,
    /// Debian's compiler and the source of its library.
    DebianSource {
        /// None: the compiler finds its own.
        linker: Option<PathBuf>,
    },
}

impl GuestToolchain {
    /// Make a cargo build use it.
    pub fn apply(&self, step: Step) -> Step {
        match self {
            Self::Target => step,
            Self::DebianSource { linker } => {
                let step = step
                    .env("RUSTC", DEBIAN_RUSTC)
                    // Building the library along is not stable, but works with the very compiler
                    // that the source belongs to.
                    .env("RUSTC_BOOTSTRAP", "1")
                    .arg("-Zbuild-std=core,alloc,panic_abort");
                match linker {
                    Some(linker) => step.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker),
                    None => step,
                }
            }
        }
    }
}

fn find() -> Option<GuestToolchain> {
    if has_target() {
        return Some(GuestToolchain::Target);
    }
    has_debian_source().then(|| GuestToolchain::DebianSource {
        linker: find_linker(),
    })
}

fn has_target() -> bool {
    process::ask(
        "rustc",
        ["--print", "target-libdir", "--target", GUEST_TARGET],
    )
    .is_some_and(|folder| holds_core(Path::new(&folder)))
}

fn holds_core(folder: &Path) -> bool {
    folder.read_dir().is_ok_and(|mut entries| {
        entries.any(|entry| {
            entry.is_ok_and(|it| it.file_name().to_string_lossy().starts_with("libcore-"))
        })
    })
}

fn has_debian_source() -> bool {
    let new_enough = process::ask(DEBIAN_RUSTC, ["--version"])
        .is_some_and(|answer| is_new_enough(&answer, env!("CARGO_PKG_RUST_VERSION")));
    new_enough && Path::new("/usr/lib/rustlib/src/rust/library/core/src/lib.rs").exists()
}

/// `rustc 1.96.0 (…)` against `1.95`.
fn is_new_enough(answer: &str, oldest: &str) -> bool {
    let numbers = |text: &str| -> Option<(u32, u32)> {
        let mut parts = text.split('.').map(str::parse);
        Some((parts.next()?.ok()?, parts.next()?.ok()?))
    };
    let found = answer.split_whitespace().nth(1).and_then(numbers);
    found.is_some() && found >= numbers(oldest)
}

/// Debian's compiler comes without a linker for WebAssembly; rustup's toolchains have one.
fn find_linker() -> Option<PathBuf> {
    let sysroot = process::ask("rustc", ["--print", "sysroot"])?;
    let host = process::ask("rustc", ["--print", "host-tuple"])?;
    let bundled = Path::new(&sysroot)
        .join("lib/rustlib")
        .join(host)
        .join("bin")
        .join("rust-lld");
    if bundled.is_file() {
        return Some(bundled);
    }
    ["rust-lld", "wasm-ld"]
        .into_iter()
        .find_map(process::find_program)
}

/// What can be done about a missing toolchain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Rustup,
    Apt,
}

/// In the order in which they are tried.
fn ways(has_rustup: bool, can_install_packages: bool) -> Vec<Way> {
    [(has_rustup, Way::Rustup), (can_install_packages, Way::Apt)]
        .into_iter()
        .filter_map(|(possible, way)| possible.then_some(way))
        .collect()
}

/// Try one after the other until one leads to a toolchain; None: none did.
fn try_in_order<T>(
    ways: &[Way],
    mut go: impl FnMut(Way) -> Result<()>,
    mut find: impl FnMut() -> Option<T>,
) -> Option<T> {
    if let Some(found) = find() {
        return Some(found);
    }
    for way in ways {
        if let Err(error) = go(*way) {
            eprintln!("  {error:#}");
        }
        if let Some(found) = find() {
            return Some(found);
        }
    }
    None
}

fn go(way: Way) -> Result<()> {
    match way {
        Way::Rustup => Step::new(
            format!("adding {GUEST_TARGET} to the Rust toolchain"),
            "rustup",
        )
        .args(["target", "add", GUEST_TARGET])
        .limit(RUSTUP_LIMIT)
        .run(),
        Way::Apt => apt::install(DEBIAN_PACKAGES),
    }
}

/// The toolchain, installed if need be.
pub fn ensure() -> Result<GuestToolchain> {
    let ways = ways(
        process::find_program("rustup").is_some(),
        apt::can_install(),
    );
    if let Some(found) = try_in_order(&ways, go, find) {
        return Ok(found);
    }
    bail!(
        "nothing here can compile for {GUEST_TARGET}. One of these helps:\n  \
         - rustup target add {GUEST_TARGET}\n  \
         - on Debian: sudo apt-get install --no-install-recommends {}\n  \
         - a Rust {} or newer with that target, first on the search path",
        DEBIAN_PACKAGES.join(" "),
        env!("CARGO_PKG_RUST_VERSION"),
    );
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use anyhow::bail;

    use super::{Way, is_new_enough, try_in_order, ways};

    #[test]
    fn rustup_is_asked_before_debian() {
        assert_eq!(ways(true, true), [Way::Rustup, Way::Apt]);
        assert_eq!(ways(false, true), [Way::Apt]);
        assert_eq!(ways(true, false), [Way::Rustup]);
        assert_eq!(ways(false, false), []);
    }

    #[test]
    fn nothing_is_installed_when_a_toolchain_is_there() {
        let found = try_in_order(&[Way::Rustup], |_| panic!("not needed"), || Some("there"));
        assert_eq!(found, Some("there"));
    }

    #[test]
    fn a_way_that_fails_is_followed_by_the_next() {
        let installed = Cell::new(false);
        let mut gone = Vec::new();
        let found = try_in_order(
            &[Way::Rustup, Way::Apt],
            |way| {
                gone.push(way);
                if way == Way::Rustup {
                    bail!("no network");
                }
                installed.set(true);
                Ok(())
            },
            || installed.get().then_some("there"),
        );
        assert_eq!(found, Some("there"));
        assert_eq!(gone, [Way::Rustup, Way::Apt]);
    }

    #[test]
    fn the_first_way_that_leads_there_is_the_last_one_gone() {
        let installed = Cell::new(false);
        let mut gone = Vec::new();
        let found = try_in_order(
            &[Way::Rustup, Way::Apt],
            |way| {
                gone.push(way);
                installed.set(true);
                Ok(())
            },
            || installed.get().then_some("there"),
        );
        assert_eq!(found, Some("there"));
        assert_eq!(gone, [Way::Rustup]);
    }

    #[test]
    fn debians_compiler_must_not_be_older_than_ours() {
        assert!(is_new_enough("rustc 1.96.0 (ac68faa20 2026-05-25)", "1.95"));
        assert!(is_new_enough("rustc 1.95.0", "1.95"));
        assert!(!is_new_enough("rustc 1.63.0", "1.95"));
        assert!(!is_new_enough("something else", "1.95"));
    }
}
