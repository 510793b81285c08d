//! The objects around VMs: folders, datacenters, clusters, pools, hosts and networks.

use super::{block::San, state::State, value::MoRef};

/// A folder. Names are kept as vCenter shows them, with `%2f` for a slash.
#[derive(Debug, Clone)]
pub struct Folder {
    /// Name.
    pub name: String,
    /// Folder or datacenter above; none for the root.
    pub parent: Option<MoRef>,
    /// What may lie in it.
    pub child_types: &'static [&'static str],
}

/// A datacenter and its four folders (ids).
#[derive(Debug, Clone)]
pub struct Datacenter {
    /// Name.
    pub name: String,
    /// Folder above.
    pub parent: MoRef,
    /// Folder of VMs.
    pub vm_folder: String,
    /// Folder of hosts.
    pub host_folder: String,
    /// Folder of datastores.
    pub datastore_folder: String,
    /// Folder of networks.
    pub network_folder: String,
}

/// A cluster, or the compute resource around one standalone host.
#[derive(Debug, Clone)]
pub struct Cluster {
    /// Name.
    pub name: String,
    /// Folder above.
    pub parent: MoRef,
    /// False for a standalone host.
    pub is_cluster: bool,
    /// Root resource pool.
    pub pool: String,
}

/// A resource pool.
#[derive(Debug, Clone)]
pub struct Pool {
    /// Name.
    pub name: String,
    /// Cluster or pool above.
    pub parent: MoRef,
    /// Cluster that owns it.
    pub cluster: String,
}

/// A host.
#[derive(Debug, Clone)]
pub struct Host {
    /// Name.
    pub name: String,
    /// Cluster id.
    pub cluster: String,
    /// `connected`, `disconnected` or `notResponding`.
    pub connection: String,
    /// In maintenance.
    pub maintenance: bool,
    /// Hardware uuid.
    pub uuid: String,
    /// Address of its VMkernel adapter: what NFS servers see.
    pub address: String,
    /// Largest number of NFS mounts, as `NFS.MaxVolumes`.
    pub max_nfs_volumes: usize,
    /// Its block storage.
    pub san: San,
}

/// A standard network.
#[derive(Debug, Clone)]
pub struct Network {
    /// Name.
    pub name: String,
    /// Folder id.
    pub folder: String,
}

/// The name as vCenter stores it: slash, backslash and percent escaped.
pub fn escape_name(name: &str) -> String {
    name.replace('%', "%25").replace('/', "%2f").replace('\\', "%5c")
}

/// The name that a person gave, from what vCenter stores.
pub fn unescape_name(name: &str) -> String {
    name.replace("%2f", "/").replace("%2F", "/").replace("%5c", "\\").replace("%5C", "\\").replace("%25", "%")
}

impl State {
    /// A folder by name below another; made where absent.
    pub fn ensure_folder(&mut self, above: &MoRef, name: &str) -> String {
        if let Some(found) = self.child_named(above, name).filter(|c| c.ty == "Folder") {
            return found.id;
        }
        let child_types = self.folders.get(&above.id).map_or(&["Folder"][..], |f| f.child_types);
        let prefix = above.id.rsplit_once('-').map_or("group-v", |(p, _)| p).to_owned();
        let id = self.next_id(if prefix == "group" { "group-d" } else { &prefix });
        let folder = Folder { name: escape_name(&unescape_name(name)), parent: Some(above.clone()), child_types };
        self.folders.insert(id.clone(), folder);
        self.touch();
        id
    }
}
