//! Devices and VMFS of one host (HostStorageSystem). Each method acts on that host only.

use super::{Client, Error};
use crate::soap::{MoRef, Request};

/// A method of the storage system with its one argument: the argument's name is what keeps a uuid from being sent where a
/// canonical name belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StorageCall<'a> {
    /// Looks for devices through one adapter, `vmhba64` (RescanHba).
    RescanHba(&'a str),
    /// Looks for devices through all adapters (RescanAllHba).
    RescanAllHba,
    /// Looks for VMFS on the devices (RescanVmfs).
    RescanVmfs,
    /// Reads anew what the host shows of its storage (RefreshStorageSystem).
    RefreshStorageSystem,
    /// Unmounts the VMFS of this uuid (UnmountVmfsVolume). ResourceInUse: somebody uses it; InvalidState: it is not
    /// mounted or not reachable; NotFound: there is none.
    UnmountVmfsVolume(&'a str),
    /// Mounts the VMFS of this uuid (MountVmfsVolume). InvalidState: it is mounted; NotFound: there is none.
    MountVmfsVolume(&'a str),
    /// Stops all I/O to the device with this ScsiLun.uuid, which is not its canonical name (DetachScsiLun). ResourceInUse:
    /// it is used; InvalidState: it is detached; NotFound: there is none.
    DetachScsiLun(&'a str),
    /// Takes the device with this ScsiLun.uuid back (AttachScsiLun). InvalidState: it is attached; NotFound: there is none.
    AttachScsiLun(&'a str),
    /// Forgets that the device of this canonical name was detached (DeleteScsiLunState). HostConfigFault: it is there, or
    /// nothing is remembered.
    DeleteScsiLunState(&'a str),
    /// Forgets that the VMFS of this uuid was unmounted (DeleteVmfsVolumeState). HostConfigFault: it is there, or nothing is
    /// remembered.
    DeleteVmfsVolumeState(&'a str),
}

impl StorageCall<'_> {
    fn parts(&self) -> (&'static str, Option<(&'static str, &str)>) {
        match self {
            StorageCall::RescanHba(device) => ("RescanHba", Some(("hbaDevice", device))),
            StorageCall::RescanAllHba => ("RescanAllHba", None),
            StorageCall::RescanVmfs => ("RescanVmfs", None),
            StorageCall::RefreshStorageSystem => ("RefreshStorageSystem", None),
            StorageCall::UnmountVmfsVolume(uuid) => ("UnmountVmfsVolume", Some(("vmfsUuid", uuid))),
            StorageCall::MountVmfsVolume(uuid) => ("MountVmfsVolume", Some(("vmfsUuid", uuid))),
            StorageCall::DetachScsiLun(uuid) => ("DetachScsiLun", Some(("lunUuid", uuid))),
            StorageCall::AttachScsiLun(uuid) => ("AttachScsiLun", Some(("lunUuid", uuid))),
            StorageCall::DeleteScsiLunState(name) => ("DeleteScsiLunState", Some(("lunCanonicalName", name))),
            StorageCall::DeleteVmfsVolumeState(uuid) => ("DeleteVmfsVolumeState", Some(("vmfsUuid", uuid))),
        }
    }

    /// The call on a storage system.
    pub fn request(&self, system: &MoRef) -> Request {
        let (method, argument) = self.parts();
        Request::with(method, system, |body| {
            if let Some((name, value)) = argument {
                body.text(name, value);
            }
        })
    }
}

impl Client {
    /// Calls a method of a host's storage system; it is done when the call returns.
    ///
    /// # Errors
    /// The call failed, with the faults that [`StorageCall`] names. A rescan may take longer than a call may: Timeout.
    pub async fn storage_call(&self, system: &MoRef, call: StorageCall<'_>, object: &str) -> Result<(), Error> {
        self.call(&call.request(system), object).await.map(drop)
    }
}
