//! Block storage as a client sees it.

use super::{
    Client,
    client::{between, one},
};
use crate::world::{
    compute::{
        Builder, DiskSpec, VmSpec,
        block::{APD_TIMEOUT, scsi_uuid},
    },
    storage::{Array, ArraySpec, NewClone, NewLun, NewVolume},
};
use std::collections::BTreeSet;

/// Adds an array `san1` with the volume `vol1`, on which lie `vmfs1` with the VMs `app` (on) and `raw` (a disk on the LUN
/// `raw1`).
pub fn with_san(builder: Builder) -> Builder {
    let world = std::sync::Arc::clone(builder.world());
    world.add_array(ArraySpec::new("san1", "10.0.0.9")).unwrap();
    let array = world.array("san1").unwrap();
    let new =
        NewVolume { name: "vol1".into(), comment: String::new(), export_path: String::new(), size_bytes: 4 << 30 };
    let volume = array.create_volume(new).unwrap().id;
    let lun = |name: &str| {
        let new = NewLun { name: name.into(), comment: String::new(), size_bytes: 1 << 30 };
        array.create_lun(volume, new).unwrap()
    };
    let (first, raw) = (lun("lun1"), lun("raw1"));
    let rdm = DiskSpec { rdm: Some((raw.canonical_name, false)), ..DiskSpec::of(1 << 20) };
    builder
        .lun_datastore("vmfs1", &[("san1", first.id)])
        .mapped_lun("san1", raw.id)
        .vm(VmSpec::named("app").datastore("vmfs1").on())
        .vm(VmSpec::named("raw").datastore("vmfs1").disks(vec![DiskSpec::of(1 << 20), rdm]))
}

/// Clones `vol1` and shows the copy of `lun1` to the hosts; returns its canonical name.
pub fn clone_and_map(array: &Array<'_>, name: &str) -> String {
    let volume = array.volumes().unwrap().into_iter().find(|v| v.name == "vol1").unwrap().id;
    let snapshot = array.create_snapshot(volume, name, "").unwrap().id;
    let new = NewClone { name: name.into(), comment: String::new(), export_path: String::new() };
    let clone = array.clone_volume(volume, snapshot, new).unwrap().id;
    let copy = array.luns(clone).unwrap().into_iter().find(|l| l.name == "lun1").unwrap();
    array.map_lun(copy.id, array.initiator_groups().unwrap()[0].id, None).unwrap();
    copy.canonical_name
}

/// Hides the copy again.
pub fn unmap(array: &Array<'_>, canonical_name: &str) {
    let copy = array.all_luns().unwrap().into_iter().find(|l| l.canonical_name == canonical_name).unwrap();
    for map in copy.maps {
        array.unmap_lun(copy.id, map.group).unwrap();
    }
}

impl Client {
    async fn host_property(&self, host: &str, path: &str) -> String {
        self.ok("RetrievePropertiesEx", "PropertyCollector", "propertyCollector", &one("HostSystem", host, path)).await
    }

    fn hosts(&self) -> Vec<String> {
        self.vc.with(|s| s.hosts.keys().cloned().collect())
    }
}

#[tokio::test]
async fn a_host_shows_its_adapters_devices_and_mounts() {
    let c = Client::with(with_san).await;
    let host = c.hosts()[0].clone();
    let lun = c.world.array("san1").unwrap().all_luns().unwrap().into_iter().find(|l| l.name == "lun1").unwrap();
    let shown = c.host_property(&host, "config.storageDevice").await;
    let initiators: BTreeSet<String> =
        c.vc.with(|s| s.hosts[&host].san.adapters.iter().map(|a| a.initiator.clone()).collect());
    assert!(initiators.iter().any(|i| shown.contains(&format!("<iScsiName>{i}</iScsiName>"))), "{shown}");
    for part in [
        "xsi:type=\"HostFibreChannelHba\"",
        &format!("<canonicalName>{}</canonicalName>", lun.canonical_name),
        &format!("<serialNumber>{}</serialNumber>", lun.serial),
        "<operationalState>ok</operationalState>",
        "<isWorkingPath>true</isWorkingPath>",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let volume = c.host_property(&host, "config.fileSystemVolume.mountInfo").await;
    assert!(volume.contains(&format!("<diskName>{}</diskName>", lun.canonical_name)), "{volume}");
    assert!(volume.contains("<mounted>true</mounted><accessible>true</accessible>"), "{volume}");
}

#[tokio::test]
async fn calls_go_to_one_host_and_need_the_privilege() {
    let c = Client::with(with_san).await;
    let host = c.hosts()[0].clone();
    let storage = ("HostStorageSystem", format!("storageSystem-{host}"));
    let device = clone_and_map(&c.world.array("san1").unwrap(), "c1");
    for method in ["RescanAllHba", "RescanVmfs", "RefreshStorageSystem"] {
        c.ok(method, storage.0, &storage.1, "").await;
    }
    assert_eq!(c.fault("RescanHba", storage.0, &storage.1, "<hbaDevice>vmhba9</hbaDevice>").await, "NotFound");
    let copies = c.ok("QueryUnresolvedVmfsVolume", storage.0, &storage.1, "").await;
    assert!(copies.contains(&format!("<devicePath>/vmfs/devices/disks/{device}:1</devicePath>")), "{copies}");
    assert!(copies.contains("<resolvable>true</resolvable>"), "{copies}");
    let other = c.hosts()[1].clone();
    let none = c.ok("QueryUnresolvedVmfsVolume", storage.0, &format!("storageSystem-{other}"), "").await;
    assert!(!none.contains("devicePath"), "{none}");
    let force = format!(
        "<resolutionSpec><extentDevicePath>/vmfs/devices/disks/{device}:1</extentDevicePath><uuidResolution>forceMount</uuidResolution></resolutionSpec>"
    );
    let result = c.ok("ResolveMultipleUnresolvedVmfsVolumes", storage.0, &storage.1, &force).await;
    assert!(result.contains("VmfsAlreadyMounted"), "{result}");
    c.vc.with(|s| s.revoke("Host.Config.Storage", None));
    for (method, args) in [("RescanAllHba", ""), ("DetachScsiLun", "<lunUuid>x</lunUuid>")] {
        assert_eq!(c.fault(method, storage.0, &storage.1, args).await, "NoPermission");
    }
}

#[tokio::test]
async fn a_device_taken_away_in_use_is_shown_and_hangs_the_host() {
    let c = Client::with(with_san).await;
    let host = c.hosts()[0].clone();
    let lun = c.world.array("san1").unwrap().all_luns().unwrap().into_iter().find(|l| l.name == "lun1").unwrap();
    unmap(&c.world.array("san1").unwrap(), &lun.canonical_name);
    let shown = c.host_property(&host, "config").await;
    assert!(shown.contains("<operationalState>lostCommunication</operationalState>"), "{shown}");
    assert!(shown.contains("<inaccessibleReason>AllPathsDown_Start</inaccessibleReason>"), "{shown}");
    c.clock.advance(APD_TIMEOUT);
    let shown = c.host_property(&host, "runtime.connectionState").await;
    assert_eq!(between(&shown, "<val xsi:type=\"HostSystemConnectionState\">", "</val>"), "notResponding");
    let storage = format!("storageSystem-{host}");
    let detach = format!("<lunUuid>{}</lunUuid>", scsi_uuid(&lun.canonical_name));
    assert_eq!(c.fault("DetachScsiLun", "HostStorageSystem", &storage, &detach).await, "HostNotConnected");
    let app = c.vm("app");
    assert_eq!(c.fault("PowerOffVM_Task", "VirtualMachine", &app, "").await, "HostNotConnected");
    assert!(!c.vc.with(|s| s.block_violations()).is_empty());
}

#[tokio::test]
async fn names_are_written_to_the_disk_and_datastores_can_be_destroyed() {
    let c = Client::with(with_san).await;
    let ds = c.vc.with(|s| s.datastore_named("vmfs1", None).unwrap().clone());
    c.ok("RenameDatastore", "Datastore", &ds, "<newName>better</newName>").await;
    let host = c.hosts()[0].clone();
    c.vc.with(|s| s.rescan_vmfs(&host)).unwrap();
    assert!(c.vc.with(|s| s.hosts[&host].san.headers.values().any(|h| h.label == "better")));
    assert_eq!(c.fault("DestroyDatastore", "Datastore", &ds, "").await, "ResourceInUse");
    c.vc.with(|s| s.vms.retain(|_, vm| !vm.datastores().contains(ds.as_str())));
    assert_eq!(c.task("Destroy_Task", "Datastore", &ds, "").await, "success");
    c.vc.with(|s| s.rescan_vmfs(&host)).unwrap();
    assert!(c.vc.with(|s| s.datastore_named("better", None).is_none()));
}
