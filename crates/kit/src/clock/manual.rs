//! A clock that stands still until a test moves it.

use super::Clock;
use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::{Notify, oneshot};

/// Sleeps end only by [`ManualClock::advance`]; so a test decides what happens before and after. Clones show the same time.
#[derive(Debug, Clone, Default)]
pub struct ManualClock {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    registered: Notify,
}

#[derive(Debug, Default)]
struct State {
    now: Timestamp,
    sleepers: Vec<(Timestamp, oneshot::Sender<()>)>,
}

impl ManualClock {
    /// Starts at the given time.
    pub fn starting_at(now: Timestamp) -> Self {
        let clock = Self::default();
        clock.state().now = now;
        clock
    }

    /// Moves the time on and ends the sleeps that are due.
    pub fn advance(&self, period: Duration) {
        let mut state = self.state();
        state.now = later(state.now, period);
        let now = state.now;
        let (due, rest) = std::mem::take(&mut state.sleepers).into_iter().partition(|(end, _)| *end <= now);
        state.sleepers = rest;
        drop(state);
        for (_, wake) in Vec::from_iter::<Vec<_>>(due) {
            // The sleeper may have been dropped meanwhile.
            let _ = wake.send(());
        }
    }

    /// Returns when somebody sleeps for exactly `period` from the present time: the code under test has come that far.
    pub async fn until_slept(&self, period: Duration) {
        loop {
            let registered = self.shared.registered.notified();
            {
                let mut state = self.state();
                let end = later(state.now, period);
                state.sleepers.retain(|(_, wake)| !wake.is_closed());
                if state.sleepers.iter().any(|(slept, _)| *slept == end) {
                    return;
                }
            }
            registered.await;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Stops at the end of time.
fn later(now: Timestamp, period: Duration) -> Timestamp {
    SignedDuration::try_from(period).ok().and_then(|period| now.checked_add(period).ok()).unwrap_or(Timestamp::MAX)
}

#[async_trait]
impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        self.state().now
    }

    async fn sleep(&self, period: Duration) {
        let (wake, woken) = oneshot::channel();
        {
            let mut state = self.state();
            let end = later(state.now, period);
            if end <= state.now {
                return;
            }
            state.sleepers.push((end, wake));
        }
        self.shared.registered.notify_waiters();
        // The sender lives in the clock, which lives at least as long as this borrow.
        let _ = woken.await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn sleeps_end_when_they_are_due_and_not_before() {
        let clock = ManualClock::default();
        let sleeper = clock.clone();
        let task = tokio::spawn(async move {
            sleeper.sleep(Duration::from_secs(10)).await;
            sleeper.now()
        });
        clock.until_slept(Duration::from_secs(10)).await;
        clock.advance(Duration::from_secs(9));
        tokio::task::yield_now().await;
        assert!(!task.is_finished());
        clock.advance(Duration::from_secs(1));
        assert_eq!(task.await.unwrap().as_second(), 10);
        clock.sleep(Duration::ZERO).await;
        clock.advance(Duration::MAX);
        assert_eq!(clock.now(), Timestamp::MAX);
    }
}
