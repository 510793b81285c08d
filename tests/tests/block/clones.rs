//! Snapshots of LUNs, and clones of them.

use super::{BLOCK, done};
use strata_proto::strata::common::v1::Grade;
use strata_sim::world::compute::VmSpec;
use strata_tests::house::{ArrayKind, House, on_each};

#[tokio::test]
async fn a_clone_from_luns_and_its_removal_leave_nothing() -> anyhow::Result<()> {
    on_each(&ArrayKind::BLOCK, |array| async move {
        let house = House::builder().array(array).vm(VmSpec::named("web-01").on()).start().await?;
        house.write("web-01", &[1; BLOCK])?;
        let before = house.picture().await?;
        let snapshot = done(house.snapshot("web-01", |_| {}).await?)?;
        assert_eq!(snapshot.members[0].luns.len(), 1, "{snapshot:?}");
        house.write("web-01", &[2; BLOCK])?;
        let clone = done(house.clone_of(&snapshot.name, "web-01-t", |_| {}).await?)?;
        assert_eq!(clone.way, "lun");
        assert_eq!(house.read("web-01-t", BLOCK)?, [1; BLOCK]);
        assert_eq!(house.read("web-01", BLOCK)?, [2; BLOCK]);
        house.check().await?;
        done(house.delete_clone(&clone.name, false).await?)?;
        house.check().await?;
        done(house.delete_snapshot(&snapshot.name).await?)?;
        house.write("web-01", &[1; BLOCK])?;
        before.expect_same(&house.picture().await?)?;
        house.check().await
    })
    .await
}

#[tokio::test]
async fn s12_the_clone_of_a_frozen_vm_has_the_quiesced_image() -> anyhow::Result<()> {
    let house = House::builder().array(ArrayKind::ReferenceLuns).vm(VmSpec::named("web-01").on()).start().await?;
    house.write("web-01", &[1; BLOCK])?;
    let snapshot = done(house.snapshot("web-01", |request| request.grade = Grade::Vm.into()).await?)?;
    let disk = &snapshot.disks[0];
    assert_ne!(disk.chain_before, disk.chain_at_cut, "the freeze put a delta over the disk");
    assert_eq!(disk.chain_before[0], disk.path);
    let clone = done(house.clone_of(&snapshot.name, "web-01-t", |_| {}).await?)?;
    assert_eq!(house.read("web-01-t", BLOCK)?, [1; BLOCK]);
    house.vcenter.with(|state| assert!(state.snapshots.is_empty(), "the copy's VMware snapshot is gone"));
    done(house.delete_clone(&clone.name, false).await?)?;
    house.check().await
}
