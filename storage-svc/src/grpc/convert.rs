//! Between the drivers' types and the messages of storage.v1.

use crate::{
    arrays::{ConfiguredArray, Health},
    driver::{
        Capabilities, CloneMember, ExportedLun, Lun, NfsPath, Owned, OwnedKind, Progress, RestoredFile, Snapshot,
        SnapshotUnit, Volume,
    },
};
use jiff::Timestamp;
use strata_model::{
    ids::{ArrayName, VolumeId},
    mark::Mark,
    names,
};
use strata_proto::strata::{common::v1 as common, storage::v1 as pb};

pub(super) fn array_name(array: &ArrayName) -> String {
    names::join(&[("arrays", array.as_str())])
}

pub(super) fn volume_name(array: &ArrayName, volume: &VolumeId) -> String {
    names::join(&[("arrays", array.as_str()), ("volumes", volume.as_str())])
}

pub(super) fn array(array: &ConfiguredArray, health: Health) -> pb::Array {
    let (state, state_reason) = match health {
        Health::Ready => (pb::ArrayState::Ready, String::new()),
        Health::Unreachable(reason) => (pb::ArrayState::Unreachable, reason),
        Health::Denied(reason) => (pb::ArrayState::Denied, reason),
    };
    let identity = array.identity();
    pb::Array {
        name: array_name(&array.name),
        kind: array.driver.kind().to_owned(),
        serial: identity.as_ref().map(|known| known.serial.clone()).unwrap_or_default(),
        version: identity.map(|known| known.version).unwrap_or_default(),
        state: state.into(),
        state_reason,
        capabilities: Some(capabilities(&array.driver.capabilities())),
    }
}

fn capabilities(from: &Capabilities) -> pb::Capabilities {
    pb::Capabilities {
        snapshot_unit: match from.snapshot_unit {
            SnapshotUnit::Volume => pb::SnapshotUnit::Volume,
            SnapshotUnit::File => pb::SnapshotUnit::File,
        }
        .into(),
        group_volumes_max: from.group_volumes_max,
        clone_volume: from.clone_volume,
        clone_files: from.clone_files,
        restore_files: from.restore_files,
        restore_volume: from.restore_volume,
        restore_keeps_newer_snapshots: from.restore_keeps_newer_snapshots,
        clone_pins_snapshot: from.clone_pins_snapshot,
        note_bytes_max: from.note_bytes_max,
        snapshot_name_bytes_max: u32::try_from(from.snapshot_names.bytes_max).unwrap_or(u32::MAX),
        skew_us_max: from.skew_us_max,
        snapshots_per_volume_max: from.snapshots_per_volume_max,
        needs_vm_off: from.needs_vm_off,
        export_nfs: from.export_nfs,
        export_luns: from.export_luns,
        clone_luns: from.clone_luns,
        restore_lun: from.restore_lun,
        read_files: from.read_files,
    }
}

pub(super) fn lun(from: Lun) -> pb::Lun {
    pb::Lun {
        path: from.path,
        uuid: from.uuid,
        canonical_name: from.canonical_name.unwrap_or_default(),
        size_bytes: from.size_bytes,
        initiators: from.initiators,
    }
}

pub(super) fn exported(from: ExportedLun) -> pb::ExportedLun {
    pb::ExportedLun { path: from.path, canonical_name: from.canonical_name, number: from.number }
}

pub(super) fn nfs(from: NfsPath) -> pb::NfsDevice {
    pb::NfsDevice { host: from.host, path: from.path }
}

pub(super) fn volume(array: &ArrayName, from: Volume) -> pb::Volume {
    pb::Volume {
        name: volume_name(array, &from.id),
        display_name: from.display_name,
        uuid: from.uuid,
        size_bytes: from.size_bytes,
        free_bytes: from.free_bytes,
        read_write: from.read_write,
        clone_of: from.clone_of.map(|source| volume_name(array, &source)).unwrap_or_default(),
        nfs: from.nfs.map(nfs),
    }
}

pub(super) fn snapshot(array: &ArrayName, from: Snapshot) -> pb::ArraySnapshot {
    let members = from.members.into_iter().map(|member| pb::ArraySnapshotMember {
        volume: volume_name(array, &member.volume),
        volume_uuid: member.volume_uuid,
        snapshot_id: member.id.0,
        native_name: member.native_name,
        used_bytes: member.used_bytes,
    });
    pb::ArraySnapshot {
        array: array_name(array),
        key: from.mark.as_ref().map(|mark| mark.key.clone()).unwrap_or_default(),
        members: members.collect(),
        cut_time: Some(timestamp(from.cut_time)),
        skew_us: from.skew_us,
        marked: from.mark.is_some(),
        mark: from.mark.map(mark),
        comment: from.comment,
    }
}

pub(super) fn mark(from: Mark) -> common::Mark {
    common::Mark { installation: from.installation, generation: from.generation }
}

pub(super) fn clone_member(array: &ArrayName, from: CloneMember) -> pb::ArrayCloneMember {
    pb::ArrayCloneMember {
        volume: Some(volume(array, from.volume)),
        directory: from.directory,
        copied_bytes: from.copied_bytes,
        luns: from.luns.into_iter().map(lun).collect(),
    }
}

pub(super) fn restored(from: RestoredFile) -> pb::RestoredFile {
    pb::RestoredFile { path: from.path, present: from.present, copied_bytes: from.copied_bytes }
}

pub(super) fn owned(array: &ArrayName, from: Owned) -> pb::Owned {
    pb::Owned {
        kind: match from.kind {
            OwnedKind::Snapshot => pb::OwnedKind::Snapshot,
            OwnedKind::VolumeClone => pb::OwnedKind::VolumeClone,
            OwnedKind::FileClone => pb::OwnedKind::FileClone,
            OwnedKind::LunClone => pb::OwnedKind::LunClone,
        }
        .into(),
        volume: volume_name(array, &from.volume),
        native_name: from.native_name,
        native_id: from.native_id,
        key: from.mark.key.clone(),
        mark: Some(mark(from.mark)),
        create_time: Some(timestamp(from.create_time)),
    }
}

/// What is ready, or the message for what is not.
pub(super) fn progress<T>(from: Progress<T>) -> Result<T, common::Pending> {
    match from {
        Progress::Ready(value) => Ok(value),
        Progress::Pending { ask_again_after, resume, percent } => Err(common::Pending {
            ask_again_after: prost_types::Duration::try_from(ask_again_after).ok(),
            resume,
            progress_percent: percent.map(u32::from),
        }),
    }
}

fn timestamp(from: Timestamp) -> prost_types::Timestamp {
    prost_types::Timestamp { seconds: from.as_second(), nanos: from.subsec_nanosecond() }
}
