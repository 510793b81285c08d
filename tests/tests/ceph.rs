//! The Ceph driver against a real Ceph: the conformance suite on clones of both formats, and what only a Ceph does.
//! `cargo test -p strata-tests --test ceph -- --nocapture` prints the reports.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "the report is what this test is for; clippy takes helpers in tests/ for production code"
)]

mod ceph {
    pub mod ending;
    pub mod quirks;
    pub mod slow;
}

use std::sync::Arc;
use strata_tests::{
    ceph::{Cluster, lacking},
    conformance::{Need, report, rows::Row, rows::ceph::CephRow},
    peers,
};
use tokio::sync::{Mutex, MutexGuard};

/// One cluster for the process, and one test at a time: some change what all see.
static CLUSTER: Mutex<Option<Arc<Cluster>>> = Mutex::const_new(None);

/// The cluster, as long as the guard lives.
pub struct Guard(MutexGuard<'static, Option<Arc<Cluster>>>);

impl Guard {
    /// The cluster.
    pub fn cluster(&self) -> Arc<Cluster> {
        Arc::clone(self.0.as_ref().unwrap())
    }
}

/// `None` after having said why.
pub async fn cluster_with_clones_of(format: u32) -> Option<Guard> {
    if let Some(why) = lacking() {
        peers::skip(&why);
        return None;
    }
    let mut guard = CLUSTER.lock().await;
    if guard.is_none() {
        *guard = Some(Arc::new(Cluster::start().unwrap()));
    }
    let guard = Guard(guard);
    guard.cluster().allow_all().unwrap();
    guard.cluster().make_clones_of_format(format).unwrap();
    Some(guard)
}

async fn judge(clone_format: u32, passed_min: usize, is_wanted: impl Fn(&strata_tests::conformance::Case) -> bool) {
    let Some(guard) = cluster_with_clones_of(clone_format).await else { return };
    let row = CephRow { cluster: guard.cluster(), clone_format };
    let report = report::run_some(&row, is_wanted).await;
    println!("{}", report.text(&row.name()));
    assert!(report.failed.is_empty(), "{}", report.text(&row.name()));
    assert!(report.passed.len() >= passed_min, "only {} cases ran", report.passed.len());
}

#[tokio::test]
async fn conforms() {
    judge(2, 60, |_| true).await;
}

/// What has nothing to do with clones is the same for both formats.
#[tokio::test]
async fn conforms_where_clones_need_a_protected_snapshot() {
    judge(1, 14, |case| case.needs.contains(&Need::CloneVolume)).await;
}
