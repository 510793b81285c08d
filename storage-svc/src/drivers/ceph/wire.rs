//! The dashboard's JSON, as its manual and the real one write it. Fields that we do not use are left out; unknown ones are
//! ignored.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// `POST /api/auth`.
#[derive(Clone, Deserialize)]
pub(super) struct Session {
    pub(super) token: String,
    /// Rights a scope: `rbd-image` -> `create`, `delete`, `read`, `update`.
    #[serde(default)]
    pub(super) permissions: BTreeMap<String, Vec<String>>,
    #[serde(default, rename = "pwdUpdateRequired")]
    pub(super) password_update_required: bool,
}

/// `GET /api/summary`.
#[derive(Debug, Deserialize)]
pub(super) struct Summary {
    pub(super) version: String,
}

/// `GET /api/monitor`.
#[derive(Debug, Deserialize)]
pub(super) struct Monitors {
    pub(super) mon_status: MonitorStatus,
}

#[derive(Debug, Deserialize)]
pub(super) struct MonitorStatus {
    pub(super) monmap: MonitorMap,
}

#[derive(Debug, Deserialize)]
pub(super) struct MonitorMap {
    pub(super) fsid: String,
}

/// One of `GET /api/pool`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Pool {
    #[serde(rename = "pool")]
    pub(super) id: u64,
    #[serde(rename = "pool_name")]
    pub(super) name: String,
}

/// One pool of `GET /api/block/image`.
#[derive(Debug, Deserialize)]
pub(super) struct PoolImages {
    pub(super) value: Vec<Listed>,
}

/// What a list of images holds.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Listed {
    Image(Box<Image>),
    /// Half removed: a line of the trash.
    Removing {
        #[expect(dead_code, reason = "what tells it from an image")]
        deletion_time: String,
    },
}

/// `GET /api/block/image/{spec}`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Image {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) pool_name: String,
    #[serde(default)]
    pub(super) namespace: Option<String>,
    pub(super) size: u64,
    pub(super) timestamp: Timestamp,
    #[serde(default)]
    pub(super) parent: Option<Parent>,
    #[serde(default)]
    pub(super) snapshots: Vec<Snapshot>,
    /// `journal` also where nothing is mirrored.
    #[serde(default)]
    pub(super) mirror_mode: Option<String>,
    /// Not told by version 16.
    #[serde(default)]
    pub(super) primary: Option<bool>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Parent {
    pub(super) pool_name: String,
    #[serde(default)]
    pub(super) pool_namespace: String,
    pub(super) image_name: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Snapshot {
    pub(super) id: u64,
    pub(super) name: String,
    /// 0 is the namespace of users.
    #[serde(default)]
    pub(super) namespace: u32,
    pub(super) timestamp: Timestamp,
    #[serde(default)]
    pub(super) is_protected: Option<bool>,
    #[serde(default)]
    pub(super) children: Vec<Child>,
    #[serde(default)]
    pub(super) disk_usage: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Child {
    pub(super) pool_name: String,
    pub(super) image_name: String,
}

/// The body of a 202, and each of `GET /api/task`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Task {
    #[serde(default)]
    pub(super) name: String,
    #[serde(default)]
    pub(super) metadata: Value,
    #[serde(default)]
    pub(super) success: Option<bool>,
    #[serde(default)]
    pub(super) exception: Option<Value>,
}

/// `GET /api/task`.
#[derive(Debug, Deserialize)]
pub(super) struct Tasks {
    pub(super) executing_tasks: Vec<Task>,
    /// The newest first.
    pub(super) finished_tasks: Vec<Task>,
}

/// What stands in a refusal. `code` is an errno as text, a word, or absent.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct ErrorBody {
    #[serde(default)]
    pub(super) detail: String,
    #[serde(default)]
    pub(super) code: Option<Value>,
    #[serde(default)]
    pub(super) component: Option<String>,
}

impl ErrorBody {
    /// The code as text; empty where there is none.
    pub(super) fn code(&self) -> String {
        match &self.code {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(number)) => number.to_string(),
            _ => String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recorded_answers_are_read() {
        let image: Image = serde_json::from_str(include_str!("fixtures/image.json")).unwrap();
        let snapshot = &image.snapshots[0];
        assert_eq!((snapshot.id, snapshot.is_protected, snapshot.children.len()), (4, Some(true), 1));
        let clone: Image = serde_json::from_str(include_str!("fixtures/clone.json")).unwrap();
        assert_eq!(clone.parent.map(|parent| parent.image_name), Some("ds-0".to_owned()));
        let pools: Vec<PoolImages> = serde_json::from_str(include_str!("fixtures/images.json")).unwrap();
        assert!(matches!(&pools[0].value[..], [Listed::Image(_), Listed::Image(_)]));
        let tasks: Tasks = serde_json::from_str(include_str!("fixtures/tasks.json")).unwrap();
        assert_eq!(tasks.executing_tasks.len(), 1);
        assert!(tasks.finished_tasks.iter().any(|task| task.success == Some(false) && task.exception.is_some()));
        let accepted: Task = serde_json::from_str(include_str!("fixtures/accepted.json")).unwrap();
        assert_eq!(
            (accepted.name.as_str(), &accepted.metadata),
            ("rbd/snap/create", &tasks.executing_tasks[0].metadata)
        );
        let monitors: Monitors = serde_json::from_str(include_str!("fixtures/monitor.json")).unwrap();
        assert_eq!(monitors.mon_status.monmap.fsid.len(), 36);
        let pools: Vec<Pool> = serde_json::from_str(include_str!("fixtures/pools.json")).unwrap();
        assert_eq!(pools.last(), Some(&Pool { id: 2, name: "vm".to_owned() }));
        let session: Session = serde_json::from_str(include_str!("fixtures/session.json")).unwrap();
        assert!(session.permissions["rbd-image"].contains(&"create".to_owned()) && !session.password_update_required);
        let error: ErrorBody = serde_json::from_str(include_str!("fixtures/error_exists.json")).unwrap();
        assert_eq!((error.code().as_str(), error.component.as_deref()), ("17", Some("rbd")));
    }

    #[test]
    fn an_image_that_is_half_removed_is_no_image() {
        // Written after services/rbd.py of 16.2.15; never seen.
        let text = r#"{"id": "10ab", "name": "ds-0", "source": "REMOVING", "pool_name": "vm", "namespace": "",
            "deletion_time": "2026-11-24T18:16:03Z", "deferment_end_time": "2026-11-24T18:16:03Z", "unique_id": "vm/10ab"}"#;
        assert!(matches!(serde_json::from_str(text).unwrap(), Listed::Removing { .. }));
    }
}
