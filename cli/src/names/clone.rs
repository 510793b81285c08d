//! A clone by its VM's name, its id, or its resource name.

use super::{ambiguous, is_id};
use crate::{
    connect::{Gateway, call},
    failure::Failure,
};
use strata_model::{ErrorKind, names};
use strata_proto::strata::gateway::v1::{Clone, GetCloneRequest, ListClonesRequest};

/// Finds the one clone that is meant.
///
/// # Errors
/// None or more than one fits.
pub async fn find_clone(gateway: &Gateway, typed: &str) -> Result<Clone, Failure> {
    if names::split(typed, &["clones"]).is_ok() {
        return get(gateway, typed.to_owned()).await;
    }
    if is_id(typed, "c-") {
        return get(gateway, names::join(&[("clones", typed)])).await;
    }
    let request = ListClonesRequest { display_name: typed.to_owned(), ..ListClonesRequest::default() };
    let mut found = call!(gateway, clones.list_clones(request))?.clones;
    match found.len() {
        1 => Ok(found.remove(0)),
        0 => Err(Failure::new(ErrorKind::NotFound, "CLONE_NOT_FOUND", format!("no clone is called '{typed}'"))
            .hint("`strata clone list` shows all; Strata removes only VMs that it made")),
        _ => {
            let names = found.into_iter().map(|clone| clone.name).collect();
            Err(ambiguous("clones", typed, names, "use one of the full names above"))
        }
    }
}

async fn get(gateway: &Gateway, name: String) -> Result<Clone, Failure> {
    let request = GetCloneRequest { name };
    call!(gateway, clones.get_clone(request))
}
