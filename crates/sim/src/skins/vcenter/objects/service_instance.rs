//! ServiceInstance: what there is, and the time.

use super::{
    super::{
        context::{Answer, Ctx},
        envelope::API_VERSION,
    },
    not_here,
};
use crate::world::compute::{
    state::State,
    value::{MoRef, Val, obj},
};

fn content(s: &State) -> Val {
    let at = |ty: &str, id: &str| MoRef::new(ty, id);
    let about = obj!("AboutInfo",
        "name" => "VMware vCenter Server", "fullName" => "VMware vCenter Server 8.0.3 build-24022515 (simulated)",
        "vendor" => "VMware, Inc.", "version" => "8.0.3", "build" => "24022515", "localeVersion" => "INTL",
        "localeBuild" => "000", "osType" => "linux-x64", "productLineId" => "vpx", "apiType" => "VirtualCenter",
        "apiVersion" => API_VERSION, "instanceUuid" => &s.instance_uuid, "licenseProductName" => "VMware VirtualCenter Server",
        "licenseProductVersion" => "8.0");
    obj!("ServiceContent",
        "rootFolder" => at("Folder", "group-d1"), "propertyCollector" => at("PropertyCollector", "propertyCollector"),
        "viewManager" => at("ViewManager", "ViewManager"), "about" => about,
        "setting" => at("OptionManager", "VpxSettings"), "sessionManager" => at("SessionManager", "SessionManager"),
        "authorizationManager" => at("AuthorizationManager", "AuthorizationManager"),
        "eventManager" => at("EventManager", "EventManager"), "taskManager" => at("TaskManager", "TaskManager"),
        "extensionManager" => at("ExtensionManager", "ExtensionManager"),
        "customFieldsManager" => at("CustomFieldsManager", "CustomFieldsManager"),
        "fileManager" => at("FileManager", "FileManager"), "searchIndex" => at("SearchIndex", "SearchIndex"),
        "virtualDiskManager" => at("VirtualDiskManager", "virtualDiskManager"),
        "licenseManager" => at("LicenseManager", "LicenseManager"))
}

/// A property.
pub fn property(s: &State, name: &str) -> Val {
    match name {
        "content" => content(s),
        "serverClock" => s.now().into(),
        "capability" => obj!("Capability", "provisioningSupported" => true, "multiHostSupported" => true,
            "userShellAccessSupported" => false),
        _ => Val::Unset,
    }
}

/// The methods.
pub fn call(ctx: &mut Ctx<'_>, method: &str) -> Answer {
    match method {
        "RetrieveServiceContent" => Ok(content(ctx.s)),
        "CurrentTime" => Ok(ctx.s.now().into()),
        _ => not_here(ctx, method),
    }
}
