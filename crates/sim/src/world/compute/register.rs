//! Registering VMs by their files, and forgetting them.

use super::{device::Kind, fault::Fault, files::DsPath, inventory::unescape_name, state::State, value::MoRef, vm::Vm};

/// What is to be registered.
#[derive(Debug, Clone)]
pub struct NewVm {
    /// Folder id.
    pub folder: String,
    /// `[datastore] path` of the .vmx or .vmtx.
    pub path: String,
    /// Name; that of the file when none.
    pub name: Option<String>,
    /// Template.
    pub template: bool,
    /// Pool id.
    pub pool: Option<String>,
    /// Host id.
    pub host: Option<String>,
}

impl State {
    /// Registers a VM.
    ///
    /// Errors: AlreadyExists where the file is registered, DuplicateName, FileNotFound/NotFound, InvalidDatastore,
    /// InvalidArgument without a pool, HostNotConnected.
    pub fn register(&mut self, new: &NewVm) -> Result<MoRef, Fault> {
        let folder = MoRef::new("Folder", &new.folder);
        let dc = self.datacenter_of(&folder);
        let vmx = self.parse_path(&new.path, dc.as_deref())?;
        if let Some((id, vm)) = self.vms.iter().find(|(_, v)| v.vmx == vmx) {
            let name = vm.config.name.clone();
            return Err(Fault::new("AlreadyExists", format!("{} is registered as '{name}' ({id})", new.path))
                .with("name", name));
        }
        let template = new.template || vmx.rel.ends_with(".vmtx");
        if new.pool.is_none() && !template {
            return Err(Fault::invalid_argument("pool"));
        }
        let text = self.read_text(&vmx).map_err(|f| match f.ty() {
            "FileNotFound" => Fault::new("NotFound", format!("{} was not found", new.path)),
            _ => f,
        })?;
        let host = self.host_for(new, &vmx)?;
        let mut config = self.config_of(&text, &vmx);
        let name = new.name.clone().map_or_else(|| config.name.clone(), |n| unescape_name(&n));
        if let Some(other) = self.child_named(&folder, &super::inventory::escape_name(&name)) {
            return Err(Fault::new("DuplicateName", format!("The name '{name}' already exists."))
                .with("name", name)
                .with("object", other));
        }
        config.name = name;
        // vCenter gives another instance uuid where the one in the file is taken.
        let taken = self.vms.values().any(|v| v.config.instance_uuid == config.instance_uuid);
        if taken || config.instance_uuid.is_empty() {
            config.instance_uuid = format!("5013{}", &self.uuid()[4..]);
        }
        if config.uuid.is_empty() {
            config.uuid = format!("564d{}", &self.uuid()[4..]);
        }
        let id = self.next_id("vm");
        let snapshots = self.read_snapshots(&vmx);
        let mut vm = Vm::new(new.folder.clone(), new.pool.clone().filter(|_| !template), host, vmx, config);
        vm.template = template;
        let label = vm.config.name.clone();
        self.vms.insert(id.clone(), vm);
        self.adopt_snapshots(&id, snapshots);
        self.save(&id)?;
        self.log("VmRegisteredEvent", "", Some(Self::vm_ref(&id)), format!("Registered {label}"));
        Ok(Self::vm_ref(&id))
    }

    fn host_for(&self, new: &NewVm, vmx: &DsPath) -> Result<String, Fault> {
        let ds = self.datastore(&vmx.ds)?;
        let cluster = new.pool.as_ref().and_then(|p| self.pools.get(p)).map(|p| p.cluster.clone());
        let mounts = |host: &str| ds.mounts.iter().any(|m| m.host == host && self.reaches(ds, m));
        let fits = |id: &str| {
            self.hosts.get(id).is_some_and(|h| {
                h.connection == "connected" && cluster.as_ref().is_none_or(|c| *c == h.cluster) && mounts(id)
            })
        };
        match &new.host {
            Some(host) if fits(host) => Ok(host.clone()),
            Some(host) if self.hosts.get(host).is_some_and(|h| h.connection != "connected") => {
                Err(Fault::new("HostNotConnected", "The host is not connected"))
            }
            Some(_) => Err(Fault::new("InvalidDatastore", format!("The host does not mount '{}'", ds.name))
                .with("datastore", MoRef::new("Datastore", &vmx.ds))
                .with("name", ds.name.as_str())),
            None => self.hosts.keys().find(|id| fits(id)).cloned().ok_or_else(|| {
                Fault::new("InvalidDatastore", format!("No host of the pool mounts '{}'", ds.name))
                    .with("datastore", MoRef::new("Datastore", &vmx.ds))
                    .with("name", ds.name.as_str())
            }),
        }
    }

    /// Forgets a VM; its files stay.
    ///
    /// Errors: InvalidPowerState while it runs.
    pub fn unregister(&mut self, id: &str) -> Result<(), Fault> {
        let vm = self.vm(id)?;
        if vm.on {
            return Err(Fault::power_state(Some("poweredOff"), vm.power_state()));
        }
        let name = vm.config.name.clone();
        self.vms.remove(id);
        self.snapshots.retain(|_, s| s.vm != id);
        self.log("VmRemovedEvent", "", None, format!("Removed {name} from the inventory"));
        Ok(())
    }

    /// Removes a VM with its disks and directory; disks that another VM uses stay.
    pub fn destroy_vm(&mut self, id: &str) -> Result<(), Fault> {
        let vm = self.vm(id)?.clone();
        if vm.on {
            return Err(Fault::power_state(Some("poweredOff"), vm.power_state()));
        }
        let links: Vec<DsPath> = vm.disks().flat_map(super::device::Disk::chain).collect();
        self.unregister(id)?;
        let used = |s: &State, file: &DsPath| s.vms.values().any(|v| v.disks().any(|d| d.chain().contains(file)));
        for file in links {
            if !used(self, &file) {
                self.remove_link(&file);
            }
        }
        let dir = DsPath { ds: vm.vmx.ds.clone(), rel: vm.vmx.dir().to_owned() };
        let tree = self.tree_of(&dir)?;
        let names = tree.list(&dir.rel).unwrap_or_default();
        let others =
            self.vms.values().any(|v| v.disks().flat_map(|d| d.chain()).any(|f| f.ds == dir.ds && f.dir() == dir.rel));
        for entry in names.iter().filter(|e| !e.is_dir && (!others || !e.name.ends_with(".vmdk"))) {
            self.remove_quietly(&vm.vmx.sibling(&entry.name));
        }
        if tree.list(&dir.rel).is_ok_and(|l| l.is_empty()) && !dir.rel.is_empty() {
            self.remove_quietly(&dir);
        }
        Ok(())
    }

    /// Points a VM at another .vmx and reads it; its object, permissions and history stay.
    ///
    /// Errors: InvalidPowerState while it runs, AlreadyExists where another VM has the file.
    pub fn reload_from(&mut self, id: &str, path: &str) -> Result<(), Fault> {
        if self.vm(id)?.on {
            return Err(Fault::power_state(Some("poweredOff"), "poweredOn"));
        }
        let dc = self.datacenter_of(&Self::vm_ref(id));
        let vmx = self.parse_path(path, dc.as_deref())?;
        if self.vms.iter().any(|(other, v)| other != id && v.vmx == vmx) {
            return Err(Fault::new("AlreadyExists", format!("{path} is registered")).with("name", path));
        }
        self.read_text(&vmx)?;
        self.vm_mut(id)?.vmx = vmx;
        self.reload(id)
    }

    /// Looks at a datastore again: VMs whose files have gone or come back show it.
    pub fn refresh_datastore(&mut self, id: &str) -> Result<(), Fault> {
        self.datastore(id)?;
        for vm in self.vms_on(id) {
            if !self.vm(&vm.id)?.on {
                self.reload(&vm.id)?;
            }
        }
        self.touch();
        Ok(())
    }

    /// Addresses and uuids that more than one VM has: kind, value, VM ids.
    pub fn duplicates(&self) -> Vec<(&'static str, String, Vec<String>)> {
        let mut all: std::collections::BTreeMap<(&'static str, String), Vec<String>> =
            std::collections::BTreeMap::new();
        for (id, vm) in &self.vms {
            let mut add = |kind, value: &str| all.entry((kind, value.to_owned())).or_default().push(id.clone());
            add("uuid", &vm.config.uuid);
            add("instanceUuid", &vm.config.instance_uuid);
            for device in &vm.config.devices {
                if let Kind::Nic(nic) = &device.kind {
                    add("mac", &nic.mac);
                }
            }
        }
        all.into_iter().filter(|(_, ids)| ids.len() > 1).map(|((kind, value), ids)| (kind, value, ids)).collect()
    }
}
