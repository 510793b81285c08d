//! Files put back from a snapshot.

use super::case;
use crate::conformance::{
    Case, CaseResult,
    lab::{Lab, file, pattern, refused, same},
};
use anyhow::ensure;
use strata_model::ids::ArraySnapshotId;
use strata_storage_svc::driver::Reason;

pub(super) const CASES: &[Case] = &[
    case!("restore: a file that was moved aside comes back with its old bytes", [RestoreFiles], comes_back),
    case!("restore: a file that exists is left alone and told as present", [RestoreFiles], existing_is_left_alone),
    case!("restore: into another name and a directory that is missing", [RestoreFiles], into_another_name),
    case!("restore: another uuid than expected is VolumeReplaced (S5)", [RestoreFiles], other_uuid),
    case!("restore: an unknown snapshot or file is NotFound and restores nothing", [RestoreFiles], unknown_source),
    case!("restore: paths that lead out of the volume are refused", [RestoreFiles], paths_that_lead_out),
    case!("restore: the neighbours are unchanged and the snapshot can be used again", [RestoreFiles], neighbours),
];

async fn comes_back(lab: &Lab) -> CaseResult {
    let old = pattern(30, 250_000);
    lab.bench.write(0, "vm/disk", &old)?;
    lab.bench.write(0, "vm/disk2", b"second")?;
    let snapshot = lab.snapshot("s-1").await?;
    for name in ["vm/disk", "vm/disk2"] {
        lab.bench.remove(0, name)?;
    }
    let files = vec![file("vm/disk", "vm/disk"), file("vm/disk2", "vm/disk2")];
    let restored = lab.restore(&lab.restore_request("r-1", &snapshot, files)).await?;
    same("present", restored.iter().map(|file| file.present).collect::<Vec<_>>(), vec![false, false])?;
    same("paths", restored.iter().map(|file| file.path.as_str()).collect::<Vec<_>>(), vec!["vm/disk", "vm/disk2"])?;
    lab.expect_live(0, "vm/disk", &old)?;
    lab.expect_live(0, "vm/disk2", b"second")?;
    same("files", lab.bench.list(0, "vm")?, vec!["disk".to_owned(), "disk2".to_owned()])?;
    lab.expect_no_leftovers()?;
    Ok(None)
}

async fn existing_is_left_alone(lab: &Lab) -> CaseResult {
    lab.bench.write(0, "vm/disk", b"old")?;
    lab.bench.write(0, "vm/gone", b"gone")?;
    let snapshot = lab.snapshot("s-1").await?;
    lab.bench.write(0, "vm/disk", b"precious")?;
    lab.bench.remove(0, "vm/gone")?;
    let files = vec![file("vm/disk", "vm/disk"), file("vm/gone", "vm/gone")];
    let request = lab.restore_request("r-1", &snapshot, files);
    let restored = lab.restore(&request).await?;
    same("present", restored.iter().map(|file| file.present).collect::<Vec<_>>(), vec![true, false])?;
    lab.expect_live(0, "vm/disk", b"precious")?;
    lab.expect_live(0, "vm/gone", b"gone")?;
    let again = lab.restore(&request).await?;
    same("present", again.iter().map(|file| file.present).collect::<Vec<_>>(), vec![true, true])?;
    Ok(None)
}

async fn into_another_name(lab: &Lab) -> CaseResult {
    lab.bench.write(0, "vm/disk", b"old")?;
    let snapshot = lab.snapshot("s-1").await?;
    let files = vec![file("vm/disk", "rescue/größe @ 1/disk")];
    lab.restore(&lab.restore_request("r-1", &snapshot, files)).await?;
    lab.expect_live(0, "rescue/größe @ 1/disk", b"old")?;
    lab.expect_live(0, "vm/disk", b"old")?;
    Ok(None)
}

async fn other_uuid(lab: &Lab) -> CaseResult {
    lab.bench.write(0, "vm/disk", b"old")?;
    let snapshot = lab.snapshot("s-1").await?;
    lab.bench.remove(0, "vm/disk")?;
    let mut request = lab.restore_request("r-1", &snapshot, vec![file("vm/disk", "vm/disk")]);
    request.expected_uuid = Some("another".to_owned());
    refused(lab.restore(&request).await, Reason::VolumeReplaced)?;
    lab.expect_absent(0, "vm/disk")?;
    Ok(None)
}

async fn unknown_source(lab: &Lab) -> CaseResult {
    lab.bench.write(0, "vm/disk", b"old")?;
    let snapshot = lab.snapshot("s-1").await?;
    lab.bench.remove(0, "vm/disk")?;
    let files = vec![file("vm/disk", "vm/disk"), file("vm/nope", "vm/nope")];
    let mut request = lab.restore_request("r-1", &snapshot, files);
    refused(lab.restore(&request).await, Reason::NotFound)?;
    lab.expect_absent(0, "vm/disk")?;
    request.snapshot = ArraySnapshotId::from("00000000-0000-4000-8000-000000000000");
    refused(lab.restore(&request).await, Reason::NotFound)?;
    lab.expect_no_leftovers()?;
    Ok(None)
}

async fn paths_that_lead_out(lab: &Lab) -> CaseResult {
    lab.bench.write(0, "vm/disk", b"old")?;
    let snapshot = lab.snapshot("s-1").await?;
    for to in ["../ds-1/disk", "/tmp/disk", "vm/../../disk", ""] {
        let request = lab.restore_request("r-1", &snapshot, vec![file("vm/disk", to)]);
        refused(lab.restore(&request).await, Reason::UnsafePath)?;
    }
    lab.expect_absent(1, "disk")?;
    if lab.bench.symlink(0, "../ds-1", "out")? {
        let request = lab.restore_request("r-2", &snapshot, vec![file("vm/disk", "out/disk")]);
        refused(lab.restore(&request).await, Reason::UnsafePath)?;
        lab.expect_absent(1, "disk")?;
    }
    Ok(None)
}

async fn neighbours(lab: &Lab) -> CaseResult {
    lab.bench.write(0, "vm/disk", b"old")?;
    lab.bench.write(0, "neighbour/disk", b"then")?;
    let snapshot = lab.snapshot("s-1").await?;
    lab.bench.write(0, "neighbour/disk", b"now")?;
    for round in 0..3 {
        lab.bench.remove(0, "vm/disk")?;
        let request = lab.restore_request(&format!("r-{round}"), &snapshot, vec![file("vm/disk", "vm/disk")]);
        ensure!(!lab.restore(&request).await?[0].present, "told as present");
        lab.expect_live(0, "vm/disk", b"old")?;
        lab.expect_live(0, "neighbour/disk", b"now")?;
        lab.bench.write(0, "vm/disk", b"new")?;
    }
    same("snapshots", lab.list(0).await?.len(), 1)?;
    Ok(None)
}
