//! Deletes the old disks that reverts by swap kept aside.
//!
//! What a crash can leave, and who heals it: some directories gone and some not; `remove_aside` deletes the rest. Only
//! directories that a finished revert of this VM made are named, and vCenter refuses a file that is in use.

use super::{patient, step_result};
use crate::{deps::Deps, plan::CommitIntent};
use serde_json::Value;
use strata_proto::strata::inventory::v1::RemoveAsideRequest;
use strata_saga::{Claim, Operation, Outputs, Progress, RunContext, Step, Undo};

/// See the module.
#[derive(Debug)]
pub struct CommitRevert;

impl Operation for CommitRevert {
    const KIND: &'static str = "commit-revert";
    const VERSION: u16 = 1;
    type Params = CommitIntent;
    type Context = Deps;

    fn steps(_: &CommitIntent) -> Vec<Step<Self>> {
        let remove = Step::new(
            "remove_aside",
            |c: RunContext<Self>| async move { step_result(remove(c.context(), c.params()).await) },
            Undo::pivot(),
        );
        vec![remove.retry(patient())]
    }

    fn claims(intent: &CommitIntent) -> Vec<Claim> {
        vec![Claim::exclusive(&intent.vm)]
    }

    fn result(intent: &CommitIntent, _: &Outputs<'_>) -> Value {
        serde_json::to_value(&intent.directories).unwrap_or_default()
    }
}

async fn remove(deps: &Deps, intent: &CommitIntent) -> crate::error::Result<Progress> {
    let request = RemoveAsideRequest { vcenter: intent.vcenter.clone(), directories: intent.directories.clone() };
    deps.ports.inventory.remove_aside(request).await?;
    Ok(Progress::done())
}
