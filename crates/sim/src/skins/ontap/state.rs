//! What ONTAP knows and the world does not: policies, states, expiry times, the recovery queue, consistency groups, jobs.
//! The lock on it is held for moments only and never while the world is asked, whose jobs come back here.

use jiff::Timestamp;
use std::collections::BTreeMap;
use uuid::Uuid;

/// A volume's facts.
#[derive(Debug, Clone)]
pub(super) struct VolumeFacts {
    pub(super) svm: String,
    /// The export policy's number.
    pub(super) policy: u64,
    pub(super) is_root: bool,
    pub(super) online: bool,
    pub(super) snapshot_policy: String,
    pub(super) guarantee: String,
    pub(super) security_style: String,
    pub(super) unix_permissions: u64,
    pub(super) uid: u64,
    pub(super) gid: u64,
    pub(super) snapshot_locking: bool,
    pub(super) snapshot_directory: bool,
    /// What the recovery queue's names end with.
    pub(super) dsid: u64,
    /// Deleted and in the recovery queue until then.
    pub(super) queued_until: Option<Timestamp>,
}

/// A snapshot's facts.
#[derive(Debug, Clone, Default)]
pub(super) struct SnapshotFacts {
    /// As it was given.
    pub(super) expiry_time: Option<(String, Timestamp)>,
    /// Tamperproof until then.
    pub(super) locked_until: Option<(String, Timestamp)>,
    pub(super) label: Option<String>,
    /// Others that need it: `snapmirror`.
    pub(super) owners: Vec<String>,
}

/// One rule of an export policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ExportRule {
    pub(super) index: u64,
    pub(super) clients: Vec<String>,
    pub(super) protocols: Vec<String>,
    pub(super) ro_rule: Vec<String>,
    pub(super) rw_rule: Vec<String>,
    pub(super) superuser: Vec<String>,
    pub(super) anonymous_user: String,
}

/// An export policy.
#[derive(Debug, Clone)]
pub(super) struct ExportPolicy {
    pub(super) id: u64,
    pub(super) name: String,
    pub(super) svm: String,
    pub(super) rules: Vec<ExportRule>,
}

/// What is known of a job beside its outcome.
#[derive(Debug, Clone)]
pub(super) struct JobFacts {
    pub(super) description: String,
    pub(super) svm: Option<String>,
    pub(super) user: String,
    pub(super) start: Timestamp,
    pub(super) due: Timestamp,
    /// How often it was looked at since it was done.
    pub(super) polls: u32,
    pub(super) cancelled: bool,
}

/// Blocks that are being shared.
#[derive(Debug, Clone, Copy)]
pub(super) struct Share {
    pub(super) volume: Uuid,
    pub(super) snapshot: Option<Uuid>,
    pub(super) until: Timestamp,
}

/// A cut of a consistency group.
#[derive(Debug, Clone)]
pub(super) struct GroupSnapshot {
    pub(super) id: Uuid,
    pub(super) name: String,
    pub(super) comment: String,
    pub(super) consistency_type: String,
    pub(super) label: Option<String>,
    pub(super) created: Timestamp,
    /// (volume, its snapshot).
    pub(super) members: Vec<(Uuid, Uuid)>,
    /// Fenced and not committed: gone at this time.
    pub(super) pending_until: Option<Timestamp>,
}

/// A consistency group.
#[derive(Debug, Clone)]
pub(super) struct ConsistencyGroup {
    pub(super) id: Uuid,
    pub(super) name: String,
    pub(super) svm: String,
    pub(super) volumes: Vec<Uuid>,
    pub(super) snapshots: Vec<GroupSnapshot>,
}

/// A LUN's or an initiator group's words that hosts do not see.
#[derive(Debug, Clone)]
pub(super) struct SanFacts {
    pub(super) svm: String,
    pub(super) os_type: String,
    /// Of a group: `iscsi`, `fcp`, `mixed`.
    pub(super) protocol: String,
    pub(super) comment: String,
}

/// All of it.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) volumes: BTreeMap<Uuid, VolumeFacts>,
    pub(super) snapshots: BTreeMap<Uuid, SnapshotFacts>,
    pub(super) policies: Vec<ExportPolicy>,
    pub(super) jobs: BTreeMap<Uuid, JobFacts>,
    pub(super) shares: Vec<Share>,
    pub(super) groups: BTreeMap<Uuid, ConsistencyGroup>,
    pub(super) luns: BTreeMap<Uuid, SanFacts>,
    pub(super) igroups: BTreeMap<Uuid, SanFacts>,
    pub(super) next_policy: u64,
    pub(super) next_dsid: u64,
}

impl State {
    pub(super) fn policy(&self, id: u64) -> Option<&ExportPolicy> {
        self.policies.iter().find(|policy| policy.id == id)
    }

    pub(super) fn policy_named(&self, svm: &str, name: &str) -> Option<&ExportPolicy> {
        self.policies.iter().find(|policy| policy.svm == svm && policy.name == name)
    }

    /// Adds a policy, which gets the next number.
    pub(super) fn add_policy(&mut self, svm: &str, name: &str, rules: Vec<ExportRule>) -> u64 {
        self.next_policy += 1;
        let id = self.next_policy;
        self.policies.push(ExportPolicy { id, name: name.to_owned(), svm: svm.to_owned(), rules });
        id
    }
}

impl ExportRule {
    /// A rule that lets these clients do everything, or only read where `write` is false.
    pub(super) fn open(index: u64, clients: Vec<String>, write: bool) -> Self {
        let open = |yes: bool| vec![if yes { "any" } else { "never" }.to_owned()];
        ExportRule {
            index,
            clients,
            protocols: vec!["any".to_owned()],
            ro_rule: open(true),
            rw_rule: open(write),
            superuser: vec![if write { "any" } else { "none" }.to_owned()],
            anonymous_user: "65534".to_owned(),
        }
    }
}
