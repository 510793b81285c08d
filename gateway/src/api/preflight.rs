//! Which rights of ours are missing, on every vCenter and array.

use crate::{
    deps::Deps,
    error::Result,
    layout::{Depth, VmLayout, vcenter_of},
};
use std::collections::BTreeSet;
use strata_proto::strata::{gateway::v1 as pb, inventory::v1 as inv, storage::v1::ArrayState};

/// Asks all of them, or those behind one VM. One that does not answer is listed with the reason.
pub async fn all(deps: &Deps, vm: &str) -> Result<Vec<pb::PreflightTarget>> {
    let only: Option<(String, BTreeSet<String>)> = match vm {
        "" => None,
        vm => {
            let vcenter = vcenter_of(vm, "vm")?;
            let layout = VmLayout::read(&deps.ports, vm, Depth::Quick).await?;
            Some((vcenter, layout.arrays.into_keys().collect()))
        }
    };
    let mut targets = Vec::new();
    for vcenter in deps.ports.inventory.list_vcenters(inv::ListVcentersRequest {}).await?.vcenters {
        if only.as_ref().is_none_or(|(wanted, _)| *wanted == vcenter.name) {
            targets.push(of_vcenter(deps, vcenter, vm).await);
        }
    }
    for array in deps.ports.storage.list_arrays().await? {
        if only.as_ref().is_none_or(|(_, wanted)| wanted.contains(&array.name)) {
            targets.push(of_array(deps, array).await);
        }
    }
    Ok(targets)
}

async fn of_vcenter(deps: &Deps, vcenter: inv::Vcenter, vm: &str) -> pb::PreflightTarget {
    let mut target = pb::PreflightTarget {
        name: vcenter.name.clone(),
        kind: "vcenter".to_owned(),
        version: vcenter.version,
        reachable: vcenter.reachable,
        reason: vcenter.reason,
        missing: Vec::new(),
        remarks: Vec::new(),
    };
    let asked = inv::PreflightRequest { vcenter: vcenter.name, features: Vec::new(), vm: vm.to_owned() };
    match deps.ports.inventory.preflight(asked).await {
        Ok(answer) => {
            target.missing = answer.missing;
            target.reachable = true;
        }
        Err(error) => {
            target.reachable = false;
            target.reason = error.message;
        }
    }
    target
}

async fn of_array(deps: &Deps, array: strata_proto::strata::storage::v1::Array) -> pb::PreflightTarget {
    let mut target = pb::PreflightTarget {
        reachable: array.state() == ArrayState::Ready,
        name: array.name.clone(),
        kind: array.kind,
        version: array.version,
        reason: array.state_reason,
        missing: Vec::new(),
        remarks: Vec::new(),
    };
    match deps.ports.storage.preflight(&array.name).await {
        Ok(answer) => {
            target.missing = answer.missing;
            target.remarks = answer.remarks;
            target.reachable = true;
        }
        Err(error) => {
            target.reachable = false;
            target.reason = error.message;
        }
    }
    target
}
