//! LUNs: disks that lie in volumes and are shown to hosts. A volume may hold several (ONTAP) or one of its own (Pure).
//!
//! What a LUN holds is a [`MemTree`] that pays from its volume's space, so that snapshots and clones of it cost the same as
//! those of files. What lies in it (raw bytes, or a VMFS) is the hosts' business: see `world::vmfs`.

use super::{
    array::{Array, ArrayState, Storage},
    error::StorageError,
    mapping::LunMap,
    volume::{VolumeState, check_name},
};
use crate::world::MemTree;
use jiff::Timestamp;
use std::{collections::BTreeMap, sync::Arc};
use uuid::Uuid;

/// Where a cloned LUN came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LunOrigin {
    /// The LUN that was cloned, or its image in a snapshot.
    pub lun: Uuid,
    /// The snapshot it was cloned from; none where it was cloned live.
    pub snapshot: Option<Uuid>,
}

/// A LUN as the array shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lun {
    /// Its identity on the array; new for each clone.
    pub id: Uuid,
    /// The volume it lies in.
    pub volume: Uuid,
    /// Its name, unique in the volume; may have parts (`qtree/lun1`). The same in snapshots and clones of the volume.
    pub name: String,
    /// Free text.
    pub comment: String,
    /// Its serial number: what makes it one disk to hosts. A clone has a new one; a restore in place keeps it.
    pub serial: String,
    /// The name that hosts give it (`naa....`); follows from the serial.
    pub canonical_name: String,
    /// Its length in bytes.
    pub size_bytes: u64,
    /// When it was made, by the array's clock.
    pub created: Timestamp,
    /// False where it does not answer: taken offline, or full.
    pub online: bool,
    /// To which initiator groups it is shown.
    pub maps: Vec<LunMap>,
    /// Set on clones.
    pub origin: Option<LunOrigin>,
    /// How often its content was replaced beneath the hosts: a filesystem that was mounted meanwhile is corrupt.
    pub rollbacks: u64,
}

/// What a LUN is made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewLun {
    /// Its name.
    pub name: String,
    /// Free text.
    pub comment: String,
    /// Its length in bytes, a multiple of 512.
    pub size_bytes: u64,
}

#[derive(Debug, Clone)]
pub(super) struct LunState {
    pub(super) info: Lun,
    pub(super) content: Arc<MemTree>,
}

impl VolumeState {
    /// Makes the LUNs what they were at a snapshot of this volume.
    pub(super) fn restore_luns(&mut self, images: &BTreeMap<Uuid, LunState>) -> Result<(), StorageError> {
        for (id, image) in images {
            match self.luns.get_mut(id) {
                Some(live) => {
                    live.content.restore(&image.content)?;
                    let (maps, online) = (std::mem::take(&mut live.info.maps), live.info.online);
                    let rollbacks = live.info.rollbacks + 1;
                    live.info = Lun { maps, online, rollbacks, ..image.info.clone() };
                }
                None => {
                    let content = Arc::new(image.content.fork(Arc::clone(self.tree.space())));
                    self.luns.insert(*id, LunState { info: image.info.clone(), content });
                }
            }
        }
        self.luns.retain(|id, lun| {
            let kept = images.contains_key(id);
            if !kept {
                lun.content.destroy();
            }
            kept
        });
        Ok(())
    }
}

impl Storage {
    /// A new LUN's id, serial and canonical name.
    pub(super) fn new_lun_identity(&mut self, array: &str) -> Result<(Uuid, String, String), StorageError> {
        let (id, seed) = (self.new_id(), self.new_id());
        let naming = &self.array(array)?.spec.behaviour.lun_naming;
        let serial = naming.serial_of(seed);
        let canonical_name = naming.canonical_name(&serial);
        Ok((id, serial, canonical_name))
    }

    /// Puts copies of LUNs into a volume: the same names and content, with new ids and serials, shown to nobody.
    pub(super) fn copy_luns<'a>(
        &mut self,
        array: &str,
        volume: Uuid,
        sources: impl Iterator<Item = &'a LunState>,
        snapshot: Option<Uuid>,
    ) -> Result<(), StorageError> {
        for source in sources {
            let (id, serial, canonical_name) = self.new_lun_identity(array)?;
            let held = self.array(array)?.volume(volume)?;
            let origin = Some(LunOrigin { lun: source.info.id, snapshot });
            let info = Lun {
                id,
                volume,
                serial,
                canonical_name,
                origin,
                online: true,
                maps: Vec::new(),
                rollbacks: 0,
                ..source.info.clone()
            };
            let content = Arc::new(source.content.fork(Arc::clone(held.tree.space())));
            held.luns.insert(id, LunState { info, content });
        }
        Ok(())
    }
}

impl ArrayState {
    /// The live LUN with this id, and the volume it lies in.
    pub(super) fn lun(&mut self, id: Uuid) -> Result<&mut LunState, StorageError> {
        let found = self.volumes.values_mut().find_map(|v| v.luns.get_mut(&id));
        found.ok_or_else(|| StorageError::absent("LUN", id))
    }

    pub(super) fn luns(&self) -> impl Iterator<Item = &LunState> {
        self.volumes.values().flat_map(|v| v.luns.values())
    }

    /// Refuses a name that the volume has, or that is none.
    fn check_lun_name(&mut self, volume: Uuid, name: &str, comment: &str) -> Result<(), StorageError> {
        let rules = self.spec.behaviour.clone();
        for part in name.split('/') {
            check_name(part, comment, &rules)?;
        }
        let held = self.volume(volume)?;
        held.writable()?;
        if held.luns.values().any(|l| l.info.name == name) {
            return Err(StorageError::Exists { kind: "LUN", name: name.to_owned() });
        }
        Ok(())
    }

    /// Refuses where no LUN of this name may be made in the volume.
    pub(super) fn check_lun(&mut self, volume: Uuid, name: &str, comment: &str) -> Result<(), StorageError> {
        self.check_lun_name(volume, name, comment)?;
        let most = self.spec.behaviour.luns_max;
        if self.volume(volume)?.luns.len() >= most {
            return Err(StorageError::Limit(format!("{most} LUNs in a volume")));
        }
        Ok(())
    }
}

pub(super) fn check_size(size_bytes: u64) -> Result<(), StorageError> {
    if size_bytes == 0 || !size_bytes.is_multiple_of(512) || size_bytes > i64::MAX as u64 {
        let why = "must be a multiple of 512 bytes, and more than none".to_owned();
        return Err(StorageError::Invalid { field: "size_bytes", value: size_bytes.to_string(), why });
    }
    Ok(())
}

/// Sorted by name, as arrays list them.
pub(super) fn by_name(luns: &BTreeMap<Uuid, LunState>) -> Vec<Lun> {
    let mut all: Vec<Lun> = luns.values().map(|l| l.info.clone()).collect();
    all.sort_by(|a, b| a.name.cmp(&b.name));
    all
}

impl Array<'_> {
    /// The LUNs of a volume, by name.
    pub fn luns(&self, volume: Uuid) -> Result<Vec<Lun>, StorageError> {
        self.change(|storage, _| Ok(by_name(&storage.array(self.name)?.volume(volume)?.luns)))
    }

    /// The LUNs of all volumes, by id.
    pub fn all_luns(&self) -> Result<Vec<Lun>, StorageError> {
        self.change(|storage, _| {
            let mut all: Vec<Lun> = storage.array(self.name)?.luns().map(|l| l.info.clone()).collect();
            all.sort_by_key(|l| l.id);
            Ok(all)
        })
    }

    /// One LUN.
    pub fn lun(&self, id: Uuid) -> Result<Lun, StorageError> {
        self.change(|storage, _| Ok(storage.array(self.name)?.lun(id)?.info.clone()))
    }

    /// The LUNs as they were at a snapshot, by name. Ids and serials are those of the live LUNs then; they show no maps.
    pub fn snapshot_luns(&self, volume: Uuid, snapshot: Uuid) -> Result<Vec<Lun>, StorageError> {
        self.change(|storage, _| Ok(by_name(&storage.array(self.name)?.snapshot(volume, snapshot)?.luns)))
    }

    /// What a LUN holds, beneath any host: of the live LUN, or as it was at a snapshot.
    pub fn lun_content(&self, lun: Uuid, snapshot: Option<Uuid>) -> Result<Arc<MemTree>, StorageError> {
        self.change(|storage, _| {
            let array = storage.array(self.name)?;
            let Some(snapshot) = snapshot else { return Ok(Arc::clone(&array.lun(lun)?.content)) };
            let images = array.volumes.values().filter_map(|v| v.snapshots.get(&snapshot));
            let found = images.filter_map(|s| s.luns.get(&lun)).next();
            found.map(|l| Arc::clone(&l.content)).ok_or_else(|| StorageError::absent("LUN", lun))
        })
    }

    /// Makes an empty LUN in a volume, shown to nobody. Thin: it takes space as it is written.
    pub fn create_lun(&self, volume: Uuid, new: NewLun) -> Result<Lun, StorageError> {
        let made = self.change(|storage, created| {
            check_size(new.size_bytes)?;
            storage.array(self.name)?.check_lun(volume, &new.name, &new.comment)?;
            let (id, serial, canonical_name) = storage.new_lun_identity(self.name)?;
            let held = storage.array(self.name)?.volume(volume)?;
            let content = Arc::new(MemTree::new(Arc::clone(held.tree.space())));
            let NewLun { name, comment, size_bytes } = new;
            let (online, maps, origin, rollbacks) = (true, Vec::new(), None, 0);
            let info = Lun {
                id,
                volume,
                name,
                comment,
                serial,
                canonical_name,
                size_bytes,
                created,
                online,
                maps,
                origin,
                rollbacks,
            };
            held.luns.insert(id, LunState { info: info.clone(), content });
            Ok(info)
        })?;
        self.count("luns_made");
        Ok(made)
    }

    /// Deletes a LUN. Refused while it is shown to hosts.
    pub fn delete_lun(&self, id: Uuid) -> Result<(), StorageError> {
        self.change(|storage, _| {
            let array = storage.array(self.name)?;
            let found = array.lun(id)?;
            if !found.info.maps.is_empty() {
                return Err(StorageError::Mapped { kind: "LUN", id: id.to_string() });
            }
            let volume = found.info.volume;
            array.volume(volume)?.writable()?;
            if let Some(gone) = array.volume(volume)?.luns.remove(&id) {
                gone.content.destroy();
            }
            Ok(())
        })?;
        self.world.maps_changed();
        self.count("luns_removed");
        Ok(())
    }

    /// Gives a LUN another name and comment. Hosts do not see names: nothing changes for them.
    pub fn rename_lun(&self, id: Uuid, name: &str, comment: &str) -> Result<(), StorageError> {
        self.change(|storage, _| {
            let array = storage.array(self.name)?;
            let held = array.lun(id)?.info.clone();
            if held.name != name {
                array.check_lun_name(held.volume, name, comment)?;
            }
            check_name("lun", comment, &array.spec.behaviour.clone())?;
            let info = &mut array.lun(id)?.info;
            (info.name, info.comment) = (name.to_owned(), comment.to_owned());
            Ok(())
        })
    }

    /// Makes a LUN longer, in bytes; hosts see it after a rescan.
    pub fn grow_lun(&self, id: Uuid, size_bytes: u64) -> Result<(), StorageError> {
        self.change(|storage, _| {
            check_size(size_bytes)?;
            let info = &mut storage.array(self.name)?.lun(id)?.info;
            if size_bytes < info.size_bytes {
                let why = "a LUN is not made shorter: hosts would lose what lies at its end".to_owned();
                return Err(StorageError::Invalid { field: "size_bytes", value: size_bytes.to_string(), why });
            }
            info.size_bytes = size_bytes;
            Ok(())
        })
    }

    /// A host's write found no space: takes the LUN offline where the array does so.
    pub fn lun_is_full(&self, id: Uuid) -> Result<(), StorageError> {
        let offline = self.info()?.spec.behaviour.full_takes_luns_offline;
        if offline { self.set_lun_online(id, false) } else { Ok(()) }
    }

    /// Takes a LUN offline, or back: hosts that see it lose it at once.
    pub fn set_lun_online(&self, id: Uuid, online: bool) -> Result<(), StorageError> {
        let done = self.change(|storage, _| {
            storage.array(self.name)?.lun(id)?.info.online = online;
            Ok(())
        });
        self.world.maps_changed();
        done
    }
}
