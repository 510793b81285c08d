//! Mounts and unmounts NFS datastores on one host, and gives copies of VMFS a signature (HostDatastoreSystem).

use super::{Client, Error, unresolved_vmfs::UnresolvedVmfs};
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

    /// The copies of VMFS that the host sees and does not mount (QueryUnresolvedVmfsVolumes).
    ///
    /// # Errors
    /// The call failed.
    pub async fn unresolved_vmfs(&self, system: &MoRef, object: &str) -> Result<Vec<UnresolvedVmfs>, Error> {
        let values = self.call(&Request::new("QueryUnresolvedVmfsVolumes", system), object).await?;
        Ok(values.iter().map(UnresolvedVmfs::from_element).collect())
    }

    /// Starts to give a copy a signature of its own (ResignatureUnresolvedVmfsVolume_Task), by the paths of its extents.
    /// It cannot be undone, and the host mounts the copy when it is done.
    ///
    /// # Errors
    /// The call failed: VmfsAmbiguousMount where another copy is visible, HostConfigFault.
    pub async fn resignature_vmfs(&self, system: &MoRef, paths: &[&str], object: &str) -> Result<MoRef, Error> {
        self.call_for_ref(&resignature_request(system, paths), object).await
    }
}

/// ResignatureUnresolvedVmfsVolume_Task.
pub fn resignature_request(system: &MoRef, paths: &[&str]) -> Request {
    Request::with("ResignatureUnresolvedVmfsVolume_Task", system, |body| {
        body.element("resolutionSpec", |body| {
            for path in paths {
                body.text("extentDevicePath", path);
            }
        });
    })
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
