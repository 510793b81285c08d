//! Initiator groups and their initiators.

use super::{
    super::{Face, Release, call::Call, dispatch::Route, query::Kind, refusal::Refusal, reply::Reply, state::SanFacts},
    svm, without_empty,
};
use crate::world::storage::{InitiatorGroup, canonical_initiator};
use serde_json::{Value, json};
use std::collections::BTreeSet;

pub(super) const ROUTES: &[Route] = &[
    (Release::V9_8, "GET", "protocols/san/igroups", list),
    (Release::V9_8, "POST", "protocols/san/igroups", post),
    (Release::V9_8, "GET", "protocols/san/igroups/{}", get),
    (Release::V9_8, "DELETE", "protocols/san/igroups/{}", delete),
    (Release::V9_8, "GET", "protocols/san/igroups/{}/initiators", initiators),
    (Release::V9_8, "POST", "protocols/san/igroups/{}/initiators", add),
    (Release::V9_8, "GET", "protocols/san/igroups/{}/initiators/{}", initiator),
    (Release::V9_8, "DELETE", "protocols/san/igroups/{}/initiators/{}", remove),
];

const IGROUP: Kind = Kind {
    href: "/api/protocols/san/igroups/{uuid}",
    key: &["uuid"],
    shown: &["uuid", "name", "svm.uuid", "svm.name"],
    expensive: &["lun_maps", "connectivity_tracking"],
    fields: "comment connectivity_tracking delete_on_unmap igroups initiators{comment,connectivity_tracking,igroup,name,\
        proximity} lun_maps{logical_unit_number,lun{name,uuid}} name os_type parent_igroups portset protocol replication \
        supports_igroups svm{name,uuid} target{firmware_revision,product_id,vendor_id} uuid",
};
const INITIATOR: Kind = Kind {
    href: "/api/protocols/san/igroups/{igroup.uuid}/initiators/{name}",
    key: &["name"],
    shown: &["name", "igroup.uuid", "igroup.name"],
    expensive: &[],
    fields: "comment connectivity_tracking igroup{name,uuid} name proximity",
};

impl Face {
    fn group_facts(&self, group: &InitiatorGroup) -> SanFacts {
        let first = self.settings().svms.first().cloned().unwrap_or_default();
        let usual =
            || SanFacts { svm: first, os_type: "vmware".into(), protocol: "mixed".into(), comment: String::new() };
        self.with(|state| state.igroups.get(&group.id).cloned()).unwrap_or_else(usual)
    }

    fn group_record(&self, group: &InitiatorGroup) -> Result<Value, Refusal> {
        let (array, facts) = (self.array()?, self.group_facts(group));
        let mut maps = Vec::new();
        for lun in array.all_luns()? {
            let volume = array.volume(lun.volume)?;
            for map in lun.maps.iter().filter(|map| map.group == group.id) {
                let shown = json!({"name": Self::lun_name(&volume, &lun), "uuid": lun.id});
                maps.push(json!({"lun": shown, "logical_unit_number": map.number}));
            }
        }
        let initiators: Vec<Value> = group.initiators.iter().map(|name| json!({"name": name})).collect();
        Ok(without_empty(json!({
            "uuid": group.id,
            "name": group.name,
            "svm": svm(self, &facts.svm),
            "os_type": facts.os_type,
            "protocol": facts.protocol,
            "comment": facts.comment,
            "initiators": if initiators.is_empty() { Value::Null } else { json!(initiators) },
            "lun_maps": if maps.is_empty() { Value::Null } else { json!(maps) },
            "delete_on_unmap": false,
            "supports_igroups": self.release() >= Release::V9_9_1,
            "target": {"vendor_id": "NETAPP", "product_id": "LUN C-Mode"},
        })))
    }

    /// A host's initiator must not be in groups of two operating systems.
    fn same_os(&self, os_type: &str, initiators: &BTreeSet<String>) -> Result<(), Refusal> {
        for group in self.array()?.initiator_groups()? {
            let other = self.group_facts(&group).os_type;
            let shared = group.initiators.intersection(initiators).next();
            if let (Some(initiator), true) = (shared, other != os_type) {
                let message =
                    format!("Initiator \"{initiator}\" is in igroup \"{}\" with OS type \"{other}\".", group.name);
                return Err(Refusal::code("5374734", &message));
            }
        }
        Ok(())
    }

    fn is_mapped(&self, group: &InitiatorGroup) -> Result<bool, Refusal> {
        Ok(self.array()?.all_luns()?.iter().any(|lun| lun.maps.iter().any(|map| map.group == group.id)))
    }
}

impl Call {
    /// The groups that the account sees.
    pub(super) fn groups(&self) -> Result<Vec<InitiatorGroup>, Refusal> {
        let mut groups = self.face.array()?.initiator_groups()?;
        groups.retain(|group| self.sees(&self.face.group_facts(group).svm));
        Ok(groups)
    }

    fn group(&self, text: &str) -> Result<InitiatorGroup, Refusal> {
        let id = self.id(text)?;
        self.groups()?.into_iter().find(|group| group.id == id).ok_or_else(Refusal::absent)
    }
}

/// Names out of `initiators` or `records`, as they are compared.
fn names(items: &[Value]) -> Result<BTreeSet<String>, Refusal> {
    let name = |item: &Value| item.get("name").and_then(Value::as_str).map(str::to_owned);
    let each = items.iter().map(|item| {
        let name = name(item).ok_or_else(|| Refusal::missing("initiators.name"))?;
        Ok(canonical_initiator(&name)?)
    });
    each.collect()
}

fn list(call: &Call, _: &[&str]) -> Result<Reply, Refusal> {
    let records = call.groups()?.iter().map(|group| call.face.group_record(group)).collect::<Result<_, _>>()?;
    Ok(Reply::List(&IGROUP, records))
}

fn get(call: &Call, ids: &[&str]) -> Result<Reply, Refusal> {
    Ok(Reply::One(&IGROUP, call.face.group_record(&call.group(ids[0])?)?))
}

fn post(call: &Call, _: &[&str]) -> Result<Reply, Refusal> {
    call.params.only(&[])?;
    call.body.only(&["name", "svm", "os_type", "protocol", "comment", "initiators"], &call.params)?;
    let (svm, name) = (call.svm_for_new()?, call.body.required("name")?.to_owned());
    let os_type = call.body.required("os_type")?.to_owned();
    let protocol = call.body.text("protocol")?.unwrap_or("mixed").to_owned();
    if !["iscsi", "fcp", "mixed"].contains(&protocol.as_str()) {
        return Err(Refusal::bad_value("protocol", &protocol));
    }
    let comment = call.body.text("comment")?.unwrap_or_default().to_owned();
    let initiators = names(call.body.list("initiators")?)?;
    Ok(Reply::now(&IGROUP, move |face| {
        face.same_os(&os_type, &initiators)?;
        let made = face.array()?.create_initiator_group(&name, initiators)?;
        face.with(|state| state.igroups.insert(made.id, SanFacts { svm, os_type, protocol, comment }));
        face.group_record(&made)
    }))
}

fn delete(call: &Call, ids: &[&str]) -> Result<Reply, Refusal> {
    let group = call.group(ids[0])?;
    call.params.only(&["allow_delete_while_mapped"])?;
    let mapped_too = call.params.flag("allow_delete_while_mapped")? == Some(true);
    Ok(Reply::now_without(move |face| {
        let array = face.array()?;
        for lun in array.all_luns()?.iter().filter(|_| mapped_too) {
            if lun.maps.iter().any(|map| map.group == group.id) {
                array.unmap_lun(lun.id, group.id)?;
            }
        }
        array.delete_initiator_group(group.id)?;
        face.with(|state| state.igroups.remove(&group.id));
        Ok(())
    }))
}

fn shown(group: &InitiatorGroup, name: &str) -> Value {
    json!({"name": name, "igroup": {"name": group.name, "uuid": group.id}})
}

fn initiators(call: &Call, ids: &[&str]) -> Result<Reply, Refusal> {
    let group = call.group(ids[0])?;
    Ok(Reply::List(&INITIATOR, group.initiators.iter().map(|name| shown(&group, name)).collect()))
}

fn initiator(call: &Call, ids: &[&str]) -> Result<Reply, Refusal> {
    let group = call.group(ids[0])?;
    let name = group.initiators.get(&canonical_initiator(ids[1])?).ok_or_else(Refusal::absent)?;
    Ok(Reply::One(&INITIATOR, shown(&group, name)))
}

fn add(call: &Call, ids: &[&str]) -> Result<Reply, Refusal> {
    let group = call.group(ids[0])?;
    call.params.only(&[])?;
    call.body.only(&["name", "comment", "records", "igroup"], &call.params)?;
    let new = match call.body.list("records")? {
        [] => names(&[json!({"name": call.body.required("name")?})])?,
        records => names(records)?,
    };
    Ok(Reply::now(&INITIATOR, move |face| {
        let os_type = face.group_facts(&group).os_type;
        if let Some(known) = group.initiators.intersection(&new).next() {
            return Err(Refusal::code("5374035", &format!("Initiator \"{known}\" is in the igroup already.")));
        }
        face.same_os(&os_type, &new)?;
        face.array()?.set_initiators(group.id, group.initiators.union(&new).cloned().collect())?;
        Ok(shown(&group, new.first().map_or("", String::as_str)))
    }))
}

fn remove(call: &Call, ids: &[&str]) -> Result<Reply, Refusal> {
    let group = call.group(ids[0])?;
    call.params.only(&["allow_delete_while_mapped"])?;
    let mapped_too = call.params.flag("allow_delete_while_mapped")? == Some(true);
    let name = canonical_initiator(ids[1])?;
    Ok(Reply::now_without(move |face| {
        let mut left = group.initiators.clone();
        if !left.remove(&name) {
            return Err(Refusal::code("5374852", &format!("Initiator \"{name}\" is not in the igroup.")));
        }
        if face.is_mapped(&group)? && !mapped_too {
            return Err(Refusal::code("1254213", &format!("The igroup \"{}\" has LUN maps.", group.name)));
        }
        Ok(face.array()?.set_initiators(group.id, left)?)
    }))
}
