//! S20: what is reverted. S21: never under a mounted file. S23: changed block tracking. S24: VMware snapshots.

use super::{BLOCK, done, refused};
use strata_proto::strata::gateway::v1 as pb;
use strata_sim::world::compute::{DiskSpec, VmSpec, device::Kind};
use strata_tests::house::{ArrayKind, House, Side, on_each};

fn power_off(request: &mut pb::RevertVmRequest) {
    request.power_mode = pb::PowerMode::PowerOff.into();
}

#[tokio::test]
async fn s20_what_is_reverted_is_the_data_and_not_the_vm() -> anyhow::Result<()> {
    on_each(&ArrayKind::REVERTING, |array| async move {
        let spec = VmSpec { folder: Some("production".into()), ..VmSpec::named("web-01") };
        let house = House::builder().array(array).vm(spec).start().await?;
        house.write("web-01", &[1; BLOCK])?;
        let snapshot = done(house.snapshot("web-01", |_| {}).await?)?;
        house.write("web-01", &[2; BLOCK])?;
        // Since then it got memory, a note and a disk.
        let id = house.moref("web-01");
        house.vcenter.with(|state| {
            let vm = state.vm_mut(&id).expect("the VM");
            vm.config.memory_mb = 8192;
            vm.config.annotation = "grown".into();
            let new = vm.vmx.sibling("web-01_new.vmdk");
            state.create_flat(&new, 1 << 20, true).expect("a disk");
            let vm = state.vm_mut(&id).expect("the VM");
            let mut device =
                vm.config.devices.iter().find(|device| matches!(device.kind, Kind::Disk(_))).unwrap().clone();
            (device.key, device.unit) = (2001, Some(1));
            if let Kind::Disk(disk) = &mut device.kind {
                disk.file = new.clone();
            }
            vm.config.devices.push(device);
            state.save(&id).expect("saved");
            state.reload(&id).expect("read again");
            state.write_disk(&new, 0, &[5; BLOCK]).expect("written");
        });
        let vm = house.vm("web-01").await?;
        let request = pb::RevertVmRequest { vm, snapshot: snapshot.name.clone(), ..Default::default() };
        let plan = done(house.plan(pb::plan_request::Request::RevertVm(request)).await?)?;
        let said = |part: &str| plan.facts.iter().any(|fact| fact.topic == "configuration" && fact.text.contains(part));
        assert!(said("web-01_new.vmdk") && said("stays attached"), "{:#?}", plan.facts);
        assert!(said("reconfigured"), "{:#?}", plan.facts);
        let before = house.picture().await?;
        let reverted = done(house.revert("web-01", &snapshot.name, |_| {}).await?)?;
        assert_eq!(reverted.files.len(), 1, "{:?}", reverted.files);
        assert_eq!(house.read("web-01", BLOCK)?, [1; BLOCK]);
        let second = house.vcenter.guest_read("web-01", 1, 0, BLOCK).map_err(|fault| anyhow::anyhow!(fault.message))?;
        assert_eq!(second, [5; BLOCK], "the newer disk is as it was");
        assert_eq!(house.moref("web-01"), id, "the object is the same, and so are its permissions and tags");
        house.vcenter.with(|state| {
            let vm = state.vm(&id).expect("the VM");
            assert_eq!((vm.config.memory_mb, vm.config.annotation.as_str()), (8192, "grown"), "configuration stays");
        });
        let key = reverted.safety_snapshot.trim_start_matches("snapshots/").to_owned();
        let own = ["ds1/web-01/web-01.vmdk", "ds1/web-01/web-01-flat.vmdk", key.as_str()];
        before.expect_only(&house.picture().await?, &own)?;
        house.check().await
    })
    .await
}

#[tokio::test]
async fn s21_never_under_a_running_vm_without_being_told() -> anyhow::Result<()> {
    on_each(&ArrayKind::REVERTING, |array| async move {
        let house = House::builder().array(array).vm(VmSpec::named("web-01").on()).start().await?;
        house.write("web-01", &[1; BLOCK])?;
        let snapshot = done(house.snapshot("web-01", |_| {}).await?)?;
        house.write("web-01", &[2; BLOCK])?;
        let before = house.picture().await?;
        let words = ["web-01", "--shut-down", "--power-off"];
        refused(house.revert("web-01", &snapshot.name, |_| {}).await?, "VM_RUNNING", &words)?;
        before.expect_same(&house.picture().await?)?;
        done(house.revert("web-01", &snapshot.name, power_off).await?)?;
        assert_eq!(house.read("web-01", BLOCK)?, [1; BLOCK]);
        assert!(!house.vcenter.with(|state| state.vms.values().any(|vm| vm.on)), "it stays off unless asked");
        house.check().await
    })
    .await
}

#[tokio::test]
async fn s21_never_under_a_locked_file() -> anyhow::Result<()> {
    on_each(&ArrayKind::REVERTING, |array| async move {
        // A backup proxy has the disk attached and runs; vCenter is asked between plan and effect.
        let borrowed = DiskSpec { existing: Some("[ds1] web-01/web-01.vmdk".into()), ..DiskSpec::of(1 << 20) };
        let house = House::builder().array(array).vm(VmSpec::named("web-01")).start().await?;
        house.write("web-01", &[1; BLOCK])?;
        let snapshot = done(house.snapshot("web-01", |_| {}).await?)?;
        house.write("web-01", &[2; BLOCK])?;
        let before = house.picture().await?;
        let vcenter = house.vcenter.clone();
        let mut once = true;
        house.gate.hook(move |method, side| {
            if method == "MoveDisks" && side == Side::Before && std::mem::take(&mut once) {
                attach_to_proxy(&vcenter, &borrowed);
            }
            Ok(())
        });
        let error = house.revert("web-01", &snapshot.name, |_| {}).await?.expect_err("the file is locked");
        house.gate.open();
        assert!(error.message.contains("web-01.vmdk"), "{error:?}");
        // All is undone but for the proxy, which is not ours.
        before.expect_only(&house.picture().await?, &["proxy"])?;
        assert_eq!(house.read("web-01", BLOCK)?, [2; BLOCK]);
        house.check().await
    })
    .await
}

/// A VM of somebody's that runs with this disk.
fn attach_to_proxy(vcenter: &strata_sim::world::compute::Vcenter, disk: &DiskSpec) {
    vcenter.with(|state| {
        let (id, mut vm) = state.vms.iter().next().map(|(id, vm)| (id.clone(), vm.clone())).expect("a VM");
        assert_eq!(disk.existing.as_deref(), Some("[ds1] web-01/web-01.vmdk"));
        vm.config.name = "proxy".into();
        vm.config.uuid = "4213aaaa-0000-0000-0000-000000000001".into();
        vm.config.instance_uuid = "5013aaaa-0000-0000-0000-000000000001".into();
        vm.vmx.rel = "proxy/proxy.vmx".into();
        vm.on = true;
        state.vms.insert(format!("{id}9"), vm);
        state.touch();
    });
}

#[tokio::test]
async fn s23_cbt_starts_anew() -> anyhow::Result<()> {
    on_each(&ArrayKind::REVERTING, |array| async move {
        let house =
            House::builder().array(array).vm(VmSpec { cbt: true, ..VmSpec::named("web-01").on() }).start().await?;
        house.write("web-01", &[1; BLOCK])?;
        let snapshot = done(house.snapshot("web-01", |_| {}).await?)?;
        house.write("web-01", &[2; BLOCK])?;
        let id = house.moref("web-01");
        // The map has a word for the number now and then one for each block: when it was last written.
        let written = || -> anyhow::Result<bool> {
            let map = house.tree("ds1")?.read("web-01/web-01-ctk.vmdk", 8, 1 << 20)?;
            Ok(map.iter().any(|byte| *byte != 0))
        };
        assert!(written()?, "it is tracked");
        let seen = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
        let calls = seen.clone();
        house.gate.hook(move |method, side| {
            if side == Side::Before && ["ResetChangeTracking", "SetVmPower", "RestoreFiles"].contains(&method) {
                calls.lock().unwrap().push(method.to_owned());
            }
            Ok(())
        });
        let on_again = |request: &mut pb::RevertVmRequest| {
            power_off(request);
            request.power_on_again = true;
        };
        let reverted = done(house.revert("web-01", &snapshot.name, on_again).await?)?;
        house.gate.open();
        let mut order = seen.lock().unwrap().clone();
        order.dedup();
        assert_eq!(order, ["SetVmPower", "RestoreFiles", "ResetChangeTracking", "SetVmPower"], "before it runs again");
        assert!(reverted.powered_on);
        assert!(reverted.remarks.iter().any(|remark| remark.contains("full")), "{:?}", reverted.remarks);
        assert!(house.vcenter.with(|state| state.vm(&id).is_ok_and(|vm| vm.config.cbt && vm.on)), "on again");
        assert!(!written()?, "the map knows nothing of the old bytes");
        assert_eq!(house.read("web-01", BLOCK)?, [1; BLOCK]);
        house.check().await
    })
    .await
}

#[tokio::test]
async fn s23_cbt_that_was_off_stays_off() -> anyhow::Result<()> {
    let house = House::builder().array(ArrayKind::Reference).vm(VmSpec::named("web-01")).start().await?;
    let snapshot = done(house.snapshot("web-01", |_| {}).await?)?;
    let reverted = done(house.revert("web-01", &snapshot.name, |_| {}).await?)?;
    assert!(reverted.remarks.is_empty(), "{:?}", reverted.remarks);
    assert!(!house.vcenter.with(|state| state.vms.values().any(|vm| vm.config.cbt)));
    house.check().await
}

#[tokio::test]
async fn s23_cbt_of_the_snapshot_leaves_no_trace_where_it_is_off_now() -> anyhow::Result<()> {
    on_each(&ArrayKind::REVERTING, |array| async move {
        let house = House::builder().array(array).vm(VmSpec { cbt: true, ..VmSpec::named("web-01") }).start().await?;
        let snapshot = done(house.snapshot("web-01", |_| {}).await?)?;
        let id = house.moref("web-01");
        house.vcenter.with(|state| {
            state.vm_mut(&id).expect("the VM").config.cbt = false;
            state.disable_cbt_files(&id).expect("turned off");
            state.save(&id).expect("saved");
        });
        done(house.revert("web-01", &snapshot.name, |_| {}).await?)?;
        let tree = house.tree("ds1")?;
        let descriptor = String::from_utf8(tree.read("web-01/web-01.vmdk", 0, 4096)?)?;
        assert!(!descriptor.contains("changeTrackPath"), "it names a file that is not there:\n{descriptor}");
        assert!(tree.stat("web-01/web-01-ctk.vmdk").is_err());
        house.check().await
    })
    .await
}

#[tokio::test]
async fn s23_cbt_is_on_again_when_the_reset_fails_half_way() -> anyhow::Result<()> {
    use strata_sim::fault::{Action, Rule};
    let house = House::builder()
        .array(ArrayKind::Reference)
        .vm(VmSpec { cbt: true, ..VmSpec::named("web-01") })
        .start()
        .await?;
    house.write("web-01", &[1; BLOCK])?;
    let snapshot = done(house.snapshot("web-01", |_| {}).await?)?;
    house.write("web-01", &[2; BLOCK])?;
    let before = house.picture().await?;
    // Off goes through, on again does not.
    let message = "A general system error occurred".to_owned();
    let refuse = Action::Refuse { status: 500, code: "SystemError".to_owned(), message };
    let rule = house.world.faults().add(Rule::new(refuse).face("vcenter").method("ReconfigVM_Task").skip(1).times(1));
    let error = house.revert("web-01", &snapshot.name, |_| {}).await?.expect_err("vCenter refused");
    assert_eq!(house.world.faults().acted(rule), 1, "{error:?}");
    before.expect_same(&house.picture().await?)?;
    assert!(house.vcenter.with(|state| state.vms.values().all(|vm| vm.config.cbt)), "on again");
    assert_eq!(house.read("web-01", BLOCK)?, [2; BLOCK]);
    house.check().await
}

#[tokio::test]
async fn s24_vmware_snapshots_are_discarded_only_when_told() -> anyhow::Result<()> {
    on_each(&ArrayKind::REVERTING, |array| async move {
        let house = House::builder().array(array).vm(VmSpec::named("web-01").on()).start().await?;
        house.write("web-01", &[1; BLOCK])?;
        let snapshot = done(house.snapshot("web-01", |_| {}).await?)?;
        let id = house.moref("web-01");
        house.vcenter.with(|state| {
            let ask = strata_sim::world::compute::snapshot::NewSnapshot {
                name: "before-update".into(),
                ..Default::default()
            };
            state.create_snapshot(&id, &ask).expect("a snapshot");
        });
        house.write("web-01", &[2; BLOCK])?;
        let before = house.picture().await?;
        let words = ["web-01", "before-update", "--discard-vm-snapshots"];
        refused(house.revert("web-01", &snapshot.name, power_off).await?, "VM_HAS_SNAPSHOTS", &words)?;
        before.expect_same(&house.picture().await?)?;
        let discard = |request: &mut pb::RevertVmRequest| {
            power_off(request);
            request.discard_vm_snapshots = true;
        };
        let reverted = done(house.revert("web-01", &snapshot.name, discard).await?)?;
        assert_eq!(house.read("web-01", BLOCK)?, [1; BLOCK]);
        house.vcenter.with(|state| assert!(state.snapshots.is_empty(), "they are gone"));
        // The safety point holds them: the chain of files, as it was.
        done(house.clone_of(&reverted.safety_snapshot, "as-it-was", |_| {}).await?)?;
        assert_eq!(house.read("as-it-was", BLOCK)?, [2; BLOCK]);
        house.check().await
    })
    .await
}
