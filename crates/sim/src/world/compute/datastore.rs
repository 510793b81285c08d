//! Datastores: where they lie and which hosts mount them.

use super::{fault::Fault, state::State, value::MoRef};
use crate::world::tree::FileTree;
use std::sync::Arc;

/// What a datastore lies on.
#[derive(Debug, Clone)]
pub enum Backing {
    /// An NFS export, found through the world at every access.
    Nfs {
        /// Server, as the mount names it.
        host: String,
        /// Path, as the mount names it.
        path: String,
        /// True for NFS 4.1.
        v41: bool,
    },
    /// VMFS on devices.
    Vmfs {
        /// Canonical names of the extents' devices.
        extents: Vec<String>,
        /// Its files.
        tree: Arc<dyn FileTree>,
    },
    /// A disk of one host.
    Local(Arc<dyn FileTree>),
    /// vSAN: shown, and not supported by anything.
    Vsan(Arc<dyn FileTree>),
}

/// A host's mount.
#[derive(Debug, Clone)]
pub struct Mount {
    /// Host id.
    pub host: String,
    /// The host can reach it.
    pub accessible: bool,
    /// Mounted for writing.
    pub writable: bool,
}

/// A datastore.
#[derive(Debug, Clone)]
pub struct Datastore {
    /// Name.
    pub name: String,
    /// Folder id.
    pub folder: String,
    /// What it lies on.
    pub backing: Backing,
    /// Uuid as it stands in paths (`/vmfs/volumes/<uuid>`).
    pub uuid: String,
    /// Hosts that mount it.
    pub mounts: Vec<Mount>,
    /// Size in bytes that it claims.
    pub capacity_bytes: u64,
}

impl Datastore {
    /// vim25's name of the kind.
    pub fn kind(&self) -> &'static str {
        match &self.backing {
            Backing::Nfs { v41: false, .. } => "NFS",
            Backing::Nfs { v41: true, .. } => "NFS41",
            Backing::Vmfs { .. } => "VMFS",
            Backing::Local(_) => "OTHER",
            Backing::Vsan(_) => "vsan",
        }
    }

    /// The url that vCenter shows.
    pub fn url(&self) -> String {
        format!("ds:///vmfs/volumes/{}/", self.uuid)
    }

    /// True where at least one host reaches it.
    pub fn accessible(&self) -> bool {
        self.mounts.iter().any(|m| m.accessible)
    }
}

/// The uuid of an NFS datastore: a function of server and path, as on a host.
pub fn nfs_uuid(host: &str, path: &str) -> String {
    let id = uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_URL, format!("nfs://{host}{path}").as_bytes());
    let hex = id.simple().to_string();
    format!("{}-{}", &hex[..8], &hex[8..16])
}

impl State {
    /// The files of a datastore.
    ///
    /// Errors: InaccessibleDatastore where no host reaches it or the export is gone.
    pub fn tree(&self, datastore: &str) -> Result<Arc<dyn FileTree>, Fault> {
        let ds = self.datastore(datastore)?;
        let found = match &ds.backing {
            Backing::Nfs { host, path, .. } => self.world.nfs(host, path),
            Backing::Vmfs { tree, .. } | Backing::Local(tree) | Backing::Vsan(tree) => Some(tree.clone()),
        };
        found.filter(|_| ds.accessible()).ok_or_else(|| {
            Fault::new("InaccessibleDatastore", format!("The datastore '{}' is not accessible", ds.name))
                .with("datastore", MoRef::new("Datastore", datastore))
                .with("name", ds.name.as_str())
        })
    }

    /// True where the host of this mount reaches the datastore: not cut off, and the export still there.
    pub fn reaches(&self, ds: &Datastore, mount: &Mount) -> bool {
        let exported = match &ds.backing {
            Backing::Nfs { host, path, .. } => self.world.nfs(host, path).is_some(),
            _ => true,
        };
        mount.accessible && exported
    }

    /// Size and free space in bytes: the array volume's where the datastore lies on one, else what it claims.
    pub fn space(&self, ds: &Datastore) -> (u64, u64) {
        let claimed = (ds.capacity_bytes, ds.capacity_bytes - ds.capacity_bytes / 8);
        if !ds.mounts.iter().any(|m| self.reaches(ds, m)) {
            return (ds.capacity_bytes, 0);
        }
        let Backing::Nfs { host, path, .. } = &ds.backing else { return claimed };
        for name in self.world.arrays() {
            let Ok(array) = self.world.array(&name) else { continue };
            if !array.info().is_ok_and(|i| i.spec.nfs_addresses.contains(host)) {
                continue;
            }
            let volumes = array.volumes().unwrap_or_default();
            let path = path.trim_end_matches('/');
            if let Some(volume) = volumes.iter().find(|v| v.export_path.trim_end_matches('/') == path) {
                return (volume.size_bytes, volume.size_bytes.saturating_sub(volume.used_bytes));
            }
        }
        claimed
    }

    /// A datastore by name within a datacenter (or anywhere).
    pub fn datastore_named(&self, name: &str, datacenter: Option<&str>) -> Option<&String> {
        self.datastores
            .iter()
            .find(|(id, d)| {
                d.name == name && datacenter.is_none_or(|dc| self.datacenter_of_datastore(id).as_deref() == Some(dc))
            })
            .map(|(id, _)| id)
    }

    /// The VMs that have a file on a datastore.
    pub fn vms_on(&self, datastore: &str) -> Vec<MoRef> {
        let on = self.vms.iter().filter(|(_, vm)| vm.datastores().contains(datastore));
        on.map(|(id, _)| MoRef::new("VirtualMachine", id)).collect()
    }
}
