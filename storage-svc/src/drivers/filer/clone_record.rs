//! What is remembered of a clone of files: `.strata/clones/<key>.json`, written before the first file, and a mark in each
//! directory that belongs to it.

use super::{beneath::Beneath, record, shared::Shared};
use crate::driver::{DriverError, FileCloneRequest, Reason};
use crate::rel_path::RelPath;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use strata_model::mark::Mark;

/// The mark's file in a clone's directory.
pub(super) const CLONE_MARK: &str = ".strata-clone.json";

/// `<key>.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct CloneRecord {
    pub(super) mark: String,
    pub(super) label: String,
    pub(super) filer: String,
    pub(super) create_time: Timestamp,
    pub(super) targets: Vec<CloneTargetRecord>,
}

/// One directory of a clone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct CloneTargetRecord {
    pub(super) volume: String,
    pub(super) volume_uuid: String,
    pub(super) snapshot: String,
    pub(super) directory: String,
    /// From and to, as asked.
    pub(super) files: Vec<(String, String)>,
}

/// `.strata-clone.json`: fits one directory of one volume, so that a copy elsewhere proves nothing (S2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct DirectoryMark {
    mark: String,
    filer: String,
    volume_uuid: String,
    directory: String,
}

impl DirectoryMark {
    pub(super) fn new(shared: &Shared, mark: &Mark, volume_uuid: &str, directory: &str) -> Self {
        let (filer, mark) = (shared.serial.clone(), mark.to_string());
        Self { mark, filer, volume_uuid: volume_uuid.to_owned(), directory: directory.to_owned() }
    }

    /// True where this directory belongs to the clone of this mark: same installation and key.
    fn fits(&self, other: &DirectoryMark) -> bool {
        let parsed = |mark: &DirectoryMark| mark.mark.parse::<Mark>().ok().map(|mark| (mark.installation, mark.key));
        parsed(self).is_some()
            && parsed(self) == parsed(other)
            && (&self.filer, &self.volume_uuid, &self.directory) == (&other.filer, &other.volume_uuid, &other.directory)
    }
}

/// Whose a directory is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner {
    /// Nothing is there.
    Nobody,
    /// This clone's.
    This,
    /// Anybody else's.
    Other,
}

/// Looks at the mark in a directory, which is called `name` in `parent`.
pub(super) fn owner(parent: &Beneath, name: &str, expected: &DirectoryMark) -> Result<Owner, DriverError> {
    if !parent.exists(&RelPath::parse(name)?)? {
        return Ok(Owner::Nobody);
    }
    let dir = match parent.enter(name) {
        Ok(dir) => dir,
        // A file or a symbolic link.
        Err(error) if matches!(error.reason, Reason::NotFound | Reason::UnsafePath) => return Ok(Owner::Other),
        Err(error) => return Err(error),
    };
    let found = record::read::<DirectoryMark>(&dir, CLONE_MARK)?;
    Ok(if found.is_some_and(|found| found.fits(expected)) { Owner::This } else { Owner::Other })
}

/// Where a directory is built and taken apart: beside its place, so that one rename shows or hides it.
pub(super) fn hidden_name(key: &str) -> String {
    format!(".strata-partial-{key}")
}

impl CloneRecord {
    pub(super) fn new(shared: &Shared, want: &FileCloneRequest, targets: Vec<CloneTargetRecord>) -> Self {
        Self {
            mark: want.mark.to_string(),
            label: want.label.clone(),
            filer: shared.serial.clone(),
            create_time: shared.clock.now(),
            targets,
        }
    }

    fn file_name(key: &str) -> String {
        format!("{key}.json")
    }

    /// The record of this key, refused where another installation made it.
    pub(super) fn read(shared: &Shared, mark: &Mark) -> Result<Option<Self>, DriverError> {
        let clones = shared.ours("clones")?;
        let Some(found) = record::read::<CloneRecord>(&clones, &Self::file_name(&mark.key))? else {
            return Ok(None);
        };
        let owner: Option<Mark> = found.mark.parse().ok();
        if found.filer == shared.serial
            && owner.is_some_and(|owner| owner.installation == mark.installation && owner.key == mark.key)
        {
            return Ok(Some(found));
        }
        let text =
            format!("key '{}' names a clone of another installation ({}); it is left alone", mark.key, found.mark);
        Err(DriverError::new(Reason::NotOurs, text))
    }

    pub(super) fn write(&self, shared: &Shared, key: &str) -> Result<(), DriverError> {
        record::write(&shared.ours("clones")?, &Self::file_name(key), self)
    }

    pub(super) fn remove(shared: &Shared, key: &str) -> Result<(), DriverError> {
        record::remove(&shared.ours("clones")?, &Self::file_name(key))
    }

    /// All that fit this filer, with their marks, by key.
    pub(super) fn all(shared: &Shared) -> Result<Vec<(Mark, Self)>, DriverError> {
        let clones = shared.ours("clones")?;
        let mut found = Vec::new();
        for name in clones.list()? {
            if let Some(record) = record::read::<CloneRecord>(&clones, &name)?
                && let Ok(mark) = record.mark.parse::<Mark>()
                && record.filer == shared.serial
                && name == Self::file_name(&mark.key)
            {
                found.push((mark, record));
            }
        }
        Ok(found)
    }
}
