//! What the world was asked and what it did, counted: the truth that benchmarks and tests read ("one array snapshot for
//! both callers").

use std::{collections::BTreeMap, sync::Mutex};

/// Counts by scope (an array's or a vCenter's name, a face) and what was done.
#[derive(Debug, Default)]
pub struct Counters {
    counts: Mutex<BTreeMap<(String, String), u64>>,
}

impl Counters {
    /// Counts one.
    pub fn add(&self, scope: &str, what: &str) {
        *super::lock(&self.counts).entry((scope.to_owned(), what.to_owned())).or_default() += 1;
    }

    /// How often `what` was done in `scope`.
    pub fn get(&self, scope: &str, what: &str) -> u64 {
        super::lock(&self.counts).get(&(scope.to_owned(), what.to_owned())).copied().unwrap_or_default()
    }

    /// How often `what` was done in all scopes together.
    pub fn total(&self, what: &str) -> u64 {
        super::lock(&self.counts).iter().filter(|((_, done), _)| done == what).map(|(_, count)| count).sum()
    }

    /// Everything counted so far, as (scope, what, count).
    pub fn all(&self) -> Vec<(String, String, u64)> {
        super::lock(&self.counts).iter().map(|((scope, what), count)| (scope.clone(), what.clone(), *count)).collect()
    }

    /// Starts again from nothing.
    pub fn reset(&self) {
        super::lock(&self.counts).clear();
    }
}
