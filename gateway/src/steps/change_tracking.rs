//! Makes changed block tracking start anew after the bytes under it were exchanged (safety.md S23).

use super::quiesce::to_output;
use crate::{deps::Deps, error::Result};
use strata_proto::strata::inventory::v1::ResetChangeTrackingRequest;
use strata_saga::Progress;

/// Off, its files removed, and on again where it was on.
pub async fn run(deps: &Deps, vm: &str, was_on: bool) -> Result<Progress> {
    let request = ResetChangeTrackingRequest { vm: vm.to_owned(), enable_again: was_on };
    let answer = deps.ports.inventory.reset_change_tracking(request).await?;
    to_output(&answer.removed_files)
}
