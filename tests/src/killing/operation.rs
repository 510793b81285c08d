//! The operations that are killed: what each needs, how it is asked for, and what the data centre looks like afterwards.

use super::picture::Picture;
use crate::house::{ArrayKind, Caller};
use anyhow::Context as _;
use strata_proto::{
    google::longrunning::Operation as Started,
    strata::{
        common::v1::Grade,
        gateway::v1::{
            self as pb, clone_service_client::CloneServiceClient, snapshot_service_client::SnapshotServiceClient,
            vm_service_client::VmServiceClient,
        },
    },
};

/// Name of the VM that everything is done to. It runs.
pub(super) const VM: &str = "web-01";
/// Name of its clone.
pub(super) const CLONE: &str = "web-01-t";
/// What the VM's disk holds when the restore point is taken.
pub(super) const OLD: u8 = 1;
/// What it holds when the operation begins.
pub(super) const NEW: u8 = 2;

/// What is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// create-snapshot of a running VM without a VMware snapshot.
    SnapshotAtCrash,
    /// create-snapshot of a running VM around a VMware snapshot.
    SnapshotAtVm,
    /// create-clone, turned on.
    Clone,
    /// revert-vm of a running VM, turned on again.
    Revert,
    /// delete-snapshot.
    DeleteSnapshot,
    /// delete-clone of a running clone.
    DeleteClone,
}

/// What was made before the operation.
#[derive(Debug, Default)]
pub struct Prepared {
    vm: String,
    snapshot: String,
    clone: String,
}

impl Operation {
    /// The methods that must have been among those that were held, so that an enumeration cannot be empty by mistake.
    pub fn effects(self, array: ArrayKind) -> &'static [&'static str] {
        let by_volume = array == ArrayKind::ReferenceByVolume;
        match self {
            Operation::SnapshotAtCrash => &["EnsureSnapshot"],
            Operation::SnapshotAtVm => &["QuiesceVm", "EnsureSnapshot", "ReleaseVm"],
            Operation::Clone if by_volume => {
                &["EnsureClone", "EnsureExport", "PresentVolume", "RegisterVm", "SetVmIdentity", "SetVmPower"]
            }
            Operation::Clone => &["EnsureClone", "RegisterVm", "SetVmIdentity", "SetVmPower"],
            Operation::DeleteClone if by_volume => {
                &["SetVmPower", "UnregisterVm", "DetachDatastore", "RemoveExport", "RemoveClone"]
            }
            Operation::Revert => &[
                "SetVmPower",
                "EnsureSnapshot",
                "MoveDisks",
                "RestoreFiles",
                "ResetChangeTracking",
                "ReloadVm",
                "RemoveAside",
            ],
            Operation::DeleteSnapshot => &["RemoveSnapshot"],
            Operation::DeleteClone => &["SetVmPower", "UnregisterVm", "RemoveClone"],
        }
    }

    /// The method to refuse so that it fails and is undone, and the methods of its undo. `None`: it has no way back.
    pub fn undoing(self, array: ArrayKind) -> Option<(&'static str, &'static [&'static str])> {
        match self {
            Operation::Clone if array == ArrayKind::ReferenceByVolume => {
                Some(("SetVmIdentity", &["UnregisterVm", "DetachDatastore", "RemoveExport", "RemoveClone"]))
            }
            Operation::SnapshotAtCrash => Some(("EnsureSnapshot", &["RemoveSnapshot"])),
            Operation::SnapshotAtVm => Some(("EnsureSnapshot", &["RemoveSnapshot", "ReleaseVm"])),
            Operation::Clone => Some(("SetVmIdentity", &["UnregisterVm", "RemoveClone"])),
            Operation::Revert => Some((
                "ResetChangeTracking",
                &["RestoreFiles", "MoveDisks", "RemoveAside", "RemoveSnapshot", "SetVmPower"],
            )),
            Operation::DeleteSnapshot | Operation::DeleteClone => None,
        }
    }

    /// Makes what it needs. The disk holds [`OLD`] then; what comes after the restore point is [`NEW`].
    pub(super) async fn prepare(self, caller: &Caller) -> anyhow::Result<Prepared> {
        let mut made = Prepared { vm: caller.vm(VM).await?, ..Prepared::default() };
        if matches!(self, Operation::SnapshotAtCrash | Operation::SnapshotAtVm) {
            return Ok(made);
        }
        let started = create_snapshot(caller, &made.vm, Grade::Crash).await;
        made.snapshot = caller.finish(started).await?.answer::<pb::Snapshot>()?.name;
        if self == Operation::DeleteClone {
            let started = create_clone(caller, &made.snapshot).await;
            made.clone = caller.finish(started).await?.answer::<pb::Clone>()?.name;
        }
        Ok(made)
    }

    /// Asks for it; answers the operation's name.
    pub(super) async fn start(self, caller: &Caller, made: &Prepared) -> anyhow::Result<String> {
        let upstream = caller.0.clone();
        let started = match self {
            Operation::SnapshotAtCrash => create_snapshot(caller, &made.vm, Grade::Crash).await,
            Operation::SnapshotAtVm => create_snapshot(caller, &made.vm, Grade::Vm).await,
            Operation::Clone => create_clone(caller, &made.snapshot).await,
            Operation::Revert => {
                let request = pb::RevertVmRequest {
                    vm: made.vm.clone(),
                    snapshot: made.snapshot.clone(),
                    power_mode: pb::PowerMode::PowerOff.into(),
                    power_on_again: true,
                    ..Default::default()
                };
                VmServiceClient::new(upstream).revert_vm(request).await
            }
            Operation::DeleteSnapshot => {
                let request = pb::DeleteSnapshotRequest { name: made.snapshot.clone(), ..Default::default() };
                SnapshotServiceClient::new(upstream).delete_snapshot(request).await
            }
            Operation::DeleteClone => {
                let name = made.clone.clone();
                let request = pb::DeleteCloneRequest { name, power_off: true, ..Default::default() };
                CloneServiceClient::new(upstream).delete_clone(request).await
            }
        };
        Ok(started.with_context(|| format!("{self:?} is not accepted"))?.into_inner().name)
    }

    /// What is wrong with the data centre after it finished, or after it was undone.
    pub(super) fn faults(self, before: &Picture, after: &Picture, finished: bool) -> Vec<String> {
        let (mut wanted, mut found) = (before.clone(), after.clone());
        if finished {
            match self {
                Operation::SnapshotAtCrash | Operation::SnapshotAtVm | Operation::DeleteSnapshot => {}
                Operation::Revert => drop(wanted.disks.insert(VM.to_owned(), Some(OLD))),
                Operation::DeleteClone => drop(wanted.take_vm(CLONE)),
                Operation::Clone => match found.take_vm(CLONE) {
                    Some(("poweredOn", Some(OLD))) => {}
                    other => return vec![format!("the clone is {other:?}")],
                },
            }
        }
        wanted.differences(&found)
    }
}

async fn create_snapshot(caller: &Caller, vm: &str, grade: Grade) -> Result<tonic::Response<Started>, tonic::Status> {
    let request = pb::CreateSnapshotRequest {
        vm: vm.to_owned(),
        grade: grade.into(),
        accept_skew_ms: 60_000,
        ..Default::default()
    };
    SnapshotServiceClient::new(caller.0.clone()).create_snapshot(request).await
}

async fn create_clone(caller: &Caller, snapshot: &str) -> Result<tonic::Response<Started>, tonic::Status> {
    let request = pb::CreateCloneRequest {
        snapshot: snapshot.to_owned(),
        display_name: CLONE.to_owned(),
        power_on: true,
        isolated: true,
        ..Default::default()
    };
    CloneServiceClient::new(caller.0.clone()).create_clone(request).await
}
