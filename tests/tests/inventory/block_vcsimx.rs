//! Acts on VMFS against VMware's simulator with devices (vcsimx -luns): each is sent twice, since a lost answer means a
//! second call.

use crate::support::{
    block::{VC, attach, backing, detach, forget, hosts, ids, observe, present, reason, store_named, swap, vmfs_of},
    vcsimx::Vcsimx,
};
use pb::inventory_service_server::InventoryService as _;
use std::path::{Path, PathBuf};
use strata_inventory_svc::topology::pb;
use tonic::Request;

/// A vcsimx and the folder that is its array.
struct Lab {
    sim: Vcsimx,
    luns: tempfile::TempDir,
}

impl Lab {
    /// `vmfs1` on one device and `wide` on two, with three VMs each.
    fn start() -> Option<Self> {
        let luns = tempfile::tempdir().expect("a folder");
        let root = luns.path().to_str().expect("a path").to_owned();
        for (datastore, head) in [("vmfs1", "naa.1"), ("wide", "naa.2")] {
            strata_tests::vcsimx::write_machines(&luns.path().join(head), datastore, 3).expect("machines");
        }
        let sim = Vcsimx::start_with(&["-luns", &root, "-vmfs", "vmfs1=naa.1", "-vmfs", "wide=naa.2,naa.3"])?;
        Some(Self { sim, luns })
    }

    fn device(&self, device: &str) -> PathBuf {
        self.luns.path().join(device)
    }

    /// What an array's clone of a LUN would be.
    fn clone_lun(&self, from: &str, to: &str) {
        copy(&self.device(from), &self.device(to));
    }

    fn unmap(&self, device: &str) {
        std::fs::remove_dir_all(self.device(device)).expect("a device");
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder").flatten() {
        let target = to.join(entry.file_name());
        match entry.path().is_dir() {
            true => copy(&entry.path(), &target),
            false => drop(std::fs::copy(entry.path(), target).expect("a copy")),
        }
    }
}

fn names(devices: &[&str]) -> Vec<String> {
    devices.iter().map(|device| (*device).to_owned()).collect()
}

#[tokio::test]
async fn hosts_tell_their_initiators() {
    let Some(lab) = Lab::start() else { return };
    for host in hosts(&lab.sim.face()).await {
        let rows: Vec<(&str, pb::AdapterKind, &str)> =
            host.adapters.iter().map(|one| (one.device.as_str(), one.kind(), one.initiator.as_str())).collect();
        let iqn = format!("iqn.1998-01.com.vmware:{}", host.display_name);
        assert_eq!(rows, [("vmhba64", pb::AdapterKind::Iscsi, iqn.as_str())]);
    }
}

#[tokio::test]
async fn a_copy_is_presented_used_and_taken_away_again() {
    let Some(lab) = Lab::start() else { return };
    let face = lab.sim.face();
    let all = ids(&hosts(&face).await);
    let source = vmfs_of(&store_named(&face, "wide").await.expect("an answer"));
    assert_eq!(source.extents.iter().map(|extent| extent.partition).collect::<Vec<_>>(), [1, 1]);
    lab.clone_lun("naa.2", "naa.12");
    lab.clone_lun("naa.3", "naa.13");
    let devices = names(&["naa.12", "naa.13"]);
    let first = present(&face, "strata-wide", &source.uuid, &devices, &all).await.expect("an answer");
    let copied = vmfs_of(&first);
    assert_ne!(copied.uuid, source.uuid);
    assert_eq!(copied.extents.iter().map(|extent| extent.canonical_name.clone()).collect::<Vec<_>>(), devices);
    assert!(first.mounts.len() == 2 && first.mounts.iter().all(|mount| mount.accessible), "{first:#?}");
    assert_eq!(present(&face, "strata-wide", &source.uuid, &devices, &all).await.expect("an answer"), first);
    assert_eq!(vmfs_of(&store_named(&face, "wide").await.expect("an answer")), source, "the source is untouched");

    // A VM on it keeps it.
    let register = register_request(&face, "wide-vm02", "[strata-wide] wide-vm02/wide-vm02.vmx").await;
    let clone = face.register_vm(Request::new(register.clone())).await.expect("an answer").into_inner().vm.unwrap();
    assert_eq!(clone.datastores, ["strata-wide"]);
    let copied = backing(&copied.uuid, &devices);
    assert_eq!(reason(&detach(&face, copied.clone(), &all).await.unwrap_err()), "DATASTORE_IN_USE");
    let unregister = pb::UnregisterVmRequest { vcenter: VC.to_owned(), key: register.key, vmx_path: register.vmx_path };
    face.unregister_vm(Request::new(unregister)).await.expect("an answer");

    for expected in [2, 0] {
        let answer = detach(&face, copied.clone(), &all).await.expect("an answer");
        assert_eq!(answer.hosts.len(), expected, "{answer:?}");
        assert!(answer.devices.len() == 4 && answer.devices.iter().all(|device| device.detached), "{answer:?}");
    }
    // Without the uuid, whose answer was lost, the devices say which it is.
    assert_eq!(detach(&face, backing("", &devices), &all).await.expect("an answer").devices.len(), 4);
    for device in &devices {
        lab.unmap(device);
    }
    for _ in 0..2 {
        assert_eq!(forget(&face, &copied.uuid, &devices, &all).await.expect("an answer").hosts_done.len(), 2);
        assert_eq!(observe(&face, &devices).await, pb::ObserveDevicesResponse::default());
    }
    assert_eq!(store_named(&face, "strata-wide").await, None);
    assert_eq!(observe(&face, &names(&["naa.2", "naa.3"])).await.devices.iter().filter(|one| one.mounted).count(), 4);
}

async fn register_request(
    face: &strata_inventory_svc::grpc::InventoryFace,
    source: &str,
    vmx_path: &str,
) -> pb::RegisterVmRequest {
    let list = pb::ListVmsRequest { parent: VC.to_owned(), display_name: source.to_owned(), ..Default::default() };
    let vm = face.list_vms(Request::new(list)).await.expect("an answer").into_inner().vms.remove(0);
    let topology = pb::GetVmTopologyRequest { name: vm.name.clone(), skip_browse: true };
    let disks = face.get_vm_topology(Request::new(topology)).await.expect("an answer").into_inner().disks;
    let mapping = |disk: &pb::Disk| pb::PathMapping {
        from_path: disk.chain[0].clone(),
        to_path: disk.chain[0].replace("[wide]", "[strata-wide]"),
    };
    pb::RegisterVmRequest {
        vcenter: VC.to_owned(),
        key: "c-1".to_owned(),
        vmx_path: vmx_path.to_owned(),
        display_name: "the clone".to_owned(),
        folder_moref: vm.folder_moref.clone(),
        pool_moref: vm.pool_moref.clone(),
        disks: disks.iter().map(mapping).collect(),
        allowed_directories: vec!["[strata-wide] wide-vm02/".to_owned()],
        ..Default::default()
    }
}

#[tokio::test]
async fn what_is_no_copy_or_cannot_be_told_apart_gets_no_signature() {
    let Some(lab) = Lab::start() else { return };
    let face = lab.sim.face();
    let all = ids(&hosts(&face).await);
    let source = vmfs_of(&store_named(&face, "vmfs1").await.expect("an answer")).uuid;
    let other = vmfs_of(&store_named(&face, "wide").await.expect("an answer")).uuid;
    lab.clone_lun("naa.1", "naa.11");
    lab.clone_lun("naa.2", "naa.12");
    for (what, name, source, devices, expected) in [
        ("another source", "x", other.as_str(), &["naa.11"][..], "VMFS_IS_ANOTHER"),
        ("the original", "x", &source, &["naa.1"], "VMFS_IS_SOURCE"),
        ("half of the original", "x", &other, &["naa.2"], "DEVICES_OF_OTHER_VMFS"),
        ("half a copy", "x", &other, &["naa.12"], "VMFS_COPY_INCOMPLETE"),
        ("a name that is taken", "wide", &source, &["naa.11"], "DATASTORE_NAME_TAKEN"),
        ("a device twice", "x", &source, &["naa.11", "naa.11"], "INVALID_FIELD"),
        ("no source", "x", "", &["naa.11"], "INVALID_FIELD"),
    ] {
        let error = present(&face, name, source, &names(devices), &all).await.unwrap_err();
        assert_eq!(reason(&error), expected, "{what}: {error}");
    }
    lab.clone_lun("naa.1", "naa.21");
    // The hosts have to see the second copy.
    let error = present(&face, "x", &source, &names(&["naa.21"]), &all).await.unwrap_err();
    assert_eq!(reason(&error), "VMFS_COPIES_AMBIGUOUS", "{error}");
    assert!(error.message().contains("naa.11"), "{error}");
    assert_eq!(observe(&face, &names(&["naa.11", "naa.21"])).await.devices.iter().filter(|one| one.mounted).count(), 0);
}

#[tokio::test]
async fn a_volume_that_was_restored_is_attached_again() {
    let Some(lab) = Lab::start() else { return };
    let face = lab.sim.face();
    let all = ids(&hosts(&face).await);
    let present_vms = pb::ListVmsRequest { parent: VC.to_owned(), page_size: 100, ..Default::default() };
    for vm in face.list_vms(Request::new(present_vms)).await.expect("an answer").into_inner().vms {
        if vm.datastores == ["vmfs1"] {
            let client = lab.sim.client();
            client
                .unregister(&strata_inventory_svc::soap::MoRef::new("VirtualMachine", vm.moref), "VM")
                .await
                .expect("an answer");
        }
    }
    let vmfs = vmfs_of(&store_named(&face, "vmfs1").await.expect("an answer"));
    let devices = names(&["naa.1"]);
    let own = backing(&vmfs.uuid, &devices);
    detach(&face, own.clone(), &all).await.expect("an answer");
    let seen = observe(&face, &devices).await;
    assert!(seen.devices.len() == 2 && seen.devices.iter().all(|one| one.detached && !one.mounted), "{seen:?}");
    for _ in 0..2 {
        let store = attach(&face, own.clone(), &all).await.expect("an answer");
        assert_eq!(vmfs_of(&store), vmfs);
        assert!(store.mounts.iter().all(|mount| mount.mounted), "{store:?}");
    }
    let wrong = attach(&face, backing("another", &devices), &all).await.unwrap_err();
    assert_eq!(reason(&wrong), "VMFS_IS_ANOTHER", "{wrong}");
    let in_use = forget(&face, &vmfs.uuid, &devices, &all).await.unwrap_err();
    assert_eq!(reason(&in_use), "DEVICE_IN_USE", "{in_use}");
}

#[tokio::test]
async fn disks_are_swapped_and_swapped_back() {
    let Some(lab) = Lab::start() else { return };
    let face = lab.sim.face();
    let list =
        pb::ListVmsRequest { parent: VC.to_owned(), display_name: "vmfs1-vm02".to_owned(), ..Default::default() };
    let vm = face.list_vms(Request::new(list)).await.expect("an answer").into_inner().vms.remove(0).name;
    let (old, new) = ("[vmfs1] vmfs1-vm02/vmfs1-vm02.vmdk", "[wide] wide-vm03/wide-vm03.vmdk");
    for (from, to, count) in [(old, new, 1), (old, new, 0), (new, old, 1), (new, old, 0)] {
        let answer = swap(&face, &vm, &[(from, to)]).await.expect("an answer");
        let disk = &answer.disks[0];
        assert_eq!(
            (disk.chain.as_slice(), disk.address.as_str(), answer.swapped_count),
            (&[to.to_owned()][..], "scsi0:0", count)
        );
    }
    assert!(
        lab.device("naa.1/vmfs1-vm02/vmfs1-vm02.vmdk").exists()
            && lab.device("naa.2/wide-vm03/wide-vm03.vmdk").exists()
    );
    for (from, to, expected) in [
        (old, "[wide] wide-vm03/absent.vmdk", "DISK_NOT_FOUND"),
        ("[vmfs1] other/x.vmdk", new, "DISK_NOT_OF_VM"),
        (old, old, "INVALID_FIELD"),
    ] {
        assert_eq!(reason(&swap(&face, &vm, &[(from, to)]).await.unwrap_err()), expected, "{from} {to}");
    }
}
