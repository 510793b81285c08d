//! Datastores of clones: found by what they lie on, and named so that vCenter takes the name.

use super::{done, refused};
use strata_sim::world::compute::VmSpec;
use strata_tests::house::{ArrayKind, House};

async fn house(name: &str) -> anyhow::Result<(House, String)> {
    let house = House::builder().array(ArrayKind::ReferenceByVolume).vm(VmSpec::named(name)).start().await?;
    let snapshot = done(house.snapshot(name, |_| {}).await?)?;
    Ok((house, snapshot.name))
}

fn rename(house: &House, prefix: &str, name: &str) {
    house.vcenter.with(|state| {
        let found = state.datastores.values_mut().find(|store| store.name.starts_with(prefix)).expect("the datastore");
        found.name = name.to_owned();
    });
}

#[tokio::test]
async fn s19_a_renamed_datastore_is_unmounted() -> anyhow::Result<()> {
    let (house, snapshot) = house("web-01").await?;
    let before = house.picture().await?;
    let clone = done(house.clone_of(&snapshot, "t", |_| {}).await?)?;
    // The VM's files follow the name, so it is taken out by hand first, as somebody might.
    let id = house.moref("t");
    house.vcenter.with(|state| state.vms.remove(&id));
    rename(&house, "strata-t-", "renamed");
    done(house.delete_clone(&clone.name, false).await?)?;
    before.expect_same(&house.picture().await?)?;
    house.check().await
}

#[tokio::test]
async fn long_names_fit() -> anyhow::Result<()> {
    let (house, snapshot) = house("web-01").await?;
    let name = "ü".repeat(60);
    let clone = done(house.clone_of(&snapshot, &name, |_| {}).await?)?;
    done(house.delete_clone(&clone.name, false).await?)?;
    house.check().await
}

#[tokio::test]
async fn a_taken_name_is_refused_before_anything_is_made() -> anyhow::Result<()> {
    let (house, snapshot) = house("web-01").await?;
    rename(&house, "ds2", "strata-t-1");
    let before = house.picture().await?;
    refused(house.clone_of(&snapshot, "t", |_| {}).await?, "DATASTORE_NAME_TAKEN", &["strata-t-1", "--name"])?;
    before.expect_same(&house.picture().await?)?;
    house.check().await
}
