//! Plans that were shown, so that whoever applies one by its hash is told what differs. In memory and bounded: a hash that is not known
//! any more still refuses, it only cannot say which object it was.

use crate::{
    error::{GatewayError, Result},
    plan::differences,
};
use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};
use strata_proto::strata::gateway::v1::{PlanObject, PlanResponse};

/// Plans that are remembered.
const PLANS_MAX: usize = 1_000;
/// Objects of one plan that are remembered.
const OBJECTS_MAX: usize = 2_000;
/// Differences that a refusal names.
const NAMED_MAX: usize = 5;

/// The plans shown last.
#[derive(Debug, Default)]
pub(super) struct ShownPlans(Mutex<VecDeque<(String, Vec<PlanObject>)>>);

impl ShownPlans {
    /// Remembers a plan.
    pub(super) fn remember(&self, shown: &PlanResponse) {
        let mut plans = self.lock();
        if plans.iter().any(|(hash, _)| *hash == shown.hash) {
            return;
        }
        if plans.len() >= PLANS_MAX {
            plans.pop_front();
        }
        let objects = shown.objects.iter().take(OBJECTS_MAX).cloned().collect();
        plans.push_back((shown.hash.clone(), objects));
    }

    /// Fails where what would be done now is not what was planned under `asked`; an empty one asks for nothing.
    pub(super) fn require(&self, asked: &str, now: &PlanResponse) -> Result<()> {
        if asked.is_empty() || asked == now.hash {
            return Ok(());
        }
        let known = self.lock().iter().find(|(hash, _)| hash == asked).map(|(_, objects)| objects.clone());
        let differs = known.map(|was| differences(&was, &now.objects)).unwrap_or_default();
        let told = match differs.is_empty() {
            true => "this gateway no longer knows that plan, so it cannot say what".to_owned(),
            false => differs.iter().take(NAMED_MAX).cloned().collect::<Vec<_>>().join("; "),
        };
        let message = format!("what the plan {asked} was made for has changed: {told}");
        let mut error = GatewayError::conflict("PLAN_CHANGED", message)
            .with("plan_hash", asked)
            .with("plan_hash_now", &now.hash)
            .hint("look at it again with --dry-run, then apply the plan of then");
        if let Some(first) = differs.first() {
            error = error.with("object", first);
        }
        Err(error)
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<(String, Vec<PlanObject>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(hash: &str, value: &str) -> PlanResponse {
        let objects = vec![PlanObject { object: "disk d".into(), value: value.into() }];
        PlanResponse { hash: hash.into(), objects, ..PlanResponse::default() }
    }

    #[test]
    fn another_world_is_refused_by_the_object_and_an_unknown_hash_without() {
        let plans = ShownPlans::default();
        plans.remember(&plan("a", "old"));
        assert!(plans.require("", &plan("b", "new")).is_ok());
        assert!(plans.require("b", &plan("b", "new")).is_ok());
        let refused = plans.require("a", &plan("b", "new")).unwrap_err();
        assert_eq!(refused.reason, "PLAN_CHANGED");
        assert!(refused.message.contains("disk d was old and is new"), "{}", refused.message);
        assert!(plans.require("zzz", &plan("b", "new")).unwrap_err().message.contains("no longer knows"));
    }

    #[test]
    fn only_so_many_are_remembered() {
        let plans = ShownPlans::default();
        for at in 0..PLANS_MAX + 10 {
            plans.remember(&plan(&at.to_string(), ""));
        }
        assert_eq!(plans.lock().len(), PLANS_MAX);
    }
}
