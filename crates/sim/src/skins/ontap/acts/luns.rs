//! LUNs: `/vol/<volume>/<lun>`, with a serial of 12 characters.

use super::{
    super::{Face, Release, call::Call, dispatch::Route, query::Kind, refusal::Refusal, reply::Reply, state::SanFacts},
    lun_change, lun_make, svm, time, without_empty,
};
use crate::world::storage::{Lun, Volume};
use serde_json::{Value, json};

pub(super) const ROUTES: &[Route] = &[
    (Release::V9_8, "GET", "storage/luns", list),
    (Release::V9_8, "POST", "storage/luns", lun_make::post),
    (Release::V9_8, "GET", "storage/luns/{}", get),
    (Release::V9_8, "PATCH", "storage/luns/{}", lun_change::patch),
    (Release::V9_8, "DELETE", "storage/luns/{}", lun_change::delete),
];

pub(super) const LUN: Kind = Kind {
    href: "/api/storage/luns/{uuid}",
    key: &["uuid"],
    shown: &["uuid", "name"],
    expensive: &["lun_maps", "status.mapped", "attributes", "auto_delete"],
    fields: "access_mode attributes auto_delete class clone{created_as_clone,source} comment \
        consistency_group{name,uuid} convert copy create_time enabled encryption location{logical_unit,node{name,uuid},\
        qtree{id,name},storage_availability_zone,volume{name,uuid}} lun_maps{igroup{name,uuid},logical_unit_number} \
        metric movement name os_type provisioning_options qos_policy serial_number serial_number_hex \
        space{efficiency_ratio,guarantee{requested,reserved},physical_used,physical_used_by_snapshots,\
        scsi_thin_provisioning_support_enabled,size,snapshot,used} statistics \
        status{container_state,mapped,read_only,state} svm{name,uuid} uuid vvol",
};

impl Face {
    /// What ONTAP knows of a LUN and hosts do not see; a clone has its source's.
    pub(super) fn lun_facts(&self, lun: &Lun, svm: &str) -> SanFacts {
        let held = self.with(|state| {
            let origin = lun.origin.and_then(|origin| state.luns.get(&origin.lun));
            state.luns.get(&lun.id).or(origin).cloned()
        });
        held.unwrap_or_else(|| SanFacts { svm: svm.to_owned(), os_type: "vmware".to_owned(), ..SanFacts::default() })
    }

    /// A LUN's full name.
    pub(super) fn lun_name(volume: &Volume, lun: &Lun) -> String {
        format!("/vol/{}/{}", volume.name, lun.name)
    }

    /// A LUN as clients see it.
    pub(super) fn lun_record(&self, volume: &Volume, lun: &Lun) -> Result<Value, Refusal> {
        let (array, held) = (self.array()?, self.facts(volume)?);
        let facts = self.lun_facts(lun, &held.svm);
        let groups = array.initiator_groups()?;
        let maps: Vec<Value> = lun
            .maps
            .iter()
            .filter_map(|map| {
                let group = groups.iter().find(|group| group.id == map.group)?;
                let igroup = json!({"name": group.name, "uuid": group.id});
                Some(json!({"igroup": igroup, "logical_unit_number": map.number}))
            })
            .collect();
        let unit = lun.name.rsplit('/').next().unwrap_or(&lun.name);
        let qtree = lun.name.split_once('/').map(|(qtree, _)| json!({"name": qtree}));
        let hex: String = lun.serial.bytes().map(|byte| format!("{byte:02x}")).collect();
        let hex = if self.release() >= Release::V9_17_1 { json!(hex) } else { Value::Null };
        let mut record = without_empty(json!({
            "uuid": lun.id,
            "name": Self::lun_name(volume, lun),
            "serial_number": lun.serial,
            "serial_number_hex": hex,
            "os_type": facts.os_type,
            "class": "regular",
            "enabled": lun.online,
            "comment": lun.comment,
            "create_time": time(lun.created),
            "auto_delete": false,
            "svm": svm(self, &held.svm),
            "location": {
                "logical_unit": unit,
                "qtree": qtree,
                "volume": {"name": volume.name, "uuid": volume.id},
                "node": {"name": "node1", "uuid": self.id_of("node1")},
            },
            "space": {
                "size": lun.size_bytes,
                "used": volume.used_bytes.min(lun.size_bytes),
                "guarantee": {"requested": false, "reserved": false},
                "scsi_thin_provisioning_support_enabled": lun.origin.is_none(),
            },
            "status": {
                "state": if lun.online && held.online { "online" } else { "offline" },
                "container_state": if held.online { "online" } else { "volume_offline" },
                "mapped": !maps.is_empty(),
                "read_only": volume.read_only,
            },
        }));
        if !maps.is_empty() {
            record["lun_maps"] = json!(maps);
        }
        Ok(record)
    }
}

impl Call {
    /// All LUNs that the account sees, with their volumes.
    pub(super) fn luns(&self) -> Result<Vec<(Volume, Lun)>, Refusal> {
        let mut all = Vec::new();
        for volume in self.volumes()? {
            all.extend(self.face.array()?.luns(volume.id)?.into_iter().map(|lun| (volume.clone(), lun)));
        }
        Ok(all)
    }

    /// A LUN that the account sees.
    pub(super) fn lun(&self, text: &str) -> Result<(Volume, Lun), Refusal> {
        let id = self.id(text)?;
        self.luns()?.into_iter().find(|(_, lun)| lun.id == id).ok_or_else(Refusal::absent)
    }

    /// The LUN that a body names by uuid or full name.
    pub(super) fn named_lun(&self, reference: Option<&Value>, absent: &str) -> Result<(Volume, Lun), Refusal> {
        let text = |part: &str| reference.and_then(|r| r.get(part)).and_then(Value::as_str);
        let (id, name) = (text("uuid"), text("name"));
        let shown = name.or(id).ok_or_else(|| Refusal::missing("lun.name"))?;
        let fits = |volume: &Volume, lun: &Lun| {
            id.is_none_or(|id| lun.id.to_string() == id) && name.is_none_or(|name| Face::lun_name(volume, lun) == name)
        };
        let found = self.luns()?.into_iter().find(|(volume, lun)| fits(volume, lun));
        found.ok_or_else(|| Refusal::code(absent, &format!("The LUN \"{shown}\" does not exist.")).target("lun"))
    }
}

fn list(call: &Call, _: &[&str]) -> Result<Reply, Refusal> {
    let records =
        call.luns()?.iter().map(|(volume, lun)| call.face.lun_record(volume, lun)).collect::<Result<_, _>>()?;
    Ok(Reply::List(&LUN, records))
}

fn get(call: &Call, ids: &[&str]) -> Result<Reply, Refusal> {
    let (volume, lun) = call.lun(ids[0])?;
    Ok(Reply::One(&LUN, call.face.lun_record(&volume, &lun)?))
}
