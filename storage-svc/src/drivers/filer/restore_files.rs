//! Puts files of a snapshot back. Each is filled under a temporary name and renamed without replacing, so that it appears
//! whole or not at all, and a file that exists is left alone.

use super::{beneath::Beneath, copy::Prepared, shared::Shared, snapshot, volume};
use crate::driver::{DriverError, Reason, RestoreFilesRequest, RestoredFile};
use crate::rel_path::RelPath;
use rustix::fs::Mode;

/// The whole act; blocking.
pub(super) fn run(shared: &Shared, want: &RestoreFilesRequest) -> Result<Vec<RestoredFile>, DriverError> {
    crate::naming::check_key(&want.mark.key)?;
    let live = volume::find(shared, &want.volume)?;
    live.check(want.expected_uuid.as_deref())?;
    let (data, cut_from) = snapshot::open_data(shared, &want.snapshot, &want.volume)?;
    if cut_from != live.volume.uuid {
        return Err(volume::replaced(&want.volume, &cut_from, &live.volume.uuid));
    }
    let mut files = Vec::new();
    for file in &want.files {
        files.push((RelPath::parse(&file.from)?, RelPath::parse(&file.to)?));
    }
    // Everything that can be refused is refused before the first file appears.
    for (from, _) in &files {
        data.open_any(from.as_str())?;
    }
    files
        .iter()
        .enumerate()
        .map(|(index, (from, to))| restore(shared, want, &data, &live.dir, index, from, to))
        .collect()
}

fn restore(
    shared: &Shared,
    want: &RestoreFilesRequest,
    data: &Beneath,
    live: &Beneath,
    index: usize,
    from: &RelPath,
    to: &RelPath,
) -> Result<RestoredFile, DriverError> {
    let (parent, name) = to.split();
    // Names of ours, by key: what an earlier try left is taken away and made anew.
    let temporary = format!(".strata-restore-{}-{index}", want.mark.key);
    let present = RestoredFile { path: to.as_str().to_owned(), present: true, copied_bytes: 0 };
    if live.exists(to)? {
        if let Ok(parent) = live.enter(parent) {
            parent.remove_tree(&temporary)?;
        }
        return Ok(present);
    }
    let parent = live.create_dirs(parent, Mode::from_raw_mode(0o755))?;
    parent.remove_tree(&temporary)?;
    let placed: Result<RestoredFile, DriverError> = (|| {
        let prepared = Prepared::new(data.open_any(from.as_str())?, &parent, &temporary)?;
        let copied_bytes = prepared.fill(shared.engine.method())?;
        prepared.finish()?;
        parent.rename(&temporary, &parent, name)?;
        parent.sync()?;
        Ok(RestoredFile { path: to.as_str().to_owned(), present: false, copied_bytes })
    })();
    match placed {
        Err(error) => {
            // Best effort: the repeat looks for it again.
            let _ = parent.remove_tree(&temporary);
            if error.reason == Reason::TargetExists && live.exists(to)? { Ok(present) } else { Err(error) }
        }
        done => done,
    }
}
