//! The world's own idea of time. The simulator may not depend on the services' kit, so whoever starts it hands it a
//! clock: the lab passes the machine's, tests one that they move by hand.

use jiff::{Timestamp, ToSpan as _};
use std::{
    fmt::Debug,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::Notify;

/// A future that can be kept in a trait object.
pub type Sleep<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// Wall time and sleep, as the world and its skins see them.
pub trait SimClock: Debug + Send + Sync {
    /// The wall time now.
    fn now(&self) -> Timestamp;
    /// Returns after `period` of this clock has passed.
    fn sleep(&self, period: Duration) -> Sleep<'_>;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct MachineClock;

impl SimClock for MachineClock {
    #[expect(clippy::disallowed_methods, reason = "the simulator's own clock; it may not depend on kit's")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    #[expect(clippy::disallowed_methods, reason = "the simulator's own clock; it may not depend on kit's")]
    fn sleep(&self, period: Duration) -> Sleep<'_> {
        Box::pin(tokio::time::sleep(period))
    }
}

/// A clock that stands still until it is moved. Starts at 2026-01-01T00:00:00Z.
#[derive(Debug)]
pub struct HandClock {
    now: Mutex<Timestamp>,
    moved: Notify,
}

impl HandClock {
    /// A clock at its start time, ready to be handed around.
    pub fn shared() -> Arc<Self> {
        let start = Timestamp::from_second(1_767_225_600).unwrap_or(Timestamp::UNIX_EPOCH);
        Arc::new(HandClock { now: Mutex::new(start), moved: Notify::new() })
    }

    /// Moves time forward and wakes the sleepers whose time has come.
    pub fn advance(&self, period: Duration) {
        let mut now = self.lock();
        let millis = i64::try_from(period.as_millis()).unwrap_or(i64::MAX);
        *now = now.checked_add(millis.milliseconds()).unwrap_or(Timestamp::MAX);
        drop(now);
        self.moved.notify_waiters();
    }

    /// Sets the wall time, backwards too: clocks of real machines do that.
    pub fn set(&self, to: Timestamp) {
        *self.lock() = to;
        self.moved.notify_waiters();
    }

    fn lock(&self) -> MutexGuard<'_, Timestamp> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SimClock for HandClock {
    fn now(&self) -> Timestamp {
        *self.lock()
    }

    fn sleep(&self, period: Duration) -> Sleep<'_> {
        let wake_at = self.now().checked_add(period).unwrap_or(Timestamp::MAX);
        Box::pin(async move {
            loop {
                let moved = self.moved.notified();
                tokio::pin!(moved);
                // Registered before the look at the clock, so that a move between the two is not missed.
                moved.as_mut().enable();
                if self.now() >= wake_at {
                    return;
                }
                moved.await;
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_sleeper_wakes_when_time_is_moved_past_it_and_not_before() {
        let clock = HandClock::shared();
        let sleeper = tokio::spawn({
            let clock = Arc::clone(&clock);
            async move { clock.sleep(Duration::from_secs(10)).await }
        });
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        clock.advance(Duration::from_secs(9));
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        assert!(!sleeper.is_finished());
        clock.advance(Duration::from_secs(1));
        sleeper.await.unwrap();
    }
}
