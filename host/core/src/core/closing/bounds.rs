//! How long each step of the end may take.

use super::{End, Keeping, Terminating};
use crate::core::{Core, earlier};
use crate::tickets::Open;

/// After the bound of SIGTERM, Blender still has this long to close (milliseconds).
const LAST_MOMENT: u64 = 1_000;
/// A main thread that has not polled since it was asked to quit is at work: it has this many times
/// as long.
const AT_WORK: u64 = 10;
/// After SIGTERM, a main thread that has not polled for so long is not busy but dead, as when its display
/// has died: nobody waits for it any longer (milliseconds).
const DEAD: u64 = 40_000;
/// A saved file that cannot be verified within this long counts as unreadable (milliseconds).
const VERIFY: u64 = 600_000;
/// An upload that has not ended this long after its own limit never does (milliseconds).
const UPLOAD_GRACE: u64 = 10_000;
/// How long a journal that hangs may hold up the end (milliseconds).
pub(super) const WRITE: u64 = 3_000;

impl Core {
    /// When something of the end is due next.
    pub(crate) fn alarm(&self) -> Option<u64> {
        let end = match self.closing.end {
            End::Wanted if self.tickets.open().is_some() => None,
            End::Wanted => match self.closing.keeping.filter(|_| self.guard.is_safe()) {
                Some(keeping) => Some(self.keeping_until(keeping)),
                None => earlier(self.guard.quit_from(), self.closing.retry_at),
            },
            End::Asked => self.claim_until().filter(|_| self.may_be_ended()),
            End::Writing { since, .. } => Some(since.saturating_add(WRITE)),
            End::No | End::Told => None,
        };
        earlier(self.stuck_from(), end)
    }

    /// Until when verifying and uploading are waited for.
    pub(super) fn keeping_until(&self, keeping: Keeping) -> u64 {
        let bound = match keeping.verified_at {
            None => keeping.since.saturating_add(VERIFY),
            Some(at) => at
                .saturating_add(self.config.upload)
                .saturating_add(UPLOAD_GRACE),
        };
        match self.closing.terminating {
            Some(it) => bound.min(it.upload_until),
            None => bound,
        }
    }

    /// The work is safe, as far as anybody knows.
    pub(super) fn may_be_ended(&self) -> bool {
        let unchanged = self.closing.copied || self.scene.is_none_or(|scene| !scene.modified);
        self.guard.is_safe() && unchanged && !self.closing.outdated
    }

    /// When a main thread that begins nothing is waited for no longer, whatever becomes of its work.
    pub(super) fn stuck_from(&self) -> Option<u64> {
        let open = self.unclaimed().filter(|_| !self.closing.is_final())?;
        let set = Some(self.config.stuck).filter(|stuck| *stuck > 0);
        let busy = set.map(|stuck| open.since.saturating_add(stuck));
        let dead = self.closing.terminating;
        // Since before it was heard, or asked for anything, nobody was in a hurry.
        let polled = self.polled.max(open.since);
        let dead = dead.map(|it| it.until.max(polled.max(it.heard_at).saturating_add(DEAD)));
        earlier(busy, dead)
    }

    /// The main thread has this long to claim the quit; None: it has.
    pub(super) fn claim_until(&self) -> Option<u64> {
        let since = self.unclaimed()?.since;
        if self.closing.is_terminating() || self.polled > since {
            return Some(self.closed_until(since));
        }
        Some(since.saturating_add(self.config.quit.saturating_mul(AT_WORK)))
    }

    fn unclaimed(&self) -> Option<Open> {
        self.tickets.open().filter(|open| !open.claimed)
    }

    /// Blender has this long to close.
    pub(super) fn closed_until(&self, since: u64) -> u64 {
        let bound = since.saturating_add(self.config.quit);
        match self.closing.terminating {
            Some(Terminating { until, .. }) => {
                bound.min(until.max(since.saturating_add(LAST_MOMENT)))
            }
            None => bound,
        }
    }
}
