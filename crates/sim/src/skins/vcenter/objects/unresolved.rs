//! Copies of VMFS volumes, as hosts list and resolve them.

use super::{super::context::Answer, datastore};
use crate::world::compute::{
    block::{Resolution, UnresolvedVolume},
    fault::Fault,
    state::State,
    value::{MoRef, Val, obj},
};

fn shown(s: &State, host: &str, volume: &UnresolvedVolume) -> Val {
    let devices = s.hosts.get(host).map(|h| &h.san.devices);
    let blocks = |device: &str| devices.and_then(|d| d.get(device)).map_or(0, |d| d.size_bytes >> 20);
    let mut start = 0;
    let mut extents = Vec::new();
    for extent in &volume.extents {
        let end = start + blocks(&extent.device);
        let device = obj!("HostScsiDiskPartition", "diskName" => &extent.device, "partition" => 1);
        extents.push(obj!("HostUnresolvedVmfsExtent", "device" => device, "devicePath" => extent.device_path(),
            "vmfsUuid" => &volume.uuid, "isHeadExtent" => extent.ordinal == 0, "ordinal" => extent.ordinal,
            "startBlock" => start, "endBlock" => end.saturating_sub(1), "reason" => extent.reason));
        start = end;
    }
    let status = obj!("HostUnresolvedVmfsVolumeResolveStatus", "resolvable" => volume.resolvable(),
        "incompleteExtents" => volume.incomplete, "multipleCopies" => volume.multiple);
    obj!("HostUnresolvedVmfsVolume", "extent" => Val::List(extents), "vmfsLabel" => &volume.label,
        "vmfsUuid" => &volume.uuid, "totalBlocks" => start, "resolveStatus" => status)
}

/// All copies that a host saw.
pub fn list(s: &State, host: &str) -> Answer {
    let all = s.unresolved(host)?;
    Ok(Val::List(all.iter().map(|v| shown(s, host, v)).collect()))
}

fn paths(spec: &Val) -> Vec<String> {
    spec.list("extentDevicePath").iter().filter_map(Val::as_str).map(str::to_owned).collect()
}

/// Gives a copy a signature of its own; the result of ResignatureUnresolvedVmfsVolume_Task. Other hosts see the datastore when
/// they look.
pub fn resignature(s: &mut State, host: &str, spec: &Val) -> Answer {
    let made = s.resolve(host, &paths(spec), Resolution::Resignature)?;
    let rescan = obj!("HostVmfsRescanResult", "host" => MoRef::new("HostSystem", host));
    Ok(
        obj!("HostResignatureRescanResult", "rescan" => Val::List(vec![rescan]), "result" => MoRef::new("Datastore", made)),
    )
}

/// Resolves several copies, each with a result of its own.
pub fn resolve_many(s: &mut State, host: &str, specs: &[Val]) -> Answer {
    s.check_host(host)?;
    let mut results = Vec::new();
    for spec in specs {
        let how = match spec.str("uuidResolution") {
            Some("resignature") => Ok(Resolution::Resignature),
            Some("forceMount") => Ok(Resolution::Force),
            _ => Err(Fault::invalid_argument("resolutionSpec.uuidResolution")),
        };
        let done = s.resolve(host, &paths(spec), how?);
        let fault = done.as_ref().err().map(Fault::localized);
        let vmfs = done.ok().and_then(|id| s.datastores.get(&id)).map(|ds| datastore::volume(s, ds));
        results
            .push(obj!("HostUnresolvedVmfsResolutionResult", "spec" => spec.clone(), "vmfs" => vmfs, "fault" => fault));
    }
    Ok(Val::List(results))
}
