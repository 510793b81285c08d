//! The simulated ONTAP.

use super::{fault, reference};
use crate::failure::Failure;
use std::{collections::BTreeSet, sync::Arc};
use strata_sim::{
    skins::ontap::{Ontap, Settings, spec},
    world::{
        World,
        storage::{ArraySpec, EVERYONE, NewVolume, StorageError},
    },
};

/// Address under which the lab's hosts mount it (RFC 5737: nobody's).
const HOST: &str = "192.0.2.30";

const VOLUME_BYTES: u64 = 4 << 40;

fn wrong(error: StorageError) -> Failure {
    fault("the simulated ONTAP", error)
}

/// Puts the array with a volume for each datastore into the world, exported to all hosts: name, address, path of each.
/// ONTAP's names of volumes hold no `-`.
pub fn prepare(world: &Arc<World>, array: &str, datastores: &[&str]) -> Result<Vec<(String, String, String)>, Failure> {
    let (user, password) = (reference::USERNAME.to_owned(), reference::PASSWORD.to_owned());
    world.add_array(ArraySpec { user, password, ..spec(array, HOST) }).map_err(wrong)?;
    let array = world.array(array).map_err(wrong)?;
    let mut made = Vec::new();
    for datastore in datastores {
        let name = datastore.replace('-', "_");
        let path = format!("/{name}");
        let new = NewVolume { name, comment: String::new(), export_path: path.clone(), size_bytes: VOLUME_BYTES };
        let volume = array.create_volume(new).map_err(wrong)?;
        array.set_export(volume.id, BTreeSet::from([EVERYONE.to_owned()])).map_err(wrong)?;
        made.push(((*datastore).to_owned(), HOST.to_owned(), path));
    }
    Ok(made)
}

/// Its face, from which a router is made.
pub fn face(world: &Arc<World>, array: &str) -> Result<Ontap, Failure> {
    Ontap::new(world, array, Settings::default()).map_err(wrong)
}
