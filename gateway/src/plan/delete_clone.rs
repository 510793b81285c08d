//! Plan of the removal of a clone: out of the inventory, off the hosts, off the array, in that order.

use super::{
    Planned,
    array_rights::{self, Way},
    fact,
    privileges::{self, Need},
    seal::Seal,
    step, words,
};
use crate::{
    catalog::{CloneRecord, MemberLun},
    deps::Deps,
    error::{GatewayError, Result},
    steps::in_use,
};
use serde::{Deserialize, Serialize};
use strata_model::names;
use strata_proto::strata::{
    gateway::v1::PlanResponse,
    inventory::v1::{GetVmRequest, PowerState},
};

/// What is removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeleteCloneIntent {
    /// The clone as it was.
    pub clone: CloneRecord,
    /// It may be turned off.
    pub power_off: bool,
}

/// Plans it.
///
/// # Errors
/// NotFound; Forbidden where our account or login lacks a right that it needs; Conflict while it runs and may not be turned off, or while another VM uses its files, or while
/// restore points or clones lie on its volumes.
pub async fn delete_clone(deps: &Deps, name: &str, power_off: bool) -> Result<Planned<DeleteCloneIntent>> {
    let id = names::split(name, &["clones"]).map_err(|error| GatewayError::invalid("name", error))?.remove(0);
    let clone = deps
        .catalog
        .clone_record(&id)?
        .ok_or_else(|| GatewayError::not_found("clone", name).hint("to see what is there: strata clone list"))?;
    let display_name = &clone.intent.display_name;
    let live = match deps.ports.inventory.get_vm(GetVmRequest { name: clone.vm.clone(), fresh: true }).await {
        Ok(vm) => Some(vm),
        Err(error) if error.kind == strata_model::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    let running = live.as_ref().is_some_and(|vm| vm.power_state() != PowerState::Off);
    if running && !power_off {
        let message = format!("{display_name} runs; it is not turned off unless asked");
        return Err(GatewayError::conflict("VM_RUNNING", message)
            .with("vm", &clone.vm)
            .hint("to turn it off first: --power-off"));
    }
    refuse_points_on(deps, &clone)?;
    in_use::refuse(deps, &clone.intent).await?;
    require_rights(deps, &clone, live.is_some(), running).await?;
    let shown = shown(&clone, running);
    Ok(Planned { intent: DeleteCloneIntent { clone, power_off }, shown })
}

/// There is no way back from the first step, so what vCenter or the array would refuse is told before it.
async fn require_rights(deps: &Deps, clone: &CloneRecord, registered: bool, running: bool) -> Result<()> {
    let intent = &clone.intent;
    let mut privileges = Vec::new();
    if registered {
        privileges.push("VirtualMachine.Inventory.Unregister");
    }
    if running {
        privileges.push("VirtualMachine.Interact.PowerOff");
    }
    if intent.by_volume {
        privileges.push("Host.Config.Storage");
    }
    let need = Need {
        vcenter: &intent.vcenter,
        vm: if registered { &clone.vm } else { "" },
        vm_display_name: &intent.display_name,
        features: &["clone"],
        privileges: &privileges,
    };
    privileges::require(deps, need).await?;
    let volumes = intent.targets.iter().map(|target| &target.volume);
    array_rights::require(deps, volumes, "clone", Way::of(intent.by_volume), &intent.display_name).await
}

/// Restore points of the clone, and clones of files beside it, lie on its volumes and would go with them.
fn refuse_points_on(deps: &Deps, clone: &CloneRecord) -> Result<()> {
    // LUNs cloned in place lie in the source's volume, which stays.
    let on_it = |volume: &String| !volume.is_empty() && clone.volumes.contains(volume);
    let on_device = |lun: &MemberLun| clone.attached.iter().any(|store| store.devices.contains(&lun.canonical_name));
    let points = deps.catalog.points()?.into_iter().filter(|point| !point.lost);
    let points: Vec<String> = points
        .filter(|point| {
            let luns = point.intent.members.iter().flat_map(|member| &member.luns);
            point.cut.members.iter().any(|member| on_it(&member.volume)) || luns.into_iter().any(&on_device)
        })
        .map(|point| point.display_name)
        .collect();
    let clones = deps.catalog.clones()?.into_iter().filter(|other| other.intent.clone_id != clone.intent.clone_id);
    let clones: Vec<String> = clones
        .filter(|other| other.intent.targets.iter().any(|target| on_it(&target.volume)))
        .map(|other| other.intent.display_name)
        .collect();
    if points.is_empty() && clones.is_empty() {
        return Ok(());
    }
    let name = &clone.intent.display_name;
    let mut held = Vec::new();
    if !points.is_empty() {
        held.push(format!("restore points {}", points.join(", ")));
    }
    if !clones.is_empty() {
        held.push(format!("clones {}", clones.join(", ")));
    }
    let message = format!("{name} cannot be deleted: on its volumes are {}", held.join(" and "));
    let mut error = GatewayError::conflict("CLONE_HAS_SNAPSHOTS", message)
        .with("clone", name)
        .with("snapshots", points.join(","))
        .with("clones", clones.join(","));
    if let Some(first) = clones.first() {
        error = error.hint(format!("delete what was cloned of it first: strata clone delete {first}"));
    }
    if let Some(first) = points.first() {
        error = error.hint(format!("delete its restore points first: strata snapshot delete {first}"));
    }
    Err(error)
}

fn shown(clone: &CloneRecord, running: bool) -> PlanResponse {
    let name = &clone.intent.display_name;
    let mut steps = vec![step("mark_deleting", "mark it as being deleted", "it goes on being deleted")];
    if running {
        steps.push(step("power_off", format!("turn {name} off"), "cannot be undone"));
    }
    steps.push(step("unregister", format!("take {name} out of the inventory"), "cannot be undone"));
    if clone.intent.by_volume && clone.intent.nfs_targets().next().is_some() {
        let stores: Vec<String> = clone.intent.nfs_targets().map(|target| target.datastore.clone()).collect();
        steps.push(step("detach", format!("unmount {} on every host", words::list(&stores, 4)), "cannot be undone"));
        steps.push(step("remove_export", "take the exports away", "cannot be undone"));
    }
    if !clone.intent.vmfs.is_empty() {
        let stores: Vec<String> = clone.attached.iter().map(|store| store.datastore.clone()).collect();
        let devices: Vec<String> = clone.attached.iter().flat_map(|store| store.devices.clone()).collect();
        let text = format!(
            "unmount {} and detach {} on every host that the array maps them to, and see them off",
            words::list(&stores, 4),
            words::list(&devices, 4)
        );
        steps.push(step("let_go", text, "cannot be undone"));
        steps.push(step("unmap", "take the LUNs from all hosts", "cannot be undone"));
        steps.push(step("forget_devices", "let hosts forget the devices", "cannot be undone"));
    }
    let what: Vec<String> = clone
        .intent
        .targets
        .iter()
        .map(|target| match target.to_directory.is_empty() {
            true if target.luns_in_place => format!("the cloned LUNs in {}", target.volume),
            true => format!("the clone of {}", target.volume),
            false => format!("{} on {}", target.to_directory, target.volume),
        })
        .collect();
    steps.push(step("remove_clone", format!("remove {}", words::list(&what, 4)), "cannot be undone"));
    steps.push(step("forget", "forget it", "cannot be undone"));
    let shown = PlanResponse {
        summary: format!("delete the clone {name} with all that was written into it"),
        steps,
        neighbours: Vec::new(),
        facts: vec![fact("lost", format!("everything that {name} wrote since it was made"))],
        point_of_no_return: "mark_deleting".to_owned(),
        undo_command: String::new(),
        ..PlanResponse::default()
    };
    let sealed = Seal::default().object(format!("clone {name}"), format!("{} is {}", clone.intent.clone_id, clone.vm));
    let sealed = what.iter().fold(sealed, |sealed, part| sealed.object("on the array", part));
    sealed.close(shown)
}
