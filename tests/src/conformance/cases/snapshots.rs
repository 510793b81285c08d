//! Making and listing snapshots: bytes, idempotency, one point in time.

use super::case;
use crate::conformance::{
    Case, CaseResult,
    lab::{Lab, id_of, native_name, pattern, refused, same},
};
use anyhow::ensure;
use std::time::Duration;
use strata_model::ids::VolumeId;
use strata_storage_svc::driver::{Reason, SnapshotTarget, SnapshotUnit};

pub(super) const CASES: &[Case] = &[
    case!("snapshot: holds the bytes of its time, whatever is written afterwards", [], holds_old_bytes),
    case!("snapshot: an empty file, a large one with holes and one deep below are held", [], holds_all_shapes),
    case!("snapshot: the same key and source answers the same snapshot", [], same_key_same_source),
    case!("snapshot: the same key after a restart answers the same snapshot", [], same_key_after_restart),
    case!("snapshot: the same key and another label answers the same snapshot", [], same_key_other_label),
    case!("snapshot: the same key and another source is KeyReused", [], same_key_other_source),
    case!("snapshot: calls at the same time with one key make one snapshot", [], calls_at_the_same_time),
    case!("snapshot: an unknown volume is NotFound", [], unknown_volume),
    case!("snapshot: a path that is not there is NotFound and leaves nothing", [], unknown_path),
    case!("snapshot: no targets, or one volume twice, is refused", [], wrong_targets),
    case!("snapshot: another uuid than expected is VolumeReplaced (S5)", [], other_uuid_is_refused),
    case!("snapshot: a volume made again under its name is refused by its old uuid (S5)", [], recreated_is_refused),
    case!("snapshot: several volumes at one point in time are one snapshot without skew", [Group], group_is_atomic),
    case!(
        "snapshot: several volumes without skew are refused where each is cut alone (S10)",
        [NoGroup, LiveSnapshot],
        no_group_refuses_zero_skew
    ),
    case!(
        "snapshot: several volumes with allowed skew are one snapshot with measured skew",
        [NoGroup],
        no_group_measures_skew
    ),
    case!(
        "snapshot: several files without allowed skew are refused, one is not",
        [FileUnit, LiveSnapshot],
        files_need_skew
    ),
    case!("snapshot: a unit of one volume is cut without skew", [VolumeUnit], volume_is_atomic),
    case!("snapshot: a copy of a live disk is refused (S15)", [CopySnapshot], live_copy_is_refused),
    case!("snapshot: lists are oldest first, in pages, with mark and comment", [], lists_in_order),
    case!("snapshot: only the files asked for are held", [FileUnit], only_what_was_asked),
];

async fn holds_old_bytes(lab: &Lab) -> CaseResult {
    let old = pattern(1, 200_000);
    lab.bench.write(0, "vm/disk", &old)?;
    lab.bench.write(0, "vm/web.vmx", b"uuid = old")?;
    let snapshot = lab.snapshot("s-bytes").await?;
    lab.bench.write(0, "vm/disk", &pattern(2, 200_000))?;
    lab.bench.remove(0, "vm/web.vmx")?;
    let (volume, id) = (lab.bench.volume(0), id_of(&snapshot, &lab.bench.volume(0)));
    ensure!(lab.held(0, &id, "vm/disk").await? == old, "the snapshot has other bytes");
    same("vmx", lab.held(0, &id, "vm/web.vmx").await?, b"uuid = old".to_vec())?;
    let expected_mark = lab.snapshot_request("s-bytes", &[0]).mark;
    same("mark", snapshot.mark.clone(), Some(expected_mark))?;
    same("volume uuid", snapshot.members[0].volume_uuid.clone(), lab.driver().volume(&volume).await?.uuid)?;
    if lab.driver().capabilities().read_files {
        refused(lab.driver().read_snapshot_file(&volume, &id, "vm/later").await, Reason::NotFound)?;
    }
    lab.expect_no_leftovers()?;
    Ok(None)
}

async fn holds_all_shapes(lab: &Lab) -> CaseResult {
    let mut sparse = vec![0; 700_000];
    sparse[650_000..650_100].copy_from_slice(&pattern(3, 100));
    let shapes = [("vm/empty", Vec::new()), ("vm/sparse", sparse), ("vm/a/b/c/deep", pattern(4, 5000))];
    for (path, bytes) in &shapes {
        lab.bench.write(0, path, bytes)?;
    }
    let snapshot = lab.snapshot("s-shapes").await?;
    let id = id_of(&snapshot, &lab.bench.volume(0));
    for (path, bytes) in &shapes {
        lab.bench.remove(0, path)?;
        ensure!(lab.held(0, &id, path).await? == *bytes, "{path} has other bytes");
    }
    Ok(None)
}

async fn same_key_same_source(lab: &Lab) -> CaseResult {
    lab.bench.write(0, "vm/disk", b"one")?;
    let first = lab.snapshot("s-same").await?;
    lab.bench.write(0, "vm/disk", b"two")?;
    let second = lab.snapshot("s-same").await?;
    same("snapshot", &second, &first)?;
    let id = id_of(&second, &lab.bench.volume(0));
    let bytes = lab.held(0, &id, "vm/disk").await?;
    same("bytes", bytes, b"one".to_vec())?;
    same("snapshots of the volume", lab.list(0).await?.len(), 1)?;
    Ok(None)
}

async fn same_key_after_restart(lab: &Lab) -> CaseResult {
    lab.bench.write(0, "vm/disk", b"one")?;
    let first = lab.snapshot("s-again").await?;
    let restarted = lab.bench.restart();
    let second = lab.ensure_by(&restarted, &lab.snapshot_request("s-again", &[0])).await?;
    same("snapshot", second, first)?;
    Ok(None)
}

async fn same_key_other_label(lab: &Lab) -> CaseResult {
    lab.bench.write(0, "vm/disk", b"one")?;
    let first = lab.snapshot("s-label").await?;
    let mut renamed = lab.snapshot_request("s-label", &[0]);
    renamed.label = "another label".to_owned();
    same("snapshot", lab.ensure(&renamed).await?, first)?;
    let mut removal = lab.removal("s-label", &[0]);
    removal.label = "a third".to_owned();
    lab.remove(&removal).await?;
    same("snapshots of the volume", lab.list(0).await?.len(), 0)?;
    Ok(None)
}

async fn same_key_other_source(lab: &Lab) -> CaseResult {
    lab.bench.write(0, "vm/disk", b"one")?;
    lab.bench.write(1, "vm/disk", b"other")?;
    lab.snapshot("s-reused").await?;
    let error = refused(lab.ensure(&lab.snapshot_request("s-reused", &[1])).await, Reason::KeyReused)?;
    ensure!(error.message.contains("s-reused"), "the message does not name the key: {error}");
    refused(lab.ensure(&lab.snapshot_request("s-reused", &[0, 1])).await, Reason::KeyReused)?;
    same("snapshots of the other volume", lab.list(1).await?.len(), 0)?;
    Ok(None)
}

async fn calls_at_the_same_time(lab: &Lab) -> CaseResult {
    lab.bench.write(0, "vm/disk", &pattern(5, 100_000))?;
    let request = lab.snapshot_request("s-many", &[0]);
    let answers = futures::future::join_all((0..4).map(|_| lab.ensure(&request))).await;
    let mut done = 0;
    for answer in answers {
        match answer {
            Ok(_) => done += 1,
            // CSI lets a driver refuse the second call; the caller repeats it.
            Err(error) if error.reason == Reason::Busy => {}
            Err(error) => return Err(error.into()),
        }
    }
    ensure!(done >= 1, "nobody got an answer");
    lab.ensure(&request).await?;
    same("snapshots of the volume", lab.list(0).await?.len(), 1)?;
    lab.expect_no_leftovers()?;
    Ok(None)
}

async fn unknown_volume(lab: &Lab) -> CaseResult {
    let mut request = lab.snapshot_request("s-nowhere", &[0]);
    request.targets[0].volume = VolumeId::from("00000000-0000-4000-8000-000000000000");
    refused(lab.ensure(&request).await, Reason::NotFound)?;
    Ok(None)
}

async fn unknown_path(lab: &Lab) -> CaseResult {
    lab.bench.write(0, "vm/disk", b"one")?;
    let mut request = lab.snapshot_request("s-nopath", &[0]);
    request.targets[0].paths.push("not/there".to_owned());
    if lab.driver().capabilities().snapshot_unit == SnapshotUnit::Volume && lab.ensure(&request).await.is_ok() {
        return Ok(Some("paths that are checked".to_owned()));
    }
    let error = refused(lab.ensure(&request).await, Reason::NotFound)?;
    ensure!(error.message.contains("not/there"), "the message does not name the path: {error}");
    same("snapshots of the volume", lab.list(0).await?.len(), 0)?;
    lab.expect_no_leftovers()?;
    Ok(None)
}

async fn wrong_targets(lab: &Lab) -> CaseResult {
    lab.bench.write(0, "vm/disk", b"one")?;
    for volumes in [&[][..], &[0, 0]] {
        refused(lab.ensure(&lab.snapshot_request("s-wrong", volumes)).await, Reason::InvalidRequest)?;
    }
    Ok(None)
}

async fn other_uuid_is_refused(lab: &Lab) -> CaseResult {
    lab.bench.write(0, "vm/disk", b"one")?;
    let mut request = lab.snapshot_request("s-uuid", &[0]);
    request.targets[0].expected_uuid = Some("another".to_owned());
    let error = refused(lab.ensure(&request).await, Reason::VolumeReplaced)?;
    ensure!(error.message.contains("another"), "both identities are to be named: {error}");
    request.targets[0].expected_uuid = Some(lab.driver().volume(&lab.bench.volume(0)).await?.uuid);
    lab.ensure(&request).await?;
    Ok(None)
}

async fn recreated_is_refused(lab: &Lab) -> CaseResult {
    let before = lab.driver().volume(&lab.bench.volume(0)).await?.uuid;
    lab.bench.recreate(0)?;
    lab.bench.write(0, "vm/disk", b"someone else's")?;
    let mut request = lab.snapshot_request("s-recreated", &[0]);
    request.targets[0].expected_uuid = Some(before);
    refused(lab.ensure(&request).await, Reason::VolumeReplaced)?;
    same("snapshots of the volume", lab.list(0).await?.len(), 0)?;
    Ok(None)
}

async fn group_is_atomic(lab: &Lab) -> CaseResult {
    for index in 0..2 {
        lab.bench.write(index, "vm/disk", b"together")?;
    }
    let mut request = lab.snapshot_request("s-group", &[0, 1]);
    request.skew_max = Duration::ZERO;
    let snapshot = lab.ensure(&request).await?;
    same("parts", snapshot.members.len(), 2)?;
    same("skew", snapshot.skew_us, 0)?;
    same("repeated", lab.ensure(&request).await?, snapshot)?;
    lab.remove(&lab.removal("s-group", &[0, 1])).await?;
    same("left", lab.list(0).await?.len() + lab.list(1).await?.len(), 0)?;
    Ok(None)
}

async fn no_group_refuses_zero_skew(lab: &Lab) -> CaseResult {
    for index in 0..2 {
        lab.bench.write(index, "vm/disk", b"apart")?;
    }
    let mut request = lab.snapshot_request("s-apart", &[0, 1]);
    request.skew_max = Duration::ZERO;
    refused(lab.ensure(&request).await, Reason::SkewTooLarge)?;
    same("left", lab.list(0).await?.len() + lab.list(1).await?.len(), 0)?;
    lab.expect_no_leftovers()?;
    Ok(None)
}

async fn no_group_measures_skew(lab: &Lab) -> CaseResult {
    for index in 0..2 {
        lab.bench.write(index, "vm/disk", b"apart")?;
    }
    let snapshot = lab.ensure(&lab.snapshot_request("s-skew", &[0, 1])).await?;
    same("parts", snapshot.members.len(), 2)?;
    for index in 0..2 {
        let id = id_of(&snapshot, &lab.bench.volume(index));
        let bytes = lab.held(index, &id, "vm/disk").await?;
        same("bytes", bytes, b"apart".to_vec())?;
    }
    same("repeated", lab.ensure(&lab.snapshot_request("s-skew", &[0, 1])).await?, snapshot)?;
    lab.remove(&lab.removal("s-skew", &[0, 1])).await?;
    same("left", lab.list(0).await?.len() + lab.list(1).await?.len(), 0)?;
    Ok(None)
}

async fn files_need_skew(lab: &Lab) -> CaseResult {
    lab.bench.write(0, "vm/disk", b"one")?;
    lab.bench.write(0, "vm/disk2", b"two")?;
    let mut request = lab.snapshot_request("s-files", &[0]);
    request.skew_max = Duration::ZERO;
    refused(lab.ensure(&request).await, Reason::SkewTooLarge)?;
    request.targets = vec![SnapshotTarget { paths: vec!["vm/disk".to_owned()], ..request.targets[0].clone() }];
    same("skew of one file", lab.ensure(&request).await?.skew_us, 0)?;
    let both = lab.snapshot("s-both").await?;
    ensure!(both.skew_us > 0, "two files cut one after the other have no skew");
    Ok(None)
}

async fn volume_is_atomic(lab: &Lab) -> CaseResult {
    for name in ["a", "b", "c"] {
        lab.bench.write(0, &format!("vm/{name}"), b"x")?;
    }
    let mut request = lab.snapshot_request("s-atomic", &[0]);
    request.skew_max = Duration::ZERO;
    same("skew", lab.ensure(&request).await?.skew_us, 0)?;
    Ok(None)
}

async fn live_copy_is_refused(lab: &Lab) -> CaseResult {
    lab.bench.write(0, "vm/disk", b"live")?;
    let mut request = lab.snapshot_request("s-live", &[0]);
    request.vm_off = false;
    refused(lab.ensure(&request).await, Reason::NeedsVmOff)?;
    same("snapshots of the volume", lab.list(0).await?.len(), 0)?;
    Ok(None)
}

async fn lists_in_order(lab: &Lab) -> CaseResult {
    lab.bench.write(0, "vm/disk", b"one")?;
    let mut expected = Vec::new();
    for key in ["s-c", "s-a", "s-d", "s-b", "s-e"] {
        lab.bench.pass_time(Duration::from_millis(5));
        expected.push(native_name(&lab.snapshot(key).await?)?);
    }
    let listed = lab.list(0).await?;
    let names: Vec<String> = listed.iter().map(native_name).collect::<anyhow::Result<_>>()?;
    same("order", names, expected)?;
    for snapshot in listed {
        ensure!(snapshot.mark.is_some() && snapshot.comment.starts_with("strata1;"), "no mark: {snapshot:?}");
    }
    Ok(None)
}

async fn only_what_was_asked(lab: &Lab) -> CaseResult {
    lab.bench.write(0, "vm/disk", b"mine")?;
    lab.bench.write(0, "neighbour/disk", b"theirs")?;
    let snapshot = lab.snapshot("s-only").await?;
    let id = id_of(&snapshot, &lab.bench.volume(0));
    refused(lab.driver().read_snapshot_file(&lab.bench.volume(0), &id, "neighbour/disk").await, Reason::NotFound)?;
    Ok(None)
}
