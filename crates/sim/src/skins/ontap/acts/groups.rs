//! Consistency groups, from 9.10.1: volumes that are cut at one point in time.

use super::{
    super::{
        Face, Release,
        call::Call,
        dispatch::Route,
        query::Kind,
        refusal::Refusal,
        reply::{Reply, Work},
        state::ConsistencyGroup,
    },
    svm,
};
use crate::world::storage::Volume;
use serde_json::{Value, json};
use uuid::Uuid;

pub(super) const ROUTES: &[Route] = &[
    (Release::V9_10_1, "GET", "application/consistency-groups", list),
    (Release::V9_10_1, "POST", "application/consistency-groups", post),
    (Release::V9_10_1, "GET", "application/consistency-groups/{}", get),
    (Release::V9_10_1, "PATCH", "application/consistency-groups/{}", patch),
    (Release::V9_10_1, "DELETE", "application/consistency-groups/{}", delete),
];

const GROUP: Kind = Kind {
    href: "/api/application/consistency-groups/{uuid}",
    key: &["uuid"],
    shown: &["uuid", "name", "svm.uuid", "svm.name"],
    expensive: &["volumes", "luns", "namespaces"],
    fields: "_tags application clone consistency_groups luns map_to metric name namespaces parent_consistency_group \
        provisioning_options qos replicated replication_relationships replication_source restore_to snaplock \
        snapshot_policy space statistics svm{name,uuid} tiering unmap_from uuid vdisk_type volumes{name,uuid}",
};

impl Face {
    fn cg_record(&self, group: &ConsistencyGroup) -> Result<Value, Refusal> {
        let all = self.array()?.volumes()?;
        let members = group.volumes.iter().filter_map(|id| all.iter().find(|v| v.id == *id));
        let members: Vec<Value> = members.map(|v| json!({"name": v.name, "uuid": v.id})).collect();
        Ok(json!({
            "uuid": group.id,
            "name": group.name,
            "svm": svm(self, &group.svm),
            "replicated": false,
            "volumes": members,
        }))
    }

    fn make_cg(&self, svm: String, name: String, volumes: Vec<Uuid>) -> Result<Value, Refusal> {
        let id = self.world.new_id();
        let made = self.with(|state| {
            if state.groups.values().any(|group| group.svm == svm && group.name == name) {
                return Err(Refusal::code("1", "duplicate entry").target("name"));
            }
            let taken = |volume: &Uuid| state.groups.values().any(|group| group.volumes.contains(volume));
            if volumes.iter().any(taken) {
                return Err(Refusal::code("53411865", "A volume is in another consistency group.").target("volumes"));
            }
            let group = ConsistencyGroup { id, name, svm, volumes, snapshots: Vec::new() };
            state.groups.insert(id, group.clone());
            Ok(group)
        })?;
        self.cg_record(&made)
    }

    fn restore_cg(&self, id: Uuid, reference: &Value) -> Result<(), Refusal> {
        self.may_restore()?;
        let text = |part: &str| reference.get(part).and_then(Value::as_str);
        let members = self.with(|state| {
            let cuts = &state.groups.get(&id)?.snapshots;
            let fits = |cut: &&super::super::state::GroupSnapshot| {
                text("uuid").is_none_or(|id| cut.id.to_string() == id)
                    && text("name").is_none_or(|name| cut.name == name)
            };
            cuts.iter().find(fits).map(|cut| cut.members.clone())
        });
        let members = members.ok_or_else(|| Refusal::code("1638600", "The snapshot of the group does not exist."))?;
        // One after the other, and what was done stays when one fails: as ONTAP does it.
        for (volume, snapshot) in members {
            self.restore_volume(volume, &self.array()?.snapshot(volume, snapshot)?)?;
        }
        Ok(())
    }
}

impl Call {
    /// A group that the account sees.
    pub(super) fn cg(&self, text: &str) -> Result<ConsistencyGroup, Refusal> {
        let id = self.id(text)?;
        let found = self.face.with(|state| state.groups.get(&id).cloned());
        found.filter(|group| self.sees(&group.svm)).ok_or_else(Refusal::absent)
    }
}

fn list(call: &Call, _: &[&str]) -> Result<Reply, Refusal> {
    let groups = call.face.with(|state| state.groups.values().cloned().collect::<Vec<_>>());
    let seen = groups.iter().filter(|group| call.sees(&group.svm));
    Ok(Reply::List(&GROUP, seen.map(|group| call.face.cg_record(group)).collect::<Result<_, _>>()?))
}

fn get(call: &Call, ids: &[&str]) -> Result<Reply, Refusal> {
    Ok(Reply::One(&GROUP, call.face.cg_record(&call.cg(ids[0])?)?))
}

fn post(call: &Call, _: &[&str]) -> Result<Reply, Refusal> {
    call.params.only(&[])?;
    call.body.only(&["name", "svm", "volumes"], &call.params)?;
    let (svm, name) = (call.svm_for_new()?, call.body.required("name")?.to_owned());
    let mut members: Vec<Volume> = Vec::new();
    for wanted in call.body.list("volumes")? {
        let action = wanted.pointer("/provisioning_options/action").and_then(Value::as_str);
        if action != Some("add") {
            let field = "volumes.provisioning_options.action";
            return Err(Refusal::bad_value(field, action.unwrap_or("create")));
        }
        let reference = json!({"name": wanted.get("name"), "uuid": wanted.get("uuid")});
        members.push(call.named_volume(Some(&reference), "volumes", "917927")?);
    }
    let most = call.face.array()?.info()?.spec.behaviour.group_volumes_max;
    if members.is_empty() || members.len() > most {
        return Err(Refusal::bad_value("volumes", &format!("{} volumes", members.len())));
    }
    let volumes = members.iter().map(|volume| volume.id).collect();
    Ok(Work::making(&GROUP, &call.path, &name.clone(), move |face| face.make_cg(svm, name, volumes)))
}

fn patch(call: &Call, ids: &[&str]) -> Result<Reply, Refusal> {
    let group = call.cg(ids[0])?;
    call.params.only(&["restore_to.snapshot.name", "restore_to.snapshot.uuid"])?;
    call.body.only(&["restore_to.snapshot", "uuid"], &call.params)?;
    let in_query = json!({
        "name": call.params.get("restore_to.snapshot.name"),
        "uuid": call.params.get("restore_to.snapshot.uuid"),
    });
    let reference = call.body.at("restore_to.snapshot").cloned().unwrap_or(in_query);
    if reference["name"].is_null() && reference["uuid"].is_null() {
        return Err(Refusal::missing("restore_to.snapshot.name"));
    }
    Ok(Work::changing(move |face| face.restore_cg(group.id, &reference)))
}

/// The volumes stay, and so do the snapshots on them.
fn delete(call: &Call, ids: &[&str]) -> Result<Reply, Refusal> {
    let group = call.cg(ids[0])?;
    call.params.only(&[])?;
    Ok(Work::changing(move |face| {
        face.with(|state| state.groups.remove(&group.id));
        Ok(())
    }))
}
