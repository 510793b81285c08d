//! LUNs under the datastores of a [`super::House`]: which volumes hold them, and what lies beside.

use super::memory::ARRAY;
use std::{collections::BTreeMap, sync::Arc};
use strata_sim::world::{
    World,
    storage::{NewLun, NewVolume},
};
use uuid::Uuid;

/// Size of a LUN.
pub const LUN_BYTES: u64 = 256 << 20;
const VOLUME_BYTES: u64 = 2 << 30;

/// The LUNs of each datastore, head extent first: array and LUN.
pub(super) type Luns = BTreeMap<String, Vec<(&'static str, Uuid)>>;

/// Makes them: each datastore's extents on the volumes named for it, or one LUN on a volume of its own.
pub(super) fn make(
    world: &Arc<World>,
    datastores: &[String],
    extents: &BTreeMap<String, Vec<String>>,
) -> anyhow::Result<Luns> {
    let array = world.array(ARRAY)?;
    let mut volumes: BTreeMap<String, Uuid> = BTreeMap::new();
    let mut luns = Luns::new();
    for datastore in datastores {
        let own = vec![super::build::volume_of(datastore)];
        for (index, volume) in extents.get(datastore).unwrap_or(&own).iter().enumerate() {
            let id = match volumes.get(volume) {
                Some(id) => *id,
                None => {
                    let new = NewVolume {
                        name: volume.clone(),
                        comment: String::new(),
                        export_path: String::new(),
                        size_bytes: VOLUME_BYTES,
                    };
                    let made = array.create_volume(new)?.id;
                    volumes.insert(volume.clone(), made);
                    made
                }
            };
            let name = format!("{}-{index}", super::build::volume_of(datastore));
            let new = NewLun { name, comment: String::new(), size_bytes: LUN_BYTES };
            let lun = array.create_lun(id, new)?;
            luns.entry(datastore.clone()).or_default().push((ARRAY, lun.id));
        }
    }
    Ok(luns)
}

/// A LUN for a raw device mapping of this VM: its id, and its canonical name.
pub(super) fn raw(world: &Arc<World>, vm: &str) -> anyhow::Result<(Uuid, String)> {
    let array = world.array(ARRAY)?;
    let name = format!("raw-{}", super::build::volume_of(vm));
    let new =
        NewVolume { name: name.clone(), comment: String::new(), export_path: String::new(), size_bytes: VOLUME_BYTES };
    let volume = array.create_volume(new)?.id;
    let lun = array.create_lun(volume, NewLun { name, comment: String::new(), size_bytes: 1 << 20 })?;
    Ok((lun.id, lun.canonical_name))
}
