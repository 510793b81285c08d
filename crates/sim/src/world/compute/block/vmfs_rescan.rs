//! Looking for filesystems on the devices that a host has.

use super::San;
use crate::world::{
    compute::{
        datastore::{Backing, Datastore, Mount},
        fault::Fault,
        inventory::escape_name,
        state::State,
        value::MoRef,
    },
    vmfs::Header,
};
use std::collections::{BTreeMap, BTreeSet};

/// A filesystem whose extents all lie where their headers say.
struct Whole {
    uuid: String,
    label: String,
    devices: Vec<String>,
}

/// The filesystems of a host that need no resolving and lack no extent.
fn whole_volumes(san: &San) -> Vec<Whole> {
    let own = san.headers.iter().filter(|(device, header)| header.device() == device.as_str());
    let mut volumes: BTreeMap<&str, Vec<&Header>> = BTreeMap::new();
    own.for_each(|(_, header)| volumes.entry(&header.volume).or_default().push(header));
    let whole = volumes.into_values().filter_map(|mut extents| {
        extents.sort_by_key(|h| h.ordinal);
        let head = extents.first()?;
        let all = extents.iter().map(|h| h.ordinal).eq(0..head.devices.len());
        let (uuid, label, devices) = (head.volume.clone(), head.label.clone(), head.devices.clone());
        all.then_some(Whole { uuid, label, devices })
    });
    whole.collect()
}

impl State {
    /// Reads the headers of all devices that answer; mounts what is whole and was not unmounted on purpose; forgets
    /// datastores that are neither mounted nor there.
    ///
    /// Errors: HostNotConnected.
    pub fn rescan_vmfs(&mut self, host: &str) -> Result<(), Fault> {
        self.check_host(host)?;
        let names: Vec<String> =
            self.hosts.get(host).map(|h| h.san.devices.keys().cloned().collect()).unwrap_or_default();
        let read = |device: &String| Some((device.clone(), Header::read(&self.reach(host, device)?.content)?));
        let headers: BTreeMap<String, Header> = names.iter().filter_map(read).collect();
        if let Some(h) = self.hosts.get_mut(host) {
            h.san.headers = headers;
        }
        let volumes = self.hosts.get(host).map(|h| whole_volumes(&h.san)).unwrap_or_default();
        let there: BTreeSet<&String> = volumes.iter().map(|v| &v.uuid).collect();
        self.drop_mounts(host, |uuid, mount| !mount.mounted && !there.contains(uuid));
        for volume in volumes {
            let stays_unmounted = self.hosts.get(host).is_some_and(|h| h.san.unmounted.contains(&volume.uuid));
            self.know_volume(host, &volume.uuid, &volume.label, &volume.devices, !stays_unmounted, false);
        }
        self.touch();
        Ok(())
    }

    /// Looks again at what is known, without a scan: the inventory forgets what is gone.
    ///
    /// Errors: HostNotConnected.
    pub fn refresh_storage_system(&mut self, host: &str) -> Result<(), Fault> {
        self.check_host(host)?;
        let known: BTreeSet<String> = self
            .hosts
            .get(host)
            .map(|h| h.san.headers.values().map(|x| x.volume.clone()).collect())
            .unwrap_or_default();
        self.drop_mounts(host, |uuid, mount| !mount.mounted && !known.contains(uuid));
        self.touch();
        Ok(())
    }

    /// Removes mounts of datastores on LUNs; a datastore goes with its last one.
    pub(super) fn drop_mounts(&mut self, host: &str, gone: impl Fn(&String, &Mount) -> bool) {
        for ds in self.datastores.values_mut().filter(|d| d.on_luns()) {
            let uuid = ds.uuid.clone();
            ds.mounts.retain(|m| m.host != host || !gone(&uuid, m));
        }
        self.datastores.retain(|_, ds| !ds.on_luns() || !ds.mounts.is_empty());
    }

    /// Makes a filesystem known on a host: its datastore, new where no host knew it, and the mount. Returns the datastore's
    /// id. What is mounted already stays as it is.
    pub(super) fn know_volume(
        &mut self,
        host: &str,
        uuid: &str,
        label: &str,
        devices: &[String],
        mounted: bool,
        forced: bool,
    ) -> String {
        let known = self.datastores.iter().find(|(_, d)| d.uuid == uuid && d.on_luns()).map(|(id, _)| id.clone());
        let id = known.unwrap_or_else(|| {
            let dc = self.datacenter_of(&MoRef::new("HostSystem", host));
            let folder = dc.as_ref().and_then(|dc| self.datacenters.get(dc)).map(|d| d.datastore_folder.clone());
            let name = self.free_datastore_name(label, dc.as_deref());
            let id = self.next_id("datastore");
            let ds = Datastore {
                name,
                folder: folder.unwrap_or_default(),
                backing: Backing::Vmfs { extents: devices.to_vec(), tree: None },
                uuid: uuid.to_owned(),
                mounts: Vec::new(),
                capacity_bytes: 0,
            };
            self.datastores.insert(id.clone(), ds);
            id
        });
        let rollbacks = devices.iter().map(|d| self.reach(host, d).map_or(0, |r| r.found.rollbacks)).collect();
        let sizes = self.hosts.get(host).map(|h| &h.san.devices);
        let capacity = devices.iter().filter_map(|d| Some(sizes?.get(d)?.size_bytes)).sum();
        let fresh = Mount { mounted, forced, extents: devices.to_vec(), rollbacks, ..Mount::of(host) };
        if let Some(ds) = self.datastores.get_mut(&id) {
            ds.capacity_bytes = capacity;
            match ds.mounts.iter_mut().find(|m| m.host == host) {
                Some(held) if held.mounted == mounted => {}
                Some(held) => *held = fresh,
                None => ds.mounts.push(fresh),
            }
        }
        self.touch();
        id
    }

    /// A label as a datastore's name; ` (1)` and so on where another one has it.
    fn free_datastore_name(&self, label: &str, datacenter: Option<&str>) -> String {
        let name = escape_name(label);
        let names = std::iter::once(name.clone()).chain((1..).map(|n| format!("{name} ({n})")));
        let mut free = names.filter(|n| self.datastore_named(n, datacenter).is_none());
        free.next().unwrap_or(name)
    }
}
