//! Methods of VirtualMachine: power, configuration, registration.

use super::{Client, Error};
use crate::soap::{MoRef, Request, XmlWriter};

impl Client {
    /// Starts to turn a VM on (PowerOnVM_Task).
    ///
    /// # Errors
    /// The call failed.
    pub async fn power_on(&self, vm: &MoRef, object: &str) -> Result<MoRef, Error> {
        self.call_for_ref(&Request::new("PowerOnVM_Task", vm), object).await
    }

    /// Starts to turn a VM off at once (PowerOffVM_Task).
    ///
    /// # Errors
    /// The call failed.
    pub async fn power_off(&self, vm: &MoRef, object: &str) -> Result<MoRef, Error> {
        self.call_for_ref(&Request::new("PowerOffVM_Task", vm), object).await
    }

    /// Asks the guest to shut down (ShutdownGuest); answers before it did.
    ///
    /// # Errors
    /// The call failed: ToolsUnavailable where no Tools run.
    pub async fn shut_down_guest(&self, vm: &MoRef, object: &str) -> Result<(), Error> {
        self.call(&Request::new("ShutdownGuest", vm), object).await.map(drop)
    }

    /// Starts to change the configuration (ReconfigVM_Task). `write` writes the VirtualMachineConfigSpec's fields.
    ///
    /// # Errors
    /// The call failed.
    pub async fn reconfigure(
        &self,
        vm: &MoRef,
        object: &str,
        write: impl FnOnce(&mut XmlWriter),
    ) -> Result<MoRef, Error> {
        let request = Request::with("ReconfigVM_Task", vm, |body| {
            body.element("spec", write);
        });
        self.call_for_ref(&request, object).await
    }

    /// Starts to move disks to other datastores (RelocateVM_Task).
    ///
    /// # Errors
    /// The call failed.
    pub async fn relocate_disks(&self, vm: &MoRef, disks: &[(i32, MoRef)], object: &str) -> Result<MoRef, Error> {
        self.call_for_ref(&relocate_request(vm, disks), object).await
    }

    /// Starts to rename (Rename_Task).
    ///
    /// # Errors
    /// The call failed.
    pub async fn rename(&self, entity: &MoRef, new_name: &str, object: &str) -> Result<MoRef, Error> {
        let request = Request::with("Rename_Task", entity, |body| {
            body.text("newName", new_name);
        });
        self.call_for_ref(&request, object).await
    }

    /// Takes a VM out of the inventory (UnregisterVM). Its files stay.
    ///
    /// # Errors
    /// The call failed: InvalidPowerState where it runs.
    pub async fn unregister(&self, vm: &MoRef, object: &str) -> Result<(), Error> {
        self.call(&Request::new("UnregisterVM", vm), object).await.map(drop)
    }

    /// Reads a VM's state anew (ManagedEntity.Reload).
    ///
    /// # Errors
    /// The call failed.
    pub async fn reload(&self, entity: &MoRef, object: &str) -> Result<(), Error> {
        self.call(&Request::new("Reload", entity), object).await.map(drop)
    }

    /// Starts to read a VM's .vmx anew, keeping the object (reloadVirtualMachineFromPath_Task).
    ///
    /// # Errors
    /// The call failed.
    pub async fn reload_from_path(&self, vm: &MoRef, vmx_path: &str, object: &str) -> Result<MoRef, Error> {
        let request = Request::with("reloadVirtualMachineFromPath_Task", vm, |body| {
            body.text("configurationPath", vmx_path);
        });
        self.call_for_ref(&request, object).await
    }

    /// Answers a VM's question (AnswerVM).
    ///
    /// # Errors
    /// The call failed: ConcurrentAccess where somebody else answered.
    pub async fn answer(&self, vm: &MoRef, question_id: &str, choice: &str, object: &str) -> Result<(), Error> {
        let request = Request::with("AnswerVM", vm, |body| {
            body.text("questionId", question_id).text("answerChoice", choice);
        });
        self.call(&request, object).await.map(drop)
    }

    /// Starts to consolidate (ConsolidateVMDisks_Task).
    ///
    /// # Errors
    /// The call failed.
    pub async fn consolidate(&self, vm: &MoRef, object: &str) -> Result<MoRef, Error> {
        self.call_for_ref(&Request::new("ConsolidateVMDisks_Task", vm), object).await
    }
}

/// RelocateVM_Task: a locator for each disk, by the key of its device. Without a datastore of its own the VM's home stays,
/// and so does every disk without a locator. Backings are copied whole: nothing of a moved disk stays shared.
pub fn relocate_request(vm: &MoRef, disks: &[(i32, MoRef)]) -> Request {
    Request::with("RelocateVM_Task", vm, |body| {
        body.element("spec", |spec| {
            for (key, datastore) in disks {
                spec.element("disk", |disk| {
                    disk.number("diskId", i64::from(*key))
                        .moref("datastore", datastore)
                        .text("diskMoveType", "moveAllDiskBackingsAndDisallowSharing");
                });
            }
        });
    })
}
