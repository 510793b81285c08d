//! What must hold in every world at the end of every test.

use super::{
    World,
    storage::{StorageError, Volume},
};
use std::collections::BTreeSet;

/// Something that must not be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The rule, in a word: `mount-without-export`, `unknown-mark`, `dangling-clone`.
    pub rule: &'static str,
    /// The object.
    pub object: String,
    /// What is wrong with it.
    pub detail: String,
}

/// All of them. `known_keys` are the keys that catalog and journal hold; `mounts` are (address, path) of what hosts have
/// mounted.
pub fn check(world: &World, known_keys: &BTreeSet<String>, mounts: &[(String, String)]) -> Vec<Violation> {
    let mut found = mounts_without_export(world, mounts);
    found.extend(unknown_marks(world, known_keys));
    found.extend(dangling_clones(world));
    found.extend(mishaps(world));
    found
}

/// Mounts of hosts behind which there is no exported volume any more.
pub fn mounts_without_export(world: &World, mounts: &[(String, String)]) -> Vec<Violation> {
    let lost = mounts.iter().filter(|(host, path)| world.nfs(host, path).is_none());
    lost.map(|(host, path)| Violation {
        rule: "mount-without-export",
        object: format!("{host}:{path}"),
        detail: "a host has it mounted, and no array exports it".to_owned(),
    })
    .collect()
}

/// Volumes and snapshots with a mark of Strata whose key is in neither catalog nor journal. Replicas are left out: their
/// marks are copies (safety.md S2).
pub fn unknown_marks(world: &World, known_keys: &BTreeSet<String>) -> Vec<Violation> {
    let unknown = |comment: &str| match comment.strip_prefix("strata1;") {
        None => None,
        Some(rest) => match rest.split(';').find_map(|field| field.strip_prefix("k=")) {
            Some(key) if known_keys.contains(key) => None,
            Some(key) => Some(format!("nobody knows its key '{key}'")),
            None => Some("its mark has no key".to_owned()),
        },
    };
    each_volume(world, |array, volume, found| {
        if volume.read_only {
            return Ok(());
        }
        if let Some(detail) = unknown(&volume.comment) {
            let object = format!("{array}: volume '{}'", volume.name);
            found.push(Violation { rule: "unknown-mark", object, detail });
        }
        for snapshot in world.array(array)?.snapshots(volume.id)? {
            if let Some(detail) = unknown(&snapshot.comment) {
                let object = format!("{array}: snapshot '{}' of volume '{}'", snapshot.name, volume.name);
                found.push(Violation { rule: "unknown-mark", object, detail });
            }
        }
        Ok(())
    })
}

/// What harmed data or hosts, whether it can still be seen or not: a device taken away in use, a filesystem rolled back beneath a
/// host, a production LUN written through a copy.
pub fn mishaps(world: &World) -> Vec<Violation> {
    let all = world.mishaps().into_iter();
    all.map(|m| Violation { rule: m.rule, object: m.object, detail: m.detail }).collect()
}

/// Clones whose parent volume is gone, or whose parent snapshot is gone although clones pin it.
pub fn dangling_clones(world: &World) -> Vec<Violation> {
    each_volume(world, |array, volume, found| {
        let Some(parent) = volume.parent else { return Ok(()) };
        let handle = world.array(array)?;
        let pinned = handle.info()?.spec.behaviour.clones_pin_snapshots;
        let detail = if handle.volume(parent.volume).is_err() {
            format!("its parent volume {} is gone", parent.volume)
        } else if pinned && handle.snapshot(parent.volume, parent.snapshot).is_err() {
            format!("its parent snapshot {} is gone", parent.snapshot)
        } else {
            return Ok(());
        };
        found.push(Violation { rule: "dangling-clone", object: format!("{array}: volume '{}'", volume.name), detail });
        Ok(())
    })
}

fn each_volume(
    world: &World,
    look: impl Fn(&str, &Volume, &mut Vec<Violation>) -> Result<(), StorageError>,
) -> Vec<Violation> {
    let mut found = Vec::new();
    for array in world.arrays() {
        for volume in world.array(&array).and_then(|handle| handle.volumes()).unwrap_or_default() {
            // An object that goes away during the look violates nothing.
            let _gone = look(&array, &volume, &mut found);
        }
    }
    found
}
