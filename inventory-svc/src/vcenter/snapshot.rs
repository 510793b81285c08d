//! VMware snapshots.

use super::{Client, Error};
use crate::soap::{Element, MoRef, Request, version::at_least};

/// The first version that knows CreateSnapshotEx_Task.
const EX_SINCE: &str = "6.5";

/// How to make a VMware snapshot; never with memory, which would stun for as long as it takes to write it.
#[derive(Debug, Clone)]
pub struct SnapshotWish<'a> {
    /// Its name.
    pub name: &'a str,
    /// Shown in the client.
    pub description: &'a str,
    /// Whether the guest's file systems are to be quiesced.
    pub quiesce: bool,
    /// How many minutes the guest may take; vCenter takes 5 to 240.
    pub timeout_minutes: i64,
}

impl Client {
    /// Starts to make a VMware snapshot: CreateSnapshotEx_Task where the server has it, else CreateSnapshot_Task.
    ///
    /// # Errors
    /// The call failed.
    pub async fn create_snapshot(&self, vm: &MoRef, wish: &SnapshotWish<'_>, object: &str) -> Result<MoRef, Error> {
        if at_least(&self.api_version(), EX_SINCE) {
            let made = self.call_for_ref(&create_ex(vm, wish), object).await;
            match made {
                // A server that announces more than it has; nothing was started.
                Err(error) if error.is_fault("MethodNotFound") => {}
                other => return other,
            }
        }
        self.call_for_ref(&create_plain(vm, wish), object).await
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
    Request::with("CreateSnapshotEx_Task", vm, |body| {
        body.text("name", wish.name).text("description", wish.description).flag("memory", false);
        if wish.quiesce {
            body.typed("quiesceSpec", "VirtualMachineGuestQuiesceSpec", |body| {
                body.number("timeout", wish.timeout_minutes.clamp(5, 240));
            });
        }
    })
}

/// CreateSnapshot_Task.
pub fn create_plain(vm: &MoRef, wish: &SnapshotWish<'_>) -> Request {
    Request::with("CreateSnapshot_Task", vm, |body| {
        body.text("name", wish.name)
            .text("description", wish.description)
            .flag("memory", false)
            .flag("quiesce", wish.quiesce);
    })
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
                create_time: element.text_at("createTime").unwrap_or_default().to_owned(),
            });
        }
        let children: Vec<&Element> = element.all("childSnapshotList").collect();
        waiting.extend(children.into_iter().rev());
    }
    nodes
}
