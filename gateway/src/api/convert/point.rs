//! A restore point as the API shows it.

use super::{grade, time};
use crate::{
    catalog::{Catalog, MemberLun, PointDisk, RestorePoint},
    layout::volume_path,
};
use jiff::SignedDuration;
use strata_model::{DatastorePath, Grade};
use strata_proto::strata::gateway::v1 as pb;

/// A restore point; its clones are looked up.
pub fn point(point: &RestorePoint, catalog: &dyn Catalog) -> pb::Snapshot {
    let intent = &point.intent;
    let cut = &point.cut;
    let clones = catalog.clones().unwrap_or_default();
    let expire = intent
        .keep_seconds
        .and_then(|seconds| cut.time.checked_add(SignedDuration::from_secs(i64::try_from(seconds).ok()?)).ok());
    pb::Snapshot {
        name: format!("snapshots/{}", point.id),
        display_name: point.display_name.clone(),
        vm: intent.vm.clone(),
        vm_display_name: intent.vm_display_name.clone(),
        create_time: Some(time(cut.time)),
        expire_time: expire.map(time),
        grade_asked: grade(intent.grade_asked).into(),
        grade: grade(cut.grade).into(),
        state: state(point).into(),
        disks: intent.disks.iter().map(|disk| included(disk, point)).collect(),
        excluded_disks: intent.excluded.iter().map(excluded).collect(),
        members: members(point),
        vm_snapshot_open: cut.vm_snapshot_open_ms.map(|ms| prost_types::Duration {
            seconds: i64::try_from(ms / 1_000).unwrap_or(i64::MAX),
            nanos: i32::try_from(ms % 1_000 * 1_000_000).unwrap_or(0),
        }),
        skew_us: cut.skew_us,
        safety: intent.safety,
        clones: clones
            .iter()
            .filter(|clone| clone.intent.snapshot_id == point.id)
            .map(|clone| format!("clones/{}", clone.intent.clone_id))
            .collect(),
        description: intent.description.clone(),
        neighbour_count: u32::try_from(intent.neighbours.len()).unwrap_or(u32::MAX),
        operation: point.operation.clone(),
    }
}

fn state(point: &RestorePoint) -> pb::SnapshotState {
    match (point.lost, point.deleting) {
        (true, _) => pb::SnapshotState::Lost,
        (false, true) => pb::SnapshotState::Deleting,
        (false, false) => pb::SnapshotState::Ready,
    }
}

fn included(disk: &PointDisk, point: &RestorePoint) -> pb::SnapshotDisk {
    let achieved = disk.best_grade.unwrap_or(Grade::Crash).min(point.cut.grade);
    let reason = if disk.reason.is_empty() { point.cut.grade_reason.clone() } else { disk.reason.clone() };
    let inside = |file: &String| {
        let path: DatastorePath = file.parse().ok()?;
        let members = point.intent.members.iter().filter(|member| member.volume == disk.volume);
        // Records of before datastores were members of their own have one a volume.
        let root = members.clone().find(|member| member.datastore == path.datastore).or(members.clone().next())?;
        // In a LUN arrays see no files.
        root.luns.is_empty().then(|| volume_path(&root.path_in_volume, &path.path))
    };
    pb::SnapshotDisk {
        label: disk.label.clone(),
        path: disk.attach_path.clone(),
        uuid: disk.uuid.clone(),
        capacity_bytes: disk.capacity_bytes,
        volume: disk.volume.clone(),
        grade: grade(achieved).into(),
        reason,
        files_in_volume: disk.files.iter().filter_map(inside).collect(),
        grade_asked: grade(point.intent.grade_asked).into(),
        chain_before: disk.chain.clone(),
        chain_at_cut: point
            .cut
            .chains
            .iter()
            .find(|(key, _)| *key == disk.key)
            .map(|(_, chain)| chain.clone())
            .unwrap_or_default(),
    }
}

fn excluded(disk: &PointDisk) -> pb::SnapshotDisk {
    pb::SnapshotDisk {
        label: disk.label.clone(),
        path: disk.attach_path.clone(),
        uuid: disk.uuid.clone(),
        capacity_bytes: disk.capacity_bytes,
        reason: disk.reason.clone(),
        ..pb::SnapshotDisk::default()
    }
}

fn members(point: &RestorePoint) -> Vec<pb::SnapshotMember> {
    let cut = point.cut.members.iter();
    cut.map(|member| {
        let planned: Vec<_> = point.intent.members.iter().filter(|planned| planned.volume == member.volume).collect();
        pb::SnapshotMember {
            volume: member.volume.clone(),
            volume_uuid: member.volume_uuid.clone(),
            snapshot_id: member.snapshot_id.clone(),
            native_name: member.native_name.clone(),
            evidence: planned.first().map(|planned| planned.evidence.clone()).unwrap_or_default(),
            luns: planned.iter().flat_map(|planned| &planned.luns).map(lun).collect(),
        }
    })
    .collect()
}

fn lun(lun: &MemberLun) -> pb::SnapshotLun {
    pb::SnapshotLun {
        path: lun.path.clone(),
        canonical_name: lun.canonical_name.clone(),
        datastore: lun.datastore.clone(),
        extent: lun.extent + 1,
        extent_count: lun.extents,
    }
}
