//! The objects that the fake gateway starts with.

use prost::Message;
use prost_types::{Any, Duration, Timestamp};
use strata_proto::{
    google::longrunning::Operation,
    strata::{
        common::v1::{Grade, MissingPrivilege},
        gateway::v1::{
            Clone, Neighbour, OperationMetadata, OperationState, OperationStep, PlanFact, PlanResponse, PlanStep,
            PreflightResponse, PreflightTarget, ProtectionState, Relation, RevertVmResponse, Snapshot, SnapshotDisk,
            SnapshotMember, SnapshotState, StepState, Vm, VmDetail, VmDisk, WatchOperationResponse,
        },
    },
};

/// 2026-05-04 10:04 UTC and so many seconds.
pub fn at(seconds: i64) -> Option<Timestamp> {
    Some(Timestamp { seconds: 1_777_889_040 + seconds, nanos: 0 })
}

fn at_ms(ms: i64) -> Option<Timestamp> {
    Some(Timestamp { seconds: 1_777_889_040 + ms / 1000, nanos: (ms % 1000 * 1_000_000) as i32 })
}

pub const NFS: &str = "arrays/filer-1/volumes/nfs-01";

/// A volume of an array that knows its volumes by uuid only.
const UUID: &str = "arrays/filer-1/volumes/0b9f7d0e-6b1f-4c53-9a41-6f2d3c1b8a7b";

pub fn vms() -> Vec<Vm> {
    let vm = |vcenter: &str, uuid: &str, name: &str| Vm {
        name: format!("vcenters/{vcenter}/vms/{uuid}"),
        display_name: name.to_owned(),
        power_state: "on".to_owned(),
        host: "esx-01".to_owned(),
        datastores: vec!["nfs-01".to_owned()],
        volumes: vec![NFS.to_owned()],
        volume_display_names: vec!["nfs-01".to_owned()],
        protection: ProtectionState::Unprotected.into(),
        moref: format!("vm-{uuid}"),
        ..Vm::default()
    };
    vec![
        Vm {
            protection: ProtectionState::Protected.into(),
            last_snapshot: "snapshots/s-0123456789ab".to_owned(),
            last_snapshot_time: at(0),
            last_snapshot_grade: Grade::Vm.into(),
            snapshot_count: 1,
            detail: Some(detail()),
            ..vm("vc-1", "11", "web-01")
        },
        vm("vc-1", "12", "twin"),
        vm("vc-2", "21", "twin"),
        Vm { power_state: "off".to_owned(), ..vm("vc-1", "13", "größe/a@b:%#") },
        Vm { power_state: "off".to_owned(), template: true, ..vm("vc-1", "14", "golden-image") },
        Vm {
            datastores: vec!["vsanDatastore".to_owned()],
            volumes: vec![],
            volume_display_names: vec![],
            protection: ProtectionState::Unsupported.into(),
            protection_reason: "its datastore is vSAN".to_owned(),
            ..vm("vc-1", "15", "evil\u{1b}[31mred")
        },
    ]
}

fn detail() -> VmDetail {
    let relation = |from: (&str, &str), kind: &str, to: (&str, &str), evidence: &str| Relation {
        from: from.0.to_owned(),
        kind: kind.to_owned(),
        to: to.0.to_owned(),
        evidence: evidence.to_owned(),
        from_display_name: from.1.to_owned(),
        to_display_name: to.1.to_owned(),
    };
    let vm = ("vcenters/vc-1/vms/11", "web-01");
    let disk = ("vcenters/vc-1/vms/11/disks/2000", "Hard disk 1");
    let store = ("vcenters/vc-1/datastores/datastore-7", "nfs-01");
    VmDetail {
        disks: vec![
            VmDisk {
                label: "Hard disk 1".to_owned(),
                path: "[nfs-01] web-01/web-01.vmdk".to_owned(),
                capacity_bytes: 40 << 30,
                volume: NFS.to_owned(),
                best_grade: Grade::Vm.into(),
                ..VmDisk::default()
            },
            VmDisk {
                label: "Hard disk 2".to_owned(),
                path: "[nfs-01] web-01/web-01_1.vmdk".to_owned(),
                capacity_bytes: 1 << 40,
                volume: NFS.to_owned(),
                best_grade: Grade::Crash.into(),
                reason: "it is independent".to_owned(),
                ..VmDisk::default()
            },
        ],
        files: vec!["[nfs-01] web-01/web-01.vmx".to_owned(), "[nfs-01] web-01/web-01-flat.vmdk".to_owned()],
        relations: vec![
            relation(vm, "has disk", disk, "Hard disk 1, file [nfs-01] web-01/web-01.vmdk"),
            relation(disk, "lies on", store, "backing file [nfs-01] web-01/web-01.vmdk"),
            relation(store, "mounted by", ("vcenters/vc-1/hosts/host-9", "esx-01"), "esx-01, readWrite, accessible"),
            relation(store, "is volume", (UUID, "nfs-01"), "NFS path /ds1 exported by 10.0.0.5"),
            relation((UUID, "nfs-01"), "is on array", ("arrays/filer-1", ""), "volume uuid 8a7b"),
        ],
        neighbours: neighbours(),
        folder: "/DC1/vm/web".to_owned(),
        gaps: vec!["files of [nfs-02]".to_owned()],
        ..VmDetail::default()
    }
}

fn neighbours() -> Vec<Neighbour> {
    vec![Neighbour {
        kind: "vm".to_owned(),
        vm: "vcenters/vc-1/vms/12".to_owned(),
        display_name: "twin".to_owned(),
        datastore: "nfs-01".to_owned(),
        volume: UUID.to_owned(),
        volume_display_name: "nfs-01".to_owned(),
    }]
}

pub fn snapshot() -> Snapshot {
    let disk = SnapshotDisk {
        label: "Hard disk 1".to_owned(),
        path: "[nfs-01] web-01/web-01.vmdk".to_owned(),
        uuid: "6000C29a".to_owned(),
        capacity_bytes: 40 << 30,
        volume: NFS.to_owned(),
        grade: Grade::Vm.into(),
        ..SnapshotDisk::default()
    };
    Snapshot {
        name: "snapshots/s-0123456789ab".to_owned(),
        display_name: "web-01@1004".to_owned(),
        vm: "vcenters/vc-1/vms/11".to_owned(),
        vm_display_name: "web-01".to_owned(),
        create_time: at(0),
        expire_time: at(7 * 86_400),
        grade_asked: Grade::Vm.into(),
        grade: Grade::Vm.into(),
        state: SnapshotState::Ready.into(),
        excluded_disks: vec![],
        members: vec![SnapshotMember {
            volume: NFS.to_owned(),
            volume_uuid: "u-1".to_owned(),
            snapshot_id: "77".to_owned(),
            native_name: "strata-s-0123456789ab".to_owned(),
            evidence: "NFS path /ds1 exported by 10.0.0.5".to_owned(),
            luns: Vec::new(),
        }],
        vm_snapshot_open: Some(Duration { seconds: 4, nanos: 123_000_000 }),
        disks: vec![disk],
        neighbour_count: 1,
        operation: "operations/op-1".to_owned(),
        ..Snapshot::default()
    }
}

/// A weaker one than was asked, with a disk left out.
pub fn weak_snapshot() -> Snapshot {
    let mut weak = snapshot();
    weak.grade = Grade::Crash.into();
    weak.vm_snapshot_open = None;
    weak.skew_us = 1_500;
    weak.disks[0].grade = Grade::Crash.into();
    weak.disks[0].reason = "VMware Tools do not run".to_owned();
    weak.excluded_disks = vec![SnapshotDisk {
        label: "Hard disk 2".to_owned(),
        reason: "a raw device".to_owned(),
        ..SnapshotDisk::default()
    }];
    weak
}

pub fn clone() -> Clone {
    Clone {
        name: "clones/c-0123456789ab".to_owned(),
        display_name: "web-01-t".to_owned(),
        vm: "vcenters/vc-1/vms/31".to_owned(),
        snapshot: "snapshots/s-0123456789ab".to_owned(),
        source_vm: "vcenters/vc-1/vms/11".to_owned(),
        create_time: at(60),
        way: "files".to_owned(),
        bios_uuid: "4221".to_owned(),
        mac_addresses: vec!["00:50:56:00:00:01".to_owned()],
        stripped: vec!["CD/DVD drive 1: [nfs-01] iso/linux.iso".to_owned()],
        power_state: "off".to_owned(),
        adapters_disconnected: true,
        operation: "operations/op-1".to_owned(),
        vmx_path: "[nfs-01] web-01-t/web-01-t.vmx".to_owned(),
        ..Clone::default()
    }
}

pub fn revert_answer() -> RevertVmResponse {
    RevertVmResponse {
        vm: "vcenters/vc-1/vms/11".to_owned(),
        snapshot: "snapshots/s-0123456789ab".to_owned(),
        safety_snapshot: "snapshots/s-0123456789ab".to_owned(),
        way: "files".to_owned(),
        files: vec!["[nfs-01] web-01/web-01-flat.vmdk".to_owned()],
        remarks: vec!["the next backup must be a full one".to_owned()],
        ..RevertVmResponse::default()
    }
}

pub fn plan() -> PlanResponse {
    let step = |name: &str, description: &str, undo: &str| PlanStep {
        name: name.to_owned(),
        description: description.to_owned(),
        undo: undo.to_owned(),
    };
    PlanResponse {
        summary: "revert web-01 to web-01@1004 by cloning its files back".to_owned(),
        steps: vec![
            step("safety_snapshot", "take a snapshot of nfs-01 on filer-1", "remove it"),
            step("restore_files", "clone 2 files of strata-s-0123456789ab into [nfs-01] web-01/", "move the old back"),
            step("reload", "have vCenter read the configuration again", "nothing is changed by it"),
        ],
        neighbours: neighbours(),
        facts: vec![
            PlanFact { topic: "writes lost".to_owned(), text: "57 minutes".to_owned() },
            PlanFact {
                topic: "rejected way".to_owned(),
                text: "volume restored in place: twin lives on it, and it would be rolled back too".to_owned(),
            },
        ],
        point_of_no_return: "restore_files".to_owned(),
        undo_command: "strata revert web-01@1101".to_owned(),
        hash: "sha256:abc".to_owned(),
        objects: Vec::new(),
    }
}

pub fn preflight() -> PreflightResponse {
    PreflightResponse {
        targets: vec![
            PreflightTarget {
                name: "vcenters/vc-1".to_owned(),
                kind: "vcenter".to_owned(),
                version: "8.0.3".to_owned(),
                reachable: true,
                missing: vec![MissingPrivilege {
                    privilege: "VirtualMachine.State.CreateSnapshot".to_owned(),
                    object: "Folder web".to_owned(),
                    feature: "snapshot".to_owned(),
                }],
                ..PreflightTarget::default()
            },
            PreflightTarget {
                name: "arrays/filer-1".to_owned(),
                kind: "filer".to_owned(),
                reachable: true,
                remarks: vec!["files are cloned by FICLONE".to_owned()],
                ..PreflightTarget::default()
            },
        ],
    }
}

/// Packs an answer.
pub fn any(name: &str, message: &impl Message) -> Any {
    Any { type_url: format!("type.googleapis.com/{name}"), value: message.encode_to_vec() }
}

pub fn metadata(state: OperationState, steps: &[(&str, StepState, &str)]) -> OperationMetadata {
    let ended = !matches!(state, OperationState::Accepted | OperationState::Running | OperationState::Undoing);
    OperationMetadata {
        kind: "create-snapshot".to_owned(),
        state: state.into(),
        target: "vcenters/vc-1/vms/11".to_owned(),
        target_display_name: "web-01".to_owned(),
        create_time: at(0),
        end_time: at_ms(6_300).filter(|_| ended),
        steps: steps
            .iter()
            .map(|(name, state, message)| OperationStep {
                name: (*name).to_owned(),
                state: (*state).into(),
                progress_percent: (*state == StepState::Running).then_some(40),
                message: (*message).to_owned(),
                start_time: at(0).filter(|_| *state != StepState::Waiting),
                end_time: at_ms(800).filter(|_| matches!(*state, StepState::Succeeded | StepState::Failed)),
            })
            .collect(),
        sequence: 0,
        cancel_requested: false,
        caller: "root@admin".to_owned(),
    }
}

/// An operation that was just accepted.
pub fn accepted() -> Operation {
    Operation {
        name: "operations/op-1".to_owned(),
        metadata: Some(any("strata.gateway.v1.OperationMetadata", &metadata(OperationState::Accepted, &[]))),
        done: false,
        result: None,
    }
}

/// The events of an operation that succeeds with this answer.
pub fn events(response: Any) -> Vec<WatchOperationResponse> {
    use StepState::{Running, Succeeded, Waiting};
    let event = |sequence, state, steps: &[(&str, StepState, &str)]| WatchOperationResponse {
        metadata: Some(metadata(state, steps)),
        sequence,
        ..WatchOperationResponse::default()
    };
    vec![
        event(1, OperationState::Accepted, &[("resolve", Waiting, ""), ("array_snapshot", Waiting, "")]),
        event(2, OperationState::Running, &[("resolve", Succeeded, ""), ("array_snapshot", Waiting, "")]),
        event(
            3,
            OperationState::Running,
            &[("resolve", Succeeded, ""), ("array_snapshot", Running, "nfs-01 on filer-1")],
        ),
        WatchOperationResponse {
            done: true,
            response: Some(response),
            ..event(
                4,
                OperationState::Succeeded,
                &[("resolve", Succeeded, ""), ("array_snapshot", Succeeded, "nfs-01 on filer-1")],
            )
        },
    ]
}
