//! What a Ceph does that no other array does; each was seen first and written down in the driver's README.

use crate::cluster_with_clones_of;
use std::{
    process::{Child, Stdio},
    time::Duration,
};
use strata_model::ids::VolumeId;
use strata_storage_svc::driver::{DriverError, Reason};
use strata_tests::conformance::{
    bench::Bench as _,
    lab::{Lab, native_name, refused},
    rows::ceph::CephBench,
};

/// The list of images may be half a minute old; what is not in it is not said to be nowhere.
fn told_to_ask_again<T: std::fmt::Debug>(answer: Result<T, DriverError>) {
    let error = refused(answer, Reason::Busy).unwrap();
    assert!(error.retry_after.is_some_and(|delay| delay > Duration::from_secs(30)), "{error:?}");
}

#[tokio::test]
async fn an_image_that_the_list_lacks_is_not_said_to_be_absent() {
    let Some(guard) = cluster_with_clones_of(2).await else { return };
    let cluster = guard.cluster();
    let bench = CephBench::new(guard.cluster()).unwrap();
    let (pool, driver) = (bench.pool().to_owned(), bench.driver());
    driver.volume(&bench.volume(0)).await.unwrap();
    let name = format!("{pool}/young");
    cluster.rbd(&["create", "--size", "8M", &name]).unwrap();
    let id = cluster.rbd_json(&["info", &name]).unwrap()["id"].as_str().unwrap().to_owned();
    let (pool_id, _) = bench.volume(0).0.split_once('.').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    told_to_ask_again(driver.volume(&VolumeId(format!("{pool_id}.{id}"))).await);
    // One that was renamed is in the list under its old name, and cannot be shown by that.
    let renamed = bench.volume(0);
    cluster.rbd(&["rename", &bench.spec(0), &format!("{pool}/renamed")]).unwrap();
    told_to_ask_again(driver.volume(&renamed).await);
    cluster.rbd(&["rename", &format!("{pool}/renamed"), &bench.spec(0)]).unwrap();
    assert_eq!(driver.volume(&renamed).await.unwrap().display_name, "ds-0");
}

#[tokio::test]
async fn an_image_that_the_dashboard_cannot_show_is_not_said_to_be_absent() {
    let Some(guard) = cluster_with_clones_of(2).await else { return };
    let cluster = guard.cluster();
    let bench = CephBench::new(guard.cluster()).unwrap();
    let (spec, pool) = (bench.spec(0), bench.pool().to_owned());
    let lab = Lab::new(Box::new(bench));
    lab.snapshot("s-1").await.unwrap();
    let child = format!("{pool}/by-hand");
    cluster.rbd(&["snap", "create", "--no-progress", &format!("{spec}@by-hand")]).unwrap();
    cluster.rbd(&["clone", &format!("{spec}@by-hand"), &child]).unwrap();
    cluster.rbd(&["snap", "rm", "--no-progress", &format!("{spec}@by-hand")]).unwrap();
    for _ in 0..2 {
        let error = refused(lab.driver().volume(&lab.bench.volume(0)).await, Reason::NotSupported).unwrap();
        assert!(error.message.contains(&spec) && error.message.contains("latten"), "{error}");
    }
    refused(lab.ensure(&lab.snapshot_request("s-2", &[0])).await, Reason::NotSupported).unwrap();
    refused(lab.remove(&lab.removal("s-1", &[0])).await, Reason::NotSupported).unwrap();
    cluster.rbd(&["flatten", "--no-progress", &child]).unwrap();
    lab.remove(&lab.removal("s-1", &[0])).await.unwrap();
    assert_eq!(lab.list(0).await.unwrap(), Vec::new());
}

#[tokio::test]
async fn a_clone_that_was_flattened_is_left_alone() {
    let Some(guard) = cluster_with_clones_of(2).await else { return };
    let cluster = guard.cluster();
    let bench = CephBench::new(guard.cluster()).unwrap();
    let pool = bench.pool().to_owned();
    let lab = Lab::new(Box::new(bench));
    let snapshot = lab.snapshot("s-1").await.unwrap();
    let request = lab.volume_clone("c-1", &snapshot, &[0]);
    let clone = lab.clone_volumes(&request).await.unwrap().pop().unwrap();
    cluster.rbd(&["flatten", "--no-progress", &format!("{pool}/{}", clone.volume.display_name)]).unwrap();
    refused(lab.remove_volumes(&request).await, Reason::NotOurs).unwrap();
    refused(lab.clone_volumes(&request).await, Reason::NotOurs).unwrap();
    assert_eq!(lab.driver().volume(&clone.volume.id).await.unwrap().clone_of, None);
}

/// A person's protection is a person's wish, where our clones need none.
#[tokio::test]
async fn a_snapshot_that_a_person_protected_is_left_alone() {
    let Some(guard) = cluster_with_clones_of(2).await else { return };
    let cluster = guard.cluster();
    let bench = CephBench::new(guard.cluster()).unwrap();
    let spec = bench.spec(0);
    let lab = Lab::new(Box::new(bench));
    let name = native_name(&lab.snapshot("s-1").await.unwrap()).unwrap();
    cluster.rbd(&["snap", "protect", &format!("{spec}@{name}")]).unwrap();
    let error = refused(lab.remove(&lab.removal("s-1", &[0])).await, Reason::HasDependents).unwrap();
    assert!(error.message.contains("rbd snap unprotect"), "{error}");
    cluster.rbd(&["snap", "unprotect", &format!("{spec}@{name}")]).unwrap();
    lab.remove(&lab.removal("s-1", &[0])).await.unwrap();
}

/// Ends the writer, and only it.
struct Writer(Child);

impl Drop for Writer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// S21, in the cluster's own words: the driver cannot see who has an image open, and the cluster refuses for it.
#[tokio::test]
async fn a_roll_back_under_a_client_that_writes_is_refused() {
    let Some(guard) = cluster_with_clones_of(2).await else { return };
    let cluster = guard.cluster();
    let bench = CephBench::new(guard.cluster()).unwrap();
    let spec = bench.spec(0);
    let lab = Lab::new(Box::new(bench));
    let snapshot = lab.snapshot("s-1").await.unwrap();
    let mut command = cluster.command("rbd");
    command.args([
        "bench",
        "--io-type",
        "write",
        "--io-pattern",
        "rand",
        "--io-size",
        "4096",
        "--io-total",
        "64G",
        &spec,
    ]);
    let writer = Writer(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
    // It has the lock once it writes.
    while !String::from_utf8(cluster.rbd(&["lock", "ls", &spec]).unwrap()).unwrap().contains("client.") {
        lab.bench.pass_time(Duration::from_millis(50));
    }
    let error = refused(lab.roll_back(&lab.rollback("r-1", &snapshot)).await, Reason::InUse).unwrap();
    assert!(error.message.contains("rbd lock ls"), "{error}");
    drop(writer);
}

#[tokio::test]
async fn mirrored_images_are_not_written() {
    let Some(guard) = cluster_with_clones_of(2).await else { return };
    let cluster = guard.cluster();
    let bench = CephBench::new(guard.cluster()).unwrap();
    let (pool, specs) = (bench.pool().to_owned(), [bench.spec(0), bench.spec(1)]);
    let lab = Lab::new(Box::new(bench));
    lab.snapshot("s-1").await.unwrap();
    cluster.rbd(&["mirror", "pool", "enable", &pool, "image"]).unwrap();
    // Mirrored to here: this version does not tell it, and its refusal does.
    cluster.rbd(&["mirror", "image", "enable", &specs[0], "journal"]).unwrap();
    cluster.rbd(&["mirror", "image", "demote", &specs[0]]).unwrap();
    refused(lab.ensure(&lab.snapshot_request("s-2", &[0])).await, Reason::ReadOnly).unwrap();
    refused(lab.remove(&lab.removal("s-1", &[0])).await, Reason::ReadOnly).unwrap();
    // Mirrored by snapshots: which of them have clones is not told.
    cluster.rbd(&["mirror", "image", "enable", &specs[1], "snapshot"]).unwrap();
    refused(lab.ensure(&lab.snapshot_request("s-3", &[1])).await, Reason::NotSupported).unwrap();
}
