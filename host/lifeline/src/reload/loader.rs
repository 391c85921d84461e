//! Makes policies of bytes, beside the driver: orders one after the other, and what the watch finds.

use super::push::Push;
use super::source::{PolicySource, SwapError, read};
use super::store::{Kept, Store};
use crate::Call;
use crate::contract::{Moment, Phase, State};
use lifeline_core::guard::{Bounds, Guard};
use lifeline_sandbox::{LoadError, Policy, Sandbox};
use sha2::{Digest, Sha256};
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use tokio::sync::mpsc::UnboundedSender;

/// The origin of what the server has sent.
pub(crate) const SERVER: &str = "server";

/// What to load.
#[derive(Clone, Debug)]
pub(crate) enum Order {
    /// By hand.
    Swap(PolicySource),
    /// The file of the settings.
    Watched(PathBuf),
    /// From the server, now.
    Pushed(Box<Push>),
    /// From the server, in an earlier process.
    Kept,
    /// Back from what the server has sent to the file of the settings, if there is one. The
    /// server's own wish, if it is that.
    Revert(Option<Box<Push>>),
    /// What the server has sent is not to be there after a restart, if it has this digest.
    Forget(String),
}

impl Order {
    /// For people, and for the journal.
    pub fn origin(&self) -> String {
        match self {
            Order::Swap(source) => source.to_string(),
            Order::Watched(path) => path.display().to_string(),
            Order::Pushed(_) | Order::Kept => SERVER.into(),
            Order::Revert(_) | Order::Forget(_) => "the way back".into(),
        }
    }
}

impl Order {
    /// Another policy, unless it cannot be had.
    fn brings_one(&self) -> bool {
        matches!(self, Order::Swap(_) | Order::Pushed(_) | Order::Kept)
    }

    fn is_pushed(&self) -> bool {
        matches!(self, Order::Pushed(_) | Order::Revert(Some(_)))
    }
}

/// An order that was carried out, or not.
#[derive(Debug)]
pub(crate) struct Verdict {
    pub order: Order,
    /// Of the bytes, if they could be read.
    pub sha256: Option<String>,
    pub outcome: Result<Box<Policy>, SwapError>,
    /// Why it will not be, or will still be, there after a restart.
    pub trouble: Option<String>,
}

#[derive(Default)]
struct Queue {
    orders: VecDeque<(u64, Order)>,
    at_work: bool,
    /// Of the order that is being carried out: it is given up.
    given_up: Arc<AtomicBool>,
}

/// Loads policies. Clones share the queue.
#[derive(Clone)]
pub(crate) struct Loader {
    sandbox: Sandbox,
    bounds: Bounds,
    pins: Arc<[String]>,
    store: Option<Store>,
    /// Of the settings.
    file: Option<PathBuf>,
    done: UnboundedSender<Verdict>,
    last: Arc<AtomicU64>,
    /// The number of the last order that led to a policy.
    taken: Arc<Mutex<u64>>,
    queue: Arc<Mutex<Queue>>,
}

impl Loader {
    /// The verdicts are sent to `done`.
    pub fn new(
        sandbox: Sandbox,
        bounds: Bounds,
        pins: &[String],
        store: Option<Store>,
        file: Option<PathBuf>,
        done: UnboundedSender<Verdict>,
    ) -> Self {
        Loader {
            sandbox,
            bounds,
            pins: pins.into(),
            store,
            file,
            done,
            last: Arc::default(),
            taken: Arc::default(),
            queue: Arc::default(),
        }
    }

    /// In the background, after the orders before it.
    pub fn order(&self, order: Order) {
        let number = self.number();
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let back = matches!(order, Order::Revert(_));
        if back {
            // What is being compiled is not waited for.
            queue.given_up.store(true, Ordering::Relaxed);
        }
        if back || order.is_pushed() {
            // A server that sends again and again fills no memory: the last one counts.
            let (stale, rest): (VecDeque<_>, VecDeque<_>) = queue
                .orders
                .drain(..)
                .partition(|(_, it)| it.is_pushed() || back && it.brings_one());
            queue.orders = rest;
            for (_, order) in stale {
                self.tell(order, None, Err(SwapError::Superseded), None);
            }
        }
        queue.orders.push_back((number, order));
        if queue.at_work {
            return;
        }
        queue.at_work = true;
        let loader = self.clone();
        let spawned = thread::Builder::new()
            .name("lifeline-load".into())
            .spawn(move || loader.work());
        if let Err(error) = spawned {
            queue.at_work = false;
            if let Some((_, order)) = queue.orders.pop_back() {
                drop(queue);
                self.tell(order, None, Err(SwapError::Read(error)), None);
            }
        }
    }

    fn work(self) {
        loop {
            let next = {
                let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
                let next = queue.orders.pop_front();
                queue.at_work = next.is_some();
                queue.given_up = Arc::default();
                next.map(|next| (next, Arc::clone(&queue.given_up)))
            };
            let Some(((number, order), given_up)) = next else {
                return;
            };
            self.guarded(&order.clone(), || self.carry_out(number, order, &given_up));
        }
    }

    /// For the watch: now, on its thread.
    pub(super) fn watched(&self, path: &Path, bytes: Result<Vec<u8>, SwapError>) {
        let number = self.number();
        let order = Order::Watched(path.to_path_buf());
        self.guarded(&order.clone(), || {
            self.finish(number, order, bytes, (None, None), &AtomicBool::new(false));
        });
    }

    /// A fault in a library ends this order, and no other.
    fn guarded(&self, order: &Order, work: impl FnOnce()) {
        if catch_unwind(AssertUnwindSafe(work)).is_err() {
            self.tell(order.clone(), None, Err(SwapError::Fault), None);
        }
    }

    /// As the watch reads: whole, if it can be a policy by its size.
    pub(super) fn read(&self, path: &Path) -> Result<Vec<u8>, SwapError> {
        read(path, &self.sandbox)
    }

    fn carry_out(&self, number: u64, order: Order, given_up: &AtomicBool) {
        let set = || match &self.file {
            Some(path) => self.read(path),
            None => Err(SwapError::NothingSet),
        };
        let mut trouble = None;
        let (bytes, announced) = match &order {
            Order::Swap(PolicySource::Bytes(bytes)) => (Ok(bytes.clone()), None),
            Order::Swap(PolicySource::Path(path)) | Order::Watched(path) => (self.read(path), None),
            Order::Pushed(push) => (
                push.bytes(&self.sandbox),
                Some(push.sha256.to_ascii_lowercase()),
            ),
            Order::Kept => match self.kept() {
                Ok(kept) => (self.read(&kept.path), Some(kept.sha256)),
                Err(error) => (Err(error), None),
            },
            Order::Revert(_) => {
                trouble = self.forget();
                (set(), None)
            }
            Order::Forget(sha256) => {
                if self.kept().is_ok_and(|kept| kept.sha256 == *sha256) {
                    // It is not there after the next such order at the latest.
                    self.forget();
                }
                return;
            }
        };
        self.finish(number, order, bytes, (announced, trouble), given_up);
    }

    fn kept(&self) -> Result<Kept, SwapError> {
        let kept = self.store.as_ref().map_or(Ok(None), Store::kept)?;
        kept.ok_or(SwapError::NothingSet)
    }

    fn forget(&self) -> Option<String> {
        let error = self.store.as_ref()?.forget().err()?;
        Some(format!(
            "what the server has sent cannot be removed: {error}"
        ))
    }

    fn finish(
        &self,
        number: u64,
        order: Order,
        bytes: Result<Vec<u8>, SwapError>,
        (announced, mut trouble): (Option<String>, Option<String>),
        given_up: &AtomicBool,
    ) {
        let bytes = match bytes {
            Ok(bytes) => bytes,
            Err(error) => return self.tell(order, None, Err(error), trouble),
        };
        let sha256 = hex::encode(Sha256::digest(&bytes));
        let loaded = self.load(&bytes, &sha256, announced, given_up);
        // What the watch finds may have been overtaken while it was compiled.
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let outcome = match loaded {
            Ok(_) if number < *taken => Err(SwapError::Superseded),
            other => other,
        };
        if outcome.is_ok() {
            *taken = number;
            trouble = trouble.or(match order {
                Order::Pushed(_) => self.keep(&sha256, &bytes),
                // The last one that was taken counts, after a restart too.
                Order::Swap(_) | Order::Watched(_) => self.forget(),
                Order::Kept | Order::Revert(_) | Order::Forget(_) => None,
            });
        }
        self.tell(order, Some(sha256), outcome, trouble);
    }

    fn keep(&self, sha256: &str, bytes: &[u8]) -> Option<String> {
        let why = match &self.store {
            None => "no folder is set for it".to_string(),
            Some(store) => store.keep(sha256, bytes).err()?.to_string(),
        };
        Some(format!("it will not be there after a restart: {why}"))
    }

    fn load(
        &self,
        bytes: &[u8],
        sha256: &str,
        announced: Option<String>,
        given_up: &AtomicBool,
    ) -> Result<Box<Policy>, SwapError> {
        if let Some(announced) = announced.filter(|it| it != sha256) {
            let found = sha256.to_string();
            return Err(SwapError::NotAsAnnounced { found, announced });
        }
        // The size first: a digest of a file that is no policy tells nobody anything.
        self.sandbox.check_size(bytes.len() as u64)?;
        if !self.pins.is_empty() && !self.pins.iter().any(|pin| pin == sha256) {
            return Err(SwapError::NotPinned(sha256.to_string()));
        }
        let policy = match self.sandbox.load_unless(bytes, given_up) {
            Err(LoadError::GivenUp) => return Err(SwapError::Superseded),
            loaded => loaded?,
        };
        try_out(&policy, self.bounds)?;
        Ok(Box::new(policy))
    }

    fn number(&self) -> u64 {
        self.last.fetch_add(1, Ordering::Relaxed) + 1
    }

    fn tell(
        &self,
        order: Order,
        sha256: Option<String>,
        outcome: Result<Box<Policy>, SwapError>,
        trouble: Option<String>,
    ) {
        // The driver may have ended in the meantime.
        let _ = self.done.send(Verdict {
            order,
            sha256,
            outcome,
            trouble,
        });
    }
}

/// A first call that has no consequences: what fails here is not taken at all.
fn try_out(policy: &Policy, bounds: Bounds) -> Result<(), SwapError> {
    let call = Call::Start;
    let function = call.name();
    let state = State {
        phase: Phase::Connected,
        seen: 0,
        memo: Vec::new(),
    };
    let moment = Moment::at(0);
    let decision = policy
        .call(&call, &state, &moment)
        .map_err(|error| SwapError::Trial { function, error })?;
    Guard::new(0, 0, 0)
        .bounded(bounds)
        .check(&state, &call, &moment, &decision)
        .map_err(|violation| SwapError::Rule {
            function,
            violation,
        })
}
