//! Old disks that reverts by swap keep until somebody commits them: those of finished reverts, without those of finished
//! commits. Read from the journal's operations, which forget nothing.

use super::Api;
use crate::{
    operations::{CommitRevert, SwapVm},
    plan::{CommitIntent, SwapIntent},
};
use serde::de::DeserializeOwned;
use strata_saga::{Operation as _, Outcome, engine::Filter};

impl Api {
    /// The reverts of a VM whose old disks are kept, oldest first.
    pub(super) fn kept(&self, vm: &str) -> Vec<SwapIntent> {
        let committed: Vec<String> =
            self.succeeded::<CommitIntent>(CommitRevert::KIND).into_iter().flat_map(|intent| intent.reverts).collect();
        let mut kept = self.succeeded::<SwapIntent>(SwapVm::KIND);
        kept.retain(|intent| intent.vm == vm && !intent.discard_old_disks && !committed.contains(&intent.revert_id));
        kept
    }

    fn succeeded<T: DeserializeOwned>(&self, kind: &str) -> Vec<T> {
        let mut all = self.engine.list(&Filter::default());
        all.retain(|status| status.history.accepted.kind == kind && status.history.outcome == Some(Outcome::Succeeded));
        all.sort_by_key(|status| status.history.id);
        all.iter().filter_map(|status| serde_json::from_value(status.history.accepted.params.clone()).ok()).collect()
    }
}
