//! A VM whose disks lie in two datastores that are on one volume.

use super::{BLOCK, done};
use strata_proto::strata::gateway::v1 as pb;
use strata_sim::world::compute::{DiskSpec, VmSpec};
use strata_tests::house::{ArrayKind, House, on_each};

fn spec() -> VmSpec {
    let second = DiskSpec { datastore: Some("ds1-sub".into()), ..DiskSpec::of(1 << 20) };
    VmSpec { disks: vec![DiskSpec::of(1 << 20), second], ..VmSpec::named("web-01").on() }
}

fn write(house: &House, byte: u8) -> anyhow::Result<()> {
    for disk in 0..2 {
        let bytes = [byte + u8::try_from(disk)? * 16; BLOCK];
        house.vcenter.guest_write("web-01", disk, 0, &bytes).map_err(|fault| anyhow::anyhow!(fault.message))?;
    }
    Ok(())
}

fn holds(house: &House, vm: &str, byte: u8) -> anyhow::Result<()> {
    for disk in 0..2 {
        let found = house.vcenter.guest_read(vm, disk, 0, BLOCK).map_err(|fault| anyhow::anyhow!(fault.message))?;
        anyhow::ensure!(found == [byte + u8::try_from(disk)? * 16; BLOCK], "disk {disk} of {vm} holds {}", found[0]);
    }
    Ok(())
}

#[tokio::test]
async fn two_datastores_on_one_volume_are_cut_cloned_and_reverted() -> anyhow::Result<()> {
    on_each(&ArrayKind::CLONING, |array| async move {
        let house = House::builder().array(array).datastore_within("ds1-sub", "ds1", "sub").vm(spec()).start().await?;
        write(&house, 1)?;
        let snapshot = done(house.snapshot("web-01", |request| request.accept_skew_ms = 60_000).await?)?;
        assert_eq!(snapshot.members.len(), 1, "one cut of the volume: {:?}", snapshot.members);
        write(&house, 2)?;
        let before = house.picture().await?;
        let clone = done(house.clone_of(&snapshot.name, "t", |_| {}).await?)?;
        holds(&house, "t", 1)?;
        house.check().await?;
        done(house.delete_clone(&clone.name, false).await?)?;
        before.expect_same(&house.picture().await?)?;
        if ArrayKind::REVERTING.contains(&array) {
            let off = |request: &mut pb::RevertVmRequest| request.power_mode = pb::PowerMode::PowerOff.into();
            done(house.revert("web-01", &snapshot.name, off).await?)?;
            holds(&house, "web-01", 1)?;
        }
        house.check().await
    })
    .await
}
