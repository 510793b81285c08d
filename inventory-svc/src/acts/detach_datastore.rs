//! DetachDatastore: every host lets go of a datastore, before the array takes away what is underneath (safety.md S19).
//! What it lies on decides how: [`detach_export`] or [`detach_vmfs`].

use super::{detach_export, detach_vmfs};
use crate::{
    topology::{
        pb,
        places::unescape,
        vm::{LIST, is_system},
    },
    vcenter::{
        Client, Error, Refusal,
        property_collector::ObjectProperties,
        property_spec::{Start, Step},
    },
    vcenters::Vcenters,
};
use pb::detach_datastore_request::Backing;
use strata_model::ErrorKind;

/// The act.
///
/// # Errors
/// A bad request, or what [`detach_export::run`] and [`detach_vmfs::run`] refuse.
pub async fn run(
    vcenters: Vcenters,
    request: pb::DetachDatastoreRequest,
) -> Result<pb::DetachDatastoreResponse, Error> {
    let client = vcenters.by_name("vcenter", &request.vcenter)?;
    match &request.backing {
        Some(Backing::Nfs(nfs)) => detach_export::run(&client, nfs).await,
        Some(Backing::Vmfs(vmfs)) => detach_vmfs::run(&client, &request, vmfs).await,
        None => Err(Refusal::invalid("backing", "backing must say what the datastore lies on").into()),
    }
}

/// Refuses before the first host lets go, since each host looks at its own VMs only.
///
/// # Errors
/// VMs have files on it; or only those that vSphere made itself (vCLS), which it moves away: Busy.
pub async fn refuse_in_use(client: &Client, store: &ObjectProperties) -> Result<(), Error> {
    let steps = vec![Step::along("Datastore", "vm")];
    let start = Start { object: store.object.clone(), skip: true, steps };
    let name = unescape(store.text("name"));
    let users = client.retrieve(&[LIST], &[start], &format!("datastore {name}")).await?;
    if users.is_empty() {
        return Ok(());
    }
    let names: Vec<String> = users.iter().map(|vm| unescape(vm.text("name"))).collect();
    let names = names.join(", VM ");
    let refusal = if users.iter().all(is_system) {
        let text = format!(
            "vSphere keeps its own VM {names} on datastore {name}; exclude the datastore from vCLS and repeat when it has moved"
        );
        Refusal::new(ErrorKind::Busy, "DATASTORE_HOLDS_VCLS", text)
    } else {
        let text = format!("datastore {name} is in use by VM {names}; unregister it, or detach its disk or image");
        Refusal::conflict("DATASTORE_IN_USE", text)
    };
    Err(refusal.and("datastore", store.object.value.clone()).into())
}
