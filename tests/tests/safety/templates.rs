//! A template's restore point becomes a VM, and goes without a trace.

use super::{done, refused};
use strata_sim::world::compute::VmSpec;
use strata_tests::house::{ArrayKind, House};

fn golden() -> VmSpec {
    VmSpec { template: true, ..VmSpec::named("golden") }
}

#[tokio::test]
async fn s17_a_template_is_cloned_to_a_vm() -> anyhow::Result<()> {
    let house = House::builder().array(ArrayKind::Reference).vm(golden()).start().await?;
    let snapshot = done(house.snapshot("golden", |_| {}).await?)?;
    let before = house.picture().await?;
    let clone = done(house.clone_of(&snapshot.name, "t", |_| {}).await?)?;
    let template = house
        .vcenter
        .with(|state| state.vms.values().find(|vm| vm.config.name == "t").map(|vm| (vm.template, vm.vmx.rel.clone())));
    assert_eq!(template, Some((false, "t/golden.vmx".to_owned())));
    done(house.delete_clone(&clone.name, false).await?)?;
    before.expect_same(&house.picture().await?)?;
    house.check().await
}

#[tokio::test]
async fn s17_or_refused_before_anything_is_made() -> anyhow::Result<()> {
    let house = House::builder().array(ArrayKind::ReferenceByVolume).vm(golden()).start().await?;
    let snapshot = done(house.snapshot("golden", |_| {}).await?)?;
    let before = house.picture().await?;
    refused(house.clone_of(&snapshot.name, "t", |_| {}).await?, "TEMPLATE_BY_VOLUME", &["template"])?;
    before.expect_same(&house.picture().await?)?;
    house.check().await
}
