//! Reverts of VMs on LUNs: the disks are swapped to a clone, and their data moves home.

use super::{BLOCK, done, refused};
use strata_proto::{
    google::longrunning::Operation,
    strata::gateway::v1::{self as pb, PowerMode, vm_service_client::VmServiceClient},
};
use strata_saga::{OperationId, Point, StepError, StuckAction};
use strata_sim::world::compute::{DiskSpec, VmSpec, snapshot::NewSnapshot};
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

#[tokio::test]
async fn s22_a_vm_that_cannot_go_home_stays_on_its_pinned_copy() -> anyhow::Result<()> {
    let house = House::builder().array(ArrayKind::ReferenceLuns).vm(VmSpec::named("web-01").on()).start().await?;
    house.write("web-01", &[1; BLOCK])?;
    let snapshot = done(house.snapshot("web-01", |_| {}).await?)?;
    house.write("web-01", &[2; BLOCK])?;
    let failure = StepError::permanent("INJECTED", "the test made this step fail");
    house.hurt.next("move_home", Point::AfterStarted, failure);
    let mut request = pb::RevertVmRequest {
        vm: house.vm("web-01").await?,
        snapshot: snapshot.name.clone(),
        commit: true,
        ..Default::default()
    };
    power_off(&mut request);
    let begun = VmServiceClient::new(house.upstream.clone()).revert_vm(request).await?.into_inner();
    let id: OperationId = begun.name.trim_start_matches("operations/").parse()?;
    house.gateway.engine().wait(id).await?;
    // It runs, on the copy, with the old bytes; nothing is taken from under it, not even by a restart's sweep.
    let house = house.restart().await?;
    assert_eq!(house.read("web-01", BLOCK)?, [1; BLOCK]);
    let copies =
        || house.vcenter.with(|state| state.datastores.values().any(|it| it.name.starts_with("strata-web-01-r-")));
    assert!(copies(), "the copy is mounted");
    assert!(house.delete_snapshot(&snapshot.name).await?.is_err(), "its restore point is held");
    house.gateway.engine().stuck_action(id, StuckAction::Retry, "somebody", "there is room now").await?;
    let operation = Operation { name: format!("operations/{id}"), ..Operation::default() };
    let reverted: pb::RevertVmResponse = done(house.ended(Ok(tonic::Response::new(operation))).await?)?;
    assert_eq!(reverted.way, "swap");
    assert!(!copies(), "home, and the copy is gone");
    assert_eq!(house.read("web-01", BLOCK)?, [1; BLOCK]);
    house.check().await
}

#[tokio::test]
async fn s22_space_at_home_is_asked_for_before_the_vm_is_stopped() -> anyhow::Result<()> {
    let spec = VmSpec { disks: vec![DiskSpec::of(200 << 20)], ..VmSpec::named("web-01").on() };
    let house = House::builder().array(ArrayKind::ReferenceLuns).vm(spec).start().await?;
    let snapshot = done(house.snapshot("web-01", |_| {}).await?)?;
    house.tree("ds1")?.write("ballast", 0, &vec![1; 80 << 20])?;
    let before = house.picture().await?;
    refused(house.revert("web-01", &snapshot.name, power_off).await?, "NO_SPACE_HOME", &["ds1", "web-01"])?;
    before.expect_same(&house.picture().await?)
}

#[tokio::test]
async fn s24_vmware_snapshots_are_discarded_only_when_told_over_luns() -> anyhow::Result<()> {
    let house = House::builder().array(ArrayKind::ReferenceLuns).vm(VmSpec::named("web-01").on()).start().await?;
    house.write("web-01", &[1; BLOCK])?;
    let snapshot = done(house.snapshot("web-01", |_| {}).await?)?;
    let id = house.moref("web-01");
    let ask = NewSnapshot { name: "before-update".into(), ..NewSnapshot::default() };
    house.vcenter.with(|state| state.create_snapshot(&id, &ask)).map_err(|fault| anyhow::anyhow!(fault.message))?;
    house.write("web-01", &[2; BLOCK])?;
    let before = house.picture().await?;
    let words = ["before-update", "--discard-vm-snapshots"];
    refused(house.revert("web-01", &snapshot.name, power_off).await?, "VM_HAS_SNAPSHOTS", &words)?;
    before.expect_same(&house.picture().await?)?;
    let discard = |request: &mut pb::RevertVmRequest| {
        power_off(request);
        request.discard_vm_snapshots = true;
        request.commit = true;
    };
    done(house.revert("web-01", &snapshot.name, discard).await?)?;
    assert_eq!(house.read("web-01", BLOCK)?, [1; BLOCK]);
    house.vcenter.with(|state| assert!(state.snapshots.is_empty(), "they are gone"));
    house.check().await
}

#[tokio::test]
async fn the_plan_says_the_way_and_why_not_the_others() -> anyhow::Result<()> {
    let house = House::builder().array(ArrayKind::ReferenceLuns).vm(VmSpec::named("web-01")).start().await?;
    let snapshot = done(house.snapshot("web-01", |_| {}).await?)?;
    let snapshot_name = snapshot.name.clone();
    let request = pb::RevertVmRequest { vm: house.vm("web-01").await?, snapshot: snapshot.name, ..Default::default() };
    let plan = done(house.plan(pb::plan_request::Request::RevertVm(request)).await?)?;
    let text = |topic: &str| -> String {
        plan.facts.iter().filter(|fact| fact.topic == topic).map(|fact| fact.text.clone() + "\n").collect()
    };
    assert!(text("way").contains("swap"), "{plan:?}");
    assert!(text("rejected way").contains("files: ") && text("rejected way").contains("in place: "), "{plan:?}");
    assert_eq!(plan.point_of_no_return, "commit");
    // Each step that is shown is one that is done, in that order.
    house.hurt.take_steps();
    done(house.revert("web-01", &snapshot_name, |_| {}).await?)?;
    let mut ran = house.hurt.take_steps();
    ran.dedup();
    let shown: Vec<String> = plan.steps.iter().map(|step| step.name.clone()).collect();
    let mut ran_and_shown = ran.clone();
    ran_and_shown.retain(|step| shown.contains(step));
    assert_eq!(ran_and_shown, shown, "ran {ran:?}");
    Ok(())
}
