//! The moment by which a caller wants its answer.

use std::{future::Future, time::Duration};
use tokio::time::Instant;

tokio::task_local! {
    static CURRENT: Option<Deadline>;
}

/// A moment of the monotonic clock. The contract layer puts it into a request's extensions; an
/// [`crate::upstream::Upstream`] sends what is left of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline(Instant);

impl Deadline {
    /// `period` from now; capped at a century, because an instant cannot lie further.
    pub fn after(period: Duration) -> Self {
        const CENTURY: Duration = Duration::from_secs(100 * 366 * 24 * 3600);
        Self(Instant::now() + period.min(CENTURY))
    }

    /// What is left; zero when it has passed.
    pub fn remaining(self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }

    /// True when nothing is left.
    pub fn has_passed(self) -> bool {
        self.remaining().is_zero()
    }

    /// The deadline of the call that this task answers, if it has one. A task spawned by the handler has none.
    pub fn current() -> Option<Self> {
        CURRENT.try_with(|deadline| *deadline).ok().flatten()
    }

    /// Runs `future` as a part of a call with this deadline.
    pub(crate) async fn scope<F: Future>(deadline: Option<Self>, future: F) -> F::Output {
        CURRENT.scope(deadline, future).await
    }
}
