//! A cluster that takes long: its manager answers 202 after some seconds and goes on by itself.

use crate::cluster_with_clones_of;
use http::Method;
use std::sync::Arc;
use strata_storage_svc::driver::{Progress, RestoreRequest, SnapshotRequest};
use strata_tests::{
    ceph::Cluster,
    conformance::{bench::Bench as _, lab::Lab, rows::ceph::CephBench},
};

/// The cluster's disks stand still from just before this call on.
fn stand_still(bench: &CephBench, cluster: &Arc<Cluster>, is_hit: fn(&str) -> bool) {
    let cluster = Arc::clone(cluster);
    bench.hurt().before(Method::POST, is_hit, move || {
        cluster.ceph(&["osd", "set", "pause"]).unwrap();
    });
}

fn resume_of<T: std::fmt::Debug>(progress: Progress<T>) -> String {
    match progress {
        Progress::Pending { resume, .. } => resume,
        Progress::Ready(value) => panic!("done at once: {value:?}"),
    }
}

#[tokio::test]
async fn a_slow_snapshot_is_pending_until_its_task_is_over() {
    let Some(guard) = cluster_with_clones_of(2).await else { return };
    let cluster = guard.cluster();
    let bench = CephBench::new(guard.cluster()).unwrap();
    bench.write(0, "vm/disk", b"old").unwrap();
    stand_still(&bench, &cluster, |path| path.ends_with("/snap"));
    let lab = Lab::new(Box::new(bench));
    let request = lab.snapshot_request("s-slow", &[0]);
    let resume = resume_of(lab.driver().ensure_snapshot(&request).await.unwrap());
    let again = SnapshotRequest { resume: Some(resume.clone()), ..request.clone() };
    assert_eq!(resume_of(lab.driver().ensure_snapshot(&again).await.unwrap()), resume, "while it stands still");
    // A service that started anew goes on with what was journalled.
    let restarted = lab.bench.restart();
    assert_eq!(resume_of(restarted.ensure_snapshot(&again).await.unwrap()), resume);
    cluster.ceph(&["osd", "unset", "pause"]).unwrap();
    let made = lab.ensure_by(&restarted, &again).await.unwrap();
    assert_eq!(lab.ensure(&request).await.unwrap(), made, "without the task, by its name");
    assert_eq!(lab.list(0).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_slow_roll_back_is_done_once() {
    let Some(guard) = cluster_with_clones_of(2).await else { return };
    let cluster = guard.cluster();
    let bench = CephBench::new(guard.cluster()).unwrap();
    bench.write(0, "vm/disk", b"old").unwrap();
    stand_still(&bench, &cluster, |path| path.ends_with("/rollback"));
    let lab = Lab::new(Box::new(bench));
    let snapshot = lab.snapshot("s-1").await.unwrap();
    lab.bench.write(0, "vm/disk", b"new").unwrap();
    let request = lab.rollback("r-slow", &snapshot);
    let restore = lab.driver().volume_restore().unwrap();
    let resume = resume_of(restore.restore_volume(&request).await.unwrap());
    cluster.ceph(&["osd", "unset", "pause"]).unwrap();
    let again = RestoreRequest { resume: Some(resume.clone()), ..request };
    while let Progress::Pending { ask_again_after, .. } = restore.restore_volume(&again).await.unwrap() {
        lab.bench.pass_time(ask_again_after);
    }
    lab.expect_live(0, "vm/disk", b"old").unwrap();
    // Whoever lost the answer and asks again must not undo what was written since.
    lab.bench.write(0, "vm/disk", b"since").unwrap();
    assert_eq!(restore.restore_volume(&again).await.unwrap(), Progress::Ready(()));
    lab.expect_live(0, "vm/disk", b"since").unwrap();
}
