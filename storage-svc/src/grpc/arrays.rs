//! ListArrays, GetArray, ListOwned, Preflight.

use super::{
    convert,
    error::status,
    paging,
    validate::{Fields, find, optional},
};
use crate::arrays::Arrays;
use strata_proto::strata::{common::v1 as common, storage::v1 as pb};
use tonic::Status;

pub(super) async fn list(arrays: &Arrays, _request: pb::ListArraysRequest) -> Result<pb::ListArraysResponse, Status> {
    let checked = arrays.check_all().await;
    Ok(pb::ListArraysResponse {
        arrays: checked.into_iter().map(|(array, health)| convert::array(array, health)).collect(),
    })
}

pub(super) async fn get(arrays: &Arrays, request: pb::GetArrayRequest) -> Result<pb::Array, Status> {
    let mut fields = Fields::default();
    let name = fields.array("name", &request.name);
    fields.finish()?;
    let array = find(arrays, &name)?;
    let health = array.check(arrays.clock()).await;
    Ok(convert::array(array, health))
}

pub(super) async fn list_owned(
    arrays: &Arrays,
    request: pb::ListOwnedRequest,
) -> Result<pb::ListOwnedResponse, Status> {
    let mut fields = Fields::default();
    let name = fields.array("parent", &request.parent);
    fields.finish()?;
    let array = find(arrays, &name)?;
    let list = ["owned", &request.parent, &request.installation];
    let page = paging::request(&list, request.page_size, &request.page_token)?;
    let installation = optional(request.installation.clone());
    let found = array.driver.owned(installation.as_deref(), &page).await.map_err(|error| status(array, error))?;
    Ok(pb::ListOwnedResponse {
        owned: found.items.into_iter().map(|owned| convert::owned(&name, owned)).collect(),
        next_page_token: paging::token(&list, found.next),
    })
}

pub(super) async fn preflight(arrays: &Arrays, request: pb::PreflightRequest) -> Result<pb::PreflightResponse, Status> {
    let mut fields = Fields::default();
    let name = fields.array("array", &request.array);
    fields.finish()?;
    let array = find(arrays, &name)?;
    let found = array.driver.preflight().await.map_err(|error| status(array, error))?;
    let missing = found.missing.into_iter().map(|right| common::MissingPrivilege {
        privilege: right.privilege,
        object: right.object,
        feature: right.feature,
    });
    Ok(pb::PreflightResponse { missing: missing.collect(), remarks: found.remarks })
}
