//! A memory beside the state, which a fresh instance for each call takes away.

use crate::mode::Mode;
use core::sync::atomic::{AtomicU32, Ordering};
use lifeline_contract::types::Decision;

static CALLS: AtomicU32 = AtomicU32::new(0);

/// From the second call of an instance on, the memo tells of the ones before.
pub fn keep(mode: Mode, mut decision: Decision) -> Decision {
    if mode == Mode::KeepsASecret {
        let before = CALLS.fetch_add(1, Ordering::Relaxed);
        if before > 0 {
            decision.state.memo = before.to_le_bytes().to_vec();
        }
    }
    decision
}
