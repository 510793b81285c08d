//! Faults by script: each rule strikes once, so that what is repeated afterwards can succeed.

use crate::{Fault, Faults, OperationId, Point};
use std::sync::{Mutex, PoisonError};

/// One fault.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Where.
    pub point: Point,
    /// At which step.
    pub step: String,
    /// What.
    pub fault: Fault,
}

/// The rules that have not struck yet.
#[derive(Debug, Default)]
pub struct Script {
    left: Mutex<Vec<Rule>>,
}

impl Script {
    /// These rules, each once.
    pub fn new(rules: impl IntoIterator<Item = Rule>) -> Self {
        Self { left: Mutex::new(rules.into_iter().collect()) }
    }

    /// How many have not struck: a test that meant to hurt and did not is worthless.
    pub fn left(&self) -> usize {
        self.left.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

impl Faults for Script {
    fn at(&self, _: OperationId, point: Point, step: &str) -> Fault {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        match left.iter().position(|rule| rule.point == point && rule.step == step) {
            Some(place) => left.remove(place).fault,
            None => Fault::None,
        }
    }
}
