//! Plan of a snapshot: which volumes are cut, what can be promised for each disk, who else is in the cut.

use super::{
    NameAllocator, Planned,
    array_rights::{self, Way},
    block, fact, new_id,
    privileges::{self, Need},
    protected,
    seal::Seal,
    step, words,
};
use crate::{
    catalog::{Member, Placement, PointDisk, SnapshotIntent},
    deps::Deps,
    error::{GatewayError, Result},
    layout::{Depth, Observation, PlacedDisk, VmLayout, array_name, chain_files, volume_path},
};
use std::collections::{BTreeMap, BTreeSet};
use strata_model::{DatastorePath, ErrorKind, Grade};
use strata_proto::strata::{
    gateway::v1::PlanResponse,
    inventory::v1::{PowerState, VmFileKind},
};

/// What is asked, checked in form.
#[derive(Debug, Clone)]
pub struct SnapshotWish {
    /// The grade.
    pub grade: Grade,
    /// A weaker one may be taken.
    pub allow_weaker: bool,
    /// Seconds to keep it.
    pub keep_seconds: Option<u64>,
    /// The user's note.
    pub description: String,
    /// Longest time between the disks.
    pub accept_skew_ms: u32,
    /// Disks may be left out.
    pub allow_partial: bool,
    /// Seconds that the guest may take to freeze.
    pub quiesce_budget_seconds: u32,
    /// Taken by Strata itself before a revert.
    pub safety: bool,
}

/// Longest skew that is asked of an array where nothing writes, in milliseconds.
const STATIC_SKEW_MS: u32 = 600_000;

/// Plans a snapshot that a user asked for: as [`create_snapshot_of`], and no freeze of a VM that Strata stands on.
///
/// # Errors
/// Every reason why it cannot be taken; see the functions below.
pub async fn create_snapshot(
    deps: &Deps,
    names: &NameAllocator,
    vm: &str,
    wish: &SnapshotWish,
) -> Result<Planned<SnapshotIntent>> {
    let vcenter = crate::layout::vcenter_of(vm, "vm")?;
    let layout = VmLayout::read(&deps.ports, vm, Depth::Full).await?;
    let planned = create_snapshot_of(deps, names, &layout, wish)?;
    protected::refuse_grade(deps, &layout.vm, planned.intent.grade_planned)?;
    if planned.intent.needs_freeze() {
        // Who may open a VMware snapshot and not remove it would leave it open.
        let need = Need {
            vcenter: &vcenter,
            vm,
            vm_display_name: &layout.vm.display_name,
            features: &["quiesce"],
            privileges: &["VirtualMachine.State.CreateSnapshot", "VirtualMachine.State.RemoveSnapshot"],
        };
        privileges::require(deps, need).await?;
        // What the array would refuse is told before the guest is frozen (safety.md S11).
        let volumes = planned.intent.members.iter().map(|member| &member.volume);
        array_rights::require(deps, volumes, "snapshot", Way::Volume, &layout.vm.display_name).await?;
    }
    Ok(planned)
}

/// The same for a layout that was just read.
pub fn create_snapshot_of(
    deps: &Deps,
    names: &NameAllocator,
    layout: &VmLayout,
    wish: &SnapshotWish,
) -> Result<Planned<SnapshotIntent>> {
    refuse_unfit(layout)?;
    let (disks, excluded) = split(layout, wish)?;
    let grade = grade_for(layout, &disks, wish)?;
    // A safety point is cut after its VM was stopped, so order does not matter and nothing is torn.
    let vm_off = wish.safety || layout.vm.power_state() == PowerState::Off;
    let members = members(layout, &disks)?;
    let skew_max_ms = check_one_point(layout, &members, &disks, vm_off, grade, wish)?;
    let weaker_skew_max_ms = match wish.allow_weaker && grade >= Grade::Vm && !vm_off {
        true => running_skew_ms(layout, &members, disks.len(), wish).ok(),
        false => None,
    };
    let files = &layout.topology.files;
    let nvram = files.iter().find(|file| file.kind() == VmFileKind::Nvram).map(|file| file.path.clone());
    let point_disk = |placed: &&PlacedDisk| to_point_disk(placed, layout, wish.grade);
    let mut intent = SnapshotIntent {
        snapshot_id: new_id("s"),
        display_name: names.allocate(&*deps.catalog, &layout.vm.display_name, deps.clock.now())?,
        vm: layout.vm.name.clone(),
        vm_display_name: layout.vm.display_name.clone(),
        bios_uuid: layout.vm.bios_uuid.clone(),
        vmx_path: layout.vm.vmx_path.clone(),
        nvram_path: nvram,
        grade_asked: wish.grade,
        grade_planned: grade,
        allow_weaker: wish.allow_weaker,
        keep_seconds: wish.keep_seconds,
        description: wish.description.clone(),
        skew_max_ms,
        weaker_skew_max_ms,
        quiesce_budget_seconds: wish.quiesce_budget_seconds,
        vm_off,
        members,
        disks: disks.iter().map(point_disk).collect::<Result<_>>()?,
        excluded: excluded.iter().map(point_disk).collect::<Result<_>>()?,
        neighbours: layout.neighbours.clone(),
        relations: layout.relations(),
        safety: wish.safety,
        change_version: layout.vm.change_version.clone(),
        baseline: None,
        placement: Placement {
            folder_moref: layout.vm.folder_moref.clone(),
            pool_moref: layout.vm.pool_moref.clone(),
            host_moref: layout.vm.host_moref.clone(),
        },
    };
    // A safety point is cut after its VM was stopped, and a frozen one after its VMware snapshot was opened.
    if !intent.safety && !intent.needs_freeze() {
        intent.baseline = Some(Observation::of(layout));
    }
    let shown = shown(&intent, layout);
    Ok(Planned { intent, shown })
}

/// VMs that are never snapshotted, or not now.
fn refuse_unfit(layout: &VmLayout) -> Result<()> {
    let vm = &layout.vm;
    let name = &vm.display_name;
    if vm.system_vm {
        let message = format!("{name} is an agent VM of vSphere Cluster Services; vSphere makes it anew by itself");
        return Err(GatewayError::unsupported("SYSTEM_VM", message).with("vm", &vm.name));
    }
    if !vm.connection_state.is_empty() && vm.connection_state != "connected" {
        let message = format!("{name} is {} in vCenter; bring its host and datastores back first", vm.connection_state);
        return Err(GatewayError::new(ErrorKind::Unavailable, "VM_NOT_CONNECTED", message).with("vm", &vm.name));
    }
    if let Some(task) = vm.running_tasks.first() {
        let message = format!("vCenter works on {name} ({task}); try again when it is done");
        return Err(GatewayError::new(ErrorKind::Busy, "VM_TASK_RUNNING", message)
            .with("vm", &vm.name)
            .with("task", task));
    }
    refuse_unreachable(layout)?;
    if layout.topology.gaps.is_empty() {
        return Ok(());
    }
    let message = format!("{name} cannot be read completely: {}", layout.topology.gaps.join("; "));
    Err(GatewayError::new(ErrorKind::Unavailable, "VM_INCOMPLETE", message).with("vm", &vm.name))
}

/// A datastore that no array has may be on the one that does not answer: that is no reason to say that it cannot be done.
pub(super) fn refuse_unreachable(layout: &VmLayout) -> Result<()> {
    let homeless = layout.datastores.values().find(|placed| placed.volume.is_none());
    let silent = layout.unreachable.iter().find(|name| name.starts_with("arrays/"));
    let (Some(placed), Some(array)) = (homeless, silent) else { return Ok(()) };
    let why =
        layout.silence.get(array).filter(|why| !why.is_empty()).map_or("bring it back and try again", String::as_str);
    let message = format!(
        "{array} does not answer, and [{}] of {} is on no array that does: {why}",
        placed.datastore.display_name, layout.vm.display_name
    );
    Err(GatewayError::new(ErrorKind::Unavailable, "ARRAY_UNREACHABLE", message)
        .with("array", array)
        .with("vm", &layout.vm.name))
}

/// Disks that go in, and those that cannot.
fn split<'a>(layout: &'a VmLayout, wish: &SnapshotWish) -> Result<(Vec<&'a PlacedDisk>, Vec<&'a PlacedDisk>)> {
    let (disks, excluded): (Vec<_>, Vec<_>) = layout.disks.iter().partition(|placed| placed.volume.is_some());
    let name = &layout.vm.display_name;
    let reasons: Vec<String> =
        excluded.iter().map(|placed| format!("{} ({})", placed.disk.label, placed.reason)).collect();
    if disks.is_empty() {
        let message = match reasons.is_empty() {
            true => format!("{name} has no disks"),
            false => format!("no disk of {name} can be snapshotted: {}", reasons.join("; ")),
        };
        return Err(GatewayError::unsupported("NO_DISK_SUPPORTED", message).with("vm", &layout.vm.name));
    }
    if !excluded.is_empty() && !wish.allow_partial {
        let message = format!("{name} has disks that cannot be in the restore point: {}", reasons.join("; "));
        return Err(GatewayError::unsupported("DISKS_EXCLUDED", message)
            .with("vm", &layout.vm.name)
            .hint("to take it without them: --allow-partial"));
    }
    Ok((disks, excluded))
}

/// The grade that will be tried (safety.md S7, S10 to S12).
fn grade_for(layout: &VmLayout, disks: &[&PlacedDisk], wish: &SnapshotWish) -> Result<Grade> {
    let weaker: Vec<String> = disks
        .iter()
        .filter(|placed| placed.best_grade < Some(wish.grade))
        .map(|placed| {
            let best = placed.best_grade.unwrap_or(Grade::Crash);
            let why = why_weaker(placed, layout);
            format!("{}: at best {best}, {why}", placed.disk.label)
        })
        .collect();
    if weaker.is_empty() {
        return Ok(wish.grade);
    }
    if !wish.allow_weaker {
        let message =
            format!("{} cannot be snapshotted at grade {}: {}", layout.vm.display_name, wish.grade, weaker.join("; "));
        return Err(GatewayError::unsupported("GRADE_NOT_POSSIBLE", message)
            .with("vm", &layout.vm.name)
            .hint("to take what is possible: --allow-weaker"));
    }
    Ok(disks.iter().filter_map(|placed| placed.best_grade).min().unwrap_or(Grade::Crash))
}

/// Why a disk's grade is weaker than asked.
fn why_weaker<'a>(placed: &'a PlacedDisk, layout: &'a VmLayout) -> &'a str {
    let why = [&placed.reason, &layout.vm.application_freeze_reason].into_iter().find(|why| !why.is_empty());
    why.map_or("applications cannot be told", String::as_str)
}

/// One member a datastore, with the directories to cut. Several datastores may lie on one volume.
fn members(layout: &VmLayout, disks: &[&PlacedDisk]) -> Result<Vec<Member>> {
    let mut members: BTreeMap<(String, String), (Member, BTreeSet<String>)> = BTreeMap::new();
    let mut paths: Vec<DatastorePath> = vec![layout.vm.vmx_path.parse().map_err(GatewayError::unexpected)?];
    for placed in disks {
        paths.extend(chain_files(&placed.disk.chain, &layout.topology.files).map_err(GatewayError::unexpected)?);
    }
    for path in paths {
        let placed = layout
            .datastore(&path.datastore)
            .ok_or_else(|| GatewayError::unexpected(format!("{path} is on an unknown datastore")))?;
        let volume = placed.volume.as_ref().ok_or_else(|| {
            let message = format!("{path} is not on a volume of a configured array: {}", placed.evidence);
            GatewayError::unsupported("DATASTORE_UNSUPPORTED", message).with("datastore", &path.datastore)
        })?;
        if placed.is_block() {
            for part in block::extents::members(&path.datastore, placed) {
                let key = (part.volume.clone(), path.datastore.clone());
                members.entry(key).or_insert_with(|| (part, BTreeSet::new()));
            }
            continue;
        }
        let inside = match path.directory() {
            "" => &path.path,
            directory => directory,
        };
        let member = || Member {
            volume: volume.name.clone(),
            volume_uuid: volume.uuid.clone(),
            datastore: path.datastore.clone(),
            datastore_name: placed.datastore.name.clone(),
            path_in_volume: placed.path_in_volume.clone(),
            evidence: placed.evidence.clone(),
            paths: Vec::new(),
            luns: Vec::new(),
        };
        let key = (volume.name.clone(), path.datastore.clone());
        let entry = members.entry(key).or_insert_with(|| (member(), BTreeSet::new()));
        entry.1.insert(volume_path(&placed.path_in_volume, inside));
    }
    let finish = |(mut member, paths): (Member, BTreeSet<String>)| {
        member.paths = paths.into_iter().collect();
        member
    };
    Ok(members.into_values().map(finish).collect())
}

/// Whether the array can cut all parts at one point, and the skew to ask for (safety.md S10, S15).
fn check_one_point(
    layout: &VmLayout,
    members: &[Member],
    disks: &[&PlacedDisk],
    vm_off: bool,
    grade: Grade,
    wish: &SnapshotWish,
) -> Result<u32> {
    block::extents::refuse_torn(layout, members)?;
    let name = &layout.vm.display_name;
    let arrays: BTreeSet<String> = members.iter().map(|member| array_name(&member.volume)).collect::<Result<_>>()?;
    for array in &arrays {
        let capabilities = layout.arrays.get(array).and_then(|array| array.capabilities.as_ref());
        if capabilities.is_some_and(|capabilities| capabilities.needs_vm_off) && !vm_off {
            let message =
                format!("{array} copies files, and a copy of a running VM's disk is torn; power {name} off first");
            return Err(GatewayError::conflict("VM_RUNNING", message).with("vm", &layout.vm.name).with("array", array));
        }
    }
    // Where nothing writes into the images that are kept order does not matter.
    if vm_off || grade >= Grade::Vm {
        return Ok(STATIC_SKEW_MS);
    }
    running_skew_ms(layout, members, disks.len(), wish)
}

/// The skew to ask for where the disks are written meanwhile.
fn running_skew_ms(layout: &VmLayout, members: &[Member], disk_count: usize, wish: &SnapshotWish) -> Result<u32> {
    if disk_count <= 1 {
        return Ok(STATIC_SKEW_MS);
    }
    let name = &layout.vm.display_name;
    let arrays: BTreeSet<String> = members.iter().map(|member| array_name(&member.volume)).collect::<Result<_>>()?;
    let volumes: BTreeSet<&String> = members.iter().map(|member| &member.volume).collect();
    let group_max = arrays
        .iter()
        .filter_map(|array| layout.arrays.get(array)?.capabilities.as_ref())
        .map(
            |capabilities| {
                if capabilities.skew_us_max > 0 { 0 } else { capabilities.group_volumes_max.max(1) as usize }
            },
        )
        .min()
        .unwrap_or(0);
    if (arrays.len() > 1 || volumes.len() > group_max) && wish.accept_skew_ms == 0 {
        let message = format!(
            "the {disk_count} disks of {name} cannot be cut at one point in time on {}",
            words::list(&arrays.into_iter().collect::<Vec<_>>(), 3)
        );
        return Err(GatewayError::unsupported("NOT_ONE_POINT", message)
            .with("vm", &layout.vm.name)
            .hint("to allow time between them: --accept-skew MS")
            .hint("to freeze the guest meanwhile: --grade vm"));
    }
    Ok(wish.accept_skew_ms)
}

fn to_point_disk(placed: &PlacedDisk, layout: &VmLayout, asked: Grade) -> Result<PointDisk> {
    let is_weaker = placed.best_grade.is_some_and(|best| best < asked);
    let files = match placed.volume {
        Some(_) => chain_files(&placed.disk.chain, &layout.topology.files).map_err(GatewayError::unexpected)?,
        None => Vec::new(),
    };
    Ok(PointDisk {
        label: placed.disk.label.clone(),
        key: placed.disk.key,
        uuid: placed.disk.uuid.clone(),
        capacity_bytes: placed.disk.capacity_bytes,
        attach_path: placed.path.clone(),
        files: files.iter().map(ToString::to_string).collect(),
        chain: placed.disk.chain.clone(),
        volume: placed.volume.clone().unwrap_or_default(),
        best_grade: placed.best_grade,
        reason: if is_weaker { why_weaker(placed, layout).to_owned() } else { placed.reason.clone() },
    })
}

fn shown(intent: &SnapshotIntent, layout: &VmLayout) -> PlanResponse {
    let mut volumes: Vec<String> = intent.members.iter().map(|member| member.volume.clone()).collect();
    volumes.dedup();
    let mut steps = Vec::new();
    if intent.needs_freeze() {
        let text = format!(
            "open the VMware snapshot strata-{} of {} and quiesce the guest",
            intent.snapshot_id, intent.vm_display_name
        );
        steps.push(step("quiesce", text, "remove that VMware snapshot"));
    }
    let text = format!("snapshot {}", words::list(&volumes, 4));
    steps.push(step("array_snapshot", text, "remove the array's snapshot"));
    if intent.needs_freeze() {
        steps.push(step("release", "remove that VMware snapshot", "nothing to undo"));
    }
    steps.push(step("record", format!("record the restore point {}", intent.display_name), "forget it"));

    let mut facts = vec![fact("grade", format!("asked {}, will try {}", intent.grade_asked, intent.grade_planned))];
    facts.extend(
        intent
            .members
            .iter()
            .map(|member| fact("volume", format!("[{}] is {}: {}", member.datastore, member.volume, member.evidence))),
    );
    facts.extend(
        intent
            .disks
            .iter()
            .filter(|disk| !disk.reason.is_empty())
            .map(|disk| fact("grade", format!("{}: {}", disk.label, disk.reason))),
    );
    facts.extend(intent.excluded.iter().map(|disk| fact("excluded disk", format!("{}: {}", disk.label, disk.reason))));
    facts.extend(layout.topology.shared_files.iter().map(|shared| {
        let others = words::list(&layout.shared_with(shared), 4);
        fact("shared", format!("{} is shared ({}) with {others}", shared.path, shared.reason))
    }));
    facts.extend(
        layout
            .unreachable
            .iter()
            .map(|name| fact("unreachable", format!("{name} does not answer: neighbours there are not counted"))),
    );
    let expires = match intent.keep_seconds {
        Some(seconds) => format!("in {} hours, as recorded; this version removes nothing by itself", seconds / 3_600),
        None => "never by itself".to_owned(),
    };
    facts.push(fact("expires", expires));
    let shown = PlanResponse {
        summary: format!("snapshot {} as {}", intent.vm_display_name, intent.display_name),
        steps,
        neighbours: words::neighbours(&intent.neighbours),
        facts,
        point_of_no_return: String::new(),
        undo_command: format!("strata snapshot delete {}", intent.display_name),
        ..PlanResponse::default()
    };
    Seal::default().layout(layout).close(shown)
}
