//! Planning: every check that can be made before anything is touched, and the intent that an operation then carries out.
//! A plan is what `--dry-run` shows and what is journalled; the two cannot differ.

mod array_rights;
mod block;
mod commit_revert;
mod create_clone;
mod create_snapshot;
mod delete_clone;
mod delete_snapshot;
mod naming;
pub(crate) mod point;
mod privileges;
mod protected;
mod revert;
mod revert_vm;
mod seal;
mod tracking_files;
mod words;

pub use block::swap::{SwapDisk, SwapIntent, needed as disk_space_needed};
pub use commit_revert::{CommitIntent, commit_revert};
pub use create_clone::create_clone;
pub use create_snapshot::{SnapshotWish, create_snapshot, create_snapshot_of};
pub use delete_clone::{DeleteCloneIntent, delete_clone};
pub use delete_snapshot::{DeleteSnapshotIntent, delete_snapshot};
pub use naming::{NameAllocator, new_id};
pub use revert::{PlannedRevert, revert};
pub use revert_vm::{RevertDisk, RevertIntent};
pub use seal::differences;

use strata_proto::strata::gateway::v1::{PlanFact, PlanResponse, PlanStep};

/// An intent, and the same for people.
#[derive(Debug, Clone)]
pub struct Planned<T> {
    /// What is journalled.
    pub intent: T,
    /// What is shown.
    pub shown: PlanResponse,
}

fn step(name: &str, description: impl Into<String>, undo: impl Into<String>) -> PlanStep {
    PlanStep { name: name.to_owned(), description: description.into(), undo: undo.into() }
}

fn fact(topic: &str, text: impl Into<String>) -> PlanFact {
    PlanFact { topic: topic.to_owned(), text: text.into() }
}
