//! S5: the right VM. A path may belong to another VM by the time that an operation acts.

use super::{BLOCK, done, refused};
use strata_sim::world::compute::VmSpec;
use strata_tests::house::{ArrayKind, House, Side};

async fn with_snapshot() -> anyhow::Result<(House, String)> {
    let house = House::builder()
        .array(ArrayKind::Reference)
        .vm(VmSpec::named("web-01"))
        .vm(VmSpec::named("other"))
        .start()
        .await?;
    house.write("web-01", &[1; BLOCK])?;
    let snapshot = done(house.snapshot("web-01", |_| {}).await?)?;
    house.write("web-01", &[2; BLOCK])?;
    Ok((house, snapshot.name))
}

/// Gives the VM another BIOS uuid, as a VM that was made anew in its place has.
fn become_another(house: &House) {
    let id = house.moref("web-01");
    house.vcenter.with(|state| {
        if let Ok(vm) = state.vm_mut(&id) {
            vm.config.uuid = "4213ffff-0000-0000-0000-00000000ffff".to_owned();
        }
        let _saved = state.save(&id);
    });
}

#[tokio::test]
async fn s05_the_right_vm_is_reverted_or_none() -> anyhow::Result<()> {
    let (house, snapshot) = with_snapshot().await?;
    become_another(&house);
    let before = house.picture().await?;
    let error = house.revert("web-01", &snapshot, |_| {}).await?.expect_err("another VM in its place");
    assert!(error.message.contains("web-01"), "{error:?}");
    assert!(["VM_CHANGED", "NOT_THE_SAME_VM"].contains(&error.reason.as_str()), "{error:?}");
    before.expect_same(&house.picture().await?)?;
    assert_eq!(house.read("web-01", BLOCK)?, [2; BLOCK]);
    house.check().await
}

#[tokio::test]
async fn s05_the_right_vm_is_asked_for_again_between_plan_and_effect() -> anyhow::Result<()> {
    let (house, snapshot) = with_snapshot().await?;
    let id = house.moref("web-01");
    let vcenter = house.vcenter.clone();
    let mut once = true;
    // After planning, before the first effect: the step `verify` reads the .vmx in the snapshot.
    house.gate.hook(move |method, side| {
        if method == "ReadSnapshotFile" && side == Side::Before && std::mem::take(&mut once) {
            vcenter.with(|state| {
                if let Ok(vm) = state.vm_mut(&id) {
                    vm.config.uuid = "4213ffff-0000-0000-0000-00000000ffff".to_owned();
                }
                let _saved = state.save(&id);
            });
        }
        Ok(())
    });
    refused(house.revert("web-01", &snapshot, |_| {}).await?, "VM_CHANGED", &["web-01", "plan again"])?;
    house.gate.open();
    assert_eq!(house.read("web-01", BLOCK)?, [2; BLOCK]);
    house.check().await
}

#[tokio::test]
async fn s05_the_right_vm_in_the_snapshot() -> anyhow::Result<()> {
    // The .vmx in the snapshot is of another VM: the restore point was recorded for a path that changed hands just then.
    let house = House::builder().array(ArrayKind::Reference).vm(VmSpec::named("web-01")).start().await?;
    let tree = house.tree("ds1")?;
    let vmx = String::from_utf8(tree.read("web-01/web-01.vmx", 0, 1 << 16)?)?;
    let uuid = house.vcenter.with(|state| state.vms.values().next().map(|vm| vm.config.uuid.clone())).unwrap();
    let spaced = strata_sim::world::compute::vmx::spaced(&uuid);
    let foreign = vmx.replace(&spaced, "42 13 ff ff 00 00 00 00-00 00 00 00 00 00 ff ff");
    assert_ne!(foreign, vmx);
    tree.remove("web-01/web-01.vmx")?;
    tree.write("web-01/web-01.vmx", 0, foreign.as_bytes())?;
    let snapshot = done(house.snapshot("web-01", |_| {}).await?)?;
    tree.remove("web-01/web-01.vmx")?;
    tree.write("web-01/web-01.vmx", 0, vmx.as_bytes())?;
    let before = house.picture().await?;
    let words = ["web-01", "4213ffff", uuid.as_str(), "nothing was done"];
    refused(house.clone_of(&snapshot.name, "t", |_| {}).await?, "NOT_THE_SAME_VM", &words)?;
    refused(house.revert("web-01", &snapshot.name, |_| {}).await?, "NOT_THE_SAME_VM", &words)?;
    before.expect_same(&house.picture().await?)?;
    house.check().await
}

#[tokio::test]
async fn s05_a_restore_point_of_another_vm_is_refused() -> anyhow::Result<()> {
    let (house, snapshot) = with_snapshot().await?;
    let error = refused(house.revert("other", &snapshot, |_| {}).await?, "INVALID_FIELD", &["web-01@", "clone"])?;
    assert_eq!(error.code, tonic::Code::InvalidArgument);
    house.check().await
}

#[tokio::test]
async fn s05_a_volume_that_was_made_anew_is_refused() -> anyhow::Result<()> {
    use strata_sim::world::storage::NewVolume;
    let (house, snapshot) = with_snapshot().await?;
    // The volume is renamed away, and another one takes its name and path.
    let array = house.world.array("nas-1")?;
    let volume = array.volumes()?.into_iter().find(|volume| volume.name == "ds1").unwrap();
    array.rename_volume(volume.id, "ds1-old", "/ds1-old")?;
    let (name, export_path) = ("ds1".to_owned(), "/ds1".to_owned());
    let other = array.create_volume(NewVolume { name, export_path, comment: String::new(), size_bytes: 1 << 30 })?;
    array.set_export(other.id, std::collections::BTreeSet::from(["*".to_owned()]))?;
    let owned = house.owned().await?.len();
    refused(house.clone_of(&snapshot, "t", |_| {}).await?, "VOLUME_CHANGED", &["ds1", "another volume"])?;
    refused(house.revert("web-01", &snapshot, |_| {}).await?, "VOLUME_CHANGED", &["web-01", "strata clone create"])?;
    assert_eq!(house.owned().await?.len(), owned);
    let tree = house.tree("ds1")?;
    assert!(tree.list("")?.is_empty(), "{:?}", tree.list("")?);
    Ok(())
}
