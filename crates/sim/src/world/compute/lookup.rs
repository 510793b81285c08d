//! Who lies where: parents, names, children and paths.

use super::{
    inventory::{escape_name, unescape_name},
    state::State,
    value::MoRef,
};

impl State {
    /// True where the object of the inventory is there. The type must fit the id.
    pub fn has(&self, r: &MoRef) -> bool {
        let id = r.id.as_str();
        match r.ty.as_str() {
            "Folder" => self.folders.contains_key(id),
            "Datacenter" => self.datacenters.contains_key(id),
            "ComputeResource" | "ClusterComputeResource" => self.clusters.contains_key(id),
            "ResourcePool" => self.pools.contains_key(id),
            "HostSystem" => self.hosts.contains_key(id),
            "Network" => self.networks.contains_key(id),
            "Datastore" => self.datastores.contains_key(id),
            "VirtualMachine" => self.vms.contains_key(id),
            "VirtualMachineSnapshot" => self.snapshots.contains_key(id),
            "Task" => self.tasks.contains_key(id),
            _ => false,
        }
    }

    /// The reference of a cluster or compute resource.
    pub fn cluster_ref(&self, id: &str) -> MoRef {
        let cluster = self.clusters.get(id).is_none_or(|c| c.is_cluster);
        MoRef::new(if cluster { "ClusterComputeResource" } else { "ComputeResource" }, id)
    }

    /// What the object lies in.
    pub fn parent_of(&self, r: &MoRef) -> Option<MoRef> {
        let id = r.id.as_str();
        let folder = |id: &String| MoRef::new("Folder", id);
        match r.ty.as_str() {
            "Folder" => self.folders.get(id)?.parent.clone(),
            "Datacenter" => self.datacenters.get(id).map(|d| d.parent.clone()),
            "ComputeResource" | "ClusterComputeResource" => self.clusters.get(id).map(|c| c.parent.clone()),
            "ResourcePool" => self.pools.get(id).map(|p| p.parent.clone()),
            "HostSystem" => self.hosts.get(id).map(|h| self.cluster_ref(&h.cluster)),
            "Network" => self.networks.get(id).map(|n| folder(&n.folder)),
            "Datastore" => self.datastores.get(id).map(|d| folder(&d.folder)),
            "VirtualMachine" => self.vms.get(id).map(|v| folder(&v.folder)),
            _ => None,
        }
    }

    /// The object's name, as vCenter shows it.
    pub fn name_of(&self, r: &MoRef) -> Option<String> {
        let id = r.id.as_str();
        match r.ty.as_str() {
            "Folder" => self.folders.get(id).map(|x| x.name.clone()),
            "Datacenter" => self.datacenters.get(id).map(|x| x.name.clone()),
            "ComputeResource" | "ClusterComputeResource" => self.clusters.get(id).map(|x| x.name.clone()),
            "ResourcePool" => self.pools.get(id).map(|x| x.name.clone()),
            "HostSystem" => self.hosts.get(id).map(|x| x.name.clone()),
            "Network" => self.networks.get(id).map(|x| x.name.clone()),
            "Datastore" => self.datastores.get(id).map(|x| x.name.clone()),
            "VirtualMachine" => self.vms.get(id).map(|x| escape_name(&x.config.name)),
            _ => None,
        }
    }

    /// What lies in a folder or datacenter, by kind and in order of creation.
    pub fn children_of(&self, folder: &MoRef) -> Vec<MoRef> {
        let id = folder.id.as_str();
        let mut out = Vec::new();
        let mut add = |ty: &str, id: &String| out.push(MoRef::new(ty, id));
        self.folders.iter().filter(|(_, x)| x.parent.as_ref() == Some(folder)).for_each(|(id, _)| add("Folder", id));
        self.datacenters.iter().filter(|(_, x)| x.parent == *folder).for_each(|(id, _)| add("Datacenter", id));
        for (id, x) in self.clusters.iter().filter(|(_, x)| x.parent == *folder) {
            add(if x.is_cluster { "ClusterComputeResource" } else { "ComputeResource" }, id);
        }
        self.vms.iter().filter(|(_, x)| x.folder == id).for_each(|(id, _)| add("VirtualMachine", id));
        self.datastores.iter().filter(|(_, x)| x.folder == id).for_each(|(id, _)| add("Datastore", id));
        self.networks.iter().filter(|(_, x)| x.folder == id).for_each(|(id, _)| add("Network", id));
        out
    }

    /// The datacenter's id above an object.
    pub fn datacenter_of(&self, r: &MoRef) -> Option<String> {
        let mut at = r.clone();
        loop {
            if at.ty == "Datacenter" {
                return Some(at.id);
            }
            at = self.parent_of(&at)?;
        }
    }

    /// The datacenter's id of a datastore.
    pub fn datacenter_of_datastore(&self, id: &str) -> Option<String> {
        self.datacenter_of(&MoRef::new("Datastore", id))
    }

    /// The object below `at` by name; the folders of a datacenter go by their own names.
    pub fn child_named(&self, at: &MoRef, name: &str) -> Option<MoRef> {
        let children: Vec<MoRef> = match at.ty.as_str() {
            "Folder" | "Datacenter" => self.children_of(at),
            "ComputeResource" | "ClusterComputeResource" => {
                let hosts = self.hosts.iter().filter(|(_, h)| h.cluster == at.id);
                let pool = self.clusters.get(&at.id).map(|c| MoRef::new("ResourcePool", &c.pool));
                hosts.map(|(id, _)| MoRef::new("HostSystem", id)).chain(pool).collect()
            }
            "ResourcePool" => {
                let pools = self.pools.iter().filter(|(_, p)| p.parent == *at);
                pools.map(|(id, _)| MoRef::new("ResourcePool", id)).collect()
            }
            _ => Vec::new(),
        };
        children
            .into_iter()
            .find(|c| self.name_of(c).is_some_and(|n| n == name || n == escape_name(&unescape_name(name))))
    }

    /// The object of an inventory path such as `DC0/vm/web`.
    pub fn by_path(&self, path: &str) -> Option<MoRef> {
        let mut at = MoRef::new("Folder", "group-d1");
        for part in path.split('/').filter(|p| !p.is_empty()) {
            at = self.child_named(&at, part)?;
        }
        Some(at)
    }

    /// True where `r` lies somewhere below `top`.
    pub fn is_below(&self, r: &MoRef, top: &MoRef) -> bool {
        let mut at = self.parent_of(r);
        while let Some(p) = at {
            if p == *top {
                return true;
            }
            at = self.parent_of(&p);
        }
        // A VM lies in a folder and also in a pool, on a host and in a cluster.
        if let Some(vm) = self.vms.get(&r.id).filter(|_| r.ty == "VirtualMachine") {
            let host = MoRef::new("HostSystem", &vm.host);
            let pool = vm.pool.as_ref().map(|p| MoRef::new("ResourcePool", p));
            return host == *top
                || pool.as_ref() == Some(top)
                || (top.ty != "Folder" && top.ty != "Datacenter")
                    && (self.is_below(&host, top) || pool.is_some_and(|p| self.is_below(&p, top)));
        }
        false
    }
}
