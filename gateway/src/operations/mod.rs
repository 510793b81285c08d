//! What Strata can do. An operation is a file, which opens with the states that a crash can leave and the step that heals
//! each.

mod commit_revert;
mod copies;
mod create_clone;
mod create_snapshot;
mod delete_clone;
mod delete_snapshot;
mod desired;
mod revert_vm;
mod swap_vm;

pub use commit_revert::CommitRevert;
pub use create_clone::CreateClone;
pub use create_snapshot::CreateSnapshot;
pub use delete_clone::DeleteClone;
pub use delete_snapshot::DeleteSnapshot;
pub use desired::desired;
pub use revert_vm::{RevertResult, RevertVm, words_on_kept};
pub use swap_vm::SwapVm;

use crate::{catalog::RestorePoint, deps::Deps, error::GatewayError};
use std::time::Duration;
use strata_saga::{EngineBuilder, Progress, Retry, StepError, StepResult};

/// Makes every kind of operation known to the engine.
pub fn register(builder: EngineBuilder, deps: &Deps) -> EngineBuilder {
    builder
        .register::<CreateSnapshot>(deps.clone())
        .register::<DeleteSnapshot>(deps.clone())
        .register::<CreateClone>(deps.clone())
        .register::<DeleteClone>(deps.clone())
        .register::<RevertVm>(deps.clone())
        .register::<SwapVm>(deps.clone())
        .register::<CommitRevert>(deps.clone())
}

/// Patience where only forward is allowed: giving up means waiting for a person.
fn patient() -> Retry {
    Retry {
        attempts_max: 20,
        first_delay: Duration::from_millis(200),
        ceiling: Duration::from_secs(30),
        ..Retry::default()
    }
}

/// One copy of a VMFS at a time is made in a vCenter.
fn vmfs_claim(vcenter: &str, source_uuid: &str) -> String {
    format!("{vcenter}/copies-of-vmfs/{source_uuid}")
}

fn step_result(result: Result<Progress, GatewayError>) -> StepResult {
    result.map_err(StepError::from)
}

/// Marks a restore point as being deleted, so that nobody clones it meanwhile.
fn mark_point_deleting(deps: &Deps, point: &RestorePoint) -> Result<Progress, GatewayError> {
    let mut point = point.clone();
    point.deleting = true;
    deps.catalog.put_point(&point)?;
    Ok(Progress::done())
}

fn forget_point(deps: &Deps, id: &str) -> Result<Progress, GatewayError> {
    deps.catalog.remove_point(id)?;
    Ok(Progress::done())
}
