//! FindVmFiles: files on a datastore.

use super::vm_files;
use crate::{
    soap::MoRef,
    topology::{files, pb, places::Places},
    vcenter::{Client, Error, Refusal},
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
    let name = datastore_name(&client, &places, &request.datastore)?;
    let store = vm_files::store(&client, &places, &name, None)?;
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

/// A plain name, or a resource name.
fn datastore_name(client: &Client, places: &Places, text: &str) -> Result<String, Error> {
    let Ok(ids) = names::split(text, &["vcenters", "datastores"]) else { return Ok(text.to_owned()) };
    let moref = MoRef::new("Datastore", ids[1].clone());
    match places.get(&moref) {
        Some(store) if ids[0] == client.name() => Ok(store.text("name").to_owned()),
        _ => {
            let message =
                format!("vCenter {} has no datastore {text}; list datastores to see which there are", client.name());
            Err(Refusal::not_found("DATASTORE_NOT_FOUND", message).and("datastore", text).into())
        }
    }
}
