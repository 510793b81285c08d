//! Mounts and unmounts NFS datastores on one host (HostDatastoreSystem).

use super::{Client, Error};
use crate::soap::{MoRef, Request};

/// An export and the name that it is mounted under; the same on every host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NasMount<'a> {
    /// Server.
    pub host: &'a str,
    /// Path on the server.
    pub path: &'a str,
    /// Name of the datastore.
    pub name: &'a str,
    /// True for NFS 4.1.
    pub nfs41: bool,
    /// All addresses, for NFS 4.1.
    pub hosts: &'a [String],
}

impl Client {
    /// Mounts an export (CreateNasDatastore). Not idempotent: read before.
    ///
    /// # Errors
    /// The call failed: AlreadyExists, DuplicateName, HostConfigFault.
    pub async fn create_nas_datastore(&self, system: &MoRef, mount: &NasMount<'_>) -> Result<Option<MoRef>, Error> {
        let object = format!("datastore {} of {}:{}", mount.name, mount.host, mount.path);
        let values = self.call(&create_nas_request(system, mount), &object).await?;
        Ok(values.first().and_then(crate::soap::Element::moref))
    }

    /// Unmounts a datastore from the host (RemoveDatastore).
    ///
    /// # Errors
    /// The call failed: ResourceInUse where a VM on it is registered on this host.
    pub async fn remove_datastore(&self, system: &MoRef, datastore: &MoRef, object: &str) -> Result<(), Error> {
        let request = Request::with("RemoveDatastore", system, |body| {
            body.moref("datastore", datastore);
        });
        self.call(&request, object).await.map(drop)
    }
}

/// CreateNasDatastore.
pub fn create_nas_request(system: &MoRef, mount: &NasMount<'_>) -> Request {
    Request::with("CreateNasDatastore", system, |body| {
        body.element("spec", |body| {
            body.text("remoteHost", mount.host)
                .text("remotePath", mount.path)
                .text("localPath", mount.name)
                .text("accessMode", "readWrite")
                .text("type", if mount.nfs41 { "NFS41" } else { "NFS" });
            if mount.nfs41 {
                let own = [mount.host.to_owned()];
                for host in if mount.hosts.is_empty() { &own[..] } else { mount.hosts } {
                    body.text("remoteHostNames", host);
                }
            }
        });
    })
}
