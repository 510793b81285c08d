//! Finds objects by keys that people and catalogs hold.

use super::{Client, Error};
use crate::soap::{Element, MoRef, Request};

impl Client {
    /// The VM with this instanceUuid.
    ///
    /// # Errors
    /// The call failed. No such VM is `Ok(None)`.
    pub async fn find_vm_by_instance_uuid(&self, uuid: &str) -> Result<Option<MoRef>, Error> {
        let content = self.content().await?;
        let index = self.manager(content.search_index.as_ref(), "search index")?;
        let request = Request::with("FindByUuid", &index, |body| {
            body.text("uuid", uuid).flag("vmSearch", true).flag("instanceUuid", true);
        });
        let values = self.call(&request, &format!("VM {uuid}")).await?;
        Ok(values.first().and_then(Element::moref))
    }

    /// The VM that is registered from this .vmx, `[datastore] directory/name.vmx`.
    ///
    /// # Errors
    /// The call failed. No such VM is `Ok(None)`.
    pub async fn find_vm_by_vmx_path(&self, datacenter: &MoRef, path: &str) -> Result<Option<MoRef>, Error> {
        let content = self.content().await?;
        let index = self.manager(content.search_index.as_ref(), "search index")?;
        let request = Request::with("FindByDatastorePath", &index, |body| {
            body.moref("datacenter", datacenter).text("path", path);
        });
        match self.call(&request, path).await {
            Ok(values) => Ok(values.first().and_then(Element::moref)),
            // Real vCenter answers so where the datastore is gone with its VM.
            Err(error) if error.is_fault("InvalidDatastore") => Ok(None),
            Err(error) => Err(error),
        }
    }
}
