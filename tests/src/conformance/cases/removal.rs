//! Removing snapshots: ours, whole, and again.

use super::case;
use crate::conformance::{
    Case, CaseResult,
    lab::{Lab, id_of, native_name, same},
};
use anyhow::ensure;
use strata_model::ids::VolumeId;
use strata_storage_svc::driver::{OwnedKind, Reason};

pub(super) const CASES: &[Case] = &[
    case!("remove: a snapshot is gone, and removing it again succeeds", [], remove_twice),
    case!("remove: one that never was succeeds", [], remove_absent),
    case!("remove: a volume that is gone succeeds", [], remove_of_absent_volume),
    case!("remove: the others stay", [], others_stay),
    case!("remove: naming another volume than it was made of is refused", [], other_volume_is_refused),
    case!("remove: its key can be used again, for other bytes", [], key_can_be_used_again),
    case!("owned: lists snapshots with their mark, by installation, in pages", [], owned_lists),
];

async fn remove_twice(lab: &Lab) -> CaseResult {
    lab.bench.write(0, "vm/disk", b"one")?;
    let name = native_name(&lab.snapshot("s-gone").await?)?;
    for _ in 0..2 {
        lab.remove(&lab.removal("s-gone", &[0])).await?;
        ensure!(!lab.bench.has_snapshot(0, &name)?, "{name} is still there");
    }
    same("listed", lab.list(0).await?.len(), 0)?;
    lab.expect_live(0, "vm/disk", b"one")?;
    lab.expect_no_leftovers()?;
    Ok(None)
}

async fn remove_absent(lab: &Lab) -> CaseResult {
    lab.remove(&lab.removal("s-never", &[0])).await?;
    Ok(None)
}

async fn remove_of_absent_volume(lab: &Lab) -> CaseResult {
    let mut removal = lab.removal("s-never", &[0]);
    removal.volumes = vec![VolumeId::from("00000000-0000-4000-8000-000000000000")];
    lab.remove(&removal).await?;
    Ok(None)
}

async fn others_stay(lab: &Lab) -> CaseResult {
    lab.bench.write(0, "vm/disk", b"one")?;
    // One key is the beginning of the other.
    let long = lab.snapshot("s-1-more").await?;
    lab.snapshot("s-1").await?;
    lab.remove(&lab.removal("s-1", &[0])).await?;
    let left = lab.list(0).await?;
    same("left", left.len(), 1)?;
    same("the one left", native_name(&left[0])?, native_name(&long)?)?;
    let id = id_of(&long, &lab.bench.volume(0));
    same("bytes", lab.held(0, &id, "vm/disk").await?, b"one".to_vec())?;
    Ok(None)
}

async fn other_volume_is_refused(lab: &Lab) -> CaseResult {
    lab.bench.write(0, "vm/disk", b"one")?;
    let name = native_name(&lab.snapshot("s-other").await?)?;
    match lab.remove(&lab.removal("s-other", &[1])).await {
        // Nothing of that key is on the other volume.
        Ok(()) => {}
        Err(error) => ensure!(error.reason == Reason::KeyReused, "{error}"),
    }
    ensure!(lab.bench.has_snapshot(0, &name)?, "the snapshot of the volume that was not named is gone");
    Ok(None)
}

async fn key_can_be_used_again(lab: &Lab) -> CaseResult {
    lab.bench.write(0, "vm/disk", b"one")?;
    lab.snapshot("s-again").await?;
    lab.remove(&lab.removal("s-again", &[0])).await?;
    lab.bench.write(0, "vm/disk", b"two")?;
    let snapshot = lab.snapshot("s-again").await?;
    let id = id_of(&snapshot, &lab.bench.volume(0));
    same("bytes", lab.held(0, &id, "vm/disk").await?, b"two".to_vec())?;
    Ok(None)
}

async fn owned_lists(lab: &Lab) -> CaseResult {
    lab.bench.write(0, "vm/disk", b"one")?;
    for key in ["s-1", "s-2", "s-3"] {
        lab.snapshot(key).await?;
    }
    let mut theirs = lab.snapshot_request("s-4", &[0]);
    theirs.mark = crate::conformance::lab::their_mark("s-4");
    lab.ensure(&theirs).await?;
    let ours = lab.owned(Some(crate::conformance::lab::OURS)).await?;
    let mut keys: Vec<&str> = ours.iter().map(|owned| owned.mark.key.as_str()).collect();
    keys.sort_unstable();
    same("our keys", keys, vec!["s-1", "s-2", "s-3"])?;
    ensure!(ours.iter().all(|owned| owned.kind == OwnedKind::Snapshot && owned.mark.generation == 3), "{ours:?}");
    same("of all installations", lab.owned(None).await?.len(), 4)?;
    Ok(None)
}
