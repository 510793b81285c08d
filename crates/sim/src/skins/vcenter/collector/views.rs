//! Container and list views.

use super::{
    super::{
        Face,
        dispatch::{Done, there},
        envelope::Call,
        schema::SCHEMA,
    },
    View, change, value,
};
use crate::world::compute::{
    fault::Fault,
    state::State,
    value::{MoRef, Val},
};

impl View {
    /// What the view holds now.
    pub fn objects(&self, s: &State) -> Vec<MoRef> {
        match self {
            View::List(all) => all.clone(),
            View::Container { container, types, recursive } => {
                let mut out: Vec<MoRef> = Vec::new();
                let mut add = |ty: &str, ids: Vec<&String>| {
                    if types.is_empty() || types.iter().any(|t| SCHEMA.object_is_a(ty, t)) {
                        out.extend(ids.into_iter().map(|id| MoRef::new(ty, id)));
                    }
                };
                add("Folder", s.folders.keys().collect());
                add("Datacenter", s.datacenters.keys().collect());
                let (clusters, alone) = s.clusters.iter().partition::<Vec<_>, _>(|(_, c)| c.is_cluster);
                add("ClusterComputeResource", clusters.into_iter().map(|(id, _)| id).collect());
                add("ComputeResource", alone.into_iter().map(|(id, _)| id).collect());
                add("ResourcePool", s.pools.keys().collect());
                add("HostSystem", s.hosts.keys().collect());
                add("Network", s.networks.keys().collect());
                add("Datastore", s.datastores.keys().collect());
                add("VirtualMachine", s.vms.keys().collect());
                let direct = |r: &MoRef| s.parent_of(r).as_ref() == Some(container);
                let is_in = |r: &MoRef| if *recursive { s.is_below(r, container) } else { direct(r) };
                out.retain(|r| is_in(r) && !s.lacks("System.View", r));
                out
            }
        }
    }
}

fn refs(args: &Val, name: &str) -> Vec<MoRef> {
    args.list(name).iter().filter_map(Val::as_ref).cloned().collect()
}

/// The methods of views.
pub fn run(face: &Face, call: &Call, secret: &str) -> Result<Done, Fault> {
    let args = &call.args;
    let make = |ty: &str, view: View| {
        let id = face.vc.with(|s| format!("session[{}]{}", &secret[..8.min(secret.len())], s.uuid()));
        change(face, secret, |t| t.views.insert(id.clone(), view));
        value(MoRef::new(ty, id))
    };
    match call.method.as_str() {
        "CreateContainerView" => {
            let container = args.moref("container").cloned().unwrap_or_else(|| MoRef::new("Folder", ""));
            if !face.vc.with(|s| there(face, s, secret, &container)) {
                return Err(Fault::gone(&container));
            }
            let fits = ["Folder", "Datacenter", "ComputeResource", "ResourcePool", "HostSystem"];
            if !fits.iter().any(|t| SCHEMA.object_is_a(&container.ty, t)) {
                return Err(Fault::invalid_argument("container"));
            }
            let types: Vec<String> = args.list("type").iter().filter_map(Val::as_str).map(str::to_owned).collect();
            if types.iter().any(|t| !SCHEMA.knows_object(t)) {
                return Err(Fault::invalid_argument("type"));
            }
            let recursive = args.bool("recursive") == Some(true);
            make("ContainerView", View::Container { container, types, recursive })
        }
        "CreateListView" => make("ListView", View::List(refs(args, "obj"))),
        "CreateInventoryView" => make("InventoryView", View::List(vec![MoRef::new("Folder", "group-d1")])),
        "DestroyView" => {
            change(face, secret, |t| t.views.remove(&call.this.id));
            value(Val::Unset)
        }
        method => {
            let (add, remove) =
                (refs(args, if method == "ResetListView" { "obj" } else { "add" }), refs(args, "remove"));
            let (known, unknown): (Vec<MoRef>, Vec<MoRef>) =
                face.vc.with(|s| add.into_iter().partition(|r| there(face, s, secret, r)));
            change(face, secret, |things| {
                let Some(View::List(list)) = things.views.get_mut(&call.this.id) else { return };
                if method == "ResetListView" {
                    list.clear();
                }
                list.retain(|r| !remove.contains(r));
                for r in known {
                    if !list.contains(&r) {
                        list.push(r);
                    }
                }
            });
            face.vc.with(|s| s.touch());
            value(unknown)
        }
    }
}
