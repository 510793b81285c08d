//! What a filer tells without changing anything: files of snapshots, what is ours, what is missing.

use super::{
    clone_record::CloneRecord,
    error::io,
    shared::{Engine, Shared},
    snapshot, volume,
};
use crate::driver::{DriverError, MissingRight, Owned, OwnedKind, Preflight, READ_BYTES_MAX, Reason};
use crate::rel_path::RelPath;
use std::io::Read as _;
use strata_model::ids::{ArraySnapshotId, VolumeId};

/// A small file of a snapshot.
pub(super) fn read_snapshot_file(
    shared: &Shared,
    volume: &VolumeId,
    id: &ArraySnapshotId,
    path: &str,
) -> Result<Vec<u8>, DriverError> {
    let path = RelPath::parse(path)?;
    let (data, _) = snapshot::open_data(shared, id, volume)?;
    let object = data.describe(path.as_str());
    let file = data.open_any(path.as_str())?;
    let meta = file.metadata().map_err(|error| io(error, &object))?;
    if !meta.is_file() {
        return Err(DriverError::new(Reason::InvalidRequest, format!("{object} is no file; name one")));
    }
    if meta.len() > READ_BYTES_MAX {
        let text =
            format!("{object} has {} bytes, and at most {READ_BYTES_MAX} are read; clone it instead", meta.len());
        return Err(DriverError::new(Reason::InvalidRequest, text));
    }
    let mut bytes = Vec::new();
    file.take(READ_BYTES_MAX).read_to_end(&mut bytes).map_err(|error| io(error, &object))?;
    Ok(bytes)
}

/// Everything that carries a mark, sorted by [`owned_token`].
pub(super) fn owned(shared: &Shared, installation: Option<&str>) -> Result<Vec<Owned>, DriverError> {
    let mut owned = Vec::new();
    for stored in snapshot::all(shared)? {
        let Some((record, mark)) = &stored.record else { continue };
        owned.extend(record.members.iter().map(|member| Owned {
            kind: OwnedKind::Snapshot,
            volume: VolumeId(member.volume.clone()),
            native_name: stored.name.clone(),
            native_id: stored.name.clone(),
            mark: mark.clone(),
            create_time: record.cut_time,
        }));
    }
    for (mark, record) in CloneRecord::all(shared)? {
        owned.extend(record.targets.iter().map(|target| Owned {
            kind: OwnedKind::FileClone,
            volume: VolumeId(target.volume.clone()),
            native_name: target.directory.clone(),
            native_id: target.directory.clone(),
            mark: mark.clone(),
            create_time: record.create_time,
        }));
    }
    owned.retain(|object| installation.is_none_or(|wanted| wanted == object.mark.installation));
    owned.sort_by_key(owned_token);
    Ok(owned)
}

/// Where a page of owned objects begins.
pub(super) fn owned_token(object: &Owned) -> String {
    format!("{:?} {} {} {}", object.kind, object.mark.key, object.volume, object.native_id)
}

/// What would stand in the way.
pub(super) fn preflight(shared: &Shared) -> Result<Preflight, DriverError> {
    let mut found = Preflight::default();
    let root = shared.beneath()?;
    for name in volume::candidates(&shared.config, &root)? {
        let remark = match root.enter(&name) {
            Ok(_) => match volume::find(shared, &VolumeId(name.clone())) {
                Ok(found) if found.volume.read_write => continue,
                Ok(_) => format!("volume '{name}' is read-only: it can be listed, not snapshotted"),
                Err(error) => error.message,
            },
            // Not configured and no directory: nobody takes it for a volume.
            Err(error) if shared.config.volumes.is_none() && is_no_directory(&error) => continue,
            Err(error) => format!("'{name}' is no volume: {error}"),
        };
        found.remarks.push(remark);
    }
    for name in root.list_all()?.1 {
        found.remarks.push(format!("'{name}' is no volume: its name is no UTF-8; rename it"));
    }
    if !rustix::process::geteuid().is_root() {
        for feature in ["clone", "revert"] {
            found.missing.push(MissingRight {
                privilege: "CAP_CHOWN (run as root)".to_owned(),
                object: shared.root.display().to_string(),
                feature: format!("{feature} of files that belong to another user"),
            });
        }
    }
    found.remarks.push(match shared.engine {
        Engine::Btrfs => "snapshots are btrfs subvolume snapshots: atomic over a volume".to_owned(),
        Engine::Reflink => {
            "snapshots share extents file by file: each file is atomic, the set has a measured skew".to_owned()
        }
        Engine::Copy => {
            "the file system shares no extents: snapshots are copies, only with the VM off (S15)".to_owned()
        }
    });
    Ok(found)
}

fn is_no_directory(error: &DriverError) -> bool {
    error
        .vendor
        .as_ref()
        .is_some_and(|vendor| vendor.0 == format!("errno {}", rustix::io::Errno::NOTDIR.raw_os_error()))
}
