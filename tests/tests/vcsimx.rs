//! vcsimx does what the NFS flow needs of a vCenter, as VMware's own client sees it: what it lacks, no test of Strata
//! against it could find.

use anyhow::Result;
use std::path::Path;
use strata_tests::vcsimx::{Govc, Vcsimx, write_machines};

const HOSTS: [&str; 2] = ["/DC0/host/DC0_C0/DC0_C0_H0", "/DC0/host/DC0_C0/DC0_C0_H1"];
const POOL: &str = "/DC0/host/DC0_C0/Resources";

/// A vcsimx with one datastore, two machines on it, and govc; `None` after `SKIPPED:` was said.
fn start(exports: &Path) -> Result<Option<(Vcsimx, Govc)>> {
    write_machines(&exports.join("vol1"), "ds1", 2)?;
    let vcsimx = Vcsimx::start_with_datastore(exports, "ds1", "/vol1", &[])?;
    Ok(vcsimx.and_then(|vcsimx| vcsimx.govc().map(|govc| (vcsimx, govc))))
}

/// What an array's clone of the volume would be.
fn clone_volume(exports: &Path) -> Result<()> {
    let machine = exports.join("clone1/ds1-vm01");
    fs_err::create_dir_all(&machine)?;
    for entry in fs_err::read_dir(exports.join("vol1/ds1-vm01"))? {
        let entry = entry?;
        fs_err::copy(entry.path(), machine.join(entry.file_name()))?;
    }
    Ok(())
}

fn mount(govc: &Govc, host: &str, name: &str, remote_path: &str) -> Result<String> {
    let remote = ["-remote-host", "filer.lab.example", "-remote-path", remote_path];
    govc.run(&[&["datastore.create", "-type", "nfs", "-name", name], &remote[..], &[host]].concat())
}

fn register(govc: &Govc, name: &str, path: &str) -> Result<String> {
    govc.run(&["vm.register", "-ds", "ds1-clone", "-name", name, "-pool", POOL, path])
}

#[test]
fn a_clone_is_mounted_registered_given_an_identity_and_taken_away_again() {
    let exports = tempfile::tempdir().unwrap();
    let Some((_vcsimx, govc)) = start(exports.path()).unwrap() else { return };
    clone_volume(exports.path()).unwrap();
    for host in HOSTS {
        mount(&govc, host, "ds1-clone", "/clone1").unwrap();
    }
    register(&govc, "web-01-t", "ds1-vm01/ds1-vm01.vmx").unwrap();
    // The disk is the clone's, not the source's; the identity is still the source's but for what vCenter must change.
    let disk = govc.run(&["device.info", "-vm", "web-01-t", "disk-*"]).unwrap();
    assert!(disk.contains("[ds1-clone] ds1-vm01/ds1-vm01.vmdk"), "{disk}");
    let uuids = |vm: &str| {
        let text = govc.run(&["object.collect", "-s", &format!("vm/{vm}"), "config.uuid", "config.instanceUuid"]);
        text.unwrap().lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let (clone, source) = (uuids("web-01-t"), uuids("ds1-vm01"));
    assert_eq!(clone[0], source[0], "the .vmx was not read");
    assert_ne!(clone[1], source[1], "vCenter gives a copy another instance uuid");

    let new = "11111111-2222-3333-4444-555555555555";
    govc.run(&["vm.change", "-vm", "web-01-t", "-uuid", new, "-e", "strata.key=k1"]).unwrap();
    let vmx = fs_err::read_to_string(exports.path().join("clone1/ds1-vm01/ds1-vm01.vmx")).unwrap();
    for line in ["uuid.bios = \"11 11 11 11 22 22 33 33-44 44 55 55 55 55 55 55\"", "strata.key = \"k1\""] {
        assert!(vmx.contains(line), "no {line} in {vmx}");
    }
    govc.run(&["vm.power", "-on", "web-01-t"]).unwrap();
    govc.run(&["vm.power", "-off", "web-01-t"]).unwrap();

    // One host has the machine: from it the datastore cannot be taken, from the other it can.
    let removed: Vec<bool> =
        HOSTS.iter().map(|host| govc.run(&["datastore.remove", "-ds", "ds1-clone", host]).is_ok()).collect();
    assert_eq!(removed.iter().filter(|removed| **removed).count(), 1);
    govc.run(&["vm.unregister", "web-01-t"]).unwrap();
    let last = HOSTS[usize::from(removed[0])];
    govc.run(&["datastore.remove", "-ds", "ds1-clone", last]).unwrap();
    let left = govc.run(&["ls", "/DC0/datastore"]).unwrap();
    assert!(!left.contains("ds1-clone"), "{left}");
    assert!(exports.path().join("clone1/ds1-vm01/ds1-vm01-flat.vmdk").exists(), "unmounting must not delete");
}

#[test]
fn what_a_real_vcenter_refuses_is_refused_and_nothing_dies_of_it() {
    let exports = tempfile::tempdir().unwrap();
    let Some((_vcsimx, govc)) = start(exports.path()).unwrap() else { return };
    clone_volume(exports.path()).unwrap();
    for host in HOSTS {
        mount(&govc, host, "ds1-clone", "/clone1").unwrap();
    }
    register(&govc, "web-01-t", "ds1-vm01/ds1-vm01.vmx").unwrap();
    for (what, refused, fault) in [
        ("mounted already", mount(&govc, HOSTS[0], "other", "/clone1"), "AlreadyExists"),
        ("no such export", mount(&govc, HOSTS[0], "ds9", "/gone"), "PlatformConfigFault"),
        ("name taken", mount(&govc, HOSTS[0], "ds1", "/"), "DuplicateName"),
        ("registered already", register(&govc, "twice", "ds1-vm01/ds1-vm01.vmx"), "AlreadyExists"),
        ("no such file", register(&govc, "none", "ds1-vm09/ds1-vm09.vmx"), "NotFound"),
    ] {
        let text = refused.expect_err(what).to_string();
        assert!(text.contains(fault), "{what}: {text}");
    }
    assert!(govc.run(&["about"]).unwrap().contains("VirtualCenter"));
}
