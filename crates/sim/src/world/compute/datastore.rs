//! Datastores: where they lie and which hosts mount them.

use super::{fault::Fault, files::DsPath, state::State, value::MoRef};
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
        /// Its files, where no array of the world has the devices; none where they lie on LUNs and are found through the
        /// hosts at every access.
        tree: Option<Arc<dyn FileTree>>,
    },
    /// A disk of one host.
    Local(Arc<dyn FileTree>),
    /// vSAN: shown, and not supported by anything.
    Vsan(Arc<dyn FileTree>),
}

/// A host's mount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// Host id.
    pub host: String,
    /// The host can reach it.
    pub accessible: bool,
    /// Mounted for writing.
    pub writable: bool,
    /// False where the host knows it and has unmounted it (VMFS).
    pub mounted: bool,
    /// A copy that is mounted under its original's uuid (VMFS).
    pub forced: bool,
    /// Devices of the extents as this host has them, the head first (VMFS on LUNs).
    pub extents: Vec<String>,
    /// How often each extent had been rolled back when it was mounted: one that was since is corrupt.
    pub rollbacks: Vec<u64>,
}

impl Mount {
    /// A good mount on a host.
    pub fn of(host: &str) -> Self {
        Mount {
            host: host.to_owned(),
            accessible: true,
            writable: true,
            mounted: true,
            forced: false,
            extents: Vec::new(),
            rollbacks: Vec::new(),
        }
    }
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

    /// True where it is a VMFS on LUNs of the world.
    pub fn on_luns(&self) -> bool {
        matches!(self.backing, Backing::Vmfs { tree: None, .. })
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
            Backing::Vmfs { tree: None, .. } => self.block_tree(ds),
            Backing::Vmfs { tree: Some(tree), .. } | Backing::Local(tree) | Backing::Vsan(tree) => Some(tree.clone()),
        };
        found.filter(|_| ds.accessible()).ok_or_else(|| {
            Fault::new("InaccessibleDatastore", format!("The datastore '{}' is not accessible", ds.name))
                .with("datastore", MoRef::new("Datastore", datastore))
                .with("name", ds.name.as_str())
        })
    }

    /// True where the host of this mount reaches the datastore: not cut off, and the export or the devices still there.
    pub fn reaches(&self, ds: &Datastore, mount: &Mount) -> bool {
        let exported = match &ds.backing {
            Backing::Nfs { host, path, .. } => self.world.nfs(host, path).is_some(),
            Backing::Vmfs { tree: None, .. } => self.reaches_extents(mount),
            _ => true,
        };
        mount.accessible && exported
    }

    /// Refuses where a file lies on a datastore on LUNs that the host does not reach.
    ///
    /// Errors: InaccessibleDatastore.
    pub fn check_host_reaches(&self, host: &str, file: &DsPath) -> Result<(), Fault> {
        let Some(ds) = self.datastores.get(&file.ds).filter(|d| d.on_luns()) else { return Ok(()) };
        if ds.mounts.iter().any(|m| m.host == host && self.reaches(ds, m)) {
            return Ok(());
        }
        Err(Fault::new("InaccessibleDatastore", format!("The host does not reach the datastore '{}'", ds.name))
            .with("datastore", MoRef::new("Datastore", &file.ds))
            .with("name", ds.name.as_str()))
    }

    /// Size and free space in bytes: the array volume's where the datastore lies on one, else what it claims.
    pub fn space(&self, ds: &Datastore) -> (u64, u64) {
        let claimed = (ds.capacity_bytes, ds.capacity_bytes - ds.capacity_bytes / 8);
        if !ds.mounts.iter().any(|m| self.reaches(ds, m)) {
            return (ds.capacity_bytes, 0);
        }
        if ds.on_luns() {
            return self.block_space(ds);
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
