//! Which file a save target was first seen with. It outlasts the connection: the add-on may be enabled anew, or
//! the host thread started again, while another file is open.

use super::run::Driver;
use crate::settings::{SaveSource, SaveTarget};
use lifeline_core::Input;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Of this process, by a digest of the target.
static FIRST: Mutex<BTreeMap<[u8; 32], PathBuf>> = Mutex::new(BTreeMap::new());

fn known() -> MutexGuard<'static, BTreeMap<[u8; 32], PathBuf>> {
    // Written as a whole: a poisoned one is still in order.
    FIRST.lock().unwrap_or_else(PoisonError::into_inner)
}

fn key(source: &SaveSource) -> [u8; 32] {
    let mut digest = Sha256::new();
    match source {
        SaveSource::File(path) => digest.update(path.to_string_lossy().as_bytes()),
        SaveSource::Given(target) => digest.update(target.object()),
    }
    digest.finalize().into()
}

/// Both are for the same object in the store.
pub(super) fn is_same(one: &SaveSource, other: &SaveTarget) -> bool {
    matches!(one, SaveSource::Given(target) if target.object() == other.object())
}

impl Driver {
    /// As if it had been open before what is open now.
    pub(super) fn recall_first_file(&mut self) {
        if let Some(first) = self.settings.save.as_ref().and_then(of) {
            self.step(Input::File(Some(first)));
            self.step(Input::File(None));
        }
    }

    /// Another file is open.
    pub(super) fn file_opened(&mut self) {
        let named = Some(PathBuf::from(&self.path)).filter(|_| !self.path.is_empty());
        if let Some((source, file)) = self.settings.save.as_ref().zip(named.as_ref()) {
            opened(source, file);
        }
        self.step(Input::File(named));
    }
}

/// The one; None: no named file was open yet.
fn of(source: &SaveSource) -> Option<PathBuf> {
    known().get(&key(source)).cloned()
}

/// This one is open. Only the first one counts.
fn opened(source: &SaveSource, file: &Path) {
    known().entry(key(source)).or_insert_with(|| file.into());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn renewed_urls_are_of_the_same_object_and_others_are_not() {
        let parts = |key: &str, url: &str| {
            format!(r#"{{"part_size": 1, "part_urls": ["{url}"], "key": "{key}"}}"#)
        };
        for (one, other, same) in [
            ("https://s/a?until=1", "https://s/a?until=2", true),
            ("https://s/a?until=1", "https://s/b?until=1", false),
            (&parts("a", "https://s/1"), &parts("a", "https://s/2"), true),
            (
                &parts("a", "https://s/1"),
                &parts("b", "https://s/1"),
                false,
            ),
        ] {
            let source = SaveSource::Given(SaveTarget::parse(one).unwrap());
            let renewed = SaveTarget::parse(other).unwrap();
            assert_eq!(is_same(&source, &renewed), same, "{one} {other}");
            let renewed = SaveSource::Given(renewed);
            assert_eq!(key(&source) == key(&renewed), same, "{one} {other}");
        }
    }
}
