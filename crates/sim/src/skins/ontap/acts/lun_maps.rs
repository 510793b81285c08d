//! LUN maps: which LUN which initiator group sees, under which number.

use super::{
    super::{Face, Release, call::Call, dispatch::Route, query::Kind, refusal::Refusal, reply::Reply},
    svm,
};
use crate::world::storage::{InitiatorGroup, Lun, LunMap, Volume};
use serde_json::{Value, json};

pub(super) const ROUTES: &[Route] = &[
    (Release::V9_8, "GET", "protocols/san/lun-maps", list),
    (Release::V9_8, "POST", "protocols/san/lun-maps", post),
    (Release::V9_8, "GET", "protocols/san/lun-maps/{}/{}", get),
    (Release::V9_8, "DELETE", "protocols/san/lun-maps/{}/{}", delete),
];

const LUN_MAP: Kind = Kind {
    href: "/api/protocols/san/lun-maps/{lun.uuid}/{igroup.uuid}",
    key: &["lun.uuid", "igroup.uuid"],
    shown: &["lun.uuid", "lun.name", "igroup.uuid", "igroup.name", "svm.uuid", "svm.name"],
    expensive: &["reporting_nodes"],
    fields: "igroup{initiators,name,os_type,protocol,replicated,uuid} logical_unit_number lun{name,node{name,uuid},smbc,\
        uuid} replicated reporting_nodes{name,uuid} svm{name,uuid}",
};

impl Face {
    fn map_record(&self, volume: &Volume, lun: &Lun, group: &InitiatorGroup, map: LunMap) -> Result<Value, Refusal> {
        Ok(json!({
            "lun": {"name": Self::lun_name(volume, lun), "uuid": lun.id},
            "igroup": {"name": group.name, "uuid": group.id, "initiators": group.initiators},
            "logical_unit_number": map.number,
            "svm": svm(self, &self.facts(volume)?.svm),
            "reporting_nodes": [{"name": "node1", "uuid": self.id_of("node1")}],
        }))
    }
}

fn records(call: &Call) -> Result<Vec<Value>, Refusal> {
    let groups = call.groups()?;
    let mut records = Vec::new();
    for (volume, lun) in call.luns()? {
        for map in &lun.maps {
            if let Some(group) = groups.iter().find(|group| group.id == map.group) {
                records.push(call.face.map_record(&volume, &lun, group, *map)?);
            }
        }
    }
    Ok(records)
}

fn list(call: &Call, _: &[&str]) -> Result<Reply, Refusal> {
    Ok(Reply::List(&LUN_MAP, records(call)?))
}

fn one(call: &Call, ids: &[&str]) -> Result<Value, Refusal> {
    let (lun, group) = (json!(call.id(ids[0])?), json!(call.id(ids[1])?));
    let found = records(call)?.into_iter().find(|r| r["lun"]["uuid"] == lun && r["igroup"]["uuid"] == group);
    found.ok_or_else(|| Refusal::code("5374922", "The LUN is not mapped to the igroup."))
}

fn get(call: &Call, ids: &[&str]) -> Result<Reply, Refusal> {
    Ok(Reply::One(&LUN_MAP, one(call, ids)?))
}

fn post(call: &Call, _: &[&str]) -> Result<Reply, Refusal> {
    call.params.only(&[])?;
    call.body.only(&["svm", "lun", "igroup", "logical_unit_number"], &call.params)?;
    call.svm_for_new()?;
    let (volume, lun) = call.named_lun(call.body.at("lun"), "1254201")?;
    let text = |part: &str| call.body.at("igroup").and_then(|group| group.get(part)).and_then(Value::as_str);
    let (id, name) = (text("uuid"), text("name"));
    if id.is_none() && name.is_none() {
        return Err(Refusal::missing("igroup.name"));
    }
    let fits =
        |g: &InitiatorGroup| id.is_none_or(|id| g.id.to_string() == id) && name.is_none_or(|name| g.name == name);
    let absent = || Refusal::code("5374878", "The specified igroup does not exist.").target("igroup");
    let group = call.groups()?.into_iter().find(fits).ok_or_else(absent)?;
    let number = call.body.size("logical_unit_number")?;
    let number =
        number.map(|n| u32::try_from(n).map_err(|_| Refusal::bad_value("logical_unit_number", &n.to_string())));
    let number = number.transpose()?;
    Ok(Reply::now(&LUN_MAP, move |face| {
        face.lun_volume_online(volume.id)?;
        let map = face.array()?.map_lun(lun.id, group.id, number)?;
        face.map_record(&volume, &lun, &group, map)
    }))
}

fn delete(call: &Call, ids: &[&str]) -> Result<Reply, Refusal> {
    call.params.only(&[])?;
    one(call, ids)?;
    let (lun, group) = (call.id(ids[0])?, call.id(ids[1])?);
    Ok(Reply::now_without(move |face| Ok(face.array()?.unmap_lun(lun, group)?)))
}
