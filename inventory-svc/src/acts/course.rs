//! How far an act of many parts is: what was done before, kept in `resume`, and how long this call may still take. A lost
//! `resume` costs a repeated rescan; nothing that cannot be undone is done by it alone.

use super::pending;
use crate::vcenter::Client;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, time::Duration};
use strata_proto::strata::common::v1::Pending;

/// How often vCenter is looked at again until it shows what its hosts did.
const LOOKS_MAX: u32 = 30;
const BETWEEN_LOOKS: Duration = Duration::from_secs(1);

/// What earlier calls of the same act did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Done {
    /// vCenter's ids of the hosts that looked for devices; an id and an adapter where a host is not through yet.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub rescanned: BTreeSet<String>,
    /// vCenter's ids of the hosts that looked for VMFS.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub searched: BTreeSet<String>,
    /// vCenter's id of the task that runs; empty where none does.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub task: String,
    /// How often the same was looked for in vain.
    pub looks: u32,
}

/// One call's part of an act.
#[derive(Debug)]
pub struct Course<'c> {
    client: &'c Client,
    until: Timestamp,
    /// What was done so far.
    pub done: Done,
}

/// Whether to look again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Again {
    /// Look now.
    Look,
    /// This call's time is up: answer Pending.
    Later,
    /// It was looked at often enough: say what is missing.
    Never,
}

impl<'c> Course<'c> {
    /// Goes on from a request's `resume`; what cannot be read counts as lost.
    pub fn resume(client: &'c Client, resume: &str) -> Self {
        let done = serde_json::from_str(resume).unwrap_or_default();
        Self { client, until: client.clock().now() + client.task_wait(), done }
    }

    /// How long this call may still take.
    pub fn left(&self) -> Duration {
        Duration::try_from(self.until.duration_since(self.client.clock().now())).unwrap_or_default()
    }

    /// Whether this call should answer now.
    pub fn is_late(&self) -> bool {
        self.left().is_zero()
    }

    /// Waits a little for vCenter to show what its hosts did.
    pub async fn again(&mut self) -> Again {
        if self.done.looks >= LOOKS_MAX {
            return Again::Never;
        }
        self.done.looks += 1;
        if self.is_late() {
            return Again::Later;
        }
        self.client.clock().sleep(BETWEEN_LOOKS).await;
        Again::Look
    }

    /// "Not yet", with what was done.
    pub fn pending(&self, progress_percent: Option<u32>) -> Pending {
        pending::pending(&serde_json::to_string(&self.done).unwrap_or_default(), progress_percent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_done_survives_the_way_to_the_caller_and_back() {
        let done = Done {
            rescanned: ["host-1".to_owned(), "/x@y:\"1\"".to_owned()].into(),
            task: "task-7".to_owned(),
            looks: 3,
            ..Done::default()
        };
        let text = serde_json::to_string(&done).unwrap();
        assert_eq!(serde_json::from_str::<Done>(&text).unwrap(), done);
        for lost in ["", "task-7", "{", "[]", "{\"unknown\": 1}"] {
            assert_eq!(serde_json::from_str::<Done>(lost).unwrap_or_default(), Done::default(), "{lost}");
        }
    }
}
