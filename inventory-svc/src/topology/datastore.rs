//! Datastores: what they lie on and who mounts them.

use super::{
    pb,
    places::{Places, unescape},
};
use crate::{soap::Element, vcenter::property_collector::ObjectProperties};
use strata_model::names;

/// A datastore as the contract shows it.
pub fn datastore(vcenter: &str, store: &ObjectProperties, places: &Places) -> pb::Datastore {
    let summary = store.get("summary");
    let number = |path: &str| summary.and_then(|summary| summary.number_at(path)).unwrap_or(0);
    let datacenter = places.datacenter(&store.object);
    let mut mounts: Vec<pb::HostMount> =
        store.items("host").iter().filter_map(|mount| host_mount(mount, places)).collect();
    mounts.sort_by(|left, right| left.host.cmp(&right.host));
    pb::Datastore {
        name: name(vcenter, &store.object.value),
        display_name: unescape(store.text("name")),
        moref: store.object.value.clone(),
        backing: Some(pb::DatastoreBacking { kind: Some(backing(store)) }),
        capacity_bytes: number("capacity"),
        free_bytes: number("freeSpace"),
        mounts,
        accessible: summary.is_some_and(|summary| summary.true_at("accessible")),
        in_cluster: store.moref("parent").is_some_and(|parent| parent.kind == "StoragePod"),
        datacenter_path: datacenter.as_ref().map(|found| found.path.clone()).unwrap_or_default(),
        datacenter_moref: datacenter.map(|found| found.moref.value).unwrap_or_default(),
    }
}

/// `vcenters/{vcenter}/datastores/{moref}`.
pub fn name(vcenter: &str, moref: &str) -> String {
    names::join(&[("vcenters", vcenter), ("datastores", moref)])
}

fn host_mount(mount: &Element, places: &Places) -> Option<pb::HostMount> {
    let host = mount.moref_at("key")?;
    let info = mount.child("mountInfo")?;
    // Fields that a server leaves out mean what they mean by default: mounted and reachable.
    let said = |path: &str| info.at(path).is_none_or(Element::is_true);
    Some(pb::HostMount {
        host: places.name(&host),
        host_moref: host.value,
        accessible: said("mounted") && said("accessible"),
        access_mode: info.text_at("accessMode").unwrap_or_default().to_owned(),
        mounted: said("mounted"),
        inaccessible_reason: info.text_at("inaccessibleReason").unwrap_or_default().to_owned(),
    })
}

fn extent(extent: &Element) -> Option<pb::VmfsExtent> {
    let canonical_name = extent.text_at("diskName")?.to_owned();
    Some(pb::VmfsExtent { canonical_name, partition: extent.number_at("partition").unwrap_or(0) })
}

fn backing(store: &ObjectProperties) -> pb::datastore_backing::Kind {
    use pb::datastore_backing::Kind;
    let summary_type = store.get("summary").and_then(|summary| summary.text_at("type")).unwrap_or_default();
    let Some(info) = store.get("info") else { return Kind::Unsupported(format!("unreadable {summary_type}")) };
    let text = |path: &str| info.text_at(path).unwrap_or_default().to_owned();
    match (info.xsi_type.as_str(), info.child("nas"), info.child("vmfs")) {
        ("NasDatastoreInfo", Some(nas), _) => Kind::Nfs(pb::NfsBacking {
            host: text("nas.remoteHost"),
            path: text("nas.remotePath"),
            version: nfs_version(nas, summary_type),
            hosts: nas.all("remoteHostNames").map(|host| host.value().to_owned()).collect(),
        }),
        ("VmfsDatastoreInfo", _, Some(vmfs)) => Kind::Vmfs(pb::VmfsBacking {
            uuid: text("vmfs.uuid"),
            extents: vmfs.all("extent").filter_map(extent).collect(),
            label: text("vmfs.name"),
        }),
        ("VvolDatastoreInfo", ..) => Kind::Unsupported("vVol".to_owned()),
        ("VsanDatastoreInfo", ..) => Kind::Unsupported("vSAN".to_owned()),
        ("LocalDatastoreInfo", ..) => Kind::Unsupported("local".to_owned()),
        ("PMemDatastoreInfo", ..) => Kind::Unsupported("PMem".to_owned()),
        (other, ..) => match summary_type {
            "vsan" => Kind::Unsupported("vSAN".to_owned()),
            "VVOL" => Kind::Unsupported("vVol".to_owned()),
            "" => Kind::Unsupported(other.to_owned()),
            known => Kind::Unsupported(known.to_owned()),
        },
    }
}

fn nfs_version(nas: &Element, summary_type: &str) -> String {
    match (nas.text_at("type"), summary_type) {
        (Some("NFS41"), _) | (None, "NFS41") => "NFS41".to_owned(),
        (Some("CIFS"), _) => "CIFS".to_owned(),
        _ => "NFS".to_owned(),
    }
}
