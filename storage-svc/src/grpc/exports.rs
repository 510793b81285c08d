//! EnsureExport, RemoveExport.

use super::{
    convert,
    error::{cannot, status},
    validate::{Fields, find},
};
use crate::{arrays::Arrays, driver::ExportRequest};
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
    if request.clients.is_empty() || request.clients.iter().any(String::is_empty) {
        fields.wrong("clients", "name at least one host's address; an export to everybody is never made");
    }
    fields.finish()?;
    let array = find(arrays, &name)?;
    let clones = array.driver.volume_clones().ok_or_else(|| cannot(array, "export clones"))?;
    let want = ExportRequest { mark, label: request.label, volume, clients: request.clients };
    let nfs = clones.ensure_export(&want).await.map_err(|error| status(array, error))?;
    Ok(pb::EnsureExportResponse { nfs: Some(convert::nfs(nfs)) })
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
    let clones = array.driver.volume_clones().ok_or_else(|| cannot(array, "export clones"))?;
    let want = ExportRequest { mark, label: request.label, volume, clients: Vec::new() };
    clones.remove_export(&want).await.map_err(|error| status(array, error))?;
    Ok(pb::RemoveExportResponse {})
}
