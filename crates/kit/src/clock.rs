//! Time, as the only thing that may sleep or ask what time it is.

mod manual;

pub use manual::ManualClock;

use async_trait::async_trait;
use jiff::Timestamp;
use std::{fmt::Debug, sync::Arc, time::Duration};

/// Wall time and sleep. Production uses [`SystemClock`]; tests move time by hand or by tokio's paused clock.
#[async_trait]
pub trait Clock: Debug + Send + Sync {
    /// The wall time now.
    fn now(&self) -> Timestamp;
    /// Returns after `period` of this clock has passed.
    async fn sleep(&self, period: Duration);
}

/// How a clock is handed around.
pub type SharedClock = Arc<dyn Clock>;

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl SystemClock {
    /// The machine's clock, ready to be handed around.
    pub fn shared() -> SharedClock {
        Arc::new(SystemClock)
    }
}

#[async_trait]
impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock that the ban points to")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    #[expect(clippy::disallowed_methods, reason = "this is the clock that the ban points to")]
    async fn sleep(&self, period: Duration) {
        tokio::time::sleep(period).await;
    }
}
