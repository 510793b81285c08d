//! EnsureExport, RemoveExport.

use super::{
    convert,
    error::{cannot, status},
    validate::{Fields, find, optional},
};
use crate::{
    arrays::Arrays,
    driver::{Export, ExportRequest, ExportTo, HostInitiators},
};
use strata_proto::strata::storage::v1 as pb;
use tonic::Status;

pub(super) async fn ensure(
    arrays: &Arrays,
    request: pb::EnsureExportRequest,
) -> Result<pb::EnsureExportResponse, Status> {
    let mut fields = Fields::default();
    let name = fields.array("array", &request.array);
    let mark = fields.mark(&request.key, request.mark);
    let volume = fields.volume_on(&name, "volume", &request.volume);
    check_receivers(&mut fields, &request.clients, &request.lun_paths, &request.hosts);
    fields.finish()?;
    let array = find(arrays, &name)?;
    let exports = array.driver.exports().ok_or_else(|| cannot(array, "export clones"))?;
    let to = if request.lun_paths.is_empty() {
        ExportTo::Nfs(request.clients)
    } else {
        let hosts = request.hosts.into_iter().map(|it| HostInitiators { host: it.host, initiators: it.initiators });
        ExportTo::Luns { paths: request.lun_paths, hosts: hosts.collect() }
    };
    let want = ExportRequest { mark, label: request.label, volume, to, resume: optional(request.resume) };
    let made = exports.ensure_export(&want).await.map_err(|error| status(array, error))?;
    Ok(match convert::progress(made) {
        Ok(Export::Nfs(nfs)) => pb::EnsureExportResponse { nfs: Some(convert::nfs(nfs)), ..Default::default() },
        Ok(Export::Luns(luns)) => {
            pb::EnsureExportResponse { luns: luns.into_iter().map(convert::exported).collect(), ..Default::default() }
        }
        Err(pending) => pb::EnsureExportResponse { pending: Some(pending), ..Default::default() },
    })
}

/// Nothing is ever exported to everybody.
fn check_receivers(fields: &mut Fields, clients: &[String], lun_paths: &[String], hosts: &[pb::HostInitiators]) {
    if lun_paths.is_empty() {
        if clients.is_empty() || clients.iter().any(String::is_empty) {
            fields.wrong("clients", "name at least one host's address; an export to everybody is never made");
        }
        if !hosts.is_empty() {
            fields.wrong("hosts", "are of use only with lun_paths");
        }
        return;
    }
    if !clients.is_empty() {
        fields.wrong("clients", "are of no use with lun_paths");
    }
    if hosts.is_empty() {
        fields.wrong("hosts", "name at least one host with its initiators");
    }
    for (index, host) in hosts.iter().enumerate() {
        if host.initiators.is_empty() || host.initiators.iter().any(String::is_empty) {
            let text = format!("host '{}' has no initiator; give its iqn, WWPN or nqn", host.host);
            fields.wrong(format!("hosts[{index}].initiators"), text);
        }
    }
}

pub(super) async fn remove(
    arrays: &Arrays,
    request: pb::RemoveExportRequest,
) -> Result<pb::RemoveExportResponse, Status> {
    let mut fields = Fields::default();
    let name = fields.array("array", &request.array);
    let mark = fields.mark(&request.key, request.mark);
    let volume = fields.volume_on(&name, "volume", &request.volume);
    fields.finish()?;
    let array = find(arrays, &name)?;
    let exports = array.driver.exports().ok_or_else(|| cannot(array, "export clones"))?;
    let to = if request.lun_paths.is_empty() {
        ExportTo::Nfs(Vec::new())
    } else {
        ExportTo::Luns { paths: request.lun_paths, hosts: Vec::new() }
    };
    let want = ExportRequest { mark, label: request.label, volume, to, resume: optional(request.resume) };
    let removed = exports.remove_export(&want).await.map_err(|error| status(array, error))?;
    Ok(pb::RemoveExportResponse { pending: convert::progress(removed).err() })
}
