//! Holds the n-th call that changes something, so that the gateway can be killed at a known place.

use crate::between::{Keeper, Ticket};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;
use tonic::Status;

/// Where a call is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// It never reaches the service.
    Before,
    /// Its effect happened; the gateway does not hear of it.
    After,
}

#[derive(Debug, Default)]
struct State {
    armed: Option<(usize, Side)>,
    refused: Option<&'static str>,
    /// The refused call that is under way.
    refusing: Option<usize>,
    seen: Vec<String>,
}

/// A gate for both services: calls are counted over all that share it.
#[derive(Debug)]
pub struct Gate {
    state: Mutex<State>,
    held: watch::Sender<Option<String>>,
}

/// What only reads; every other method changes something.
const READS: [&str; 8] =
    ["List", "Get", "BatchGet", "Find", "Resolve", "ReadSnapshotFile", "Preflight", "CheckSession"];

impl Gate {
    /// An open one.
    pub fn open() -> Self {
        Self { state: Mutex::default(), held: watch::Sender::new(None) }
    }

    /// Counts anew, and holds the `number`-th call (from 1) on that side. The `refused` method is refused until the
    /// gateway has heard so once: its undo may need it.
    pub fn arm(&self, number: usize, side: Side, refused: Option<&'static str>) {
        self.held.send_replace(None);
        *self.lock() = State { armed: Some((number, side)), refused, ..State::default() };
    }

    /// Holds nothing more; returns the methods that were counted since it was armed.
    pub fn disarm(&self) -> Vec<String> {
        let mut state = self.lock();
        state.armed = None;
        state.seen.clone()
    }

    /// Returns the method that is held, as soon as one is.
    pub async fn held(&self) -> String {
        let mut receiver = self.held.subscribe();
        let held = receiver.wait_for(Option::is_some).await.map(|method| method.clone());
        // The sender lives in `self`.
        held.ok().flatten().unwrap_or_default()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The method to hold, where this is the call that was waited for.
    fn taken(&self, number: usize, side: Side) -> Option<String> {
        let mut state = self.lock();
        (state.armed == Some((number, side))).then(|| {
            state.armed = None;
            state.seen[number - 1].clone()
        })
    }

    async fn hold(&self, method: String) {
        self.held.send_replace(Some(method));
        std::future::pending().await
    }
}

impl Keeper for Gate {
    async fn before(&self, method: &str) -> Ticket {
        let name = method.rsplit('/').next().unwrap_or_default();
        if READS.iter().any(|read| name.starts_with(read)) {
            return Ticket { number: 0, refused: None };
        }
        let (number, refused) = {
            let mut state = self.lock();
            state.seen.push(name.to_owned());
            let (number, refused) = (state.seen.len(), state.refused == Some(name));
            state.refusing = refused.then_some(number);
            (number, refused)
        };
        if let Some(method) = self.taken(number, Side::Before) {
            self.hold(method).await;
        }
        Ticket {
            number,
            refused: refused.then(|| Status::failed_precondition(format!("{name} is refused by the test"))),
        }
    }

    async fn after(&self, number: usize) {
        if number > 0
            && let Some(method) = self.taken(number, Side::After)
        {
            self.hold(method).await;
        }
        let mut state = self.lock();
        if number > 0 && state.refusing == Some(number) {
            state.refused = None;
        }
    }
}
