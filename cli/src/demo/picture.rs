//! What there is in the simulated data centre, as lines to compare: whatever is there at the end and was not at the
//! beginning, Strata left behind; whatever is missing, it took.

use std::collections::BTreeSet;
use strata_sim::world::{
    World,
    compute::{Vcenter, datastore::Backing},
    invariants,
    storage::{Array, StorageError},
};

/// A line for each VM, datastore, device of a host, volume, snapshot, LUN, map and initiator group.
#[derive(Debug)]
pub struct Picture(BTreeSet<String>);

impl Picture {
    /// Of now.
    ///
    /// # Errors
    /// An array went away meanwhile.
    pub fn take(world: &World, vcenter: &Vcenter) -> Result<Self, StorageError> {
        let mut lines = vcenter.with(|state| {
            let mut lines = BTreeSet::new();
            lines.extend(state.vms.values().map(|vm| format!("VM {}", vm.config.name)));
            for store in state.datastores.values() {
                let hosts = store.mounts.iter().filter(|mount| mount.mounted).count();
                lines.insert(format!("datastore {} ({}), mounted by {hosts} hosts", store.name, store.uuid));
            }
            for host in state.hosts.values() {
                for device in host.san.devices.values() {
                    let how = if device.detached { ", detached" } else { "" };
                    lines.insert(format!("device {} of host {}{how}", device.name, host.name));
                }
                lines.extend(host.san.unmounted.iter().map(|uuid| format!("{uuid} unmounted on host {}", host.name)));
            }
            lines
        });
        for name in world.arrays() {
            array(&world.array(&name)?, &name, &mut lines)?;
        }
        Ok(Self(lines))
    }

    /// What is on one picture only, in words; empty where both show the same.
    pub fn difference(&self, later: &Self) -> Vec<String> {
        let left = later.0.difference(&self.0).map(|line| format!("left: {line}"));
        let gone = self.0.difference(&later.0).map(|line| format!("gone: {line}"));
        left.chain(gone).collect()
    }
}

fn array(array: &Array<'_>, name: &str, lines: &mut BTreeSet<String>) -> Result<(), StorageError> {
    let on = |what: String| format!("{what} on {name}");
    for volume in array.volumes()? {
        let clients: Vec<&String> = volume.clients.iter().collect();
        lines.insert(on(format!("volume {} exported as '{}' to {clients:?}", volume.name, volume.export_path)));
        for snapshot in array.snapshots(volume.id)? {
            lines.insert(on(format!("snapshot {} of volume {}", snapshot.name, volume.name)));
        }
        for lun in array.luns(volume.id)? {
            lines.insert(on(format!("LUN {} ({}) of volume {}", lun.name, lun.canonical_name, volume.name)));
            for map in &lun.maps {
                lines.insert(on(format!("map of {} to {} as {}", lun.canonical_name, map.group, map.number)));
            }
        }
    }
    for group in array.initiator_groups()? {
        lines.insert(on(format!("initiator group {} {:?}", group.name, group.initiators)));
    }
    Ok(())
}

/// What must never be, or have been, in a world in which nothing is Strata's: harm done to hosts or data, even if it can be
/// seen no more; mounts of what is not exported; marks of nobody's; devices that hosts lost or keep.
pub fn violations(world: &World, vcenter: &Vcenter) -> Vec<String> {
    let mounts: Vec<(String, String)> = vcenter.with(|state| {
        let exports = state.datastores.values().filter_map(|store| match &store.backing {
            Backing::Nfs { host, path, .. } => Some((host.clone(), path.clone())),
            _ => None,
        });
        exports.collect()
    });
    let mut found = invariants::check(world, &BTreeSet::new(), &mounts);
    found.extend(vcenter.with(|state| state.block_violations()));
    found.into_iter().map(|it| format!("{}: {}: {}", it.rule, it.object, it.detail)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use strata_sim::{
        clock::MachineClock,
        world::storage::{ArraySpec, NewLun, NewVolume},
    };

    #[test]
    fn whatever_comes_or_goes_is_seen() {
        let world = World::new(Arc::new(MachineClock));
        world.add_array(ArraySpec::new("a", "192.0.2.2")).unwrap();
        let array = world.array("a").unwrap();
        let new = |name: &str| NewVolume {
            name: name.into(),
            comment: String::new(),
            export_path: String::new(),
            size_bytes: 1 << 30,
        };
        let volume = array.create_volume(new("v1")).unwrap().id;
        let new_lun = NewLun { name: "l1".into(), comment: String::new(), size_bytes: 1 << 25 };
        let lun = array.create_lun(volume, new_lun).unwrap().id;
        let vcenter =
            Vcenter::builder(world.clone(), "vc").host("h1").lun_datastore("d1", &[("a", lun)]).build().unwrap();
        let take = || Picture::take(&world, &vcenter).unwrap();
        let before = take();
        assert_eq!(before.difference(&take()), Vec::<String>::new());
        assert_eq!(violations(&world, &vcenter), Vec::<String>::new());
        let strange = array.create_volume(NewVolume { comment: "strata1;k=c-1".into(), ..new("v2") }).unwrap();
        array.create_initiator_group("g2", BTreeSet::from(["iqn.1998-01.com.example:h2".to_owned()])).unwrap();
        let seen = before.difference(&take());
        assert_eq!(seen.len(), 2, "{seen:?}");
        assert!(seen.iter().all(|line| line.starts_with("left: ")), "{seen:?}");
        assert_eq!(take().difference(&before).len(), 2, "what is gone is told, too");
        assert!(violations(&world, &vcenter)[0].starts_with("unknown-mark"), "a mark of nobody's");
        array.delete_volume(strange.id).unwrap();
        let group = array.lun(lun).unwrap().maps[0].group;
        array.unmap_lun(lun, group).unwrap();
        assert!(!violations(&world, &vcenter).is_empty(), "the host lost its datastore");
    }
}
