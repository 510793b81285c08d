//! Lists of vCenters, VMs, datastores and hosts.

use super::paging::Page;
use crate::{
    topology::{pb, read},
    vcenter::{Client, Error},
    vcenters::Vcenters,
};
use futures::future::{BoxFuture, join_all};
use std::sync::Arc;
use strata_kit::status::report;
use strata_model::names;

/// Stands for all vCenters in a parent.
const ALL: &str = "vcenters/-";

/// All configured vCenters and whether they answer.
pub async fn vcenters(vcenters: &Vcenters) -> pb::ListVcentersResponse {
    let found = join_all(vcenters.all().map(|client| vcenter(client))).await;
    pb::ListVcentersResponse { vcenters: found }
}

/// One vCenter as it answers now.
pub async fn vcenter(client: &Client) -> pb::Vcenter {
    match client.check().await {
        Ok(content) => pb::Vcenter {
            name: vcenter_name(client),
            url: client.url().to_owned(),
            instance_uuid: content.instance_uuid.clone(),
            version: format!("{} {}", content.product, content.version),
            reachable: true,
            reason: String::new(),
        },
        Err(error) => pb::Vcenter {
            name: vcenter_name(client),
            url: client.url().to_owned(),
            reason: report(&error),
            ..pb::Vcenter::default()
        },
    }
}

/// A page of VMs.
///
/// # Errors
/// A bad request, or the one vCenter that was asked for does not answer.
pub async fn vms(vcenters: &Vcenters, request: pb::ListVmsRequest) -> Result<pb::ListVmsResponse, Error> {
    let scope = format!("vms {} {}", request.parent, request.display_name);
    let page = Page::new(scope, request.page_size, &request.page_token)?;
    let display_name = request.display_name;
    let (found, unreachable) = gather(vcenters, &request.parent, |client| {
        let display_name = display_name.clone();
        Box::pin(async move {
            if display_name.is_empty() {
                read::list_vms(&client).await
            } else {
                read::list_vms_named(&client, &display_name).await
            }
        })
    })
    .await?;
    let (vms, next_page_token) = page.cut(found, |vm| (vm.display_name.clone(), vm.name.clone()));
    Ok(pb::ListVmsResponse { vms, next_page_token, unreachable })
}

/// A page of datastores.
///
/// # Errors
/// As [`vms`].
pub async fn datastores(
    vcenters: &Vcenters,
    request: pb::ListDatastoresRequest,
) -> Result<pb::ListDatastoresResponse, Error> {
    let page = Page::new(format!("datastores {}", request.parent), request.page_size, &request.page_token)?;
    let (found, unreachable) =
        gather(vcenters, &request.parent, |client| Box::pin(async move { read::list_datastores(&client).await }))
            .await?;
    let (datastores, next_page_token) = page.cut(found, |store| (store.display_name.clone(), store.name.clone()));
    Ok(pb::ListDatastoresResponse { datastores, next_page_token, unreachable })
}

/// A page of hosts.
///
/// # Errors
/// As [`vms`].
pub async fn hosts(vcenters: &Vcenters, request: pb::ListHostsRequest) -> Result<pb::ListHostsResponse, Error> {
    let page = Page::new(format!("hosts {}", request.parent), request.page_size, &request.page_token)?;
    let (found, unreachable) =
        gather(vcenters, &request.parent, |client| Box::pin(async move { read::list_hosts(&client).await })).await?;
    let (hosts, next_page_token) = page.cut(found, |host| (host.display_name.clone(), host.name.clone()));
    Ok(pb::ListHostsResponse { hosts, next_page_token, unreachable })
}

/// `vcenters/{vcenter}`.
pub fn vcenter_name(client: &Client) -> String {
    names::join(&[("vcenters", client.name())])
}

/// From one vCenter, or from all at the same time: then one that fails is named and the others' answers stand.
async fn gather<T>(
    vcenters: &Vcenters,
    parent: &str,
    ask: impl Fn(Arc<Client>) -> BoxFuture<'static, Result<Vec<T>, Error>>,
) -> Result<(Vec<T>, Vec<String>), Error> {
    if parent != ALL {
        return Ok((ask(vcenters.by_name("parent", parent)?).await?, Vec::new()));
    }
    let answers = join_all(vcenters.all().map(|client| ask(client.clone()))).await;
    let (mut found, mut unreachable) = (Vec::new(), Vec::new());
    for (client, answer) in vcenters.all().zip(answers) {
        match answer {
            Ok(items) => found.extend(items),
            Err(error) => {
                tracing::warn!(vcenter = client.name(), error = %report(&error), "left out of a list");
                unreachable.push(vcenter_name(client));
            }
        }
    }
    Ok((found, unreachable))
}
