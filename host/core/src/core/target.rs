//! Which file the save target is for. Nothing else is ever written over that one: a target is given with a
//! project, and goes on to name it after "Save As" or "New".

use std::path::PathBuf;

/// The target, and what is open.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Target {
    known: bool,
    /// The first named file that was open since it is known; None: there was none, and what is open is
    /// what will be named.
    of: Option<PathBuf>,
    open: Option<PathBuf>,
}

impl Target {
    pub fn new(known: bool) -> Self {
        Target {
            known,
            ..Target::default()
        }
    }

    /// This is open now; None: it has no name yet.
    pub fn opened(&mut self, file: Option<PathBuf>) {
        if self.of.is_none() {
            self.of.clone_from(&file);
        }
        self.open = file;
    }

    /// There is a new one, for what is open.
    pub fn renewed(&mut self) {
        self.known = true;
        self.of.clone_from(&self.open);
    }

    /// There is one.
    pub fn is_known(&self) -> bool {
        self.known
    }

    /// What is open; None: it has no name yet.
    pub fn open(&self) -> Option<&PathBuf> {
        self.open.as_ref()
    }

    /// This file is what it is for.
    pub fn is_for(&self, file: &Option<PathBuf>) -> bool {
        self.of.is_none() || self.of == *file
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_for_the_first_file_that_has_a_name() {
        let file = |name: &str| Some(PathBuf::from(name));
        let mut target = Target::new(true);
        target.opened(None);
        assert!(target.is_for(&target.open), "nothing else was open");
        target.opened(file("/a"));
        assert!(target.is_for(&target.open), "it was saved under this name");
        for other in [file("/b"), None] {
            target.opened(other);
            assert!(!target.is_for(&target.open));
        }
        target.opened(file("/a"));
        assert!(target.is_for(&target.open));
        target.opened(file("/b"));
        target.renewed();
        assert!(
            target.is_for(&target.open),
            "the server has seen what is open"
        );
    }
}
