//! The copy in which mistakes are planted.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use anyhow::{Context, Result};

use crate::layout::Layout;
use crate::process::{self, Step};

/// Every file that is or might be committed, as it is now.
pub fn copy(layout: &Layout, tree: &Path) -> Result<()> {
    let root = layout.root();
    let listed = process::ask(
        "git",
        [
            "-C".as_ref(),
            root.as_os_str(),
            "ls-files".as_ref(),
            "--cached".as_ref(),
            "--others".as_ref(),
            "--exclude-standard".as_ref(),
        ],
    )
    .context("git cannot say which files belong to the work tree; a checkout is needed")?;
    if tree.exists() {
        fs::remove_dir_all(tree).with_context(|| format!("{} is in the way", tree.display()))?;
    }
    for file in listed.lines() {
        let (from, to) = (root.join(file), tree.join(file));
        // Deleted, but not committed yet.
        if !from.exists() {
            continue;
        }
        if let Some(folder) = to.parent() {
            fs::create_dir_all(folder)
                .with_context(|| format!("{} cannot be made", folder.display()))?;
        }
        let copied = match fs::read_link(&from) {
            Ok(target) => symlink(target, &to),
            Err(_) => fs::copy(&from, &to).map(drop),
        };
        copied.with_context(|| format!("{file} cannot be copied"))?;
    }
    Ok(())
}

/// What was compiled already need not be compiled again. The folder cannot be shared: cargo takes a
/// package of one tree for the same package of another one, and would hand out mutants.
pub fn seed_target(layout: &Layout, target: &Path) -> Result<()> {
    let built = layout.target().join("release");
    if target.exists() || !built.exists() {
        return Ok(());
    }
    fs::create_dir_all(target).with_context(|| format!("{} cannot be made", target.display()))?;
    Step::new("copying what is compiled already", "cp")
        .arg("-a") // cargo goes by the times of files
        .arg(&built)
        .arg(target)
        .hint(format!("remove {}, and begin again", target.display()))
        .run()
}
