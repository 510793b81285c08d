//! Removes a clone's directories: each is hidden by a rename first, so that a crash leaves no half of a VM in sight.

use super::{
    clone_record::{CloneRecord, DirectoryMark, Owner, hidden_name, owner},
    ensure_clone::discard_hidden,
    shared::Shared,
    volume,
};
use crate::driver::{CloneRemoval, DriverError, Reason};
use crate::rel_path::RelPath;
use std::collections::BTreeSet;
use strata_model::ids::VolumeId;

/// The whole act; blocking.
pub(super) fn run(shared: &Shared, want: &CloneRemoval) -> Result<(), DriverError> {
    crate::naming::check_key(&want.mark.key)?;
    let asked: BTreeSet<(String, String)> =
        want.targets.iter().map(|target| (target.volume.to_string(), target.directory.clone())).collect();
    let recorded: BTreeSet<(String, String)> = CloneRecord::read(shared, &want.mark)?
        .into_iter()
        .flat_map(|record| record.targets)
        .map(|target| (target.volume, target.directory))
        .collect();
    if !recorded.is_empty() && !asked.is_empty() && asked != recorded {
        let text = format!("clone '{}' was made as {recorded:?} and not as {asked:?}; it is left alone", want.mark.key);
        return Err(DriverError::new(Reason::KeyReused, text));
    }
    for (volume, directory) in asked.union(&recorded) {
        remove_one(shared, want, &VolumeId(volume.clone()), directory)?;
    }
    CloneRecord::remove(shared, &want.mark.key)
}

fn remove_one(shared: &Shared, want: &CloneRemoval, id: &VolumeId, directory: &str) -> Result<(), DriverError> {
    let volume = match volume::find(shared, id) {
        Ok(volume) => volume,
        // The clone went with its volume.
        Err(error) if error.reason == Reason::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    let path = RelPath::parse(directory)?;
    let (parent, name) = path.split();
    let parent = match volume.dir.enter(parent) {
        Ok(parent) => parent,
        Err(error) if error.reason == Reason::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    let expected = DirectoryMark::new(shared, &want.mark, &volume.volume.uuid, directory);
    let hidden = hidden_name(&want.mark.key);
    discard_hidden(&parent, &hidden, &expected)?;
    match owner(&parent, name, &expected)? {
        Owner::Nobody => Ok(()),
        Owner::Other => Err(DriverError::new(
            Reason::NotOurs,
            format!(
                "{} does not carry the mark of clone '{}'; it is left alone, remove it by hand if it may go",
                volume.dir.describe(directory),
                want.mark.key
            ),
        )),
        Owner::This => {
            volume.check(None)?;
            parent.rename(name, &parent, &hidden)?;
            parent.sync()?;
            discard_hidden(&parent, &hidden, &expected)
        }
    }
}
