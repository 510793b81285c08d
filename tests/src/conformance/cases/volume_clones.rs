//! Clones of whole volumes, and how hosts reach them.

use super::case;
use crate::conformance::{
    Case, CaseResult,
    lab::{Lab, mark, native_name, pattern, refused, same, their_mark},
};
use anyhow::{Context as _, ensure};
use strata_storage_svc::driver::{
    CloneMember, DriverError, Export, ExportRequest, ExportTo, NfsPath, OwnedKind, PageRequest, Reason, Snapshot,
    SnapshotRemoval, VolumeCloneRequest,
};

pub(super) const CASES: &[Case] = &[
    case!("volume clone: whoever reaches it reads the snapshot's bytes", [CloneVolume], holds_old_bytes),
    case!(
        "volume clone: no host reaches it before it is exported, nor after",
        [CloneVolume, ExportNfs],
        export_is_a_list
    ),
    case!("volume clone: writes to it change neither source nor snapshot", [CloneVolume], is_independent),
    case!("volume clone: the same key and source answers the same volume", [CloneVolume], same_key_same_source),
    case!("volume clone: the same key and another source is KeyReused", [CloneVolume], same_key_other_source),
    case!("volume clone: of several volumes, each from its own part", [CloneVolume], several_volumes),
    case!("volume clone: is not removed while it is exported", [CloneVolume, ExportNfs], exported_is_not_removed),
    case!("volume clone: is not removed while somebody has it open", [CloneVolume], open_is_not_removed),
    case!("volume clone: is not removed with snapshots that others made of it (S2)", [CloneVolume], its_snapshots_stay),
    case!("volume clone: of a snapshot that is not the volume's is NotFound", [CloneVolume], of_another_snapshot),
    case!("volume clone: removed, and again", [CloneVolume], remove_twice),
    case!(
        "volume clone: another installation's is neither removed nor exported (S2)",
        [CloneVolume],
        other_installation
    ),
    case!("volume clone: pins its snapshot, and the refusal says so", [CloneVolume, Pins], pins_its_snapshot),
    case!("volume clone: the end of an absent export succeeds", [CloneVolume, ExportNfs], remove_absent_export),
    case!("volume clone: is listed as owned and names its source", [CloneVolume], is_listed),
    case!("volume clone: the source is never exported nor removed", [CloneVolume, ExportNfs], source_is_safe),
];

async fn prepare(lab: &Lab) -> anyhow::Result<Snapshot> {
    lab.bench.write(0, "vm/disk", &pattern(20, 100_000))?;
    let snapshot = lab.snapshot("s-1").await?;
    lab.bench.write(0, "vm/disk", &pattern(21, 100_000))?;
    Ok(snapshot)
}

async fn one(lab: &Lab, request: &VolumeCloneRequest) -> anyhow::Result<CloneMember> {
    lab.clone_volumes(request).await?.pop().context("a clone without parts")
}

fn export(key: &str, member: &CloneMember, clients: &[&str]) -> ExportRequest {
    ExportRequest {
        mark: mark(key),
        label: "web-01-t".to_owned(),
        volume: member.volume.id.clone(),
        to: ExportTo::Nfs(clients.iter().map(|client| (*client).to_owned()).collect()),
        resume: None,
    }
}

/// Exports by NFS, to the end.
async fn ensure_export(lab: &Lab, request: &ExportRequest) -> Result<NfsPath, DriverError> {
    let exports = lab.driver().exports().ok_or_else(|| DriverError::new(Reason::NotSupported, "no exports"))?;
    let follow = |resume| async { exports.ensure_export(&ExportRequest { resume, ..request.clone() }).await };
    match lab.follow(follow).await? {
        Export::Nfs(path) => Ok(path),
        Export::Luns(_) => Err(DriverError::new(Reason::Unexpected, "asked for NFS, got LUNs")),
    }
}

async fn remove_export(lab: &Lab, request: &ExportRequest) -> anyhow::Result<()> {
    let exports = lab.driver().exports().context("no exports")?;
    let follow = |resume| async { exports.remove_export(&ExportRequest { resume, ..request.clone() }).await };
    Ok(lab.follow(follow).await?)
}

/// A file of a clone, as a host reads it that the clone is exported to; by the bench's witness where nothing is exported.
async fn read(lab: &Lab, key: &str, clone: &CloneMember, path: &str) -> anyhow::Result<Option<Vec<u8>>> {
    if !lab.driver().capabilities().export_nfs {
        return lab.bench.read_volume(&clone.volume.id, path);
    }
    let nfs = ensure_export(lab, &export(key, clone, &["esx-1"])).await?;
    Ok(lab.bench.read_nfs("esx-1", &nfs, path))
}

/// The same, written.
async fn write(lab: &Lab, key: &str, clone: &CloneMember, path: &str, bytes: &[u8]) -> anyhow::Result<()> {
    if !lab.driver().capabilities().export_nfs {
        return lab.bench.write_volume(&clone.volume.id, path, bytes);
    }
    let nfs = ensure_export(lab, &export(key, clone, &["esx-1"])).await?;
    lab.bench.write_nfs(&nfs, path, bytes)
}

async fn holds_old_bytes(lab: &Lab) -> CaseResult {
    let snapshot = prepare(lab).await?;
    let clone = one(lab, &lab.volume_clone("c-1", &snapshot, &[0])).await?;
    same("copied bytes", clone.copied_bytes, 0)?;
    let read = read(lab, "c-1", &clone, "vm/disk").await?.context("the host cannot read it")?;
    ensure!(read == pattern(20, 100_000), "the clone has other bytes than the snapshot");
    lab.expect_live(0, "vm/disk", &pattern(21, 100_000))?;
    Ok(None)
}

async fn export_is_a_list(lab: &Lab) -> CaseResult {
    let snapshot = prepare(lab).await?;
    let clone = one(lab, &lab.volume_clone("c-1", &snapshot, &[0])).await?;
    let path = clone.volume.nfs.clone().context("the clone tells no path")?;
    ensure!(lab.bench.read_nfs("esx-1", &path, "vm/disk").is_none(), "it is exported to everybody");
    let nfs = ensure_export(lab, &export("c-1", &clone, &["esx-1", "esx-2"])).await?;
    for (client, may) in [("esx-1", true), ("esx-2", true), ("esx-3", false)] {
        same(client, lab.bench.read_nfs(client, &nfs, "vm/disk").is_some(), may)?;
    }
    same("repeated", ensure_export(lab, &export("c-1", &clone, &["esx-2", "esx-1"])).await?, nfs.clone())?;
    for _ in 0..2 {
        remove_export(lab, &export("c-1", &clone, &[])).await?;
        ensure!(lab.bench.read_nfs("esx-1", &nfs, "vm/disk").is_none(), "it is still exported");
    }
    Ok(None)
}

async fn is_independent(lab: &Lab) -> CaseResult {
    let snapshot = prepare(lab).await?;
    let clone = one(lab, &lab.volume_clone("c-1", &snapshot, &[0])).await?;
    write(lab, "c-1", &clone, "vm/disk", b"scribble").await?;
    same("written", read(lab, "c-1", &clone, "vm/disk").await?, Some(b"scribble".to_vec()))?;
    lab.expect_live(0, "vm/disk", &pattern(21, 100_000))?;
    let id = crate::conformance::lab::id_of(&snapshot, &lab.bench.volume(0));
    let held = lab.held(0, &id, "vm/disk").await?;
    ensure!(held == pattern(20, 100_000), "the snapshot changed");
    Ok(None)
}

async fn same_key_same_source(lab: &Lab) -> CaseResult {
    let snapshot = prepare(lab).await?;
    let request = lab.volume_clone("c-1", &snapshot, &[0]);
    let first = one(lab, &request).await?;
    let second = one(lab, &request).await?;
    same("volume", second.volume.id, first.volume.id)?;
    Ok(None)
}

async fn same_key_other_source(lab: &Lab) -> CaseResult {
    let first = prepare(lab).await?;
    let second = lab.snapshot("s-2").await?;
    lab.clone_volumes(&lab.volume_clone("c-1", &first, &[0])).await?;
    refused(lab.clone_volumes(&lab.volume_clone("c-1", &second, &[0])).await, Reason::KeyReused)?;
    Ok(None)
}

async fn several_volumes(lab: &Lab) -> CaseResult {
    for index in 0..2 {
        lab.bench.write(index, "vm/disk", format!("volume {index}").as_bytes())?;
    }
    let snapshot = lab.ensure(&lab.snapshot_request("s-both", &[0, 1])).await?;
    let request = lab.volume_clone("c-both", &snapshot, &[1, 0]);
    let members = lab.clone_volumes(&request).await?;
    same("parts", members.len(), 2)?;
    for (member, index) in members.iter().zip([1, 0]) {
        same("source", member.volume.clone_of.clone(), Some(lab.bench.volume(index)))?;
        let expected = Some(format!("volume {index}").into_bytes());
        same("bytes", read(lab, "c-both", member, "vm/disk").await?, expected)?;
        if lab.driver().capabilities().export_nfs {
            remove_export(lab, &export("c-both", member, &[])).await?;
        }
    }
    lab.remove_volumes(&request).await?;
    let owned = lab.owned(None).await?;
    ensure!(owned.iter().all(|owned| owned.kind != OwnedKind::VolumeClone), "left: {owned:?}");
    Ok(None)
}

async fn exported_is_not_removed(lab: &Lab) -> CaseResult {
    let snapshot = prepare(lab).await?;
    let request = lab.volume_clone("c-1", &snapshot, &[0]);
    let clone = one(lab, &request).await?;
    let nfs = ensure_export(lab, &export("c-1", &clone, &["esx-1"])).await?;
    refused(lab.remove_volumes(&request).await, Reason::Exported)?;
    ensure!(lab.bench.read_nfs("esx-1", &nfs, "vm/disk").is_some(), "it is gone");
    remove_export(lab, &export("c-1", &clone, &[])).await?;
    lab.remove_volumes(&request).await?;
    Ok(None)
}

async fn open_is_not_removed(lab: &Lab) -> CaseResult {
    let snapshot = prepare(lab).await?;
    let request = lab.volume_clone("c-1", &snapshot, &[0]);
    let clone = one(lab, &request).await?;
    let Some(held) = lab.bench.hold_open(&clone.volume.id)? else {
        return Ok(Some("a way to hold a volume open".to_owned()));
    };
    refused(lab.remove_volumes(&request).await, Reason::Exported)?;
    same("bytes", read(lab, "c-1", &clone, "vm/disk").await?, Some(pattern(20, 100_000)))?;
    drop(held);
    lab.remove_volumes(&request).await?;
    Ok(None)
}

async fn its_snapshots_stay(lab: &Lab) -> CaseResult {
    let snapshot = prepare(lab).await?;
    let request = lab.volume_clone("c-1", &snapshot, &[0]);
    let clone = one(lab, &request).await?;
    let mut theirs = lab.snapshot_request("s-theirs", &[0]);
    theirs.mark = their_mark("s-theirs");
    theirs.targets[0].volume = clone.volume.id.clone();
    theirs.targets[0].paths.clear();
    let name = native_name(&lab.ensure(&theirs).await?)?;
    let error = refused(lab.remove_volumes(&request).await, Reason::HasDependents)?;
    ensure!(error.message.contains(&name), "the message does not name the snapshot: {error}");
    let listed = lab.driver().snapshots(&clone.volume.id, &PageRequest::first(10)).await?.items;
    let is_it = |snapshot: &Snapshot| snapshot.members.iter().any(|member| member.native_name == name);
    ensure!(listed.iter().any(is_it), "{name} is gone");
    let removal = SnapshotRemoval {
        mark: theirs.mark,
        label: theirs.label,
        volumes: vec![clone.volume.id.clone()],
        resume: None,
    };
    lab.remove(&removal).await?;
    lab.remove_volumes(&request).await?;
    refused(lab.driver().volume(&clone.volume.id).await, Reason::NotFound)?;
    Ok(None)
}

async fn of_another_snapshot(lab: &Lab) -> CaseResult {
    let snapshot = prepare(lab).await?;
    let mut request = lab.volume_clone("c-1", &snapshot, &[0]);
    // The snapshot is volume 0's.
    request.targets[0].volume = lab.bench.volume(1);
    refused(lab.clone_volumes(&request).await, Reason::NotFound)?;
    request.targets[0].volume = lab.bench.volume(0);
    request.targets[0].snapshot = "00000000-0000-4000-8000-000000000000".into();
    refused(lab.clone_volumes(&request).await, Reason::NotFound)?;
    let owned = lab.owned(None).await?;
    ensure!(owned.iter().all(|owned| owned.kind != OwnedKind::VolumeClone), "left: {owned:?}");
    Ok(None)
}

async fn remove_twice(lab: &Lab) -> CaseResult {
    let snapshot = prepare(lab).await?;
    let request = lab.volume_clone("c-1", &snapshot, &[0]);
    let clone = one(lab, &request).await?;
    for _ in 0..2 {
        lab.remove_volumes(&request).await?;
        refused(lab.driver().volume(&clone.volume.id).await, Reason::NotFound)?;
    }
    lab.expect_live(0, "vm/disk", &pattern(21, 100_000))?;
    Ok(None)
}

async fn other_installation(lab: &Lab) -> CaseResult {
    let snapshot = prepare(lab).await?;
    let ours = lab.volume_clone("c-1", &snapshot, &[0]);
    let theirs = VolumeCloneRequest { mark: their_mark("c-1"), ..ours.clone() };
    let clone = one(lab, &theirs).await?;
    refused(lab.remove_volumes(&ours).await, Reason::NotOurs)?;
    refused(lab.clone_volumes(&ours).await, Reason::NotOurs)?;
    if lab.driver().capabilities().export_nfs {
        refused(ensure_export(lab, &export("c-1", &clone, &["esx-1"])).await, Reason::NotOurs)?;
    }
    lab.driver().volume(&clone.volume.id).await?;
    Ok(None)
}

async fn pins_its_snapshot(lab: &Lab) -> CaseResult {
    let snapshot = prepare(lab).await?;
    let request = lab.volume_clone("c-1", &snapshot, &[0]);
    let clone = one(lab, &request).await?;
    let error = refused(lab.remove(&lab.removal("s-1", &[0])).await, Reason::HasDependents)?;
    ensure!(error.message.contains(clone.volume.id.as_str()), "the message does not name the clone: {error}");
    lab.remove_volumes(&request).await?;
    lab.remove(&lab.removal("s-1", &[0])).await?;
    Ok(None)
}

async fn remove_absent_export(lab: &Lab) -> CaseResult {
    let snapshot = prepare(lab).await?;
    let request = lab.volume_clone("c-1", &snapshot, &[0]);
    let clone = one(lab, &request).await?;
    remove_export(lab, &export("c-1", &clone, &[])).await?;
    lab.remove_volumes(&request).await?;
    remove_export(lab, &export("c-1", &clone, &[])).await?;
    Ok(None)
}

async fn is_listed(lab: &Lab) -> CaseResult {
    let snapshot = prepare(lab).await?;
    let clone = one(lab, &lab.volume_clone("c-1", &snapshot, &[0])).await?;
    let owned = lab.owned(None).await?;
    let found = owned.iter().find(|owned| owned.kind == OwnedKind::VolumeClone);
    same("key", found.map(|owned| owned.mark.key.as_str()), Some("c-1"))?;
    same("volume", found.map(|owned| owned.volume.clone()), Some(clone.volume.id.clone()))?;
    same("source", lab.driver().volume(&clone.volume.id).await?.clone_of, Some(lab.bench.volume(0)))?;
    Ok(None)
}

async fn source_is_safe(lab: &Lab) -> CaseResult {
    let snapshot = prepare(lab).await?;
    let mut clone = one(lab, &lab.volume_clone("c-1", &snapshot, &[0])).await?;
    clone.volume.id = lab.bench.volume(0);
    refused(ensure_export(lab, &export("c-1", &clone, &["esx-1"])).await, Reason::NotOurs)?;
    let exports = lab.driver().exports().context("no exports")?;
    refused(exports.remove_export(&export("c-1", &clone, &[])).await, Reason::NotOurs)?;
    lab.expect_live(0, "vm/disk", &pattern(21, 100_000))?;
    Ok(None)
}
