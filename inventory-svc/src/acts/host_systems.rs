//! The hosts that a request names, and the objects that act on their storage.

use crate::{
    soap::MoRef,
    topology::places::Places,
    vcenter::{Client, Error, Refusal},
};
use futures::future::join_all;
use std::collections::BTreeSet;
use strata_kit::status::report;
use strata_model::ErrorKind;

/// Hosts that are asked at the same time.
const AT_ONCE: usize = 8;

/// A host that answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostSystems {
    /// The host.
    pub host: MoRef,
    /// Its name.
    pub name: String,
    /// Its HostStorageSystem.
    pub storage: MoRef,
    /// Its HostDatastoreSystem.
    pub datastores: MoRef,
}

/// Every host, each once, in the order asked.
///
/// # Errors
/// None is named, one does not exist, or one does not answer.
pub fn all(client: &Client, places: &Places, morefs: &[String]) -> Result<Vec<HostSystems>, Error> {
    if morefs.is_empty() {
        return Err(Refusal::invalid("host_morefs", "host_morefs must name a host").into());
    }
    let mut known = BTreeSet::new();
    let unique = morefs.iter().filter(|moref| known.insert(moref.as_str()));
    unique.map(|moref| one(client, places, &MoRef::new("HostSystem", moref.as_str()))).collect()
}

/// A host.
///
/// # Errors
/// It does not exist, or does not answer.
pub fn one(client: &Client, places: &Places, host: &MoRef) -> Result<HostSystems, Error> {
    let found = places.get(host).ok_or_else(|| not_found(client, &host.value))?;
    let name = places.name(host);
    let state = found.text("runtime.connectionState");
    let systems = (found.moref("configManager.storageSystem"), found.moref("configManager.datastoreSystem"));
    match systems {
        (Some(storage), Some(datastores)) if state == "connected" => {
            Ok(HostSystems { host: host.clone(), name, storage, datastores })
        }
        _ => {
            let text = format!(
                "host {name} does not answer vCenter {} ({state}); bring it back or remove it from the inventory, then repeat",
                client.name()
            );
            Err(Refusal::new(ErrorKind::Unavailable, "HOST_UNAVAILABLE", text).and("host", name).into())
        }
    }
}

/// That there is no such host.
pub fn not_found(client: &Client, moref: &str) -> Error {
    let text = format!("vCenter {} has no host {moref}; list hosts to see which there are", client.name());
    Refusal::not_found("HOST_NOT_FOUND", text).and("host", moref).into()
}

/// Acts on all hosts, and only then fails with the first error: a repeated call has less to do. Gives the names of the hosts
/// whose act says that it did something.
///
/// # Errors
/// That of the first host that failed.
pub async fn each<'h, F>(hosts: &'h [HostSystems], act: impl Fn(&'h HostSystems) -> F) -> Result<Vec<String>, Error>
where
    F: Future<Output = Result<bool, Error>>,
{
    let mut acted = Vec::new();
    let mut failed: Option<Error> = None;
    for some in hosts.chunks(AT_ONCE) {
        for (host, answer) in some.iter().zip(join_all(some.iter().map(&act)).await) {
            match answer {
                Ok(did) => acted.extend(did.then(|| host.name.clone())),
                Err(error) => {
                    tracing::warn!(host = %host.name, error = %report(&error), "a host did not do its part");
                    failed.get_or_insert(error);
                }
            }
        }
    }
    acted.sort();
    failed.map_or(Ok(acted), Err)
}
