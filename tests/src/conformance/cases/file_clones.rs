//! Clones of files into a new directory of the same volume.

use super::case;
use crate::conformance::{
    Case, CaseResult,
    lab::{Lab, file, pattern, refused, same, their_mark},
};
use anyhow::ensure;
use strata_model::ids::ArraySnapshotId;
use strata_storage_svc::driver::{OwnedKind, Reason};

pub(super) const CASES: &[Case] = &[
    case!(
        "file clone: holds the snapshot's bytes, copied nothing, touches nothing else",
        [CloneFiles],
        holds_old_bytes
    ),
    case!("file clone: writes to it change neither source nor snapshot", [CloneFiles], is_independent),
    case!(
        "file clone: the same key and source answers the same clone, with what was written since",
        [CloneFiles],
        same_key_same_source
    ),
    case!("file clone: the same key and another source is KeyReused", [CloneFiles], same_key_other_source),
    case!("file clone: a directory of others is left alone", [CloneFiles], directory_of_others),
    case!("file clone: the directory of another clone of ours is left alone", [CloneFiles], directory_of_another_clone),
    case!("file clone: files outside its directory are refused", [CloneFiles], files_outside),
    case!(
        "file clone: an unknown snapshot or file is NotFound and leaves nothing in sight",
        [CloneFiles],
        unknown_source
    ),
    case!("file clone: from the snapshot of a volume made again is refused (S5)", [CloneFiles], of_a_replaced_volume),
    case!("file clone: removed with all that was written into it, and again", [CloneFiles], remove_twice),
    case!("file clone: another installation's is not removed (S2)", [CloneFiles], other_installation),
    case!("file clone: a directory with a copied mark is not removed (S2)", [CloneFiles], copied_mark),
    case!("file clone: one moved away by its owner does not stop the removal", [CloneFiles], moved_away),
    case!("file clone: outlives its snapshot", [CloneFiles, NoPins], outlives_its_snapshot),
    case!("file clone: is listed as owned", [CloneFiles], is_listed),
];

async fn prepare(lab: &Lab, key: &str) -> anyhow::Result<strata_storage_svc::driver::Snapshot> {
    lab.bench.write(0, "vm/disk", &pattern(10, 300_000))?;
    lab.bench.write(0, "vm/web.vmx", b"old")?;
    lab.bench.write(0, "neighbour/disk", b"neighbour")?;
    let snapshot = lab.snapshot(key).await?;
    lab.bench.write(0, "vm/disk", &pattern(11, 300_000))?;
    lab.bench.write(0, "vm/web.vmx", b"new")?;
    Ok(snapshot)
}

async fn holds_old_bytes(lab: &Lab) -> CaseResult {
    let snapshot = prepare(lab, "s-1").await?;
    let mut request = lab.file_clone("c-1", &snapshot, "web-t", &["disk"]);
    request.targets[0].files.push(file("vm/web.vmx", "web-t/sub/web-t.vmx"));
    let members = lab.clone_files(&request).await?;
    same("parts", members.len(), 1)?;
    same("copied bytes", members[0].copied_bytes, 0)?;
    same("directory", members[0].directory.as_str(), "web-t")?;
    lab.expect_live(0, "web-t/disk", &pattern(10, 300_000))?;
    lab.expect_live(0, "web-t/sub/web-t.vmx", b"old")?;
    lab.expect_live(0, "vm/disk", &pattern(11, 300_000))?;
    lab.expect_live(0, "neighbour/disk", b"neighbour")?;
    lab.expect_no_leftovers()?;
    Ok(None)
}

async fn is_independent(lab: &Lab) -> CaseResult {
    let snapshot = prepare(lab, "s-1").await?;
    lab.clone_files(&lab.file_clone("c-1", &snapshot, "web-t", &["disk"])).await?;
    lab.bench.write(0, "web-t/disk", b"scribble")?;
    lab.expect_live(0, "vm/disk", &pattern(11, 300_000))?;
    lab.clone_files(&lab.file_clone("c-2", &snapshot, "web-u", &["disk"])).await?;
    lab.expect_live(0, "web-u/disk", &pattern(10, 300_000))?;
    Ok(None)
}

async fn same_key_same_source(lab: &Lab) -> CaseResult {
    let snapshot = prepare(lab, "s-1").await?;
    let request = lab.file_clone("c-1", &snapshot, "web-t", &["disk", "web.vmx"]);
    lab.clone_files(&request).await?;
    lab.bench.write(0, "web-t/web.vmx", b"edited since")?;
    same("repeated", lab.clone_files(&request).await?.len(), 1)?;
    lab.expect_live(0, "web-t/web.vmx", b"edited since")?;
    Ok(None)
}

async fn same_key_other_source(lab: &Lab) -> CaseResult {
    let snapshot = prepare(lab, "s-1").await?;
    lab.clone_files(&lab.file_clone("c-1", &snapshot, "web-t", &["disk"])).await?;
    refused(lab.clone_files(&lab.file_clone("c-1", &snapshot, "other", &["disk"])).await, Reason::KeyReused)?;
    refused(lab.clone_files(&lab.file_clone("c-1", &snapshot, "web-t", &["web.vmx"])).await, Reason::KeyReused)?;
    lab.expect_absent(0, "other/disk")?;
    lab.expect_absent(0, "web-t/web.vmx")?;
    Ok(None)
}

async fn directory_of_others(lab: &Lab) -> CaseResult {
    let snapshot = prepare(lab, "s-1").await?;
    let request = lab.file_clone("c-1", &snapshot, "neighbour", &["disk"]);
    let error = refused(lab.clone_files(&request).await, Reason::NotOurs)?;
    ensure!(error.message.contains("neighbour"), "the message does not name the directory: {error}");
    lab.expect_live(0, "neighbour/disk", b"neighbour")?;
    refused(lab.remove_files(&lab.file_clone_removal(&request)).await, Reason::NotOurs)?;
    lab.expect_live(0, "neighbour/disk", b"neighbour")?;
    Ok(None)
}

async fn directory_of_another_clone(lab: &Lab) -> CaseResult {
    let snapshot = prepare(lab, "s-1").await?;
    let first = lab.file_clone("c-1", &snapshot, "web-t", &["disk"]);
    let second = lab.file_clone("c-2", &snapshot, "web-t", &["disk"]);
    lab.clone_files(&first).await?;
    refused(lab.clone_files(&second).await, Reason::NotOurs)?;
    same("owned clones", clones_owned(lab).await?, 1)?;
    refused(lab.remove_files(&lab.file_clone_removal(&second)).await, Reason::NotOurs)?;
    lab.expect_live(0, "web-t/disk", &pattern(10, 300_000))?;
    lab.remove_files(&lab.file_clone_removal(&first)).await?;
    lab.expect_no_leftovers()?;
    Ok(None)
}

async fn files_outside(lab: &Lab) -> CaseResult {
    let snapshot = prepare(lab, "s-1").await?;
    for to in ["other/disk", "web-t", "web-t2/disk", "disk"] {
        let mut request = lab.file_clone("c-1", &snapshot, "web-t", &[]);
        request.targets[0].files = vec![file("vm/disk", to)];
        refused(lab.clone_files(&request).await, Reason::InvalidRequest)?;
    }
    for to in ["web-t/../vm/disk", "/web-t/disk"] {
        let mut request = lab.file_clone("c-1", &snapshot, "web-t", &[]);
        request.targets[0].files = vec![file("vm/disk", to)];
        refused(lab.clone_files(&request).await, Reason::UnsafePath)?;
    }
    lab.expect_live(0, "vm/disk", &pattern(11, 300_000))?;
    Ok(None)
}

async fn unknown_source(lab: &Lab) -> CaseResult {
    let snapshot = prepare(lab, "s-1").await?;
    let mut no_snapshot = lab.file_clone("c-1", &snapshot, "web-t", &["disk"]);
    no_snapshot.targets[0].snapshot = ArraySnapshotId::from("00000000-0000-4000-8000-000000000000");
    refused(lab.clone_files(&no_snapshot).await, Reason::NotFound)?;
    let no_file = lab.file_clone("c-2", &snapshot, "web-u", &["disk", "nope"]);
    refused(lab.clone_files(&no_file).await, Reason::NotFound)?;
    for request in [no_snapshot, no_file] {
        lab.remove_files(&lab.file_clone_removal(&request)).await?;
    }
    same("owned clones", clones_owned(lab).await?, 0)?;
    for path in ["web-t/disk", "web-u/disk"] {
        lab.expect_absent(0, path)?;
    }
    lab.expect_no_leftovers()?;
    Ok(None)
}

async fn of_a_replaced_volume(lab: &Lab) -> CaseResult {
    let snapshot = prepare(lab, "s-1").await?;
    lab.bench.recreate(0)?;
    lab.bench.write(0, "vm/disk", b"someone else's")?;
    let mut request = lab.file_clone("c-1", &snapshot, "web-t", &["disk"]);
    request.targets[0].snapshot = snapshot.members[0].id.clone();
    let error = match lab.clone_files(&request).await {
        Ok(members) => anyhow::bail!("it was done: {members:?}"),
        Err(error) => error,
    };
    ensure!(matches!(error.reason, Reason::VolumeReplaced | Reason::NotFound), "{:?}: {error}", error.reason);
    lab.expect_absent(0, "web-t/disk")?;
    Ok(None)
}

async fn remove_twice(lab: &Lab) -> CaseResult {
    let snapshot = prepare(lab, "s-1").await?;
    let request = lab.file_clone("c-1", &snapshot, "web-t", &["disk"]);
    lab.clone_files(&request).await?;
    lab.bench.write(0, "web-t/logs/vmware.log", b"written since")?;
    for _ in 0..2 {
        lab.remove_files(&lab.file_clone_removal(&request)).await?;
        lab.expect_absent(0, "web-t/disk")?;
        ensure!(!lab.bench.list(0, "")?.contains(&"web-t".to_owned()), "the directory is still there");
    }
    lab.expect_live(0, "vm/disk", &pattern(11, 300_000))?;
    same("owned clones", clones_owned(lab).await?, 0)?;
    lab.expect_no_leftovers()?;
    Ok(None)
}

async fn other_installation(lab: &Lab) -> CaseResult {
    let snapshot = prepare(lab, "s-1").await?;
    let ours = lab.file_clone("c-1", &snapshot, "web-t", &["disk"]);
    let mut theirs = ours.clone();
    theirs.mark = their_mark("c-1");
    lab.clone_files(&theirs).await?;
    refused(lab.remove_files(&lab.file_clone_removal(&ours)).await, Reason::NotOurs)?;
    refused(lab.clone_files(&ours).await, Reason::NotOurs)?;
    lab.expect_live(0, "web-t/disk", &pattern(10, 300_000))?;
    Ok(None)
}

async fn copied_mark(lab: &Lab) -> CaseResult {
    let snapshot = prepare(lab, "s-1").await?;
    let request = lab.file_clone("c-1", &snapshot, "web-t", &["disk"]);
    lab.clone_files(&request).await?;
    // An administrator copies the clone, and later asks for a removal that names the copy.
    lab.bench.copy(0, "web-t", "kept")?;
    let mut removal = lab.file_clone_removal(&request);
    removal.targets[0].directory = "kept".to_owned();
    let removed = lab.remove_files(&removal).await;
    ensure!(
        matches!(&removed, Err(error) if matches!(error.reason, Reason::NotOurs | Reason::KeyReused)),
        "{removed:?}"
    );
    lab.expect_live(0, "kept/disk", &pattern(10, 300_000))?;
    lab.remove_files(&lab.file_clone_removal(&request)).await?;
    lab.expect_live(0, "kept/disk", &pattern(10, 300_000))?;
    Ok(None)
}

async fn moved_away(lab: &Lab) -> CaseResult {
    let snapshot = prepare(lab, "s-1").await?;
    let request = lab.file_clone("c-1", &snapshot, "web-t", &["disk"]);
    lab.clone_files(&request).await?;
    lab.bench.remove(0, "web-t")?;
    lab.remove_files(&lab.file_clone_removal(&request)).await?;
    same("owned clones", clones_owned(lab).await?, 0)?;
    Ok(None)
}

async fn outlives_its_snapshot(lab: &Lab) -> CaseResult {
    let snapshot = prepare(lab, "s-1").await?;
    let request = lab.file_clone("c-1", &snapshot, "web-t", &["disk"]);
    lab.clone_files(&request).await?;
    lab.remove(&lab.removal("s-1", &[0])).await?;
    lab.expect_live(0, "web-t/disk", &pattern(10, 300_000))?;
    lab.clone_files(&request).await?;
    Ok(None)
}

async fn is_listed(lab: &Lab) -> CaseResult {
    let snapshot = prepare(lab, "s-1").await?;
    lab.clone_files(&lab.file_clone("c-1", &snapshot, "web-t", &["disk"])).await?;
    let owned = lab.owned(None).await?;
    let clone = owned.iter().find(|owned| owned.kind == OwnedKind::FileClone);
    same("key", clone.map(|owned| owned.mark.key.as_str()), Some("c-1"))?;
    same("name", clone.map(|owned| owned.native_name.as_str()), Some("web-t"))?;
    Ok(None)
}

async fn clones_owned(lab: &Lab) -> anyhow::Result<usize> {
    Ok(lab.owned(None).await?.iter().filter(|owned| owned.kind == OwnedKind::FileClone).count())
}
