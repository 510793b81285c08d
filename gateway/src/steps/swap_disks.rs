//! Exchanges a VM's disks for those of a copy, sets the old ones aside, moves the data home, and sees that it is there
//! (safety.md S22).

use super::{quiesce::to_output, wait};
use crate::{
    deps::Deps,
    error::{GatewayError, Result},
    plan::{SwapDisk, SwapIntent},
    ports::Progress as Answer,
};
use strata_model::DatastorePath;
use strata_proto::strata::inventory::v1::{
    Disk, DiskRelocation, GetVmTopologyRequest, MoveDisksRequest, PathMapping, PowerState, RelocateVmDisksRequest,
    RemoveAsideRequest, SwapVmDisksRequest, VmTopology,
};
use strata_saga::Progress;

async fn topology(deps: &Deps, intent: &SwapIntent) -> Result<VmTopology> {
    let request = GetVmTopologyRequest { name: intent.vm.clone(), skip_browse: true };
    deps.ports.inventory.get_vm_topology(request).await
}

fn changed(intent: &SwapIntent, what: &str) -> GatewayError {
    let message = format!("{} is not as it was planned for: {what}; plan again", intent.vm_display_name);
    GatewayError::conflict("VM_CHANGED", message).with("vm", &intent.vm)
}

/// The VM must be off, without VMware snapshots, and each disk the one file that was planned.
async fn refuse_deltas(deps: &Deps, intent: &SwapIntent) -> Result<()> {
    let now = topology(deps, intent).await?;
    if now.vm.as_ref().is_none_or(|vm| vm.power_state() != PowerState::Off) {
        return Err(changed(intent, "it is not off"));
    }
    if let Some(snapshot) = now.vm_snapshots.first() {
        return Err(changed(intent, &format!("it has the VMware snapshot {}", snapshot.display_name)));
    }
    for disk in &intent.disks {
        if !now.disks.iter().any(|live| live.key == disk.key && live.chain == [disk.path.clone()]) {
            return Err(changed(intent, &format!("{} ({}) is not attached as it was", disk.label, disk.path)));
        }
    }
    Ok(())
}

/// Has vCenter move the live disks aside, which fails while a file is locked.
pub async fn set_aside(deps: &Deps, intent: &SwapIntent) -> Result<Progress> {
    refuse_deltas(deps, intent).await?;
    let moves = intent.disks.iter().map(|disk| mapping(&disk.path, &disk.aside_path)).collect();
    deps.ports.inventory.move_disks(MoveDisksRequest { vm: intent.vm.clone(), moves }).await?;
    Ok(Progress::done())
}

/// Moves them back, and has the VM name their places again.
pub async fn back(deps: &Deps, intent: &SwapIntent, resume: Option<String>) -> Result<Progress> {
    let moves = intent.disks.iter().map(|disk| mapping(&disk.aside_path, &disk.path)).collect();
    deps.ports.inventory.move_disks(MoveDisksRequest { vm: intent.vm.clone(), moves }).await?;
    let progress = point_at(deps, intent, |disk| disk.path.clone(), resume).await?;
    if let Progress::Done(_) = progress {
        remove_aside(deps, intent).await?;
    }
    Ok(progress)
}

/// Points the VM at the copies.
pub async fn run(deps: &Deps, intent: &SwapIntent, resume: Option<String>) -> Result<Progress> {
    point_at(deps, intent, |disk| disk.copy_path.clone(), resume).await
}

/// Points it at its own disks again, where they are now: aside.
pub async fn undo(deps: &Deps, intent: &SwapIntent, resume: Option<String>) -> Result<Progress> {
    point_at(deps, intent, |disk| disk.aside_path.clone(), resume).await
}

fn mapping(from: &str, to: &str) -> PathMapping {
    PathMapping { from_path: from.to_owned(), to_path: to.to_owned() }
}

/// Each disk of the intent, wherever among its three places it is, at the place that is wanted.
async fn point_at(
    deps: &Deps,
    intent: &SwapIntent,
    wanted: impl Fn(&SwapDisk) -> String,
    resume: Option<String>,
) -> Result<Progress> {
    let now = topology(deps, intent).await?;
    let mut swaps = Vec::new();
    for disk in &intent.disks {
        let places = [&disk.path, &disk.aside_path, &disk.copy_path];
        let here = |live: &&Disk| live.chain.first().is_some_and(|file| places.contains(&file));
        let live = now.disks.iter().find(|live| live.key == disk.key).filter(here).or(now.disks.iter().find(here));
        let Some(file) = live.and_then(|live| live.chain.first()) else {
            return Err(changed(intent, &format!("{} is at none of its places", disk.label)));
        };
        let target = wanted(disk);
        if *file != target {
            swaps.push(mapping(file, &target));
        }
    }
    if swaps.is_empty() && resume.is_none() {
        return Ok(Progress::done());
    }
    let request = SwapVmDisksRequest { vm: intent.vm.clone(), swaps, resume: resume.unwrap_or_default() };
    Ok(wait::done(deps.ports.inventory.swap_vm_disks(request).await?))
}

/// Moves the data home, whether the VM runs or not. The output is where vCenter put it.
pub async fn move_home(deps: &Deps, intent: &SwapIntent, resume: Option<String>) -> Result<Progress> {
    let now = topology(deps, intent).await?;
    // The device's key may be another one since the swap; until it moves a disk is known by its file.
    let key = |disk: &SwapDisk| {
        let at_copy = now.disks.iter().find(|live| live.chain.first() == Some(&disk.copy_path));
        at_copy.map_or(disk.key, |live| live.key)
    };
    let relocation = |disk: &SwapDisk| DiskRelocation {
        from_path: disk.copy_path.clone(),
        disk_key: key(disk),
        datastore: disk.home.clone(),
    };
    let request = RelocateVmDisksRequest {
        vm: intent.vm.clone(),
        disks: intent.disks.iter().map(relocation).collect(),
        resume: resume.unwrap_or_default(),
    };
    match deps.ports.inventory.relocate_vm_disks(request).await? {
        Answer::Pending(still) => Ok(wait::pending(still)),
        Answer::Ready(answer) => {
            let files: Vec<String> = answer.disks.iter().filter_map(|disk| disk.chain.first().cloned()).collect();
            to_output(&files)
        }
    }
}

/// Sees that no file of the VM lies in the copies any more: only then may they go.
pub async fn verify_home(deps: &Deps, intent: &SwapIntent) -> Result<Progress> {
    let now = topology(deps, intent).await?;
    let copies: Vec<&String> = intent
        .copy
        .vmfs
        .iter()
        .map(|vmfs| &vmfs.datastore)
        .chain(intent.copy.nfs_targets().map(|target| &target.datastore))
        .collect();
    let files = now.disks.iter().flat_map(|disk| &disk.chain).chain(now.files.iter().map(|file| &file.path));
    let away = |file: &&String| {
        let path: std::result::Result<DatastorePath, _> = file.parse();
        path.is_ok_and(|path| copies.contains(&&path.datastore))
    };
    match files.into_iter().find(away) {
        None => Ok(Progress::done()),
        Some(file) => {
            let message = format!("{file} of {} is still in the copy; the copy stays", intent.vm_display_name);
            Err(GatewayError::conflict("NOT_HOME", message).with("vm", &intent.vm).with("file", file))
        }
    }
}

/// Directories that hold the old disks.
pub fn aside_directories(intent: &SwapIntent) -> Vec<String> {
    let directory = |disk: &SwapDisk| super::set_aside::directory_of(&disk.aside_path);
    let mut directories: Vec<String> = intent.disks.iter().filter_map(directory).collect();
    directories.sort();
    directories.dedup();
    directories
}

/// Deletes the old disks.
pub async fn remove_aside(deps: &Deps, intent: &SwapIntent) -> Result<Progress> {
    let request = RemoveAsideRequest { vcenter: intent.vcenter.clone(), directories: aside_directories(intent) };
    deps.ports.inventory.remove_aside(request).await?;
    Ok(Progress::done())
}
