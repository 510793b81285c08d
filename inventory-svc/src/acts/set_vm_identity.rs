//! SetVmIdentity: gives a clone uuids, a name and MAC addresses of its own, all in one ReconfigVM_Task (safety.md S17).
//!
//! Crash states: 1. not reconfigured: `strata.identity` is not the key. 2. reconfigured: it is, and nothing is done, so
//! that a second call does not change the MAC addresses again.

use super::{move_disks::must_be_off, own_vm};
use crate::{
    soap::{Element, XmlWriter},
    topology::{
        devices, pb,
        places::{escape, unescape},
        read::{VmRead, read_vm_by_ref},
        vm::{STRATA_KEY, extra_config},
    },
    vcenter::{Error, Refusal},
    vcenters::Vcenters,
};

/// Key in the VM's extraConfig that says that this act was done.
const DONE_KEY: &str = "strata.identity";

/// The act.
///
/// # Errors
/// A bad request, no such VM, it is not ours or runs, or vCenter refuses.
pub async fn run(vcenters: Vcenters, request: pb::SetVmIdentityRequest) -> Result<pb::SetVmIdentityResponse, Error> {
    let client = vcenters.by_name("vcenter", &request.vcenter)?;
    let key = own_vm::key("key", &request.key)?;
    let path = own_vm::vmx_path("vmx_path", &request.vmx_path)?;
    for (field, text) in [("bios_uuid", &request.bios_uuid), ("instance_uuid", &request.instance_uuid)] {
        if !text.is_empty() && text.parse::<uuid::Uuid>().is_err() {
            return Err(Refusal::invalid(field, format!("'{text}' is no uuid")).into());
        }
    }
    let vm = own_vm::find(&client, &path, key).await?.ok_or_else(|| {
        let text = format!("vCenter {} has no VM registered from {path}; register it first", client.name());
        Refusal::not_found("VM_NOT_FOUND", text).and("file", path.to_string())
    })?;
    if extra_config(&vm.properties, DONE_KEY) == Some(key) {
        return Ok(answer(vm));
    }
    must_be_off(&vm)?;
    let object = format!("VM {}", vm.vm.display_name);
    let task = client.reconfigure(&vm.moref, &object, |spec| write_spec(spec, &request, &vm)).await?;
    client.finish_task(&task, "change of identity", &object).await?;
    Ok(answer(read_vm_by_ref(&client, &vm.moref).await?))
}

fn answer(vm: VmRead) -> pb::SetVmIdentityResponse {
    let network_adapters = devices::network_adapters(vm.properties.items("config.hardware.device"), &vm.places);
    pb::SetVmIdentityResponse { vm: Some(vm.vm), network_adapters }
}

/// VirtualMachineConfigSpec, in the order of the WSDL.
fn write_spec(spec: &mut XmlWriter, request: &pb::SetVmIdentityRequest, vm: &VmRead) {
    let set = |text: &str| if text.is_empty() { None } else { Some(text.to_owned()) };
    spec.text_where("changeVersion", set(&vm.vm.change_version).as_deref());
    let renamed = set(&request.display_name).filter(|name| *name != unescape(vm.properties.text("name")));
    spec.text_where("name", renamed.as_deref().map(escape).as_deref())
        .text_where("uuid", set(&request.bios_uuid).as_deref())
        .text_where("instanceUuid", set(&request.instance_uuid).as_deref());
    let present = vm.properties.text("config.annotation");
    if !request.annotation.is_empty() && !present.contains(&request.annotation) {
        spec.text("annotation", format!("{present}\n{}", request.annotation).trim_start());
    }
    if request.new_mac_addresses || request.disconnect_adapters {
        let devices = vm.properties.items("config.hardware.device");
        let wish = AdapterWish { new_mac_address: request.new_mac_addresses, disconnect: request.disconnect_adapters };
        for device in devices.iter().filter(|device| devices::is_network_adapter(device)) {
            write_adapter(spec, device, wish);
        }
    }
    for (key, value) in [(STRATA_KEY, request.key.as_str()), (DONE_KEY, request.key.as_str())] {
        spec.element("extraConfig", |option| {
            option.text("key", key).typed_text("value", "xsd:string", value);
        });
    }
}

/// What is to change of an adapter.
#[derive(Debug, Clone, Copy)]
pub(super) struct AdapterWish {
    /// vCenter gives it another MAC address.
    pub(super) new_mac_address: bool,
    /// It does not connect at power-on.
    pub(super) disconnect: bool,
}

/// A `deviceChange`: the adapter as it is, but for what is to change.
pub(super) fn write_adapter(spec: &mut XmlWriter, device: &Element, wish: AdapterWish) {
    spec.element("deviceChange", |change| {
        change.text("operation", "edit").typed("device", &device.xsi_type, |out| {
            out.text_where("key", device.text_at("key"));
            if let Some(backing) = device.child("backing") {
                // A copy carries the original's port; vCenter is to give it one of its own.
                out.echo(backing, &["portKey", "connectionCookie"]);
            }
            write_connectable(out, device, wish);
            out.text_where("controllerKey", device.text_at("controllerKey"));
            out.text_where("unitNumber", device.text_at("unitNumber"));
            if wish.new_mac_address {
                out.text("addressType", "generated").text("macAddress", "");
            } else {
                out.text_where("addressType", device.text_at("addressType"));
                out.text_where("macAddress", device.text_at("macAddress"));
            }
        });
    });
}

fn write_connectable(out: &mut XmlWriter, device: &Element, wish: AdapterWish) {
    let is_true = |path: &str, unset: bool| device.at(path).map_or(unset, Element::is_true);
    let start = is_true("connectable.startConnected", true) && !wish.disconnect;
    out.element("connectable", |out| {
        out.flag("startConnected", start)
            .flag("allowGuestControl", is_true("connectable.allowGuestControl", true))
            .flag("connected", false);
    });
}
