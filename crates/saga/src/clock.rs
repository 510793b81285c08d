//! The engine's own view of time, so that this crate needs nobody else's. The host adapts its clock to it.

use async_trait::async_trait;
use jiff::Timestamp;
use std::{fmt::Debug, time::Duration};

/// Wall time and sleep; nothing in the engine asks anybody else what time it is.
#[async_trait]
pub trait Clock: Debug + Send + Sync + 'static {
    /// The wall time now, for the journal's records.
    fn now(&self) -> Timestamp;
    /// Returns after `period` of this clock has passed.
    async fn sleep(&self, period: Duration);
}
