//! Volumes rolled back in place.

use super::case;
use crate::conformance::{
    Case, CaseResult,
    lab::{Lab, id_of, pattern, refused, same},
};
use anyhow::{Context as _, ensure};
use strata_model::ids::ArraySnapshotId;
use strata_storage_svc::driver::Reason;

pub(super) const CASES: &[Case] = &[
    case!("roll back: the old bytes are there again, and again", [RestoreVolume], comes_back),
    case!("roll back: keeps newer snapshots with their bytes (S1)", [RestoreVolume, KeepsNewer], newer_stay),
    case!("roll back: is refused while there are newer snapshots (S1)", [RestoreVolume, EatsNewer], newer_refuse),
    case!(
        "roll back: its snapshot can be cloned afterwards, and so can the safety point (S1)",
        [RestoreVolume, KeepsNewer, CloneVolume],
        safety_point
    ),
    case!(
        "roll back: clones and the other volume keep their bytes",
        [RestoreVolume, CloneVolume],
        others_are_unchanged
    ),
    case!("roll back: another uuid than expected is VolumeReplaced (S5)", [RestoreVolume], other_uuid),
    case!("roll back: of a volume made again under its name is refused (S5)", [RestoreVolume], recreated),
    case!("roll back: an unknown snapshot is NotFound and changes nothing", [RestoreVolume], unknown_snapshot),
    case!("roll back: is refused while an initiator is mapped that has not let go (S21)", [RestoreVolume], in_use),
];

async fn comes_back(lab: &Lab) -> CaseResult {
    lab.bench.write(0, "vm/disk", &pattern(50, 150_000))?;
    let snapshot = lab.snapshot("s-1").await?;
    for round in 0..2 {
        lab.bench.write(0, "vm/disk", &pattern(51 + round, 150_000))?;
        lab.bench.write(0, "vm/later", b"later")?;
        lab.roll_back(&lab.rollback(&format!("r-{round}"), &snapshot)).await?;
        lab.expect_live(0, "vm/disk", &pattern(50, 150_000))?;
        lab.expect_absent(0, "vm/later")?;
    }
    let volume = lab.driver().volume(&lab.bench.volume(0)).await?;
    same("uuid", Some(volume.uuid), snapshot.members.first().map(|member| member.volume_uuid.clone()))?;
    same("snapshots", lab.list(0).await?.len(), 1)?;
    lab.expect_no_leftovers()?;
    Ok(None)
}

async fn newer_stay(lab: &Lab) -> CaseResult {
    let mut snapshots = Vec::new();
    for round in 0..3 {
        lab.bench.write(0, "vm/disk", &pattern(60 + round, 50_000))?;
        snapshots.push(lab.snapshot(&format!("s-{round}")).await?);
    }
    lab.roll_back(&lab.rollback("r-1", &snapshots[0])).await?;
    lab.expect_live(0, "vm/disk", &pattern(60, 50_000))?;
    same("snapshots", lab.list(0).await?.len(), 3)?;
    for (round, snapshot) in snapshots.iter().enumerate() {
        let held = lab.held(0, &id_of(snapshot, &lab.bench.volume(0)), "vm/disk").await?;
        ensure!(held == pattern(60 + round as u64, 50_000), "snapshot {round} has other bytes than before");
    }
    Ok(None)
}

async fn newer_refuse(lab: &Lab) -> CaseResult {
    lab.bench.write(0, "vm/disk", b"old")?;
    let old = lab.snapshot("s-old").await?;
    lab.bench.write(0, "vm/disk", b"new")?;
    lab.snapshot("s-new").await?;
    refused(lab.roll_back(&lab.rollback("r-1", &old)).await, Reason::NewerSnapshots)?;
    lab.expect_live(0, "vm/disk", b"new")?;
    same("snapshots", lab.list(0).await?.len(), 2)?;
    lab.remove(&lab.removal("s-new", &[0])).await?;
    lab.roll_back(&lab.rollback("r-1", &old)).await?;
    lab.expect_live(0, "vm/disk", b"old")?;
    Ok(None)
}

async fn safety_point(lab: &Lab) -> CaseResult {
    lab.bench.write(0, "vm/disk", b"old")?;
    let old = lab.snapshot("s-old").await?;
    lab.bench.write(0, "vm/disk", b"new")?;
    let safety = lab.snapshot("s-safety").await?;
    lab.roll_back(&lab.rollback("r-1", &old)).await?;
    for (key, snapshot) in [("c-old", &old), ("c-safety", &safety)] {
        let clones = lab.clone_volumes(&lab.volume_clone(key, snapshot, &[0])).await?;
        same("clones", clones.len(), 1)?;
    }
    // Undone: back to where it was.
    lab.roll_back(&lab.rollback("r-2", &safety)).await?;
    lab.expect_live(0, "vm/disk", b"new")?;
    Ok(None)
}

async fn others_are_unchanged(lab: &Lab) -> CaseResult {
    lab.bench.write(0, "vm/disk", b"old")?;
    lab.bench.write(1, "vm/disk", b"neighbour")?;
    let snapshot = lab.snapshot("s-1").await?;
    let clone = lab.clone_volumes(&lab.volume_clone("c-1", &snapshot, &[0])).await?.pop().context("no clone")?;
    if lab.driver().capabilities().export_nfs {
        return Ok(Some("a witness for the bytes of clones".to_owned()));
    }
    lab.bench.write_volume(&clone.volume.id, "vm/disk", b"clone")?;
    lab.bench.write(0, "vm/disk", b"new")?;
    lab.roll_back(&lab.rollback("r-1", &snapshot)).await?;
    lab.expect_live(0, "vm/disk", b"old")?;
    lab.expect_live(1, "vm/disk", b"neighbour")?;
    same("clone", lab.bench.read_volume(&clone.volume.id, "vm/disk")?, Some(b"clone".to_vec()))?;
    Ok(None)
}

async fn other_uuid(lab: &Lab) -> CaseResult {
    lab.bench.write(0, "vm/disk", b"old")?;
    let snapshot = lab.snapshot("s-1").await?;
    lab.bench.write(0, "vm/disk", b"new")?;
    let mut request = lab.rollback("r-1", &snapshot);
    request.expected_uuid = Some("another".to_owned());
    let error = refused(lab.roll_back(&request).await, Reason::VolumeReplaced)?;
    ensure!(error.message.contains("another"), "the message does not name what was expected: {error}");
    lab.expect_live(0, "vm/disk", b"new")?;
    request.expected_uuid = snapshot.members.first().map(|member| member.volume_uuid.clone());
    lab.roll_back(&request).await?;
    lab.expect_live(0, "vm/disk", b"old")?;
    Ok(None)
}

async fn recreated(lab: &Lab) -> CaseResult {
    lab.bench.write(0, "vm/disk", b"old")?;
    let snapshot = lab.snapshot("s-1").await?;
    lab.bench.recreate(0)?;
    lab.bench.write(0, "vm/disk", b"someone else's")?;
    let mut request = lab.rollback("r-1", &snapshot);
    request.snapshot = snapshot.members.first().context("no part")?.id.clone();
    match lab.roll_back(&request).await {
        Ok(()) => anyhow::bail!("it was done"),
        Err(error) => ensure!(matches!(error.reason, Reason::NotFound | Reason::VolumeReplaced), "{error}"),
    }
    lab.expect_live(0, "vm/disk", b"someone else's")?;
    Ok(None)
}

async fn unknown_snapshot(lab: &Lab) -> CaseResult {
    lab.bench.write(0, "vm/disk", b"new")?;
    let snapshot = lab.snapshot("s-1").await?;
    let mut request = lab.rollback("r-1", &snapshot);
    for id in ["nope", "", "0", "00000000-0000-4000-8000-000000000000"] {
        request.snapshot = ArraySnapshotId::from(id);
        refused(lab.roll_back(&request).await, Reason::NotFound)?;
    }
    lab.expect_live(0, "vm/disk", b"new")?;
    Ok(None)
}

async fn in_use(lab: &Lab) -> CaseResult {
    if lab.bench.initiators(0).is_empty() {
        return Ok(Some("mapped initiators".to_owned()));
    }
    lab.bench.write(0, "vm/disk", b"old")?;
    let snapshot = lab.snapshot("s-1").await?;
    lab.bench.write(0, "vm/disk", b"new")?;
    let mut request = lab.rollback("r-1", &snapshot);
    let left = request.released_initiators.pop().context("no initiator")?;
    let error = refused(lab.roll_back(&request).await, Reason::InUse)?;
    ensure!(error.message.contains(&left), "the message does not name the initiator: {error}");
    lab.expect_live(0, "vm/disk", b"new")?;
    request.released_initiators.push(left.to_uppercase());
    lab.roll_back(&request).await?;
    lab.expect_live(0, "vm/disk", b"old")?;
    Ok(None)
}
