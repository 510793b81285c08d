//! Recovery: executes the plan of `recovery`.

use super::{Acceptance, Engine, Entry};
use crate::{
    Accepted, OperationId, SagaError,
    log::OperationLog,
    operation::Prepared,
    recovery::{self, Recovered},
    watch::Held,
};
use std::sync::Arc;

/// What recovery did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recovery {
    /// Ended before; remembered.
    pub ended: usize,
    /// Going on.
    pub resumed: Vec<OperationId>,
    /// Stuck for want of code, or damaged, and what is needed.
    pub parked: Vec<(OperationId, String)>,
    /// Records that make no operation.
    pub unreadable: Vec<(OperationId, String)>,
}

impl Engine {
    /// Reads the journal and goes on with what is unfinished. Once, before the first submission.
    pub async fn recover(&self) -> Result<Recovery, SagaError> {
        let records = self.shared.journal.load().await.map_err(SagaError::Journal)?;
        let plan = recovery::plan(records, |then| self.prepare(then).map(|prepared| prepared.accepted));
        let mut recovery = Recovery { ended: plan.ended.len(), ..Recovery::default() };
        for operation in plan.ended {
            self.restore(operation, false);
        }
        for parked in plan.parked {
            let entry = self.restore(parked.operation, parked.damaged);
            entry.log.hold(Held::Parked(parked.because.clone()));
            recovery.parked.push((entry.log.id, parked.because));
        }
        // All claims stand before the first operation moves.
        let entries: Vec<_> = plan.resume.into_iter().map(|operation| self.restore(operation, false)).collect();
        for entry in entries {
            match self.prepare(&entry.log.history().accepted) {
                Ok(prepared) => {
                    recovery.resumed.push(entry.log.id);
                    let engine = self.clone();
                    self.shared.tasks.spawn(async move { engine.drive(&entry, prepared, None).await });
                }
                Err(because) => {
                    entry.log.hold(Held::Parked(because.clone()));
                    recovery.parked.push((entry.log.id, because));
                }
            }
        }
        recovery.unreadable = plan.unreadable.into_iter().map(|(id, error)| (id, error.to_string())).collect();
        Ok(recovery)
    }

    /// What the registered code makes of a request that was accepted earlier.
    fn prepare(&self, then: &Accepted) -> Result<Prepared, String> {
        let kind = self.shared.kinds.get(&(then.kind.clone(), then.version)).ok_or_else(|| {
            format!("needs the code of {} version {}, which this program does not have", then.kind, then.version)
        })?;
        let found =
            |because| format!("{} version {} no longer reads its parameters: {because}", then.kind, then.version);
        kind.prepare(&then.params).map_err(found)
    }

    fn restore(&self, Recovered { history, records }: Recovered, damaged: bool) -> Arc<Entry> {
        let (id, accepted) = (history.id, history.accepted.clone());
        let (unfinished, cancelled) = (history.outcome.is_none(), history.cancelled_by.is_some());
        let (journal, clock) = (self.shared.journal.clone(), self.shared.clock.clone());
        let log = OperationLog::new((history, records), true, journal, clock, self.release(id));
        let entry = Entry::new(log, Acceptance::Durable, damaged);
        if cancelled {
            entry.cancel.cancel();
        }
        let mut registry = self.registry();
        if unfinished {
            registry.claims.force(id, &accepted.kind, &accepted.claims);
        }
        if let Some(request) = accepted.request {
            registry.requests.insert((accepted.caller, request.id), (id, request.params_hash));
        }
        registry.entries.insert(id, entry.clone());
        entry
    }
}
