//! Plan of a revert by files: the live disks are set aside by vCenter, the array clones those of the snapshot into their
//! places, the VM object stays (safety.md S20, S21, S23, S24).

use super::{
    NameAllocator, Planned, SnapshotWish,
    array_rights::{self, Way},
    create_snapshot_of, fact, new_id, point,
    privileges::{self, Need},
    seal::Seal,
    step, tracking_files, words,
};
use crate::{
    catalog::{PointDisk, RestorePoint, SnapshotIntent, quiesce_budget_seconds},
    deps::Deps,
    error::{GatewayError, Result},
    layout::{Depth, PlacedDisk, VmLayout, vcenter_of},
};
use serde::{Deserialize, Serialize};
use strata_model::{DatastorePath, Grade};
use strata_proto::strata::{
    gateway::v1::{PlanFact, PlanResponse, PowerMode, RevertVmRequest},
    inventory::v1::PowerState,
};

/// What a revert shall do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevertIntent {
    /// `r-` and 12 hex digits: the key of what is set aside and restored.
    pub revert_id: String,
    /// `vcenters/{vcenter}/vms/{instance_uuid}`.
    pub vm: String,
    /// The VM's name.
    pub vm_display_name: String,
    /// `vcenters/{vcenter}`.
    pub vcenter: String,
    /// The restore point.
    pub point: RestorePoint,
    /// The safety snapshot that is taken first.
    pub safety: SnapshotIntent,
    /// One a disk.
    pub disks: Vec<RevertDisk>,
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
}

/// A disk that is put back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevertDisk {
    /// `Hard disk 1`.
    pub label: String,
    /// Its file now and after, `[datastore] directory/name.vmdk`.
    pub path: String,
    /// Where the live one is set aside.
    pub aside_path: String,
    /// `vcenters/{vcenter}/datastores/{moref}`, since two datacenters may have one display name; empty in old records.
    #[serde(default)]
    pub datastore_name: String,
    /// `arrays/{array}/volumes/{volume}`.
    pub volume: String,
    /// Immutable identity of the volume.
    pub volume_uuid: String,
    /// The array's id of the snapshot.
    pub snapshot_id: String,
    /// From and to within the volume, for every file of the disk.
    pub files: Vec<(String, String)>,
}

/// What every way of a revert looks at first.
#[derive(Debug, Clone)]
pub(super) struct Looked {
    pub(super) vcenter: String,
    pub(super) point: RestorePoint,
    pub(super) layout: VmLayout,
    pub(super) was_on: bool,
}

/// Looks, and refuses what no way may do.
///
/// # Errors
/// Every reason why the VM cannot be reverted to this restore point by any way.
pub(super) async fn look(deps: &Deps, request: &RevertVmRequest) -> Result<Looked> {
    let vcenter = vcenter_of(&request.vm, "vm")?;
    let point = point::usable(&*deps.catalog, &request.snapshot)?;
    if point.intent.vm != request.vm {
        let message = format!("{} is a restore point of {}, not of this VM", point.display_name, point.intent.vm);
        return Err(GatewayError::invalid("snapshot", message)
            .hint(format!("to use it beside this VM: strata clone create {}", point.display_name)));
    }
    let layout = VmLayout::read(&deps.ports, &request.vm, Depth::Full).await?;
    super::protected::refuse_revert(deps, &layout.vm)?;
    super::create_snapshot::refuse_unreachable(&layout)?;
    refuse_another(&layout, &point)?;
    let was_on = refuse_by_state(&layout, request)?;
    refuse_shared(&layout)?;
    Ok(Looked { vcenter, point, layout, was_on })
}

/// The safety point of a revert.
pub(super) fn safety_wish(point: &RestorePoint) -> SnapshotWish {
    SnapshotWish {
        grade: Grade::Crash,
        allow_weaker: true,
        keep_seconds: None,
        description: format!("taken before the revert to {}", point.display_name),
        accept_skew_ms: 0,
        allow_partial: true,
        quiesce_budget_seconds: quiesce_budget_seconds(),
        safety: true,
    }
}

/// Plans a revert by files.
///
/// # Errors
/// Every reason why it cannot be done, with the remedy.
pub(super) async fn by_files(
    deps: &Deps,
    names: &NameAllocator,
    request: &RevertVmRequest,
    Looked { vcenter, point, layout, was_on }: Looked,
) -> Result<Planned<RevertIntent>> {
    let revert_id = new_id("r");
    let mut disks = pair_disks(&layout, &point, &revert_id, request)?;
    for disk in &mut disks {
        tracking_files::add(deps, disk).await?;
    }
    let wish = safety_wish(&point);
    let safety = create_snapshot_of(deps, names, &layout, &wish)?.intent;
    refuse_unsafe(&safety, &disks)?;
    let intent = RevertIntent {
        revert_id,
        vm: request.vm.clone(),
        vm_display_name: layout.vm.display_name.clone(),
        vcenter,
        safety,
        disks,
        was_on,
        shut_down: request.power_mode() == PowerMode::ShutDown,
        power_on_again: request.power_on_again,
        discard_vm_snapshots: !layout.topology.vm_snapshots.is_empty(),
        change_tracking: layout.vm.change_tracking,
        point,
    };
    require_privileges(deps, &intent).await?;
    let shown = shown(deps, &intent, &layout);
    Ok(Planned { intent, shown })
}

/// One that is found missing half way would leave the VM stopped and its disks aside.
async fn require_privileges(deps: &Deps, intent: &RevertIntent) -> Result<()> {
    let mut privileges = vec!["Datastore.Browse", "Datastore.FileManagement"];
    if intent.was_on {
        privileges.extend(["VirtualMachine.Interact.PowerOff", "VirtualMachine.Interact.PowerOn"]);
    }
    if intent.discard_vm_snapshots {
        privileges.push("VirtualMachine.State.RemoveSnapshot");
    }
    if intent.change_tracking {
        privileges.push("VirtualMachine.Config.ChangeTracking");
    }
    let need = Need {
        vcenter: &intent.vcenter,
        vm: &intent.vm,
        vm_display_name: &intent.vm_display_name,
        features: &["revert", "quiesce"],
        privileges: &privileges,
    };
    privileges::require(deps, need).await?;
    let name = &intent.vm_display_name;
    let cut = intent.safety.members.iter().map(|member| &member.volume);
    array_rights::require(deps, cut, "snapshot", Way::File, name).await?;
    array_rights::require(deps, intent.disks.iter().map(|disk| &disk.volume), "revert", Way::File, name).await
}

/// What is overwritten must be in the safety point.
fn refuse_unsafe(safety: &SnapshotIntent, disks: &[RevertDisk]) -> Result<()> {
    let held = |disk: &&RevertDisk| safety.disks.iter().any(|kept| kept.files.contains(&disk.path));
    let Some(disk) = disks.iter().find(|disk| !held(disk)) else { return Ok(()) };
    let why = safety.excluded.iter().find(|left_out| left_out.label == disk.label).map_or("", |it| it.reason.as_str());
    let message = format!(
        "{} ({}) of {} cannot be in the safety point, so its present state would be lost: {why}",
        disk.label, disk.path, safety.vm_display_name
    );
    Err(GatewayError::unsupported("DISK_NOT_SAFE", message)
        .with("vm", &safety.vm)
        .hint("to use the old data beside this VM: strata clone create"))
}

/// The instance uuid stays when a VM is exchanged for another under it; the BIOS uuid does not (safety.md S5).
pub(super) fn refuse_another(layout: &VmLayout, point: &RestorePoint) -> Result<()> {
    let digits = |uuid: &str| uuid.chars().filter(char::is_ascii_hexdigit).collect::<String>().to_ascii_lowercase();
    let (live, recorded) = (&layout.vm.bios_uuid, &point.intent.bios_uuid);
    if digits(live) == digits(recorded) {
        return Ok(());
    }
    let message = format!(
        "{} has the BIOS uuid {live} and {} is of {}, which had {recorded}: it is another VM, or its uuid was changed",
        layout.vm.display_name, point.display_name, point.intent.vm_display_name
    );
    Err(GatewayError::conflict("NOT_THE_SAME_VM", message)
        .with("vm", &layout.vm.name)
        .with("snapshot", &point.display_name)
        .hint(format!("to use the old data beside it: strata clone create {}", point.display_name)))
}

/// Power and VMware snapshots; true where it runs.
pub(super) fn refuse_by_state(layout: &VmLayout, request: &RevertVmRequest) -> Result<bool> {
    let vm = &layout.vm;
    let name = &vm.display_name;
    if vm.power_state() == PowerState::Suspended {
        let message = format!("{name} is suspended: its memory would not fit the old disks; resume it or power it off");
        return Err(GatewayError::conflict("VM_SUSPENDED", message).with("vm", &vm.name));
    }
    let was_on = vm.power_state() != PowerState::Off;
    if was_on && request.power_mode() == PowerMode::Unspecified {
        let message = format!("{name} runs; say how it may be stopped");
        return Err(GatewayError::conflict("VM_RUNNING", message)
            .with("vm", &vm.name)
            .hint("to ask the guest to shut down: --shut-down")
            .hint("to turn it off at once: --power-off"));
    }
    if was_on && request.power_mode() == PowerMode::ShutDown && !vm.tools_running {
        let message = format!("VMware Tools do not run in {name}, so its guest cannot be asked to shut down");
        return Err(GatewayError::conflict("TOOLS_NOT_RUNNING", message)
            .with("vm", &vm.name)
            .hint("to turn it off at once: --power-off"));
    }
    if !layout.topology.vm_snapshots.is_empty() && !request.discard_vm_snapshots {
        let list: Vec<String> =
            layout.topology.vm_snapshots.iter().map(|snapshot| snapshot.display_name.clone()).collect();
        let message = format!("{name} has VMware snapshots, which a revert cannot keep: {}", list.join(", "));
        return Err(GatewayError::conflict("VM_HAS_SNAPSHOTS", message)
            .with("vm", &vm.name)
            .hint("to remove them: --discard-vm-snapshots"));
    }
    Ok(was_on)
}

/// A file that others use is never exchanged under them (safety.md S7).
pub(super) fn refuse_shared(layout: &VmLayout) -> Result<()> {
    let Some(shared) = layout.topology.shared_files.first() else { return Ok(()) };
    let message = format!(
        "{} shares {} ({}) with {}; they would have to be reverted together, which this version cannot do",
        layout.vm.display_name,
        shared.path,
        shared.reason,
        words::list(&layout.shared_with(shared), 4)
    );
    Err(GatewayError::unsupported("SHARED_FILES", message)
        .with("vm", &layout.vm.name)
        .hint("to use the data beside it: strata clone create"))
}

fn pair_disks(
    layout: &VmLayout,
    point: &RestorePoint,
    revert_id: &str,
    request: &RevertVmRequest,
) -> Result<Vec<RevertDisk>> {
    let mut disks = Vec::new();
    for old in &point.intent.disks {
        if let Some(live) = layout.disks.iter().find(|placed| same_disk(placed, old)) {
            disks.push(pair(layout, point, old, live, revert_id, request.discard_vm_snapshots)?);
        }
    }
    if disks.is_empty() {
        let message = format!("no disk of {} is in {}", layout.vm.display_name, point.display_name);
        return Err(GatewayError::conflict("NO_COMMON_DISK", message)
            .with("vm", &layout.vm.name)
            .hint(format!("to use the old data beside it: strata clone create {}", point.display_name)));
    }
    Ok(disks)
}

/// The same disk: by its own uuid, and where vCenter tells none by its base file.
pub(super) fn same_disk(live: &PlacedDisk, old: &PointDisk) -> bool {
    match (live.disk.uuid.is_empty(), old.uuid.is_empty()) {
        (false, false) => live.disk.uuid == old.uuid,
        _ => live.disk.chain.last() == Some(&old.attach_path),
    }
}

/// The disk must still be the file that was cut, written without a delta over it.
fn refuse_other_files(
    layout: &VmLayout,
    old: &PointDisk,
    live: &PlacedDisk,
    path: &str,
    use_clone: &str,
) -> Result<()> {
    let name = &layout.vm.display_name;
    if path != old.attach_path.as_str() {
        let message = format!(
            "{} of {name} was {} and is {path} now; its files moved since the snapshot",
            old.label, old.attach_path
        );
        return Err(GatewayError::conflict("DISK_MOVED", message)
            .with("vm", &layout.vm.name)
            .hint(use_clone.to_owned()));
    }
    if layout.topology.vm_snapshots.is_empty() && live.disk.chain.len() > 1 {
        let over = live.disk.chain.first().map_or("", String::as_str);
        let message = format!(
            "{} of {name} writes {over} over {path} without a VMware snapshot: its disks need consolidation",
            old.label
        );
        return Err(GatewayError::conflict("CONSOLIDATION_NEEDED", message)
            .with("vm", &layout.vm.name)
            .hint("consolidate its disks in vCenter, then revert")
            .hint(use_clone.to_owned()));
    }
    Ok(())
}

fn pair(
    layout: &VmLayout,
    point: &RestorePoint,
    old: &PointDisk,
    live: &PlacedDisk,
    revert_id: &str,
    discards: bool,
) -> Result<RevertDisk> {
    // After VMware snapshots are removed the base is what the VM uses.
    let path = if discards { live.disk.chain.last() } else { live.disk.chain.first() }.cloned().unwrap_or_default();
    let use_clone = format!("to use the old data beside it: strata clone create {}", point.display_name);
    refuse_other_files(layout, old, live, &path, &use_clone)?;
    let name = &layout.vm.display_name;
    let (placed, _) = layout.locate(&path)?;
    let volume = placed.volume.as_ref().ok_or_else(|| GatewayError::not_found("volume", &old.volume))?;
    let cut = point::member_on(&point.cut, &old.volume)?;
    if volume.name != old.volume || volume.uuid != cut.volume_uuid {
        let message = format!(
            "{} of {name} lies on {} (uuid {}) now and the snapshot is of {} (uuid {})",
            old.label, volume.name, volume.uuid, old.volume, cut.volume_uuid
        );
        return Err(GatewayError::conflict("VOLUME_CHANGED", message).with("vm", &layout.vm.name).hint(use_clone));
    }
    let place: DatastorePath = old.attach_path.parse().map_err(GatewayError::unexpected)?;
    let member = point.intent.members.iter().find(|m| m.volume == old.volume && m.datastore == place.datastore);
    if let Some(member) = member.filter(|member| member.path_in_volume != placed.path_in_volume) {
        let message = format!(
            "[{}] began at '{}' of {} in the snapshot and begins at '{}' now",
            place.datastore, member.path_in_volume, volume.name, placed.path_in_volume
        );
        return Err(GatewayError::conflict("DATASTORE_ROOT_CHANGED", message)
            .with("vm", &layout.vm.name)
            .hint(use_clone));
    }
    let can =
        layout.array_of(&volume.name)?.capabilities.as_ref().is_some_and(|capabilities| capabilities.restore_files);
    if !can {
        let message = format!(
            "the array of {} cannot put single files back, and rolling the volume back would take its neighbours along",
            volume.display_name
        );
        return Err(GatewayError::unsupported("RESTORE_FILES_UNSUPPORTED", message)
            .with("volume", &volume.name)
            .hint(use_clone));
    }
    let files = old
        .files
        .iter()
        .map(|file| layout.locate(file).map(|(_, inside)| (inside.clone(), inside)))
        .collect::<Result<_>>()?;
    let path: DatastorePath = path.parse().map_err(GatewayError::unexpected)?;
    let aside = format!("{}/.strata-aside-{revert_id}", path.directory());
    let aside = path.moved_to(aside.trim_start_matches('/'));
    Ok(RevertDisk {
        label: old.label.clone(),
        path: path.to_string(),
        aside_path: aside.to_string(),
        datastore_name: placed.datastore.name.clone(),
        volume: volume.name.clone(),
        volume_uuid: volume.uuid.clone(),
        snapshot_id: cut.snapshot_id.clone(),
        files,
    })
}

/// After VMware snapshots were removed the VM uses other files than the safety point has, so only a clone of it fits.
fn undo_command(intent: &RevertIntent) -> String {
    let point = &intent.safety.display_name;
    match intent.discard_vm_snapshots {
        true => format!("strata clone create {point}"),
        false => format!("strata revert {point} --power-off"),
    }
}

fn shown(deps: &Deps, intent: &RevertIntent, layout: &VmLayout) -> PlanResponse {
    let name = &intent.vm_display_name;
    let paths: Vec<String> = intent.disks.iter().map(|disk| disk.path.clone()).collect();
    let listed = words::list(&paths, 4);
    let mut steps =
        vec![step("verify", format!("check that {name} and its files are who they were"), "nothing to undo")];
    if intent.was_on {
        let how = if intent.shut_down { "ask the guest of" } else { "turn" };
        let text = if intent.shut_down { format!("{how} {name} to shut down") } else { format!("{how} {name} off") };
        steps.push(step("power_off", text, "turn it on again"));
    }
    steps.push(step("safety_snapshot", format!("snapshot {name} as {}", intent.safety.display_name), "remove it"));
    if intent.discard_vm_snapshots {
        steps.push(step("discard_vm_snapshots", "remove its VMware snapshots", "the safety point holds them"));
    }
    steps.push(step("set_aside", format!("move {listed} aside"), "move them back"));
    steps.push(step("restore_files", format!("clone {listed} back from {}", intent.point.display_name), "remove them"));
    steps.push(step("change_tracking", "make changed block tracking start anew", "nothing to undo"));
    steps.push(step("reload", "let vCenter read the files anew", "nothing to undo"));
    steps.push(step("commit", "from here on only forward", "cannot be undone, but for the safety point"));
    if intent.was_on && intent.power_on_again {
        steps.push(step("power_on", format!("turn {name} on"), "cannot be undone"));
    }
    steps.push(step("remove_aside", "delete what was set aside", "cannot be undone"));
    let shown = PlanResponse {
        summary: format!("revert {name} to {} by cloning its files back", intent.point.display_name),
        steps,
        neighbours: words::neighbours(&layout.neighbours),
        facts: facts(deps, intent, layout),
        point_of_no_return: "commit".to_owned(),
        undo_command: undo_command(intent),
        ..PlanResponse::default()
    };
    Seal::default().layout(layout).point(&intent.point).close(shown)
}

fn facts(deps: &Deps, intent: &RevertIntent, layout: &VmLayout) -> Vec<PlanFact> {
    let name = &intent.vm_display_name;
    let now = deps.clock.now();
    let mut facts = vec![
        fact("way", "files: only this VM's disks are put back; neighbours are not touched"),
        fact("rejected way", "volume in place: it would take everything else on the volume back as well"),
        fact(
            "writes lost",
            format!("{} of writes, since {}", words::age(intent.point.cut.time, now), intent.point.cut.time),
        ),
        fact("grade", format!("{} (asked {})", intent.point.cut.grade, intent.point.intent.grade_asked)),
        fact("safety point", format!("{} is taken first and stays", intent.safety.display_name)),
        fact("power", if intent.was_on { format!("{name} runs and is stopped") } else { format!("{name} is off") }),
    ];
    let changed = |text: String| fact("configuration", text);
    for live in &layout.disks {
        if !intent.point.intent.disks.iter().any(|old| same_disk(live, old)) {
            facts.push(changed(format!(
                "{} ({}) is not in the restore point; it stays attached as it is",
                live.disk.label, live.path
            )));
        }
    }
    for old in &intent.point.intent.disks {
        if !intent.disks.iter().any(|disk| disk.path == old.attach_path) {
            facts.push(changed(format!(
                "{} ({}) is no longer attached; it is not put back",
                old.label, old.attach_path
            )));
        }
    }
    if intent.change_tracking {
        facts.push(fact("change tracking", "is reset: the next backup must be a full one"));
    }
    if !layout.vm.managed_by.is_empty() {
        facts.push(fact("managed by", format!("{} manages {name}; tell it", layout.vm.managed_by)));
    }
    if intent.point.intent.change_version != layout.vm.change_version {
        facts.push(changed(format!("{name} was reconfigured since; its configuration stays as it is now")));
    }
    facts
}
