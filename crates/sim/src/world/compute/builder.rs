//! Describing a vCenter and its VMs for tests and the lab. Ids and uuids follow from the order and the seed.

mod devices;
mod linked;
mod luns;
mod spec;

pub use spec::{DiskSpec, VmSpec};

use super::{
    block::{Adapter, San},
    datastore::{Backing, Datastore, Mount, nfs_uuid},
    device::{Controller, Device, Kind, built_in},
    fault::Fault,
    files::DsPath,
    inventory::{Cluster, Datacenter, Folder, Host, Network, Pool, escape_name},
    snapshot::NewSnapshot,
    state::State,
    value::MoRef,
    vcenter::Vcenter,
    vm::{Vm, VmConfig},
    vmx::Vmx,
};
use crate::world::{World, tree::FileTree};
use std::{sync::Arc, time::Duration};

/// Builds a [`Vcenter`]. Things are made in the order of the calls; a call that needs a datacenter, cluster or host makes
/// one where none was described yet.
#[derive(Debug)]
pub struct Builder {
    state: State,
    failures: Vec<Fault>,
}

impl Builder {
    pub(super) fn new(world: Arc<World>, name: &str) -> Self {
        // Two vCenters of one world must not give the same uuids.
        let seed = name
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
        Self::seeded(world, name, seed)
    }

    /// With another seed for ids.
    pub fn seeded(world: Arc<World>, name: &str, seed: u64) -> Self {
        let mut state = State::new(world, name, seed);
        let child_types: &[&str] = &["Folder", "Datacenter"];
        let root = Folder { name: "Datacenters".to_owned(), parent: None, child_types };
        state.folders.insert("group-d1".to_owned(), root);
        Builder { state, failures: Vec::new() }
    }

    /// The world that it is built into: arrays and LUNs are made there.
    pub fn world(&self) -> &Arc<World> {
        &self.state.world
    }

    /// A user who may log in.
    #[must_use]
    pub fn user(mut self, name: &str, password: &str) -> Self {
        self.state.sessions.users.insert(name.to_owned(), password.to_owned());
        self
    }

    /// How long a session may be idle.
    #[must_use]
    pub fn session_idle(mut self, idle: Duration) -> Self {
        self.state.sessions.idle = idle;
        self
    }

    /// A datacenter with its four folders.
    #[must_use]
    pub fn datacenter(mut self, name: &str) -> Self {
        self.add_datacenter(name);
        self
    }

    fn add_datacenter(&mut self, name: &str) -> String {
        let s = &mut self.state;
        let id = s.next_id("datacenter");
        let here = MoRef::new("Datacenter", &id);
        let mut folder = |prefix: &str, name: &str, child_types: &'static [&'static str]| {
            let id = s.next_id(prefix);
            s.folders.insert(id.clone(), Folder { name: name.to_owned(), parent: Some(here.clone()), child_types });
            id
        };
        let dc = Datacenter {
            name: escape_name(name),
            parent: MoRef::new("Folder", "group-d1"),
            vm_folder: folder("group-v", "vm", &["Folder", "VirtualMachine", "VirtualApp"]),
            host_folder: folder("group-h", "host", &["Folder", "ComputeResource"]),
            datastore_folder: folder("group-s", "datastore", &["Folder", "Datastore", "StoragePod"]),
            network_folder: folder("group-n", "network", &["Folder", "Network", "DistributedVirtualSwitch"]),
        };
        let (networks, network) = (dc.network_folder.clone(), s.next_id("network"));
        s.networks.insert(network, Network { name: "VM Network".to_owned(), folder: networks });
        s.datacenters.insert(id.clone(), dc);
        id
    }

    fn last_datacenter(&mut self) -> String {
        match self.state.datacenters.keys().last() {
            Some(id) => id.clone(),
            None => self.add_datacenter("DC0"),
        }
    }

    /// A cluster in the last datacenter.
    #[must_use]
    pub fn cluster(mut self, name: &str) -> Self {
        self.add_cluster(name, true);
        self
    }

    fn add_cluster(&mut self, name: &str, is_cluster: bool) -> String {
        let dc = self.last_datacenter();
        let folder = self.state.datacenters.get(&dc).map(|d| d.host_folder.clone()).unwrap_or_default();
        let s = &mut self.state;
        let (id, pool) = (s.next_id(if is_cluster { "domain-c" } else { "domain-s" }), s.next_id("resgroup"));
        let parent = MoRef::new("Folder", folder);
        s.clusters.insert(id.clone(), Cluster { name: escape_name(name), parent, is_cluster, pool: pool.clone() });
        let parent = s.cluster_ref(&id);
        s.pools.insert(pool, Pool { name: "Resources".to_owned(), parent, cluster: id.clone() });
        id
    }

    /// A resource pool in the last cluster.
    #[must_use]
    pub fn pool(mut self, name: &str) -> Self {
        let cluster = self.state.clusters.keys().last().cloned().unwrap_or_else(|| String::from("none"));
        if let Some(c) = self.state.clusters.get(&cluster) {
            let parent = MoRef::new("ResourcePool", &c.pool);
            let id = self.state.next_id("resgroup");
            self.state.pools.insert(id, Pool { name: escape_name(name), parent, cluster });
        }
        self
    }

    /// A host in the last cluster, or standing alone where there is none.
    #[must_use]
    pub fn host(mut self, name: &str) -> Self {
        let cluster = self.state.clusters.iter().rfind(|(_, c)| c.is_cluster).map(|(id, _)| id.clone());
        let cluster = cluster.unwrap_or_else(|| self.add_cluster(name, false));
        let (id, uuid) = (self.state.next_id("host"), self.state.uuid());
        let san = San { adapters: Adapter::of_host(name, &uuid), ..San::default() };
        let host = Host {
            name: name.to_owned(),
            cluster,
            connection: "connected".to_owned(),
            maintenance: false,
            uuid,
            address: format!("192.0.2.{}", 101 + self.state.hosts.len()),
            max_nfs_volumes: 32,
            san,
        };
        self.state.hosts.insert(id, host);
        self
    }

    /// A network in the last datacenter.
    #[must_use]
    pub fn network(mut self, name: &str) -> Self {
        let dc = self.last_datacenter();
        let folder = self.state.datacenters.get(&dc).map(|d| d.network_folder.clone()).unwrap_or_default();
        let id = self.state.next_id("network");
        self.state.networks.insert(id, Network { name: name.to_owned(), folder });
        self
    }

    /// An NFS 3 datastore mounted by all hosts of the last datacenter.
    #[must_use]
    pub fn nfs_datastore(self, name: &str, remote_host: &str, remote_path: &str) -> Self {
        let backing = Backing::Nfs { host: remote_host.to_owned(), path: remote_path.to_owned(), v41: false };
        self.datastore(name, &nfs_uuid(remote_host, remote_path), backing)
    }

    /// An NFS 4.1 datastore mounted by all hosts of the last datacenter.
    #[must_use]
    pub fn nfs41_datastore(self, name: &str, remote_host: &str, remote_path: &str) -> Self {
        let backing = Backing::Nfs { host: remote_host.to_owned(), path: remote_path.to_owned(), v41: true };
        self.datastore(name, &nfs_uuid(remote_host, remote_path), backing)
    }

    /// A VMFS datastore on these devices, which no array of the world has; see [`Builder::lun_datastore`].
    #[must_use]
    pub fn vmfs_datastore(mut self, name: &str, extents: &[&str], tree: Arc<dyn FileTree>) -> Self {
        let uuid = self.state.volume_uuid();
        let extents = extents.iter().map(|e| (*e).to_owned()).collect();
        self.datastore(name, &uuid, Backing::Vmfs { extents, tree: Some(tree) })
    }

    /// A vSAN datastore: an unsupported kind that must be refused by name.
    #[must_use]
    pub fn vsan_datastore(mut self, name: &str, tree: Arc<dyn FileTree>) -> Self {
        let uuid = format!("vsan:{}", self.state.volume_uuid());
        self.datastore(name, &uuid, Backing::Vsan(tree))
    }

    /// A local disk of the first host of the last datacenter.
    #[must_use]
    pub fn local_datastore(mut self, name: &str, tree: Arc<dyn FileTree>) -> Self {
        let uuid = self.state.volume_uuid();
        let mut out = self.datastore(name, &uuid, Backing::Local(tree));
        if let Some(ds) = out.state.datastores.values_mut().last() {
            ds.mounts.truncate(1);
        }
        out
    }

    fn datastore(mut self, name: &str, uuid: &str, backing: Backing) -> Self {
        let dc = self.last_datacenter();
        let here = MoRef::new("Datacenter", &dc);
        let folder = self.state.datacenters.get(&dc).map(|d| d.datastore_folder.clone()).unwrap_or_default();
        let hosts = self.state.hosts.keys().filter(|h| self.state.is_below(&MoRef::new("HostSystem", *h), &here));
        let mounts = hosts.map(|h| Mount::of(h)).collect();
        let id = self.state.next_id("datastore");
        let ds = Datastore {
            name: escape_name(name),
            folder,
            backing,
            uuid: uuid.to_owned(),
            mounts,
            capacity_bytes: 1 << 40,
        };
        self.state.datastores.insert(id, ds);
        self
    }

    /// A VM with its files.
    #[must_use]
    pub fn vm(mut self, spec: VmSpec) -> Self {
        if let Err(fault) = self.add_vm(&spec) {
            self.failures.push(fault);
        }
        self
    }

    fn add_vm(&mut self, spec: &VmSpec) -> Result<(), Fault> {
        let dc = self.last_datacenter();
        let s = &mut self.state;
        let missing =
            |what: &str, name: &str| Fault::new("NotFound", format!("VM '{}': no {what} '{name}'", spec.name));
        let ds = match &spec.datastore {
            Some(name) => s.datastore_named(name, None).cloned().ok_or_else(|| missing("datastore", name))?,
            None => s.datastores.keys().next().cloned().ok_or_else(|| missing("datastore", "any"))?,
        };
        let host = s.hosts.iter().find(|(_, h)| spec.host.as_ref().is_none_or(|n| *n == h.name));
        let host = host.map(|(id, _)| id.clone()).ok_or_else(|| missing("host", "any"))?;
        let cluster = s.hosts.get(&host).map(|h| h.cluster.clone()).unwrap_or_default();
        let pool = s.clusters.get(&cluster).map(|c| c.pool.clone());
        let top = s.datacenters.get(&dc).map(|d| d.vm_folder.clone()).unwrap_or_default();
        let folder = match &spec.folder {
            Some(name) => s.ensure_folder(&MoRef::new("Folder", top), name),
            None => top,
        };
        let ending = if spec.template { "vmtx" } else { "vmx" };
        let vmx = DsPath { ds: ds.clone(), rel: format!("{0}/{0}.{ending}", spec.name) };
        s.tree(&ds)?.create_dir_all(&spec.name).map_err(|e| super::files::tree_fault(&e, &spec.name))?;
        let mut config = VmConfig {
            name: spec.name.clone(),
            uuid: format!("4213{}", &s.uuid()[4..]),
            instance_uuid: format!("5013{}", &s.uuid()[4..]),
            guest_id: spec.guest_id.clone(),
            memory_mb: spec.memory_mb,
            cpus: spec.cpus,
            version: "vmx-19".to_owned(),
            cbt: spec.cbt,
            managed_by: spec.managed_by.clone(),
            nvram: Some(format!("{}.nvram", spec.name)),
            devices: built_in(),
            extra: Vmx::default(),
            ..VmConfig::default()
        };
        for (key, value) in &spec.extra {
            config.extra.set(key, value);
        }
        devices::add_disks(s, spec, &vmx, &mut config)?;
        devices::add_nics(s, spec, &mut config);
        if let Some(iso) = &spec.iso {
            let iso = s.parse_path(iso, None)?;
            let ide = Controller::of_vmx("ide", "", 0, "");
            let kind = Kind::Cdrom(Some(iso));
            config.devices.push(Device { key: 200, controller: None, unit: None, kind: Kind::Controller(ide) });
            config.devices.push(Device { key: 3000, controller: Some(200), unit: Some(0), kind });
        }
        let id = s.next_id("vm");
        s.write_text(&vmx.sibling(&format!("{}.nvram", spec.name)), "NVRAM\n")?;
        s.write_text(&vmx.sibling(&format!("{}.vmsd", spec.name)), "")?;
        s.write_text(&vmx.sibling("vmware.log"), "log\n")?;
        config.extra.set("uuid.location", &super::vmx::spaced(&s.location_of(&vmx)));
        s.vms.insert(id.clone(), Vm::new(folder, pool.filter(|_| !spec.template), host, vmx, config));
        if let Some(vm) = s.vms.get_mut(&id) {
            vm.template = spec.template;
            vm.tools = spec.tools;
            vm.guest_address.clone_from(&spec.guest_address);
        }
        if spec.cbt {
            s.enable_cbt_files(&id)?;
        }
        s.save(&id)?;
        if spec.on {
            s.power_on_now(&id)?;
        }
        Ok(())
    }

    /// A VMware snapshot of a VM that was described before.
    #[must_use]
    pub fn snapshot(mut self, vm: &str, name: &str) -> Self {
        let id = self.state.vms.iter().find(|(_, v)| v.config.name == vm).map(|(id, _)| id.clone());
        let ask = NewSnapshot { name: name.to_owned(), ..NewSnapshot::default() };
        if let Err(fault) = self.state.create_snapshot(&id.unwrap_or_default(), &ask) {
            self.failures.push(fault);
        }
        self
    }

    /// A file of nobody's, such as an ISO image or a directory that was once a VM: `[datastore] path`.
    #[must_use]
    pub fn file(mut self, path: &str, text: &str) -> Self {
        if let Err(fault) = self.state.put_file(path, text) {
            self.failures.push(fault);
        }
        self
    }

    /// The vCenter.
    ///
    /// Errors: the first thing that could not be made.
    pub fn build(self) -> Result<Arc<Vcenter>, Fault> {
        match self.failures.into_iter().next() {
            Some(fault) => Err(fault),
            None => Ok(Arc::new(Vcenter::from_state(self.state))),
        }
    }
}
