//! Arrays that work by jobs: what was begun is waited for, across a restart of the gateway and while undoing.

use super::{BLOCK, done, refused};
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};
use strata_proto::{
    google::longrunning::Operation,
    strata::{
        common::v1::Grade,
        gateway::v1::{self as pb, snapshot_service_client::SnapshotServiceClient},
    },
};
use strata_saga::{Point, StepError};
use strata_sim::world::compute::{DiskSpec, VmSpec};
use strata_tests::house::{ArrayKind, Finished, House, Side};
use tokio::sync::Notify;

/// How long the array takes in the test of a restart, in milliseconds: longer than the restart.
const JOB_DELAY_MS: u64 = 1_500;

/// Counts the calls of a method, and tells when the first one was answered.
fn count(house: &House, wanted: &'static str) -> (Arc<AtomicUsize>, Arc<Notify>) {
    let (calls, answered) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
    let (counted, told) = (calls.clone(), answered.clone());
    house.gate.hook(move |method, side| {
        if method == wanted && side == Side::After {
            counted.fetch_add(1, Ordering::SeqCst);
            told.notify_one();
        }
        Ok(())
    });
    (calls, answered)
}

#[tokio::test]
async fn a_restart_waits_for_the_job_of_the_cut_and_begins_no_second() -> anyhow::Result<()> {
    let house = House::builder().array(ArrayKind::ReferenceByJobs).vm(VmSpec::named("web-01").on()).start().await?;
    house.write("web-01", &[1; BLOCK])?;
    house.world.array("nas-1")?.behave(|behaviour| behaviour.job_delay_ms = JOB_DELAY_MS)?;
    let (calls, answered) = count(&house, "EnsureSnapshot");
    let request =
        pb::CreateSnapshotRequest { vm: house.vm("web-01").await?, grade: Grade::Crash.into(), ..Default::default() };
    let begun = SnapshotServiceClient::new(house.upstream.clone()).create_snapshot(request).await?.into_inner();
    answered.notified().await;
    let house = house.restart().await?;
    let before = calls.load(Ordering::SeqCst);
    let name = begun.name.clone();
    let ended = house.finish(Ok(tonic::Response::new(Operation { name, ..Operation::default() }))).await?;
    assert!(matches!(ended, Finished::Well(_)), "{ended:?}");
    assert!(calls.load(Ordering::SeqCst) > before, "it was waited for after the restart");
    let jobs = house.world.array("nas-1")?.jobs()?;
    let cuts: Vec<_> = jobs.iter().filter(|job| job.description.contains("snapshot")).collect();
    assert_eq!(cuts.len(), 1, "{cuts:?}");
    house.gate.open();
    house.check().await
}

#[tokio::test]
async fn the_undo_of_restored_files_waits_for_the_arrays_jobs() -> anyhow::Result<()> {
    let spec = VmSpec { disks: vec![DiskSpec::of(1 << 20), DiskSpec::of(1 << 20)], ..VmSpec::named("web-01") };
    let house = House::builder().array(ArrayKind::ReferenceByJobs).vm(spec).start().await?;
    house.write("web-01", &[1; BLOCK])?;
    let snapshot = done(house.snapshot("web-01", |_| {}).await?)?;
    house.write("web-01", &[2; BLOCK])?;
    let before = house.picture().await?;
    // The restore breaks off when the descriptor of the first disk is there and its extent is not: vCenter moves only whole
    // disks, so the undo lets the array make the rest first.
    let (calls, tree, world) = (Arc::new(AtomicUsize::new(0)), house.tree("ds1")?, house.world.clone());
    let (counted, mut broken) = (calls.clone(), false);
    house.gate.hook(move |method, side| {
        if method != "RestoreFiles" || side == Side::Before {
            return Ok(());
        }
        counted.fetch_add(usize::from(broken), Ordering::SeqCst);
        if broken || tree.stat("web-01/web-01.vmdk").is_err() {
            return Ok(());
        }
        broken = true;
        // The job that makes the extent ends, and what it made is lost.
        world.settle();
        tree.remove("web-01/web-01-flat.vmdk").map_err(|error| tonic::Status::internal(error.to_string()))?;
        Err(tonic::Status::failed_precondition("the test broke it off"))
    });
    let error = house.revert("web-01", &snapshot.name, |_| {}).await?.expect_err("it was broken off");
    assert!(error.message.contains("broke it off"), "{error:?}");
    house.gate.open();
    assert!(calls.load(Ordering::SeqCst) >= 2, "the undo asked the array again until it was done");
    before.expect_same(&house.picture().await?)?;
    assert_eq!(house.read("web-01", BLOCK)?, [2; BLOCK]);
    house.check().await
}

#[tokio::test]
async fn a_revert_by_jobs_that_fails_late_is_taken_back() -> anyhow::Result<()> {
    for step in ["restore_files", "change_tracking", "reload"] {
        let house = House::builder().array(ArrayKind::ReferenceByJobs).vm(VmSpec::named("web-01")).start().await?;
        house.write("web-01", &[1; BLOCK])?;
        let snapshot = done(house.snapshot("web-01", |_| {}).await?)?;
        house.write("web-01", &[2; BLOCK])?;
        let before = house.picture().await?;
        let lost = StepError::permanent("INJECTED", "the test made this step fail").ambiguous();
        house.hurt.next(step, Point::EffectDone, lost);
        refused(house.revert("web-01", &snapshot.name, |_| {}).await?, "INJECTED", &[])?;
        before.expect_same(&house.picture().await?).map_err(|error| anyhow::anyhow!("{step}: {error:#}"))?;
        assert_eq!(house.read("web-01", BLOCK)?, [2; BLOCK], "{step}");
        house.check().await?;
    }
    Ok(())
}
