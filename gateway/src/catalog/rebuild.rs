//! What the catalog must hold, computed from the journal alone: a fold over finished operations.

use super::{Catalog, CatalogResult, CloneRecord, RestorePoint};
use std::collections::BTreeMap;

/// What must be there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Desired {
    /// Restore points by id.
    pub points: BTreeMap<String, RestorePoint>,
    /// Clones by id.
    pub clones: BTreeMap<String, CloneRecord>,
}

/// Brings a catalog to what must be there, and says how many records were wrong, missing or too many.
///
/// # Errors
/// The catalog cannot be read or written.
pub fn rebuild(catalog: &dyn Catalog, desired: &Desired) -> CatalogResult<usize> {
    let mut mended = 0;
    for point in catalog.points()? {
        if !desired.points.contains_key(&point.id) {
            catalog.remove_point(&point.id)?;
            mended += 1;
        }
    }
    for (id, point) in &desired.points {
        if catalog.point(id)?.as_ref() != Some(point) {
            catalog.put_point(point)?;
            mended += 1;
        }
    }
    for clone in catalog.clones()? {
        if !desired.clones.contains_key(&clone.intent.clone_id) {
            catalog.remove_clone(&clone.intent.clone_id)?;
            mended += 1;
        }
    }
    for (id, clone) in &desired.clones {
        if catalog.clone_record(id)?.as_ref() != Some(clone) {
            catalog.put_clone(clone)?;
            mended += 1;
        }
    }
    catalog.flush()?;
    Ok(mended)
}
