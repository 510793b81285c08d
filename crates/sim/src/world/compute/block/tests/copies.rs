//! Copies: seen, resolved, forced, and files over several LUNs.

use super::*;

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
