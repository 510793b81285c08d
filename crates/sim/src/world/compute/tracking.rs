//! Changed block tracking: a map beside each disk that says when each block was last written.
//!
//! The file holds a number and then one number for each block of 64 KiB: the first is the disk's current change number,
//! the others are the change number of the last write. It lies on the array like everything else, so that a restore brings
//! an old map back: change numbers are then given a second time, and a backup that trusts one from before is wrong.

use super::{
    device::Kind,
    fault::Fault,
    files::{DsPath, tree_fault},
    state::State,
};

const BLOCK: u64 = 65_536;
const WORD: usize = 8;

impl State {
    /// Makes the tracking files of a VM that is to be tracked.
    pub(super) fn track(&mut self, vm: &str) -> Result<(), Fault> {
        if self.vm(vm)?.config.cbt { self.enable_cbt_files(vm) } else { Ok(()) }
    }

    /// Makes the tracking file of every disk that can have one.
    pub fn enable_cbt_files(&mut self, vm: &str) -> Result<(), Fault> {
        for (key, file, tracked) in self.trackable(vm)? {
            if !tracked {
                let name = format!("{}-ctk.vmdk", file.stem());
                let ctk = file.sibling(&name);
                let tree = self.tree_of(&ctk)?;
                let blocks = (self.descriptor(&file)?.sectors * 512).div_ceil(BLOCK);
                let bad = |e| tree_fault(&e, &self.show(&ctk));
                tree.set_len(&ctk.rel, (blocks + 1) * WORD as u64).map_err(bad)?;
                tree.write(&ctk.rel, 0, &1u64.to_le_bytes()).map_err(bad)?;
                self.set_ctk(&file, Some(&name))?;
            }
            self.point_disk(vm, key, &file)?;
        }
        Ok(())
    }

    /// Removes the tracking files.
    pub fn disable_cbt_files(&mut self, vm: &str) -> Result<(), Fault> {
        for (key, file, _) in self.trackable(vm)? {
            if let Some(ctk) = self.ctk_of(&file) {
                self.remove_quietly(&ctk);
                self.set_ctk(&file, None)?;
            }
            self.point_disk(vm, key, &file)?;
        }
        Ok(())
    }

    fn trackable(&self, vm: &str) -> Result<Vec<(i64, DsPath, bool)>, Fault> {
        let disks = self.vm(vm)?.config.devices.iter().filter_map(|d| match &d.kind {
            Kind::Disk(disk) if !disk.independent() && disk.missing.is_none() => {
                Some((d.key, disk.file.clone(), disk.ctk.is_some()))
            }
            _ => None,
        });
        Ok(disks.collect())
    }

    /// The tracking file of a disk, where its descriptor names one.
    fn ctk_of(&self, file: &DsPath) -> Option<DsPath> {
        let d = self.descriptor(file).ok()?;
        d.get("changeTrackPath").map(|name| file.sibling(name))
    }

    fn word(&self, ctk: &DsPath, n: u64) -> u64 {
        let read = self
            .tree_of(ctk)
            .and_then(|t| t.read(&ctk.rel, n * WORD as u64, WORD).map_err(|e| tree_fault(&e, &self.show(ctk))));
        read.ok().and_then(|b| b.try_into().ok()).map_or(0, u64::from_le_bytes)
    }

    fn set_word(&self, ctk: &DsPath, n: u64, value: u64) {
        if let Ok(tree) = self.tree_of(ctk) {
            // A map that cannot be written is a map that lies; the real one then turns tracking off.
            let _ = tree.write(&ctk.rel, n * WORD as u64, &value.to_le_bytes());
        }
    }

    /// Notes a write of the guest.
    pub(super) fn note_write(&self, file: &DsPath, offset: u64, length: usize) {
        if let Some(ctk) = self.ctk_of(file)
            && length > 0
        {
            let now = self.word(&ctk, 0);
            for block in offset / BLOCK..=(offset + length as u64 - 1) / BLOCK {
                self.set_word(&ctk, block + 1, now);
            }
        }
    }

    /// The change id of a disk now: what a backup remembers. The next write gets a later number.
    pub fn change_id(&self, file: &DsPath) -> Option<String> {
        let ctk = self.ctk_of(file)?;
        Some(format!("52 {}/{}", ctk.stem(), self.word(&ctk, 0)))
    }

    /// At a VMware snapshot the number goes up, so that what is written later is told apart; the map goes with the delta.
    pub(super) fn carry_map(&mut self, from: &DsPath, to: &DsPath) -> Result<(), Fault> {
        let (Some(old), Some(new)) = (self.ctk_of(from), self.ctk_of(to)) else { return Ok(()) };
        self.copy_file(&old, &new)?;
        let next = self.word(&old, 0) + 1;
        self.set_word(&new, 0, next);
        Ok(())
    }

    /// When a delta is merged its map, which knows all, takes the place of the parent's.
    pub(super) fn hand_down_map(&mut self, child: &DsPath, parent: &DsPath) -> Result<(), Fault> {
        match (self.ctk_of(child), self.ctk_of(parent)) {
            (Some(new), Some(old)) => self.copy_file(&new, &old),
            _ => Ok(()),
        }
    }

    /// The stretches (offset, length) of a disk that were written at or after a change id; all of it for `*`.
    ///
    /// Errors: InvalidArgument where the disk is not tracked or the id is not one of it.
    pub fn changed_areas(&self, file: &DsPath, since: &str) -> Result<Vec<(u64, u64)>, Fault> {
        let capacity = self.descriptor(file)?.sectors * 512;
        let bad = || Fault::invalid_argument("changeId");
        let ctk = self.ctk_of(file).ok_or_else(bad)?;
        let since: u64 = match since {
            "*" => 0,
            id => id.rsplit_once('/').and_then(|(_, n)| n.parse().ok()).ok_or_else(bad)?,
        };
        if since > self.word(&ctk, 0) {
            return Err(bad());
        }
        let mut out: Vec<(u64, u64)> = Vec::new();
        for block in 0..capacity.div_ceil(BLOCK) {
            let changed = self.word(&ctk, block + 1);
            if changed == 0 || changed < since {
                continue;
            }
            let (at, length) = (block * BLOCK, BLOCK.min(capacity - block * BLOCK));
            match out.last_mut() {
                Some((start, len)) if *start + *len == at => *len += length,
                _ => out.push((at, length)),
            }
        }
        Ok(out)
    }
}
