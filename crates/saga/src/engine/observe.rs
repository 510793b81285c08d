//! Looking at operations.

use super::Engine;
use crate::{
    OperationId, SagaError, State,
    watch::{Status, Watch},
};

/// Which operations `list` answers.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only of this kind.
    pub kind: Option<String>,
    /// Only in one of these states; empty for all.
    pub states: Vec<State>,
    /// Only those after this one, for paging.
    pub after: Option<OperationId>,
    /// At most so many; 0 for all.
    pub count_max: usize,
}

impl Engine {
    /// One operation.
    pub fn get(&self, operation: OperationId) -> Result<Status, SagaError> {
        Ok(self.entry(operation)?.log.status())
    }

    /// Operations in the order of their acceptance.
    pub fn list(&self, filter: &Filter) -> Vec<Status> {
        let count_max = if filter.count_max == 0 { usize::MAX } else { filter.count_max };
        let entries: Vec<_> = self.registry().entries.values().cloned().collect();
        entries
            .iter()
            .filter(|entry| entry.is_durable() && filter.after.is_none_or(|after| entry.log.id > after))
            .map(|entry| entry.log.status())
            .filter(|status| filter.kind.as_ref().is_none_or(|kind| *kind == status.history.accepted.kind))
            .filter(|status| filter.states.is_empty() || filter.states.contains(&status.state()))
            .take(count_max)
            .collect()
    }

    /// An operation's durable records from `from_seq` on, then what comes.
    pub async fn watch(&self, operation: OperationId, from_seq: u32) -> Result<Watch, SagaError> {
        let entry = self.entry(operation)?;
        let (mut watch, from_journal) = entry.log.watch(from_seq);
        if from_journal {
            let records = self.shared.journal.read(operation).await.map_err(SagaError::Journal)?;
            watch.backlog = records.into_iter().filter(|record| record.seq >= from_seq).collect();
        }
        Ok(watch)
    }
}
