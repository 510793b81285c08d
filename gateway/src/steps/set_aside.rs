//! Lets vCenter move the live disks aside: it refuses while a file is locked, which is the proof that nobody uses it, and
//! moving them back is the undo (safety.md S21).

use super::reload;
use crate::{
    deps::Deps,
    error::{GatewayError, Result},
    plan::RevertIntent,
};
use strata_model::DatastorePath;
use strata_proto::strata::inventory::v1::{
    GetVmTopologyRequest, MoveDisksRequest, PathMapping, PowerState, RemoveAsideRequest,
};
use strata_saga::Progress;

async fn move_all(deps: &Deps, intent: &RevertIntent, back: bool) -> Result<Progress> {
    let mapping = |from: &str, to: &str| PathMapping { from_path: from.to_owned(), to_path: to.to_owned() };
    let moves = intent
        .disks
        .iter()
        .map(|disk| if back { mapping(&disk.aside_path, &disk.path) } else { mapping(&disk.path, &disk.aside_path) })
        .collect();
    deps.ports.inventory.move_disks(MoveDisksRequest { vm: intent.vm.clone(), moves }).await?;
    Ok(Progress::done())
}

/// Nothing lies over the disks: an old base under a live delta would be a corrupt disk. The stop may have taken minutes
/// since the plan, and the removal of VMware snapshots can leave a delta that no VMware snapshot lists.
async fn refuse_deltas(deps: &Deps, intent: &RevertIntent) -> Result<()> {
    let request = GetVmTopologyRequest { name: intent.vm.clone(), skip_browse: true };
    let topology = deps.ports.inventory.get_vm_topology(request).await?;
    let changed = |what: String| {
        let message = format!("{} is not as it was planned for: {what}; plan again", intent.vm_display_name);
        GatewayError::conflict("VM_CHANGED", message).with("vm", &intent.vm)
    };
    if topology.vm.as_ref().is_none_or(|vm| vm.power_state() != PowerState::Off) {
        return Err(changed("it is not off".to_owned()));
    }
    if let Some(snapshot) = topology.vm_snapshots.first() {
        return Err(changed(format!("it has the VMware snapshot {}", snapshot.display_name)));
    }
    for disk in &intent.disks {
        let path = std::slice::from_ref(&disk.path);
        if topology.disks.iter().any(|live| live.chain == path) {
            continue;
        }
        let over = topology.disks.iter().find(|live| live.chain.contains(&disk.path));
        let what = match over.and_then(|live| live.chain.first()) {
            Some(delta) if *delta != disk.path => {
                format!("{} writes {delta} over {}; consolidate its disks first", disk.label, disk.path)
            }
            _ => format!("{} ({}) is not attached as it was", disk.label, disk.path),
        };
        return Err(changed(what));
    }
    Ok(())
}

/// Moves them aside.
pub async fn run(deps: &Deps, intent: &RevertIntent) -> Result<Progress> {
    refuse_deltas(deps, intent).await?;
    move_all(deps, intent, false).await
}

/// Moves them back.
pub async fn undo(deps: &Deps, intent: &RevertIntent) -> Result<Progress> {
    move_all(deps, intent, true).await?;
    // The undo of the step `reload` ran while the old files were away.
    reload::run(deps, &intent.vm).await?;
    remove(deps, intent).await
}

/// Deletes what was set aside.
pub async fn remove(deps: &Deps, intent: &RevertIntent) -> Result<Progress> {
    let mut directories: Vec<String> = intent.disks.iter().filter_map(|disk| directory_of(&disk.aside_path)).collect();
    directories.sort();
    directories.dedup();
    let request = RemoveAsideRequest { vcenter: intent.vcenter.clone(), directories };
    deps.ports.inventory.remove_aside(request).await?;
    Ok(Progress::done())
}

/// `[ds] dir` of `[ds] dir/name`.
pub(super) fn directory_of(path: &str) -> Option<String> {
    let path: DatastorePath = path.parse().ok()?;
    Some(format!("[{}] {}", path.datastore, path.directory()))
}
