//! Clones files into new directories. Crash states: (1) nothing; (2) the record alone; (3) a hidden partial directory;
//! (4) some directories whole; (5) all. The repeat goes on from each, the removal undoes each.

use super::{
    beneath::Beneath,
    clone_record::{CLONE_MARK, CloneRecord, CloneTargetRecord, DirectoryMark, Owner, hidden_name, owner},
    copy::{Prepared, dress_directory},
    record,
    shared::Shared,
    snapshot,
    volume::{self, Found},
};
use crate::driver::{CloneMember, DriverError, FileCloneRequest, FileCloneTarget, Reason};
use crate::rel_path::RelPath;
use rustix::fs::Mode;
use strata_model::mark::Mark;

/// The whole act; blocking.
pub(super) fn run(shared: &Shared, want: &FileCloneRequest) -> Result<Vec<CloneMember>, DriverError> {
    want.check()?;
    let mut parts = Vec::new();
    for target in &want.targets {
        parts.push(Part::look(shared, target)?);
    }
    let targets: Vec<CloneTargetRecord> = parts.iter().map(Part::record).collect();
    match CloneRecord::read(shared, &want.mark)? {
        Some(found) if found.targets != targets => {
            let text = format!(
                "key '{}' names a clone of other files or into another directory; use another key",
                want.mark.key
            );
            return Err(DriverError::new(Reason::KeyReused, text));
        }
        Some(_) => {}
        None => {
            // Refused before anything of this key is written, so that a refusal leaves nothing to undo.
            for part in &parts {
                part.look_at_directory(shared, &want.mark)?;
            }
            CloneRecord::new(shared, want, targets).write(shared, &want.mark.key)?;
        }
    }
    let mut members = Vec::new();
    for part in parts {
        let copied_bytes = part.ensure(shared, &want.mark)?;
        members.push(CloneMember {
            volume: part.volume.volume,
            directory: part.target.directory.clone(),
            copied_bytes,
            luns: Vec::new(),
        });
    }
    Ok(members)
}

struct Part<'a> {
    target: &'a FileCloneTarget,
    volume: Found,
}

impl<'a> Part<'a> {
    fn look(shared: &Shared, target: &'a FileCloneTarget) -> Result<Self, DriverError> {
        let volume = volume::find(shared, &target.volume)?;
        volume.check(None)?;
        Ok(Self { target, volume })
    }

    fn record(&self) -> CloneTargetRecord {
        CloneTargetRecord {
            volume: self.target.volume.to_string(),
            volume_uuid: self.volume.volume.uuid.clone(),
            snapshot: self.target.snapshot.to_string(),
            directory: self.target.directory.clone(),
            files: self.target.files.iter().map(|file| (file.from.clone(), file.to.clone())).collect(),
        }
    }

    /// True where the directory is there and belongs to this clone; refused where it is another's.
    fn look_at_directory(&self, shared: &Shared, mark: &Mark) -> Result<bool, DriverError> {
        let directory = RelPath::parse(&self.target.directory)?;
        let (parent, name) = directory.split();
        let expected = DirectoryMark::new(shared, mark, &self.volume.volume.uuid, &self.target.directory);
        match owner(&self.volume.dir.enter(parent)?, name, &expected)? {
            Owner::This => Ok(true),
            Owner::Nobody => Ok(false),
            Owner::Other => Err(stands_there(&self.volume.dir.describe(&self.target.directory))),
        }
    }

    /// Makes the directory unless it is there. Returns the bytes copied now.
    fn ensure(&self, shared: &Shared, mark: &Mark) -> Result<u64, DriverError> {
        if self.look_at_directory(shared, mark)? {
            return Ok(0);
        }
        let directory = RelPath::parse(&self.target.directory)?;
        let (parent, name) = directory.split();
        let parent = self.volume.dir.enter(parent)?;
        let expected = DirectoryMark::new(shared, mark, &self.volume.volume.uuid, &self.target.directory);
        let hidden = hidden_name(&mark.key);
        discard_hidden(&parent, &hidden, &expected)?;
        let built = self.build(shared, &parent, &hidden, &expected);
        let placed = built.and_then(|copied| match parent.rename(&hidden, &parent, name) {
            Err(error) if error.reason == Reason::TargetExists => {
                Err(stands_there(&self.volume.dir.describe(&self.target.directory)))
            }
            Err(error) => Err(error),
            Ok(()) => parent.sync().map(|()| copied),
        });
        if placed.is_err() {
            // Best effort; the repeat and the removal look for it again.
            let _ = discard_hidden(&parent, &hidden, &expected);
        }
        placed
    }

    fn build(&self, shared: &Shared, parent: &Beneath, hidden: &str, mark: &DirectoryMark) -> Result<u64, DriverError> {
        let (data, cut_from) = snapshot::open_data(shared, &self.target.snapshot, &self.target.volume)?;
        if cut_from != self.volume.volume.uuid {
            return Err(volume::replaced(&self.target.volume, &cut_from, &self.volume.volume.uuid));
        }
        let dir = parent.create_dirs(hidden, Mode::RWXU)?;
        record::write(&dir, CLONE_MARK, mark)?;
        let mut copied = 0;
        for file in &self.target.files {
            let within = &file.to[self.target.directory.len() + 1..];
            let (sub, name) = within.rsplit_once('/').unwrap_or(("", within));
            let to = dir.create_dirs(sub, Mode::RWXU)?;
            let from_dir = data.open_any(file.from.rsplit_once('/').map_or("", |(parent, _)| parent))?;
            dress_directory(&to, &from_dir)?;
            let prepared = Prepared::new(data.open_any(&file.from)?, &to, name)?;
            copied += prepared.fill(shared.engine.method())?;
            prepared.finish()?;
            to.sync()?;
        }
        let first =
            self.target.files.first().map_or("", |file| file.from.rsplit_once('/').map_or("", |(parent, _)| parent));
        dress_directory(&dir, &data.open_any(first)?)?;
        dir.sync()?;
        Ok(copied)
    }
}

/// Removes what a crash left under the hidden name: only what carries this clone's mark, or is still empty of anything.
pub(super) fn discard_hidden(parent: &Beneath, hidden: &str, expected: &DirectoryMark) -> Result<(), DriverError> {
    match owner(parent, hidden, expected)? {
        Owner::Nobody => Ok(()),
        Owner::Other if !is_without_mark_yet(parent, hidden) => Err(stands_there(&parent.describe(hidden))),
        Owner::This | Owner::Other => {
            parent.remove_tree(hidden)?;
            parent.sync()
        }
    }
}

/// A crash before the mark was whole leaves nothing, or the mark's temporary file.
fn is_without_mark_yet(parent: &Beneath, hidden: &str) -> bool {
    let temporary = format!(".{CLONE_MARK}.new");
    parent.enter(hidden).and_then(|dir| dir.list()).is_ok_and(|names| names.iter().all(|name| *name == temporary))
}

fn stands_there(object: &str) -> DriverError {
    let text = format!("{object} exists and does not belong to this clone; it is left alone, choose another directory");
    DriverError::new(Reason::NotOurs, text)
}
