//! Lists of vCenters, VMs, datastores and hosts.

use super::paging::Page;
use crate::{
    cache::{Cache, VmFilter, read_now},
    topology::{pb, read},
    vcenter::{Client, Error},
    vcenters::Vcenters,
};
use futures::future::{BoxFuture, join_all};
use std::sync::Arc;
use strata_kit::status::report;
use strata_model::names;
use strata_proto::strata::common::v1::Freshness;

/// Stands for all vCenters in a parent.
const ALL: &str = "vcenters/-";

/// All configured vCenters and whether they answer.
pub async fn vcenters(vcenters: &Vcenters) -> pb::ListVcentersResponse {
    let found = join_all(vcenters.all().map(|client| vcenter(vcenters, client))).await;
    pb::ListVcentersResponse { vcenters: found }
}

/// One vCenter as it answers now.
pub async fn vcenter(vcenters: &Vcenters, client: &Client) -> pb::Vcenter {
    let inventory = vcenters.caches().get(client.name()).map(|cache| cache.freshness());
    match client.check().await {
        Ok(content) => pb::Vcenter {
            name: vcenter_name(client),
            url: client.url().to_owned(),
            instance_uuid: content.instance_uuid.clone(),
            version: format!("{} {}", content.product, content.version),
            reachable: true,
            reason: String::new(),
            inventory,
        },
        Err(error) => pb::Vcenter {
            name: vcenter_name(client),
            url: client.url().to_owned(),
            reason: report(&error),
            inventory,
            ..pb::Vcenter::default()
        },
    }
}

/// A page of VMs.
///
/// # Errors
/// A bad request, or the one vCenter that was asked for does not answer and is not held in memory.
pub async fn vms(vcenters: &Vcenters, request: pb::ListVmsRequest) -> Result<pb::ListVmsResponse, Error> {
    let filter = VmFilter {
        display_name: request.display_name,
        bios_uuid: request.bios_uuid,
        vmx_path: request.vmx_path,
        datastore_moref: request.datastore_moref,
        moref: request.moref,
    };
    let scope = format!("vms {} {filter:?}", request.parent);
    let page = Page::new(scope, request.page_size, &request.page_token)?;
    let found = gather(vcenters, &request.parent, request.fresh, |client, cache| {
        let (filter, after, most) = (filter.clone(), page.after().cloned(), page.size_and_one());
        Box::pin(async move {
            let Some(cache) = cache else { return fresh_vms(&client, &filter).await };
            let standing = client.standing().await;
            Ok(cache.held().vms(&filter, after.as_ref(), most, &standing))
        })
    })
    .await?;
    let (vms, next_page_token) = page.cut(found.items, |vm| (vm.display_name.clone(), vm.name.clone()));
    Ok(pb::ListVmsResponse { vms, next_page_token, unreachable: found.unreachable, freshness: found.freshness })
}

/// VMs of a filter, read from vCenter now.
async fn fresh_vms(client: &Client, filter: &VmFilter) -> Result<Vec<pb::Vm>, Error> {
    let mut vms = match filter.display_name.as_str() {
        "" => read::list_vms(client).await?,
        name => read::list_vms_named(client, name).await?,
    };
    if !filter.datastore_moref.is_empty() {
        let on = read::vms_on(client, &filter.datastore_moref).await?;
        vms.retain(|vm| on.contains(&vm.moref));
    }
    let is = |wanted: &str, found: &str| wanted.is_empty() || wanted == found;
    vms.retain(|vm| {
        is(&filter.bios_uuid, &vm.bios_uuid) && is(&filter.vmx_path, &vm.vmx_path) && is(&filter.moref, &vm.moref)
    });
    Ok(vms)
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
    let found = gather(vcenters, &request.parent, request.fresh, |client, cache| {
        Box::pin(async move {
            match cache {
                Some(cache) => Ok(cache.held().datastores()),
                None => read::list_datastores(&client).await,
            }
        })
    })
    .await?;
    let (datastores, next_page_token) = page.cut(found.items, |store| (store.display_name.clone(), store.name.clone()));
    let (unreachable, freshness) = (found.unreachable, found.freshness);
    Ok(pb::ListDatastoresResponse { datastores, next_page_token, unreachable, freshness })
}

/// A page of hosts.
///
/// # Errors
/// As [`vms`].
pub async fn hosts(vcenters: &Vcenters, request: pb::ListHostsRequest) -> Result<pb::ListHostsResponse, Error> {
    let page = Page::new(format!("hosts {}", request.parent), request.page_size, &request.page_token)?;
    let found = gather(vcenters, &request.parent, request.fresh, |client, cache| {
        Box::pin(async move {
            match cache {
                Some(cache) => Ok(cache.held().hosts()),
                None => read::list_hosts(&client).await,
            }
        })
    })
    .await?;
    let (hosts, next_page_token) = page.cut(found.items, |host| (host.display_name.clone(), host.name.clone()));
    Ok(pb::ListHostsResponse { hosts, next_page_token, unreachable: found.unreachable, freshness: found.freshness })
}

/// `vcenters/{vcenter}`.
pub fn vcenter_name(client: &Client) -> String {
    names::join(&[("vcenters", client.name())])
}

/// What vCenters answered.
struct Found<T> {
    items: Vec<T>,
    unreachable: Vec<String>,
    freshness: Vec<Freshness>,
}

/// From one vCenter, or from all at the same time: then one that fails is named and the others' answers stand. `ask` gets what is
/// held of the vCenter, where that is to answer.
async fn gather<T>(
    vcenters: &Vcenters,
    parent: &str,
    fresh: bool,
    ask: impl Fn(Arc<Client>, Option<Arc<Cache>>) -> BoxFuture<'static, Result<Vec<T>, Error>>,
) -> Result<Found<T>, Error> {
    let one = |client: Arc<Client>| {
        let cache = vcenters.loaded(&client).filter(|_| !fresh).cloned();
        // Before the answer: it must not be told newer than it is.
        let freshness = cache.as_ref().map_or_else(|| read_now(&client), |cache| cache.freshness());
        let answer = ask(client, cache);
        async move { answer.await.map(|items| (items, freshness)) }
    };
    if parent != ALL {
        let (items, freshness) = one(vcenters.by_name("parent", parent)?).await?;
        return Ok(Found { items, unreachable: Vec::new(), freshness: vec![freshness] });
    }
    let answers = join_all(vcenters.all().map(|client| one(client.clone()))).await;
    let mut found = Found { items: Vec::new(), unreachable: Vec::new(), freshness: Vec::new() };
    for (client, answer) in vcenters.all().zip(answers) {
        match answer {
            Ok((items, freshness)) => {
                found.items.extend(items);
                found.freshness.push(freshness);
            }
            Err(error) => {
                tracing::warn!(vcenter = client.name(), error = %report(&error), "left out of a list");
                found.unreachable.push(vcenter_name(client));
            }
        }
    }
    Ok(found)
}
