//! Full, read-only, too large.

use super::case;
use crate::conformance::{
    Case, CaseResult,
    lab::{Lab, file, id_of, refused, same},
};
use anyhow::ensure;
use strata_storage_svc::driver::{READ_BYTES_MAX, Reason};

pub(super) const CASES: &[Case] = &[
    case!("limits: a full array refuses or does, and leaves nothing half", [], full),
    case!("limits: a read-only volume is told so, and nothing is made of it", [], read_only),
    case!("limits: a file beyond the limit of reading is refused", [ReadFiles], large_file),
    case!("limits: a directory is not read as a file", [ReadFiles], directory_is_no_file),
];

async fn full(lab: &Lab) -> CaseResult {
    lab.bench.write(0, "vm/disk", &vec![7; 400_000])?;
    if !lab.bench.fill_space()? {
        return Ok(Some("space that may be filled".to_owned()));
    }
    let request = lab.snapshot_request("s-full", &[0]);
    let made = lab.ensure(&request).await;
    lab.bench.free_space()?;
    match made {
        // Sharing needs next to no space.
        Ok(_) => same("snapshots", lab.list(0).await?.len(), 1)?,
        Err(error) => {
            ensure!(error.reason == Reason::NoSpace, "{:?}: {error}", error.reason);
            same("snapshots", lab.list(0).await?.len(), 0)?;
            lab.expect_no_leftovers()?;
        }
    }
    let snapshot = lab.ensure(&request).await?;
    let id = id_of(&snapshot, &lab.bench.volume(0));
    let held = lab.held(0, &id, "vm/disk").await?;
    ensure!(held == vec![7; 400_000], "the snapshot is not whole");
    Ok(None)
}

async fn read_only(lab: &Lab) -> CaseResult {
    lab.bench.write(0, "vm/disk", b"one")?;
    let snapshot = lab.snapshot("s-before").await?;
    if !lab.bench.set_read_only(0)? {
        return Ok(Some("read-only volumes".to_owned()));
    }
    same("read_write", lab.driver().volume(&lab.bench.volume(0)).await?.read_write, false)?;
    refused(lab.ensure(&lab.snapshot_request("s-ro", &[0])).await, Reason::ReadOnly)?;
    if lab.driver().file_restore().is_some() {
        let request = lab.restore_request("r-1", &snapshot, vec![file("vm/disk", "vm/disk2")]);
        refused(lab.restore(&request).await, Reason::ReadOnly)?;
    }
    if lab.driver().file_clones().is_some() {
        refused(lab.clone_files(&lab.file_clone("c-1", &snapshot, "web-t", &["disk"])).await, Reason::ReadOnly)?;
    }
    Ok(None)
}

async fn large_file(lab: &Lab) -> CaseResult {
    let most = usize::try_from(READ_BYTES_MAX)?;
    lab.bench.write(0, "vm/fits", &vec![1; most])?;
    lab.bench.write(0, "vm/large", &vec![1; most + 1])?;
    let snapshot = lab.snapshot("s-large").await?;
    let (volume, id) = (lab.bench.volume(0), id_of(&snapshot, &lab.bench.volume(0)));
    same("bytes", lab.driver().read_snapshot_file(&volume, &id, "vm/fits").await?.len(), most)?;
    refused(lab.driver().read_snapshot_file(&volume, &id, "vm/large").await, Reason::InvalidRequest)?;
    Ok(None)
}

async fn directory_is_no_file(lab: &Lab) -> CaseResult {
    lab.bench.write(0, "vm/sub/disk", b"one")?;
    let snapshot = lab.snapshot("s-dir").await?;
    let (volume, id) = (lab.bench.volume(0), id_of(&snapshot, &lab.bench.volume(0)));
    refused(lab.driver().read_snapshot_file(&volume, &id, "vm/sub").await, Reason::InvalidRequest)?;
    Ok(None)
}
