//! A guest that was asked to shut down and did not yet: it may go down after the operation has given up on it. It is
//! watched for as long as a guest is given, and turned on again when it goes down.

use super::power::SHUT_DOWN_SECONDS;
use crate::{deps::Deps, error::Result, ports::Progress as Answer};
use jiff::{SignedDuration, Timestamp};
use std::time::Duration;
use strata_proto::strata::inventory::v1::{PowerAction, PowerState, SetVmPowerRequest};
use strata_saga::Progress;

/// Time between two looks.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Until when it is watched, and the task of vCenter that turns it on, where there is one.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Watch {
    until: Timestamp,
    task: String,
}

impl Watch {
    /// Of an undo's resume; a new one otherwise.
    fn of(resume: Option<&str>, now: Timestamp) -> Self {
        let read = |text: &str| {
            let (until, task) = text.split_once(' ')?;
            Some(Self { until: until.parse().ok()?, task: task.to_owned() })
        };
        resume.and_then(read).unwrap_or_else(|| Self {
            until: now.saturating_add(SignedDuration::from_secs(SHUT_DOWN_SECONDS)).unwrap_or(Timestamp::MAX),
            task: String::new(),
        })
    }

    fn pending(&self, task: &str, ask_again_after: Duration) -> Progress {
        Progress::Pending { ask_again_after, resume: format!("{} {task}", self.until), percent: None }
    }
}

/// Turns it on where it is off, and looks again until it went down and runs again, or the time is over.
///
/// # Errors
/// vCenter does not answer or refuses.
pub async fn on_again(deps: &Deps, vm: &str, display_name: &str, resume: Option<String>) -> Result<Progress> {
    let watch = Watch::of(resume.as_deref(), deps.clock.now());
    let request = SetVmPowerRequest {
        vm: vm.to_owned(),
        action: PowerAction::On.into(),
        budget: None,
        resume: watch.task.clone(),
    };
    let answer = match deps.ports.inventory.set_vm_power(request).await? {
        Answer::Pending(still) => return Ok(watch.pending(&still.resume, LOOK_EVERY)),
        Answer::Ready(answer) => answer,
    };
    // It was off, or vCenter was turning it on: what was asked of the guest is over.
    if answer.previous() == PowerState::Off || !watch.task.is_empty() {
        tracing::info!(vm, display_name, "the guest went down after all, and was turned on again");
        return Ok(Progress::done());
    }
    if deps.clock.now() < watch.until {
        return Ok(watch.pending("", LOOK_EVERY));
    }
    tracing::warn!(
        vm,
        display_name,
        "its guest was asked to shut down and still runs; it is no longer watched, and nobody turns it on if it goes down now"
    );
    Ok(Progress::done())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_watched_for_as_long_as_a_guest_is_given_and_no_longer() {
        let now: Timestamp = "2026-11-24T10:00:00Z".parse().unwrap();
        let watch = Watch::of(None, now);
        assert_eq!(watch.until.as_second() - now.as_second(), SHUT_DOWN_SECONDS);
        let later = now + SignedDuration::from_secs(100);
        for task in ["", "task-7"] {
            let Progress::Pending { resume, .. } = watch.pending(task, LOOK_EVERY) else { panic!("not pending") };
            let again = Watch::of(Some(&resume), later);
            assert_eq!(again, Watch { until: watch.until, task: task.to_owned() }, "the end does not move");
        }
        assert_eq!(
            Watch::of(Some("another version's"), later).until.as_second(),
            later.as_second() + SHUT_DOWN_SECONDS
        );
    }
}
