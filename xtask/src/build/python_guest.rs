//! Policies that are written in Python: components made by componentize-py, with an interpreter in
//! them.
//!
//! One takes seconds and is never twice the same to the byte, so it is made anew only if what it is
//! made of has changed.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use crate::build::folders;
use crate::layout::Layout;
use crate::process::{self, Step};
use crate::setup::{self, Part};

/// The module in a policy's folder that exports the contract.
const MODULE: &str = "policy";
const WORLD: &str = "lifeline";

/// Build every policy under `guest/python/` into `target/policies/NAME.wasm`.
pub fn policies(layout: &Layout) -> Result<()> {
    setup::ensure(layout, &[Part::Venv])?;
    let program = layout.venv_program("componentize-py");
    let version = process::ask(&program, ["--version"])
        .with_context(|| format!("{} does not run; remove target/venv", program.display()))?;
    for (name, source) in folders(&layout.root().join("guest/python"))? {
        if source.join(format!("{MODULE}.py")).is_file() {
            policy(layout, &name, &source, &version)?;
        }
    }
    Ok(())
}

fn policy(layout: &Layout, name: &str, source: &PathBuf, version: &str) -> Result<()> {
    let made_of = fingerprint(version, &[source.clone(), layout.root().join("wit")])?;
    let file = layout.policies().join(format!("{name}.wasm"));
    let stamp = layout.policies().join(format!("{name}.made-of"));
    let shown = file.strip_prefix(layout.root()).unwrap_or(&file).display();
    if is_current(&file, &stamp, &made_of) {
        eprintln!("  {shown}: unchanged");
        return Ok(());
    }
    let draft = file.with_extension("wasm.new");
    fs::create_dir_all(layout.policies())
        .with_context(|| format!("{} cannot be made", layout.policies().display()))?;
    componentize_py(layout, format!("building the policy {name} (in Python)"))
        .args(["componentize", "--stub-wasi", MODULE, "--python-path"])
        .arg(source)
        .arg("--output")
        .arg(&draft)
        .quiet()
        .hint(format!(
            "a traceback above is of guest/python/{name}/{MODULE}.py, which is run once while it is \
             built; anything else: remove target/venv, which is then made anew"
        ))
        .run()?;
    replace(&draft, &file, &stamp, &made_of)?;
    eprintln!("  {shown}: {} bytes, written", fs::metadata(&file)?.len());
    Ok(())
}

/// The contract as Python, for the type checker alone: `target/policy-bindings`.
pub fn python_bindings(layout: &Layout) -> Result<()> {
    setup::ensure(layout, &[Part::Venv])?;
    let folder = layout.policy_bindings();
    // It is not written over.
    if folder.exists() {
        fs::remove_dir_all(&folder)
            .with_context(|| format!("{} cannot be removed", folder.display()))?;
    }
    componentize_py(layout, "making the contract's types for Python".to_owned())
        .arg("bindings")
        .arg(&folder)
        .quiet()
        .hint("what it says above is about wit/policy.wit; else remove target/venv")
        .run()
}

fn componentize_py(layout: &Layout, what: String) -> Step {
    Step::new(what, layout.venv_program("componentize-py"))
        .args(["--quiet", "--wit-path"])
        .arg(layout.root().join("wit"))
        .args(["--world", WORLD])
        .dir(layout.root())
        // Its packages would be searched, too.
        .without_env("VIRTUAL_ENV")
}

/// A hash of the program's version and of all files in these folders (not below them).
fn fingerprint(version: &str, folders: &[PathBuf]) -> Result<String> {
    let mut hash = Sha256::new();
    let mut add = |part: &[u8]| {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    };
    add(version.as_bytes());
    for folder in folders {
        let cannot = || format!("{} cannot be read", folder.display());
        let entries = fs::read_dir(folder).with_context(cannot)?;
        let mut files = Vec::new();
        for entry in entries {
            let path = entry.with_context(cannot)?.path();
            if path.is_file() {
                files.push(path);
            }
        }
        files.sort();
        for file in files {
            add(file.file_name().unwrap_or_default().as_encoded_bytes());
            let content =
                fs::read(&file).with_context(|| format!("{} cannot be read", file.display()))?;
            add(&content);
        }
    }
    Ok(hex::encode(hash.finalize()))
}

fn is_current(file: &Path, stamp: &Path, made_of: &str) -> bool {
    file.is_file() && fs::read(stamp).is_ok_and(|old| old == made_of.as_bytes())
}

/// The stamp is gone while it may not fit the file.
fn replace(draft: &Path, file: &Path, stamp: &Path, made_of: &str) -> Result<()> {
    if stamp.exists() {
        fs::remove_file(stamp).with_context(|| format!("{} cannot be removed", stamp.display()))?;
    }
    fs::rename(draft, file).with_context(|| format!("{} cannot be written", file.display()))?;
    fs::write(stamp, made_of).with_context(|| format!("{} cannot be written", stamp.display()))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;

    use super::{fingerprint, is_current, replace};

    /// A folder that is gone afterwards.
    struct Scratch(PathBuf);

    impl Scratch {
        fn new(name: &str) -> anyhow::Result<Self> {
            let folder = std::env::temp_dir().join(format!("xtask-{name}-{}", std::process::id()));
            fs::create_dir_all(&folder)?;
            Ok(Self(folder))
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            // Nothing can be done about a folder that stays.
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_change_of_a_name_a_content_or_the_version_shows() -> anyhow::Result<()> {
        let scratch = Scratch::new("fingerprint")?;
        let folders = [scratch.0.clone()];
        fs::write(scratch.0.join("a.py"), "1")?;
        let mut seen = vec![fingerprint("0.25.1", &folders)?];
        assert_eq!(seen[0], fingerprint("0.25.1", &folders)?);
        // What Python leaves behind does not count.
        fs::create_dir(scratch.0.join("__pycache__"))?;
        fs::write(scratch.0.join("__pycache__/a.pyc"), "1")?;
        assert_eq!(seen[0], fingerprint("0.25.1", &folders)?);
        seen.push(fingerprint("0.25.2", &folders)?);
        fs::write(scratch.0.join("a.py"), "2")?;
        seen.push(fingerprint("0.25.1", &folders)?);
        fs::rename(scratch.0.join("a.py"), scratch.0.join("b.py"))?;
        seen.push(fingerprint("0.25.1", &folders)?);
        fs::write(scratch.0.join("c.py"), "")?;
        seen.push(fingerprint("0.25.1", &folders)?);
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), 5);
        Ok(())
    }

    #[test]
    fn it_is_current_only_if_it_is_there_and_made_of_the_same() -> anyhow::Result<()> {
        let scratch = Scratch::new("stamp")?;
        let [draft, file, stamp] = ["new", "wasm", "made-of"].map(|it| scratch.0.join(it));
        assert!(!is_current(&file, &stamp, "one"));
        fs::write(&draft, "component")?;
        replace(&draft, &file, &stamp, "one")?;
        assert!(is_current(&file, &stamp, "one"));
        assert!(!is_current(&file, &stamp, "two"));
        fs::remove_file(&file)?;
        assert!(!is_current(&file, &stamp, "one"));
        Ok(())
    }
}
