//! NVMe, as an array without any shows it: the lists are there and empty (README.md).

use super::super::{Release, call::Call, dispatch::Route, query::Kind, refusal::Refusal, reply::Reply};

pub(super) const ROUTES: &[Route] = &[
    (Release::V9_8, "GET", "storage/namespaces", namespaces),
    (Release::V9_8, "GET", "protocols/nvme/subsystems", subsystems),
    (Release::V9_8, "GET", "protocols/nvme/subsystem-maps", maps),
];

const NAMESPACE: Kind = Kind {
    href: "/api/storage/namespaces/{uuid}",
    key: &["uuid"],
    shown: &["uuid", "name"],
    expensive: &["subsystem_map"],
    fields: "auto_delete clone comment create_time enabled location{namespace,node,qtree,volume{name,uuid}} metric name \
        os_type space statistics status subsystem_map svm{name,uuid} uuid",
};
const SUBSYSTEM: Kind = Kind {
    href: "/api/protocols/nvme/subsystems/{uuid}",
    key: &["uuid"],
    shown: &["uuid", "name", "svm.uuid", "svm.name"],
    expensive: &["subsystem_maps"],
    fields: "comment delete_on_unmap hosts io_queue name os_type serial_number subsystem_maps svm{name,uuid} target_nqn \
        uuid vendor_uuids",
};
const MAP: Kind = Kind {
    href: "/api/protocols/nvme/subsystem-maps/{subsystem.uuid}/{namespace.uuid}",
    key: &["subsystem.uuid", "namespace.uuid"],
    shown: &["subsystem.uuid", "namespace.uuid"],
    expensive: &["anagrpid", "nsid"],
    fields: "anagrpid namespace{name,node,uuid} nsid subsystem{name,uuid} svm{name,uuid}",
};

fn namespaces(_: &Call, _: &[&str]) -> Result<Reply, Refusal> {
    Ok(Reply::List(&NAMESPACE, Vec::new()))
}

fn subsystems(_: &Call, _: &[&str]) -> Result<Reply, Refusal> {
    Ok(Reply::List(&SUBSYSTEM, Vec::new()))
}

fn maps(_: &Call, _: &[&str]) -> Result<Reply, Refusal> {
    Ok(Reply::List(&MAP, Vec::new()))
}
