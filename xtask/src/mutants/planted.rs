//! Mistakes that people have planted where one costs most: on the core's way to Blender's end.
//!
//! Each is a patch in `tests/mutants/closing`. Above the patch stands which search of the model must
//! find it, and which rule it breaks. The model's shortest way there is printed.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use super::tree;
use crate::layout::Layout;
use crate::process::{self, Step, kept_back};

/// A patch, and what stands above it.
#[derive(Debug, PartialEq, Eq)]
struct Planted<'a> {
    /// The model's configuration.
    search: &'a str,
    /// The rule's sentence.
    breaks: &'a str,
}

impl<'a> Planted<'a> {
    fn parse(text: &'a str) -> Result<Self> {
        let field = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name));
            line.map(str::trim)
                .with_context(|| format!("there is no line `{name} …` above the patch"))
        };
        Ok(Planted {
            search: field("Search:")?,
            breaks: field("Breaks:")?,
        })
    }
}

/// Plants each by itself. One sentence for each that the model does not find.
pub fn run(layout: &Layout, folder: &Path) -> Result<Vec<String>> {
    let patches = layout.root().join("tests/mutants/closing");
    let listed = fs::read_dir(&patches).with_context(|| patches.display().to_string())?;
    let mut paths = listed
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<Vec<_>>>()?;
    paths.sort();
    if paths.is_empty() {
        bail!("there is nothing in {}", patches.display());
    }
    let mut faults = Vec::new();
    for path in &paths {
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
        let planted = Planted::parse(&text).with_context(|| path.display().to_string())?;
        let tree = folder.join("tree");
        tree::copy(layout, &tree)?;
        Step::new(format!("planting {name}"), "git")
            .arg("apply")
            .arg(path)
            // The copy lies in a repository, and is none.
            .env("GIT_CEILING_DIRECTORIES", folder)
            .dir(&tree)
            .hint("make the patch anew: the source has changed")
            .run()?;
        let (status, said) = kept_back(|| {
            process::cargo(format!("the model against {name}"))
                .args(["run", "--release", "--package", "lifeline-model", "--"])
                .args(["--only", planted.search])
                .env("CARGO_TARGET_DIR", folder.join("target"))
                .dir(&tree)
                .with_our_stdout()
                .status()
        });
        let said = String::from_utf8_lossy(&said);
        let broken = format!("BROKEN: {}", planted.breaks);
        if status?.code() == Some(1) && said.contains(&broken) {
            let trace = said.split_once("BROKEN: ").map_or("", |(_, trace)| trace);
            println!("{name}: found\n  BROKEN: {trace}");
        } else {
            faults.push(format!("{name}: the model does not find it:\n{said}"));
        }
    }
    Ok(faults)
}

#[cfg(test)]
mod tests {
    use super::Planted;

    #[test]
    fn above_a_patch_stands_who_must_find_it() {
        let text = "Why.\n\nSearch: files\nBreaks: nothing is lost\n\n--- a/x\n+++ b/x\n";
        let planted = Planted::parse(text).ok();
        let found = Planted {
            search: "files",
            breaks: "nothing is lost",
        };
        assert_eq!(planted, Some(found));
        assert!(Planted::parse("Search: files\n--- a/x\n").is_err());
    }
}
