//! Failures of an operation's steps, by the engine's own points.

use std::sync::{Mutex, PoisonError};
use strata_saga::{Fault, Faults, OperationId, Point, StepError};

/// One failure to come.
#[derive(Debug, Clone)]
struct Planned {
    step: String,
    point: Point,
    error: StepError,
}

/// Fails steps, each once, when it is told to.
#[derive(Debug, Default)]
pub struct Hurt {
    planned: Mutex<Vec<Planned>>,
    seen: Mutex<Vec<String>>,
}

impl Hurt {
    /// The next time that this step comes to this point it fails so.
    pub fn next(&self, step: &str, point: Point, error: StepError) {
        let planned = Planned { step: step.to_owned(), point, error };
        self.planned.lock().unwrap_or_else(PoisonError::into_inner).push(planned);
    }

    /// True where a failure has not come yet; all are taken back.
    pub fn take_back(&self) -> bool {
        !std::mem::take(&mut *self.planned.lock().unwrap_or_else(PoisonError::into_inner)).is_empty()
    }

    /// The steps that were run since the last time this was asked, in order.
    pub fn take_steps(&self) -> Vec<String> {
        std::mem::take(&mut *self.seen.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Faults for Hurt {
    fn at(&self, _: OperationId, point: Point, step: &str) -> Fault {
        if point == Point::AfterStarted {
            self.seen.lock().unwrap_or_else(PoisonError::into_inner).push(step.to_owned());
        }
        let mut planned = self.planned.lock().unwrap_or_else(PoisonError::into_inner);
        match planned.iter().position(|next| next.step == step && next.point == point) {
            Some(place) => Fault::Fail(planned.remove(place).error),
            None => Fault::None,
        }
    }
}
