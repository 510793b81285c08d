//! Checks of form on a request for a snapshot.

use crate::{
    catalog::quiesce_budget_seconds,
    error::{GatewayError, Result},
    plan::SnapshotWish,
};
use strata_model::Grade;
use strata_proto::strata::{common::v1 as common, gateway::v1::CreateSnapshotRequest};

const DESCRIPTION_CHARS_MAX: usize = 1_024;
const KEEP_SECONDS: std::ops::RangeInclusive<i64> = 3_600..=315_360_000;
const QUIESCE_SECONDS: std::ops::RangeInclusive<u32> = 5..=3_600;
const SKEW_MS_MAX: u32 = 600_000;

/// What is asked, or which field is wrong.
pub fn snapshot(request: &CreateSnapshotRequest) -> Result<SnapshotWish> {
    let grade = match common::Grade::try_from(request.grade) {
        Ok(common::Grade::Unspecified | common::Grade::Crash) => Grade::Crash,
        Ok(common::Grade::Vm) => Grade::Vm,
        Ok(common::Grade::App) => Grade::App,
        Err(_) => return Err(GatewayError::invalid("grade", format!("grade {} is not known", request.grade))),
    };
    let keep_seconds = match &request.keep {
        None => None,
        Some(keep) if KEEP_SECONDS.contains(&keep.seconds) => u64::try_from(keep.seconds).ok(),
        Some(keep) => {
            let message = format!("keep is {} s; use one hour to ten years", keep.seconds);
            return Err(GatewayError::invalid("keep", message));
        }
    };
    if request.description.chars().count() > DESCRIPTION_CHARS_MAX {
        return Err(GatewayError::invalid(
            "description",
            format!("description is longer than {DESCRIPTION_CHARS_MAX} characters"),
        ));
    }
    if request.accept_skew_ms > SKEW_MS_MAX {
        return Err(GatewayError::invalid("accept_skew_ms", format!("accept_skew_ms is more than {SKEW_MS_MAX}")));
    }
    Ok(SnapshotWish {
        grade,
        allow_weaker: request.allow_weaker,
        keep_seconds,
        description: request.description.clone(),
        accept_skew_ms: request.accept_skew_ms,
        allow_partial: request.allow_partial,
        quiesce_budget_seconds: quiesce_budget(request)?,
        safety: false,
    })
}

/// How long the guest may take to freeze.
fn quiesce_budget(request: &CreateSnapshotRequest) -> Result<u32> {
    let Some(budget) = &request.quiesce_budget else { return Ok(quiesce_budget_seconds()) };
    match u32::try_from(budget.seconds) {
        Ok(seconds) if QUIESCE_SECONDS.contains(&seconds) => Ok(seconds),
        _ => {
            let message = format!("quiesce_budget is {} s; use 5 seconds to one hour", budget.seconds);
            Err(GatewayError::invalid("quiesce_budget", message))
        }
    }
}
