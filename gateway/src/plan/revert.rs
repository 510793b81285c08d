//! The way of a revert: files put back where the array can, the VM's disks swapped to a clone and moved home elsewhere; a
//! volume in place only where it is asked for and nothing speaks against it. The plan says which, and why not the others.

use super::{
    NameAllocator, Planned,
    block::{in_place, swap},
    fact,
    revert_vm::{self, Looked},
};
use crate::{
    deps::Deps,
    error::{GatewayError, Result},
    layout::array_name,
    plan::{RevertIntent, SwapIntent},
};
use std::collections::BTreeSet;
use strata_model::ErrorKind;
use strata_proto::strata::{
    gateway::v1::{PlanResponse, RevertVmRequest},
    storage::v1::Capabilities,
};

/// A planned revert by the way that was chosen.
#[derive(Debug, Clone)]
pub enum PlannedRevert {
    /// Files are put back by the array.
    Files(Box<Planned<RevertIntent>>),
    /// The disks are swapped to a clone and moved home.
    Swap(Box<Planned<SwapIntent>>),
}

impl PlannedRevert {
    /// The plan for people.
    pub fn shown(self) -> PlanResponse {
        match self {
            PlannedRevert::Files(planned) => planned.shown,
            PlannedRevert::Swap(planned) => planned.shown,
        }
    }
}

/// Plans a revert.
///
/// # Errors
/// Every reason why it cannot be done by any way, with the remedy.
pub async fn revert(deps: &Deps, names: &NameAllocator, request: &RevertVmRequest) -> Result<PlannedRevert> {
    let looked = revert_vm::look(deps, request).await?;
    let against = in_place::reasons_against(deps, &looked).await?;
    if request.in_place {
        return Err(in_place::refusal(&looked, &against));
    }
    let no_files = why_no_files(deps, &looked).await?;
    let Some(no_files) = no_files else {
        let mut planned = revert_vm::by_files(deps, names, request, looked).await?;
        planned.shown.facts.extend(against.iter().map(|why| fact("rejected way", format!("in place: {why}"))));
        return Ok(PlannedRevert::Files(Box::new(planned)));
    };
    let rejected = std::iter::once(format!("files: {no_files}"))
        .chain(against.iter().map(|why| format!("in place: {why}")))
        .collect();
    let planned = swap::plan(deps, names, request, looked, rejected).await?;
    Ok(PlannedRevert::Swap(Box::new(planned)))
}

/// Why an array cannot put single files back; `None` where all can.
async fn why_no_files(deps: &Deps, looked: &Looked) -> Result<Option<String>> {
    if looked.point.intent.members.iter().any(|member| !member.luns.is_empty()) {
        return Ok(Some("arrays see no files in LUNs".to_owned()));
    }
    let arrays: BTreeSet<String> =
        looked.point.cut.members.iter().map(|member| array_name(&member.volume)).collect::<Result<_>>()?;
    for name in arrays {
        let can = capabilities(deps, &name).await?;
        if !can.restore_files && can.clone_volume && can.export_nfs {
            return Ok(Some(format!("{name} cannot put single files back")));
        }
    }
    Ok(None)
}

/// What an array can do.
pub(super) async fn capabilities(deps: &Deps, name: &str) -> Result<Capabilities> {
    let array = deps.ports.storage.get_array(name).await?;
    array.capabilities.ok_or_else(|| {
        let message = format!("{name} does not answer: {}", array.state_reason);
        GatewayError::new(ErrorKind::Unavailable, "ARRAY_UNREACHABLE", message).with("array", name)
    })
}
