//! Plan of giving up the old disks of reverts by swap.

use super::{Planned, SwapIntent, fact, seal::Seal, step, words};
use crate::{
    error::{GatewayError, Result},
    layout::vcenter_of,
    steps::swap_disks,
};
use serde::{Deserialize, Serialize};
use strata_proto::strata::gateway::v1::PlanResponse;

/// What is deleted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommitIntent {
    /// `vcenters/{vcenter}/vms/{instance_uuid}`.
    pub vm: String,
    /// The VM's name.
    pub vm_display_name: String,
    /// `vcenters/{vcenter}`.
    pub vcenter: String,
    /// Ids of the reverts.
    pub reverts: Vec<String>,
    /// Directories that hold the old disks.
    pub directories: Vec<String>,
}

/// Plans it for the reverts of a VM that kept their old disks.
///
/// # Errors
/// `NOTHING_KEPT`.
pub fn commit_revert(vm: &str, kept: &[SwapIntent]) -> Result<Planned<CommitIntent>> {
    let vcenter = vcenter_of(vm, "vm")?;
    let Some(last) = kept.last() else {
        let message = format!("no revert of {vm} kept its old disks");
        return Err(GatewayError::conflict("NOTHING_KEPT", message).with("vm", vm));
    };
    let intent = CommitIntent {
        vm: vm.to_owned(),
        vm_display_name: last.vm_display_name.clone(),
        vcenter,
        reverts: kept.iter().map(|revert| revert.revert_id.clone()).collect(),
        directories: kept.iter().flat_map(swap_disks::aside_directories).collect(),
    };
    let name = &intent.vm_display_name;
    let points: Vec<String> = kept.iter().map(|revert| revert.safety.display_name.clone()).collect();
    let text = format!("delete {}", words::list(&intent.directories, 8));
    let shown = PlanResponse {
        summary: format!("give up the old disks of {name}"),
        steps: vec![step("remove_aside", text, "cannot be undone")],
        neighbours: Vec::new(),
        facts: vec![fact("safety point", format!("{} stay", words::list(&points, 8)))],
        point_of_no_return: "remove_aside".to_owned(),
        undo_command: String::new(),
        ..PlanResponse::default()
    };
    let sealed = Seal::default().object(format!("VM {name}"), vm);
    let shown = sealed.object("old disks", intent.directories.join(", ")).close(shown);
    Ok(Planned { intent, shown })
}
