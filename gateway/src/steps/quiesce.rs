//! Opens a VMware snapshot around the cut, and removes it: the step after the cut, and the undo of both.

use super::{observe, wait};
use crate::{
    catalog::SnapshotIntent,
    deps::Deps,
    error::{GatewayError, Result},
    layout::Observation,
    ports::Progress as Answer,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use strata_model::Grade;
use strata_proto::strata::{
    common::v1::Grade as PbGrade,
    inventory::v1::{QuiesceVmRequest, ReleaseVmRequest},
};
use strata_saga::Progress;

/// Seconds that a guest may take to freeze.
const BUDGET_SECONDS: i64 = 60;

/// What the freeze achieved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frozen {
    /// vCenter's id of the VMware snapshot.
    pub vm_snapshot_moref: String,
    /// The guest was quiesced.
    pub quiesced: bool,
    /// Why not.
    pub reason: String,
    /// When it was open, by our clock.
    pub opened_at: Timestamp,
    /// The VM as it was then.
    pub observation: Observation,
}

/// Opens it. A guest that was not quiesced is an error unless a weaker grade may be taken.
pub async fn run(deps: &Deps, intent: &SnapshotIntent, resume: Option<String>) -> Result<Progress> {
    let grade = if intent.grade_planned == Grade::App { PbGrade::App } else { PbGrade::Vm };
    let request = QuiesceVmRequest {
        vm: intent.vm.clone(),
        key: intent.snapshot_id.clone(),
        grade: grade.into(),
        budget: Some(prost_types::Duration { seconds: BUDGET_SECONDS, nanos: 0 }),
        resume: resume.unwrap_or_default(),
    };
    let answer = match deps.ports.inventory.quiesce_vm(request).await? {
        Answer::Pending(still) => return Ok(wait::pending(still)),
        Answer::Ready(answer) => answer,
    };
    if !answer.quiesced && !intent.allow_weaker {
        let message = format!("the guest of {} was not quiesced: {}", intent.vm_display_name, answer.reason);
        return Err(GatewayError::conflict("NOT_QUIESCED", message)
            .with("vm", &intent.vm)
            .hint("to take what is possible: --allow-weaker"));
    }
    let frozen = Frozen {
        vm_snapshot_moref: answer.vm_snapshot_moref,
        quiesced: answer.quiesced,
        reason: answer.reason,
        opened_at: deps.clock.now(),
        observation: observe::look(deps, intent).await?,
    };
    to_output(&frozen)
}

/// Removes it.
pub async fn release(deps: &Deps, intent: &SnapshotIntent, resume: Option<String>) -> Result<Answer<()>> {
    let request =
        ReleaseVmRequest { vm: intent.vm.clone(), key: intent.snapshot_id.clone(), resume: resume.unwrap_or_default() };
    match deps.ports.inventory.release_vm(request).await? {
        Answer::Pending(still) => Ok(Answer::Pending(still)),
        Answer::Ready(_) => Ok(Answer::Ready(())),
    }
}

/// The step after the cut: removes it and says when it was closed.
pub async fn run_release(deps: &Deps, intent: &SnapshotIntent, resume: Option<String>) -> Result<Progress> {
    match release(deps, intent, resume).await? {
        Answer::Pending(still) => Ok(wait::pending(still)),
        Answer::Ready(()) => to_output(&deps.clock.now()),
    }
}

pub(super) fn to_output(value: &impl Serialize) -> Result<Progress> {
    Progress::output(value).map_err(|error| GatewayError::unexpected(error.message))
}
