//! The managed objects: their properties and methods. One file an object.

mod authorization_manager;
mod compute_resource;
mod custom_fields_manager;
mod datacenter;
mod datastore;
mod datastore_browser;
mod entity;
mod event_manager;
mod extension_manager;
mod file_manager;
mod folder;
mod host_datastore_system;
mod host_storage_system;
mod host_system;
mod option_manager;
mod resource_pool;
mod search_index;
mod service_instance;
mod session_manager;
mod snapshot;
mod storage_device;
mod task;
mod unresolved;
mod vm;

use super::{
    context::{Answer, Ctx},
    dispatch,
    property::Reader,
};
use crate::world::compute::{
    fault::Fault,
    value::{MoRef, Val},
};

/// A property by its own name; unset where it has none.
pub fn property(reader: &Reader<'_>, object: &MoRef, name: &str) -> Val {
    let s = reader.s;
    match object.ty.as_str() {
        "ServiceInstance" => service_instance::property(s, name),
        "SessionManager" => session_manager::property(s, name),
        "ViewManager" => Val::from(reader.things.views.keys().map(|v| MoRef::new("View", v)).collect::<Vec<_>>()),
        "ContainerView" | "ListView" | "InventoryView" => view_property(reader, object, name),
        "PropertyCollector" => Val::List(Vec::new()),
        "TaskManager" => task::manager_property(s, name),
        "EventManager" => event_manager::property(s, name),
        "ExtensionManager" => Val::List(s.extensions.clone()),
        "CustomFieldsManager" => custom_fields_manager::property(s),
        "OptionManager" => option_manager::property(s, name),
        "HostDatastoreBrowser" | "HostDatastoreSystem" | "HostStorageSystem" => part_property(s, object, name),
        "VirtualMachineSnapshot" => snapshot::property(s, &object.id, name),
        "Task" => task::property(s, &object.id, name),
        _ => entity::property(s, object, name),
    }
}

fn view_property(reader: &Reader<'_>, object: &MoRef, name: &str) -> Val {
    use super::collector::View;
    let Some(view) = reader.things.views.get(&object.id) else { return Val::Unset };
    match (name, view) {
        ("view", view) => view.objects(reader.s).into(),
        ("container", View::Container { container, .. }) => container.into(),
        ("type", View::Container { types, .. }) => types.clone().into(),
        ("recursive", View::Container { recursive, .. }) => (*recursive).into(),
        _ => Val::Unset,
    }
}

fn part_property(s: &crate::world::compute::state::State, object: &MoRef, name: &str) -> Val {
    let Some(owner) = dispatch::owner(s, object) else { return Val::Unset };
    match (object.ty.as_str(), name) {
        (_, "datastore") => match owner.ty.as_str() {
            "Datastore" => vec![owner].into(),
            _ => entity::property(s, &owner, "datastore"),
        },
        ("HostStorageSystem", _) => host_system::storage_property(s, &owner.id, name),
        _ => Val::Unset,
    }
}

/// Runs a method.
pub fn call(ctx: &mut Ctx<'_>, method: &str) -> Answer {
    let this = ctx.this.ty.clone();
    if matches!(method, "Rename_Task" | "Destroy_Task" | "Reload" | "setCustomValue") {
        return entity::call(ctx, method);
    }
    match this.as_str() {
        "ServiceInstance" => service_instance::call(ctx, method),
        "SessionManager" => session_manager::call(ctx, method),
        "SearchIndex" => search_index::call(ctx, method),
        "Folder" => folder::call(ctx, method),
        "VirtualMachine" => vm::calls::call(ctx, method),
        "VirtualMachineSnapshot" => snapshot::call(ctx, method),
        "Datacenter" => datacenter::call(ctx, method),
        "Datastore" => datastore::call(ctx, method),
        "Task" | "TaskManager" => task::call(ctx, method),
        "EventManager" => event_manager::call(ctx, method),
        "AuthorizationManager" => authorization_manager::call(ctx, method),
        "ExtensionManager" => extension_manager::call(ctx, method),
        "CustomFieldsManager" => custom_fields_manager::call(ctx, method),
        "OptionManager" => option_manager::call(ctx, method),
        "HostDatastoreSystem" => host_datastore_system::call(ctx, method),
        "HostStorageSystem" => host_storage_system::call(ctx, method),
        "HostDatastoreBrowser" => datastore_browser::call(ctx, method),
        "FileManager" => file_manager::call(ctx, method),
        "VirtualDiskManager" => file_manager::disk_call(ctx, method),
        _ => not_here(ctx, method),
    }
}

/// A method that the schema knows and this simulator does not have.
pub fn not_here(ctx: &Ctx<'_>, method: &str) -> Answer {
    Err(Fault::new("NotSupported", format!("{method} of {} is not simulated", ctx.this.ty)))
}
