//! Tests of block storage between an array and its hosts.

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
/// volumes with the VM `big`; the VM `rdm` on `vmfs1` with a raw disk on another LUN of `vol1`.
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
fn a_copy_appears_after_a_rescan_and_is_mounted_after_a_resignature() {
    let lab = lab();
    lab.vc.guest_write("web", 0, 0, b"old").unwrap();
    let (_, device) = lab.clone_and_map("c1");
    lab.vc.guest_write("web", 0, 0, b"new").unwrap();
    assert!(lab.unresolved(0).is_empty(), "nobody looked yet");
    lab.with(|s| s.rescan_vmfs(&lab.hosts[0])).unwrap();
    assert!(lab.unresolved(0).is_empty(), "looked for filesystems, not for devices");
    lab.rescan(0);
    let seen = lab.unresolved(0);
    assert_eq!((seen.len(), seen[0].label.as_str(), seen[0].resolvable()), (1, "vmfs1", true));
    assert_eq!((seen[0].extents[0].device.as_str(), seen[0].extents[0].reason), (device.as_str(), "uuidConflict"));
    assert_eq!(lab.rules(), BTreeSet::from(["unresolved-copy".to_owned()]));

    let made = lab.resignature(0, &device).unwrap();
    let name = lab.with(|s| s.datastores[&made].name.clone());
    assert!(
        name.starts_with("snap-") && name.ends_with("-vmfs1") && name.len() == "snap-12345678-vmfs1".len(),
        "{name}"
    );
    assert_ne!(lab.uuid_of(&made), lab.uuid_of(&lab.named("vmfs1")));
    assert!(lab.unresolved(0).is_empty());
    assert_eq!(lab.read(&format!("[{name}] web/web-flat.vmdk"), 3).unwrap(), b"old");
    let hosts = |id: &str| lab.with(|s| s.datastores[id].mounts.iter().map(|m| m.host.clone()).collect::<Vec<_>>());
    assert_eq!(hosts(&made), [lab.hosts[0].clone()], "the other host has not looked");
    lab.rescan(1);
    assert_eq!(hosts(&made), lab.hosts);
    lab.with(|s| s.write_label(&made, "clone")).unwrap();
    assert_eq!(lab.read("[vmfs1] web/web-flat.vmdk", 3).unwrap(), b"new");
    assert!(lab.rules().is_empty() && lab.mishaps().is_empty());
}

#[test]
fn two_copies_of_one_filesystem_are_ambiguous() {
    let lab = lab();
    let (_, one) = lab.clone_and_map("c1");
    let (second, two) = lab.clone_and_map("c2");
    lab.rescan(0);
    let seen = lab.unresolved(0);
    assert_eq!((seen.len(), seen[0].extents.len(), seen[0].multiple, seen[0].resolvable()), (1, 2, true, false));
    assert_eq!(Lab::ty(lab.resignature(0, &one)), "VmfsAmbiguousMount");
    // Where copies are not refused, naming the extent is enough.
    lab.with(|s| s.copies_are_refused = false);
    lab.resignature(0, &one).unwrap();
    lab.with(|s| s.copies_are_refused = true);
    assert!(lab.unresolved(0)[0].resolvable());
    assert_eq!(Lab::ty(lab.resignature(0, "naa.0")), "NotFound");
    let uuid = scsi_uuid(&two);
    lab.with(|s| s.detach_device(&lab.hosts[0], &uuid)).unwrap();
    assert!(lab.unresolved(0).is_empty(), "a detached device is not looked at");
    lab.array().unmap_lun(second, lab.group()).unwrap();
    lab.rescan(0);
    assert_eq!(lab.rules(), BTreeSet::from(["leftover-device".to_owned()]));
    lab.with(|s| s.forget_device(&lab.hosts[0], &two)).unwrap();
    assert!(lab.rules().is_empty() && lab.mishaps().is_empty(), "{:?}", lab.mishaps());
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
fn unmapping_what_is_mounted_hangs_the_hosts() {
    let lab = lab();
    lab.array().unmap_lun(lab.lun, lab.group()).unwrap();
    let state = |lab: &Lab| lab.with(|s| s.hosts.values().map(|h| h.connection.clone()).collect::<Vec<_>>());
    assert_eq!(state(&lab), ["connected", "connected"], "the timeout is not over");
    assert_eq!(lab.mishaps(), BTreeSet::from(["unmapped-in-use".to_owned()]));
    assert_eq!(lab.rules(), BTreeSet::from(["datastore-lost".to_owned(), "device-lost".to_owned()]));
    assert_eq!(Lab::ty(lab.read("[vmfs1] web/web.vmx", 1)), "InaccessibleDatastore");
    let volume = lab.uuid_of(&lab.named("vmfs1"));
    assert_eq!(Lab::ty(lab.with(|s| s.unmount_vmfs(&lab.hosts[0], &volume))), "InvalidState");
    lab.clock.advance(APD_TIMEOUT);
    assert_eq!(state(&lab), ["notResponding", "notResponding"]);
    assert_eq!(Lab::ty(lab.with(|s| s.rescan_adapters(&lab.hosts[0], None))), "HostNotConnected");
    let web = lab.with(|s| s.vms.iter().find(|(_, v)| v.config.name == "web").map(|(id, _)| id.clone())).unwrap();
    assert_eq!(Lab::ty(lab.with(|s| s.check_host_of(&web))), "HostNotConnected");
    lab.array().map_lun(lab.lun, lab.group(), Some(0)).unwrap();
    assert_eq!(state(&lab), ["connected", "connected"]);
    assert!(lab.rules().is_empty() && !lab.mishaps().is_empty(), "it is over and not forgotten");
    let violations = crate::world::invariants::check(&lab.world, &BTreeSet::new(), &[]);
    assert_eq!(violations[0].rule, "unmapped-in-use");
}

#[test]
fn unmapping_what_is_attached_and_not_mounted_is_a_mishap_too() {
    let lab = lab();
    let (lun, device) = lab.clone_and_map("c1");
    lab.rescan(0);
    assert!(lab.mishaps().is_empty());
    lab.array().unmap_lun(lun, lab.group()).unwrap();
    assert_eq!(lab.mishaps(), BTreeSet::from(["unmapped-in-use".to_owned()]));
    lab.rescan(0);
    assert!(lab.with(|s| !s.hosts[&lab.hosts[0]].san.devices.contains_key(&device)));
    assert!(lab.rules().is_empty());
    lab.clock.advance(APD_TIMEOUT * 2);
    assert!(lab.with(|s| s.hosts.values().all(|h| h.connection == "connected")));
}

#[test]
fn a_filesystem_over_two_luns_needs_both_and_both_at_one_time() {
    let lab = lab();
    let (one, two) = (vec![1u8; 8 << 20], vec![2u8; 8 << 20]);
    lab.vc.guest_write("big", 0, 0, &one).unwrap();
    let find = |name: &str| lab.array().all_luns().unwrap().into_iter().find(|l| l.name == name).unwrap();
    let (head, tail) = (find("wide1"), find("wide2"));
    let cut = lab.array().create_group(&[head.volume, tail.volume], "g1", "").unwrap();
    lab.vc.guest_write("big", 0, 0, &two).unwrap();
    let late = lab.array().create_snapshot(tail.volume, "late", "").unwrap();
    let copy = |volume, snapshot, name: &str| {
        let lun = lab
            .array()
            .snapshot_luns(volume, snapshot)
            .unwrap()
            .into_iter()
            .find(|l| l.volume == volume && l.name.starts_with("wide"))
            .unwrap();
        let new = NewLunClone { name: name.into(), comment: String::new() };
        let made = lab.array().clone_lun(lun.id, Some(snapshot), new).unwrap();
        lab.array().map_lun(made.id, lab.group(), None).unwrap();
        made
    };
    let first = copy(head.volume, cut[0].id, "c1");
    lab.rescan(0);
    assert!(lab.unresolved(0)[0].incomplete && !lab.unresolved(0)[0].resolvable());
    assert_eq!(Lab::ty(lab.resignature(0, &first.canonical_name)), "HostConfigFault");
    let second = copy(tail.volume, cut[1].id, "c2");
    lab.rescan(0);
    assert!(lab.unresolved(0)[0].resolvable());
    let made = lab.resignature(0, &first.canonical_name).unwrap();
    let name = lab.with(|s| s.datastores[&made].name.clone());
    assert_eq!(lab.read(&format!("[{name}] big/big-flat.vmdk"), one.len()).unwrap(), one);
    // Extents of two times: a torn copy.
    for lun in [&first, &second] {
        assert!(lab.array().lun(lun.id).unwrap().origin.is_some());
    }
    lab.array().overwrite_lun(second.id, tail.id, Some(late.id)).unwrap();
    lab.world.take_mishaps();
    let torn = lab.array().lun_content(second.id, None).unwrap().read("files/big/big-flat.vmdk", 1 << 20, 1).unwrap();
    assert_eq!(torn, [2]);
    assert!(lab.rules().contains("vmfs-corrupt"), "and rolled back beneath the host that has it mounted");
}

#[test]
fn a_rollback_beneath_a_mounted_filesystem_corrupts_it() {
    for clean in [false, true] {
        let lab = lab();
        lab.vc.guest_write("web", 0, 0, b"old").unwrap();
        let snapshot = lab.array().create_snapshot(lab.volume, "s1", "").unwrap().id;
        lab.vc.guest_write("web", 0, 0, b"new").unwrap();
        let (volume, scsi) = (lab.uuid_of(&lab.named("vmfs1")), scsi_uuid(&lab.device(lab.lun)));
        if clean {
            // As S21 wants it: nothing runs or is registered there, and no host has it.
            lab.with(|s| s.vms.retain(|_, vm| vm.config.name == "big"));
            for host in &lab.hosts {
                lab.with(|s| s.unmount_vmfs(host, &volume).and_then(|()| s.detach_device(host, &scsi))).unwrap();
            }
        }
        lab.array().restore_lun(lab.lun, snapshot).unwrap();
        if clean {
            for host in &lab.hosts {
                lab.with(|s| s.attach_device(host, &scsi).and_then(|()| s.rescan_vmfs(host))).unwrap();
                lab.with(|s| s.mount_vmfs(host, &volume)).unwrap();
            }
        }
        assert_eq!(lab.rules().contains("vmfs-corrupt"), !clean, "seen before anyone reads");
        let read = lab.read("[vmfs1] web/web-flat.vmdk", 3).unwrap();
        assert_eq!(read == b"old", clean, "{read:?}");
        assert_eq!(lab.mishaps().contains("vmfs-corrupt"), !clean);
        assert_ne!(read, b"new");
    }
}

#[test]
fn a_pointer_in_a_copy_writes_production() {
    let lab = lab();
    let power = |name: &str| {
        lab.with(|s| {
            let id = s.vms.iter().find(|(_, v)| v.config.name == name).map(|(id, _)| id.clone()).unwrap();
            s.power_on_now(&id).unwrap();
        });
    };
    power("rdm");
    lab.vc.guest_write("rdm", 1, 0, b"mine").unwrap();
    assert!(lab.mishaps().is_empty(), "the original may");
    assert_eq!(lab.array().lun_content(lab.raw, None).unwrap().read("raw", 0, 4).unwrap(), b"mine");
    assert_eq!(lab.vc.guest_read("rdm", 1, 0, 4).unwrap(), b"mine");
    let (_, device) = lab.clone_and_map("c1");
    lab.rescan(0);
    let made = lab.resignature(0, &device).unwrap();
    let (name, ds) = lab.with(|s| (s.datastores[&made].name.clone(), made.clone()));
    let file = crate::world::compute::files::DsPath { ds, rel: "rdm/rdm_1.vmdk".into() };
    assert_eq!(lab.with(|s| s.read_disk(&file, 0, 4)).unwrap(), b"mine", "{name}: a look through the copy's pointer");
    assert!(lab.mishaps().is_empty(), "a look harms nobody");
    lab.with(|s| s.write_disk(&file, 0, b"ouch")).unwrap();
    assert_eq!(lab.vc.guest_read("rdm", 1, 0, 4).unwrap(), b"ouch");
    assert_eq!(lab.mishaps(), BTreeSet::from(["production-written".to_owned()]));
}

#[test]
fn a_raw_disk_without_its_lun_is_no_disk_of_zeros() {
    let lab = lab();
    let id = lab.with(|s| s.vms.iter().find(|(_, v)| v.config.name == "rdm").map(|(id, _)| id.clone())).unwrap();
    let power_on = || {
        let task = lab.with(|s| {
            let vm = id.clone();
            s.start("PowerOnVM_Task", &State::vm_ref(&id), "", move |s, task| s.power_on(&vm, task))
        });
        lab.vc.settle();
        lab.with(|s| s.tasks[&task.id].error.as_ref().map(|f| f.ty().to_owned()))
    };
    let device = lab.device(lab.raw);
    lab.with(|s| s.detach_device(&lab.hosts[1], &scsi_uuid(&device))).unwrap();
    assert_eq!(Lab::ty(lab.with(|s| s.detach_device(&lab.hosts[0], &scsi_uuid(&device)))), "ResourceInUse");
    assert_eq!(power_on(), None);
    lab.array().unmap_lun(lab.raw, lab.group()).unwrap();
    assert_eq!(Lab::ty(lab.vc.guest_read("rdm", 1, 0, 4)), "GenericVmConfigFault");
    assert_eq!(Lab::ty(lab.vc.guest_write("rdm", 1, 0, b"x")), "GenericVmConfigFault");
    lab.with(|s| s.power_off(&id)).unwrap();
    assert_eq!(power_on().as_deref(), Some("GenericVmConfigFault"));
    for name in [device.clone(), format!("/vmfs/devices/disks/{device}"), format!("vml.{}", scsi_uuid(&device))] {
        assert_eq!(lab.with(|s| s.canonical_device(&lab.hosts[0], &name)), device);
    }
}

#[test]
fn a_copy_is_forced_only_where_its_original_is_not() {
    let lab = lab();
    let (_, device) = lab.clone_and_map("c1");
    let path = vec![format!("/vmfs/devices/disks/{device}:1")];
    lab.rescan(0);
    lab.rescan(1);
    let force = |host: usize| lab.with(|s| s.resolve(&lab.hosts[host], &path, Resolution::Force));
    assert_eq!(Lab::ty(force(0)), "VmfsAlreadyMounted");
    let volume = lab.uuid_of(&lab.named("vmfs1"));
    lab.with(|s| {
        s.vms.retain(|_, vm| vm.host != lab.hosts[1]);
        s.unmount_vmfs(&lab.hosts[1], &volume)
    })
    .unwrap();
    force(1).unwrap();
    assert!(lab.rules().contains("mounted-twice"), "{:?}", lab.rules());
    lab.with(|s| s.unmount_forced_vmfs(&lab.hosts[1], &volume)).unwrap();
    assert!(!lab.rules().contains("mounted-twice"));
}

#[test]
fn a_vm_needs_its_datastore_on_its_host() {
    let lab = lab();
    let (_, device) = lab.clone_and_map("c1");
    lab.rescan(0);
    let made = lab.resignature(0, &device).unwrap();
    let name = lab.with(|s| s.datastores[&made].name.clone());
    let new = |host: usize| crate::world::compute::register::NewVm {
        folder: lab.with(|s| s.datacenters.values().next().unwrap().vm_folder.clone()),
        path: format!("[{name}] db/db.vmx"),
        name: Some(format!("db-{host}")),
        template: false,
        pool: lab.with(|s| s.pools.keys().next().cloned()),
        host: Some(lab.hosts[host].clone()),
    };
    let (near, far) = (new(0), new(1));
    assert_eq!(Lab::ty(lab.with(|s| s.register(&far))), "InvalidDatastore");
    lab.with(|s| s.register(&near)).unwrap();
}

#[test]
fn a_full_volume_takes_its_luns_offline_where_the_array_does_so() {
    for offline in [false, true] {
        let lab = lab();
        lab.array().behave(|b| b.full_takes_luns_offline = offline).unwrap();
        lab.array().resize_volume(lab.volume, lab.array().volume(lab.volume).unwrap().used_bytes).unwrap();
        let written = lab.vc.guest_write("web", 0, 0, &[1; 1 << 18]);
        assert_eq!(Lab::ty(written), "NoDiskSpace");
        assert_eq!(lab.array().lun(lab.lun).unwrap().online, !offline);
        assert_eq!(lab.rules().contains("datastore-lost"), offline);
    }
}

#[test]
fn a_second_vcenter_finds_the_same_filesystem() {
    let lab = lab();
    lab.vc.guest_write("web", 0, 0, b"here").unwrap();
    let other =
        Vcenter::builder(Arc::clone(&lab.world), "vc02").host("esx1.test").lun_datastore("vmfs1", &[("san1", lab.lun)]);
    let other = other.build().unwrap();
    let (uuid, bytes) = other.with(|s| {
        let id = s.datastore_named("vmfs1", None).unwrap().clone();
        (s.datastores[&id].uuid.clone(), s.tree(&id).unwrap().read("web/web-flat.vmdk", 0, 4).unwrap())
    });
    assert_eq!((uuid, bytes), (lab.uuid_of(&lab.named("vmfs1")), b"here".to_vec()));
}

#[test]
fn a_late_job_of_the_array_takes_devices_away_too() {
    let lab = lab();
    let (lun, group) = (lab.lun, lab.group());
    let effect: crate::world::storage::Effect = Box::new(move |world| {
        world.array("san1")?.unmap_lun(lun, group)?;
        Ok(serde_json::Value::Null)
    });
    lab.array().queue("unmap", Duration::from_secs(5), effect).unwrap();
    assert!(lab.mishaps().is_empty());
    lab.clock.advance(Duration::from_secs(5));
    assert_eq!(lab.mishaps(), BTreeSet::from(["unmapped-in-use".to_owned()]));
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

#[test]
fn a_running_vm_moves_with_its_snapshots_and_can_still_be_reverted() {
    let lab = lab();
    let web = lab.with(|s| s.vms.iter().find(|(_, v)| v.config.name == "web").map(|(id, _)| id.clone())).unwrap();
    let snapshot = |name: &str| {
        let ask = crate::world::compute::snapshot::NewSnapshot { name: name.into(), ..Default::default() };
        lab.with(|s| s.create_snapshot(&web, &ask)).unwrap().id
    };
    lab.vc.guest_write("web", 0, 0, b"one").unwrap();
    let first = snapshot("s1");
    lab.vc.guest_write("web", 0, 0, b"two").unwrap();
    snapshot("s2");
    lab.vc.guest_write("web", 0, 0, b"now").unwrap();
    for target in ["wide", "vmfs1", "wide"] {
        let id = lab.named(target);
        let spec = crate::vim_obj!("VirtualMachineRelocateSpec",
            "datastore" => crate::world::compute::value::MoRef::new("Datastore", &id));
        lab.with(|s| s.relocate(&web, &spec)).unwrap();
        assert_eq!(
            lab.with(|s| s.vm(&web).unwrap().datastores().into_iter().map(str::to_owned).collect::<Vec<_>>()),
            [id]
        );
        assert_eq!(lab.vc.guest_read("web", 0, 0, 3).unwrap(), b"now", "on {target}");
        lab.vc.guest_write("web", 0, 9, b"runs").unwrap();
    }
    assert_eq!(Lab::ty(lab.read("[vmfs1] web/web.vmx", 1)), "Tree", "nothing is left at the old place");
    lab.with(|s| s.revert_to(&first, true)).unwrap();
    assert_eq!(lab.vc.guest_read("web", 0, 0, 3).unwrap(), b"one");
    lab.with(|s| s.remove_all_snapshots(&web)).unwrap();
    assert_eq!(lab.vc.guest_read("web", 0, 0, 3).unwrap(), b"one");
}

#[test]
fn a_vm_moves_only_where_its_host_reaches() {
    let lab = lab();
    let (_, device) = lab.clone_and_map("c1");
    lab.rescan(0);
    let made = lab.resignature(0, &device).unwrap();
    let spec = crate::vim_obj!("VirtualMachineRelocateSpec",
        "datastore" => crate::world::compute::value::MoRef::new("Datastore", &made));
    let move_vm = |name: &str| {
        let id = lab.with(|s| s.vms.iter().find(|(_, v)| v.config.name == name).map(|(id, _)| id.clone())).unwrap();
        lab.with(|s| s.relocate(&id, &spec))
    };
    assert_eq!(Lab::ty(move_vm("db")), "InaccessibleDatastore", "its host has not looked");
    move_vm("web").unwrap();
}
