//! What the array says of itself and of its caller.

use super::{
    answer::{Answer, ok},
    session::Caller,
};
use serde_json::json;

/// Every privilege that a call can need.
const PRIVILEGES: [&str; 14] = [
    "look",
    "snapshot.create",
    "snapshot.delete",
    "volume.clone",
    "volume.delete",
    "volume.restore",
    "export.modify",
    "file.modify",
    "file.restore",
    "lun.create",
    "lun.clone",
    "lun.delete",
    "lun.restore",
    "map.modify",
];

/// GET /system
pub(super) async fn get(caller: Caller) -> Answer {
    let info = caller.look()?.info()?;
    let can = &info.spec.behaviour;
    ok(json!({
        "id": info.uuid,
        "name": info.spec.name,
        "model": "Reference NAS",
        "version": "1.0.0",
        "time": info.time.to_string(),
        "nfs_addresses": info.spec.nfs_addresses,
        "capabilities": {
            "file_clones": can.file_clones,
            "group_snapshots": can.group_snapshots,
            "volume_restore": can.volume_restore,
            "restore_keeps_newer_snapshots": !can.restore_eats_newer,
            "clones_pin_snapshots": can.clones_pin_snapshots,
            "clones_carry_snapshots": can.clones_carry_snapshot,
            "asynchronous": can.jobs_async,
            "group_volumes_max": if can.group_snapshots { can.group_volumes_max } else { 1 },
            "snapshots_per_volume_max": can.snapshots_max,
            "name_max_bytes": can.name_max_bytes,
            "comment_max_bytes": can.comment_max_bytes,
            "page_max": can.page_max,
            "lun_clones": can.lun_clones,
            "luns_per_volume_max": can.luns_max,
            "lun_number_max": can.lun_number_max,
        },
    }))
}

/// GET /privileges
pub(super) async fn privileges(caller: Caller) -> Answer {
    let spec = caller.array()?.info()?.spec;
    let held: Vec<&str> = PRIVILEGES.into_iter().filter(|p| !spec.behaviour.denied.contains(*p)).collect();
    ok(json!({"user": spec.user, "privileges": held}))
}
