//! Who sees which LUN: initiator groups, maps with LUN numbers, and what a host finds when it looks.

use super::{
    array::{Array, ArrayState},
    error::StorageError,
    lun::Lun,
    volume::check_name,
};
use crate::world::{MemTree, World, lock};
use std::{
    collections::BTreeSet,
    sync::{Arc, atomic::Ordering},
};
use uuid::Uuid;

/// A LUN shown to an initiator group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct LunMap {
    /// The group's id.
    pub group: Uuid,
    /// The number under which its hosts see the LUN.
    pub number: u32,
}

/// Hosts' adapters that see the same LUNs (igroup, host, host group).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InitiatorGroup {
    /// Its identity.
    pub id: Uuid,
    /// Its name; unique on the array.
    pub name: String,
    /// Names of initiators as [`canonical_initiator`] writes them. One may be in several groups.
    pub initiators: BTreeSet<String>,
}

/// A LUN as an initiator finds it when it looks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The array's name.
    pub array: String,
    /// The LUN's id on it.
    pub lun: Uuid,
    /// The initiator that found it.
    pub initiator: String,
    /// The array's port that showed it.
    pub target: String,
    /// Under which number.
    pub number: u32,
    /// Its canonical name.
    pub canonical_name: String,
    /// Its serial.
    pub serial: String,
    /// Its length in bytes.
    pub size_bytes: u64,
    /// SCSI vendor.
    pub vendor: &'static str,
    /// SCSI product.
    pub product: &'static str,
    /// How often its content was replaced beneath the hosts.
    pub rollbacks: u64,
}

/// An initiator's name as it is compared: lower case, and a world wide name as eight pairs with colons. iSCSI (`iqn.`,
/// `eui.`) and NVMe (`nqn.`) names are kept.
pub fn canonical_initiator(name: &str) -> Result<String, StorageError> {
    let lower = name.to_ascii_lowercase();
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | ':' | '-' | '_');
    if ["iqn.", "eui.", "nqn."].iter().any(|p| lower.starts_with(p)) && lower.len() <= 223 && lower.chars().all(legal) {
        return Ok(lower);
    }
    let digits: String = lower.chars().filter(|c| !matches!(c, ':' | '-')).collect();
    if digits.len() == 16 && digits.chars().all(|c| c.is_ascii_hexdigit()) {
        let pairs: Vec<&str> = (0..8).map(|n| &digits[2 * n..2 * n + 2]).collect();
        return Ok(pairs.join(":"));
    }
    let why = "must be an iqn., eui. or nqn. name, or a world wide name of 16 hexadecimal digits".to_owned();
    Err(StorageError::Invalid { field: "initiator", value: name.to_owned(), why })
}

fn canonical_initiators(names: &BTreeSet<String>) -> Result<BTreeSet<String>, StorageError> {
    names.iter().map(|name| canonical_initiator(name)).collect()
}

impl ArrayState {
    pub(super) fn group(&mut self, id: Uuid) -> Result<&mut InitiatorGroup, StorageError> {
        self.groups.get_mut(&id).ok_or_else(|| StorageError::absent("initiator group", id))
    }

    /// Numbers that the initiators of a group see already, through any group.
    fn numbers_seen_by(&self, group: &InitiatorGroup) -> BTreeSet<u32> {
        let together: BTreeSet<Uuid> = self
            .groups
            .values()
            .filter(|g| g.id == group.id || !g.initiators.is_disjoint(&group.initiators))
            .map(|g| g.id)
            .collect();
        let maps = self.luns().flat_map(|l| &l.info.maps);
        maps.filter(|m| together.contains(&m.group)).map(|m| m.number).collect()
    }

    /// What an initiator finds, or of that only the disk with this canonical name.
    fn found(&self, initiator: &str, only: Option<&str>) -> Vec<Found> {
        let mine: BTreeSet<Uuid> =
            self.groups.values().filter(|g| g.initiators.contains(initiator)).map(|g| g.id).collect();
        let naming = &self.spec.behaviour.lun_naming;
        let mut out: Vec<Found> = Vec::new();
        let wanted = |l: &&Lun| l.online && only.is_none_or(|name| l.canonical_name == name);
        for lun in self.luns().map(|l| &l.info).filter(wanted) {
            let Some(map) = lun.maps.iter().find(|m| mine.contains(&m.group)) else { continue };
            out.push(Found {
                array: self.spec.name.clone(),
                lun: lun.id,
                initiator: initiator.to_owned(),
                target: self.target_name(initiator),
                number: map.number,
                canonical_name: lun.canonical_name.clone(),
                serial: lun.serial.clone(),
                size_bytes: lun.size_bytes,
                vendor: naming.vendor,
                product: naming.product,
                rollbacks: lun.rollbacks,
            });
        }
        out.sort_by_key(|f| f.number);
        out
    }

    /// The array's port for an initiator's protocol; follows from the array's uuid.
    fn target_name(&self, initiator: &str) -> String {
        let tail = self.uuid.simple().to_string();
        match initiator.get(..4) {
            Some("iqn." | "eui.") => format!("iqn.2026-11.test.array:{tail}"),
            Some("nqn.") => format!("nqn.2026-11.test.array:{tail}"),
            _ => {
                let pairs: Vec<&str> = (0..7).map(|n| &tail[2 * n..2 * n + 2]).collect();
                format!("50:{}", pairs.join(":"))
            }
        }
    }
}

impl World {
    /// Counts whatever may change what hosts reach: whoever remembers what it reached asks again when this has changed.
    pub fn maps_version(&self) -> u64 {
        self.maps_version.load(Ordering::Relaxed)
    }

    pub(super) fn maps_changed(&self) {
        self.maps_version.fetch_add(1, Ordering::Relaxed);
    }

    /// What an initiator finds when it looks at all arrays: what each shows it, by number. A name that is none finds
    /// nothing.
    pub fn luns_seen_by(&self, initiator: &str) -> Vec<Found> {
        self.settle();
        let Ok(initiator) = canonical_initiator(initiator) else { return Vec::new() };
        lock(&self.storage).arrays.values().flat_map(|a| a.found(&initiator, None)).collect()
    }

    /// True where an array of this world has a LUN with this canonical name, whoever sees it.
    pub fn has_lun(&self, canonical_name: &str) -> bool {
        self.settle();
        let storage = lock(&self.storage);
        storage.arrays.values().flat_map(ArrayState::luns).any(|l| l.info.canonical_name == canonical_name)
    }

    /// The disk with this canonical name as an initiator reaches it now, and what it holds; nothing where no array shows
    /// it to that initiator any more. Ask again for each access: a map can go away under a host.
    pub fn reach_lun(&self, initiator: &str, canonical_name: &str) -> Option<(Found, Arc<MemTree>)> {
        self.settle();
        let initiator = canonical_initiator(initiator).ok()?;
        let mut storage = lock(&self.storage);
        let found = storage.arrays.values().find_map(|a| a.found(&initiator, Some(canonical_name)).pop())?;
        let content = Arc::clone(&storage.array(&found.array).ok()?.lun(found.lun).ok()?.content);
        Some((found, content))
    }
}

impl Array<'_> {
    /// All initiator groups, by id.
    pub fn initiator_groups(&self) -> Result<Vec<InitiatorGroup>, StorageError> {
        self.change(|storage, _| Ok(storage.array(self.name)?.groups.values().cloned().collect()))
    }

    /// One initiator group.
    pub fn initiator_group(&self, id: Uuid) -> Result<InitiatorGroup, StorageError> {
        self.change(|storage, _| Ok(storage.array(self.name)?.group(id)?.clone()))
    }

    /// Makes an initiator group.
    pub fn create_initiator_group(
        &self,
        name: &str,
        initiators: BTreeSet<String>,
    ) -> Result<InitiatorGroup, StorageError> {
        let made = self.change(|storage, _| {
            let id = storage.new_id();
            let array = storage.array(self.name)?;
            check_name(name, "", &array.spec.behaviour)?;
            if array.groups.values().any(|g| g.name == name) {
                return Err(StorageError::Exists { kind: "initiator group", name: name.to_owned() });
            }
            let made = InitiatorGroup { id, name: name.to_owned(), initiators: canonical_initiators(&initiators)? };
            array.groups.insert(id, made.clone());
            Ok(made)
        })?;
        self.count("groups_made");
        Ok(made)
    }

    /// Sets the initiators of a group. One that joins sees the group's LUNs, one that leaves loses them. Refused where
    /// one would see two LUNs under one number.
    pub fn set_initiators(&self, group: Uuid, initiators: BTreeSet<String>) -> Result<(), StorageError> {
        let done = self.change(|storage, _| {
            let initiators = canonical_initiators(&initiators)?;
            let array = storage.array(self.name)?;
            let before = array.group(group)?.initiators.clone();
            array.group(group)?.initiators.clone_from(&initiators);
            for initiator in &initiators {
                let found = array.found(initiator, None);
                if let Some(two) = found.windows(2).find(|w| w[0].number == w[1].number) {
                    let name = format!("{} for {initiator}", two[0].number);
                    array.group(group)?.initiators = before;
                    return Err(StorageError::Exists { kind: "LUN number", name });
                }
            }
            Ok(())
        });
        self.world.maps_changed();
        done
    }

    /// Deletes an initiator group. Refused while LUNs are shown to it.
    pub fn delete_initiator_group(&self, id: Uuid) -> Result<(), StorageError> {
        self.change(|storage, _| {
            let array = storage.array(self.name)?;
            array.group(id)?;
            if array.luns().any(|l| l.info.maps.iter().any(|m| m.group == id)) {
                return Err(StorageError::Mapped { kind: "initiator group", id: id.to_string() });
            }
            array.groups.remove(&id);
            Ok(())
        })
    }

    /// Shows a LUN to an initiator group, under this number or (`None`) under the lowest that is free.
    pub fn map_lun(&self, lun: Uuid, group: Uuid, number: Option<u32>) -> Result<LunMap, StorageError> {
        let map = self.change(|storage, _| {
            let array = storage.array(self.name)?;
            let to = array.group(group)?.clone();
            let maps = array.lun(lun)?.info.maps.clone();
            let reaches = |id: &Uuid, array: &mut ArrayState| {
                array.group(*id).is_ok_and(|g| g.id == group || !g.initiators.is_disjoint(&to.initiators))
            };
            // A host must not see one LUN under two numbers.
            if maps.iter().any(|m| reaches(&m.group, array)) {
                return Err(StorageError::Exists { kind: "map", name: format!("LUN {lun} to group '{}'", to.name) });
            }
            let taken = array.numbers_seen_by(&to);
            let max = array.spec.behaviour.lun_number_max;
            let number = match number {
                Some(number) if taken.contains(&number) => {
                    let name = format!("{number} in group '{}'", to.name);
                    return Err(StorageError::Exists { kind: "LUN number", name });
                }
                Some(number) if number > max => {
                    let why = format!("must be at most {max}");
                    return Err(StorageError::Invalid { field: "number", value: number.to_string(), why });
                }
                Some(number) => number,
                None => (0..=max)
                    .find(|n| !taken.contains(n))
                    .ok_or_else(|| StorageError::Limit(format!("{max} LUN numbers of a group")))?,
            };
            let map = LunMap { group, number };
            array.lun(lun)?.info.maps.push(map);
            Ok(map)
        })?;
        self.world.maps_changed();
        self.count("maps_made");
        Ok(map)
    }

    /// Shows a LUN to an initiator group no more. What a host had mounted of it is gone at once, whoever used it.
    pub fn unmap_lun(&self, lun: Uuid, group: Uuid) -> Result<(), StorageError> {
        self.change(|storage, _| {
            let maps = &mut storage.array(self.name)?.lun(lun)?.info.maps;
            let before = maps.len();
            maps.retain(|m| m.group != group);
            if maps.len() == before {
                return Err(StorageError::absent("map", format!("LUN {lun} to group {group}")));
            }
            Ok(())
        })?;
        self.world.maps_changed();
        self.count("maps_removed");
        Ok(())
    }
}
