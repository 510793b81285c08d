//! VMware snapshots: deltas on top of the disks, the tree, revert, removal by merging.

use super::{
    device::{Disk, Kind},
    fault::Fault,
    files::DsPath,
    state::State,
    value::MoRef,
    vm::{Tools, Vm},
    vmsd::{Listed, Tree},
};

/// A snapshot's managed object.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// VM id.
    pub vm: String,
    /// What the .vmsd has.
    pub listed: Listed,
}

/// What is asked of a new snapshot.
#[derive(Debug, Clone, Default)]
pub struct NewSnapshot {
    /// Name.
    pub name: String,
    /// Description.
    pub description: String,
    /// Include memory.
    pub memory: bool,
    /// Freeze the guest.
    pub quiesce: bool,
    /// Tell its applications too (VSS).
    pub applications: bool,
}

fn node_of(vm: &Vm, disk_key: i64) -> String {
    let device = vm.config.devices.iter().find(|d| d.key == disk_key);
    let place = device.and_then(|d| {
        let above = vm.config.devices.iter().find(|c| Some(c.key) == d.controller)?;
        match &above.kind {
            Kind::Controller(c) => Some(format!("{}{}:{}", c.prefix, c.bus, d.unit.unwrap_or(0))),
            _ => None,
        }
    });
    place.unwrap_or_default()
}

impl State {
    /// The snapshots of a VM, oldest first, with their ids.
    pub fn snapshots_of(&self, vm: &str) -> Vec<(&String, &Snapshot)> {
        let mut all: Vec<_> = self.snapshots.iter().filter(|(_, s)| s.vm == vm).collect();
        all.sort_by_key(|(_, s)| s.listed.uid);
        all
    }

    /// Takes over what the .vmsd says: known numbers keep their objects, new ones get objects, gone ones go.
    pub fn adopt_snapshots(&mut self, vm: &str, tree: Tree) {
        let gone: Vec<String> = self
            .snapshots_of(vm)
            .iter()
            .filter(|(_, s)| !tree.all.iter().any(|l| l.uid == s.listed.uid && l.created == s.listed.created))
            .map(|(id, _)| (*id).clone())
            .collect();
        for id in gone {
            self.snapshots.remove(&id);
        }
        let mut current = None;
        for listed in tree.all {
            let uid = listed.uid;
            let known =
                self.snapshots.iter().find(|(_, s)| s.vm == vm && s.listed.uid == uid).map(|(id, _)| id.clone());
            let id = known.unwrap_or_else(|| self.next_id("snapshot"));
            if tree.current == Some(uid) {
                current = Some(id.clone());
            }
            self.snapshots.insert(id, Snapshot { vm: vm.to_owned(), listed });
        }
        if let Ok(vm) = self.vm_mut(vm) {
            vm.current_snapshot = current;
        }
    }

    fn tree_now(&self, vm: &str) -> Tree {
        let all: Vec<Listed> = self.snapshots_of(vm).into_iter().map(|(_, s)| s.listed.clone()).collect();
        let current = self.vms.get(vm).and_then(|v| v.current_snapshot.as_ref());
        let current = current.and_then(|id| self.snapshots.get(id)).map(|s| s.listed.uid);
        let path = self.vms.get(vm).map(|v| v.vmx.clone()).unwrap_or_default();
        let last_uid = all.iter().map(|l| l.uid).max().unwrap_or(0).max(self.read_snapshots(&path).last_uid);
        Tree { all, current, last_uid }
    }

    pub(super) fn save_tree(&mut self, vm: &str, last_uid: i64) -> Result<(), Fault> {
        let mut tree = self.tree_now(vm);
        tree.last_uid = tree.last_uid.max(last_uid);
        let path = self.vm(vm)?.vmx.clone();
        self.write_snapshots(&path, &tree)
    }

    fn check_snapshot(&self, vm: &Vm, ask: &NewSnapshot) -> Result<bool, Fault> {
        if vm.template || vm.connection != "connected" {
            return Err(Fault::new("NotSupported", "The operation is not supported on the object"));
        }
        if vm.question.is_some() {
            return Err(Fault::new("InvalidState", "The VM waits for an answer"));
        }
        let shared_bus =
            vm.config.devices.iter().any(|d| matches!(&d.kind, Kind::Controller(c) if c.sharing != "noSharing"));
        if shared_bus || vm.disks().any(|d| d.multi_writer) {
            return Err(Fault::new("SnapshotFault", "A disk is shared with other VMs"));
        }
        if vm.disks().any(|d| d.rdm.as_ref().is_some_and(|r| r.physical) && !d.mode.starts_with("independent")) {
            return Err(Fault::new("SnapshotFault", "A raw device mapping in physical mode cannot be in a snapshot"));
        }
        if ask.memory && vm.on && vm.disks().any(|d| d.mode.starts_with("independent")) {
            return Err(Fault::new("SnapshotFault", "A snapshot with memory cannot be taken with an independent disk"));
        }
        if vm.disks().any(|d| d.parents.len() >= 31) {
            return Err(Fault::new("SnapshotFault", "Too many levels of snapshots"));
        }
        // Asking to freeze a guest that is off or without Tools is silently ignored, as the real one does.
        let quiesced = ask.quiesce && !ask.memory && vm.tools_running();
        if quiesced && vm.tools == Tools::Hung {
            return Err(Fault::new("ApplicationQuiesceFault", "The guest did not answer the request to freeze"));
        }
        Ok(quiesced)
    }

    /// Takes a snapshot.
    ///
    /// Errors: SnapshotFault where a disk cannot be in one, ApplicationQuiesceFault where the guest does not freeze.
    pub fn create_snapshot(&mut self, id: &str, ask: &NewSnapshot) -> Result<MoRef, Fault> {
        let vm = self.vm(id)?.clone();
        let quiesced = self.check_snapshot(&vm, ask)?;
        // Without uuids of disks, and in another guest than Windows, only its file systems hold still, and nobody is told so.
        if quiesced && ask.applications && vm.is_windows() && vm.config.extra.is_true("disk.EnableUUID") {
            self.vm_mut(id)?.application_freezes += 1;
        }
        let mut tree = self.tree_now(id);
        tree.last_uid += 1;
        let uid = tree.last_uid;
        let config_file = vm.vmx.sibling(&format!("{}-Snapshot{uid}.vmsn", vm.vmx.stem()));
        let text = self.vmx_of(&vm.config, &vm.vmx).text();
        self.write_text(&config_file, &text)?;
        let mut disks = Vec::new();
        let mut swapped: Vec<(i64, DsPath)> = Vec::new();
        for device in &vm.config.devices {
            let Kind::Disk(disk) = &device.kind else { continue };
            if disk.independent() {
                continue;
            }
            disks.push((node_of(&vm, device.key), disk.file.clone()));
            match self.create_delta(disk, &vm.vmx) {
                Ok(delta) => swapped.push((device.key, delta)),
                Err(fault) => {
                    for (_, delta) in &swapped {
                        self.remove_link(delta);
                    }
                    self.remove_quietly(&config_file);
                    return Err(fault);
                }
            }
        }
        let frozen: Vec<DsPath> = disks.iter().map(|(_, file)| file.clone()).collect();
        let deltas: Vec<DsPath> = swapped.iter().map(|(_, delta)| delta.clone()).collect();
        for (key, delta) in swapped {
            self.point_disk(id, key, &delta)?;
        }
        let listed = Listed {
            uid,
            parent: tree.current,
            name: ask.name.clone(),
            description: ask.description.clone(),
            created: self.now(),
            quiesced,
            memory: ask.memory && vm.on,
            config_file,
            disks,
        };
        let snapshot = self.next_id("snapshot");
        self.snapshots.insert(snapshot.clone(), Snapshot { vm: id.to_owned(), listed });
        self.vm_mut(id)?.current_snapshot = Some(snapshot.clone());
        self.track(id)?;
        for (from, to) in frozen.iter().zip(&deltas) {
            self.carry_map(from, to)?;
        }
        self.save_tree(id, uid)?;
        self.save(id)?;
        Ok(MoRef::new("VirtualMachineSnapshot", snapshot))
    }

    /// Lets a VM's disk write to another file.
    pub fn point_disk(&mut self, vm: &str, key: i64, file: &DsPath) -> Result<(), Fault> {
        let mut disk = Disk { file: file.clone(), ..Disk::default() };
        let found = self.vm(vm)?.config.devices.iter().find(|d| d.key == key);
        if let Some(Kind::Disk(old)) = found.map(|d| &d.kind) {
            disk.mode.clone_from(&old.mode);
            disk.multi_writer = old.multi_writer;
        }
        self.refresh_disk(&mut disk);
        if let Some(device) = self.vm_mut(vm)?.config.devices.iter_mut().find(|d| d.key == key) {
            device.kind = Kind::Disk(disk);
        }
        Ok(())
    }

    /// Removes a snapshot, or it and all below it; its data is merged.
    pub fn remove_snapshot(&mut self, snapshot: &str, children: bool) -> Result<(), Fault> {
        let gone = Fault::gone(&MoRef::new("VirtualMachineSnapshot", snapshot));
        let found = self.snapshots.get(snapshot).cloned().ok_or(gone)?;
        let mut doomed = vec![found.listed.uid];
        if children {
            let all: Vec<Listed> = self.snapshots_of(&found.vm).into_iter().map(|(_, s)| s.listed.clone()).collect();
            for l in all {
                if l.parent.is_some_and(|p| doomed.contains(&p)) {
                    doomed.push(l.uid);
                }
            }
        }
        self.remove_uids(&found.vm, &doomed)
    }

    /// Removes all snapshots of a VM.
    pub fn remove_all_snapshots(&mut self, vm: &str) -> Result<(), Fault> {
        let all: Vec<i64> = self.snapshots_of(vm).iter().map(|(_, s)| s.listed.uid).collect();
        self.remove_uids(vm, &all)
    }

    fn remove_uids(&mut self, vm: &str, doomed: &[i64]) -> Result<(), Fault> {
        let parent_of = |s: &State, uid: i64| {
            s.snapshots_of(vm).iter().find(|(_, x)| x.listed.uid == uid).and_then(|(_, x)| x.listed.parent)
        };
        let survivor = |s: &State, mut uid: Option<i64>| {
            while let Some(at) = uid.filter(|u| doomed.contains(u)) {
                uid = parent_of(s, at);
            }
            uid
        };
        let current = self.tree_now(vm).current;
        let current = survivor(self, current);
        let new_parents: Vec<(String, Option<i64>)> = self
            .snapshots_of(vm)
            .iter()
            .filter(|(_, s)| !doomed.contains(&s.listed.uid))
            .map(|(id, s)| ((*id).clone(), survivor(self, s.listed.parent)))
            .collect();
        let last_uid = self.tree_now(vm).last_uid;
        let gone: Vec<(String, DsPath)> = self
            .snapshots_of(vm)
            .iter()
            .filter(|(_, s)| doomed.contains(&s.listed.uid))
            .map(|(id, s)| ((*id).clone(), s.listed.config_file.clone()))
            .collect();
        for (id, file) in gone {
            self.snapshots.remove(&id);
            self.remove_quietly(&file);
        }
        for (id, parent) in new_parents {
            if let Some(s) = self.snapshots.get_mut(&id) {
                s.listed.parent = parent;
            }
        }
        let current =
            self.snapshots_of(vm).iter().find(|(_, s)| Some(s.listed.uid) == current).map(|(id, _)| (*id).clone());
        self.vm_mut(vm)?.current_snapshot = current;
        self.save_tree(vm, last_uid)?;
        self.consolidate(vm)?;
        self.save_tree(vm, last_uid)
    }

    /// Merges deltas that neither the VM nor a snapshot of it needs.
    pub fn consolidate(&mut self, vm: &str) -> Result<(), Fault> {
        if self.vm(vm)?.refuse_consolidation {
            self.vm_mut(vm)?.consolidation_needed = true;
            return self.save(vm);
        }
        while self.consolidate_one(vm)? {}
        self.vm_mut(vm)?.consolidation_needed = false;
        self.save(vm)
    }

    /// One merge: a file that nothing names and that has exactly one child takes the child's data; true when one was done.
    fn consolidate_one(&mut self, vm: &str) -> Result<bool, Fault> {
        let now = self.vm(vm)?;
        let snapshots: Vec<DsPath> = self
            .snapshots_of(vm)
            .iter()
            .flat_map(|(_, s)| s.listed.disks.iter().map(|(_, file)| file.clone()))
            .collect();
        let foreign = |file: &DsPath| {
            self.vms.iter().any(|(id, other)| id != vm && other.disks().any(|d| d.chain().contains(file)))
        };
        let mut edges: Vec<(DsPath, DsPath)> = Vec::new();
        let tips = now.disks().filter(|d| !d.independent()).map(|d| d.file.clone()).chain(snapshots.iter().cloned());
        for tip in tips {
            let mut disk = Disk { file: tip, ..Disk::default() };
            self.refresh_disk(&mut disk);
            for pair in disk.chain().windows(2) {
                if let [child, parent] = pair
                    && !edges.iter().any(|(c, _)| c == child)
                {
                    edges.push((child.clone(), parent.clone()));
                }
            }
        }
        let home = now.vmx.clone();
        let candidate = edges.iter().find(|(_, parent)| {
            let own = parent.ds == home.ds && parent.dir() == home.dir() || parent.stem().starts_with(home.stem());
            own && !snapshots.contains(parent)
                && !foreign(parent)
                && edges.iter().filter(|(_, p)| p == parent).count() == 1
                && !now.disks().any(|d| d.file == *parent)
        });
        let Some((child, parent)) = candidate.cloned() else {
            return Ok(false);
        };
        self.merge_into_parent(&child)?;
        self.hand_down_map(&child, &parent)?;
        // Whoever derived from the child derives from the parent now.
        let hints: Vec<DsPath> = edges.iter().filter(|(_, p)| *p == child).map(|(c, _)| c.clone()).collect();
        for grandchild in hints {
            self.rehint(&grandchild, &parent)?;
        }
        for s in self.snapshots.values_mut().filter(|s| s.vm == vm) {
            for (_, file) in s.listed.disks.iter_mut().filter(|(_, f)| *f == child) {
                file.clone_from(&parent);
            }
        }
        let keys: Vec<(i64, DsPath)> = self
            .vm(vm)?
            .config
            .devices
            .iter()
            .filter_map(|d| match &d.kind {
                Kind::Disk(disk) => Some((d.key, if disk.file == child { parent.clone() } else { disk.file.clone() })),
                _ => None,
            })
            .collect();
        self.remove_link(&child);
        for (key, file) in keys {
            self.point_disk(vm, key, &file)?;
        }
        Ok(true)
    }

    fn rehint(&mut self, file: &DsPath, parent: &DsPath) -> Result<(), Fault> {
        let hint = self.host_path(parent, file);
        let text: String = self
            .read_text(file)?
            .lines()
            .map(|l| {
                if l.starts_with("parentFileNameHint=") {
                    format!("parentFileNameHint=\"{hint}\"\n")
                } else {
                    format!("{l}\n")
                }
            })
            .collect();
        self.write_text(file, &text)
    }

    /// Goes back to a snapshot: configuration and disks as of then; a running VM is stopped, and comes back only from a
    /// snapshot with memory.
    pub fn revert_to(&mut self, snapshot: &str, keep_off: bool) -> Result<(), Fault> {
        let gone = Fault::gone(&MoRef::new("VirtualMachineSnapshot", snapshot));
        let found = self.snapshots.get(snapshot).cloned().ok_or(gone)?;
        let id = found.vm.clone();
        if self.vm(&id)?.on {
            self.power_off(&id)?;
        }
        let vmx = self.vm(&id)?.vmx.clone();
        let text = self.read_text(&found.listed.config_file)?;
        let mut config = self.config_of(&text, &vmx);
        config.extra.set("uuid.location", self.vm(&id)?.config.extra.get("uuid.location").unwrap_or_default());
        let old: Vec<DsPath> = self.vm(&id)?.disks().filter(|d| !d.independent()).map(|d| d.file.clone()).collect();
        self.vm_mut(&id)?.config = config;
        let disks: Vec<(i64, Disk)> = self
            .vm(&id)?
            .config
            .devices
            .iter()
            .filter_map(|d| match &d.kind {
                Kind::Disk(disk) if !disk.independent() => Some((d.key, disk.clone())),
                _ => None,
            })
            .collect();
        for (key, disk) in disks {
            let node = node_of(self.vm(&id)?, key);
            let frozen = found.listed.disks.iter().find(|(n, _)| *n == node).map(|(_, f)| f.clone());
            let mut base = Disk { file: frozen.unwrap_or(disk.file), ..disk };
            self.refresh_disk(&mut base);
            let delta = self.create_delta(&base, &vmx)?;
            self.point_disk(&id, key, &delta)?;
        }
        self.vm_mut(&id)?.current_snapshot = Some(snapshot.to_owned());
        let kept: Vec<DsPath> =
            self.snapshots_of(&id).iter().flat_map(|(_, s)| s.listed.disks.iter().map(|(_, f)| f.clone())).collect();
        for file in old.iter().filter(|f| !kept.contains(f)) {
            self.remove_link(file);
        }
        self.save_tree(&id, 0)?;
        self.save(&id)?;
        if found.listed.memory && !keep_off { self.power_on_now(&id) } else { Ok(()) }
    }
}
