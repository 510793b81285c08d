//! Finds a VM that Strata registered, by its .vmx and its key. Another VM is never touched (safety.md S5).

use super::vm_files;
use crate::{
    topology::{
        pb,
        places::{Places, unescape},
        read::{VmRead, read_vm_by_ref},
        vm::{STRATA_KEY, extra_config},
    },
    vcenter::{Client, Error, Refusal, property_spec::Properties},
    vcenters::Vcenters,
};
use std::sync::Arc;
use strata_model::DatastorePath;

const KEYS: Properties =
    Properties { kind: "VirtualMachine", paths: &["name", "config.extraConfig", "config.files.vmPathName"] };

/// A .vmx path of a request; a template's ends with .vmtx.
///
/// # Errors
/// It is none.
pub fn vmx_path(field: &'static str, text: &str) -> Result<DatastorePath, Error> {
    let path: DatastorePath = text.parse().map_err(|error: String| Refusal::invalid(field, error))?;
    let name = path.path.to_ascii_lowercase();
    if !name.ends_with(".vmx") && !name.ends_with(".vmtx") {
        return Err(Refusal::invalid(field, format!("'{text}' is no .vmx file")).into());
    }
    Ok(path)
}

/// A key of a request: a word that can stand in names of files and snapshots.
///
/// # Errors
/// It is empty, too long, or holds other characters.
pub fn key<'a>(field: &'static str, text: &'a str) -> Result<&'a str, Error> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if text.is_empty() || text.len() > 64 || !text.bytes().all(allowed) {
        let message = format!("'{text}' is no key; use 1 to 64 letters, digits, '-', '_' or '.'");
        return Err(Refusal::invalid(field, message).into());
    }
    Ok(text)
}

/// Refuses where a VM with this key is registered from another .vmx: somebody moved it, and it is not to be taken for gone.
///
/// # Errors
/// There is one, or the call failed.
pub async fn refuse_moved(client: &Client, path: &DatastorePath, key: &str) -> Result<(), Error> {
    let all = client.retrieve_all(&["VirtualMachine"], &[KEYS], Vec::new(), "VMs").await?;
    let Some(moved) = all.iter().find(|vm| extra_config(vm, STRATA_KEY) == Some(key)) else { return Ok(()) };
    let name = unescape(moved.text("name"));
    let at = moved.text("config.files.vmPathName");
    let text = format!(
        "VM {name} is not registered from {path} any more but from {at}: somebody moved it; move it back, or keep it"
    );
    Err(Refusal::conflict("VM_MOVED", text).and("file", at).into())
}

/// A VM of a request, with its vCenter.
///
/// # Errors
/// A bad request, no VM is registered from its .vmx, or the one that is is not ours.
pub async fn get(vcenters: &Vcenters, own: &pb::OwnVm) -> Result<(Arc<Client>, VmRead), Error> {
    let client = vcenters.by_name("own_vm.vcenter", &own.vcenter)?;
    let key = key("own_vm.key", &own.key)?;
    let path = vmx_path("own_vm.vmx_path", &own.vmx_path)?;
    let moref = (!own.moref.is_empty()).then_some(own.moref.as_str());
    let vm = find_by(&client, &path, key, moref).await?.ok_or_else(|| {
        let text = format!("vCenter {} has no VM registered from {path}; register it first", client.name());
        Refusal::not_found("VM_NOT_FOUND", text).and("file", path.to_string())
    })?;
    Ok((client, vm))
}

/// The VM that is registered from this .vmx under this key; `None` where no VM is registered from it.
///
/// # Errors
/// The call failed, or the VM is not ours.
pub async fn find(client: &Client, path: &DatastorePath, key: &str) -> Result<Option<VmRead>, Error> {
    find_by(client, path, key, None).await
}

/// As [`find`]; one that carries no key at all is ours where vCenter's id is the one that we were given at registration.
async fn find_by(
    client: &Client,
    path: &DatastorePath,
    key: &str,
    own_moref: Option<&str>,
) -> Result<Option<VmRead>, Error> {
    let places = Places::read(client).await?;
    for store in places.datastores_named(&path.datastore) {
        let Some(datacenter) = places.datacenter(&store.object) else { continue };
        let Some(moref) = client.find_vm_by_vmx_path(&datacenter.moref, &path.to_string()).await? else { continue };
        let found = match read_vm_by_ref(client, &moref).await {
            Err(error) if error.is_fault("ManagedObjectNotFound") => continue,
            other => other?,
        };
        if found.vm.strata_key == key {
            return Ok(Some(found));
        }
        if found.vm.strata_key.is_empty() && own_moref == Some(found.moref.value.as_str()) {
            return Ok(Some(found));
        }
        // A server that does not read our key out of the .vmx: the file itself then says whose it is.
        if found.vm.strata_key.is_empty() && vm_files::key_in_vmx(client, &datacenter.path, path).await? == key {
            return Ok(Some(found));
        }
        let text = format!(
            "VM {} is registered from {path} and does not carry the key {key}: it is not this operation's; it is left alone",
            found.vm.display_name
        );
        return Err(Refusal::conflict("VM_NOT_OURS", text).and("vm", found.vm.name).into());
    }
    Ok(None)
}
