//! ONTAP's types as its REST reference writes them, as far as they are used. A field that is not set is left out by the array,
//! so that everything has a default; numbers and truths may come as strings.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::Value;

/// A list, or a part of one.
#[derive(Debug, Deserialize)]
#[serde(bound = "T: DeserializeOwned")]
pub(super) struct Records<T> {
    #[serde(default = "Vec::new")]
    pub(super) records: Vec<T>,
    #[serde(default, rename = "_links")]
    pub(super) links: Links,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Links {
    pub(super) next: Option<Link>,
    #[serde(rename = "self")]
    pub(super) own: Option<Link>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Link {
    pub(super) href: String,
}

/// A reference to another object.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(super) struct Named {
    pub(super) uuid: String,
    pub(super) name: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Cluster {
    pub(super) uuid: String,
    pub(super) name: String,
    pub(super) version: Option<Version>,
    /// 9.16 and later: the machine is an ASA r2, which speaks another dialect.
    #[serde(deserialize_with = "truth")]
    pub(super) disaggregated: bool,
}

#[derive(Debug, Clone, Copy, Deserialize)]
pub(super) struct Version {
    #[serde(deserialize_with = "number")]
    pub(super) generation: u64,
    #[serde(deserialize_with = "number")]
    pub(super) major: u64,
    #[serde(default, deserialize_with = "number")]
    pub(super) minor: u64,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Svm {
    pub(super) uuid: String,
    pub(super) name: String,
    /// `dp_destination` and `sync_destination` hold copies.
    pub(super) subtype: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Volume {
    pub(super) uuid: String,
    pub(super) name: String,
    pub(super) comment: String,
    /// `rw`, `dp`, `ls`.
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) state: String,
    /// `flexvol` or `flexgroup`.
    pub(super) style: String,
    pub(super) create_time: String,
    #[serde(deserialize_with = "number")]
    pub(super) size: u64,
    pub(super) svm: Named,
    pub(super) nas: Nas,
    pub(super) clone: CloneOf,
    pub(super) space: VolumeSpace,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Nas {
    /// Where it is mounted; none where it is not.
    pub(super) path: Option<String>,
    pub(super) export_policy: Named,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct CloneOf {
    #[serde(deserialize_with = "truth")]
    pub(super) is_flexclone: bool,
    pub(super) parent_volume: Named,
    pub(super) parent_snapshot: Named,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct VolumeSpace {
    #[serde(deserialize_with = "maybe_number")]
    pub(super) available: Option<u64>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Snapshot {
    pub(super) uuid: String,
    pub(super) name: String,
    pub(super) comment: String,
    pub(super) create_time: String,
    #[serde(deserialize_with = "maybe_number")]
    pub(super) size: Option<u64>,
    pub(super) volume: Named,
    /// The volume that it was cut of; another one on a replica.
    pub(super) provenance_volume: Named,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Lun {
    pub(super) uuid: String,
    /// `/vol/<volume>[/<qtree>]/<lun>`.
    pub(super) name: String,
    pub(super) comment: String,
    pub(super) serial_number: Option<String>,
    pub(super) serial_number_hex: Option<String>,
    pub(super) create_time: String,
    pub(super) svm: Named,
    pub(super) space: LunSpace,
    pub(super) location: Location,
    pub(super) lun_maps: Vec<LunMap>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct LunSpace {
    #[serde(deserialize_with = "number")]
    pub(super) size: u64,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Location {
    pub(super) volume: Named,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct LunMap {
    pub(super) igroup: Named,
    pub(super) lun: Named,
    #[serde(deserialize_with = "maybe_number")]
    pub(super) logical_unit_number: Option<u64>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Igroup {
    pub(super) uuid: String,
    pub(super) name: String,
    pub(super) os_type: String,
    /// Of nested groups too.
    pub(super) initiators: Vec<Named>,
    pub(super) lun_maps: Vec<LunMap>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Interface {
    pub(super) ip: Ip,
    pub(super) svm: Named,
    pub(super) state: String,
    pub(super) services: Vec<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Ip {
    pub(super) address: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct ExportPolicy {
    #[serde(deserialize_with = "number")]
    pub(super) id: u64,
    pub(super) name: String,
    pub(super) rules: Vec<ExportRule>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct ExportRule {
    #[serde(deserialize_with = "number")]
    pub(super) index: u64,
    pub(super) clients: Vec<ExportClient>,
    pub(super) ro_rule: Vec<String>,
    pub(super) rw_rule: Vec<String>,
    pub(super) superuser: Vec<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct ExportClient {
    #[serde(default, rename = "match")]
    pub(super) matches: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Group {
    pub(super) uuid: String,
    pub(super) name: String,
    pub(super) volumes: Vec<Named>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct GroupSnapshot {
    pub(super) uuid: String,
    pub(super) name: String,
    pub(super) comment: String,
    #[serde(deserialize_with = "truth")]
    pub(super) is_partial: bool,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct File {
    pub(super) name: String,
    /// `file`, `directory`, `symlink`, …
    #[serde(rename = "type")]
    pub(super) kind: String,
    #[serde(deserialize_with = "maybe_number")]
    pub(super) size: Option<u64>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Licence {
    pub(super) name: String,
    pub(super) state: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct JobAnswer {
    pub(super) job: JobLink,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct JobLink {
    pub(super) uuid: String,
    #[serde(rename = "_links")]
    pub(super) links: Links,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Job {
    pub(super) state: String,
    pub(super) message: String,
    pub(super) code: Option<Value>,
    pub(super) error: Option<ErrorBody>,
}

#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct ErrorAnswer {
    #[serde(default)]
    pub(super) error: ErrorBody,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct ErrorBody {
    pub(super) message: String,
    #[serde(deserialize_with = "code")]
    pub(super) code: String,
    pub(super) target: String,
}

/// A time as the array writes it, with any offset; the beginning of time where it is odd.
pub(super) fn time(text: &str) -> Timestamp {
    text.parse().unwrap_or_default()
}

/// A number that may be a string of digits.
fn as_number(value: &Value) -> Option<u64> {
    match value {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    Ok(as_number(&Value::deserialize(deserializer)?).unwrap_or_default())
}

fn maybe_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    Ok(as_number(&Value::deserialize(deserializer)?))
}

fn truth<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::Bool(truth) => truth,
        Value::String(text) => text.eq_ignore_ascii_case("true"),
        _ => false,
    })
}

/// Codes are strings of digits in errors and numbers in jobs.
pub(super) fn code_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => String::new(),
    }
}

fn code<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(code_text(&Value::deserialize(deserializer)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documented_answers_are_read() {
        let volumes: Records<Volume> = serde_json::from_str(include_str!("fixtures/volumes.json")).unwrap();
        let [plain, clone] = volumes.records.as_slice() else { panic!("{volumes:?}") };
        assert_eq!((plain.size, plain.space.available), (1 << 40, Some(1 << 39)));
        assert_eq!(plain.nas.path.as_deref(), Some("/ds_1"));
        assert!(clone.clone.is_flexclone && clone.nas.path.is_none());
        assert_eq!(clone.clone.parent_volume.uuid, plain.uuid);
        assert!(volumes.links.next.is_some());
        let luns: Records<Lun> = serde_json::from_str(include_str!("fixtures/luns.json")).unwrap();
        assert_eq!(luns.records[0].serial_number.as_deref(), Some("wf0Iq+N4uck3"));
        assert_eq!(luns.records[0].lun_maps[0].logical_unit_number, Some(7));
        let failed: Job = serde_json::from_str(include_str!("fixtures/job_failed_9_8.json")).unwrap();
        assert_eq!((failed.state.as_str(), code_text(&failed.code.unwrap()).as_str()), ("failure", "1638555"));
        let failed: Job = serde_json::from_str(include_str!("fixtures/job_failed.json")).unwrap();
        assert_eq!(failed.error.unwrap().code, "525059");
    }

    #[test]
    fn what_is_left_out_or_odd_has_a_default() {
        let volume: Volume =
            serde_json::from_str(r#"{"uuid": "u", "size": "1024", "space": {"available": "x"}}"#).unwrap();
        assert_eq!((volume.size, volume.space.available, volume.kind.as_str()), (1024, None, ""));
        let clone: CloneOf = serde_json::from_str(r#"{"is_flexclone": "true"}"#).unwrap();
        assert!(clone.is_flexclone);
        let empty: Records<Volume> = serde_json::from_str("{}").unwrap();
        assert!(empty.records.is_empty() && empty.links.next.is_none());
        assert_eq!(time("2026-01-02T03:04:05+02:00").to_string(), "2026-01-02T01:04:05Z");
        assert_eq!(time("yesterday"), Timestamp::default());
    }
}
