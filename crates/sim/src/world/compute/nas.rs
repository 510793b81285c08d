//! Mounting NFS exports on hosts, and unmounting.

use super::{
    datastore::{Backing, Datastore, Mount, nfs_uuid},
    fault::Fault,
    inventory::escape_name,
    state::State,
    value::MoRef,
};

/// A HostNasVolumeSpec.
#[derive(Debug, Clone, Default)]
pub struct NewMount {
    /// Server.
    pub remote_host: String,
    /// Path.
    pub remote_path: String,
    /// Name of the datastore.
    pub local_path: String,
    /// `readWrite` or `readOnly`.
    pub access_mode: String,
    /// `NFS` or `NFS41`.
    pub kind: String,
    /// Servers of NFS 4.1.
    pub remote_host_names: Vec<String>,
}

impl State {
    fn check_mount(&self, host: &str, new: &NewMount) -> Result<bool, Fault> {
        if new.remote_path.is_empty() || !new.remote_path.starts_with('/') {
            return Err(Fault::invalid_argument("spec.remotePath"));
        }
        if new.local_path.is_empty() || new.local_path.contains('/') {
            return Err(Fault::new("InvalidName", format!("'{}' is no name", new.local_path))
                .with("name", new.local_path.as_str()));
        }
        if new.access_mode != "readWrite" && new.access_mode != "readOnly" {
            return Err(Fault::invalid_argument("spec.accessMode"));
        }
        let v41 = match new.kind.to_ascii_uppercase().as_str() {
            "NFS" => false,
            "NFS41" => true,
            _ => return Err(Fault::invalid_argument("spec.type")),
        };
        if v41 && new.remote_host_names.is_empty() || !v41 && new.remote_host.is_empty() {
            return Err(Fault::invalid_argument("spec.remoteHost"));
        }
        match self.hosts.get(host) {
            Some(h) if h.connection == "connected" => Ok(v41),
            Some(_) => Err(Fault::new("HostNotConnected", "The host is not connected")),
            None => Err(Fault::gone(&MoRef::new("HostSystem", host))),
        }
    }

    /// Mounts an export on one host and returns the datastore's id.
    ///
    /// Errors: AlreadyExists where this host mounts the export (under any name), DuplicateName where the name means another
    /// datastore, PlatformConfigFault where the server refuses or the host has too many mounts.
    pub fn mount_nas(&mut self, host: &str, new: &NewMount) -> Result<String, Fault> {
        let v41 = self.check_mount(host, new)?;
        let server = if v41 { new.remote_host_names[0].clone() } else { new.remote_host.clone() };
        let name = escape_name(&new.local_path);
        let here = |d: &Datastore| d.mounts.iter().any(|m| m.host == host);
        let same = |d: &Datastore| {
            matches!(&d.backing, Backing::Nfs { host: h, path: p, v41: v }
                if *h == server && p.trim_end_matches('/') == new.remote_path.trim_end_matches('/') && *v == v41)
        };
        if let Some(ds) = self.datastores.values().find(|d| here(d) && same(d)) {
            return Err(Fault::new(
                "AlreadyExists",
                format!("The specified key, name, or identifier '{}' already exists.", ds.name),
            )
            .with("name", ds.name.as_str()));
        }
        let dc = self.datacenter_of(&MoRef::new("HostSystem", host));
        let named = self.datastore_named(&name, dc.as_deref()).cloned();
        if let Some(id) = named.as_ref().filter(|id| self.datastores.get(*id).is_some_and(|d| !same(d))) {
            return Err(Fault::new("DuplicateName", format!("The name '{name}' already exists."))
                .with("name", name)
                .with("object", MoRef::new("Datastore", id)));
        }
        let mounted = self.datastores.values().filter(|d| here(d) && matches!(d.backing, Backing::Nfs { .. })).count();
        if mounted >= self.hosts.get(host).map_or(0, |h| h.max_nfs_volumes) {
            return Err(Fault::new("PlatformConfigFault", "NFS has reached the maximum number of supported volumes.")
                .with("text", "NFS.MaxVolumes"));
        }
        let clients = self.hosts.get(host).map(|h| [h.address.clone(), h.name.clone()]).unwrap_or_default();
        if !clients.iter().any(|c| self.world.nfs_as(c, &server, &new.remote_path).is_some()) {
            return Err(Fault::new(
                "PlatformConfigFault",
                "An error occurred during host configuration: the mount was denied by the server",
            )
            .with("text", "mount failed: The mount request was denied by the NFS server."));
        }
        let mount = Mount { writable: new.access_mode == "readWrite", ..Mount::of(host) };
        // Another host's mount of the same export under the same name is the same datastore.
        let known = self.datastores.iter().find(|(_, d)| same(d) && d.name == name).map(|(id, _)| id.clone());
        let id = match known {
            Some(id) => {
                self.datastores.get_mut(&id).into_iter().for_each(|d| d.mounts.push(mount.clone()));
                id
            }
            None => {
                // vCenter keeps one name for one export: a second name for it is refused.
                if let Some(other) = self.datastores.values().find(|d| same(d)) {
                    return Err(Fault::new("DuplicateName", format!("The export is known as '{}'", other.name))
                        .with("name", other.name.as_str()));
                }
                let folder = dc.and_then(|dc| self.datacenters.get(&dc)).map(|d| d.datastore_folder.clone());
                let id = self.next_id("datastore");
                let uuid = nfs_uuid(&server, &new.remote_path);
                let backing = Backing::Nfs { host: server, path: new.remote_path.clone(), v41 };
                let folder = folder.unwrap_or_default();
                let ds = Datastore { name, folder, backing, uuid, mounts: vec![mount], capacity_bytes: 1 << 40 };
                self.datastores.insert(id.clone(), ds);
                id
            }
        };
        self.touch();
        Ok(id)
    }

    /// Unmounts a datastore from one host; the datastore goes with its last mount.
    ///
    /// Errors: ResourceInUse where a VM registered on this host has files there, NotFound where it is not mounted,
    /// HostNotConnected.
    pub fn unmount(&mut self, host: &str, datastore: &str) -> Result<(), Fault> {
        let ds = self.datastore(datastore)?;
        if self.hosts.get(host).is_none_or(|h| h.connection != "connected") {
            return Err(Fault::new("HostNotConnected", "The host is not connected"));
        }
        if !ds.mounts.iter().any(|m| m.host == host) {
            return Err(Fault::new("NotFound", format!("The host does not mount '{}'", ds.name)));
        }
        if ds.on_luns() {
            return Err(Fault::new("NotSupported", "A VMFS datastore is unmounted by UnmountVmfsVolume"));
        }
        let name = ds.name.clone();
        let used = self.vms.values().find(|v| v.host == host && v.datastores().contains(datastore));
        if let Some(vm) = used {
            return Err(Fault::new(
                "ResourceInUse",
                format!("The resource '{name}' is in use by '{}'.", vm.config.name),
            )
            .with("type", "Datastore")
            .with("name", name));
        }
        if let Some(ds) = self.datastores.get_mut(datastore) {
            ds.mounts.retain(|m| m.host != host);
            if ds.mounts.is_empty() {
                self.datastores.remove(datastore);
            }
        }
        self.touch();
        Ok(())
    }

    /// Cuts a host off from a datastore, or lets it reach it again.
    pub fn set_accessible(&mut self, datastore: &str, host: Option<&str>, accessible: bool) {
        for ds in self.datastores.values_mut().filter(|d| d.name == datastore) {
            for mount in ds.mounts.iter_mut().filter(|m| host.is_none_or(|h| m.host == h)) {
                mount.accessible = accessible;
            }
        }
        self.touch();
    }
}
