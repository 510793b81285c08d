//! What was interrupted, and answers that were lost.

use super::case;
use crate::conformance::{
    Case, CaseResult,
    lab::{Lab, file, id_of, native_name, pattern, same},
};
use anyhow::ensure;
use strata_storage_svc::naming;

pub(super) const CASES: &[Case] = &[
    case!("crash: a snapshot interrupted in the middle is whole after the repeat", [], interrupted_snapshot),
    case!("crash: what an interrupted snapshot left goes with its removal", [], interrupted_then_removed),
    case!("crash: a clone interrupted in the middle is whole after the repeat", [CloneFiles], interrupted_clone),
    case!("crash: a restore interrupted in the middle is whole after the repeat", [RestoreFiles], interrupted_restore),
    case!("lost answer: the repeat of a snapshot finds it", [], lost_answer_of_snapshot),
    case!("lost answer: the repeat of a removal succeeds", [], lost_answer_of_removal),
    case!("lost answer: the repeat of a file clone finds it", [CloneFiles], lost_answer_of_file_clone),
    case!("lost answer: the repeat of a volume clone finds it", [CloneVolume], lost_answer_of_volume_clone),
    case!("restart: everything made before is found, read and removed", [], after_a_restart),
];

fn name(lab: &Lab, key: &str) -> String {
    naming::render(&lab.driver().capabilities().snapshot_names, key, "web-01")
}

async fn interrupted_snapshot(lab: &Lab) -> CaseResult {
    lab.bench.write(0, "vm/disk", &pattern(40, 50_000))?;
    if !lab.bench.plant_partial_snapshot(0, &name(lab, "s-half"))? {
        return Ok(Some("partial snapshots".to_owned()));
    }
    same("listed before", lab.list(0).await?.len(), 0)?;
    let snapshot = lab.snapshot("s-half").await?;
    let id = id_of(&snapshot, &lab.bench.volume(0));
    let held = lab.held(0, &id, "vm/disk").await?;
    ensure!(held == pattern(40, 50_000), "the snapshot holds what the crash left");
    lab.expect_no_leftovers()?;
    Ok(None)
}

async fn interrupted_then_removed(lab: &Lab) -> CaseResult {
    lab.bench.write(0, "vm/disk", b"one")?;
    if !lab.bench.plant_partial_snapshot(0, &name(lab, "s-half"))? {
        return Ok(Some("partial snapshots".to_owned()));
    }
    lab.remove(&lab.removal("s-half", &[0])).await?;
    lab.expect_no_leftovers()?;
    Ok(None)
}

async fn interrupted_clone(lab: &Lab) -> CaseResult {
    lab.bench.write(0, "vm/disk", &pattern(41, 50_000))?;
    let snapshot = lab.snapshot("s-1").await?;
    let request = lab.file_clone("c-half", &snapshot, "web-t", &["disk"]);
    // A directory of ours with a file less, moved to where an interrupted clone is built.
    lab.clone_files(&request).await?;
    lab.bench.copy(0, "web-t", ".strata-partial-c-half")?;
    lab.bench.write(0, ".strata-partial-c-half/disk", b"half")?;
    lab.bench.remove(0, "web-t")?;
    lab.clone_files(&request).await?;
    lab.expect_live(0, "web-t/disk", &pattern(41, 50_000))?;
    lab.remove_files(&lab.file_clone_removal(&request)).await?;
    lab.expect_absent(0, "web-t/disk")?;
    Ok(None)
}

async fn interrupted_restore(lab: &Lab) -> CaseResult {
    lab.bench.write(0, "vm/disk", &pattern(42, 50_000))?;
    let snapshot = lab.snapshot("s-1").await?;
    lab.bench.remove(0, "vm/disk")?;
    lab.bench.write(0, "vm/.strata-restore-r-half-0", b"half")?;
    let request = lab.restore_request("r-half", &snapshot, vec![file("vm/disk", "vm/disk")]);
    lab.restore(&request).await?;
    lab.expect_live(0, "vm/disk", &pattern(42, 50_000))?;
    Ok(None)
}

async fn lost_answer_of_snapshot(lab: &Lab) -> CaseResult {
    lab.bench.write(0, "vm/disk", b"one")?;
    if !lab.bench.lose_answers("POST", "snapshots", 1) {
        return Ok(Some("a way to lose answers".to_owned()));
    }
    let request = lab.snapshot_request("s-lost", &[0]);
    let lost = lab.ensure(&request).await;
    ensure!(lost.is_err_and(|error| error.kind().is_ambiguous()), "the lost answer was told as something sure");
    // An array with jobs cuts later; the caller learns of it by repeating.
    lab.bench.pass_time(std::time::Duration::from_secs(10));
    lab.list(0).await?;
    lab.bench.write(0, "vm/disk", b"two")?;
    let snapshot = lab.ensure(&request).await?;
    let id = id_of(&snapshot, &lab.bench.volume(0));
    same("bytes", lab.held(0, &id, "vm/disk").await?, b"one".to_vec())?;
    same("snapshots", lab.list(0).await?.len(), 1)?;
    Ok(None)
}

async fn lost_answer_of_removal(lab: &Lab) -> CaseResult {
    lab.bench.write(0, "vm/disk", b"one")?;
    let made = lab.snapshot("s-lost").await?;
    if !lab.bench.lose_answers("DELETE", "snapshots", 1) {
        return Ok(Some("a way to lose answers".to_owned()));
    }
    let lost = lab.remove(&lab.removal("s-lost", &[0])).await;
    ensure!(lost.is_err_and(|error| error.kind().is_ambiguous()), "the lost answer was told as something sure");
    lab.remove(&lab.removal("s-lost", &[0])).await?;
    ensure!(!lab.bench.has_snapshot(0, &native_name(&made)?)?, "it is still there");
    Ok(None)
}

async fn lost_answer_of_file_clone(lab: &Lab) -> CaseResult {
    lab.bench.write(0, "vm/disk", b"one")?;
    lab.bench.write(0, "vm/web.vmx", b"x")?;
    let snapshot = lab.snapshot("s-1").await?;
    if !lab.bench.lose_answers("POST", "files", 1) {
        return Ok(Some("a way to lose answers".to_owned()));
    }
    let request = lab.file_clone("c-lost", &snapshot, "web-t", &["disk", "web.vmx"]);
    let lost = lab.clone_files(&request).await;
    ensure!(lost.is_err_and(|error| error.kind().is_ambiguous()), "the lost answer was told as something sure");
    lab.clone_files(&request).await?;
    lab.expect_live(0, "web-t/disk", b"one")?;
    lab.expect_live(0, "web-t/web.vmx", b"x")?;
    lab.remove_files(&lab.file_clone_removal(&request)).await?;
    lab.expect_absent(0, "web-t/disk")?;
    Ok(None)
}

async fn lost_answer_of_volume_clone(lab: &Lab) -> CaseResult {
    lab.bench.write(0, "vm/disk", b"one")?;
    let snapshot = lab.snapshot("s-1").await?;
    if !lab.bench.lose_answers("POST", "clones", 1) {
        return Ok(Some("a way to lose answers".to_owned()));
    }
    let request = lab.volume_clone("c-lost", &snapshot, &[0]);
    let lost = lab.clone_volumes(&request).await;
    ensure!(lost.is_err_and(|error| error.kind().is_ambiguous()), "the lost answer was told as something sure");
    let found = lab.clone_volumes(&request).await?;
    same("parts", found.len(), 1)?;
    let volumes = crate::conformance::lab::all_pages(|page| async move { lab.driver().volumes(&page).await }).await?;
    same("volumes", volumes.len(), 3)?;
    Ok(None)
}

async fn after_a_restart(lab: &Lab) -> CaseResult {
    lab.bench.write(0, "vm/disk", b"one")?;
    let snapshot = lab.snapshot("s-1").await?;
    let restarted = lab.bench.restart();
    let id = id_of(&snapshot, &lab.bench.volume(0));
    same("bytes", lab.held_by(&restarted, 0, &id, "vm/disk").await?, b"one".to_vec())?;
    lab.remove_by(&restarted, &lab.removal("s-1", &[0])).await?;
    same("left", lab.list(0).await?.len(), 0)?;
    Ok(None)
}
