//! Health that tells the truth: grpc.health.v1 with Check, List and a Watch that stays open (gRFC A17, A90).
//!
//! Everything starts NOT_SERVING, also the empty name; a service says when it is ready. The empty name is SERVING when
//! every named service is.

mod probe;
mod server;
mod wire;

pub use probe::check;
pub use server::HealthServer;
pub use wire::{
    HealthCheckRequest, HealthCheckResponse, HealthListRequest, HealthListResponse, SERVICE_NAME, ServingStatus,
    file_descriptor_set,
};

use std::{collections::BTreeMap, sync::Arc};
use tokio::sync::watch;

/// Where a process is in its life, as far as health is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    /// Statuses are what the services say.
    Open,
    /// Everything is NOT_SERVING, whatever the services say.
    Draining,
    /// As before, and watches end.
    Closed,
}

#[derive(Debug, Clone)]
struct State {
    serving: BTreeMap<String, bool>,
    phase: Phase,
}

impl State {
    /// The answer for a name; SERVICE_UNKNOWN for one that was never registered.
    fn status(&self, service: &str) -> ServingStatus {
        let serving = if service.is_empty() {
            Some(self.serving.values().all(|serving| *serving) && !self.serving.is_empty())
        } else {
            self.serving.get(service).copied()
        };
        match serving {
            None => ServingStatus::ServiceUnknown,
            Some(true) if self.phase == Phase::Open => ServingStatus::Serving,
            Some(_) => ServingStatus::NotServing,
        }
    }
}

/// Says what is ready. Cheap to clone; every clone speaks of the same process.
#[derive(Debug, Clone)]
pub struct HealthHandle {
    state: Arc<watch::Sender<State>>,
}

impl HealthHandle {
    /// `services` are full gRPC service names (`strata.storage.v1.Storage`); all start NOT_SERVING.
    pub fn new<I>(services: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        let serving = services.into_iter().map(|name| (name.into(), false)).collect();
        Self { state: Arc::new(watch::Sender::new(State { serving, phase: Phase::Open })) }
    }

    /// Says that one service is ready, or not any more. A new name is registered by it.
    pub fn set(&self, service: &str, serving: bool) {
        self.state.send_if_modified(|state| state.serving.insert(service.to_owned(), serving) != Some(serving));
    }

    /// Says that every registered service is ready.
    pub fn set_all_serving(&self) {
        self.state.send_modify(|state| state.serving.values_mut().for_each(|serving| *serving = true));
    }

    /// The answer that a Check of this name gets now; the empty name speaks for the process.
    pub fn status(&self, service: &str) -> ServingStatus {
        self.state.borrow().status(service)
    }

    /// Everything is NOT_SERVING from now on and stays so.
    pub fn drain(&self) {
        self.advance(Phase::Draining);
    }

    /// As [`HealthHandle::drain`], and every open Watch ends.
    pub fn close(&self) {
        self.advance(Phase::Closed);
    }

    /// The gRPC service of these answers.
    pub fn service(&self) -> HealthServer {
        HealthServer::new(self.clone())
    }

    /// The names of the registered services, in order.
    pub fn services(&self) -> Vec<String> {
        self.state.borrow().serving.keys().cloned().collect()
    }

    fn advance(&self, phase: Phase) {
        self.state.send_if_modified(|state| {
            let later = phase > state.phase;
            state.phase = state.phase.max(phase);
            later
        });
    }

    fn statuses(&self) -> BTreeMap<String, ServingStatus> {
        let state = self.state.borrow();
        let names = std::iter::once("").chain(state.serving.keys().map(String::as_str));
        names.map(|name| (name.to_owned(), state.status(name))).collect()
    }

    fn subscribe(&self) -> watch::Receiver<State> {
        self.state.subscribe()
    }
}
