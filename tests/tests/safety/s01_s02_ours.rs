//! S1: the safety point survives. S2: only what is ours is removed.

use super::{BLOCK, done, refused};
use strata_proto::strata::{
    common::v1::Mark,
    storage::v1::{
        EnsureSnapshotRequest, RemoveSnapshotRequest, SnapshotTarget, ensure_snapshot_response::Outcome,
        storage_service_client::StorageServiceClient,
    },
};
use strata_sim::world::compute::VmSpec;
use strata_tests::house::{ArrayKind, House, Side, on_each};

#[tokio::test]
async fn s01_safety_point_survives() -> anyhow::Result<()> {
    on_each(&ArrayKind::REVERTING, |array| async move {
        let house = House::builder().array(array).vm(VmSpec::named("web-01")).start().await?;
        house.write("web-01", &[1; BLOCK])?;
        let old = done(house.snapshot("web-01", |_| {}).await?)?;
        house.write("web-01", &[2; BLOCK])?;
        let newer = done(house.snapshot("web-01", |_| {}).await?)?;
        house.write("web-01", &[3; BLOCK])?;
        let reverted = done(house.revert("web-01", &old.name, |_| {}).await?)?;
        assert_eq!(house.read("web-01", BLOCK)?, [1; BLOCK]);
        house.check().await?;

        // The safety point and the point that is newer than the target can both be cloned still.
        for (snapshot, name, byte) in [(&reverted.safety_snapshot, "from-safety", 3), (&newer.name, "from-newer", 2)] {
            done(house.clone_of(snapshot, name, |_| {}).await?)?;
            assert_eq!(house.read(name, BLOCK)?, [byte; BLOCK], "{name}");
        }
        // And reverted to: the undo command of the plan holds its word.
        done(house.revert("web-01", &reverted.safety_snapshot, |_| {}).await?)?;
        assert_eq!(house.read("web-01", BLOCK)?, [3; BLOCK]);
        house.check().await
    })
    .await
}

#[tokio::test]
async fn s02_marks_of_strangers_are_never_removed() -> anyhow::Result<()> {
    on_each(&ArrayKind::CLONING, |array| async move {
        let house = House::builder().array(array).vm(VmSpec::named("web-01")).start().await?;
        house.write("web-01", &[1; BLOCK])?;
        let ours = done(house.snapshot("web-01", |_| {}).await?)?;
        let key = ours.name.trim_start_matches("snapshots/").to_owned();
        // Another installation on the same array, even under our own key of another object.
        let theirs = Mark { installation: "f".repeat(32), generation: 1 };
        let member = ours.members[0].clone();
        let mut storage = StorageServiceClient::new(house.ungated_storage.clone());
        let theirs_key = "s-0123456789ab";
        let request = EnsureSnapshotRequest {
            array: "arrays/array-1".into(),
            key: theirs_key.into(),
            label: "web-01".into(),
            mark: Some(theirs),
            targets: vec![SnapshotTarget {
                volume: member.volume.clone(),
                paths: vec!["web-01".into()],
                expected_volume_uuid: member.volume_uuid.clone(),
            }],
            skew_max_ms: 600_000,
            vm_off: true,
            resume: String::new(),
        };
        wait(|| storage.clone().ensure_snapshot_ready(request.clone())).await?;
        let before = house.owned().await?;
        assert_eq!(before.len(), 2);

        // Our mark does not open their object.
        let request = RemoveSnapshotRequest {
            array: "arrays/array-1".into(),
            key: theirs_key.into(),
            label: "web-01".into(),
            mark: Some(house.gateway.deps().mark()),
            volumes: vec![member.volume.clone()],
            resume: String::new(),
        };
        // Refused or taken for absent: what counts is that theirs is there.
        let _either = storage.remove_snapshot(request).await;
        assert_eq!(house.owned().await?.len(), 2, "theirs was removed");

        done(house.delete_snapshot(&ours.name).await?)?;
        let left: Vec<String> = house.owned().await?.into_iter().map(|owned| owned.key).collect();
        assert_eq!(left, [theirs_key], "ours ({key}) is gone and theirs is there");
        Ok(())
    })
    .await
}

/// Asks again while the array works.
async fn wait<F, A>(ask: F) -> anyhow::Result<()>
where
    F: Fn() -> A,
    A: Future<Output = anyhow::Result<bool>>,
{
    for _ in 0..1_000 {
        if ask().await? {
            return Ok(());
        }
        tokio::task::yield_now().await;
    }
    anyhow::bail!("the array never finished")
}

trait Ready {
    async fn ensure_snapshot_ready(self, request: EnsureSnapshotRequest) -> anyhow::Result<bool>;
}

impl Ready for StorageServiceClient<strata_kit::upstream::Upstream> {
    async fn ensure_snapshot_ready(mut self, request: EnsureSnapshotRequest) -> anyhow::Result<bool> {
        let answer = self.ensure_snapshot(request).await?.into_inner();
        Ok(matches!(answer.outcome, Some(Outcome::Snapshot(_))))
    }
}

#[tokio::test]
async fn s02_a_file_that_somebody_put_under_the_clones_name_is_not_touched() -> anyhow::Result<()> {
    on_each(&ArrayKind::REVERTING, |array| async move {
        let house = House::builder().array(array).vm(VmSpec::named("web-01")).start().await?;
        let snapshot = done(house.snapshot("web-01", |_| {}).await?)?;
        let tree = house.tree("ds1")?;
        let plant = move || {
            tree.create_dir_all("web-01-t")?;
            tree.write("web-01-t/precious.txt", 0, b"not ours")
        };
        // Between plan and effect: the array refuses, and the way back does not stumble over it.
        let mut once = true;
        let planted = plant.clone();
        house.gate.hook(move |method, side| {
            if method == "EnsureClone" && side == Side::Before && std::mem::take(&mut once) {
                planted().expect("planted");
            }
            Ok(())
        });
        let before = house.picture().await?;
        refused(house.clone_of(&snapshot.name, "web-01-t", |_| {}).await?, "NOT_OURS", &["web-01-t"])?;
        house.gate.open();
        before.expect_only(&house.picture().await?, &["file ds1/web-01-t/ is new", "precious.txt is new"])?;
        house.check().await?;

        // Before the plan: it is said at once.
        plant()?;
        let before = house.picture().await?;
        let words = ["[ds1] web-01-t/", "precious.txt", "--name"];
        refused(house.clone_of(&snapshot.name, "web-01-t", |_| {}).await?, "DIRECTORY_TAKEN", &words)?;
        before.expect_same(&house.picture().await?)?;
        house.check().await
    })
    .await
}

#[tokio::test]
async fn s02_deleting_twice_says_so() -> anyhow::Result<()> {
    let house = House::builder().array(ArrayKind::Reference).vm(VmSpec::named("web-01")).start().await?;
    let snapshot = done(house.snapshot("web-01", |_| {}).await?)?;
    done(house.delete_snapshot(&snapshot.name).await?)?;
    refused(house.delete_snapshot(&snapshot.name).await?, "SNAPSHOT_NOT_FOUND", &["strata snapshot list"])?;
    house.check().await
}
