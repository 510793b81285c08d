//! Reading and writing a disk through its chain of deltas, as a guest does.
//!
//! A delta's data file begins with a map, one byte a grain of 64 KiB (1 = the grain is here), and holds the grains at
//! their own offsets after it. Not VMware's format; whoever reads disks does so through this file.

use super::{
    device::Disk,
    disk::{Descriptor, NewDisk},
    fault::Fault,
    files::{DsPath, tree_fault},
    state::State,
};

const GRAIN: u64 = 65_536;

/// How much of a map is looked at in one piece: merging a large disk that holds little must not take long.
const PIECE: usize = 4096;

fn map_bytes(capacity: u64) -> u64 {
    capacity.div_ceil(GRAIN).next_multiple_of(PIECE as u64)
}

/// One file of a chain, opened.
struct Link {
    data: DsPath,
    /// Length of the map; 0 for a flat file.
    map: u64,
    /// The device of a raw mapping.
    device: Option<String>,
}

impl State {
    fn open_link(&self, file: &DsPath) -> Result<(Link, Option<DsPath>, u64), Fault> {
        let d = self.descriptor(file)?;
        let capacity = d.sectors * 512;
        let map = if d.extent_kind == "VMFSSPARSE" { map_bytes(capacity) } else { 0 };
        let parent = d.get("parentFileNameHint").map(|hint| self.parse_host_path(hint, file));
        let device = d.get("ddb.deviceId").map(str::to_owned);
        Ok((Link { data: file.sibling(&d.extent_file), map, device }, parent, capacity))
    }

    fn open_chain(&self, file: &DsPath) -> Result<(Vec<Link>, u64), Fault> {
        let mut links = Vec::new();
        let mut at = file.clone();
        loop {
            let (link, parent, capacity) = self.open_link(&at)?;
            links.push(link);
            match parent {
                Some(p) if links.len() < 32 => at = p,
                _ => return Ok((links, capacity)),
            }
        }
    }

    fn read_at(&self, file: &DsPath, offset: u64, length: usize) -> Result<Vec<u8>, Fault> {
        let tree = self.tree_of(file)?;
        let mut bytes = tree.read(&file.rel, offset, length).map_err(|e| tree_fault(&e, &self.show(file)))?;
        bytes.resize(length, 0);
        Ok(bytes)
    }

    fn write_at(&self, file: &DsPath, offset: u64, bytes: &[u8]) -> Result<(), Fault> {
        let tree = self.tree_of(file)?;
        tree.write(&file.rel, offset, bytes).map_err(|e| tree_fault(&e, &self.show(file)))
    }

    fn read_links(&self, links: &[Link], offset: u64, length: usize) -> Result<Vec<u8>, Fault> {
        let Some((top, below)) = links.split_first() else {
            return Ok(vec![0; length]);
        };
        if let Some(read) = top.device.as_ref().and_then(|d| self.read_raw(d, offset, length)) {
            return read;
        }
        if top.map == 0 {
            return self.read_at(&top.data, offset, length);
        }
        let mut out = Vec::with_capacity(length);
        let mut at = offset;
        let end = offset + length as u64;
        while at < end {
            let grain = at / GRAIN;
            let part = usize::try_from((grain + 1) * GRAIN - at).unwrap_or(0).min(length - out.len());
            if self.read_at(&top.data, grain, 1)? == [1] {
                out.extend(self.read_at(&top.data, top.map + at, part)?);
            } else {
                out.extend(self.read_links(below, at, part)?);
            }
            at += part as u64;
        }
        Ok(out)
    }

    fn write_links(&self, links: &[Link], offset: u64, bytes: &[u8]) -> Result<(), Fault> {
        let Some((top, below)) = links.split_first() else {
            return Ok(());
        };
        if let Some(written) = top.device.as_ref().and_then(|d| self.write_raw(&top.data, d, offset, bytes)) {
            return written;
        }
        if top.map == 0 {
            return self.write_at(&top.data, offset, bytes);
        }
        let mut done = 0usize;
        while done < bytes.len() {
            let at = offset + done as u64;
            let grain = at / GRAIN;
            let part = usize::try_from((grain + 1) * GRAIN - at).unwrap_or(0).min(bytes.len() - done);
            if self.read_at(&top.data, grain, 1)? != [1] {
                let old = self.read_links(below, grain * GRAIN, usize::try_from(GRAIN).unwrap_or(0))?;
                self.write_at(&top.data, top.map + grain * GRAIN, &old)?;
                self.write_at(&top.data, grain, &[1])?;
            }
            self.write_at(&top.data, top.map + at, &bytes[done..done + part])?;
            done += part;
        }
        Ok(())
    }

    /// Reads from a disk by its descriptor.
    pub fn read_disk(&self, file: &DsPath, offset: u64, length: usize) -> Result<Vec<u8>, Fault> {
        let (links, capacity) = self.open_chain(file)?;
        let length = length.min(usize::try_from(capacity.saturating_sub(offset)).unwrap_or(usize::MAX));
        self.read_links(&links, offset, length)
    }

    /// Writes to a disk by its descriptor.
    ///
    /// Errors: InvalidArgument beyond its end.
    pub fn write_disk(&self, file: &DsPath, offset: u64, bytes: &[u8]) -> Result<(), Fault> {
        let (links, capacity) = self.open_chain(file)?;
        if offset + bytes.len() as u64 > capacity {
            return Err(Fault::invalid_argument("offset"));
        }
        self.write_links(&links, offset, bytes)
    }

    /// Makes a delta on top of a disk and returns its descriptor.
    pub fn create_delta(&mut self, disk: &Disk, home: &DsPath) -> Result<DsPath, Fault> {
        let (_, _, capacity) = self.open_link(&disk.file)?;
        let base = disk.parents.last().map_or(&disk.file, |p| &p.file).stem().to_owned();
        let mut number = 1;
        let file = loop {
            let file = home.sibling(&format!("{base}-{number:06}.vmdk"));
            if !self.exists(&file) {
                break file;
            }
            number += 1;
        };
        let data = file.sibling(&format!("{}-delta.vmdk", file.stem()));
        let uuid = disk.uuid.clone().unwrap_or_default();
        let content_id = format!("{:08x}", self.random() & 0xffff_ffff);
        let parent = self.host_path(&disk.file, &file);
        let text = Descriptor::text(&NewDisk {
            create_type: "vmfsSparse",
            sectors: capacity / 512,
            extent_kind: "VMFSSPARSE",
            extent_file: data.name(),
            uuid: &uuid,
            content_id: &content_id,
            parent_content_id: &disk.content_id,
            parent: Some(&parent),
            ..NewDisk::default()
        });
        self.write_text(&file, &text)?;
        let map = map_bytes(capacity);
        let tree = self.tree_of(&data)?;
        tree.set_len(&data.rel, map).map_err(|e| tree_fault(&e, &self.show(&data)))?;
        Ok(file)
    }

    /// Writes what a delta holds into its parent.
    pub fn merge_into_parent(&mut self, delta: &DsPath) -> Result<(), Fault> {
        let (links, capacity) = self.open_chain(delta)?;
        let Some((top, below)) = links.split_first() else {
            return Ok(());
        };
        let mut first = 0u64;
        while first < top.map {
            let piece = self.read_at(&top.data, first, PIECE)?;
            if piece != [0; PIECE] {
                for grain in (first..).zip(&piece).filter(|(_, here)| **here == 1).map(|(grain, _)| grain) {
                    let at = grain * GRAIN;
                    let length = usize::try_from(GRAIN.min(capacity - at)).unwrap_or(0);
                    let bytes = self.read_at(&top.data, top.map + at, length)?;
                    self.write_links(below, at, &bytes)?;
                }
            }
            first += PIECE as u64;
        }
        Ok(())
    }

    /// Removes a disk's descriptor and data (not its parents).
    pub fn remove_link(&mut self, file: &DsPath) {
        if let Ok(d) = self.descriptor(file) {
            self.remove_quietly(&file.sibling(&d.extent_file));
            if let Some(ctk) = d.get("changeTrackPath") {
                self.remove_quietly(&file.sibling(ctk));
            }
        }
        self.remove_quietly(file);
    }

    /// Copies a whole disk to a new flat one.
    pub fn flatten(&mut self, from: &DsPath, to: &DsPath, thin: bool) -> Result<(), Fault> {
        let (links, capacity) = self.open_chain(from)?;
        self.create_flat(to, capacity, thin)?;
        let data = to.sibling(&format!("{}-flat.vmdk", to.stem()));
        let step = 1u64 << 20;
        let mut at = 0;
        while at < capacity {
            let length = usize::try_from(step.min(capacity - at)).unwrap_or(0);
            let bytes = self.read_links(&links, at, length)?;
            if bytes.iter().any(|b| *b != 0) {
                self.write_at(&data, at, &bytes)?;
            }
            at += step;
        }
        Ok(())
    }

    fn nth_disk(&self, vm: &str, disk: usize) -> Result<(bool, DsPath), Fault> {
        let vm = self.vm_by_name_or_id(vm)?;
        let found = vm.disks().nth(disk).ok_or_else(|| Fault::new("DeviceNotFound", format!("no disk {disk}")))?;
        Ok((vm.on, found.file.clone()))
    }

    /// See [`super::Vcenter::guest_write`].
    pub fn guest_write(&mut self, vm: &str, disk: usize, offset: u64, bytes: &[u8]) -> Result<(), Fault> {
        let (on, file) = self.nth_disk(vm, disk)?;
        if !on {
            return Err(Fault::power_state(Some("poweredOn"), "poweredOff"));
        }
        self.write_disk(&file, offset, bytes)?;
        self.note_write(&file, offset, bytes.len());
        Ok(())
    }

    /// See [`super::Vcenter::guest_read`].
    pub fn guest_read(&self, vm: &str, disk: usize, offset: u64, length: usize) -> Result<Vec<u8>, Fault> {
        let (_, file) = self.nth_disk(vm, disk)?;
        self.read_disk(&file, offset, length)
    }

    fn vm_by_name_or_id(&self, vm: &str) -> Result<&super::vm::Vm, Fault> {
        match self.vms.values().find(|v| v.config.name == vm) {
            Some(found) => Ok(found),
            None => self.vm(vm),
        }
    }
}
