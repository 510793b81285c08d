//! A host's adapters to storage networks and the names that arrays know them by.

use super::pb;
use crate::{
    soap::Element,
    vcenter::{property_collector::ObjectProperties, property_spec::Properties},
};

/// What is read of a host. `hardware.systemInfo` whole: its `qualifiedName` came with 7.0.3, and a path that a server does
/// not know fails the whole call.
pub const ADAPTERS: Properties =
    Properties { kind: "HostSystem", paths: &["config.storageDevice.hostBusAdapter", "hardware.systemInfo"] };

/// The adapters, by device.
pub fn adapters(host: &ObjectProperties) -> Vec<pb::HostAdapter> {
    let nqn = host.get("hardware.systemInfo").and_then(nvme_name).unwrap_or_default();
    let mut adapters: Vec<pb::HostAdapter> = host
        .items("config.storageDevice.hostBusAdapter")
        .iter()
        .filter_map(|adapter| Some(described(adapter, kind(adapter)?, nqn)))
        .collect();
    adapters.sort_by(|left, right| left.device.cmp(&right.device));
    adapters
}

/// How an adapter speaks; `None` for one that leads to local disks.
pub fn kind(adapter: &Element) -> Option<pb::AdapterKind> {
    use pb::AdapterKind as Kind;
    let nvme = adapter.text_at("storageProtocol") == Some("nvme");
    match (adapter.xsi_type.as_str(), nvme) {
        ("HostInternetScsiHba", _) => Some(Kind::Iscsi),
        ("HostFibreChannelHba" | "HostFibreChannelOverEthernetHba", false) => Some(Kind::FibreChannel),
        ("HostFibreChannelHba" | "HostFibreChannelOverEthernetHba", true) => Some(Kind::NvmeFibreChannel),
        ("HostTcpHba", _) => Some(Kind::NvmeTcp),
        ("HostRdmaHba", _) => Some(Kind::NvmeRdma),
        _ => None,
    }
}

fn described(adapter: &Element, kind: pb::AdapterKind, nqn: &str) -> pb::HostAdapter {
    use pb::AdapterKind as Kind;
    let text = |path: &str| adapter.text_at(path).unwrap_or_default().to_owned();
    let initiator = match kind {
        Kind::Iscsi => text("iScsiName"),
        Kind::FibreChannel => wwn(adapter, "portWorldWideName"),
        _ => nqn.to_owned(),
    };
    pb::HostAdapter {
        device: text("device"),
        kind: kind.into(),
        initiator,
        node_wwn: wwn(adapter, "nodeWorldWideName"),
        status: text("status"),
    }
}

/// vCenter writes 64 bits as a signed number; arrays write pairs of hex digits.
fn wwn(adapter: &Element, field: &str) -> String {
    let Some(number) = adapter.number_at::<i64>(field) else { return String::new() };
    let pairs: Vec<String> = number.to_be_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    pairs.join(":")
}

fn nvme_name(system: &Element) -> Option<&str> {
    let mut names = system.all("qualifiedName");
    names.find(|name| name.text_at("type") == Some("nvmeQualifiedName"))?.text_at("value")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::soap::reader::read_values;

    fn host(inside: &str) -> ObjectProperties {
        let answer = format!(
            "<e:Envelope xmlns:e=\"http://schemas.xmlsoap.org/soap/envelope/\"><e:Body><R xmlns=\"urn:vim25\" \
             xmlns:x=\"http://www.w3.org/2001/XMLSchema-instance\"><objects><obj type=\"HostSystem\">host-1</obj>{inside}\
             </objects></R></e:Body></e:Envelope>"
        );
        let mut found = read_values(answer.as_bytes()).unwrap();
        ObjectProperties::from_element(found.remove(0)).unwrap()
    }

    #[test]
    fn names_are_written_as_arrays_write_them() {
        let hba =
            |kind: &str, fields: &str| format!("<HostHostBusAdapter x:type=\"{kind}\">{fields}</HostHostBusAdapter>");
        let all = [
            hba("HostInternetScsiHba", "<device>vmhba64</device><status>online</status><iScsiName>iqn.1998-01.com.vmware:a</iScsiName>"),
            hba("HostFibreChannelHba", "<device>vmhba2</device><portWorldWideName>2305843126027268812</portWorldWideName><nodeWorldWideName>-1</nodeWorldWideName>"),
            hba("HostFibreChannelHba", "<device>vmhba3</device><storageProtocol>nvme</storageProtocol><portWorldWideName>1</portWorldWideName><nodeWorldWideName>2</nodeWorldWideName>"),
            hba("HostTcpHba", "<device>vmhba65</device>"),
            hba("HostBlockHba", "<device>vmhba0</device>"),
            hba("HostParallelScsiHba", "<device>vmhba1</device>"),
        ]
        .concat();
        let found = adapters(&host(&format!(
            "<propSet><name>config.storageDevice.hostBusAdapter</name><val>{all}</val></propSet><propSet>\
             <name>hardware.systemInfo</name><val><qualifiedName><value>nqn.vvol</value><type>vvolNqn</type></qualifiedName>\
             <qualifiedName><value>nqn.host</value><type>nvmeQualifiedName</type></qualifiedName></val></propSet>"
        )));
        let rows: Vec<(&str, pb::AdapterKind, &str, &str)> = found
            .iter()
            .map(|one| (one.device.as_str(), one.kind(), one.initiator.as_str(), one.node_wwn.as_str()))
            .collect();
        use pb::AdapterKind as Kind;
        assert_eq!(
            rows,
            [
                ("vmhba2", Kind::FibreChannel, "20:00:00:1b:32:a1:b2:cc", "ff:ff:ff:ff:ff:ff:ff:ff"),
                ("vmhba3", Kind::NvmeFibreChannel, "nqn.host", "00:00:00:00:00:00:00:02"),
                ("vmhba64", Kind::Iscsi, "iqn.1998-01.com.vmware:a", ""),
                ("vmhba65", Kind::NvmeTcp, "nqn.host", ""),
            ]
        );
        assert_eq!(adapters(&host("")), []);
    }
}
