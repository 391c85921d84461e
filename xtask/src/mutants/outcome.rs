//! What became of the mutants.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

/// The names that cargo-mutants gave them, with places in the source.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// A test turned red.
    pub caught: Vec<String>,
    /// The tests did not come to an end.
    pub timed_out: Vec<String>,
    /// It does not compile.
    pub unviable: Vec<String>,
    /// No test saw it.
    pub missed: Vec<String>,
}

impl Outcome {
    /// From the lists in `mutants.out`.
    pub fn read(folder: &Path) -> Result<Self> {
        let names = |list: &str| -> Result<Vec<String>> {
            let file = folder.join(list);
            let text = fs::read_to_string(&file)
                .with_context(|| format!("{} cannot be read", file.display()))?;
            Ok(text.lines().map(str::to_owned).collect())
        };
        Ok(Self {
            caught: names("caught.txt")?,
            timed_out: names("timeout.txt")?,
            unviable: names("unviable.txt")?,
            missed: names("missed.txt")?,
        })
    }

    /// There were no mutants.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// One line, for people and programs. Whoever never ends is noticed, too.
    pub fn summary(&self, equivalent: usize) -> String {
        let killed = self.caught.len() + self.timed_out.len();
        format!(
            "{} mutants, {killed} killed, {} unviable, {equivalent} equivalent",
            killed + self.unviable.len() + self.missed.len(),
            self.unviable.len()
        )
    }
}
