//! What tests of operations need: a journal that crashes, a clock, faults by script, and the runs that every operation
//! must survive ([`Scenario`]). Not used in production; a plain module so that a host's tests need no features.

mod journal;
mod scenario;
mod script;

pub use journal::{CrashKind, MemoryJournal};
pub use scenario::{Ending, Scenario, Tally};
pub use script::{Rule, Script};

use crate::Clock;
use async_trait::async_trait;
use jiff::Timestamp;
use std::time::Duration;
use tokio::time::Instant;

/// tokio's clock, which a test pauses (`#[tokio::test(start_paused = true)]`): waiting then takes no time.
#[derive(Debug, Clone, Copy)]
pub struct TokioClock {
    wall: Timestamp,
    since: Instant,
}

impl TokioClock {
    /// A clock that says 2026-01-01 now. Call it inside the runtime.
    pub fn new() -> Self {
        Self { wall: Timestamp::from_second(1_767_225_600).unwrap_or(Timestamp::UNIX_EPOCH), since: Instant::now() }
    }
}

impl Default for TokioClock {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Clock for TokioClock {
    fn now(&self) -> Timestamp {
        self.wall.saturating_add(self.since.elapsed()).unwrap_or(Timestamp::MAX)
    }

    #[expect(clippy::disallowed_methods, reason = "this is a clock")]
    async fn sleep(&self, period: Duration) {
        tokio::time::sleep(period).await;
    }
}
