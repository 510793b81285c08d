//! Reading what one wrote: after an act of ours ended, memory answers again once a wait that was sent later is answered.

use std::sync::atomic::{AtomicU64, Ordering};

/// Numbers of waits, which are sent one after the other.
#[derive(Debug, Default)]
pub(super) struct Acts {
    /// The last one that was sent.
    sent: AtomicU64,
    /// The last one that was answered as a whole.
    answered: AtomicU64,
    /// The last one that was sent before an act of ours ended: its answer may not know of the act.
    unaware: AtomicU64,
}

impl Acts {
    /// A wait is sent now; returns its number.
    pub(super) fn send(&self) -> u64 {
        self.sent.fetch_add(1, Ordering::SeqCst) + 1
    }

    /// The answer to a wait was taken in, with nothing still to come.
    pub(super) fn answer(&self, number: u64) {
        self.answered.fetch_max(number, Ordering::SeqCst);
    }

    /// An act ended.
    pub(super) fn ended(&self) {
        self.unaware.fetch_max(self.sent.load(Ordering::SeqCst), Ordering::SeqCst);
    }

    /// True where every act that ended was told since.
    pub(super) fn are_told(&self) -> bool {
        self.answered.load(Ordering::SeqCst) > self.unaware.load(Ordering::SeqCst)
    }
}

#[cfg(test)]
mod tests {
    use super::Acts;

    #[test]
    fn the_wait_that_was_under_way_does_not_count() {
        let acts = Acts::default();
        let first = acts.send();
        acts.answer(first);
        assert!(acts.are_told(), "no act yet");
        let under_way = acts.send();
        acts.ended();
        assert!(!acts.are_told(), "an act ended");
        acts.answer(under_way);
        assert!(!acts.are_told(), "its answer may have been made before the act");
        let later = acts.send();
        acts.answer(later);
        assert!(acts.are_told());
    }
}
