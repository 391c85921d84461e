//! The host's sources, their tests left out.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::layout::Layout;

/// One file.
#[derive(Debug)]
pub struct Source {
    pub path: PathBuf,
    /// Without its tests.
    pub text: String,
}

/// The folder `src` of each of the host's crates.
pub fn of_the_host(layout: &Layout) -> Result<Vec<PathBuf>> {
    let host = layout.root().join("host");
    let crates = fs::read_dir(&host).with_context(|| format!("{}", host.display()))?;
    let mut folders = crates
        .map(|entry| Ok(entry?.path().join("src")))
        .collect::<Result<Vec<_>>>()?;
    folders.sort();
    Ok(folders)
}

/// A file, or all files below a folder; none if it is not there.
pub fn read(path: &Path, files: &mut Vec<Source>) -> Result<()> {
    let cannot = || format!("{} cannot be read", path.display());
    if path.is_dir() {
        let declared = ["mod.rs", "lib.rs"]
            .map(|it| fs::read_to_string(path.join(it)).unwrap_or_default())
            .concat();
        for entry in fs::read_dir(path).with_context(cannot)? {
            let inner = entry.with_context(cannot)?.path();
            let name = inner.file_stem().unwrap_or_default().to_string_lossy();
            if !declared.contains(&format!("#[cfg(test)]\nmod {name};")) {
                read(&inner, files)?;
            }
        }
    } else if path.is_file() {
        let text = fs::read_to_string(path).with_context(cannot)?;
        files.push(Source {
            path: path.to_path_buf(),
            text: without_tests(&text).to_owned(),
        });
    }
    Ok(())
}

pub fn without_tests(text: &str) -> &str {
    text.split("#[cfg(test)]\nmod tests {")
        .next()
        .unwrap_or(text)
}
