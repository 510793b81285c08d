//! Reverts of VMs on LUNs: the disks are swapped to a clone, and their data moves home.

use super::{BLOCK, done, refused};
use strata_proto::strata::gateway::v1::{self as pb, PowerMode, vm_service_client::VmServiceClient};
use strata_sim::world::compute::VmSpec;
use strata_tests::house::{ArrayKind, House, on_each};

fn power_off(request: &mut pb::RevertVmRequest) {
    request.power_mode = PowerMode::PowerOff.into();
    request.power_on_again = true;
}

async fn commit(house: &House, vm: &str) -> anyhow::Result<strata_tests::house::Outcome<()>> {
    let request = pb::CommitRevertRequest { vm: house.vm(vm).await?, ..Default::default() };
    house.ended(VmServiceClient::new(house.upstream.clone()).commit_revert(request).await).await
}

#[tokio::test]
async fn s22_home_again_after_a_swap() -> anyhow::Result<()> {
    on_each(&ArrayKind::BLOCK, |array| async move {
        let house = House::builder()
            .array(array)
            .vm(VmSpec::named("web-01").on())
            .vm(VmSpec::named("neighbour").on())
            .start()
            .await?;
        house.write("web-01", &[1; BLOCK])?;
        house.write("neighbour", &[7; BLOCK])?;
        let snapshot = done(house.snapshot("web-01", |_| {}).await?)?;
        house.write("web-01", &[2; BLOCK])?;
        house.write("neighbour", &[8; BLOCK])?;
        let moref = house.moref("web-01");
        let reverted = done(house.revert("web-01", &snapshot.name, power_off).await?)?;
        assert_eq!((reverted.way.as_str(), reverted.powered_on), ("swap", true));
        assert_eq!(house.read("web-01", BLOCK)?, [1; BLOCK]);
        assert_eq!(house.read("neighbour", BLOCK)?, [8; BLOCK], "nobody else is touched");
        assert_eq!(house.moref("web-01"), moref, "the VM object stays");
        house.vcenter.with(|state| {
            let vm = state.vms.values().find(|vm| vm.config.name == "web-01").expect("the VM");
            assert!(vm.on);
            for disk in vm.disks() {
                assert!(state.show(&disk.file).starts_with("[ds1] "), "{}", state.show(&disk.file));
            }
            assert!(state.datastores.values().all(|store| !store.name.starts_with("strata-")), "the copies are gone");
        });
        // The old disks stay until somebody commits, and the safety point holds them as well.
        assert_eq!(reverted.kept_disks.len(), 1, "{reverted:?}");
        let kept = house.tree("ds1")?.read("web-01/.strata-aside-x/none", 0, 1);
        assert!(kept.is_err());
        let aside = reverted.kept_disks[0].trim_start_matches("[ds1] ").to_owned();
        assert_eq!(house.tree("ds1")?.read(&format!("{aside}/web-01-flat.vmdk"), 0, BLOCK)?, [2; BLOCK]);
        done(commit(&house, "web-01").await?)?;
        refused(commit(&house, "web-01").await?, "NOTHING_KEPT", &[])?;
        house.check().await?;
        let old = done(house.clone_of(&reverted.safety_snapshot, "as-it-was", |_| {}).await?)?;
        assert_eq!(house.read("as-it-was", BLOCK)?, [2; BLOCK]);
        done(house.delete_clone(&old.name, false).await?)?;
        house.check().await
    })
    .await
}

#[tokio::test]
async fn s21_in_place_is_refused_with_every_reason() -> anyhow::Result<()> {
    let house = House::builder()
        .array(ArrayKind::ReferenceLuns)
        .vm(VmSpec::named("web-01"))
        .vm(VmSpec::named("neighbour"))
        .start()
        .await?;
    let snapshot = done(house.snapshot("web-01", |_| {}).await?)?;
    let before = house.picture().await?;
    let outcome = house.revert("web-01", &snapshot.name, |request| request.in_place = true).await?;
    refused(outcome, "IN_PLACE_REFUSED", &["neighbour", "never unregistered", "--in-place"])?;
    before.expect_same(&house.picture().await?)
}
