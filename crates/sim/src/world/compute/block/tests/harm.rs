//! What must not be done, and what it does: lost devices, rollbacks, full volumes.

use super::*;

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
