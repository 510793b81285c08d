//! The inventory around the VMs: folders, datacenters, clusters, hosts, datastores; read in one call.

use crate::{
    soap::MoRef,
    vcenter::{Client, Error, property_collector::ObjectProperties, property_spec::Properties},
};
use std::collections::HashMap;

/// What is read of a host among the places.
const HOST: Properties = Properties {
    kind: "HostSystem",
    paths: &[
        "name",
        "parent",
        "runtime.connectionState",
        "runtime.inMaintenanceMode",
        "config.network.vnic",
        "configManager.datastoreSystem",
        "configManager.storageSystem",
    ],
};
/// What is read of all other places. `info` of a datastore is whole since its type says what it lies on.
pub(crate) const PLACES_BUT_HOSTS: &[Properties] = &[
    Properties { kind: "Folder", paths: &["name", "parent"] },
    Properties { kind: "Datacenter", paths: &["name", "parent"] },
    Properties { kind: "ComputeResource", paths: &["name", "parent", "resourcePool"] },
    Properties { kind: "ResourcePool", paths: &["name", "parent"] },
    Properties { kind: "Network", paths: &["name", "parent"] },
    Properties { kind: "Datastore", paths: &["name", "parent", "info", "summary", "host", "browser"] },
];
/// Types of places.
pub(crate) const TYPES: &[&str] =
    &["Folder", "Datacenter", "ComputeResource", "ResourcePool", "HostSystem", "Network", "Datastore"];

/// Everything but VMs.
#[derive(Debug, Default)]
pub struct Places {
    objects: HashMap<MoRef, ObjectProperties>,
}

/// A datacenter.
#[derive(Debug, Clone)]
pub struct Datacenter {
    /// vCenter's id.
    pub moref: MoRef,
    /// `/Folder/Datacenter`.
    pub path: String,
}

impl Places {
    /// Reads them.
    ///
    /// # Errors
    /// The call failed.
    pub async fn read(client: &Client) -> Result<Self, Error> {
        let sets: Vec<Properties> = [HOST].into_iter().chain(PLACES_BUT_HOSTS.iter().copied()).collect();
        let found = client.retrieve_all(TYPES, &sets, Vec::new(), "inventory").await?;
        Ok(Self::from_objects(found))
    }

    /// From what was read.
    pub fn from_objects(found: Vec<ObjectProperties>) -> Self {
        Self { objects: found.into_iter().map(|object| (object.object.clone(), object)).collect() }
    }

    /// Takes a place in, or its news; gives what was known before.
    pub fn insert(&mut self, place: ObjectProperties) -> Option<ObjectProperties> {
        self.objects.insert(place.object.clone(), place)
    }

    /// Forgets a place.
    pub fn remove(&mut self, object: &MoRef) -> Option<ObjectProperties> {
        self.objects.remove(object)
    }

    /// All places, in no order.
    pub fn all(&self) -> impl Iterator<Item = &ObjectProperties> {
        self.objects.values()
    }

    /// One object.
    pub fn get(&self, object: &MoRef) -> Option<&ObjectProperties> {
        self.objects.get(object)
    }

    /// All objects of a type, in no order.
    pub fn of_kind<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a ObjectProperties> {
        self.objects.values().filter(move |object| object.object.kind == kind)
    }

    /// Name for people; empty where the object is not known.
    pub fn name(&self, object: &MoRef) -> String {
        self.get(object).map(|found| unescape(found.text("name"))).unwrap_or_default()
    }

    /// Path in the inventory without the invisible root, `/Datacenter/vm/Folder`, in vCenter's own escaping.
    pub fn path(&self, object: &MoRef) -> String {
        let mut names: Vec<&str> = self
            .upwards(object)
            .filter(|place| place.get("parent").is_some())
            .map(|place| place.text("name"))
            .collect();
        names.reverse();
        format!("/{}", names.join("/"))
    }

    /// The datacenter that an object lies in.
    pub fn datacenter(&self, object: &MoRef) -> Option<Datacenter> {
        let found = self.upwards(object).find(|place| place.object.kind == "Datacenter")?;
        Some(Datacenter { moref: found.object.clone(), path: self.path(&found.object) })
    }

    /// The object and what it lies in, up to the root.
    pub fn upwards<'a>(&'a self, object: &MoRef) -> impl Iterator<Item = &'a ObjectProperties> {
        // No inventory nests this deep; a loop in a broken answer ends here.
        std::iter::successors(self.get(object), |place| self.get(&place.moref("parent")?)).take(64)
    }

    /// Name of a network by vCenter's id, which is also a distributed portgroup's key.
    pub fn network_name(&self, moref: &str) -> Option<String> {
        let kinds = ["Network", "DistributedVirtualPortgroup", "OpaqueNetwork"];
        kinds.iter().find_map(|kind| self.get(&MoRef::new(*kind, moref))).map(|network| unescape(network.text("name")))
    }

    /// All datastores of this name: one a datacenter.
    pub fn datastores_named(&self, name: &str) -> Vec<&ObjectProperties> {
        let is_named = |raw: &str| raw == name || unescape(raw) == name;
        let mut found: Vec<&ObjectProperties> =
            self.of_kind("Datastore").filter(|store| is_named(store.text("name"))).collect();
        found.sort_by(|left, right| left.object.cmp(&right.object));
        found
    }

    /// The datastore of this name. Names are unique in a datacenter: with more than one, that of the given datacenter.
    pub fn datastore_named(&self, name: &str, datacenter: Option<&MoRef>) -> Option<&ObjectProperties> {
        let is_there = |store: &MoRef| {
            datacenter.is_none_or(|wanted| self.datacenter(store).is_some_and(|found| found.moref == *wanted))
        };
        self.datastores_named(name).into_iter().find(|store| is_there(&store.object))
    }
}

/// vCenter writes `/`, `\` and `%` in names as `%2f`, `%5c`, `%25`.
pub fn unescape(name: &str) -> String {
    if !name.contains('%') {
        return name.to_owned();
    }
    let mut out = String::with_capacity(name.len());
    let mut rest = name;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        let (character, used) = match rest.get(at..at + 3).map(str::to_ascii_lowercase).as_deref() {
            Some("%2f") => ('/', 3),
            Some("%5c") => ('\\', 3),
            Some("%25") => ('%', 3),
            _ => ('%', 1),
        };
        out.push(character);
        rest = &rest[at + used..];
    }
    out + rest
}

/// A name as vCenter takes it; undoes [`unescape`].
pub fn escape(name: &str) -> String {
    name.replace('%', "%25").replace('/', "%2f").replace('\\', "%5c")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unescapes_only_what_vcenter_escapes() {
        for (written, meant) in [
            ("web-01", "web-01"),
            ("a%2fb", "a/b"),
            ("a%2Fb%5c%25", "a/b\\%"),
            ("100%", "100%"),
            ("%252f", "%2f"),
            ("%41", "%41"),
            ("%é", "%é"),
        ] {
            assert_eq!(unescape(written), meant, "{written}");
            assert_eq!(unescape(&escape(meant)), meant);
        }
    }
}
