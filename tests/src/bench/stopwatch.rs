//! Measures what the gateway's calls take in the two services.

use crate::between::{Keeper, Ticket};
use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

#[derive(Debug, Default)]
struct State {
    /// Method and begin of each call that was begun.
    calls: Vec<(String, Instant, Option<Duration>)>,
    under_way: usize,
    busy_since: Option<Instant>,
    busy: Duration,
}

/// Shared by both services. Calls at the same time count once.
#[derive(Debug, Default)]
pub(super) struct Stopwatch {
    state: Mutex<State>,
}

/// What happened since the last reading.
#[derive(Debug, Default)]
pub(super) struct Reading {
    /// Time in which at least one call was under way.
    pub(super) busy: Duration,
    /// Methods and how long each took.
    pub(super) calls: Vec<(String, Duration)>,
}

impl Reading {
    /// The longest call of a method; zero where there was none.
    pub(super) fn longest(&self, method: &str) -> Duration {
        self.calls.iter().filter(|(name, _)| name == method).map(|(_, took)| *took).max().unwrap_or_default()
    }
}

impl Stopwatch {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads and sets to zero. Calls under way would be lost: read between operations.
    pub(super) fn take(&self) -> Reading {
        let state = std::mem::take(&mut *self.lock());
        let calls = state.calls.into_iter().filter_map(|(method, _, took)| Some((method, took?)));
        Reading { busy: state.busy, calls: calls.collect() }
    }
}

impl Keeper for Stopwatch {
    async fn before(&self, method: &str) -> Ticket {
        let mut state = self.lock();
        let now = Instant::now();
        state.busy_since.get_or_insert(now);
        state.under_way += 1;
        state.calls.push((method.rsplit('/').next().unwrap_or_default().to_owned(), now, None));
        Ticket { number: state.calls.len(), refused: None }
    }

    async fn after(&self, number: usize) {
        let mut state = self.lock();
        if let Some((_, begin, took)) = state.calls.get_mut(number.wrapping_sub(1)) {
            *took = Some(begin.elapsed());
        }
        state.under_way = state.under_way.saturating_sub(1);
        if state.under_way == 0
            && let Some(since) = state.busy_since.take()
        {
            state.busy += since.elapsed();
        }
    }
}
