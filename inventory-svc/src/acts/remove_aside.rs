//! RemoveAside: deletes directories that a revert set aside, and nothing else on a datastore.

use super::vm_files;
use crate::{
    topology::{pb, places::Places},
    vcenter::{Error, Refusal},
    vcenters::Vcenters,
};
use strata_model::DatastorePath;

/// What every such directory's name starts with.
pub const ASIDE_PREFIX: &str = ".strata-aside-";

/// The act.
///
/// # Errors
/// A directory of another name (then nothing is deleted), or vCenter cannot delete one.
pub async fn run(vcenters: Vcenters, request: pb::RemoveAsideRequest) -> Result<pb::RemoveAsideResponse, Error> {
    let client = vcenters.by_name("vcenter", &request.vcenter)?;
    let directories: Vec<DatastorePath> =
        request.directories.iter().map(|text| aside(text)).collect::<Result<_, _>>()?;
    let places = Places::read(&client).await?;
    for directory in directories {
        // A datastore that is gone took it along. Of two datacenters' datastores of one name either may hold it: the key
        // in the directory's name is ours alone.
        for found in places.datastores_named(&directory.datastore) {
            let store = vm_files::store_of(&client, &places, found)?;
            client.delete_file(&store.datacenter, &directory.to_string()).await?;
        }
    }
    Ok(pb::RemoveAsideResponse {})
}

fn aside(text: &str) -> Result<DatastorePath, Refusal> {
    let wrong = || {
        let message =
            format!("'{text}' is not of the form [datastore] directory/{ASIDE_PREFIX}KEY; nothing was deleted");
        Refusal::invalid("directories", message)
    };
    let mut path: DatastorePath = text.parse().map_err(|_| wrong())?;
    path.path = path.path.trim_end_matches('/').to_owned();
    match path.file_name().strip_prefix(ASIDE_PREFIX) {
        Some(key) if !key.is_empty() => Ok(path),
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_directories_set_aside() {
        for text in ["[ds] web/.strata-aside-r-1", "[ds] a/b/.strata-aside-r-1-new/", "[ds] .strata-aside-r-1"] {
            assert!(aside(text).is_ok(), "{text}");
        }
        for text in [
            "[ds] web",
            "[ds] ",
            "[ds] web/.strata-aside-",
            "[ds] web/.strata-aside-r-1/web.vmdk",
            "[ds] web/.strata-aside-r-1/../../x",
            "web/.strata-aside-r-1",
        ] {
            assert!(aside(text).is_err(), "{text}");
        }
    }
}
