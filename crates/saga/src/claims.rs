//! Claims keep operations from crossing: what an operation holds from its acceptance to its end. In memory only, and
//! rebuilt from the unfinished operations at recovery.

use crate::{OperationId, SagaError};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How a resource is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClaimMode {
    /// Beside other shared holders.
    Shared,
    /// Alone.
    Exclusive,
}

/// One resource and how it is held.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Claim {
    /// The host's name for it: `arrays/filer-1/volumes/v1`. The engine only compares.
    pub resource: String,
    /// How it is held.
    pub mode: ClaimMode,
}

impl Claim {
    /// Held beside other shared holders.
    pub fn shared(resource: impl Into<String>) -> Self {
        Self { resource: resource.into(), mode: ClaimMode::Shared }
    }

    /// Held alone.
    pub fn exclusive(resource: impl Into<String>) -> Self {
        Self { resource: resource.into(), mode: ClaimMode::Exclusive }
    }
}

#[derive(Debug, Clone)]
struct Holder {
    operation: OperationId,
    kind: String,
    mode: ClaimMode,
}

/// Who holds what.
#[derive(Debug, Default)]
pub(crate) struct ClaimTable {
    holders: BTreeMap<String, Vec<Holder>>,
}

impl ClaimTable {
    /// Takes all of `claims` or none, and names the holder that is in the way. An operation is never in its own way.
    pub(crate) fn take(&mut self, operation: OperationId, kind: &str, claims: &[Claim]) -> Result<(), SagaError> {
        for claim in claims {
            let held = self.holders.get(&claim.resource).into_iter().flatten();
            let mut in_the_way = held.filter(|holder| {
                holder.operation != operation
                    && (holder.mode == ClaimMode::Exclusive || claim.mode == ClaimMode::Exclusive)
            });
            if let Some(holder) = in_the_way.next() {
                return Err(SagaError::ClaimConflict {
                    resource: claim.resource.clone(),
                    holder: holder.operation,
                    holder_kind: holder.kind.clone(),
                });
            }
        }
        self.force(operation, kind, claims);
        Ok(())
    }

    /// Takes `claims` whoever holds them: recovery restores what was granted before the crash.
    pub(crate) fn force(&mut self, operation: OperationId, kind: &str, claims: &[Claim]) {
        for claim in claims {
            let holder = Holder { operation, kind: kind.to_owned(), mode: claim.mode };
            self.holders.entry(claim.resource.clone()).or_default().push(holder);
        }
    }

    /// Gives back everything that the operation holds.
    pub(crate) fn release(&mut self, operation: OperationId) {
        self.holders.retain(|_, holders| {
            holders.retain(|holder| holder.operation != operation);
            !holders.is_empty()
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn shared_beside_shared_and_nothing_beside_exclusive() {
        let (shared, exclusive) = (Claim::shared("v"), Claim::exclusive("v"));
        for (held, asked, granted) in [
            (&shared, &shared, true),
            (&shared, &exclusive, false),
            (&exclusive, &shared, false),
            (&exclusive, &exclusive, false),
        ] {
            let (one, two) = (OperationId(Uuid::from_u128(1)), OperationId(Uuid::from_u128(2)));
            let mut table = ClaimTable::default();
            table.take(one, "revert", std::slice::from_ref(held)).unwrap();
            let other = Claim::exclusive("w");
            let answer = table.take(two, "snapshot", &[other.clone(), asked.clone()]);
            assert_eq!(answer.is_ok(), granted, "{held:?} then {asked:?}");
            if let Err(refused) = answer {
                let text = refused.to_string();
                assert!(text.contains(&one.to_string()) && text.contains("revert"), "{text}");
                table.take(one, "revert", &[other]).expect("a refused operation holds nothing");
            }
            table.release(one);
            table.take(two, "snapshot", std::slice::from_ref(asked)).expect("released claims are free");
        }
    }
}
