//! What an array did after everybody had given up on it is removed at the next start.

use super::done;
use strata_gateway::{ledger::Stage, ports::Progress};
use strata_proto::strata::storage::v1::{EnsureSnapshotRequest, SnapshotTarget};
use strata_saga::{Point, StepError};
use strata_sim::world::compute::VmSpec;
use strata_tests::house::{ArrayKind, House};

#[tokio::test]
async fn a_snapshot_that_came_late_goes_at_the_next_start() -> anyhow::Result<()> {
    let house = House::builder().array(ArrayKind::Reference).vm(VmSpec::named("web-01")).start().await?;
    // One that stands, so that it can be seen to stay.
    done(house.snapshot("web-01", |_| {}).await?)?;
    let before = house.picture().await?;
    let lost = StepError::permanent("INJECTED", "the test made this step fail").ambiguous();
    house.hurt.next("array_snapshot", Point::EffectDone, lost);
    house.snapshot("web-01", |_| {}).await?.expect_err("it was made to fail");
    before.expect_same(&house.picture().await?)?;

    let deps = house.gateway.deps().clone();
    let unsure = |entry: &strata_gateway::ledger::OwnedEntry| entry.stage == Stage::AbsentUnconfirmed;
    let entry = deps.ledger.entries().await?.into_iter().find(unsure).expect("it may still come");
    let member = deps.catalog.points()?.remove(0).intent.members.remove(0);
    let late = EnsureSnapshotRequest {
        array: entry.array.clone(),
        key: entry.key.clone(),
        label: entry.label.clone(),
        mark: Some(deps.mark()),
        targets: vec![SnapshotTarget {
            volume: member.volume,
            paths: member.paths,
            expected_volume_uuid: member.volume_uuid,
        }],
        ..Default::default()
    };
    let made = deps.ports.storage.ensure_snapshot(late).await?;
    anyhow::ensure!(matches!(made, Progress::Ready(_)), "it came late");
    before.expect_same(&house.picture().await?).expect_err("it is there");
    drop(deps);

    let house = house.restart().await?;
    before.expect_same(&house.picture().await?)?;
    anyhow::ensure!(!house.gateway.deps().ledger.entries().await?.iter().any(unsure), "it is struck out");
    house.check().await
}
