//! Plan of a revert by swap: the restore point is cloned and mounted while the VM still runs, its disks are exchanged for
//! the clone's, and vCenter moves their data home behind the running VM (safety.md S20 to S24).

use super::{
    clone::{copy_facts, copy_steps},
    copies,
};
use crate::{
    catalog::{CloneIntent, PointDisk, RestorePoint, SnapshotIntent},
    deps::Deps,
    error::{GatewayError, Result},
    layout::PlacedDisk,
    plan::{
        NameAllocator, Planned,
        array_rights::{self, Way},
        create_snapshot_of, fact, new_id,
        privileges::{self, Need},
        revert_vm::{Looked, safety_wish, same_disk},
        seal::Seal,
        step, words,
    },
    steps::home_space::{self, Needed},
};
use serde::{Deserialize, Serialize};
use strata_model::DatastorePath;
use strata_proto::strata::gateway::v1::{PlanFact, PlanResponse, PowerMode, RevertVmRequest};

/// What a revert by swap shall do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SwapIntent {
    /// `r-` and 12 hex digits: the key of the copies and of what is set aside.
    pub revert_id: String,
    /// `vcenters/{vcenter}/vms/{instance_uuid}`.
    pub vm: String,
    /// The VM's name.
    pub vm_display_name: String,
    /// `vcenters/{vcenter}`.
    pub vcenter: String,
    /// The restore point.
    pub point: RestorePoint,
    /// The safety snapshot that is taken before the swap.
    pub safety: SnapshotIntent,
    /// The copies that the VM lives on until it is home. Nobody but this operation knows them, so nothing touches them.
    pub copy: CloneIntent,
    /// One a disk.
    pub disks: Vec<SwapDisk>,
    /// It ran when this was planned.
    pub was_on: bool,
    /// Ask the guest to shut down; otherwise it is turned off at once.
    pub shut_down: bool,
    /// Turn it on after.
    pub power_on_again: bool,
    /// VMware snapshots are removed first.
    pub discard_vm_snapshots: bool,
    /// Changed block tracking was on.
    pub change_tracking: bool,
    /// The old disks are deleted at the end; otherwise they stay until the user commits.
    pub discard_old_disks: bool,
}

/// A disk that is exchanged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SwapDisk {
    /// `Hard disk 1`.
    pub label: String,
    /// Key of the device, by which it is known when its file moves.
    pub key: i32,
    /// The live file, `[datastore] directory/name.vmdk`.
    pub path: String,
    /// Where the live one is set aside.
    pub aside_path: String,
    /// The copy of the old one.
    pub copy_path: String,
    /// Where it lives and shall live again, `vcenters/{vcenter}/datastores/{moref}`.
    pub home: String,
    /// The same for people.
    pub home_display_name: String,
    /// Bytes that the guest sees.
    pub capacity_bytes: u64,
}

/// Plans it.
///
/// # Errors
/// Every reason why it cannot be done, with the remedy.
pub(in crate::plan) async fn plan(
    deps: &Deps,
    names: &NameAllocator,
    request: &RevertVmRequest,
    looked: Looked,
    rejected: Vec<String>,
) -> Result<Planned<SwapIntent>> {
    let Looked { vcenter, point, layout, was_on } = looked;
    let revert_id = new_id("r");
    let vm = &layout.vm;
    let wish = copies::Wish { vcenter: &vcenter, name: &format!("{}-{revert_id}", vm.display_name), hosts: &[] };
    let copies = copies::plan(deps, &point, wish).await?;
    let copy = CloneIntent {
        clone_id: revert_id.clone(),
        display_name: format!("revert of {}", vm.display_name),
        snapshot_id: point.id.clone(),
        source_vm: vm.name.clone(),
        vcenter: vcenter.clone(),
        by_volume: true,
        vmx_path: copies.path(&point.intent.vmx_path)?,
        source_vmx_path: point.intent.vmx_path.clone(),
        disks: Vec::new(),
        allowed_directories: Vec::new(),
        bios_uuid: String::new(),
        instance_uuid: String::new(),
        folder_moref: String::new(),
        pool_moref: String::new(),
        host_moref: String::new(),
        hosts: copies.nfs_hosts.clone(),
        power_on: false,
        targets: copies.targets.clone(),
        vmfs: copies.vmfs.clone(),
        lun_hosts: copies.lun_hosts.clone(),
        datastore_folder_moref: request.datastore_folder.clone(),
        expected_bios_uuid: point.intent.bios_uuid.clone(),
        forget_vm_snapshots: false,
    };
    let mut disks = Vec::new();
    for old in &point.intent.disks {
        if let Some(live) = layout.disks.iter().find(|placed| same_disk(placed, old)) {
            let file = live_file(live, request.discard_vm_snapshots, &vm.display_name, &vm.name)?;
            disks.push(pair(old, live, &file, copies.path(&old.attach_path)?, &revert_id, &layout)?);
        }
    }
    if disks.is_empty() {
        let message = format!("no disk of {} is in {}", vm.display_name, point.display_name);
        return Err(GatewayError::conflict("NO_COMMON_DISK", message)
            .with("vm", &vm.name)
            .hint(format!("to use the old data beside it: strata clone create {}", point.display_name)));
    }
    home_space::check(deps, &vm.display_name, &needed(&disks)).await?;
    let safety = create_snapshot_of(deps, names, &layout, &safety_wish(&point))?.intent;
    refuse_unsafe(&safety, &disks)?;
    let intent = SwapIntent {
        revert_id,
        vm: vm.name.clone(),
        vm_display_name: vm.display_name.clone(),
        vcenter,
        safety,
        copy,
        disks,
        was_on,
        shut_down: request.power_mode() == PowerMode::ShutDown,
        power_on_again: request.power_on_again,
        discard_vm_snapshots: !layout.topology.vm_snapshots.is_empty(),
        change_tracking: vm.change_tracking,
        discard_old_disks: request.commit,
        point,
    };
    require_rights(deps, &intent).await?;
    let mut facts: Vec<PlanFact> = rejected.into_iter().map(|why| fact("rejected way", why)).collect();
    facts.extend(copy_facts(&intent.copy, &intent.point, &copies.remarks));
    let shown = PlanResponse { neighbours: words::neighbours(&layout.neighbours), ..shown(deps, &intent, facts) };
    let shown = Seal::default().layout(&layout).point(&intent.point).copy(&intent.copy).close(shown);
    Ok(Planned { intent, shown })
}

/// The file that the VM writes once it is stopped and, where allowed, its VMware snapshots are gone.
fn live_file(live: &PlacedDisk, discards: bool, name: &str, vm: &str) -> Result<String> {
    let chain = &live.disk.chain;
    let path = if discards { chain.last() } else { chain.first() };
    if chain.len() > 1 && !discards {
        let message = format!("{} of {name} consists of several files: its disks need consolidation", live.disk.label);
        return Err(GatewayError::conflict("CONSOLIDATION_NEEDED", message)
            .with("vm", vm)
            .hint("consolidate its disks in vCenter, then revert"));
    }
    path.cloned().ok_or_else(|| GatewayError::unexpected(format!("{} of {name} has no file", live.disk.label)))
}

fn pair(
    old: &PointDisk,
    live: &PlacedDisk,
    file: &str,
    copy_path: String,
    revert_id: &str,
    layout: &crate::layout::VmLayout,
) -> Result<SwapDisk> {
    let path: DatastorePath = file.parse().map_err(GatewayError::unexpected)?;
    let (home, _) = layout.locate(file)?;
    let aside = format!("{}/.strata-aside-{revert_id}", path.directory());
    Ok(SwapDisk {
        label: old.label.clone(),
        key: live.disk.key,
        path: path.to_string(),
        aside_path: path.moved_to(aside.trim_start_matches('/')).to_string(),
        copy_path,
        home: home.datastore.name.clone(),
        home_display_name: home.datastore.display_name.clone(),
        capacity_bytes: old.capacity_bytes,
    })
}

/// The space that the way home needs: the old disks stay beside the new ones until the user commits.
pub fn needed(disks: &[SwapDisk]) -> Vec<Needed> {
    disks.iter().map(|disk| Needed { datastore: disk.home.clone(), bytes: disk.capacity_bytes }).collect()
}

/// What is exchanged must be in the safety point.
fn refuse_unsafe(safety: &SnapshotIntent, disks: &[SwapDisk]) -> Result<()> {
    let held = |disk: &&SwapDisk| safety.disks.iter().any(|kept| kept.files.contains(&disk.path));
    let Some(disk) = disks.iter().find(|disk| !held(disk)) else { return Ok(()) };
    let message = format!(
        "{} ({}) of {} cannot be in the safety point, so its present state would be lost",
        disk.label, disk.path, safety.vm_display_name
    );
    Err(GatewayError::unsupported("DISK_NOT_SAFE", message)
        .with("vm", &safety.vm)
        .hint("to use the old data beside this VM: strata clone create"))
}

/// One that is found missing half way would leave the VM stopped, or away from home.
async fn require_rights(deps: &Deps, intent: &SwapIntent) -> Result<()> {
    let mut privileges = vec![
        "Datastore.Browse",
        "Datastore.FileManagement",
        "Datastore.AllocateSpace",
        "Host.Config.Storage",
        "VirtualMachine.Config.AddExistingDisk",
        "VirtualMachine.Config.RemoveDisk",
        "Resource.ColdMigrate",
    ];
    if intent.was_on {
        privileges.extend(["VirtualMachine.Interact.PowerOff", "VirtualMachine.Interact.PowerOn"]);
    }
    if intent.was_on && intent.power_on_again {
        privileges.push("Resource.HotMigrate");
    }
    if intent.discard_vm_snapshots {
        privileges.push("VirtualMachine.State.RemoveSnapshot");
    }
    if intent.change_tracking {
        privileges.push("VirtualMachine.Config.ChangeTracking");
    }
    let name = &intent.vm_display_name;
    let need = Need {
        vcenter: &intent.vcenter,
        vm: &intent.vm,
        vm_display_name: name,
        features: &["revert", "quiesce", "clone"],
        privileges: &privileges,
    };
    privileges::require(deps, need).await?;
    let cut = intent.safety.members.iter().map(|member| &member.volume);
    array_rights::require(deps, cut, "snapshot", Way::Volume, name).await?;
    let cloned = intent.copy.targets.iter().map(|target| &target.volume);
    array_rights::require(deps, cloned, "clone", Way::Volume, name).await
}

fn steps(intent: &SwapIntent) -> Vec<strata_proto::strata::gateway::v1::PlanStep> {
    let name = &intent.vm_display_name;
    let point = &intent.point.display_name;
    let mut steps = vec![step("verify", format!("check that {name} and its disks are as planned"), "nothing to undo")];
    steps.extend(copy_steps(&intent.copy));
    steps.push(step("check_space", "look again that the disks fit at home", "nothing to undo"));
    if intent.was_on {
        let text =
            if intent.shut_down { format!("ask the guest of {name} to shut down") } else { format!("turn {name} off") };
        steps.push(step("power_off", text, "turn it on again"));
    }
    steps.push(step("safety_snapshot", format!("snapshot {name} as {}", intent.safety.display_name), "remove it"));
    if intent.discard_vm_snapshots {
        steps.push(step("discard_vm_snapshots", "remove its VMware snapshots", "the safety point holds them"));
    }
    let paths: Vec<String> = intent.disks.iter().map(|disk| disk.path.clone()).collect();
    steps.push(step("set_aside", format!("move {} aside", words::list(&paths, 4)), "move them back"));
    steps.push(step("swap", format!("point {name} at its disks in the copy of {point}"), "point it at its own"));
    steps.push(step("change_tracking", "make changed block tracking start anew", "nothing to undo"));
    steps.push(step("commit", "from here on only forward", "cannot be undone, but for the safety point"));
    if intent.was_on && intent.power_on_again {
        steps.push(step("power_on", format!("turn {name} on; it runs on the copy"), "cannot be undone"));
    }
    let homes: Vec<String> = intent.disks.iter().map(|disk| format!("[{}]", disk.home_display_name)).collect();
    steps.push(step(
        "move_home",
        format!("move the data to {} behind {name}", words::list(&homes, 4)),
        "cannot be undone",
    ));
    steps.push(step("verify_home", "see that every file of the disks is home", "nothing to undo"));
    steps.push(step("let_go", "unmount and detach the copies on every host", "cannot be undone"));
    steps.push(step("unmap", "take the copies from all hosts, and let them forget", "cannot be undone"));
    steps.push(step("remove_clone", "remove the copies on the array", "cannot be undone"));
    if intent.discard_old_disks {
        steps.push(step("remove_aside", "delete the old disks", "cannot be undone, but for the safety point"));
    }
    steps
}

fn shown(deps: &Deps, intent: &SwapIntent, more: Vec<PlanFact>) -> PlanResponse {
    let name = &intent.vm_display_name;
    let bytes: u64 = intent.disks.iter().map(|disk| disk.capacity_bytes).sum();
    let now = deps.clock.now();
    let mut facts = vec![
        fact("way", "clone and swap: the VM runs from a copy until its data is home; neighbours are not touched"),
        fact(
            "writes lost",
            format!("{} of writes, since {}", words::age(intent.point.cut.time, now), intent.point.cut.time),
        ),
        fact("grade", format!("{} (asked {})", intent.point.cut.grade, intent.point.intent.grade_asked)),
        fact("safety point", format!("{} is taken before the swap and stays", intent.safety.display_name)),
        fact("downtime", "from power-off until the swap; moving home goes on behind the running VM"),
        fact("space", format!("{bytes} bytes at home for the move, beside the old disks")),
        fact("power", if intent.was_on { format!("{name} runs and is stopped") } else { format!("{name} is off") }),
        fact(
            "old disks",
            match intent.discard_old_disks {
                true => "are deleted when the data is home".to_owned(),
                false => format!("stay aside until: strata commit {name}"),
            },
        ),
    ];
    if intent.change_tracking {
        facts.push(fact("change tracking", "is reset: the next backup must be a full one"));
    }
    facts.extend(more);
    PlanResponse {
        summary: format!("revert {name} to {} by swapping its disks to a clone", intent.point.display_name),
        steps: steps(intent),
        neighbours: Vec::new(),
        facts,
        point_of_no_return: "commit".to_owned(),
        undo_command: format!("strata revert {} --power-off", intent.safety.display_name),
        ..PlanResponse::default()
    }
}
