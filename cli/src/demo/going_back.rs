//! Going back: the revert, and that nothing is lost by it.

use super::{
    pattern::{self, Version},
    stage::Stage,
    story::{NEIGHBOUR, NEIGHBOUR_BYTES, VM, make_clone},
};
use crate::{connect::call, failure::Failure};
use std::{collections::BTreeSet, time::Instant};
use strata_proto::strata::gateway::v1::{
    Clone as VmClone, CommitRevertRequest, GetSnapshotRequest, GetVmRequest, PowerMode, RevertVmRequest,
    RevertVmResponse, Snapshot, Vm,
};

/// Puts web-01 back: file by file, or on LUNs by swapping its disks to a clone and moving the data home.
pub async fn revert(stage: &mut Stage<'_>, web: &Vm, point: &Snapshot) -> Result<String, Failure> {
    stage.step(
        "revert",
        "web-01's disk back to the restore point   (strata revert web-01@... --power-off --power-on)",
    )?;
    if stage.is_block() {
        stage.say(
            "a LUN holds neighbours, too: web-01's disks are swapped to a clone, and moved home behind the running VM",
        )?;
    }
    let request = RevertVmRequest {
        vm: web.name.clone(),
        snapshot: point.name.clone(),
        power_mode: PowerMode::PowerOff.into(),
        power_on_again: true,
        ..RevertVmRequest::default()
    };
    let stores = stage.datastores();
    let began = Instant::now();
    let operation = call!(stage.gateway, vms.revert_vm(request))?;
    let finished = match stage.is_block() {
        true => stage.finish_in_two(began, operation, "power_on", "move home").await?,
        false => stage.finish(began, operation, true).await?,
    };
    let answer: RevertVmResponse = finished.answer()?;
    let bytes = stage.disk_bytes;
    let found = pattern::difference(&stage.vcenter, VM, VM, bytes, Version::Old);
    stage.check("web-01 has the old bytes, every block", found)?;
    let found = pattern::difference(&stage.vcenter, NEIGHBOUR, NEIGHBOUR, NEIGHBOUR_BYTES, Version::New);
    stage.check("its neighbour web-02 on the same datastore kept its new bytes", found)?;
    stage.check_that("web-01 runs again", answer.powered_on, answer.powered_on)?;
    let request = GetVmRequest { name: web.name.clone() };
    let same = call!(stage.gateway, vms.get_vm(request)).is_ok_and(|vm| vm.moref == web.moref);
    stage.check_that("it is the same object in vCenter as before", same, &web.moref)?;
    let request = GetSnapshotRequest { name: answer.safety_snapshot.clone() };
    let safety = call!(stage.gateway, snapshots.get_snapshot(request));
    let found = match &safety {
        Ok(safety) if safety.safety => None,
        Ok(safety) => Some(format!("{} is not marked as one", safety.display_name)),
        Err(failure) => Some(failure.to_string()),
    };
    stage.check("a safety point of the moment before is there", found)?;
    if stage.is_block() {
        home_again(stage, &answer, &stores)?;
        commit(stage, web, &answer.kept_disks).await?;
    }
    Ok(answer.safety_snapshot)
}

/// Nothing was lost: the state before the revert is a VM again.
pub async fn clone_of_safety(stage: &mut Stage<'_>, safety: &str) -> Result<VmClone, Failure> {
    stage.step("undo", "the safety point can itself be cloned: nothing was lost")?;
    let clone = make_clone(stage, safety, "web-01-undo").await?;
    let bytes = stage.disk_bytes;
    let found = pattern::difference(&stage.vcenter, "web-01-undo", VM, bytes, Version::New);
    stage.check("its clone has the new bytes, every block", found)?;
    Ok(clone)
}

/// After a swap the VM lies where it lay, and nothing of the clone is mounted any more.
fn home_again(
    stage: &mut Stage<'_>,
    answer: &RevertVmResponse,
    stores_before: &BTreeSet<String>,
) -> Result<(), Failure> {
    stage.check_that("it was done by a swap", answer.way == "swap", &answer.way)?;
    let home = format!("[{}] ", stage.web_datastore());
    let abroad: Vec<String> = stage.vcenter.with(|state| {
        let vm = state.vms.values().find(|vm| vm.config.name == VM);
        let files = vm.into_iter().flat_map(|vm| vm.disks()).map(|disk| state.show(&disk.file));
        files.filter(|file| !file.starts_with(&home)).collect()
    });
    stage.check_that("its disk is home again, on the datastore of before", abroad.is_empty(), &abroad)?;
    let stores = stage.datastores();
    stage.check_that("no datastore of the revert's own is left", stores == *stores_before, &stores)
}

/// Gives up the old disks, which a swap keeps until somebody says so.
async fn commit(stage: &mut Stage<'_>, web: &Vm, kept: &[String]) -> Result<(), Failure> {
    stage.step("commit", "the old disks are kept until they are given up   (strata commit web-01)")?;
    let home = format!("[{}] ", stage.web_datastore());
    let directories: Vec<&str> = kept.iter().filter_map(|directory| directory.strip_prefix(&home)).collect();
    let mut there = !directories.is_empty();
    for directory in &directories {
        stage.say(&format!("the old disks lie in {home}{directory}"))?;
        there &= stage.has_directory(directory)?;
    }
    stage.check_that("the old disks are still there", there, kept)?;
    let request = CommitRevertRequest { vm: web.name.clone(), ..CommitRevertRequest::default() };
    let began = Instant::now();
    let operation = call!(stage.gateway, vms.commit_revert(request))?;
    stage.finish(began, operation, false).await?;
    let mut left = Vec::new();
    for directory in directories {
        if stage.has_directory(directory)? {
            left.push(directory.to_owned());
        }
    }
    stage.check_that("they are gone", left.is_empty(), &left)?;
    let found = pattern::difference(&stage.vcenter, VM, VM, stage.disk_bytes, Version::Old);
    stage.check("web-01 still reads the old bytes", found)
}
