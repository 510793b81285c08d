//! Registers VMs and takes objects in (Folder).

use super::{Client, Error};
use crate::soap::{MoRef, Request};

/// Where to register what.
#[derive(Debug, Clone)]
pub struct Registration<'a> {
    /// The .vmx, `[datastore] directory/name.vmx`.
    pub vmx_path: &'a str,
    /// Name in the inventory.
    pub name: &'a str,
    /// Folder.
    pub folder: &'a MoRef,
    /// Resource pool.
    pub pool: &'a MoRef,
    /// Host; vCenter chooses where `None`.
    pub host: Option<&'a MoRef>,
}

impl Client {
    /// Starts to move an object into a folder (MoveIntoFolder_Task).
    ///
    /// # Errors
    /// The call failed: InvalidFolder where the folder cannot hold it.
    pub async fn move_into_folder(&self, folder: &MoRef, entity: &MoRef, object: &str) -> Result<MoRef, Error> {
        let request = Request::with("MoveIntoFolder_Task", folder, |body| {
            body.moref("list", entity);
        });
        self.call_for_ref(&request, object).await
    }

    /// Starts to register a VM.
    ///
    /// # Errors
    /// The call failed.
    pub async fn register_vm(&self, registration: &Registration<'_>) -> Result<MoRef, Error> {
        self.call_for_ref(&register_request(registration), registration.vmx_path).await
    }
}

/// RegisterVM_Task.
pub fn register_request(registration: &Registration<'_>) -> Request {
    Request::with("RegisterVM_Task", registration.folder, |body| {
        body.text("path", registration.vmx_path)
            .text("name", registration.name)
            .flag("asTemplate", false)
            .moref("pool", registration.pool)
            .moref_where("host", registration.host);
    })
}
