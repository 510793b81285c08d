//! The story itself.

use super::{
    going_back,
    pattern::{self, Version},
    picture::Picture,
    stage::{Stage, failed},
};
use crate::{connect::call, failure::Failure};
use std::{collections::BTreeSet, time::Instant};
use strata_proto::strata::gateway::v1::{
    Clone as VmClone, CreateCloneRequest, CreateSnapshotRequest, DeleteCloneRequest, DeleteSnapshotRequest,
    GetVmRequest, ListSnapshotsRequest, Snapshot, Vm,
};

pub(super) const VM: &str = "web-01";
pub(super) const NEIGHBOUR: &str = "web-02";
/// How much of the neighbour's disk is written and watched.
pub(super) const NEIGHBOUR_BYTES: u64 = 4 << 20;

/// The links between a datastore and its volume that are told: by NFS the first one, by LUNs the others.
const TO_ARRAY: [&str; 3] = ["is volume", "is on LUN", "lies in volume"];

/// Tells it.
///
/// # Errors
/// A call failed where the story needs its answer.
pub async fn tell(stage: &mut Stage<'_>) -> Result<(), Failure> {
    let before = Before { vms: names(&stage.vms().await?), files: stage.datastore()?, picture: stage.picture()? };
    let web = look(stage).await?;
    fill(stage)?;
    let point = snapshot(stage, &web).await?;
    change(stage)?;
    let clone = clone(stage, &web, &point).await?;
    let safety = going_back::revert(stage, &web, &point).await?;
    let second = going_back::clone_of_safety(stage, &safety).await?;
    delete(stage, &web, &[clone, second]).await?;
    nothing_left(stage, &before).await
}

/// What the world looked like.
struct Before {
    vms: BTreeSet<String>,
    files: BTreeSet<String>,
    picture: Picture,
}

fn names(vms: &[Vm]) -> BTreeSet<String> {
    vms.iter().map(|vm| vm.name.clone()).collect()
}

async fn look(stage: &mut Stage<'_>) -> Result<Vm, Failure> {
    stage.step(
        "list",
        "every VM, the volume it lies on, and how that is known   (strata vm list, strata vm show web-01)",
    )?;
    let began = Instant::now();
    let vms = stage.vms().await?;
    stage.report.took(began.elapsed(), false);
    for vm in &vms {
        stage.say(&format!("{:<14}{:<10}{}", vm.display_name, vm.power_state, vm.volumes.join(", ")))?;
    }
    stage.check_that("there are at least 12 VMs", vms.len() >= 12, vms.len())?;
    let homeless: Vec<&str> = vms
        .iter()
        .filter(|vm| vm.volumes.is_empty() && vm.datastores.iter().any(|name| !name.starts_with("vsan")))
        .map(|vm| vm.display_name.as_str())
        .collect();
    stage.check_that(
        "each VM has its volumes, but for the one on vSAN, which is not supported",
        homeless.is_empty(),
        &homeless,
    )?;
    let web = vms.into_iter().find(|vm| vm.display_name == VM).ok_or_else(|| failed("there is no web-01"))?;
    let request = GetVmRequest { name: web.name.clone() };
    let web = call!(stage.gateway, vms.get_vm(request))?;
    let detail = web.detail.clone().unwrap_or_default();
    for relation in detail.relations.iter().filter(|link| TO_ARRAY.contains(&link.kind.as_str())) {
        stage.say(&format!("{} {} {}: {}", relation.from, relation.kind, relation.to, relation.evidence))?;
    }
    let reaches = detail.relations.iter().any(|relation| relation.kind == "is on array");
    let proven = reaches && detail.relations.iter().all(|relation| !relation.evidence.is_empty());
    stage.check_that("each link from web-01 to the array has its evidence", proven, &detail.relations)?;
    let beside = detail.neighbours.iter().any(|one| one.display_name == NEIGHBOUR);
    stage.check_that("web-02 is known as a neighbour on the same volume", beside, &detail.neighbours)?;
    Ok(web)
}

fn fill(stage: &mut Stage<'_>) -> Result<(), Failure> {
    let bytes = stage.disk_bytes;
    stage.step("write", &format!("a pattern into every block of web-01's disk ({})", crate::show::bytes(bytes)))?;
    pattern::write(&stage.vcenter, VM, bytes, Version::Old)?;
    pattern::write(&stage.vcenter, NEIGHBOUR, NEIGHBOUR_BYTES, Version::Old)?;
    let found = pattern::difference(&stage.vcenter, VM, VM, bytes, Version::Old);
    stage.check("web-01 reads what it wrote", found)?;
    let took = stage.full_copy()?;
    let place = if stage.in_memory() { ", in memory as this array is simulated" } else { "" };
    stage.say(&format!("a full copy of this disk takes {:.1} ms here{place}", took.as_secs_f64() * 1_000.0))
}

async fn snapshot(stage: &mut Stage<'_>, web: &Vm) -> Result<Snapshot, Failure> {
    stage.step("snapshot", "one array snapshot below the running VM   (strata snapshot create web-01)")?;
    let request =
        CreateSnapshotRequest { vm: web.name.clone(), accept_skew_ms: 1000, ..CreateSnapshotRequest::default() };
    let began = Instant::now();
    let operation = call!(stage.gateway, snapshots.create_snapshot(request))?;
    let point: Snapshot = stage.finish(began, operation, true).await?.answer()?;
    stage.say(&format!(
        "{} on {}",
        point.display_name,
        point.members.iter().map(|m| m.native_name.clone()).collect::<Vec<_>>().join(", ")
    ))?;
    stage.check_that("the restore point holds web-01's disk", point.disks.len() == 1, &point.disks)?;
    stage.check_that("it is not silently partial", point.excluded_disks.is_empty(), &point.excluded_disks)?;
    Ok(point)
}

fn change(stage: &mut Stage<'_>) -> Result<(), Failure> {
    let bytes = stage.disk_bytes;
    stage.step("change", "web-01 and its neighbour go on writing")?;
    pattern::write(&stage.vcenter, VM, bytes, Version::New)?;
    pattern::write(&stage.vcenter, NEIGHBOUR, NEIGHBOUR_BYTES, Version::New)?;
    let found = pattern::difference(&stage.vcenter, VM, VM, bytes, Version::New);
    stage.check("web-01 has the new bytes", found)
}

pub(super) async fn make_clone(stage: &mut Stage<'_>, point: &str, name: &str) -> Result<VmClone, Failure> {
    let request = CreateCloneRequest {
        snapshot: point.to_owned(),
        display_name: name.to_owned(),
        isolated: true,
        ..CreateCloneRequest::default()
    };
    let began = Instant::now();
    let operation = call!(stage.gateway, clones.create_clone(request))?;
    stage.finish(began, operation, true).await?.answer()
}

async fn clone(stage: &mut Stage<'_>, web: &Vm, point: &Snapshot) -> Result<VmClone, Failure> {
    stage.step(
        "clone",
        "a VM of its own from the restore point   (strata clone create web-01@... --name web-01-t --isolated)",
    )?;
    let clone = make_clone(stage, &point.name, "web-01-t").await?;
    stage.say(&format!("{} is {}", clone.display_name, clone.vmx_path))?;
    let request = GetVmRequest { name: clone.vm.clone() };
    let registered = call!(stage.gateway, vms.get_vm(request));
    let found = match &registered {
        Ok(vm) if vm.display_name == "web-01-t" => None,
        Ok(vm) => Some(format!("it is called {}", vm.display_name)),
        Err(failure) => Some(failure.to_string()),
    };
    stage.check("the clone is registered in vCenter", found)?;
    stage.check_that("it has an instance uuid of its own", clone.vm != web.name, &clone.vm)?;
    let source = stage.vcenter.with(|state| {
        state.vms.values().find(|vm| vm.config.name == VM).map(|vm| vm.config.uuid.clone()).unwrap_or_default()
    });
    let own = !clone.bios_uuid.is_empty() && clone.bios_uuid != source;
    stage.check_that(
        "it has a BIOS uuid and a MAC of its own",
        own && !clone.mac_addresses.is_empty(),
        &clone.bios_uuid,
    )?;
    let quiet = clone.power_state == "off" && clone.adapters_disconnected;
    stage.check_that("it is off, with its network adapters disconnected", quiet, &clone.power_state)?;
    let bytes = stage.disk_bytes;
    let found = pattern::difference(&stage.vcenter, "web-01-t", VM, bytes, Version::Old);
    stage.check("it has the old bytes, every block", found)?;
    let found = pattern::difference(&stage.vcenter, VM, VM, bytes, Version::New);
    stage.check("web-01 still has the new ones", found)?;
    stage.check_that("no byte was copied", clone.copied_bytes == 0, clone.copied_bytes)?;
    Ok(clone)
}

async fn delete(stage: &mut Stage<'_>, web: &Vm, clones: &[VmClone]) -> Result<(), Failure> {
    stage.step("delete", "clones and restore points   (strata clone delete, strata snapshot delete)")?;
    for clone in clones {
        let request = DeleteCloneRequest { name: clone.name.clone(), ..DeleteCloneRequest::default() };
        let began = Instant::now();
        let operation = call!(stage.gateway, clones.delete_clone(request))?;
        stage.finish(began, operation, false).await?;
    }
    let request = ListSnapshotsRequest { parent: web.name.clone(), ..ListSnapshotsRequest::default() };
    let points = call!(stage.gateway, snapshots.list_snapshots(request))?.snapshots;
    stage.check_that("there are two restore points to delete", points.len() == 2, points.len())?;
    for point in points {
        let request = DeleteSnapshotRequest { name: point.name.clone(), ..DeleteSnapshotRequest::default() };
        let began = Instant::now();
        let operation = call!(stage.gateway, snapshots.delete_snapshot(request))?;
        stage.finish(began, operation, false).await?;
    }
    Ok(())
}

async fn nothing_left(stage: &mut Stage<'_>, before: &Before) -> Result<(), Failure> {
    stage.step("leave", "nothing of Strata's is left")?;
    let owned = stage.owned().await?;
    stage.check_that("no array holds anything that Strata made", owned.is_empty(), &owned)?;
    let vms = names(&stage.vms().await?);
    stage.check_that("vCenter holds the VMs of the beginning and no other", vms == before.vms, &vms)?;
    let files = stage.datastore()?;
    stage.check_that("the datastore holds the folders of the beginning and no other", files == before.files, &files)?;
    let bytes = stage.disk_bytes;
    let found = pattern::difference(&stage.vcenter, VM, VM, bytes, Version::Old);
    stage.check("web-01 still has the bytes that it was reverted to", found)?;
    let difference = before.picture.difference(&stage.picture()?);
    stage.check_that(
        "no datastore, device, volume, snapshot, LUN, map or initiator group is left, and none is missing",
        difference.is_empty(),
        &difference,
    )?;
    let violations = stage.violations();
    stage.check_that("no host and no data came to harm at any time", violations.is_empty(), &violations)
}
