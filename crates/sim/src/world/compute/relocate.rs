//! Storage vMotion: the VM's files move to another datastore, whatever the chain, as flat disks.

use super::{
    device::{Disk, Kind},
    fault::Fault,
    files::{DsPath, join},
    state::State,
    value::{MoRef, Val},
    vm::Vm,
};

impl State {
    /// Moves a VM's files and, when asked, the VM to another host or pool.
    ///
    /// Errors: NotSupported with raw mappings, or for single disks of a VM with snapshots (not simulated);
    /// InaccessibleDatastore where the VM's host does not reach the target. FileLocked never: a running VM moves, too.
    pub fn relocate(&mut self, id: &str, spec: &Val) -> Result<(), Fault> {
        let known = |s: &State, r: Option<&MoRef>| match r {
            Some(r) if !s.has(r) => Err(Fault::gone(r)),
            r => Ok(r.map(|r| r.id.clone())),
        };
        let (host, pool) = (known(self, spec.moref("host"))?, known(self, spec.moref("pool"))?);
        let to = known(self, spec.moref("datastore"))?;
        if let Some(host) = host {
            self.vm_mut(id)?.host = host;
        }
        if let Some(pool) = pool {
            self.vm_mut(id)?.pool = Some(pool);
        }
        let per_disk: Vec<(i64, String)> = spec
            .list("disk")
            .iter()
            .filter_map(|d| Some((d.int("diskId")?, d.moref("datastore")?.id.clone())))
            .collect();
        if to.is_none() && per_disk.is_empty() {
            return Ok(());
        }
        let vm = self.vm(id)?.clone();
        self.check_target(&vm, to.as_ref(), &per_disk)?;
        let with_snapshots = !self.snapshots_of(id).is_empty();
        let together = to.as_ref().filter(|to| **to != vm.vmx.ds && per_disk.iter().all(|(_, ds)| ds == *to));
        if with_snapshots && together.is_none() {
            let text = "Moving single disks of a VM with snapshots is not simulated";
            return Err(Fault::new("NotSupported", text));
        }
        let home = match &to {
            Some(ds) if *ds != vm.vmx.ds => Some(self.new_home(&vm.vmx, ds)?),
            _ => None,
        };
        if let (true, Some(home)) = (with_snapshots, &home) {
            self.move_chains(id, home)?;
            self.leave_directory(&vm.vmx);
            return Ok(());
        }
        let mut old = Vec::new();
        for d in &vm.config.devices {
            let Kind::Disk(disk) = &d.kind else { continue };
            let target =
                per_disk.iter().find(|(key, _)| *key == d.key).map(|(_, ds)| ds.clone()).or_else(|| to.clone());
            let Some(target) = target.filter(|t| *t != disk.file.ds) else { continue };
            if disk.rdm.is_some() {
                return Err(Fault::new("NotSupported", "Moving a raw device mapping is not simulated"));
            }
            let dir = match &home {
                Some(home) if home.ds == target => home.dir().to_owned(),
                _ => vm.vmx.dir().to_owned(),
            };
            let base = disk.parents.last().map_or(&disk.file, |p| &p.file).name().to_owned();
            let file = DsPath { ds: target.clone(), rel: join(&dir, &base) };
            self.tree(&target)?.create_dir_all(&dir).map_err(|e| super::files::tree_fault(&e, &dir))?;
            self.flatten(&disk.file, &file, disk.thin)?;
            old.push(disk.clone());
            self.point_disk(id, d.key, &file)?;
        }
        if let Some(home) = home {
            self.move_home(id, &vm.vmx, &home)?;
        }
        self.save(id)?;
        let used = |s: &State, f: &DsPath| s.vms.values().any(|v| v.disks().any(|d| d.chain().contains(f)));
        for file in old.iter().flat_map(Disk::chain) {
            if !used(self, &file) {
                self.remove_link(&file);
            }
        }
        self.leave_directory(&vm.vmx);
        Ok(())
    }

    /// Removes the directory that a VM left, where nothing is in it any more.
    fn leave_directory(&mut self, vmx: &DsPath) {
        let left = DsPath { ds: vmx.ds.clone(), rel: vmx.dir().to_owned() };
        if self.tree_of(&left).is_ok_and(|tree| tree.list(&left.rel).is_ok_and(|l| l.is_empty())) {
            self.remove_quietly(&left);
        }
    }

    /// Refuses where the VM's host does not reach a datastore that the VM is to move to.
    fn check_target(&self, vm: &Vm, to: Option<&String>, per_disk: &[(i64, String)]) -> Result<(), Fault> {
        let mut targets = to.into_iter().chain(per_disk.iter().map(|(_, ds)| ds));
        targets.try_for_each(|ds| self.check_host_reaches(&vm.host, &DsPath { ds: ds.clone(), rel: String::new() }))
    }

    fn new_home(&self, vmx: &DsPath, ds: &str) -> Result<DsPath, Fault> {
        let tree = self.tree(ds)?;
        let mut dir = vmx.dir().to_owned();
        let mut n = 0;
        while tree.stat(&dir).is_ok() {
            n += 1;
            dir = format!("{}_{n}", vmx.dir());
        }
        tree.create_dir_all(&dir).map_err(|e| super::files::tree_fault(&e, &dir))?;
        Ok(DsPath { ds: ds.to_owned(), rel: join(&dir, vmx.name()) })
    }

    pub(super) fn move_home(&mut self, id: &str, from: &DsPath, to: &DsPath) -> Result<(), Fault> {
        let tree = self.tree_of(from)?;
        let names = tree.list(from.dir()).map_err(|e| super::files::tree_fault(&e, &self.show(from)))?;
        for entry in names.iter().filter(|e| !e.is_dir && !e.name.ends_with(".vmdk")) {
            let (source, target) = (from.sibling(&entry.name), to.sibling(&entry.name));
            if entry.name.ends_with(".vswp") {
                // Made anew: nobody reads an old swap file.
                let tree = self.tree_of(&target)?;
                tree.set_len(&target.rel, entry.size_bytes).map_err(|e| super::files::tree_fault(&e, &entry.name))?;
            } else {
                self.copy_file(&source, &target)?;
            }
            self.remove_quietly(&source);
        }
        self.vm_mut(id)?.vmx = to.clone();
        let here = super::vmx::spaced(&self.location_of(to));
        self.vm_mut(id)?.config.extra.set("uuid.location", &here);
        Ok(())
    }
}
