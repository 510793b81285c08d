//! A clone's files that somebody else has come to use are not removed with it.

use super::{BLOCK, done, refused};
use strata_sim::world::compute::VmSpec;
use strata_tests::house::{ArrayKind, House};

/// What an administrator does who attaches the first disk of one VM to another.
fn attach(house: &House, from: &str, to: &str) {
    house.vcenter.with(|state| {
        let device = {
            let vm = state.vms.values().find(|vm| vm.config.name == from).expect("the VM");
            let is_disk = |device: &&strata_sim::world::compute::device::Device| {
                matches!(device.kind, strata_sim::world::compute::device::Kind::Disk(_))
            };
            let mut device = vm.config.devices.iter().find(is_disk).expect("a disk").clone();
            device.key += 5;
            device.unit = Some(5);
            device
        };
        let vm = state.vms.values_mut().find(|vm| vm.config.name == to).expect("the other VM");
        vm.config.devices.push(device);
    });
}

fn detach(house: &House, from: &str) {
    house.vcenter.with(|state| {
        let vm = state.vms.values_mut().find(|vm| vm.config.name == from).expect("the VM");
        vm.config.devices.pop();
    });
}

#[tokio::test]
async fn s19_a_disk_that_another_vm_uses_stays() -> anyhow::Result<()> {
    let house = House::builder()
        .array(ArrayKind::Reference)
        .vm(VmSpec::named("web-01"))
        .vm(VmSpec::named("db-01"))
        .start()
        .await?;
    house.write("web-01", &[1; BLOCK])?;
    let snapshot = done(house.snapshot("web-01", |_| {}).await?)?;
    let clone = done(house.clone_of(&snapshot.name, "t", |_| {}).await?)?;
    attach(&house, "t", "db-01");
    let before = house.picture().await?;
    refused(house.delete_clone(&clone.name, false).await?, "CLONE_IN_USE", &["db-01", "] t/"])?;
    before.expect_same(&house.picture().await?)?;
    assert_eq!(house.read("t", BLOCK)?, [1; BLOCK]);
    detach(&house, "db-01");
    done(house.delete_clone(&clone.name, false).await?)?;
    house.check().await
}

#[tokio::test]
async fn s19_nor_one_that_is_attached_after_the_plan() -> anyhow::Result<()> {
    let house = House::builder()
        .array(ArrayKind::Reference)
        .vm(VmSpec::named("web-01"))
        .vm(VmSpec::named("db-01"))
        .start()
        .await?;
    house.write("web-01", &[1; BLOCK])?;
    let snapshot = done(house.snapshot("web-01", |_| {}).await?)?;
    let clone = done(house.clone_of(&snapshot.name, "t", |_| {}).await?)?;
    // Once the clone is out of the inventory, its disk is anybody's.
    let vcenter = house.vcenter.clone();
    let mut taken = None;
    house.gate.hook(move |method, side| {
        use strata_tests::house::Side;
        if method == "UnregisterVm" {
            vcenter.with(|state| match side {
                Side::Before => {
                    let vm = state.vms.values().find(|vm| vm.config.name == "t").expect("the clone");
                    let is_disk = |device: &&strata_sim::world::compute::device::Device| {
                        matches!(device.kind, strata_sim::world::compute::device::Kind::Disk(_))
                    };
                    taken = vm.config.devices.iter().find(is_disk).cloned();
                }
                Side::After => {
                    let vm = state.vms.values_mut().find(|vm| vm.config.name == "db-01").expect("the other VM");
                    let mut device = taken.take().expect("a disk");
                    (device.key, device.unit) = (device.key + 5, Some(5));
                    vm.config.devices.push(device);
                }
            });
        }
        Ok(())
    });
    let stuck = house.delete_clone(&clone.name, false).await.expect_err("it cannot end");
    assert!(format!("{stuck:#}").contains("db-01"), "{stuck:#}");
    house.gate.open();
    assert_eq!(
        house.vcenter.guest_read("db-01", 1, 0, BLOCK).map_err(|fault| anyhow::anyhow!(fault.message))?,
        [1; BLOCK]
    );
    Ok(())
}
