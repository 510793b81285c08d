//! RenameDatastore: gives a datastore another name. vCenter calls the copy of a VMFS `snap-xxxxxxxx-label` until then.

use crate::{
    soap::MoRef,
    topology::{
        datastore, pb,
        places::{Places, escape, unescape},
    },
    vcenter::{Client, Error, Refusal, property_collector::ObjectProperties},
    vcenters::Vcenters,
};
use strata_model::ErrorKind;

use super::{present_volume::describe, vmfs_stores};

/// Longest name that vCenter takes.
const NAME_CHARACTERS_MAX: usize = 42;

/// The act.
///
/// # Errors
/// A bad request, no such datastore, another file system than asked for, or a name that is taken.
pub async fn run(
    vcenters: Vcenters,
    request: pb::RenameDatastoreRequest,
) -> Result<pb::RenameDatastoreResponse, Error> {
    let (client, moref) = vcenters.with_child("datastore", &request.datastore, "datastores")?;
    check_name(&request.datastore_name)?;
    let places = Places::read(&client).await?;
    let store = MoRef::new("Datastore", moref);
    let found = places.get(&store).ok_or_else(|| super::vm_files::not_found(&client, &request.datastore))?;
    let shown = datastore::datastore(client.name(), found, &places);
    let uuid = vmfs_stores::vmfs(&shown).map(|vmfs| vmfs.uuid.as_str()).unwrap_or_default();
    if !request.vmfs_uuid.is_empty() && !vmfs_stores::same_uuid(uuid, &request.vmfs_uuid) {
        let text = format!(
            "datastore {} lies on {} and not on VMFS {}; it keeps its name",
            shown.display_name,
            describe(&shown),
            request.vmfs_uuid
        );
        return Err(Refusal::conflict("VMFS_IS_ANOTHER", text).and("datastore", shown.name).into());
    }
    ensure_name(&client, &places, found, &request.datastore_name).await?;
    let places = Places::read(&client).await?;
    let found = places.get(&store).ok_or_else(|| super::vm_files::not_found(&client, &request.datastore))?;
    Ok(pb::RenameDatastoreResponse { datastore: Some(datastore::datastore(client.name(), found, &places)) })
}

/// A datastore's name in a request.
///
/// # Errors
/// It is empty, too long, or holds what vCenter or a path cannot hold.
pub fn check_name(name: &str) -> Result<(), Refusal> {
    let fits = (1..=NAME_CHARACTERS_MAX).contains(&name.len());
    if !fits || name.contains(['/', '\\', '[', ']']) {
        let text =
            format!("'{name}' is no name for a datastore; use 1 to {NAME_CHARACTERS_MAX} characters without / \\ [ ]");
        return Err(Refusal::invalid("datastore_name", text));
    }
    Ok(())
}

/// Refuses a name that another datastore of the same datacenter bears.
///
/// # Errors
/// It does.
pub fn refuse_taken(
    client: &Client,
    places: &Places,
    datacenter: Option<&MoRef>,
    name: &str,
    own: &[&MoRef],
) -> Result<(), Refusal> {
    let in_datacenter =
        |store: &MoRef| datacenter.is_none_or(|wanted| places.datacenter(store).is_some_and(|at| at.moref == *wanted));
    let others = places.datastores_named(name).into_iter();
    let Some(other) = others.filter(|store| in_datacenter(&store.object)).find(|store| !own.contains(&&store.object))
    else {
        return Ok(());
    };
    let shown = datastore::datastore(client.name(), other, places);
    let text = format!("the name {name} is taken by a datastore on {}; choose another name", describe(&shown));
    Err(Refusal::conflict("DATASTORE_NAME_TAKEN", text).and("datastore", shown.name))
}

/// Renames, where the name is another.
///
/// # Errors
/// The name is taken, or vCenter refuses.
pub async fn ensure_name(client: &Client, places: &Places, store: &ObjectProperties, name: &str) -> Result<(), Error> {
    let present = unescape(store.text("name"));
    if present == name {
        return Ok(());
    }
    let datacenter = places.datacenter(&store.object).map(|found| found.moref);
    refuse_taken(client, places, datacenter.as_ref(), name, &[&store.object])?;
    let object = format!("datastore {present}");
    let renamed = match client.rename(&store.object, &escape(name), &object).await {
        Ok(task) => client.finish_task(&task, "rename", &object).await.map(drop),
        Err(error) => Err(error),
    };
    match renamed {
        // Somebody took the name between our look and our call, or an earlier call of ours did this.
        Err(error) if error.kind() == ErrorKind::Conflict => {
            let now = Places::read(client).await?;
            let is_renamed = now.get(&store.object).is_some_and(|store| unescape(store.text("name")) == name);
            if is_renamed { Ok(()) } else { Err(error) }
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        let long = "x".repeat(43);
        for (name, good) in [
            ("strata-web", true),
            ("größe 1", true),
            ("", false),
            (long.as_str(), false),
            ("a/b", false),
            ("[a]", false),
        ] {
            assert_eq!(check_name(name).is_ok(), good, "{name}");
        }
    }
}
