//! Disks with all their files (VirtualDiskManager).

use super::{Client, Error};
use crate::soap::{MoRef, Request};

impl Client {
    /// Moves a disk, descriptor and data, by vCenter, which refuses while it is locked (MoveVirtualDisk_Task).
    ///
    /// # Errors
    /// The call or the task failed: FileLocked where a VM has it open, FileNotFound, FileAlreadyExists.
    pub async fn move_disk(&self, datacenter: &MoRef, from: &str, to: &str) -> Result<(), Error> {
        let content = self.content().await?;
        let manager = self.manager(content.virtual_disk_manager.as_ref(), "virtual disk manager")?;
        let task = self.call_for_ref(&move_request(&manager, datacenter, from, to), from).await?;
        self.finish_task(&task, "move", from).await.map(drop)
    }
}

/// MoveVirtualDisk_Task; never by force, which would overwrite the target.
pub fn move_request(manager: &MoRef, datacenter: &MoRef, from: &str, to: &str) -> Request {
    Request::with("MoveVirtualDisk_Task", manager, |body| {
        body.text("sourceName", from)
            .moref("sourceDatacenter", datacenter)
            .text("destName", to)
            .moref("destDatacenter", datacenter)
            .flag("force", false);
    })
}
