//! Every driver against every case of the contract. `cargo test -p strata-tests --test conformance -- --nocapture` prints the
//! report; a machine that cannot mount images says which rows it skipped.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "the report is what this test is for; clippy takes helpers in tests/ for production code"
)]

use strata_sim::skins::ontap::Release;
use strata_tests::conformance::{
    report::run_row,
    rows::{
        Row,
        filer::FilerRow,
        image::Image,
        ontap::{Holds, Login, OntapRow},
        reference::ReferenceRow,
    },
};

async fn judge(row: &dyn Row) {
    let report = run_row(row).await;
    println!("{}", report.text(&row.name()));
    assert!(report.failed.is_empty(), "\n{}", report.text(&row.name()));
    assert!(report.passed.len() >= 30, "only {} cases ran on {}", report.passed.len(), row.name());
}

/// Runs a row on an image, or says why not.
async fn on_image(name: &str, mkfs: &[&str], subvolumes: bool) {
    match Image::mount(mkfs, 400 << 20) {
        Ok(image) => judge(&FilerRow::new(name, &image.path(), subvolumes, true)).await,
        Err(error) => println!("SKIPPED: {name}: {error:#}"),
    }
}

#[tokio::test]
async fn filer_on_btrfs() {
    on_image("filer on btrfs", &["mkfs.btrfs", "-q"], true).await;
}

#[tokio::test]
async fn filer_on_btrfs_without_subvolumes() {
    on_image("filer on btrfs without subvolumes", &["mkfs.btrfs", "-q"], false).await;
}

#[tokio::test]
async fn filer_on_xfs() {
    on_image("filer on XFS", &["mkfs.xfs", "-q", "-m", "reflink=1"], false).await;
}

#[tokio::test]
async fn filer_on_ext4() {
    on_image("filer on ext4", &["mkfs.ext4", "-q", "-F"], false).await;
}

#[tokio::test]
async fn filer_on_a_plain_directory() {
    let dir = tempfile::tempdir().unwrap();
    judge(&FilerRow::new("filer on a directory of this machine", dir.path(), false, false)).await;
}

/// Each line is a row: what its name says, and the switches for it.
#[tokio::test]
async fn reference_with_its_switches() {
    let rows = [
        ReferenceRow { name: "a good modern NAS", turn: |_| {} },
        ReferenceRow { name: "asynchronous", turn: |it| (it.jobs_async, it.job_delay_ms) = (true, 1200) },
        ReferenceRow {
            name: "no groups, no clones of files",
            turn: |it| (it.group_snapshots, it.file_clones) = (false, false),
        },
        ReferenceRow {
            name: "no groups, asynchronous, small pages",
            turn: |it| {
                (it.group_snapshots, it.jobs_async, it.job_delay_ms, it.page_max) = (false, true, 700, 2);
            },
        },
        ReferenceRow {
            name: "clones carry snapshots and do not pin them",
            turn: |it| (it.clones_carry_snapshot, it.clones_pin_snapshots) = (true, false),
        },
        ReferenceRow { name: "pages of one, four sessions", turn: |it| (it.page_max, it.sessions_max) = (1, 4) },
        ReferenceRow { name: "restores eat newer snapshots", turn: |it| it.restore_eats_newer = true },
    ];
    for row in &rows {
        judge(row).await;
    }
}

/// Releases, accounts, and the bad habits of each.
fn ontap_rows(holds: Holds) -> Vec<OntapRow> {
    let row = |name, release, login| OntapRow { holds, name, release, login, turn: |_| {}, job_delay_ms: 0 };
    vec![
        row("an account of the SVM", Release::V9_8, Login::Svm),
        row("the least role of the cluster", Release::V9_10_1, Login::Cluster),
        row("through the tunnel to the SVM", Release::V9_14_1, Login::Tunnel),
        OntapRow {
            turn: |it| (it.polls_running, it.early_checks, it.empty_last_page) = (2, true, true),
            job_delay_ms: 4000,
            ..row("slow jobs, early checks, an empty last page", Release::V9_12_1, Login::Svm)
        },
        OntapRow {
            turn: |it| (it.share_window_ms, it.clone_keeps_policy, it.queue_pins) = (2000, true, false),
            ..row("blocks that are being shared, clones that keep the policy", Release::V9_17_1, Login::Cluster)
        },
    ]
}

#[tokio::test]
async fn ontap_with_files() {
    for row in ontap_rows(Holds::Files) {
        judge(&row).await;
    }
}

#[tokio::test]
async fn ontap_with_luns() {
    for row in ontap_rows(Holds::Luns) {
        judge(&row).await;
    }
}
