//! What can be seen of the data centre from outside: VMs, files, mounts, the bytes of the neighbours.

use crate::house::House;
use anyhow::anyhow;
use std::collections::BTreeMap;
use strata_sim::world::tree::FileTree;

/// Length of the disks, in bytes.
pub(super) const DISK_BYTES: usize = 1 << 20;

/// The datastores that were there before Strata came.
const DATASTORES: [&str; 2] = ["ds1", "ds2"];

/// A VM as it is registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenVm {
    /// vim25's name of the power state.
    pub power: &'static str,
    /// Name of the datastore that its .vmx lies on.
    pub datastore: String,
    /// Its .vmx there.
    pub vmx: String,
    /// Names of its VMware snapshots.
    pub snapshots: Vec<String>,
}

/// The data centre at one moment, without what the arrays keep for themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// VMs by name.
    pub vms: BTreeMap<String, SeenVm>,
    /// Datastores and the hosts that mounted them.
    pub datastores: BTreeMap<String, Vec<String>>,
    /// Files by `datastore/path`.
    pub files: Vec<String>,
    /// First byte of each VM's disk, or `None` where the disk is torn.
    pub disks: BTreeMap<String, Option<u8>>,
}

impl Picture {
    /// Looks around.
    pub(super) fn of(house: &House) -> anyhow::Result<Self> {
        let (vms, datastores) = house.vcenter.with(|state| {
            let vms: BTreeMap<_, _> = state
                .vms
                .iter()
                .map(|(id, vm)| {
                    let snapshots = state.snapshots_of(id).iter().map(|(_, s)| s.listed.name.clone()).collect();
                    let datastore = state.datastores.get(&vm.vmx.ds).map(|found| found.name.clone());
                    let seen = SeenVm {
                        power: vm.power_state(),
                        datastore: datastore.unwrap_or_default(),
                        vmx: vm.vmx.rel.clone(),
                        snapshots,
                    };
                    (vm.config.name.clone(), seen)
                })
                .collect();
            let datastores: BTreeMap<_, _> = state
                .datastores
                .values()
                .map(|datastore| {
                    (
                        datastore.name.clone(),
                        datastore.mounts.iter().map(|mount| mount.host.clone()).collect::<Vec<_>>(),
                    )
                })
                .collect();
            (vms, datastores)
        });
        let mut files = Vec::new();
        for datastore in DATASTORES {
            walk(&*house.tree(datastore)?, datastore, "", &mut files)?;
        }
        // Where the reference array's driver keeps its marks: what is in there is what it lists as ours.
        files.retain(|file| !file.contains("/.strata-clones/"));
        let mut disks = BTreeMap::new();
        for name in vms.keys() {
            let bytes = house.read(name, DISK_BYTES)?;
            let whole = bytes.len() == DISK_BYTES && bytes.iter().all(|byte| *byte == bytes[0]);
            disks.insert(name.clone(), whole.then(|| bytes[0]));
        }
        Ok(Self { vms, datastores, files, disks })
    }
}

fn walk(tree: &dyn FileTree, datastore: &str, directory: &str, files: &mut Vec<String>) -> anyhow::Result<()> {
    for entry in tree.list(directory).map_err(|error| anyhow!("{error}"))? {
        let path = if directory.is_empty() { entry.name.clone() } else { format!("{directory}/{}", entry.name) };
        if entry.is_dir {
            files.push(format!("{datastore}/{path}/"));
            walk(tree, datastore, &path, files)?;
        } else {
            files.push(format!("{datastore}/{path}"));
        }
    }
    Ok(())
}

impl Picture {
    /// Takes a VM out with its directory, or with its datastore where that is its own; its power state and disk.
    pub(super) fn take_vm(&mut self, name: &str) -> Option<(&'static str, Option<u8>)> {
        let vm = self.vms.remove(name)?;
        if DATASTORES.contains(&vm.datastore.as_str()) {
            let directory = vm.vmx.rsplit_once('/').map_or("", |(directory, _)| directory);
            let directory = format!("{}/{directory}/", vm.datastore);
            self.files.retain(|file| !file.starts_with(&directory));
        } else {
            self.datastores.remove(&vm.datastore);
        }
        Some((vm.power, self.disks.remove(name)?))
    }

    /// What another picture has differently, in words.
    pub(super) fn differences(&self, found: &Picture) -> Vec<String> {
        let mut all = Vec::new();
        if self.vms != found.vms {
            all.push(format!("VMs: {:?}, not {:?}", found.vms, self.vms));
        }
        if self.datastores != found.datastores {
            all.push(format!("datastores: {:?}, not {:?}", found.datastores, self.datastores));
        }
        if self.disks != found.disks {
            all.push(format!("disks: {:?}, not {:?}", found.disks, self.disks));
        }
        all.extend(found.files.iter().filter(|file| !self.files.contains(file)).map(|file| format!("left: {file}")));
        all.extend(self.files.iter().filter(|file| !found.files.contains(file)).map(|file| format!("gone: {file}")));
        all
    }
}
