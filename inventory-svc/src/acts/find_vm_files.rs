//! FindVmFiles: files on a datastore.

use super::vm_files;
use crate::{
    soap::MoRef,
    topology::{files, pb, places::Places},
    vcenter::{Client, Error, Refusal, property_collector::ObjectProperties},
    vcenters::Vcenters,
};
use strata_model::{DatastorePath, names};

/// The look.
///
/// # Errors
/// A bad request, no such datastore, or vCenter cannot browse it. A directory that does not exist holds no files.
pub async fn run(vcenters: Vcenters, request: pb::FindVmFilesRequest) -> Result<pb::FindVmFilesResponse, Error> {
    let client = vcenters.by_name("vcenter", &request.vcenter)?;
    let places = Places::read(&client).await?;
    let store = datastore(&client, &places, &request.datastore)?;
    let name = store.text("name").to_owned();
    let store = vm_files::store_of(&client, &places, store)?;
    if request.directory.split('/').any(|part| part == "..") {
        return Err(Refusal::invalid("directory", "directory must not hold '..'").into());
    }
    let below = DatastorePath::new(name, request.directory.trim_matches('/'));
    let found = match client.search(&store.browser, &below, &request.patterns).await {
        Err(error) if vm_files::is_absent(&error) => Vec::new(),
        other => other?,
    };
    let found = found.iter().filter(|file| !file.directory).map(|file| pb::VmFile {
        path: file.path.to_string(),
        kind: files::kind(&file.path, "").into(),
        size_bytes: file.size_bytes,
    });
    Ok(pb::FindVmFilesResponse { files: found.collect() })
}

/// By a resource name, or by a plain name that only one datacenter has.
pub(super) fn datastore<'p>(client: &Client, places: &'p Places, text: &str) -> Result<&'p ObjectProperties, Error> {
    if let Ok(ids) = names::split(text, &["vcenters", "datastores"]) {
        let found = places.get(&MoRef::new("Datastore", ids[1].clone())).filter(|_| ids[0] == client.name());
        return found.ok_or_else(|| vm_files::not_found(client, text));
    }
    match places.datastores_named(text).as_slice() {
        [] => Err(vm_files::not_found(client, text)),
        [found] => Ok(found),
        _ => {
            let message =
                format!("more than one datacenter has a datastore '{text}'; give vcenters/VCENTER/datastores/MOREF");
            Err(Refusal::invalid("datastore", message).into())
        }
    }
}
