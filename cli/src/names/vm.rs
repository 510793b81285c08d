//! A VM by its name, by `vcenter/name`, or by its resource name.

use super::ambiguous;
use crate::{
    connect::{Gateway, call},
    failure::Failure,
};
use strata_model::{ErrorKind, names};
use strata_proto::strata::gateway::v1::{GetVmRequest, ListVmsRequest, ListVmsResponse, Vm};

/// Finds the one VM that is meant.
///
/// A name may hold a slash, so `a/b` is looked for both as a VM of that name and as VM `b` of vCenter `a`.
///
/// # Errors
/// None or more than one fits; or a vCenter that may have it does not answer.
pub async fn find_vm(gateway: &Gateway, typed: &str) -> Result<Vm, Failure> {
    if names::split(typed, &["vcenters", "vms"]).is_ok() {
        let request = GetVmRequest { name: typed.to_owned() };
        return call!(gateway, vms.get_vm(request));
    }
    let mut found = ListVmsResponse::default();
    collect(gateway, "vcenters/-", typed, &mut found).await?;
    if let Some((vcenter, name)) =
        typed.split_once('/').filter(|(vcenter, name)| !vcenter.is_empty() && !name.is_empty())
    {
        let parent = names::join(&[("vcenters", vcenter)]);
        match collect(gateway, &parent, name, &mut found).await {
            Err(failure) if failure.kind() == ErrorKind::NotFound => {}
            other => other?,
        }
    }
    found.vms.sort_by(|a, b| a.name.cmp(&b.name));
    found.vms.dedup_by(|a, b| a.name == b.name);
    match found.vms.len() {
        1 => Ok(found.vms.remove(0)),
        0 => Err(absent(typed, &found.unreachable)),
        _ => {
            let names = found.vms.iter().map(|vm| vm.name.clone()).collect();
            Err(ambiguous("VMs", typed, names, "use vcenter/name, or one of the full names above"))
        }
    }
}

async fn collect(gateway: &Gateway, parent: &str, name: &str, found: &mut ListVmsResponse) -> Result<(), Failure> {
    let mut request =
        ListVmsRequest { parent: parent.to_owned(), display_name: name.to_owned(), ..ListVmsRequest::default() };
    loop {
        let page = call!(gateway, vms.list_vms(request))?;
        found.vms.extend(page.vms);
        found.unreachable.extend(page.unreachable);
        if page.next_page_token.is_empty() {
            return Ok(());
        }
        request.page_token = page.next_page_token;
    }
}

fn absent(typed: &str, unreachable: &[String]) -> Failure {
    let mut away: Vec<&str> =
        unreachable.iter().filter(|name| name.starts_with("vcenters/")).map(String::as_str).collect();
    away.sort_unstable();
    away.dedup();
    if away.is_empty() {
        let message = format!("no VM is called '{typed}'");
        return Failure::new(ErrorKind::NotFound, "VM_NOT_FOUND", message).hint("`strata vm list` shows all VMs");
    }
    let message = format!("no VM is called '{typed}' where Strata could look; {} did not answer", away.join(", "));
    Failure::new(ErrorKind::Unavailable, "VM_NOT_FOUND_YET", message).hint("`strata preflight` says why")
}
