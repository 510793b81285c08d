//! What to do with a journal at start: a pure plan over its records. The engine executes it.
//!
//! 1. An operation that ended is remembered (its request id still stands) and nothing else.
//! 2. An unfinished one whose code is registered and lists the same steps goes on where its history says.
//! 3. An unfinished one of an unknown kind or version, or with other steps, is parked with its claims: never guessed.
//! 4. One whose records do not replay is parked at the last record that does, and takes no decision.

use crate::{Accepted, History, OperationId, Record, history::ReplayError};
use std::collections::BTreeMap;

/// An operation as the journal has it.
#[derive(Debug, Clone, PartialEq)]
pub struct Recovered {
    /// The sum of its records.
    pub history: History,
    /// The records.
    pub records: Vec<Record>,
}

/// An operation that the code cannot continue.
#[derive(Debug, Clone, PartialEq)]
pub struct Parked {
    /// It, as far as its records replay.
    pub operation: Recovered,
    /// What is needed.
    pub because: String,
    /// Its records do not replay: nothing may be added to them.
    pub damaged: bool,
}

/// The plan. Operations are in the order of their ids, which is that of their acceptance.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RecoveryPlan {
    /// To be remembered.
    pub ended: Vec<Recovered>,
    /// To be driven on.
    pub resume: Vec<Recovered>,
    /// To be shown as stuck.
    pub parked: Vec<Parked>,
    /// Not even accepted, as far as the journal can tell.
    pub unreadable: Vec<(OperationId, ReplayError)>,
}

/// Plans. `current` answers what the registered code would accept for the same request, or why there is none.
pub fn plan(
    records: impl IntoIterator<Item = Record>,
    current: impl Fn(&Accepted) -> Result<Accepted, String>,
) -> RecoveryPlan {
    let mut by_operation: BTreeMap<OperationId, Vec<Record>> = BTreeMap::new();
    for record in records {
        by_operation.entry(record.operation).or_default().push(record);
    }
    let mut plan = RecoveryPlan::default();
    for (id, mut records) in by_operation {
        let mut history = match records.first().ok_or(ReplayError::Empty).and_then(History::accept) {
            Ok(history) => history,
            Err(error) => {
                plan.unreadable.push((id, error));
                continue;
            }
        };
        let bad = (1..records.len()).find_map(|place| history.apply(&records[place]).err().map(|error| (place, error)));
        if let Some((place, error)) = bad {
            let because =
                format!("its records do not fit together ({}); a newer version or a restore is needed", chain(&error));
            records.truncate(place);
            plan.parked.push(Parked { operation: Recovered { history, records }, because, damaged: true });
            continue;
        }
        let code = continuation(&history, &current);
        let operation = Recovered { history, records };
        match code {
            _ if operation.history.outcome.is_some() => plan.ended.push(operation),
            Ok(()) => plan.resume.push(operation),
            Err(because) => plan.parked.push(Parked { operation, because, damaged: false }),
        }
    }
    plan
}

fn continuation(history: &History, current: &impl Fn(&Accepted) -> Result<Accepted, String>) -> Result<(), String> {
    let then = &history.accepted;
    let now = current(then)?;
    if now.steps != then.steps || now.pivot != then.pivot {
        return Err(format!(
            "needs the code that listed the steps {:?} of {} version {}; this one lists {:?}",
            then.steps, then.kind, then.version, now.steps
        ));
    }
    Ok(())
}

fn chain(error: &dyn std::error::Error) -> String {
    error.source().map_or_else(|| error.to_string(), |source| format!("{error}: {}", chain(source)))
}
