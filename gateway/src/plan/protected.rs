//! VMs on which this installation stands: the vCenter's own, Strata's own. They are never turned off or set back, and never
//! frozen by a VMware snapshot, which would stop those who have to thaw them.

use crate::{
    deps::Deps,
    error::{GatewayError, Result},
};
use strata_model::Grade;
use strata_proto::strata::inventory::v1 as inv;

/// Why a VM is protected: what inventory-svc recognised it by, or that the configuration names it, by display name or
/// instanceUuid (in any case).
fn reason(list: &[String], vm: &inv::Vm) -> Option<String> {
    if !vm.protected_reason.is_empty() {
        return Some(vm.protected_reason.clone());
    }
    let uuid = vm.name.rsplit('/').next().unwrap_or_default();
    let is_named = |entry: &String| *entry == vm.display_name || entry.eq_ignore_ascii_case(uuid);
    list.iter().any(is_named).then(|| "it is in protected_vms of the gateway's configuration".to_owned())
}

/// Refuses what would stop the VM: a revert.
///
/// # Errors
/// `VM_PROTECTED`.
pub(super) fn refuse_revert(deps: &Deps, vm: &inv::Vm) -> Result<()> {
    let Some(reason) = reason(&deps.protected_vms, vm) else { return Ok(()) };
    let message = format!("{} is never reverted: {reason}", vm.display_name);
    Err(GatewayError::unsupported("VM_PROTECTED", message)
        .with("vm", &vm.name)
        .hint("to use the old data beside it: strata clone create"))
}

/// Refuses a snapshot at a grade that needs a VMware snapshot.
///
/// # Errors
/// `VM_PROTECTED`.
pub(super) fn refuse_grade(deps: &Deps, vm: &inv::Vm, grade: Grade) -> Result<()> {
    let Some(reason) = reason(&deps.protected_vms, vm).filter(|_| grade > Grade::Crash) else { return Ok(()) };
    let message = format!("{} is not frozen, so {grade} is not possible: {reason}", vm.display_name);
    Err(GatewayError::unsupported("VM_PROTECTED", message)
        .with("vm", &vm.name)
        .hint("to take it without: --grade crash"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_name_uuid_or_evidence() {
        let list = ["vcsa".to_owned(), "5013ABCD-0000-0000-0000-000000000001".to_owned()];
        for (name, display_name, evidence, expected) in [
            ("vcenters/v/vms/x", "vcsa", "", Some("protected_vms")),
            ("vcenters/v/vms/x", "vcsa-2", "", None),
            ("vcenters/v/vms/5013abcd-0000-0000-0000-000000000001", "any", "", Some("protected_vms")),
            ("vcenters/v/vms/vcsa2", "web", "", None),
            ("vcenters/v/vms/vcsa2", "web", "vCenter v runs in it", Some("runs in it")),
        ] {
            let vm = inv::Vm {
                name: name.into(),
                display_name: display_name.into(),
                protected_reason: evidence.into(),
                ..Default::default()
            };
            let found = reason(&list, &vm);
            assert_eq!(found.is_some(), expected.is_some(), "{name} {display_name}");
            assert!(found.unwrap_or_default().contains(expected.unwrap_or_default()), "{name} {display_name}");
        }
    }
}
