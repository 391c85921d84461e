//! What the store has of an upload in parts. It outlasts orders: what is up stays up.

use crate::settings::{Parts, Secret};
use lifeline_core::Part;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use url::Url;

/// One for all orders.
#[derive(Clone, Debug, Default)]
pub struct Ledger(Arc<Mutex<Entries>>);

#[derive(Debug, Default)]
struct Entries {
    /// Of which upload.
    of: Option<Secret>,
    parts: BTreeMap<u32, ([u8; 16], Part)>,
    /// A file was made of parts with these sums: the upload is over.
    completed: Option<Vec<[u8; 16]>>,
}

impl Ledger {
    fn entries(&self) -> MutexGuard<'_, Entries> {
        // Written as a whole: a poisoned one is still in order.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// This upload comes next. What is known of another one is of no use.
    pub(super) fn open(&self, target: &Parts) {
        let of = identity(target);
        let mut entries = self.entries();
        if entries.of.as_ref() != Some(&of) {
            *entries = Entries {
                of: Some(of),
                ..Entries::default()
            };
        }
    }

    /// The part is up, with these bytes.
    pub(super) fn part(&self, number: u32, md5: &[u8; 16]) -> Option<Part> {
        let entries = self.entries();
        let (known, part) = entries.parts.get(&number)?;
        (known == md5).then(|| part.clone())
    }

    pub(super) fn took(&self, md5: [u8; 16], part: &Part) {
        self.entries()
            .parts
            .insert(part.number, (md5, part.clone()));
    }

    /// A file was made of this upload: was it this one?
    pub(super) fn completed(&self, md5s: &[[u8; 16]]) -> Option<bool> {
        let entries = self.entries();
        Some(entries.completed.as_deref()? == md5s)
    }

    pub(super) fn complete(&self, md5s: Vec<[u8; 16]>) {
        self.entries().completed = Some(md5s);
    }
}

/// Renewed URLs of one upload differ in their signatures alone.
fn identity(target: &Parts) -> Secret {
    let first = target.part_urls.first().map(Secret::reveal);
    let url = first.and_then(|url| Url::parse(url).ok());
    let in_url = url.and_then(|url| {
        let mut pairs = url.query_pairs();
        Some(pairs.find(|(name, _)| name == "uploadId")?.1.into_owned())
    });
    let known = target.upload_id.clone().or(in_url);
    Secret::new(known.unwrap_or_else(|| first.unwrap_or_default().to_string()))
}
