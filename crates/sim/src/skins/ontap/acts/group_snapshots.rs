//! Snapshots of consistency groups: at once, or fenced by `action=start` and kept by `action=commit`.

use super::{
    super::{
        Face, Release,
        call::Call,
        dispatch::Route,
        query::Kind,
        refusal::Refusal,
        reply::{Reply, Work},
        state::{ConsistencyGroup, GroupSnapshot, SnapshotFacts},
    },
    snapshot_make::{check_comment, check_name},
    svm, time, without_empty,
};
use serde_json::{Value, json};
use std::time::Duration;
use uuid::Uuid;

pub(super) const ROUTES: &[Route] = &[
    (Release::V9_10_1, "GET", "application/consistency-groups/{}/snapshots", list),
    (Release::V9_10_1, "POST", "application/consistency-groups/{}/snapshots", post),
    (Release::V9_10_1, "GET", "application/consistency-groups/{}/snapshots/{}", get),
    (Release::V9_10_1, "PATCH", "application/consistency-groups/{}/snapshots/{}", patch),
    (Release::V9_10_1, "DELETE", "application/consistency-groups/{}/snapshots/{}", delete),
];

const CUT: Kind = Kind {
    href: "/api/application/consistency-groups/{consistency_group.uuid}/snapshots/{uuid}",
    key: &["uuid"],
    shown: &["uuid", "name", "consistency_group.uuid", "consistency_group.name"],
    expensive: &["reclaimable_space"],
    fields: "comment consistency_group{name,uuid} consistency_type create_time is_partial luns missing_luns \
        missing_namespaces missing_volumes{name,uuid} name namespaces reclaimable_space restore_size snaplock \
        snapmirror_label snapshot_volumes{volume{name,uuid},snapshot{name,uuid}} svm{name,uuid} uuid write_fence",
};

/// What a body wants.
struct Wanted {
    name: String,
    comment: String,
    consistency_type: String,
    label: Option<String>,
    /// How long the fence waits for its commit; none for a cut at once.
    pending: Option<Duration>,
}

impl Face {
    fn cut_record(&self, group: &ConsistencyGroup, cut: &GroupSnapshot) -> Result<Value, Refusal> {
        let array = self.array()?;
        let mut members = Vec::new();
        let mut missing = Vec::new();
        for (volume, snapshot) in &cut.members {
            let name = array.volume(*volume).map(|v| v.name).unwrap_or_default();
            let volume_shown = json!({"name": name, "uuid": volume});
            match array.snapshot(*volume, *snapshot) {
                Ok(held) => {
                    members.push(json!({"volume": volume_shown, "snapshot": {"name": held.name, "uuid": held.id}}));
                }
                Err(_) => missing.push(volume_shown),
            }
        }
        let is_partial = !missing.is_empty();
        let told = self.release() >= Release::V9_12_1;
        Ok(without_empty(json!({
            "uuid": cut.id,
            "name": cut.name,
            "comment": cut.comment,
            "consistency_type": cut.consistency_type,
            "create_time": time(cut.created),
            "snapmirror_label": cut.label,
            "is_partial": is_partial,
            "missing_volumes": if is_partial { json!(missing) } else { Value::Null },
            "snapshot_volumes": if told { json!(members) } else { Value::Null },
            "consistency_group": {"name": group.name, "uuid": group.id},
            "svm": svm(self, &group.svm),
        })))
    }

    fn make_cut(&self, id: Uuid, wanted: Wanted) -> Result<Value, Refusal> {
        let group = self.with(|state| state.groups.get(&id).cloned()).ok_or_else(Refusal::absent)?;
        if group.snapshots.iter().any(|cut| cut.name == wanted.name) {
            let message = format!("The snapshot \"{}\" of the consistency group exists.", wanted.name);
            return Err(Refusal::code("53411921", &message));
        }
        for volume in &group.volumes {
            self.may_snapshot(*volume)?;
        }
        let array = self.array()?;
        let now = array.info()?.time;
        let made = array.create_group(&group.volumes, &wanted.name, &wanted.comment)?;
        let cut = GroupSnapshot {
            id: self.world.new_id(),
            name: wanted.name,
            comment: wanted.comment,
            consistency_type: wanted.consistency_type,
            label: wanted.label.clone(),
            created: now,
            members: made.iter().map(|snapshot| (snapshot.volume, snapshot.id)).collect(),
            pending_until: wanted.pending.map(|wait| now.checked_add(wait).unwrap_or(jiff::Timestamp::MAX)),
        };
        self.with(|state| {
            for snapshot in &made {
                state
                    .snapshots
                    .insert(snapshot.id, SnapshotFacts { label: wanted.label.clone(), ..SnapshotFacts::default() });
            }
            if let Some(group) = state.groups.get_mut(&id) {
                group.snapshots.push(cut.clone());
            }
        });
        self.cut_record(&group, &cut)
    }

    fn delete_cut(&self, group: Uuid, cut: &GroupSnapshot) -> Result<(), Refusal> {
        let array = self.array()?;
        for (volume, snapshot) in &cut.members {
            if array.snapshot(*volume, *snapshot).is_ok() {
                self.delete_snapshot(*volume, *snapshot)?;
            }
        }
        self.with(|state| {
            if let Some(group) = state.groups.get_mut(&group) {
                group.snapshots.retain(|held| held.id != cut.id);
            }
        });
        Ok(())
    }
}

fn list(call: &Call, ids: &[&str]) -> Result<Reply, Refusal> {
    let group = call.cg(ids[0])?;
    let committed = group.snapshots.iter().filter(|cut| cut.pending_until.is_none());
    Ok(Reply::List(&CUT, committed.map(|cut| call.face.cut_record(&group, cut)).collect::<Result<_, _>>()?))
}

fn cut_of(call: &Call, ids: &[&str]) -> Result<(ConsistencyGroup, GroupSnapshot), Refusal> {
    let (group, id) = (call.cg(ids[0])?, call.id(ids[1])?);
    let cut = group.snapshots.iter().find(|cut| cut.id == id).cloned().ok_or_else(Refusal::absent)?;
    Ok((group, cut))
}

fn get(call: &Call, ids: &[&str]) -> Result<Reply, Refusal> {
    let (group, cut) = cut_of(call, ids)?;
    Ok(Reply::One(&CUT, call.face.cut_record(&group, &cut)?))
}

fn post(call: &Call, ids: &[&str]) -> Result<Reply, Refusal> {
    let group = call.cg(ids[0])?;
    call.params.only(&["action", "action_timeout"])?;
    let known = ["name", "comment", "consistency_type", "snapmirror_label", "write_fence", "consistency_group"];
    call.body.only(&known, &call.params)?;
    if call.body.at("write_fence").is_some() && call.face.release() < Release::V9_14_1 {
        return Err(Refusal::unexpected("write_fence"));
    }
    let name = call.body.required("name")?.to_owned();
    check_name(&name)?;
    let comment = call.body.text("comment")?.unwrap_or_default().to_owned();
    check_comment(&comment)?;
    let consistency_type = call.body.text("consistency_type")?.unwrap_or("crash").to_owned();
    if !["crash", "application"].contains(&consistency_type.as_str()) {
        return Err(Refusal::bad_value("consistency_type", &consistency_type));
    }
    let wait = call.params.number("action_timeout", (5_u64, 120))?.unwrap_or(7);
    let pending = match call.params.get("action") {
        None => None,
        Some("start") => Some(Duration::from_secs(wait)),
        Some(other) => return Err(Refusal::bad_value("action", other)),
    };
    let label = call.body.text("snapmirror_label")?.map(str::to_owned);
    let wanted = Wanted { name: name.clone(), comment, consistency_type, label, pending };
    Ok(Work::making(&CUT, &call.path, &name, move |face| face.make_cut(group.id, wanted)))
}

fn patch(call: &Call, ids: &[&str]) -> Result<Reply, Refusal> {
    call.params.only(&["action"])?;
    if call.params.get("action") != Some("commit") {
        return Err(Refusal::bad_value("action", call.params.get("action").unwrap_or_default()));
    }
    // A fence whose time ran out is gone with its cut: both are "nothing to commit".
    let none = || Refusal::code("53411925", "There is no started snapshot of the consistency group to commit.");
    let (group, cut) = cut_of(call, ids).map_err(|refusal| if refusal.code == "4" { none() } else { refusal })?;
    if cut.pending_until.is_none() {
        return Err(none());
    }
    Ok(Work::changing(move |face| {
        let committed = face.with(|state| {
            let cuts = state.groups.get_mut(&group.id).map(|group| &mut group.snapshots)?;
            cuts.iter_mut().find(|held| held.id == cut.id)?.pending_until = None;
            Some(())
        });
        committed.ok_or_else(|| Refusal::code("53411925", "The fence was lifted before the commit."))
    }))
}

fn delete(call: &Call, ids: &[&str]) -> Result<Reply, Refusal> {
    let (group, cut) = cut_of(call, ids)?;
    call.params.only(&[])?;
    Ok(Work::changing(move |face| face.delete_cut(group.id, &cut)))
}
