//! ResolveDevices, ListVolumes.

use super::{
    convert,
    error::status,
    paging,
    validate::{Fields, find},
};
use crate::{
    arrays::{Arrays, Placement},
    driver::{Device, NfsPath, Resolution},
};
use strata_proto::strata::storage::v1::{self as pb, device::Kind};
use tonic::Status;

const DEVICES_MAX: usize = 1000;

pub(super) async fn resolve(
    arrays: &Arrays,
    request: pb::ResolveDevicesRequest,
) -> Result<pb::ResolveDevicesResponse, Status> {
    let mut fields = Fields::default();
    if request.devices.len() > DEVICES_MAX {
        fields.wrong("devices", format!("{} devices; ask for at most {DEVICES_MAX} at once", request.devices.len()));
    }
    let mut devices = Vec::new();
    for (index, device) in request.devices.iter().enumerate() {
        match &device.kind {
            Some(Kind::Nfs(nfs)) if !nfs.host.is_empty() && !nfs.path.is_empty() => {
                devices.push(Device::Nfs(NfsPath { host: nfs.host.clone(), path: nfs.path.clone() }));
            }
            Some(Kind::CanonicalName(name)) if !name.is_empty() => devices.push(Device::Canonical(name.clone())),
            _ => fields.wrong(format!("devices[{index}]"), "give nfs with host and path, or canonical_name"),
        }
    }
    fields.finish()?;
    let (placements, unreachable) = arrays.resolve(&devices).await;
    let resolutions =
        request.devices.into_iter().zip(placements).map(|(device, placement)| resolution(device, placement));
    Ok(pb::ResolveDevicesResponse {
        resolutions: resolutions.collect(),
        unreachable: unreachable.iter().map(convert::array_name).collect(),
    })
}

fn resolution(device: pb::Device, placement: Placement) -> pb::DeviceResolution {
    let device = Some(device);
    let nowhere = |reason| pb::DeviceResolution { device: device.clone(), reason, ..Default::default() };
    match placement {
        Placement::Nowhere(reason) => nowhere(reason),
        Placement::On(array, resolution) => match *resolution {
            Resolution::Absent { reason } => nowhere(reason),
            Resolution::Found { volume, path_in_volume, evidence, lun, siblings } => pb::DeviceResolution {
                device: device.clone(),
                volume: Some(convert::volume(&array, volume)),
                path_in_volume,
                evidence,
                reason: String::new(),
                lun: lun.map(convert::lun),
                siblings: siblings.into_iter().map(convert::lun).collect(),
            },
        },
    }
}

pub(super) async fn list(arrays: &Arrays, request: pb::ListVolumesRequest) -> Result<pb::ListVolumesResponse, Status> {
    let mut fields = Fields::default();
    let name = fields.array("parent", &request.parent);
    fields.finish()?;
    let array = find(arrays, &name)?;
    let list = ["volumes", &request.parent];
    let page = paging::request(&list, request.page_size, &request.page_token)?;
    let found = array.driver.volumes(&page).await.map_err(|error| status(array, error))?;
    Ok(pb::ListVolumesResponse {
        volumes: found.items.into_iter().map(|volume| convert::volume(&name, volume)).collect(),
        next_page_token: paging::token(&list, found.next),
    })
}
