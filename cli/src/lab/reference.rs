//! The simulated NFS array.

use super::fault;
use crate::failure::Failure;
use std::{collections::BTreeSet, sync::Arc};
use strata_sim::world::{
    World,
    storage::{ArraySpec, EVERYONE, NewVolume},
};

/// Address under which the lab's hosts mount it (RFC 5737: nobody's).
pub const HOST: &str = "192.0.2.20";
/// Its account.
pub const USERNAME: &str = "admin";
/// Its password; it protects nothing.
pub const PASSWORD: &str = "simulated";

const VOLUME_BYTES: u64 = 4 << 40;

/// Puts the array with these volumes into the world, each exported to all hosts as `/<volume>`.
pub fn prepare(world: &Arc<World>, name: &str, volumes: &[&str]) -> Result<(), Failure> {
    let wrong = |error: strata_sim::world::storage::StorageError| fault("the simulated array", error);
    world
        .add_array(ArraySpec { user: USERNAME.to_owned(), password: PASSWORD.to_owned(), ..ArraySpec::new(name, HOST) })
        .map_err(wrong)?;
    let array = world.array(name).map_err(wrong)?;
    for volume in volumes {
        let new = NewVolume {
            name: (*volume).to_owned(),
            comment: String::new(),
            export_path: format!("/{volume}"),
            size_bytes: VOLUME_BYTES,
        };
        let made = array.create_volume(new).map_err(wrong)?;
        array.set_export(made.id, BTreeSet::from([EVERYONE.to_owned()])).map_err(wrong)?;
    }
    Ok(())
}
