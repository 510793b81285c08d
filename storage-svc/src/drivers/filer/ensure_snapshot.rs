//! Makes a snapshot. Crash states: (1) nothing; (2) a partial directory, which the repeat and the removal discard; (3) the
//! whole snapshot under its name, which the repeat answers.

use super::{
    beneath::Beneath,
    btrfs,
    cut_files::FileCut,
    record,
    shared::{Engine, NAMES, Shared},
    snapshot::{self, DATA, MARK_FILE, MemberRecord, SnapshotRecord},
    volume::{self, Found},
};
use crate::driver::{DriverError, Reason, Snapshot, SnapshotRequest};
use crate::naming;
use rustix::fs::Mode;
use std::time::{Duration, Instant};

/// The whole act; blocking.
pub(super) fn run(shared: &Shared, want: &SnapshotRequest) -> Result<Snapshot, DriverError> {
    want.check()?;
    let (found, members) = look_at_volumes(shared, want)?;
    if let Some(stored) = snapshot::by_key(shared, &want.mark.key)? {
        let record = stored.check_ours(&want.mark)?;
        if record.members != members {
            return Err(DriverError::new(
                Reason::KeyReused,
                format!(
                    "key '{}' names snapshot '{}', which was cut of something else; use another key",
                    want.mark.key, stored.name
                ),
            ));
        }
        return Ok(stored.to_snapshot());
    }
    for volume in &found {
        volume.check(None)?;
    }
    refuse_what_cannot_agree(shared, want)?;
    let name = naming::render(&NAMES, &want.mark.key, &want.label);
    discard_partials(shared, &want.mark.key)?;
    let made = build(shared, want, &found, members, &name);
    if made.is_err()
        && let Err(error) = snapshot::discard(shared, "partial", &name)
    {
        tracing::warn!(%error, name, "what a failed snapshot left could not be removed; the next try will");
    }
    made
}

/// What a crash or an earlier try of this key left.
pub(super) fn discard_partials(shared: &Shared, key: &str) -> Result<(), DriverError> {
    for name in shared.ours("partial")?.list()? {
        if naming::is_for_key(&NAMES, &name, key) {
            snapshot::discard(shared, "partial", &name)?;
        }
    }
    Ok(())
}

/// The volumes in the order asked, and what the record will say of them (sorted).
fn look_at_volumes(shared: &Shared, want: &SnapshotRequest) -> Result<(Vec<Found>, Vec<MemberRecord>), DriverError> {
    let (mut found, mut members) = (Vec::new(), Vec::new());
    for target in &want.targets {
        let volume = volume::find(shared, &target.volume)?;
        if let Some(expected) = &target.expected_uuid
            && *expected != volume.volume.uuid
        {
            return Err(volume::replaced(&target.volume, expected, &volume.volume.uuid));
        }
        let mut paths = target.paths.clone();
        paths.sort();
        paths.dedup();
        if paths.is_empty() && shared.engine != Engine::Btrfs {
            return Err(DriverError::new(
                Reason::InvalidRequest,
                format!("this filer cuts files: name the directories or files of volume '{}'", target.volume),
            ));
        }
        // With a whole volume in the snapshot, the paths are no part of what it is.
        let kept = if shared.engine == Engine::Btrfs { Vec::new() } else { paths };
        members.push(MemberRecord {
            volume: target.volume.to_string(),
            volume_uuid: volume.volume.uuid.clone(),
            paths: kept,
        });
        found.push(volume);
    }
    members.sort();
    Ok((found, members))
}

fn refuse_what_cannot_agree(shared: &Shared, want: &SnapshotRequest) -> Result<(), DriverError> {
    if shared.engine == Engine::Copy && !want.vm_off {
        return Err(DriverError::new(
            Reason::NeedsVmOff,
            format!(
                "the file system of {} shares no extents, and a copy of a live disk is torn; power the VM off, or put the \
                 volume on XFS with reflink or on btrfs",
                shared.root.display()
            ),
        ));
    }
    if want.targets.len() > 1 && want.skew_max.is_zero() && !want.vm_off {
        return Err(skew_error(want, "several volumes of this filer are cut one after the other"));
    }
    Ok(())
}

fn skew_error(want: &SnapshotRequest, why: &str) -> DriverError {
    let text = format!(
        "snapshot '{}' was not made: {why}, and {} ms of skew are allowed; allow more, or power the VMs off",
        want.mark.key,
        want.skew_max.as_millis()
    );
    DriverError::new(Reason::SkewTooLarge, text)
}

fn build(
    shared: &Shared,
    want: &SnapshotRequest,
    found: &[Found],
    members: Vec<MemberRecord>,
    name: &str,
) -> Result<Snapshot, DriverError> {
    let partial = shared.ours("partial")?;
    let dir = partial.create_dirs(name, Mode::RWXU)?;
    let data = dir.create_dirs(DATA, Mode::RWXU)?;
    let cut_time = shared.clock.now();
    let skew = match shared.engine {
        Engine::Btrfs => cut_subvolumes(shared, want, found, name, &data)?,
        Engine::Reflink | Engine::Copy => cut_files(shared, want, found, &data)?,
    };
    if skew > want.skew_max && !want.vm_off {
        return Err(skew_error(want, &format!("its parts lay {:.3} ms apart", skew.as_secs_f64() * 1e3)));
    }
    let record = SnapshotRecord {
        mark: want.mark.to_string(),
        label: want.label.clone(),
        filer: shared.serial.clone(),
        engine: shared.engine.as_str().to_owned(),
        cut_time,
        // A part of a microsecond is still not atomic.
        skew_us: u64::try_from(skew.as_nanos().div_ceil(1000)).unwrap_or(u64::MAX),
        members,
    };
    data.sync()?;
    record::write(&dir, MARK_FILE, &record)?;
    let snapshots = shared.ours("snapshots")?;
    partial.rename(name, &snapshots, name)?;
    snapshots.sync()?;
    partial.sync()?;
    let stored = snapshot::by_key(shared, &want.mark.key)?;
    stored.map(|stored| stored.to_snapshot()).ok_or_else(|| {
        DriverError::new(Reason::Unexpected, format!("snapshot '{name}' went away as soon as it was made; ask again"))
    })
}

fn cut_subvolumes(
    shared: &Shared,
    want: &SnapshotRequest,
    found: &[Found],
    name: &str,
    data: &Beneath,
) -> Result<Duration, DriverError> {
    for (target, volume) in want.targets.iter().zip(found) {
        for path in &target.paths {
            volume.check_same_subvolume(path)?;
        }
    }
    let begin = Instant::now();
    for volume in found {
        let to = shared.ours_path("partial").join(name).join(DATA).join(volume.volume.id.as_str());
        btrfs::snapshot_read_only(&volume.path, &to)?;
    }
    let skew = if found.len() > 1 { begin.elapsed() } else { Duration::ZERO };
    for target in &want.targets {
        let cut = data.enter(target.volume.as_str())?.called(format!("the snapshot of volume '{}'", target.volume));
        for path in &target.paths {
            cut.open_any(crate::rel_path::RelPath::parse(path)?.as_str())?;
        }
    }
    Ok(skew)
}

fn cut_files(
    shared: &Shared,
    want: &SnapshotRequest,
    found: &[Found],
    data: &Beneath,
) -> Result<Duration, DriverError> {
    let mut cut = FileCut::default();
    for (target, volume) in want.targets.iter().zip(found) {
        let to = data.create_dirs(target.volume.as_str(), Mode::RWXU)?;
        cut.plan(volume, &target.paths, to)?;
    }
    if cut.file_count() > 1 && want.skew_max.is_zero() && !want.vm_off {
        return Err(skew_error(want, &format!("its {} files are cut one after the other", cut.file_count())));
    }
    cut.run(shared.engine.method())
}
