//! A clone as the API shows it.

use super::time;
use crate::catalog::CloneRecord;
use strata_proto::strata::gateway::v1 as pb;

/// A clone. Its power state is what it was made with; vCenter is asked by who wants to know it now.
pub fn clone(clone: &CloneRecord) -> pb::Clone {
    let intent = &clone.intent;
    let mounted = intent.targets.iter().map(|target| &target.datastore).filter(|name| !name.is_empty());
    let datastores = intent.vmfs.iter().map(|vmfs| &vmfs.datastore).chain(mounted).cloned();
    pb::Clone {
        name: format!("clones/{}", intent.clone_id),
        display_name: intent.display_name.clone(),
        vm: clone.vm.clone(),
        snapshot: format!("snapshots/{}", intent.snapshot_id),
        source_vm: intent.source_vm.clone(),
        create_time: Some(time(clone.create_time)),
        way: match (intent.by_volume, intent.vmfs.is_empty()) {
            (false, _) => "files",
            (true, true) => "volume",
            (true, false) => "lun",
        }
        .to_owned(),
        bios_uuid: intent.bios_uuid.clone(),
        mac_addresses: clone.mac_addresses.clone(),
        stripped: clone.stripped.clone(),
        datastores: datastores.collect(),
        power_state: if clone.powered_on { "on" } else { "off" }.to_owned(),
        adapters_disconnected: true,
        copied_bytes: clone.copied_bytes,
        operation: clone.operation.clone(),
        vmx_path: intent.vmx_path.clone(),
    }
}
