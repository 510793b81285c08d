//! Volumes: what NFS exports and snapshots are made of.

use super::{
    array::{Array, ArrayState, Storage},
    behaviour::Behaviour,
    error::StorageError,
    lun::LunState,
    snapshot::SnapshotState,
};
use crate::world::{MemTree, Space};
use jiff::Timestamp;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use uuid::Uuid;

/// Where a clone came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Provenance {
    /// The volume that was cloned.
    pub volume: Uuid,
    /// Its snapshot that was cloned; may be gone where clones do not pin snapshots.
    pub snapshot: Uuid,
}

/// A volume as the array shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Volume {
    /// Its identity.
    pub id: Uuid,
    /// Its name; unique on the array.
    pub name: String,
    /// Free text.
    pub comment: String,
    /// The path under which it is exported, with its leading `/`; unique on the array. Empty where it is in no name space:
    /// a volume for LUNs.
    pub export_path: String,
    /// Hosts that may mount it; empty when it is not exported.
    pub clients: BTreeSet<String>,
    /// Its quota in bytes.
    pub size_bytes: u64,
    /// What live data and snapshots use, in bytes.
    pub used_bytes: u64,
    /// When it was made, by the array's clock.
    pub created: Timestamp,
    /// Set on clones.
    pub parent: Option<Provenance>,
    /// A replication destination: can be listed and cloned, not changed.
    pub read_only: bool,
}

/// What a volume is made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewVolume {
    /// Its name.
    pub name: String,
    /// Free text.
    pub comment: String,
    /// The path under which it is exported once clients are allowed; empty for none.
    pub export_path: String,
    /// Its quota in bytes.
    pub size_bytes: u64,
}

#[derive(Debug)]
pub(super) struct VolumeState {
    pub(super) info: Volume,
    pub(super) tree: Arc<MemTree>,
    pub(super) luns: BTreeMap<Uuid, LunState>,
    pub(super) snapshots: BTreeMap<Uuid, SnapshotState>,
}

impl VolumeState {
    pub(super) fn shown(&self) -> Volume {
        let space = self.tree.space();
        Volume { size_bytes: space.quota_bytes(), used_bytes: space.used_bytes(), ..self.info.clone() }
    }

    pub(super) fn writable(&self) -> Result<(), StorageError> {
        if self.info.read_only { Err(StorageError::ReadOnly(self.info.id.to_string())) } else { Ok(()) }
    }
}

impl ArrayState {
    pub(super) fn volume(&mut self, id: Uuid) -> Result<&mut VolumeState, StorageError> {
        self.volumes.get_mut(&id).ok_or_else(|| StorageError::absent("volume", id))
    }

    /// The volumes that came from this volume, or from one snapshot of it.
    pub(super) fn clones_of(&self, volume: Uuid, snapshot: Option<Uuid>) -> Vec<Uuid> {
        let comes_from = |parent: &Provenance| parent.volume == volume && snapshot.is_none_or(|s| s == parent.snapshot);
        let clones = self.volumes.values().filter(|v| v.info.parent.as_ref().is_some_and(comes_from));
        clones.map(|v| v.info.id).collect()
    }

    pub(super) fn check_free(&self, name: &str, export_path: &str) -> Result<(), StorageError> {
        if self.volumes.values().any(|v| v.info.name == name) {
            return Err(StorageError::Exists { kind: "volume", name: name.to_owned() });
        }
        if !export_path.is_empty() && self.volumes.values().any(|v| v.info.export_path == export_path) {
            return Err(StorageError::Exists { kind: "export path", name: export_path.to_owned() });
        }
        Ok(())
    }
}

fn invalid<T>(field: &'static str, value: &str, why: String) -> Result<T, StorageError> {
    Err(StorageError::Invalid { field, value: value.to_owned(), why })
}

/// Names: letters, digits, `_`, `-` and `.`, not first a `.` or `-`; as narrow as most arrays are.
pub(super) fn check_name(name: &str, comment: &str, rules: &Behaviour) -> Result<(), StorageError> {
    if name.is_empty() || name.len() > rules.name_max_bytes {
        return invalid("name", name, format!("must be 1 to {} bytes long", rules.name_max_bytes));
    }
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    if !name.chars().all(legal) || name.starts_with(['.', '-']) {
        return invalid(
            "name",
            name,
            "may hold letters, digits, '_', '-' and '.', and starts with none of '.-'".into(),
        );
    }
    if comment.len() > rules.comment_max_bytes {
        return invalid("comment", comment, format!("must be at most {} bytes long", rules.comment_max_bytes));
    }
    if comment.chars().any(char::is_control) {
        return invalid("comment", comment, "must not hold control characters".to_owned());
    }
    Ok(())
}

pub(super) fn check_export_path(path: &str) -> Result<(), StorageError> {
    if path.is_empty() {
        return Ok(());
    }
    let parts = path.strip_prefix('/').map(|rest| rest.split('/').all(|p| !matches!(p, "" | "." | "..")));
    if parts == Some(true) && path.len() <= 255 && !path.contains(char::is_control) {
        return Ok(());
    }
    invalid("export_path", path, "must be absolute, without empty parts, '.' or '..'".to_owned())
}

impl Array<'_> {
    /// All volumes, in the order of their ids.
    pub fn volumes(&self) -> Result<Vec<Volume>, StorageError> {
        self.change(|storage, _| Ok(storage.array(self.name)?.volumes.values().map(VolumeState::shown).collect()))
    }

    /// One volume.
    pub fn volume(&self, id: Uuid) -> Result<Volume, StorageError> {
        self.change(|storage, _| Ok(storage.array(self.name)?.volume(id)?.shown()))
    }

    /// The live files of a volume.
    pub fn tree(&self, id: Uuid) -> Result<Arc<MemTree>, StorageError> {
        self.change(|storage, _| Ok(Arc::clone(&storage.array(self.name)?.volume(id)?.tree)))
    }

    /// Makes an empty volume, not yet exported.
    pub fn create_volume(&self, new: NewVolume) -> Result<Volume, StorageError> {
        let made = self.change(|storage, now| {
            let tree = Arc::new(MemTree::new(Space::with_quota(new.size_bytes)));
            insert(storage, self.name, new, tree, None, now)
        })?;
        self.count("volumes_made");
        Ok(made)
    }

    /// Deletes a volume with its snapshots. Refused while it is exported, while a LUN of it is mapped, and
    /// while clones came from it.
    pub fn delete_volume(&self, id: Uuid) -> Result<(), StorageError> {
        self.change(|storage, _| {
            let array = storage.array(self.name)?;
            let volume = array.volume(id)?;
            if !volume.info.clients.is_empty() {
                return Err(StorageError::Exported(id.to_string()));
            }
            if volume.luns.values().any(|l| !l.info.maps.is_empty()) {
                return Err(StorageError::Mapped { kind: "volume", id: id.to_string() });
            }
            // A clone shares its parent's blocks: no array lets the parent go first, whatever it does for snapshots.
            let dependents: Vec<String> = array.clones_of(id, None).iter().map(Uuid::to_string).collect();
            if !dependents.is_empty() {
                return Err(StorageError::Dependents { kind: "volume", id: id.to_string(), dependents });
            }
            if let Some(gone) = array.volumes.remove(&id) {
                gone.tree.destroy();
                gone.luns.values().for_each(|lun| lun.content.destroy());
            }
            Ok(())
        })?;
        self.count("volumes_removed");
        Ok(())
    }

    /// Gives a volume another name and export path, as an administrator may at any time.
    pub fn rename_volume(&self, id: Uuid, name: &str, export_path: &str) -> Result<(), StorageError> {
        self.change(|storage, _| {
            let array = storage.array(self.name)?;
            check_name(name, "", &array.spec.behaviour)?;
            check_export_path(export_path)?;
            let taken = array.volumes.values().filter(|v| v.info.id != id);
            if let Some(other) = taken
                .into_iter()
                .find(|v| v.info.name == name || !export_path.is_empty() && v.info.export_path == export_path)
            {
                return Err(StorageError::Exists { kind: "volume", name: other.info.name.clone() });
            }
            let volume = array.volume(id)?;
            volume.info.name = name.to_owned();
            volume.info.export_path = export_path.to_owned();
            Ok(())
        })
    }

    /// Changes a volume's quota, in bytes.
    pub fn resize_volume(&self, id: Uuid, size_bytes: u64) -> Result<(), StorageError> {
        self.change(|storage, _| {
            storage.array(self.name)?.volume(id)?.tree.space().set_quota_bytes(size_bytes);
            Ok(())
        })
    }
}

/// Puts a volume with this content onto an array.
pub(super) fn insert(
    storage: &mut Storage,
    array: &str,
    new: NewVolume,
    tree: Arc<MemTree>,
    parent: Option<Provenance>,
    created: Timestamp,
) -> Result<Volume, StorageError> {
    let id = storage.new_id();
    let array = storage.array(array)?;
    check_name(&new.name, &new.comment, &array.spec.behaviour)?;
    check_export_path(&new.export_path)?;
    array.check_free(&new.name, &new.export_path)?;
    let NewVolume { name, comment, export_path, size_bytes } = new;
    let (used_bytes, clients) = (0, BTreeSet::new());
    let info =
        Volume { id, name, comment, export_path, clients, size_bytes, used_bytes, created, parent, read_only: false };
    let volume = VolumeState { info, tree, luns: BTreeMap::new(), snapshots: BTreeMap::new() };
    let shown = volume.shown();
    array.volumes.insert(id, volume);
    Ok(shown)
}
