//! The array's JSON, as its manual writes it. Fields that we do not use are left out; unknown ones are ignored.

use jiff::Timestamp;
use serde::Deserialize;

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Session {
    pub(super) token: String,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct System {
    pub(super) id: String,
    pub(super) model: String,
    pub(super) version: String,
    pub(super) nfs_addresses: Vec<String>,
    pub(super) capabilities: Capabilities,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Capabilities {
    pub(super) file_clones: bool,
    pub(super) group_snapshots: bool,
    pub(super) restore_keeps_newer_snapshots: bool,
    pub(super) clones_pin_snapshots: bool,
    pub(super) group_volumes_max: u32,
    pub(super) snapshots_per_volume_max: u32,
    pub(super) name_max_bytes: usize,
    pub(super) comment_max_bytes: u32,
    #[serde(default)]
    pub(super) volume_restore: bool,
    #[serde(default)]
    pub(super) lun_clones: bool,
    /// 0 on an array that has no LUNs.
    #[serde(default)]
    pub(super) luns_per_volume_max: u32,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Lun {
    pub(super) id: String,
    pub(super) volume_id: String,
    pub(super) name: String,
    pub(super) comment: String,
    pub(super) serial: String,
    pub(super) canonical_name: String,
    pub(super) size_bytes: u64,
    pub(super) created_at: Timestamp,
    pub(super) origin: Option<LunOrigin>,
    pub(super) maps: Vec<LunMap>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct LunOrigin {
    pub(super) lun_id: String,
    pub(super) snapshot_id: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct LunMap {
    pub(super) group_id: String,
    pub(super) number: u32,
}

#[derive(Debug, Deserialize)]
pub(super) struct Luns {
    pub(super) luns: Vec<Lun>,
    #[serde(default)]
    pub(super) next_cursor: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Group {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) initiators: Vec<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Groups {
    pub(super) groups: Vec<Group>,
    #[serde(default)]
    pub(super) next_cursor: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Volume {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) comment: String,
    pub(super) export_path: String,
    pub(super) clients: Vec<String>,
    pub(super) size_bytes: u64,
    pub(super) used_bytes: u64,
    pub(super) created_at: Timestamp,
    pub(super) parent: Option<Parent>,
    pub(super) read_only: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Parent {
    pub(super) volume_id: String,
    pub(super) snapshot_id: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Volumes {
    pub(super) volumes: Vec<Volume>,
    pub(super) next_cursor: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Snapshot {
    pub(super) id: String,
    pub(super) volume_id: String,
    pub(super) name: String,
    pub(super) comment: String,
    pub(super) created_at: Timestamp,
    pub(super) group_id: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Snapshots {
    pub(super) snapshots: Vec<Snapshot>,
    pub(super) next_cursor: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct File {
    pub(super) is_dir: bool,
    pub(super) size_bytes: u64,
    pub(super) entries: Vec<Entry>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) is_dir: bool,
}

#[derive(Debug, Deserialize)]
pub(super) struct JobAnswer {
    pub(super) job: Job,
}

#[derive(Debug, Deserialize)]
pub(super) struct Job {
    pub(super) id: String,
    pub(super) state: JobState,
    pub(super) error: Option<ErrorBody>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum JobState {
    Queued,
    Succeeded,
    Failed,
}

#[derive(Debug, Deserialize)]
pub(super) struct Privileges {
    pub(super) user: String,
    pub(super) privileges: Vec<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct ErrorBody {
    pub(super) code: String,
    pub(super) message: String,
    #[serde(default)]
    pub(super) target: Option<String>,
    #[serde(default)]
    pub(super) dependents: Vec<String>,
    #[serde(default)]
    pub(super) status: Option<u16>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documented_answers_are_read() {
        let volume: Volume = serde_json::from_str(include_str!("fixtures/volume.json")).unwrap();
        assert_eq!(volume.parent.unwrap().snapshot_id, "5d1a1f1e-9a3f-4f0e-8a53-0d8a5f7f2b02");
        let list: Snapshots = serde_json::from_str(include_str!("fixtures/snapshots.json")).unwrap();
        assert_eq!((list.snapshots.len(), list.next_cursor.as_deref()), (1, Some("17")));
        let failed: JobAnswer = serde_json::from_str(include_str!("fixtures/job_failed.json")).unwrap();
        assert_eq!(failed.job.state, JobState::Failed);
        assert_eq!(failed.job.error.unwrap().dependents, ["c0"]);
        let system: System = serde_json::from_str(include_str!("fixtures/system.json")).unwrap();
        assert_eq!(system.capabilities.name_max_bytes, 64);
    }
}
