//! Looks for single files of VMs.

use crate::{
    soap::MoRef,
    topology::places::Places,
    vcenter::{Client, Error, Refusal, property_collector::ObjectProperties},
    vmx::Vmx,
};
use std::collections::BTreeSet;
use strata_model::{DatastorePath, ErrorKind};

/// A datastore as acts on files need it.
#[derive(Debug, Clone)]
pub struct Store {
    /// Its browser.
    pub browser: MoRef,
    /// Its datacenter.
    pub datacenter: MoRef,
    /// The datacenter's path, for `/folder`.
    pub datacenter_path: String,
}

/// A datastore by its name, in a datacenter where one is given.
///
/// # Errors
/// There is none.
pub fn store(client: &Client, places: &Places, name: &str, datacenter: Option<&MoRef>) -> Result<Store, Error> {
    let found = places.datastore_named(name, datacenter).ok_or_else(|| not_found(client, name))?;
    store_of(client, places, found)
}

/// What acts on files need of a datastore.
///
/// # Errors
/// vCenter does not tell it.
pub fn store_of(client: &Client, places: &Places, found: &ObjectProperties) -> Result<Store, Error> {
    let incomplete = |what: &str| client.incomplete("RetrievePropertiesEx", what);
    let place = places.datacenter(&found.object).ok_or_else(|| incomplete("datacenter"))?;
    let browser = found.moref("browser").ok_or_else(|| incomplete("browser"))?;
    Ok(Store { browser, datacenter: place.moref, datacenter_path: place.path })
}

/// That there is no datastore of this name.
pub fn not_found(client: &Client, name: &str) -> Error {
    let text = format!("vCenter {} has no datastore '{name}'; list datastores to see which there are", client.name());
    Refusal::not_found("DATASTORE_NOT_FOUND", text).and("datastore", name).into()
}

/// Names of the files in exactly this directory; nothing where it does not exist.
///
/// # Errors
/// The call failed.
pub async fn names_in(
    client: &Client,
    store: &Store,
    datastore: &str,
    directory: &str,
    pattern: &str,
) -> Result<BTreeSet<String>, Error> {
    let below = DatastorePath::new(datastore, directory);
    let found = match client.search(&store.browser, &below, &[pattern.to_owned()]).await {
        Err(error) if is_absent(&error) => Vec::new(),
        other => other?,
    };
    let here = found.iter().filter(|file| !file.directory && file.path.directory() == directory.trim_end_matches('/'));
    Ok(here.map(|file| file.path.file_name().to_owned()).collect())
}

/// Whether vCenter says that a directory or file does not exist.
pub fn is_absent(error: &Error) -> bool {
    error.is_fault("FileNotFound") || (error.kind() == ErrorKind::NotFound && error.is_fault("NotFound"))
}

/// Strata's key in a .vmx; empty where there is no such file or no key.
///
/// # Errors
/// The call failed.
pub async fn key_in_vmx(client: &Client, datacenter_path: &str, path: &DatastorePath) -> Result<String, Error> {
    match client.read_file(datacenter_path, path).await {
        Ok(bytes) => Ok(Vmx::parse(&bytes)
            .ok()
            .and_then(|vmx| vmx.get(crate::topology::vm::STRATA_KEY).map(str::to_owned))
            .unwrap_or_default()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(String::new()),
        Err(error) => Err(error),
    }
}
