//! Lets vCenter read a VM's files anew, keeping the object with its permissions and history.

use crate::{deps::Deps, error::Result};
use strata_proto::strata::inventory::v1::ReloadVmRequest;
use strata_saga::Progress;

/// Reloads it.
pub async fn run(deps: &Deps, vm: &str) -> Result<Progress> {
    deps.ports.inventory.reload_vm(ReloadVmRequest { vm: vm.to_owned() }).await?;
    Ok(Progress::done())
}
