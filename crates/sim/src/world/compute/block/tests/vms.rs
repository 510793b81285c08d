//! VMs on block storage: raw disks, where they can run, moving.

use super::*;

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

#[test]
fn chains_that_name_their_parents_elsewhere_move_together() {
    let lab = lab();
    let id = lab.with(|s| s.vms.iter().find(|(_, v)| v.config.name == "split").map(|(id, _)| id.clone())).unwrap();
    let write = |text: &[u8]| (0..2).for_each(|disk| lab.vc.guest_write("split", disk, 0, text).unwrap());
    let read = || (0..2).map(|disk| lab.vc.guest_read("split", disk, 0, 3).unwrap()).collect::<Vec<_>>();
    write(b"old");
    let ask = crate::world::compute::snapshot::NewSnapshot { name: "s1".into(), ..Default::default() };
    let snapshot = lab.with(|s| s.create_snapshot(&id, &ask)).unwrap().id;
    write(b"new");
    let target = lab.named("wide");
    let spec = crate::vim_obj!("VirtualMachineRelocateSpec",
        "datastore" => crate::world::compute::value::MoRef::new("Datastore", &target));
    lab.with(|s| s.relocate(&id, &spec)).unwrap();
    let homes = lab.with(|s| s.vm(&id).unwrap().datastores().into_iter().map(str::to_owned).collect::<Vec<_>>());
    assert_eq!((homes, read()), (vec![target], vec![b"new".to_vec(); 2]));
    assert_eq!(Lab::ty(lab.read("[wide] split/split_1.vmdk", 1)), "Tree", "its old place is empty");
    lab.with(|s| s.revert_to(&snapshot, false)).unwrap();
    assert_eq!(read(), vec![b"old".to_vec(); 2]);
}
