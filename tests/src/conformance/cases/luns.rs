//! LUNs of clones and who reaches them, LUNs cloned in place, LUNs overwritten in place.

use super::case;
use crate::conformance::{
    Case, CaseResult,
    lab::{Lab, id_of, mark, pattern, refused, same, their_mark},
};
use anyhow::{Context as _, ensure};
use std::time::Duration;
use strata_model::{
    ids::{ArraySnapshotId, VolumeId},
    mark::Mark,
};
use strata_storage_svc::driver::{
    CloneMember, CloneRemoval, CloneTarget, DriverError, Export, ExportRequest, ExportTo, ExportedLun, HostInitiators,
    OwnedKind, Reason, RestoreRequest, Snapshot, VolumeCloneRequest,
};

pub(super) const CASES: &[Case] = &[
    case!(
        "luns: of a cloned volume are reached by the hosts that were given, and by nobody else",
        [CloneVolume, ExportLuns],
        clone_is_reached_by_its_hosts
    ),
    case!("luns: a cloned volume is not removed while one is mapped", [CloneVolume, ExportLuns], mapped_is_not_removed),
    case!("luns: of the source are neither mapped nor unmapped (S2)", [ExportLuns], source_is_left_alone),
    case!(
        "lun clone: has a name of its own and the snapshot's bytes",
        [CloneLuns, ExportLuns],
        in_place_holds_old_bytes
    ),
    case!("lun clone: one key is one clone of one source", [CloneLuns], one_key_one_source),
    case!("lun clone: is listed as owned, removed, and again", [CloneLuns], listed_and_removed),
    case!("lun clone: another installation's is not removed (S2)", [CloneLuns], other_installation),
    case!("lun restore: the old bytes are there again, under the same name", [RestoreLun], comes_back),
    case!("lun restore: newer snapshots stay", [RestoreLun], newer_stay),
    case!("lun restore: is refused while an initiator is mapped that has not let go (S21)", [RestoreLun], in_use),
    case!("lun restore: another volume, LUN or snapshot is refused and changes nothing", [RestoreLun], wrong_objects),
];

const ESX1: &str = "iqn.1998-01.com.vmware:esx-11";
const ESX2: &str = "iqn.1998-01.com.vmware:esx-12";
const LACKING: &str = "LUNs in the bench's volumes";

/// Old bytes in a snapshot, new ones in the live LUN; its path.
async fn prepare(lab: &Lab) -> anyhow::Result<Option<(Snapshot, String)>> {
    let Some(path) = lab.bench.lun_path(0) else { return Ok(None) };
    lab.bench.write(0, "vm/disk", &pattern(70, 100_000))?;
    let snapshot = lab.snapshot("s-1").await?;
    lab.bench.write(0, "vm/disk", &pattern(71, 100_000))?;
    Ok(Some((snapshot, path)))
}

fn request(lab: &Lab, mark: Mark, snapshot: &Snapshot, path: &str) -> VolumeCloneRequest {
    let volume = lab.bench.volume(0);
    let snapshot = id_of(snapshot, &volume);
    let target = CloneTarget { volume, snapshot, directory: String::new(), luns: vec![path.to_owned()] };
    VolumeCloneRequest { mark, label: "web-01-t".to_owned(), targets: vec![target], resume: None }
}

async fn clone_in_place(lab: &Lab, request: &VolumeCloneRequest) -> Result<CloneMember, DriverError> {
    let none = |what: &str| DriverError::new(Reason::NotSupported, what);
    let clones = lab.driver().lun_clones().ok_or_else(|| none("no clones of LUNs"))?;
    let follow = |resume| async { clones.ensure_lun_clone(&VolumeCloneRequest { resume, ..request.clone() }).await };
    lab.follow(follow).await?.pop().ok_or_else(|| none("a clone without parts"))
}

async fn remove_in_place(lab: &Lab, request: &VolumeCloneRequest) -> Result<(), DriverError> {
    let clones = lab.driver().lun_clones().ok_or_else(|| DriverError::new(Reason::NotSupported, "no clones"))?;
    let VolumeCloneRequest { mark, label, targets, .. } = request.clone();
    let removal = CloneRemoval { mark, label, targets, resume: None };
    lab.follow(|resume| async { clones.remove_lun_clone(&CloneRemoval { resume, ..removal.clone() }).await }).await
}

fn export(key: &str, volume: &VolumeId, path: &str, initiators: &[&str]) -> ExportRequest {
    let host = |it: &&str| HostInitiators { host: (*it).to_owned(), initiators: vec![(*it).to_owned()] };
    ExportRequest {
        mark: mark(key),
        label: "web-01-t".to_owned(),
        volume: volume.clone(),
        to: ExportTo::Luns { paths: vec![path.to_owned()], hosts: initiators.iter().map(host).collect() },
        resume: None,
    }
}

/// Maps the LUNs, to the end.
async fn map(lab: &Lab, request: &ExportRequest) -> Result<ExportedLun, DriverError> {
    let odd = |what: &str| DriverError::new(Reason::Unexpected, what);
    let exports = lab.driver().exports().ok_or_else(|| odd("no exports"))?;
    let follow = |resume| async { exports.ensure_export(&ExportRequest { resume, ..request.clone() }).await };
    match lab.follow(follow).await? {
        Export::Luns(mut luns) => luns.pop().ok_or_else(|| odd("no LUN")),
        Export::Nfs(_) => Err(odd("asked for LUNs, got NFS")),
    }
}

async fn unmap(lab: &Lab, request: &ExportRequest) -> Result<(), DriverError> {
    let exports = lab.driver().exports().ok_or_else(|| DriverError::new(Reason::NotSupported, "no exports"))?;
    lab.follow(|resume| async { exports.remove_export(&ExportRequest { resume, ..request.clone() }).await }).await
}

/// Who of the two hosts reads the old bytes there.
fn reached(lab: &Lab, device: &str) -> Vec<&'static str> {
    let old = Some(pattern(70, 100_000));
    [ESX1, ESX2].into_iter().filter(|it| lab.bench.read_device(it, device, "vm/disk") == old).collect()
}

async fn clone_is_reached_by_its_hosts(lab: &Lab) -> CaseResult {
    let Some((snapshot, path)) = prepare(lab).await? else { return Ok(Some(LACKING.to_owned())) };
    let wanted = request(lab, mark("c-1"), &snapshot, &path);
    let clone = lab.clone_volumes(&wanted).await?.pop().context("a clone without parts")?;
    let lun = clone.luns.first().context("the clone tells no LUN")?;
    let device = lun.canonical_name.clone().context("the clone's LUN has no name")?;
    ensure!(Some(&device) != lab.bench.device(0).as_ref(), "the clone has its source's name");
    same("mapped before", lun.initiators.clone(), Vec::new())?;
    same("reached before", reached(lab, &device), vec![])?;
    let volume = &clone.volume.id;
    let told = map(lab, &export("c-1", volume, &lun.path, &[ESX1, ESX2])).await?;
    same("name", told.canonical_name.as_str(), device.as_str())?;
    same("reached", reached(lab, &device), vec![ESX1, ESX2])?;
    for _ in 0..2 {
        map(lab, &export("c-1", volume, &lun.path, &[ESX2])).await?;
        same("reached by fewer", reached(lab, &device), vec![ESX2])?;
    }
    for _ in 0..2 {
        unmap(lab, &export("c-1", volume, &lun.path, &[])).await?;
        same("reached afterwards", reached(lab, &device), vec![])?;
    }
    lab.remove_volumes(&wanted).await?;
    unmap(lab, &export("c-1", volume, &lun.path, &[])).await?;
    lab.expect_live(0, "vm/disk", &pattern(71, 100_000))?;
    lab.expect_no_leftovers()?;
    Ok(None)
}

async fn mapped_is_not_removed(lab: &Lab) -> CaseResult {
    let Some((snapshot, path)) = prepare(lab).await? else { return Ok(Some(LACKING.to_owned())) };
    let wanted = request(lab, mark("c-1"), &snapshot, &path);
    let clone = lab.clone_volumes(&wanted).await?.pop().context("a clone without parts")?;
    let lun = clone.luns.first().context("the clone tells no LUN")?;
    let device = map(lab, &export("c-1", &clone.volume.id, &lun.path, &[ESX1])).await?.canonical_name;
    refused(lab.remove_volumes(&wanted).await, Reason::Exported)?;
    same("reached", reached(lab, &device), vec![ESX1])?;
    unmap(lab, &export("c-1", &clone.volume.id, &lun.path, &[])).await?;
    lab.remove_volumes(&wanted).await?;
    Ok(None)
}

async fn source_is_left_alone(lab: &Lab) -> CaseResult {
    let Some((_, path)) = prepare(lab).await? else { return Ok(Some(LACKING.to_owned())) };
    let source = export("c-1", &lab.bench.volume(0), &path, &[ESX1]);
    refused(map(lab, &source).await, Reason::NotOurs)?;
    refused(unmap(lab, &source).await, Reason::NotOurs)?;
    let device = lab.bench.device(0).context("the source has no name")?;
    for initiator in lab.bench.initiators(0) {
        ensure!(lab.bench.read_device(&initiator, &device, "vm/disk").is_some(), "{initiator} lost the source");
    }
    ensure!(lab.bench.read_device(ESX1, &device, "vm/disk").is_none(), "the source was mapped");
    Ok(None)
}

async fn in_place_holds_old_bytes(lab: &Lab) -> CaseResult {
    let Some((snapshot, path)) = prepare(lab).await? else { return Ok(Some(LACKING.to_owned())) };
    let wanted = request(lab, mark("c-1"), &snapshot, &path);
    let clone = clone_in_place(lab, &wanted).await?;
    same("copied bytes", clone.copied_bytes, 0)?;
    same("volume", clone.volume.id.clone(), lab.bench.volume(0))?;
    let lun = clone.luns.first().context("the clone tells no LUN")?;
    ensure!(lun.path != path, "the clone has its source's path");
    let device = map(lab, &export("c-1", &clone.volume.id, &lun.path, &[ESX1])).await?.canonical_name;
    ensure!(Some(&device) != lab.bench.device(0).as_ref(), "the clone has its source's name");
    same("reached", reached(lab, &device), vec![ESX1])?;
    refused(remove_in_place(lab, &wanted).await, Reason::Exported)?;
    unmap(lab, &export("c-1", &clone.volume.id, &lun.path, &[])).await?;
    same("reached afterwards", reached(lab, &device), vec![])?;
    remove_in_place(lab, &wanted).await?;
    lab.expect_live(0, "vm/disk", &pattern(71, 100_000))?;
    Ok(None)
}

async fn one_key_one_source(lab: &Lab) -> CaseResult {
    let Some((snapshot, path)) = prepare(lab).await? else { return Ok(Some(LACKING.to_owned())) };
    let wanted = request(lab, mark("c-1"), &snapshot, &path);
    let first = clone_in_place(lab, &wanted).await?;
    let mut renamed = wanted.clone();
    renamed.label = "another label".to_owned();
    same("again", clone_in_place(lab, &renamed).await?.luns, first.luns)?;
    // Some arrays take no snapshot while blocks of a clone are being shared.
    lab.bench.pass_time(Duration::from_secs(10));
    let second = lab.snapshot("s-2").await?;
    let other = request(lab, mark("c-1"), &second, &path);
    refused(clone_in_place(lab, &other).await, Reason::KeyReused)?;
    refused(remove_in_place(lab, &other).await, Reason::KeyReused)?;
    let unknown = request(lab, mark("c-2"), &snapshot, "not/there");
    refused(clone_in_place(lab, &unknown).await, Reason::NotFound)?;
    Ok(None)
}

async fn listed_and_removed(lab: &Lab) -> CaseResult {
    let Some((snapshot, path)) = prepare(lab).await? else { return Ok(Some(LACKING.to_owned())) };
    let wanted = request(lab, mark("c-1"), &snapshot, &path);
    clone_in_place(lab, &wanted).await?;
    let count = async || -> anyhow::Result<usize> {
        let owned = lab.owned(None).await?;
        Ok(owned.iter().filter(|it| it.kind == OwnedKind::LunClone && it.mark.key == "c-1").count())
    };
    same("owned", count().await?, 1)?;
    for _ in 0..2 {
        remove_in_place(lab, &wanted).await?;
        same("owned afterwards", count().await?, 0)?;
    }
    lab.expect_live(0, "vm/disk", &pattern(71, 100_000))?;
    Ok(None)
}

async fn other_installation(lab: &Lab) -> CaseResult {
    let Some((snapshot, path)) = prepare(lab).await? else { return Ok(Some(LACKING.to_owned())) };
    let theirs = request(lab, their_mark("c-1"), &snapshot, &path);
    let clone = clone_in_place(lab, &theirs).await?;
    let ours = request(lab, mark("c-1"), &snapshot, &path);
    refused(clone_in_place(lab, &ours).await, Reason::NotOurs)?;
    refused(remove_in_place(lab, &ours).await, Reason::NotOurs)?;
    let lun = clone.luns.first().context("the clone tells no LUN")?;
    refused(map(lab, &export("c-1", &clone.volume.id, &lun.path, &[ESX1])).await, Reason::NotOurs)?;
    same("again", clone_in_place(lab, &theirs).await?.luns, clone.luns)?;
    Ok(None)
}

fn rollback(lab: &Lab, snapshot: &Snapshot, path: &str) -> RestoreRequest {
    RestoreRequest { lun: path.to_owned(), ..lab.rollback("r-1", snapshot) }
}

async fn restore(lab: &Lab, request: &RestoreRequest) -> Result<(), DriverError> {
    let driver = lab.driver().lun_restore().ok_or_else(|| DriverError::new(Reason::NotSupported, "no restore"))?;
    lab.follow(|resume| async { driver.restore_lun(&RestoreRequest { resume, ..request.clone() }).await }).await
}

async fn comes_back(lab: &Lab) -> CaseResult {
    let Some((snapshot, path)) = prepare(lab).await? else { return Ok(Some(LACKING.to_owned())) };
    let before = (lab.bench.device(0), lab.bench.initiators(0));
    for round in 0..2 {
        restore(lab, &rollback(lab, &snapshot, &path)).await?;
        lab.expect_live(0, "vm/disk", &pattern(70, 100_000))?;
        same("name and maps", (lab.bench.device(0), lab.bench.initiators(0)), before.clone())?;
        lab.bench.write(0, "vm/disk", &pattern(72 + round, 100_000))?;
    }
    Ok(None)
}

async fn newer_stay(lab: &Lab) -> CaseResult {
    let Some((snapshot, path)) = prepare(lab).await? else { return Ok(Some(LACKING.to_owned())) };
    let safety = lab.snapshot("s-safety").await?;
    restore(lab, &rollback(lab, &snapshot, &path)).await?;
    lab.expect_live(0, "vm/disk", &pattern(70, 100_000))?;
    same("snapshots", lab.list(0).await?.len(), 2)?;
    let held = lab.held(0, &id_of(&safety, &lab.bench.volume(0)), "vm/disk").await?;
    ensure!(held == pattern(71, 100_000), "the safety point has other bytes than before");
    restore(lab, &rollback(lab, &safety, &path)).await?;
    lab.expect_live(0, "vm/disk", &pattern(71, 100_000))?;
    Ok(None)
}

async fn in_use(lab: &Lab) -> CaseResult {
    let Some((snapshot, path)) = prepare(lab).await? else { return Ok(Some(LACKING.to_owned())) };
    let mut request = rollback(lab, &snapshot, &path);
    let left = request.released_initiators.pop().context("nobody is mapped")?;
    let error = refused(restore(lab, &request).await, Reason::InUse)?;
    ensure!(error.message.contains(&left), "the message does not name the initiator: {error}");
    lab.expect_live(0, "vm/disk", &pattern(71, 100_000))?;
    Ok(None)
}

async fn wrong_objects(lab: &Lab) -> CaseResult {
    let Some((snapshot, path)) = prepare(lab).await? else { return Ok(Some(LACKING.to_owned())) };
    let good = rollback(lab, &snapshot, &path);
    let other_uuid = RestoreRequest { expected_uuid: Some("another".to_owned()), ..good.clone() };
    refused(restore(lab, &other_uuid).await, Reason::VolumeReplaced)?;
    let other_lun = RestoreRequest { lun: "not/there".to_owned(), ..good.clone() };
    refused(restore(lab, &other_lun).await, Reason::NotFound)?;
    let other_snapshot =
        RestoreRequest { snapshot: ArraySnapshotId::from("00000000-0000-4000-8000-000000000000"), ..good };
    refused(restore(lab, &other_snapshot).await, Reason::NotFound)?;
    lab.expect_live(0, "vm/disk", &pattern(71, 100_000))?;
    Ok(None)
}
