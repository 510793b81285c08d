//! The storage half of the world: arrays with volumes, snapshots, clones, exports and jobs. Every effect is one critical
//! section here, so that it is done or not done, whatever becomes of the answer.

mod array;
mod behaviour;
mod clone;
mod error;
mod export;
mod files;
mod job;
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
pub use restore::Restored;
pub use snapshot::Snapshot;
pub use volume::{NewVolume, Provenance, Volume};

pub(super) use array::Storage;

#[cfg(test)]
mod tests;
