//! ReadVmFile: a small file of a datastore, as the .vmx of a copy whose owner must be known before it is used (safety.md S5).

use super::{find_vm_files, vm_files};
use crate::{
    topology::{pb, places::Places},
    vcenter::{Error, Refusal},
    vcenters::Vcenters,
};
use strata_model::DatastorePath;

/// The most that is read.
const BYTES_MAX: usize = 1 << 20;

/// The look.
///
/// # Errors
/// A bad request, no such datastore or file, a file that is too large, or vCenter cannot give it.
pub async fn run(vcenters: Vcenters, request: pb::ReadVmFileRequest) -> Result<pb::ReadVmFileResponse, Error> {
    let client = vcenters.by_name("vcenter", &request.vcenter)?;
    let path = request.path.trim_matches('/');
    if path.is_empty() || path.split('/').any(|part| part == "..") {
        return Err(Refusal::invalid("path", "path must name a file of the datastore, without '..'").into());
    }
    let places = Places::read(&client).await?;
    let store = find_vm_files::datastore(&client, &places, &request.datastore)?;
    let file = DatastorePath::new(store.text("name"), path);
    let store = vm_files::store_of(&client, &places, store)?;
    let content = client.read_file(&store.datacenter_path, &file).await?;
    if content.len() > BYTES_MAX {
        let text = format!("{file} has {} bytes, and no more than {BYTES_MAX} are read", content.len());
        return Err(Refusal::conflict("FILE_TOO_LARGE", text).and("file", file.to_string()).into());
    }
    Ok(pb::ReadVmFileResponse { content: content.to_vec() })
}
