//! Volumes, as lists show them.

use super::{
    super::{
        Face, Release, call::Call, dispatch::Route, query::Kind, refusal::Refusal, reply::Reply, state::VolumeFacts,
    },
    svm, time, volume_change, volume_delete, volume_make, without_empty,
};
use crate::world::storage::Volume;
use serde_json::{Value, json};

pub(super) const ROUTES: &[Route] = &[
    (Release::V9_8, "GET", "storage/volumes", list),
    (Release::V9_8, "POST", "storage/volumes", volume_make::post),
    (Release::V9_8, "GET", "storage/volumes/{}", get),
    (Release::V9_8, "PATCH", "storage/volumes/{}", volume_change::patch),
    (Release::V9_8, "DELETE", "storage/volumes/{}", volume_delete::delete),
];

pub(super) const VOLUME: Kind = Kind {
    href: "/api/storage/volumes/{uuid}",
    key: &["uuid"],
    shown: &["uuid", "name"],
    expensive: &[
        "clone.parent_volume",
        "clone.parent_snapshot",
        "clone.parent_svm",
        "clone.split_initiated",
        "clone.split_complete_percent",
        "clone.split_estimate",
        "clone.inherited_physical_used",
        "clone.inherited_savings",
    ],
    fields: "_tags access_time_enabled activity_tracking aggregates{name,uuid} aggressive_readahead_mode analytics \
        anti_ransomware application asynchronous_directory_delete autosize{grow_threshold,maximum,minimum,mode,\
        shrink_threshold} clone{has_flexclone,inherited_physical_used,inherited_savings,is_flexclone,lun_name,\
        parent_snapshot{name,uuid},parent_svm{name,uuid},parent_volume{name,uuid},qtree_name,split_complete_percent,\
        split_estimate,split_initiated} cloud_retrieval_policy cloud_write_enabled comment consistency_group{name,uuid} \
        constituent_count constituents constituents_per_aggregate convert_unicode create_time efficiency encryption \
        error_state files{inodefile_capacity,maximum,used} flash_pool flexcache_endpoint_type flexgroup granular_data \
        granular_data_mode guarantee{honored,type} has_dir_index_public has_large_dir is_dir_index_transfer_enabled \
        is_large_dir_enabled is_object_store is_s3_arbitrary_part_size_enabled is_svm_root language max_dir_size metric \
        movement msid name nas{export_policy{id,name},gid,junction_parent{name,uuid},path,security_style,uid,\
        unix_permissions} nodes optimize_aggregates qos queue_for_encryption quota rebalancing \
        scheduled_snapshot_naming_scheme size sizing_method smas_protection snaplock snapmirror snapshot_count \
        snapshot_directory_access_enabled snapshot_locking_enabled snapshot_policy{name,uuid,enabled} space status state \
        statistics style svm{name,uuid} svm_dr_protection tiering type use_mirrored_aggregates uuid",
};

/// A volume's junction as clients see it.
pub(super) fn junction<'a>(volume: &'a Volume, facts: &VolumeFacts) -> &'a str {
    if facts.is_root { "/" } else { &volume.export_path }
}

impl Face {
    /// A volume's facts; those of one that went a moment ago are not there any more.
    pub(super) fn facts(&self, volume: &Volume) -> Result<VolumeFacts, Refusal> {
        self.with(|state| state.volumes.get(&volume.id).cloned()).ok_or_else(Refusal::absent)
    }

    fn clone_record(&self, volume: &Volume, facts: &VolumeFacts) -> Result<Value, Refusal> {
        let Some(parent) = volume.parent else { return Ok(json!({"is_flexclone": false})) };
        let array = self.array()?;
        let parent_svm = self.with(|state| state.volumes.get(&parent.volume).map(|f| f.svm.clone()));
        let named = array.volume(parent.volume).map(|v| v.name).unwrap_or_default();
        let snapshot = array.snapshot(parent.volume, parent.snapshot).map(|s| s.name).unwrap_or_default();
        Ok(json!({
            "is_flexclone": true,
            "parent_volume": {"name": named, "uuid": parent.volume},
            "parent_snapshot": {"name": snapshot, "uuid": parent.snapshot},
            "parent_svm": svm(self, &parent_svm.unwrap_or_else(|| facts.svm.clone())),
            "split_initiated": false,
            "split_estimate": volume.used_bytes,
        }))
    }

    /// A volume as clients see it.
    pub(super) fn volume_record(&self, volume: &Volume) -> Result<Value, Refusal> {
        let facts = self.facts(volume)?;
        let array = self.array()?;
        let path = junction(volume, &facts);
        let parent = if path.is_empty() { None } else { self.junction_parent(&facts.svm, path)? };
        let parent = parent.and_then(|(id, _)| array.volume(id).ok()).map(|v| json!({"name": v.name, "uuid": v.id}));
        let (policy, group) = self.with(|state| {
            let policy = state.policy(facts.policy).map(|p| json!({"name": p.name, "id": p.id}));
            let group = state.groups.values().find(|group| group.volumes.contains(&volume.id));
            (policy, group.map(|group| json!({"name": group.name, "uuid": group.id})))
        });
        let locking = if self.release() >= Release::V9_12_1 { json!(facts.snapshot_locking) } else { Value::Null };
        let group = if self.release() >= Release::V9_10_1 { json!(group) } else { Value::Null };
        Ok(without_empty(json!({
            "uuid": volume.id,
            "name": volume.name,
            "comment": volume.comment,
            "create_time": time(volume.created),
            "size": volume.size_bytes,
            "state": if facts.online { "online" } else { "offline" },
            "style": "flexvol",
            "type": if volume.read_only { "dp" } else { "rw" },
            "language": "c.utf_8",
            "is_svm_root": facts.is_root,
            "msid": facts.dsid + 2_163_180_000,
            "svm": svm(self, &facts.svm),
            "aggregates": [{"name": "aggr1", "uuid": self.id_of("aggr1")}],
            "snapshot_count": array.snapshots(volume.id)?.len(),
            "snapshot_policy": {"name": facts.snapshot_policy},
            "snapshot_locking_enabled": locking,
            "snapshot_directory_access_enabled": facts.snapshot_directory,
            "snaplock": {"type": "non_snaplock"},
            "guarantee": {"type": facts.guarantee, "honored": true},
            "consistency_group": group,
            "clone": self.clone_record(volume, &facts)?,
            "nas": {
                "path": path,
                "junction_parent": parent,
                "export_policy": policy,
                "security_style": facts.security_style,
                "unix_permissions": facts.unix_permissions,
                "uid": facts.uid,
                "gid": facts.gid,
            },
            "space": {
                "size": volume.size_bytes,
                "used": volume.used_bytes,
                "available": volume.size_bytes.saturating_sub(volume.used_bytes),
                "snapshot": {"reserve_percent": 0},
            },
        })))
    }
}

fn list(call: &Call, _: &[&str]) -> Result<Reply, Refusal> {
    let records = call.volumes()?.iter().map(|volume| call.face.volume_record(volume)).collect::<Result<_, _>>()?;
    Ok(Reply::List(&VOLUME, records))
}

fn get(call: &Call, ids: &[&str]) -> Result<Reply, Refusal> {
    let volume = call.volume(ids[0])?;
    Ok(Reply::One(&VOLUME, call.face.volume_record(&volume)?))
}
