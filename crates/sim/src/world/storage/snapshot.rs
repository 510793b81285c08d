//! Snapshots of volumes, alone or several volumes at one point in time.

use super::{
    array::{Array, ArrayState},
    error::StorageError,
    lun::{Lun, LunState},
    volume::check_name,
};
use crate::world::MemTree;
use jiff::Timestamp;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use uuid::Uuid;

/// A snapshot as the array shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// Its identity.
    pub id: Uuid,
    /// The volume it is of.
    pub volume: Uuid,
    /// Its name; unique within the volume.
    pub name: String,
    /// Free text.
    pub comment: String,
    /// When it was taken, by the array's clock.
    pub created: Timestamp,
    /// The order in which snapshots were taken, whatever clocks say.
    pub sequence: u64,
    /// Shared by the snapshots that were taken at one point in time.
    pub group: Option<Uuid>,
}

#[derive(Debug, Clone)]
pub(super) struct SnapshotState {
    pub(super) info: Snapshot,
    pub(super) tree: Arc<MemTree>,
    /// Its LUNs by the ids of the live ones.
    pub(super) luns: BTreeMap<Uuid, LunState>,
}

impl SnapshotState {
    /// Gives back what it held.
    pub(super) fn destroy(&self) {
        self.tree.destroy();
        self.luns.values().for_each(|lun| lun.content.destroy());
    }

    /// The same snapshot as another one's, on another volume: a clone's or a replica's.
    pub(super) fn carried(&self, info: Snapshot) -> SnapshotState {
        let image = |lun: &LunState| LunState { info: lun.info.clone(), content: Arc::new(lun.content.snapshot()) };
        let luns = self.luns.iter().map(|(id, lun)| (*id, image(lun))).collect();
        SnapshotState { info, tree: Arc::new(self.tree.snapshot()), luns }
    }
}

impl ArrayState {
    pub(super) fn snapshot(&mut self, volume: Uuid, id: Uuid) -> Result<&mut SnapshotState, StorageError> {
        let found = self.volume(volume)?.snapshots.get_mut(&id);
        found.ok_or_else(|| StorageError::absent("snapshot", id))
    }

    /// A LUN as it is, or as it was at a snapshot of its volume.
    pub(super) fn image(&mut self, lun: Uuid, snapshot: Option<Uuid>) -> Result<LunState, StorageError> {
        let Some(snapshot) = snapshot else { return Ok(self.lun(lun)?.clone()) };
        let mut cuts = self.volumes.values().filter_map(|v| v.snapshots.get(&snapshot));
        let cut = cuts.next().ok_or_else(|| StorageError::absent("snapshot", snapshot))?;
        cut.luns.get(&lun).cloned().ok_or_else(|| StorageError::absent("LUN", lun))
    }

    /// The volume's files and LUNs, where a snapshot of this name may be taken of it.
    fn check_snapshot(&mut self, volume: Uuid, name: &str, comment: &str) -> Result<Live, StorageError> {
        let rules = self.spec.behaviour.clone();
        check_name(name, comment, &rules)?;
        let volume = self.volume(volume)?;
        volume.writable()?;
        if volume.snapshots.values().any(|s| s.info.name == name) {
            return Err(StorageError::Exists { kind: "snapshot", name: name.to_owned() });
        }
        if volume.snapshots.len() >= rules.snapshots_max {
            return Err(StorageError::Limit(format!("{} snapshots of a volume", rules.snapshots_max)));
        }
        Ok((Arc::clone(&volume.tree), volume.luns.values().cloned().collect()))
    }
}

/// A volume's files and LUNs.
type Live = (Arc<MemTree>, Vec<LunState>);

impl Array<'_> {
    /// The snapshots of a volume, oldest first.
    pub fn snapshots(&self, volume: Uuid) -> Result<Vec<Snapshot>, StorageError> {
        self.change(|storage, _| {
            let volume = storage.array(self.name)?.volume(volume)?;
            let mut all: Vec<Snapshot> = volume.snapshots.values().map(|s| s.info.clone()).collect();
            all.sort_by_key(|s| s.sequence);
            Ok(all)
        })
    }

    /// One snapshot.
    pub fn snapshot(&self, volume: Uuid, id: Uuid) -> Result<Snapshot, StorageError> {
        self.change(|storage, _| Ok(storage.array(self.name)?.snapshot(volume, id)?.info.clone()))
    }

    /// The files of a snapshot, read-only.
    pub fn snapshot_tree(&self, volume: Uuid, id: Uuid) -> Result<Arc<MemTree>, StorageError> {
        self.change(|storage, _| Ok(Arc::clone(&storage.array(self.name)?.snapshot(volume, id)?.tree)))
    }

    /// Takes a snapshot of one volume.
    pub fn create_snapshot(&self, volume: Uuid, name: &str, comment: &str) -> Result<Snapshot, StorageError> {
        let mut made = self.cut(&[volume], name, comment, false)?;
        made.pop().ok_or_else(|| StorageError::absent("volume", volume))
    }

    /// Takes snapshots of several volumes at one point in time, all under one name; all or none.
    pub fn create_group(&self, volumes: &[Uuid], name: &str, comment: &str) -> Result<Vec<Snapshot>, StorageError> {
        let rules = self.info()?.spec.behaviour;
        if !rules.group_snapshots {
            return Err(StorageError::Unsupported("snapshots of several volumes at one point in time"));
        }
        if volumes.len() > rules.group_volumes_max {
            return Err(StorageError::Limit(format!("{} volumes in one cut", rules.group_volumes_max)));
        }
        if volumes.is_empty() || volumes.iter().collect::<BTreeSet<_>>().len() < volumes.len() {
            let why = "must name at least one volume, and each once".to_owned();
            return Err(StorageError::Invalid { field: "volumes", value: format!("{volumes:?}"), why });
        }
        self.cut(volumes, name, comment, true)
    }

    fn cut(&self, volumes: &[Uuid], name: &str, comment: &str, group: bool) -> Result<Vec<Snapshot>, StorageError> {
        let made = self.change(|storage, created| {
            let array = storage.array(self.name)?;
            let live = volumes.iter().map(|id| array.check_snapshot(*id, name, comment));
            let live = live.collect::<Result<Vec<_>, _>>()?;
            let group = group.then(|| storage.new_id());
            let mut made = Vec::new();
            let held =
                live.iter().flat_map(|(tree, luns)| std::iter::once(tree).chain(luns.iter().map(|l| &l.content)));
            let mut cut = MemTree::snapshot_together(&held.cloned().collect::<Vec<_>>()).into_iter().map(Arc::new);
            for (volume, (live_tree, luns)) in volumes.iter().zip(live) {
                let tree = cut.next().unwrap_or(live_tree);
                let image = |lun: LunState, content| {
                    let info = Lun { maps: Vec::new(), ..lun.info };
                    (info.id, LunState { info, content })
                };
                let luns = luns.into_iter().zip(&mut cut).map(|(lun, content)| image(lun, content)).collect();
                let (id, sequence) = (storage.new_id(), storage.next_sequence());
                let (name, comment) = (name.to_owned(), comment.to_owned());
                let info = Snapshot { id, volume: *volume, name, comment, created, sequence, group };
                made.push(info.clone());
                let state = SnapshotState { info, tree, luns };
                storage.array(self.name)?.volume(*volume)?.snapshots.insert(id, state);
            }
            Ok(made)
        })?;
        made.iter().for_each(|_| self.count("snapshots_made"));
        self.count("cuts");
        Ok(made)
    }

    /// Deletes a snapshot. Refused while clones depend on it, where they do.
    pub fn delete_snapshot(&self, volume: Uuid, id: Uuid) -> Result<(), StorageError> {
        self.change(|storage, _| {
            let array = storage.array(self.name)?;
            array.snapshot(volume, id)?;
            let dependents: Vec<String> = array.clones_of(volume, Some(id)).iter().map(Uuid::to_string).collect();
            if array.spec.behaviour.clones_pin_snapshots && !dependents.is_empty() {
                return Err(StorageError::Dependents { kind: "snapshot", id: id.to_string(), dependents });
            }
            if let Some(gone) = array.volume(volume)?.snapshots.remove(&id) {
                gone.destroy();
            }
            Ok(())
        })?;
        self.count("snapshots_removed");
        Ok(())
    }
}
