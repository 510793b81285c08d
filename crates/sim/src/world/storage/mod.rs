//! The storage half of the world: arrays with volumes, LUNs, snapshots, clones, exports, maps and jobs. Every effect is one critical
//! section here, so that it is done or not done, whatever becomes of the answer.

mod array;
mod behaviour;
mod change;
mod clone;
mod error;
mod export;
mod files;
mod job;
mod lun;
mod lun_clone;
mod lun_name;
mod mapping;
mod replica;
mod restore;
mod snapshot;
mod volume;

pub use array::{Array, ArrayInfo, ArraySpec};
pub use behaviour::Behaviour;
pub use clone::NewClone;
pub use error::StorageError;
pub use export::EVERYONE;
pub use job::{Effect, Job, JobState};
pub use lun::{Lun, LunOrigin, NewLun};
pub use lun_clone::NewLunClone;
pub use lun_name::{LunNaming, SerialKind};
pub use mapping::{Found, InitiatorGroup, LunMap, canonical_initiator};
pub use restore::Restored;
pub use snapshot::Snapshot;
pub use volume::{NewVolume, Provenance, Volume};

pub(super) use array::Storage;

#[cfg(test)]
mod lun_tests;
#[cfg(test)]
mod tests;
