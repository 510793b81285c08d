//! Removes a snapshot. It is renamed out of sight first, so that what a crash leaves is no snapshot any more.

use super::{ensure_snapshot::discard_partials, shared::Shared, snapshot};
use crate::driver::{DriverError, Reason, SnapshotRemoval};
use std::collections::BTreeSet;

/// The whole act; blocking.
pub(super) fn run(shared: &Shared, want: &SnapshotRemoval) -> Result<(), DriverError> {
    crate::naming::check_key(&want.mark.key)?;
    // Partial snapshots have no mark yet; they lie in a directory that is only ours, under a name of this key.
    discard_partials(shared, &want.mark.key)?;
    let Some(stored) = snapshot::by_key(shared, &want.mark.key)? else {
        return Ok(());
    };
    let record = stored.check_ours(&want.mark)?;
    let made_of: BTreeSet<&str> = record.members.iter().map(|member| member.volume.as_str()).collect();
    let asked: BTreeSet<&str> = want.volumes.iter().map(|volume| volume.as_str()).collect();
    if !asked.is_empty() && asked != made_of {
        return Err(DriverError::new(
            Reason::KeyReused,
            format!("snapshot '{}' was cut of {made_of:?} and not of {asked:?}; it is left alone", stored.name),
        ));
    }
    let (snapshots, partial) = (shared.ours("snapshots")?, shared.ours("partial")?);
    snapshots.rename(&stored.name, &partial, &stored.name)?;
    snapshots.sync()?;
    snapshot::discard(shared, "partial", &stored.name)
}
