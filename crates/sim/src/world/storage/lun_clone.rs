//! Clones of single LUNs within their volume, and restoring one in place.

use super::{
    array::Array,
    error::StorageError,
    lun::{Lun, LunOrigin, LunState},
};
use std::sync::Arc;
use uuid::Uuid;

/// What a LUN's clone is made from, beside its source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewLunClone {
    /// Its name.
    pub name: String,
    /// Free text.
    pub comment: String,
}

impl Array<'_> {
    /// Clones a LUN within its volume, from its image in a snapshot or (`None`) as it is now: a new id and serial, shown
    /// to nobody. Constant time. The source may be one that was deleted since the snapshot.
    pub fn clone_lun(&self, lun: Uuid, snapshot: Option<Uuid>, new: NewLunClone) -> Result<Lun, StorageError> {
        let made = self.change(|storage, created| {
            let array = storage.array(self.name)?;
            if !array.spec.behaviour.lun_clones {
                return Err(StorageError::Unsupported("clones of single LUNs"));
            }
            let source = array.image(lun, snapshot)?;
            let volume = source.info.volume;
            array.check_lun(volume, &new.name, &new.comment)?;
            let (id, serial, canonical_name) = storage.new_lun_identity(self.name)?;
            let held = storage.array(self.name)?.volume(volume)?;
            let info = Lun {
                id,
                name: new.name,
                comment: new.comment,
                serial,
                canonical_name,
                created,
                online: true,
                maps: Vec::new(),
                origin: Some(LunOrigin { lun, snapshot }),
                rollbacks: 0,
                ..source.info
            };
            let content = Arc::new(source.content.fork(Arc::clone(held.tree.space())));
            held.luns.insert(id, LunState { info: info.clone(), content });
            Ok(info)
        })?;
        self.count("lun_clones_made");
        Ok(made)
    }

    /// Makes a live LUN what it was at a snapshot. Its id, serial, name, maps and state stay: a host that has it mounted is
    /// not asked and not told.
    pub fn restore_lun(&self, lun: Uuid, snapshot: Uuid) -> Result<Lun, StorageError> {
        self.overwrite_lun(lun, lun, Some(snapshot))
    }

    /// Makes a live LUN what another LUN of its volume is, live (`None`) or at a snapshot; its identity stays, its length
    /// becomes the source's.
    pub fn overwrite_lun(&self, lun: Uuid, source: Uuid, snapshot: Option<Uuid>) -> Result<Lun, StorageError> {
        let done = self.change(|storage, _| {
            let array = storage.array(self.name)?;
            if !array.spec.behaviour.lun_clones {
                return Err(StorageError::Unsupported("restoring single LUNs"));
            }
            let source = array.image(source, snapshot)?;
            let volume = array.lun(lun)?.info.volume;
            if source.info.volume != volume {
                let why = "must lie in the same volume".to_owned();
                return Err(StorageError::Invalid { field: "source", value: source.info.id.to_string(), why });
            }
            array.volume(volume)?.writable()?;
            let live = array.lun(lun)?;
            live.content.restore(&source.content)?;
            live.info.size_bytes = source.info.size_bytes;
            live.info.rollbacks += 1;
            Ok(live.info.clone())
        })?;
        self.world.maps_changed();
        self.count("luns_restored");
        Ok(done)
    }
}
