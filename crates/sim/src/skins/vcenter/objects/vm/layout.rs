//! `layoutEx`: the VM's files.

use crate::world::compute::{
    device::{Disk, Kind},
    files::DsPath,
    state::State,
    value::{MoRef, Val, obj},
    vm::Vm,
};

struct Files<'a> {
    s: &'a State,
    all: Vec<(String, &'static str, u64, bool)>,
}

impl Files<'_> {
    fn add(&mut self, file: &DsPath, kind: &'static str) -> Option<usize> {
        let name = self.s.show(file);
        if let Some(at) = self.all.iter().position(|f| f.0 == name) {
            return Some(at);
        }
        let size = self.s.size(file);
        self.all.push((name, kind, size.unwrap_or(0), size.is_some()));
        Some(self.all.len() - 1)
    }

    fn add_there(&mut self, file: &DsPath, kind: &'static str) -> Option<usize> {
        if self.s.exists(file) { self.add(file, kind) } else { None }
    }

    fn link(&mut self, file: &DsPath) -> Val {
        let mut keys: Vec<usize> = self.add(file, "diskDescriptor").into_iter().collect();
        if let Ok(d) = self.s.descriptor(file) {
            keys.extend(self.add(&file.sibling(&d.extent_file), "diskExtent"));
            if let Some(ctk) = d.get("changeTrackPath") {
                self.add_there(&file.sibling(ctk), "digestDescriptor");
            }
        }
        obj!("VirtualMachineFileLayoutExDiskUnit", "fileKey" => keys)
    }

    fn disk(&mut self, key: i64, chain: &[DsPath]) -> Val {
        // Oldest first.
        let units = chain.iter().rev().map(|f| self.link(f)).collect();
        obj!("VirtualMachineFileLayoutExDiskLayout", "key" => key, "chain" => Val::List(units))
    }
}

/// `layoutEx`.
pub fn layout(s: &State, id: &str, vm: &Vm) -> Val {
    let mut files = Files { s, all: Vec::new() };
    files.add(&vm.vmx, "config");
    if let Some(nvram) = &vm.config.nvram {
        files.add_there(&vm.vmx.sibling(nvram), "nvram");
    }
    let stem = vm.vmx.stem();
    files.add_there(&vm.vmx.sibling(&format!("{stem}.vmsd")), "snapshotList");
    files.add_there(&vm.vmx.sibling("vmware.log"), "log");
    files.add_there(&vm.vmx.sibling(&format!("{stem}.vswp")), "swap");
    let mut disks = Vec::new();
    for d in &vm.config.devices {
        if let Kind::Disk(disk) = &d.kind {
            disks.push(files.disk(d.key, &disk.chain()));
        }
    }
    let mut snapshots = Vec::new();
    for (snapshot, x) in s.snapshots_of(id) {
        let data = files.add(&x.listed.config_file, "snapshotData").unwrap_or(0);
        let mut of = Vec::new();
        for (n, (_, file)) in x.listed.disks.iter().enumerate() {
            let mut disk = Disk { file: file.clone(), ..Disk::default() };
            s.refresh_disk(&mut disk);
            let key = vm.config.devices.iter().filter(|d| matches!(d.kind, Kind::Disk(_))).nth(n).map_or(0, |d| d.key);
            of.push(files.disk(key, &disk.chain()));
        }
        snapshots.push(obj!("VirtualMachineFileLayoutExSnapshotLayout",
            "key" => MoRef::new("VirtualMachineSnapshot", snapshot), "dataKey" => data, "memoryKey" => Val::Int(-1),
            "disk" => Val::List(of)));
    }
    let all = files.all.iter().enumerate().map(|(key, (name, kind, size, there))| {
        obj!("VirtualMachineFileLayoutExFileInfo", "key" => key, "name" => name, "type" => *kind, "size" => *size,
            "uniqueSize" => *size, "accessible" => *there)
    });
    obj!("VirtualMachineFileLayoutEx", "file" => Val::List(all.collect()), "disk" => Val::List(disks),
        "snapshot" => Val::List(snapshots), "timestamp" => vm.modified)
}
