//! A linker for libraries that are to run on older Linuxes than the one they are built on.
//!
//! The C library of the machine would bind a library to its own version. Zig brings stubs of any
//! version, so it links, but only what is shipped: everything else stays as cargo compiles it.

use std::env::consts::ARCH;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::layout::Layout;
use crate::process;

/// The oldest glibc that will do: Blender's own builds ask for no newer one.
const GLIBC: (u32, u32) = (2, 28);

/// What a wheel says that it needs.
pub fn wheel_tag() -> String {
    format!("manylinux_{}_{}", GLIBC.0, GLIBC.1)
}

/// A program that takes the arguments of `cc` as rustc gives them.
pub fn linker(layout: &Layout) -> Result<PathBuf> {
    let unwinder = process::ask("cc", ["-print-file-name=libgcc_s.so.1"])
        // A name that is not found is given back as it is.
        .filter(|path| Path::new(path).is_absolute())
        .context("`cc` knows no libgcc_s.so.1; install gcc (Debian: gcc), or name it cc")?;
    let script = script(
        &layout.venv_program("python").display().to_string(),
        &unwinder,
    );
    let file = layout.tools().join("link-for-old-glibc");
    let cannot = || format!("{} cannot be written", file.display());
    fs::create_dir_all(layout.tools()).with_context(cannot)?;
    fs::write(&file, script).with_context(cannot)?;
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).with_context(cannot)?;
    Ok(file)
}

/// Zig would put an unwinder of its own in place of libgcc_s, which every Linux has, and which the
/// tests unwind with. What it does not know are a check that it makes anyway, a remedy for early
/// 64-bit ARM processors, and a choice of linker.
fn script(python: &str, unwinder: &str) -> String {
    let (major, minor) = GLIBC;
    format!(
        r#"#!/bin/sh
# Written by cargo xtask.
for arg do
  shift
  case $arg in
    -lgcc_s) arg={unwinder} ;;
    -Wl,--no-undefined-version | -Wl,--fix-cortex-a53-843419 | -fuse-ld=* | -B*/gcc-ld) continue ;;
  esac
  set -- "$@" "$arg"
done
exec {python} -m ziglang cc -target {ARCH}-linux-gnu.{major}.{minor} "$@"
"#,
        python = quoted(python),
        unwinder = quoted(unwinder),
    )
}

/// One word for a shell.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::script;
    use crate::process;

    #[test]
    fn rustcs_words_become_zigs() -> anyhow::Result<()> {
        let folder = std::env::temp_dir().join(format!("xtask linker's {}", std::process::id()));
        fs::create_dir_all(&folder)?;
        let python = folder.join("python");
        fs::write(&python, "#!/bin/sh\nprintf '%s\\n' \"$@\"\n")?;
        fs::set_permissions(&python, fs::Permissions::from_mode(0o755))?;
        let file = folder.join("linker");
        fs::write(
            &file,
            script(&python.display().to_string(), "/lib/lib gcc.so"),
        )?;
        let answer = process::ask(
            "sh",
            [
                file.as_os_str(),
                "a b.o".as_ref(),
                "-lgcc_s".as_ref(),
                "-fuse-ld=lld".as_ref(),
                "-B/rust/bin/gcc-ld".as_ref(),
                "-Wl,--no-undefined-version".as_ref(),
                "-lc".as_ref(),
            ],
        );
        fs::remove_dir_all(&folder)?;
        let answer = answer.unwrap_or_default();
        let words: Vec<&str> = answer.lines().collect();
        assert_eq!(words[..4], ["-m", "ziglang", "cc", "-target"]);
        assert!(words[4].ends_with("-linux-gnu.2.28"), "{words:?}");
        assert_eq!(words[5..], ["a b.o", "/lib/lib gcc.so", "-lc"]);
        Ok(())
    }
}
