//! VMs on which this installation stands: the vCenter's own, Strata's own. They are never turned off or set back, and never
//! frozen by a VMware snapshot, which would stop those who have to thaw them.

use crate::{
    deps::Deps,
    error::{GatewayError, Result},
};
use strata_model::Grade;

/// Whether the configuration names this VM, by display name or instanceUuid (in any case).
fn is_protected(list: &[String], vm: &str, display_name: &str) -> bool {
    let uuid = vm.rsplit('/').next().unwrap_or_default();
    list.iter().any(|entry| entry == display_name || entry.eq_ignore_ascii_case(uuid))
}

/// Refuses what would stop the VM: a revert.
///
/// # Errors
/// `VM_PROTECTED`.
pub(super) fn refuse_revert(deps: &Deps, vm: &str, display_name: &str) -> Result<()> {
    if !is_protected(&deps.protected_vms, vm, display_name) {
        return Ok(());
    }
    let message = format!("{display_name} is in protected_vms of the gateway's configuration: it is never reverted");
    Err(GatewayError::unsupported("VM_PROTECTED", message)
        .with("vm", vm)
        .hint("to use the old data beside it: strata clone create"))
}

/// Refuses a snapshot at a grade that needs a VMware snapshot.
///
/// # Errors
/// `VM_PROTECTED`.
pub(super) fn refuse_grade(deps: &Deps, vm: &str, display_name: &str, grade: Grade) -> Result<()> {
    if grade <= Grade::Crash || !is_protected(&deps.protected_vms, vm, display_name) {
        return Ok(());
    }
    let message = format!(
        "{display_name} is in protected_vms of the gateway's configuration: it is not frozen, so {grade} is not possible"
    );
    Err(GatewayError::unsupported("VM_PROTECTED", message).with("vm", vm).hint("to take it without: --grade crash"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_name_or_uuid() {
        let list = ["vcsa".to_owned(), "5013ABCD-0000-0000-0000-000000000001".to_owned()];
        for (vm, name, expected) in [
            ("vcenters/v/vms/x", "vcsa", true),
            ("vcenters/v/vms/x", "vcsa-2", false),
            ("vcenters/v/vms/5013abcd-0000-0000-0000-000000000001", "any", true),
            ("vcenters/v/vms/vcsa2", "web", false),
        ] {
            assert_eq!(is_protected(&list, vm, name), expected, "{vm} {name}");
        }
    }
}
