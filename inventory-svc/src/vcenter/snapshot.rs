//! VMware snapshots.

use super::{Client, Error};
use crate::soap::{Element, MoRef, Request, version::at_least};

/// The first version that knows CreateSnapshotEx_Task.
const EX_SINCE: &str = "6.5";

/// Stands in the description of every VMware snapshot of ours.
const DESCRIPTION: &str = "Made by Strata around an array snapshot; Strata removes it";
/// The same where applications were told to freeze. Only the description survives a lost answer of ours.
const DESCRIPTION_APPLICATIONS: &str =
    "Made by Strata around an array snapshot, applications frozen by VSS; Strata removes it";

/// VSS_BT_COPY: a backup that leaves the applications' own chain of backups and their logs alone.
const VSS_COPY: i64 = 5;

/// What of a guest is to hold still.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freeze {
    /// Nothing.
    Nothing,
    /// Its file systems, as Tools do it there by default.
    FileSystems,
    /// Its applications, by VSS in Windows. Whether they can is to be checked before (`topology::freeze`).
    Applications,
}

/// How to make a VMware snapshot; never with memory, which would stun for as long as it takes to write it.
#[derive(Debug, Clone)]
pub struct SnapshotWish<'a> {
    /// Its name.
    pub name: &'a str,
    /// What is to hold still in the guest.
    pub freeze: Freeze,
    /// How many minutes the guest may take; vCenter takes 5 to 240.
    pub timeout_minutes: i64,
}

impl Client {
    /// Starts to make a VMware snapshot: CreateSnapshotEx_Task where the server has it, else CreateSnapshot_Task. A server
    /// that does not know how to freeze applications freezes file systems; [`SnapshotNode`] tells which it was.
    ///
    /// # Errors
    /// The call failed.
    pub async fn create_snapshot(&self, vm: &MoRef, wish: &SnapshotWish<'_>, object: &str) -> Result<MoRef, Error> {
        let weaker = SnapshotWish { freeze: wish.freeze.without_applications(), ..wish.clone() };
        let mut ways = Vec::new();
        if at_least(&self.api_version(), EX_SINCE) {
            ways.push(create_ex(vm, wish));
            if wish.freeze == Freeze::Applications {
                ways.push(create_ex(vm, &weaker));
            }
        }
        for way in &ways {
            match self.call_for_ref(way, object).await {
                // A server that announces more than it has; nothing was started.
                Err(error) if error.is_fault("MethodNotFound") || error.is_fault("NotSupported") => {}
                other => return other,
            }
        }
        self.call_for_ref(&create_plain(vm, &weaker), object).await
    }

    /// Starts to remove a VMware snapshot and merge its disks (RemoveSnapshot_Task).
    ///
    /// # Errors
    /// The call failed.
    pub async fn remove_snapshot(&self, snapshot: &MoRef, object: &str) -> Result<MoRef, Error> {
        let request = Request::with("RemoveSnapshot_Task", snapshot, |body| {
            body.flag("removeChildren", false).flag("consolidate", true);
        });
        self.call_for_ref(&request, object).await
    }

    /// Starts to put a VM back to a VMware snapshot (RevertToSnapshot_Task), never powering it on.
    ///
    /// # Errors
    /// The call failed.
    pub async fn revert_to_snapshot(&self, snapshot: &MoRef, object: &str) -> Result<MoRef, Error> {
        let request = Request::with("RevertToSnapshot_Task", snapshot, |body| {
            body.flag("suppressPowerOn", true);
        });
        self.call_for_ref(&request, object).await
    }

    /// Starts to remove all VMware snapshots of a VM (RemoveAllSnapshots_Task).
    ///
    /// # Errors
    /// The call failed.
    pub async fn remove_all_snapshots(&self, vm: &MoRef, object: &str) -> Result<MoRef, Error> {
        let request = Request::with("RemoveAllSnapshots_Task", vm, |body| {
            body.flag("consolidate", true);
        });
        self.call_for_ref(&request, object).await
    }
}

/// CreateSnapshotEx_Task.
pub fn create_ex(vm: &MoRef, wish: &SnapshotWish<'_>) -> Request {
    let minutes = wish.timeout_minutes.clamp(5, 240);
    Request::with("CreateSnapshotEx_Task", vm, |body| {
        body.text("name", wish.name).text("description", wish.freeze.description()).flag("memory", false);
        match wish.freeze {
            Freeze::Nothing => {}
            Freeze::FileSystems => {
                body.typed("quiesceSpec", "VirtualMachineGuestQuiesceSpec", |body| {
                    body.number("timeout", minutes);
                });
            }
            // ctx_auto would let Tools take the context in which no application is told.
            Freeze::Applications => {
                body.typed("quiesceSpec", "VirtualMachineWindowsQuiesceSpec", |body| {
                    body.number("timeout", minutes)
                        .number("vssBackupType", VSS_COPY)
                        .flag("vssBootableSystemState", false)
                        .flag("vssPartialFileSupport", false)
                        .text("vssBackupContext", "ctx_backup");
                });
            }
        }
    })
}

/// CreateSnapshot_Task.
pub fn create_plain(vm: &MoRef, wish: &SnapshotWish<'_>) -> Request {
    Request::with("CreateSnapshot_Task", vm, |body| {
        body.text("name", wish.name)
            .text("description", wish.freeze.description())
            .flag("memory", false)
            .flag("quiesce", wish.freeze != Freeze::Nothing);
    })
}

impl Freeze {
    fn without_applications(self) -> Self {
        if self == Freeze::Applications { Freeze::FileSystems } else { self }
    }

    fn description(self) -> &'static str {
        if self == Freeze::Applications { DESCRIPTION_APPLICATIONS } else { DESCRIPTION }
    }
}

/// A VMware snapshot in a VM's tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotNode {
    /// vCenter's id.
    pub moref: MoRef,
    /// Its name.
    pub name: String,
    /// Whether the guest was quiesced.
    pub quiesced: bool,
    /// Whether it was ordered with applications frozen; they were where `quiesced` says so too.
    pub applications: bool,
    /// As vCenter wrote it: RFC 3339.
    pub create_time: String,
}

/// All of a VM's `snapshot` property, parents before children.
pub fn tree(info: Option<&Element>) -> Vec<SnapshotNode> {
    let mut waiting: Vec<&Element> = info.map(|info| info.all("rootSnapshotList").collect()).unwrap_or_default();
    waiting.reverse();
    let mut nodes = Vec::new();
    while let Some(element) = waiting.pop() {
        if let Some(moref) = element.moref_at("snapshot") {
            nodes.push(SnapshotNode {
                moref,
                name: element.text_at("name").unwrap_or_default().to_owned(),
                quiesced: element.true_at("quiesced"),
                applications: element.text_at("description") == Some(DESCRIPTION_APPLICATIONS),
                create_time: element.text_at("createTime").unwrap_or_default().to_owned(),
            });
        }
        let children: Vec<&Element> = element.all("childSnapshotList").collect();
        waiting.extend(children.into_iter().rev());
    }
    nodes
}
