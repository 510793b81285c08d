//! What lies on a clone's volumes is not lost with it.

use super::{done, refused};
use strata_sim::world::compute::VmSpec;
use strata_tests::house::{ArrayKind, House};

#[tokio::test]
async fn a_clones_restore_points_keep_it() -> anyhow::Result<()> {
    let house = House::builder().array(ArrayKind::ReferenceByVolume).vm(VmSpec::named("web-01")).start().await?;
    let snapshot = done(house.snapshot("web-01", |_| {}).await?)?;
    let clone = done(house.clone_of(&snapshot.name, "t", |_| {}).await?)?;
    let point = done(house.snapshot("t", |_| {}).await?)?;
    let second = done(house.clone_of(&point.name, "t2", |_| {}).await?)?;
    let before = house.picture().await?;
    refused(house.delete_clone(&clone.name, false).await?, "CLONE_HAS_SNAPSHOTS", &[&point.display_name, "t2"])?;
    before.expect_same(&house.picture().await?)?;
    done(house.delete_clone(&second.name, false).await?)?;
    refused(house.delete_clone(&clone.name, false).await?, "CLONE_HAS_SNAPSHOTS", &[&point.display_name])?;
    done(house.delete_snapshot(&point.name).await?)?;
    done(house.delete_clone(&clone.name, false).await?)?;
    house.check().await
}
