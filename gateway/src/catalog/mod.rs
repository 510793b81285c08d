//! The relationship catalog: restore points, clones, and the links between VMs, datastores, volumes and snapshots.
//!
//! It is a view: everything in it follows from the journal and can be rebuilt from it (see [`rebuild`]). It is fast to read
//! and may be lost. Behind a trait, so that another store can take sled's place.

mod rebuild;
mod records;

pub use rebuild::{Desired, rebuild};
pub use records::{
    AttachedVmfs, CloneIntent, CloneRecord, CloneTarget, CloneVmfs, Cut, CutMember, LunHost, Member, MemberLun,
    Placement, PointDisk, RestorePoint, SnapshotIntent, quiesce_budget_seconds,
};

use crate::layout::Relation;
use std::{fmt::Debug, sync::Arc};
use strata_model::ErrorKind;

/// Why the catalog refused.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct CatalogError {
    /// Exhausted where the disk is full; Unexpected otherwise.
    pub kind: ErrorKind,
    /// What happened, and the remedy.
    pub message: String,
}

impl From<CatalogError> for crate::error::GatewayError {
    fn from(error: CatalogError) -> Self {
        crate::error::GatewayError::new(error.kind, "CATALOG_FAILED", error.message)
    }
}

/// Result of the catalog.
pub type CatalogResult<T> = Result<T, CatalogError>;

/// What the gateway asks of a catalog. Calls are short; writes are durable within a second.
pub trait Catalog: Debug + Send + Sync {
    /// Writes a restore point and the links that it establishes.
    fn put_point(&self, point: &RestorePoint) -> CatalogResult<()>;
    /// One restore point.
    fn point(&self, id: &str) -> CatalogResult<Option<RestorePoint>>;
    /// All restore points, oldest id first.
    fn points(&self) -> CatalogResult<Vec<RestorePoint>>;
    /// Forgets a restore point; fine where it is absent.
    fn remove_point(&self, id: &str) -> CatalogResult<()>;
    /// Writes a clone.
    fn put_clone(&self, clone: &CloneRecord) -> CatalogResult<()>;
    /// One clone.
    fn clone_record(&self, id: &str) -> CatalogResult<Option<CloneRecord>>;
    /// All clones, oldest id first.
    fn clones(&self) -> CatalogResult<Vec<CloneRecord>>;
    /// Forgets a clone; fine where it is absent.
    fn remove_clone(&self, id: &str) -> CatalogResult<()>;
    /// Links from an object down, with their evidence.
    fn relations_from(&self, name: &str) -> CatalogResult<Vec<Relation>>;
    /// Links from an object up.
    fn relations_to(&self, name: &str) -> CatalogResult<Vec<Relation>>;
    /// Makes everything durable now.
    fn flush(&self) -> CatalogResult<()>;
}

/// How a catalog is handed around.
pub type SharedCatalog = Arc<dyn Catalog>;

impl RestorePoint {
    /// The links that this restore point establishes: those of its VM, and those to the array's snapshots.
    pub fn relations(&self) -> Vec<Relation> {
        let name = format!("snapshots/{}", self.id);
        let mut links = self.intent.relations.clone();
        links.push(Relation {
            from: self.intent.vm.clone(),
            kind: "has restore point".to_owned(),
            to: name.clone(),
            evidence: format!("operation {}", self.operation),
        });
        links.extend(self.cut.members.iter().map(|member| Relation {
            from: name.clone(),
            kind: "is array snapshot".to_owned(),
            to: format!("{}/snapshots/{}", member.volume, strata_model::names::encode(&member.snapshot_id)),
            evidence: format!("made under key {}, {}", self.cut.key, member.native_name),
        }));
        links
    }
}

impl SnapshotIntent {
    /// Whether a VMware snapshot is opened around the cut. A VM that is off needs none.
    pub fn needs_freeze(&self) -> bool {
        self.grade_planned >= strata_model::Grade::Vm && !self.vm_off
    }

    /// Whether extents of one VMFS lie on more than one of the volumes: these are cut at one point or not at all.
    pub fn splits_a_datastore(&self) -> bool {
        let luns = self.members.iter().flat_map(|member| member.luns.iter().map(move |lun| (member, lun)));
        let mut homes = std::collections::BTreeMap::new();
        luns.into_iter().any(|(member, lun)| *homes.entry(&lun.datastore).or_insert(&member.volume) != &member.volume)
    }
}
