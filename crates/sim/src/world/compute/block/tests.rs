//! Tests of block storage between an array and its hosts.

mod copies;
mod harm;
mod vms;

use super::*;
use crate::{
    clock::{HandClock, SimClock},
    world::{
        World,
        compute::{DiskSpec, Vcenter, VmSpec, fault::Fault, state::State},
        storage::{Array, ArraySpec, NewClone, NewLun, NewLunClone, NewVolume},
        tree::FileTree as _,
    },
};
use std::{collections::BTreeSet, sync::Arc, time::Duration};
use uuid::Uuid;

const GIB: u64 = 1 << 30;

struct Lab {
    clock: Arc<HandClock>,
    world: Arc<World>,
    vc: Arc<Vcenter>,
    volume: Uuid,
    lun: Uuid,
    raw: Uuid,
    hosts: Vec<String>,
}

fn new_volume(name: &str) -> NewVolume {
    NewVolume { name: name.into(), comment: String::new(), export_path: String::new(), size_bytes: 4 * GIB }
}

fn new_lun(name: &str) -> NewLun {
    NewLun { name: name.into(), comment: String::new(), size_bytes: GIB }
}

/// Two hosts; `vmfs1` on one LUN of `vol1` with the VMs `web` (on), `db` and the template `golden`; `wide` over LUNs of two
/// volumes with the VM `big`; the VM `rdm` on `vmfs1` with a raw disk on another LUN of `vol1`;
/// `split` with a disk on each datastore.
fn lab() -> Lab {
    let clock = HandClock::shared();
    let world = World::new(Arc::clone(&clock) as Arc<dyn SimClock>);
    world.add_array(ArraySpec::new("san1", "10.0.0.1")).unwrap();
    let array = world.array("san1").unwrap();
    let volume = array.create_volume(new_volume("vol1")).unwrap().id;
    let second = array.create_volume(new_volume("vol2")).unwrap().id;
    let make = |volume, name| array.create_lun(volume, new_lun(name)).unwrap();
    let (lun, raw) = (make(volume, "lun1").id, make(volume, "raw"));
    let wide = [("san1", make(volume, "wide1").id), ("san1", make(second, "wide2").id)];
    let rdm = DiskSpec { rdm: Some((raw.canonical_name.clone(), false)), ..DiskSpec::of(1 << 20) };
    let far = DiskSpec { datastore: Some("wide".into()), ..DiskSpec::of(1 << 20) };
    let vc = Vcenter::builder(Arc::clone(&world), "vc01")
        .host("esx1.test")
        .host("esx2.test")
        .lun_datastore("vmfs1", &[("san1", lun)])
        .lun_datastore("wide", &wide)
        .mapped_lun("san1", raw.id)
        .vm(VmSpec::named("web").on())
        .vm(VmSpec { host: Some("esx2.test".into()), ..VmSpec::named("db") })
        .vm(VmSpec { template: true, ..VmSpec::named("golden") })
        .vm(VmSpec::named("big").datastore("wide").disks(vec![DiskSpec::of(8 << 20)]).on())
        .vm(VmSpec::named("split").disks(vec![DiskSpec::of(1 << 20), far]).on())
        .vm(VmSpec::named("rdm").disks(vec![DiskSpec::of(1 << 20), rdm]))
        .build()
        .unwrap();
    let hosts = vc.with(|s| s.hosts.keys().cloned().collect());
    Lab { clock, world, vc, volume, lun, raw: raw.id, hosts }
}

impl Lab {
    fn array(&self) -> Array<'_> {
        self.world.array("san1").unwrap()
    }

    fn group(&self) -> Uuid {
        self.array().initiator_groups().unwrap()[0].id
    }

    fn device(&self, lun: Uuid) -> String {
        self.array().lun(lun).unwrap().canonical_name
    }

    fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        self.vc.with(act)
    }

    fn rescan(&self, host: usize) {
        let host = &self.hosts[host];
        self.with(|s| s.rescan_adapters(host, None).and_then(|()| s.rescan_vmfs(host))).unwrap();
    }

    fn unresolved(&self, host: usize) -> Vec<UnresolvedVolume> {
        self.with(|s| s.unresolved(&self.hosts[host])).unwrap()
    }

    fn ty<T>(result: Result<T, Fault>) -> String {
        result.map_or_else(|f| f.ty().to_owned(), |_| "done".to_owned())
    }

    /// Clones `vol1` from a new snapshot and maps the copy of `lun1`.
    fn clone_and_map(&self, name: &str) -> (Uuid, String) {
        let snapshot = self.array().create_snapshot(self.volume, name, "").unwrap().id;
        let new = NewClone { name: name.into(), comment: String::new(), export_path: String::new() };
        let volume = self.array().clone_volume(self.volume, snapshot, new).unwrap().id;
        let copy = self.array().luns(volume).unwrap().into_iter().find(|l| l.name == "lun1").unwrap();
        self.array().map_lun(copy.id, self.group(), None).unwrap();
        (copy.id, copy.canonical_name)
    }

    fn resignature(&self, host: usize, device: &str) -> Result<String, Fault> {
        let path = format!("/vmfs/devices/disks/{device}:1");
        self.with(|s| s.resolve(&self.hosts[host], &[path], Resolution::Resignature))
    }

    fn uuid_of(&self, datastore: &str) -> String {
        self.with(|s| s.datastores[datastore].uuid.clone())
    }

    fn named(&self, name: &str) -> String {
        self.with(|s| s.datastore_named(name, None).unwrap().clone())
    }

    fn rules(&self) -> BTreeSet<String> {
        self.with(|s| s.block_violations()).into_iter().map(|v| v.rule.to_owned()).collect()
    }

    fn mishaps(&self) -> BTreeSet<String> {
        self.with(|_| ());
        self.world.mishaps().into_iter().map(|m| m.rule.to_owned()).collect()
    }

    fn read(&self, path: &str, length: usize) -> Result<Vec<u8>, Fault> {
        self.with(|s| {
            let path = s.parse_path(path, None)?;
            s.tree_of(&path)?.read(&path.rel, 0, length).map_err(|e| Fault::new("Tree", e.to_string()))
        })
    }
}

#[test]
fn a_new_lab_is_clean_and_its_files_lie_on_the_array() {
    let lab = lab();
    assert!(lab.rules().is_empty() && lab.mishaps().is_empty(), "{:?}", lab.rules());
    lab.vc.guest_write("web", 0, 0, b"hello").unwrap();
    let content = lab.array().lun_content(lab.lun, None).unwrap();
    assert_eq!(content.read("files/web/web-flat.vmdk", 0, 5).unwrap(), b"hello");
    let mounts = lab.with(|s| s.datastores[&s.datastore_named("vmfs1", None).unwrap().clone()].mounts.clone());
    assert_eq!(mounts.iter().map(|m| &m.host).collect::<Vec<_>>(), lab.hosts.iter().collect::<Vec<_>>());
    let (size, free) = lab.with(|s| s.space(&s.datastores[s.datastore_named("vmfs1", None).unwrap()]));
    assert!(size == GIB && free < size, "{size} {free}");
}

#[test]
fn a_clean_teardown_leaves_nothing_and_hangs_nobody() {
    let lab = lab();
    let (lun, device) = lab.clone_and_map("c1");
    lab.rescan(0);
    let made = lab.resignature(0, &device).unwrap();
    lab.rescan(1);
    let (volume, scsi) = (lab.uuid_of(&made), scsi_uuid(&device));
    for host in &lab.hosts {
        assert_eq!(Lab::ty(lab.with(|s| s.detach_device(host, &scsi))), "ResourceInUse");
        lab.with(|s| s.unmount_vmfs(host, &volume)).unwrap();
        assert_eq!(Lab::ty(lab.with(|s| s.unmount_vmfs(host, &volume))), "InvalidState");
        lab.with(|s| s.rescan_vmfs(host)).unwrap();
        assert_eq!(Lab::ty(lab.with(|s| s.unmount_vmfs(host, &volume))), "InvalidState", "a rescan does not mount it");
        lab.with(|s| s.detach_device(host, &scsi)).unwrap();
        assert_eq!(Lab::ty(lab.with(|s| s.detach_device(host, &scsi))), "InvalidState");
        assert_eq!(Lab::ty(lab.with(|s| s.forget_device(host, &device))), "HostConfigFault", "it is still there");
    }
    assert_eq!(Lab::ty(lab.with(|s| s.tree(&made).map(drop))), "InaccessibleDatastore");
    lab.array().unmap_lun(lun, lab.group()).unwrap();
    lab.clock.advance(APD_TIMEOUT * 2);
    for host in &lab.hosts {
        lab.with(|s| s.rescan_adapters(host, None).and_then(|()| s.rescan_vmfs(host))).unwrap();
        lab.with(|s| s.forget_device(host, &device)).unwrap();
        lab.with(|s| s.forget_vmfs(host, &volume)).unwrap();
        assert_eq!(Lab::ty(lab.with(|s| s.forget_device(host, &device))), "HostConfigFault");
    }
    assert!(lab.with(|s| !s.datastores.contains_key(&made)));
    assert!(lab.rules().is_empty() && lab.mishaps().is_empty(), "{:?} {:?}", lab.rules(), lab.mishaps());
    assert!(lab.with(|s| s.hosts.values().all(|h| h.connection == "connected")));
}

#[test]
fn rescans_are_of_one_adapter() {
    let lab = lab();
    let iscsi = lab.with(|s| s.hosts[&lab.hosts[0]].san.adapters[0].initiator.clone());
    let only = lab.array().create_initiator_group("iscsi-only", BTreeSet::from([iscsi])).unwrap().id;
    let lun = lab.array().create_lun(lab.volume, new_lun("extra")).unwrap();
    lab.array().map_lun(lun.id, only, None).unwrap();
    let has = |s: &State| s.hosts[&lab.hosts[0]].san.devices.contains_key(&lun.canonical_name);
    for (adapter, sees) in [("vmhba2", false), ("vmhba64", true)] {
        lab.with(|s| s.rescan_adapters(&lab.hosts[0], Some(adapter))).unwrap();
        assert_eq!(lab.with(|s| has(s)), sees, "{adapter}");
    }
    assert_eq!(Lab::ty(lab.with(|s| s.rescan_adapters(&lab.hosts[0], Some("vmhba9")))), "NotFound");
    let paths = lab.with(|s| s.hosts[&lab.hosts[0]].san.devices[&lab.device(lab.lun)].paths.len());
    assert_eq!(paths, 2, "one by each adapter, however often it looks");
    lab.clock.advance(Duration::from_secs(1));
}
