//! Turns a VM on and off.

use super::wait;
use crate::{deps::Deps, error::Result, ports::Progress as Answer};
use strata_proto::strata::inventory::v1::{AnswerQuestionRequest, PowerAction, SetVmPowerRequest};
use strata_saga::Progress;

/// Seconds that a guest may take to shut down.
pub(super) const SHUT_DOWN_SECONDS: i64 = 300;

async fn set(deps: &Deps, vm: &str, action: PowerAction, resume: Option<String>) -> Result<Progress> {
    let request = SetVmPowerRequest {
        vm: vm.to_owned(),
        action: action.into(),
        budget: Some(prost_types::Duration { seconds: SHUT_DOWN_SECONDS, nanos: 0 }),
        resume: resume.unwrap_or_default(),
    };
    Ok(wait::done(deps.ports.inventory.set_vm_power(request).await?))
}

/// Asks the guest to shut down, or turns it off at once. One that is off stays so.
pub async fn off(deps: &Deps, vm: &str, shut_down: bool, resume: Option<String>) -> Result<Progress> {
    let action = if shut_down { PowerAction::ShutDown } else { PowerAction::Off };
    set(deps, vm, action, resume).await
}

/// Turns it on. One that runs goes on running.
pub async fn on(deps: &Deps, vm: &str, resume: Option<String>) -> Result<Progress> {
    set(deps, vm, PowerAction::On, resume).await
}

/// Turns a clone on: where vCenter asks whether it was moved or copied, it was copied.
pub async fn on_clone(deps: &Deps, vm: &str, resume: Option<String>) -> Result<Progress> {
    let request = SetVmPowerRequest {
        vm: vm.to_owned(),
        action: PowerAction::On.into(),
        budget: None,
        resume: resume.unwrap_or_default(),
    };
    match deps.ports.inventory.set_vm_power(request).await? {
        Answer::Ready(_) => Ok(Progress::done()),
        Answer::Pending(still) => {
            deps.ports.inventory.answer_question(AnswerQuestionRequest { vm: vm.to_owned(), copied: true }).await?;
            Ok(wait::pending(still))
        }
    }
}
