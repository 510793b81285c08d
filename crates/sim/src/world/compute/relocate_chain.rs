//! Storage vMotion of a VM with VMware snapshots: its whole chains move as they are, so that every snapshot can still be
//! reverted to.

use super::{
    device::{Disk, Kind},
    fault::Fault,
    files::{DsPath, join},
    state::State,
};
use std::collections::BTreeMap;

/// Where each descriptor goes.
type Moves = BTreeMap<DsPath, DsPath>;

impl State {
    /// Moves all files of a VM with snapshots beside its new .vmx.
    ///
    /// Errors: NotSupported where raw mappings or two files of one name would meet (not simulated).
    pub(super) fn move_chains(&mut self, id: &str, home: &DsPath) -> Result<(), Fault> {
        let old_home = self.vm(id)?.vmx.clone();
        let moves = self.plan_moves(id, home)?;
        for (from, to) in &moves {
            self.copy_link(from, to, &moves)?;
        }
        let disks: Vec<(i64, DsPath)> = self
            .vm(id)?
            .config
            .devices
            .iter()
            .filter_map(|d| match &d.kind {
                Kind::Disk(disk) => Some((d.key, disk.file.clone())),
                _ => None,
            })
            .collect();
        for (key, file) in disks {
            if let Some(to) = moves.get(&file) {
                self.point_disk(id, key, to)?;
            }
        }
        self.move_home(id, &old_home, home)?;
        self.move_snapshots(id, &old_home, home, &moves)?;
        self.save(id)?;
        let used = |s: &State, f: &DsPath| s.vms.values().any(|v| v.disks().any(|d| d.chain().contains(f)));
        for file in moves.keys() {
            if !used(self, file) {
                self.remove_link(file);
            }
        }
        Ok(())
    }

    fn plan_moves(&self, id: &str, home: &DsPath) -> Result<Moves, Fault> {
        let not_simulated = |what: &str| Fault::new("NotSupported", format!("{what} is not simulated"));
        let vm = self.vm(id)?;
        if vm.disks().any(|d| d.rdm.is_some()) {
            return Err(not_simulated("Moving a raw device mapping"));
        }
        let mut files: Vec<DsPath> = vm.disks().flat_map(Disk::chain).collect();
        for (_, snapshot) in self.snapshots_of(id) {
            for (_, file) in &snapshot.listed.disks {
                let mut disk = Disk { file: file.clone(), ..Disk::default() };
                self.refresh_disk(&mut disk);
                files.extend(disk.chain());
            }
        }
        let mut moves = Moves::new();
        for file in files {
            let to = home.sibling(file.name());
            if moves.iter().any(|(from, taken)| *from != file && *taken == to) {
                return Err(not_simulated("Moving two disks of one name together"));
            }
            moves.insert(file, to);
        }
        Ok(moves)
    }

    /// Copies one file of a chain, with its tracking file, and lets it name its parent where that will be.
    fn copy_link(&mut self, from: &DsPath, to: &DsPath, moves: &Moves) -> Result<(), Fault> {
        let descriptor = self.descriptor(from)?;
        let mut text = self.read_text(from)?;
        self.copy_file(&from.sibling(&descriptor.extent_file), &to.sibling(&descriptor.extent_file))?;
        if let Some(ctk) = descriptor.get("changeTrackPath") {
            self.copy_file(&from.sibling(ctk), &to.sibling(ctk))?;
        }
        if let Some(hint) = descriptor.get("parentFileNameHint") {
            let parent = self.parse_host_path(hint, from);
            let parent = moves.get(&parent).cloned().unwrap_or(parent);
            let hint = (format!("parentFileNameHint=\"{hint}\""), self.host_path(&parent, to));
            text = text.replace(&hint.0, &format!("parentFileNameHint=\"{}\"", hint.1));
        }
        self.write_text(to, &text)
    }

    /// Lets the list of snapshots, and the configurations in it, name the files where they are now.
    fn move_snapshots(&mut self, id: &str, from: &DsPath, to: &DsPath, moves: &Moves) -> Result<(), Fault> {
        let ids: Vec<String> = self.snapshots_of(id).into_iter().map(|(id, _)| id.clone()).collect();
        for snapshot in ids {
            let Some(held) = self.snapshots.get_mut(&snapshot) else { continue };
            for (_, file) in &mut held.listed.disks {
                if let Some(new) = moves.get(file) {
                    file.clone_from(new);
                }
            }
            if held.listed.config_file.ds == from.ds && held.listed.config_file.dir() == from.dir() {
                let name = held.listed.config_file.name().to_owned();
                held.listed.config_file = DsPath { ds: to.ds.clone(), rel: join(to.dir(), &name) };
            }
            let config = held.listed.config_file.clone();
            let mut text = self.read_text(&config)?;
            for (old, new) in moves {
                let (old, new) = (self.host_path(old, from), self.host_path(new, to));
                text = text.replace(&format!("\"{old}\""), &format!("\"{new}\""));
            }
            self.write_text(&config, &text)?;
        }
        self.save_tree(id, 0)
    }
}
