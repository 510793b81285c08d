//! The devices that hosts see under a datastore, and the volumes and LUNs that arrays have behind them.

use super::{PlacedDatastore, PlacedLun};
use crate::error::{GatewayError, Result};
use strata_proto::strata::{
    inventory::v1::{self as inv, datastore_backing::Kind},
    storage::v1 as sto,
};

/// The devices under a datastore, head extent first for a VMFS; `Err` says why Strata cannot use it.
pub(crate) fn devices_of(datastore: &inv::Datastore) -> std::result::Result<Vec<sto::Device>, String> {
    match datastore.backing.as_ref().and_then(|backing| backing.kind.as_ref()) {
        Some(Kind::Nfs(nfs)) => Ok(vec![sto::Device {
            kind: Some(sto::device::Kind::Nfs(sto::NfsDevice { host: nfs.host.clone(), path: nfs.path.clone() })),
        }]),
        Some(Kind::Vmfs(vmfs)) if vmfs.extents.is_empty() => {
            Err("vCenter does not name the devices of its VMFS".into())
        }
        Some(Kind::Vmfs(vmfs)) => Ok(vmfs.extents.iter().map(|extent| device(&extent.canonical_name)).collect()),
        Some(Kind::Unsupported(what)) => Err(format!("{what} is not supported")),
        None => Err("vCenter does not say what it lies on".to_owned()),
    }
}

/// A device by its canonical name.
pub(crate) fn device(canonical_name: &str) -> sto::Device {
    sto::Device { kind: Some(sto::device::Kind::CanonicalName(canonical_name.to_owned())) }
}

/// The canonical name of a device, where it is a LUN.
pub(crate) fn canonical_name(device: &sto::Device) -> Option<&str> {
    match &device.kind {
        Some(sto::device::Kind::CanonicalName(name)) => Some(name),
        _ => None,
    }
}

/// The VMFS of a datastore, where it is one.
pub(crate) fn vmfs(datastore: &inv::Datastore) -> Option<&inv::VmfsBacking> {
    match datastore.backing.as_ref()?.kind.as_ref()? {
        Kind::Vmfs(vmfs) => Some(vmfs),
        _ => None,
    }
}

/// A datastore with what was found behind each of its devices, in their order.
pub(super) fn placed(
    datastore: &inv::Datastore,
    devices: std::result::Result<Vec<sto::Device>, String>,
    resolutions: &mut impl Iterator<Item = sto::DeviceResolution>,
) -> Result<PlacedDatastore> {
    let nothing = |evidence: String| PlacedDatastore {
        datastore: datastore.clone(),
        volume: None,
        path_in_volume: String::new(),
        evidence,
        luns: Vec::new(),
    };
    let devices = match devices {
        Ok(devices) => devices,
        Err(reason) => return Ok(nothing(reason)),
    };
    let found: Vec<sto::DeviceResolution> = resolutions.take(devices.len()).collect();
    if found.len() < devices.len() {
        return Err(GatewayError::unexpected("storage-svc answered fewer devices than were asked"));
    }
    if vmfs(datastore).is_none() {
        let only = found.into_iter().next().unwrap_or_default();
        return Ok(match only.volume {
            None => nothing(only.reason),
            Some(volume) => {
                PlacedDatastore { volume: Some(volume), path_in_volume: only.path_in_volume, ..nothing(only.evidence) }
            }
        });
    }
    let count = found.len();
    let mut luns = Vec::new();
    for (index, (device, one)) in devices.iter().zip(found).enumerate() {
        let name = canonical_name(device).unwrap_or_default().to_owned();
        match (one.volume, one.lun) {
            (Some(volume), Some(lun)) => {
                let evidence = format!("extent {} of {count} is {name}: {}", index + 1, one.evidence);
                luns.push(PlacedLun { volume, lun, siblings: one.siblings, evidence });
            }
            (Some(volume), None) => {
                return Ok(nothing(format!("{name} is on {}, and its array does not name the LUN", volume.name)));
            }
            (None, _) => return Ok(nothing(format!("extent {} of {count}, {name}: {}", index + 1, one.reason))),
        }
    }
    let evidence: Vec<&str> = luns.iter().map(|lun| lun.evidence.as_str()).collect();
    Ok(PlacedDatastore { volume: luns.first().map(|lun| lun.volume.clone()), ..nothing(evidence.join("; ")) }
        .with_luns(luns))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store(extents: &[&str]) -> inv::Datastore {
        let extents = extents.iter().map(|name| inv::VmfsExtent { canonical_name: (*name).into(), partition: 1 });
        let vmfs = inv::VmfsBacking { uuid: "u".into(), extents: extents.collect(), label: "ds".into() };
        inv::Datastore {
            display_name: "ds".into(),
            backing: Some(inv::DatastoreBacking { kind: Some(Kind::Vmfs(vmfs)) }),
            ..Default::default()
        }
    }

    fn found(volume: &str) -> sto::DeviceResolution {
        sto::DeviceResolution {
            volume: Some(sto::Volume { name: volume.into(), ..Default::default() }),
            lun: Some(sto::Lun { path: "l".into(), ..Default::default() }),
            evidence: "serial".into(),
            ..Default::default()
        }
    }

    #[test]
    fn a_vmfs_has_all_its_volumes_or_none() {
        let store = store(&["naa.1", "naa.2"]);
        let absent = sto::DeviceResolution { reason: "no array has it".into(), ..Default::default() };
        let mut whole = vec![found("arrays/a/volumes/1"), found("arrays/a/volumes/2")].into_iter();
        let both = placed(&store, devices_of(&store), &mut whole).unwrap();
        let names: Vec<&str> = both.volumes().map(|volume| volume.name.as_str()).collect();
        assert_eq!(names, ["arrays/a/volumes/1", "arrays/a/volumes/2"]);
        assert!(both.evidence.contains("extent 2 of 2 is naa.2: serial"), "{}", both.evidence);
        let mut half = vec![found("arrays/a/volumes/1"), absent].into_iter();
        let none = placed(&store, devices_of(&store), &mut half).unwrap();
        assert!(none.volume.is_none() && none.volumes().count() == 0);
        assert!(none.evidence.contains("naa.2: no array has it"), "{}", none.evidence);
        assert!(placed(&store, devices_of(&store), &mut vec![found("x")].into_iter()).is_err(), "one answer is lost");
    }
}
