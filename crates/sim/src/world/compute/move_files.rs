//! Moving, copying and removing files and virtual disks.

use super::{
    disk::Descriptor,
    fault::Fault,
    files::{DsPath, tree_fault},
    state::State,
};

impl State {
    /// Copies the bytes of one file.
    pub fn copy_file(&mut self, from: &DsPath, to: &DsPath) -> Result<(), Fault> {
        let (source, target) = (self.tree_of(from)?, self.tree_of(to)?);
        let bad_source = |e| tree_fault(&e, &self.show(from));
        let bad_target = |e| tree_fault(&e, &self.show(to));
        let size = source.stat(&from.rel).map_err(bad_source)?.size_bytes;
        target.set_len(&to.rel, size).map_err(bad_target)?;
        let mut at = 0;
        while at < size {
            let bytes = source.read(&from.rel, at, 1 << 20).map_err(bad_source)?;
            if bytes.is_empty() {
                break;
            }
            if bytes.iter().any(|b| *b != 0) {
                target.write(&to.rel, at, &bytes).map_err(bad_target)?;
            }
            at += bytes.len() as u64;
        }
        Ok(())
    }

    fn room_for(&mut self, to: &DsPath, force: bool) -> Result<(), Fault> {
        if self.exists(to) {
            if !force {
                return Err(Fault::file_exists(&self.show(to)));
            }
            self.check_unlocked(to)?;
            self.remove_quietly(to);
        }
        if !to.dir().is_empty() && !self.exists(&DsPath { ds: to.ds.clone(), rel: to.dir().to_owned() }) {
            return Err(Fault::file_not_found(&self.show(&DsPath { ds: to.ds.clone(), rel: to.dir().to_owned() })));
        }
        Ok(())
    }

    /// Moves a file or directory.
    ///
    /// Errors: FileNotFound, FileAlreadyExists, FileLocked where a running VM has it.
    pub fn move_file(&mut self, from: &DsPath, to: &DsPath, force: bool) -> Result<(), Fault> {
        if !self.exists(from) {
            return Err(Fault::file_not_found(&self.show(from)));
        }
        self.check_unlocked(from)?;
        self.room_for(to, force)?;
        if from.ds == to.ds {
            return self.tree_of(from)?.rename(&from.rel, &to.rel).map_err(|e| tree_fault(&e, &self.show(to)));
        }
        self.copy_file(from, to)?;
        self.remove_quietly(from);
        Ok(())
    }

    /// Copies a file.
    pub fn copy_checked(&mut self, from: &DsPath, to: &DsPath, force: bool) -> Result<(), Fault> {
        if !self.exists(from) {
            return Err(Fault::file_not_found(&self.show(from)));
        }
        self.check_unlocked(from)?;
        self.room_for(to, force)?;
        self.copy_file(from, to)
    }

    /// Removes a file or a directory with all it holds.
    pub fn delete_file(&mut self, path: &DsPath) -> Result<(), Fault> {
        if path.rel.is_empty() {
            return Err(Fault::invalid_argument("name"));
        }
        if !self.exists(path) {
            return Err(Fault::file_not_found(&self.show(path)));
        }
        self.check_unlocked(path)?;
        self.tree_of(path)?.remove(&path.rel).map_err(|e| tree_fault(&e, &self.show(path)))
    }

    /// Makes a directory.
    pub fn make_directory(&mut self, path: &DsPath, parents: bool) -> Result<(), Fault> {
        if self.exists(path) {
            return Err(Fault::file_exists(&self.show(path)));
        }
        let above = DsPath { ds: path.ds.clone(), rel: path.dir().to_owned() };
        if !parents && !above.rel.is_empty() && !self.exists(&above) {
            return Err(Fault::file_not_found(&self.show(&above)));
        }
        self.tree_of(path)?.create_dir_all(&path.rel).map_err(|e| tree_fault(&e, &self.show(path)))
    }

    /// Moves a virtual disk: descriptor, data and tracking file get the new name.
    pub fn move_disk(&mut self, from: &DsPath, to: &DsPath, force: bool) -> Result<(), Fault> {
        self.check_unlocked(from)?;
        let text = self.read_text(from)?;
        let d = Descriptor::parse(&text).ok_or_else(|| Fault::new("InvalidDiskFormat", "not a virtual disk"))?;
        let ending = d.extent_file.rsplit_once('-').map_or("flat.vmdk", |(_, e)| e).to_owned();
        let data = from.sibling(&d.extent_file);
        let new_data = to.sibling(&format!("{}-{ending}", to.stem()));
        self.room_for(to, force)?;
        self.room_for(&new_data, force)?;
        self.move_file(&data, &new_data, false)?;
        let mut new = text.replace(&format!("\"{}\"", d.extent_file), &format!("\"{}\"", new_data.name()));
        if let Some(ctk) = d.get("changeTrackPath").map(str::to_owned) {
            let new_ctk = to.sibling(&format!("{}-ctk.vmdk", to.stem()));
            self.move_file(&from.sibling(&ctk), &new_ctk, true)?;
            new = new.replace(&format!("\"{ctk}\""), &format!("\"{}\"", new_ctk.name()));
        }
        if let Some(hint) = d.get("parentFileNameHint").map(str::to_owned) {
            let parent = self.parse_host_path(&hint, from);
            new = new.replace(&format!("\"{hint}\""), &format!("\"{}\"", self.host_path(&parent, to)));
        }
        self.write_text(to, &new)?;
        self.remove_quietly(from);
        Ok(())
    }

    /// Copies a virtual disk with its parents to a new flat one.
    pub fn copy_disk(&mut self, from: &DsPath, to: &DsPath, force: bool) -> Result<(), Fault> {
        self.check_unlocked(from)?;
        self.descriptor(from)?;
        if force && self.exists(to) {
            self.check_unlocked(to)?;
            self.remove_link(to);
        }
        self.flatten(from, to, true)
    }

    /// Removes a virtual disk (not its parents).
    pub fn delete_disk(&mut self, file: &DsPath) -> Result<(), Fault> {
        self.descriptor(file)?;
        self.check_unlocked(file)?;
        self.remove_link(file);
        Ok(())
    }
}
