//! Admission: request id, claims, then the first record. An operation exists from its flush on.

use super::{Acceptance, Engine, Entry};
use crate::{
    Event, Fault, History, OperationId, Point, Record, RequestKey, SagaError,
    log::OperationLog,
    operation::{Operation, Prepared},
    request::params_hash,
    watch::Held,
};
use std::sync::Arc;
use uuid::{NoContext, Timestamp as UuidTimestamp, Uuid};

/// Who asks, and under which name.
#[derive(Debug, Clone, Default)]
pub struct Submission {
    /// Who asks; request ids are theirs.
    pub caller: String,
    /// The caller's own name for the request; without one every call is a new operation.
    pub request_id: Option<String>,
    /// What tells one request from another under the same id, where the host plans (and so makes new names) before it
    /// submits: a hash of what was asked. Without it the parameters' own hash serves.
    pub request_hash: Option<String>,
}

/// The answer to a submission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Submitted {
    /// The operation, durable.
    pub operation: OperationId,
    /// It existed before: the request id was seen already.
    pub existing: bool,
}

impl Engine {
    /// Accepts an operation and starts it. Returns when it is durable; a caller who stops waiting changes nothing.
    pub async fn submit<O: Operation>(
        &self,
        params: &O::Params,
        submission: Submission,
    ) -> Result<Submitted, SagaError> {
        let unusable = |because: String| SagaError::BadParams { kind: O::KIND.to_owned(), because };
        let params = serde_json::to_value(params).map_err(|error| unusable(error.to_string()))?;
        let kind = self.shared.kinds.get(&(O::KIND.to_owned(), O::VERSION));
        let kind = kind.ok_or(SagaError::Unregistered { kind: O::KIND.to_owned(), version: O::VERSION })?;
        let mut prepared = kind.prepare(&params).map_err(unusable)?;
        prepared.accepted.caller = submission.caller;
        let hash = submission.request_hash.unwrap_or_else(|| params_hash(O::KIND, &params));
        prepared.accepted.request = submission.request_id.map(|id| RequestKey { id, params_hash: hash });
        let (entry, existing) = self.admit(prepared)?;
        let mut acceptance = entry.acceptance.subscribe();
        let settled = acceptance.wait_for(|now| !matches!(now, Acceptance::Waiting)).await;
        match settled.map(|now| now.clone()) {
            Ok(Acceptance::Refused(error)) => Err(error),
            Ok(Acceptance::Durable | Acceptance::Waiting) => Ok(Submitted { operation: entry.log.id, existing }),
            Err(_) => Err(SagaError::Draining),
        }
    }

    /// The operation that a caller's request id stands for, so that a host can answer a repeated request without planning
    /// it again.
    ///
    /// # Errors
    /// [`SagaError::RequestReused`] where the id stands for something else.
    pub async fn find_request(
        &self,
        caller: &str,
        id: &str,
        request_hash: &str,
    ) -> Result<Option<OperationId>, SagaError> {
        let known = {
            let registry = self.registry();
            let known = registry.requests.get(&(caller.to_owned(), id.to_owned())).cloned();
            known.map(|(operation, hash)| (registry.entries.get(&operation).cloned(), operation, hash))
        };
        let Some((entry, operation, hash)) = known else { return Ok(None) };
        if hash != request_hash {
            return Err(SagaError::RequestReused { request: id.to_owned(), operation });
        }
        let Some(entry) = entry else { return Ok(None) };
        let mut acceptance = entry.acceptance.subscribe();
        let settled = acceptance.wait_for(|now| !matches!(now, Acceptance::Waiting)).await;
        Ok(matches!(settled.as_deref(), Ok(Acceptance::Durable)).then_some(operation))
    }

    /// Everything that must be decided at one moment, without waiting for anybody.
    fn admit(&self, prepared: Prepared) -> Result<(Arc<Entry>, bool), SagaError> {
        let accepted = &prepared.accepted;
        let mut registry = self.registry();
        let request = accepted.request.as_ref().map(|request| (accepted.caller.clone(), request.id.clone()));
        if let (Some(key), Some(asked)) = (&request, &accepted.request)
            && let Some((operation, hash)) = registry.requests.get(key)
        {
            return match registry.entries.get(operation) {
                Some(entry) if *hash == asked.params_hash => Ok((entry.clone(), true)),
                _ => Err(SagaError::RequestReused { request: asked.id.clone(), operation: *operation }),
            };
        }
        if self.shared.drain.is_cancelled() {
            return Err(SagaError::Draining);
        }
        let at = self.shared.clock.now();
        let seconds = u64::try_from(at.as_second()).unwrap_or(0);
        let nanoseconds = u32::try_from(at.subsec_nanosecond()).unwrap_or(0);
        let id = OperationId(Uuid::new_v7(UuidTimestamp::from_unix(NoContext, seconds, nanoseconds)));
        let record = Record { operation: id, seq: 0, at, event: Event::Accepted(accepted.clone()) };
        let history = History::accept(&record)
            .map_err(|error| SagaError::BadParams { kind: accepted.kind.clone(), because: error.to_string() })?;
        registry.claims.take(id, &accepted.kind, &accepted.claims)?;
        let (journal, clock) = (self.shared.journal.clone(), self.shared.clock.clone());
        let log = OperationLog::new((history, vec![record]), false, journal, clock, self.release(id));
        let entry = Entry::new(log, Acceptance::Waiting, false);
        registry.entries.insert(id, entry.clone());
        if let (Some(key), Some(asked)) = (&request, &accepted.request) {
            registry.requests.insert(key.clone(), (id, asked.params_hash.clone()));
        }
        let (engine, task_entry) = (self.clone(), entry.clone());
        self.shared.tasks.spawn(async move { engine.accept_and_drive(task_entry, prepared, request).await });
        Ok((entry, false))
    }

    async fn accept_and_drive(self, entry: Arc<Entry>, prepared: Prepared, request: Option<(String, String)>) {
        // Nobody can have acted on it yet, so its first step may be told to start in the same breath.
        let first = prepared.steps.first();
        let killed = first
            .is_some_and(|step| self.shared.faults.at(entry.log.id, Point::BeforeStarted, step.name) == Fault::Kill);
        let start = first.filter(|_| !killed).map(|step| step.first_start(&entry.log.history())).unwrap_or_default();
        let accepted = entry.log.accept(start).await;
        if let Err(error) = accepted {
            {
                let mut registry = self.registry();
                registry.entries.remove(&entry.log.id);
                registry.claims.release(entry.log.id);
                if let Some(key) = request {
                    registry.requests.remove(&key);
                }
            }
            entry.acceptance.send_replace(Acceptance::Refused(SagaError::Journal(error)));
            return;
        }
        entry.acceptance.send_replace(Acceptance::Durable);
        if killed {
            return entry.log.hold(Held::Killed);
        }
        self.drive(&entry, prepared, accepted.ok().flatten()).await;
    }
}
