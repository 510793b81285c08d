//! The simulated vCenter with block storage below it, and its array.

use super::{
    block::{hosts, ids, store_named, vmfs_of},
    simulated::Simulated,
};
use std::sync::{Arc, Mutex};
use strata_inventory_svc::topology::pb;
use strata_sim::world::{
    World,
    compute::{DiskSpec, VmSpec},
    storage::{ArraySpec, NewClone, NewLun, NewVolume},
    tree::FileTree as _,
};

use uuid::Uuid;

const GIB: u64 = 1 << 30;

/// `vmfs1` on one LUN with the VMs `web` (on), `db` and `raw` (a disk on another LUN); `wide` on two LUNs with `big`. All
/// LUNs lie in one volume.
pub struct San {
    /// The vCenter.
    pub sim: Simulated,
    world: Arc<World>,
}

impl San {
    /// Builds it.
    pub fn new() -> Self {
        let kept: Mutex<Option<Arc<World>>> = Mutex::default();
        let sim = Simulated::new(|builder| {
            let world = Arc::clone(builder.world());
            world.add_array(ArraySpec::new("san1", "10.0.0.9")).expect("an array");
            let array = world.array("san1").expect("an array");
            let volume = NewVolume {
                name: "vol1".into(),
                comment: String::new(),
                export_path: String::new(),
                size_bytes: 8 * GIB,
            };
            let volume = array.create_volume(volume).expect("a volume").id;
            let lun = |name: &str| {
                let new = NewLun { name: name.into(), comment: String::new(), size_bytes: GIB };
                array.create_lun(volume, new).expect("a LUN")
            };
            let (one, raw, wide) = (lun("lun1"), lun("raw1"), [lun("wide1"), lun("wide2")]);
            let rdm = DiskSpec { rdm: Some((raw.canonical_name, true)), ..DiskSpec::of(1 << 20) };
            *kept.lock().expect("no panic") = Some(Arc::clone(&world));
            builder
                .lun_datastore("vmfs1", &[("san1", one.id)])
                .lun_datastore("wide", &[("san1", wide[0].id), ("san1", wide[1].id)])
                .mapped_lun("san1", raw.id)
                .vm(VmSpec::named("web").datastore("vmfs1").on())
                .vm(VmSpec { host: Some("esx2.example".into()), ..VmSpec::named("db").datastore("vmfs1") })
                .vm(VmSpec::named("raw").datastore("vmfs1").disks(vec![DiskSpec::of(1 << 20), rdm]))
                .vm(VmSpec::named("big").datastore("wide"))
        });
        let world = kept.into_inner().expect("no panic").expect("a world");
        Self { sim, world }
    }

    /// Clones the volume and maps the copies of these LUNs to the hosts; gives their canonical names.
    pub fn clone_and_map(&self, name: &str, luns: &[&str]) -> Vec<String> {
        let array = self.world.array("san1").expect("an array");
        let volume = array.volumes().expect("volumes").into_iter().find(|one| one.name == "vol1").expect("vol1").id;
        let snapshot = array.create_snapshot(volume, name, "").expect("a snapshot").id;
        let new = NewClone { name: name.into(), comment: String::new(), export_path: String::new() };
        let clone = array.clone_volume(volume, snapshot, new).expect("a clone").id;
        let group = array.initiator_groups().expect("groups")[0].id;
        let copies = array.luns(clone).expect("LUNs");
        let find = |name: &&str| copies.iter().find(|copy| copy.name == **name).expect("a copy");
        let map = |copy: &strata_sim::world::storage::Lun| {
            array.map_lun(copy.id, group, None).expect("a mapping");
            copy.canonical_name.clone()
        };
        luns.iter().map(|name| map(find(name))).collect()
    }

    /// A snapshot of the volume.
    pub fn snapshot(&self) -> Uuid {
        let array = self.world.array("san1").expect("an array");
        let volume = array.volumes().expect("volumes").into_iter().find(|one| one.name == "vol1").expect("vol1").id;
        array.create_snapshot(volume, "before", "").expect("a snapshot").id
    }

    /// The array puts LUNs back.
    pub fn restore(&self, luns: &[&str], snapshot: Uuid) {
        for lun in luns {
            self.world.array("san1").expect("an array").restore_lun(self.lun(lun), snapshot).expect("a restore");
        }
    }

    /// Bytes at the beginning of a file on a LUN, as the array has them.
    pub fn read_lun(&self, lun: &str, path: &str, length: usize) -> Vec<u8> {
        let content = self.world.array("san1").expect("an array").lun_content(self.lun(lun), None).expect("content");
        content.read(path, 0, length).expect("bytes")
    }

    /// The original of this name: it was made before its copies.
    fn lun(&self, name: &str) -> Uuid {
        let luns = self.world.array("san1").expect("an array").all_luns().expect("LUNs");
        luns.into_iter().find(|lun| lun.name == name).expect("a LUN").id
    }

    /// The array takes the devices away.
    pub fn unmap(&self, devices: &[String]) {
        let array = self.world.array("san1").expect("an array");
        for lun in array.all_luns().expect("LUNs").into_iter().filter(|lun| devices.contains(&lun.canonical_name)) {
            for map in lun.maps {
                array.unmap_lun(lun.id, map.group).expect("an unmapping");
            }
        }
    }

    /// The VMFS of a datastore.
    pub async fn vmfs(&self, datastore: &str) -> pb::VmfsBacking {
        vmfs_of(&store_named(&self.sim.face, datastore).await.expect("a datastore"))
    }

    /// Ids of all hosts.
    pub async fn hosts(&self) -> Vec<String> {
        ids(&hosts(&self.sim.face).await)
    }

    /// Rules of the simulated world that are broken now, and mishaps that happened: none at the end of a good test.
    pub fn harm(&self) -> Vec<String> {
        let broken = self.sim.vc.with(|state| state.block_violations());
        let mishaps = self.world.mishaps();
        broken
            .into_iter()
            .map(|one| format!("{one:?}"))
            .chain(mishaps.into_iter().map(|one| format!("{one:?}")))
            .collect()
    }
}
