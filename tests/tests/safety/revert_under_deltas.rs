//! A revert never puts an old base under a live delta, whenever the delta came; and what it exchanges is in the safety point.

use super::{BLOCK, done, refused};
use strata_proto::strata::gateway::v1 as pb;
use strata_sim::world::compute::{
    DiskSpec, Vcenter, VmSpec, device::Kind, files::DsPath, snapshot::NewSnapshot, state::State,
};
use strata_tests::house::{ArrayKind, House, Side};

fn discard(request: &mut pb::RevertVmRequest) {
    request.power_mode = pb::PowerMode::PowerOff.into();
    request.discard_vm_snapshots = true;
}

fn make_vm_snapshot(vcenter: &Vcenter, id: &str, name: &str) {
    let ask = NewSnapshot { name: name.to_owned(), ..NewSnapshot::default() };
    vcenter.with(|state| state.create_snapshot(id, &ask)).expect("a VMware snapshot");
}

/// A restore point with 1 in the disk, which holds 2 since.
async fn with_snapshot(spec: VmSpec) -> anyhow::Result<(House, String)> {
    let house = House::builder().array(ArrayKind::Reference).vm(spec).start().await?;
    house.write("web-01", &[1; BLOCK])?;
    let snapshot = done(house.snapshot("web-01", |_| {}).await?)?;
    house.write("web-01", &[2; BLOCK])?;
    Ok((house, snapshot.name))
}

/// Nothing was moved but what the administrator did: the bytes are there, and nothing of ours is.
async fn expect_untouched(house: &House, owned_before: usize) -> anyhow::Result<()> {
    assert_eq!(house.read("web-01", BLOCK)?, [2; BLOCK], "the live bytes");
    assert_eq!(house.owned().await?.len(), owned_before, "the safety point is taken back");
    house.check().await
}

#[tokio::test]
async fn s24_a_vmware_snapshot_made_after_the_plan_is_found_before_anything_moves() -> anyhow::Result<()> {
    let (house, snapshot) = with_snapshot(VmSpec::named("web-01")).await?;
    let owned = house.owned().await?.len();
    let (vcenter, id) = (house.vcenter.clone(), house.moref("web-01"));
    // The first look after the cut of the safety point is that cut's own; the next one is that of `set_aside`.
    let mut looks_since_cut = None;
    house.gate.hook(move |method, side| {
        match (method, side) {
            ("EnsureSnapshot", Side::After) => looks_since_cut = Some(0),
            ("GetVmTopology", Side::Before) => {
                if let Some(looks) = &mut looks_since_cut {
                    *looks += 1;
                    if *looks == 2 {
                        make_vm_snapshot(&vcenter, &id, "somebody's");
                    }
                }
            }
            _ => {}
        }
        Ok(())
    });
    let words = ["web-01", "VMware snapshot somebody's", "plan again"];
    refused(house.revert("web-01", &snapshot, |_| {}).await?, "VM_CHANGED", &words)?;
    house.gate.open();
    expect_untouched(&house, owned).await
}

#[tokio::test]
async fn s24_a_vmware_snapshot_made_after_they_were_discarded_is_found_before_anything_moves() -> anyhow::Result<()> {
    let (house, snapshot) = with_snapshot(VmSpec::named("web-01").on()).await?;
    let owned = house.owned().await?.len();
    let (vcenter, id) = (house.vcenter.clone(), house.moref("web-01"));
    make_vm_snapshot(&vcenter, &id, "before-update");
    house.gate.hook(move |method, side| {
        if method == "RemoveVmSnapshots" && side == Side::After {
            make_vm_snapshot(&vcenter, &id, "somebody's");
        }
        Ok(())
    });
    let words = ["web-01", "VMware snapshot somebody's", "plan again"];
    refused(house.revert("web-01", &snapshot, discard).await?, "VM_CHANGED", &words)?;
    house.gate.open();
    expect_untouched(&house, owned).await
}

#[tokio::test]
async fn s24_a_delta_that_no_vmware_snapshot_lists_is_found_before_anything_moves() -> anyhow::Result<()> {
    let (house, snapshot) = with_snapshot(VmSpec::named("web-01").on()).await?;
    let owned = house.owned().await?.len();
    let (vcenter, id) = (house.vcenter.clone(), house.moref("web-01"));
    make_vm_snapshot(&vcenter, &id, "before-update");
    // vCenter removes the snapshot and cannot merge its delta, as when a backup proxy holds it.
    house.gate.hook(move |method, side| {
        if method == "RemoveVmSnapshots" && side == Side::After {
            vcenter.with(|state| leave_a_delta(state, &id));
        }
        Ok(())
    });
    let words = ["web-01", "over [ds1] web-01/web-01.vmdk", "consolidate"];
    refused(house.revert("web-01", &snapshot, discard).await?, "VM_CHANGED", &words)?;
    house.gate.open();
    expect_untouched(&house, owned).await
}

/// A delta over the first disk that is in no VMware snapshot.
fn leave_a_delta(state: &mut State, id: &str) {
    let (key, delta) = delta_over(state, id, None);
    state.point_disk(id, key, &delta).expect("the disk writes the delta");
    state.save(id).expect("saved");
}

/// Makes a delta over the first disk, beside the VM or elsewhere.
fn delta_over(state: &mut State, id: &str, home: Option<DsPath>) -> (i64, DsPath) {
    let vm = state.vm(id).expect("the VM").clone();
    let found = vm.config.devices.iter().find_map(|device| match &device.kind {
        Kind::Disk(disk) => Some((device.key, disk.clone())),
        _ => None,
    });
    let (key, disk) = found.expect("a disk");
    (key, state.create_delta(&disk, &home.unwrap_or(vm.vmx)).expect("a delta"))
}

#[tokio::test]
async fn s20_a_disk_that_the_safety_point_cannot_hold_is_not_reverted() -> anyhow::Result<()> {
    let spec = VmSpec { disks: vec![DiskSpec::of(1 << 20), DiskSpec::of(1 << 20)], ..VmSpec::named("web-01") };
    let (house, snapshot) = with_snapshot(spec).await?;
    let (vcenter, id) = (house.vcenter.clone(), house.moref("web-01"));
    make_vm_snapshot(&vcenter, &id, "before-update");
    // The delta of the first disk lies on another volume (workingDir), so no cut of it holds the whole chain.
    vcenter.with(|state| {
        let home = state.parse_path("[ds2] web-01/web-01.vmx", None).expect("a path");
        state.make_directory(&state.parse_path("[ds2] web-01", None).expect("a path"), true).expect("a directory");
        let base = state.parse_path("[ds1] web-01/web-01.vmdk", None).expect("a path");
        let vm = state.vm(&id).expect("the VM").clone();
        let key = vm.config.devices.iter().find(|device| matches!(device.kind, Kind::Disk(_))).expect("a disk").key;
        state.point_disk(&id, key, &base).expect("the base");
        let (key, delta) = delta_over(state, &id, Some(home));
        state.point_disk(&id, key, &delta).expect("the delta elsewhere");
        state.save(&id).expect("saved");
    });
    let before = house.picture().await?;
    let words = ["Hard disk 1", "web-01", "safety point", "more than one volume", "strata clone create"];
    refused(house.revert("web-01", &snapshot, discard).await?, "DISK_NOT_SAFE", &words)?;
    before.expect_same(&house.picture().await?)?;
    house.check().await
}
