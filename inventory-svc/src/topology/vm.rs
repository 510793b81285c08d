//! VMs as the contract shows them.

use super::{
    freeze, pb,
    places::{Places, unescape},
};
use crate::{
    footing::Standing,
    soap::{Element, MoRef},
    vcenter::{
        property_collector::ObjectProperties,
        property_spec::{Properties, Step},
        snapshot,
    },
};
use std::collections::{BTreeSet, HashMap};
use strata_model::{DatastorePath, names};

/// The key in a VM's extraConfig under which Strata writes the operation's key.
pub const STRATA_KEY: &str = "strata.key";

/// What a list shows of a VM.
pub const LIST: Properties = Properties {
    kind: "VirtualMachine",
    paths: &[
        "name",
        "parent",
        "parentVApp",
        "resourcePool",
        "datastore",
        "network",
        "snapshot",
        "config.instanceUuid",
        "config.uuid",
        "config.template",
        "config.changeVersion",
        "config.changeTrackingEnabled",
        "config.files.vmPathName",
        "config.managedBy",
        "config.extraConfig",
        "summary.config.instanceUuid",
        "summary.config.uuid",
        "summary.config.vmPathName",
        "summary.config.template",
        "runtime.powerState",
        "runtime.connectionState",
        "runtime.host",
        "runtime.question",
        "guest.hostName",
        "guest.ipAddress",
        "guest.toolsRunningStatus",
    ],
};

/// What a topology needs of a VM.
pub const TOPOLOGY: Properties = Properties {
    kind: "VirtualMachine",
    paths: &[
        "name",
        "parent",
        "parentVApp",
        "resourcePool",
        "datastore",
        "network",
        "snapshot",
        "config.instanceUuid",
        "config.uuid",
        "config.template",
        "config.changeVersion",
        "config.changeTrackingEnabled",
        "config.files.vmPathName",
        "config.files.snapshotDirectory",
        "config.files.suspendDirectory",
        "config.files.logDirectory",
        "config.managedBy",
        "config.extraConfig",
        "config.flags.diskUuidEnabled",
        "config.guestId",
        "summary.config.instanceUuid",
        "summary.config.uuid",
        "summary.config.vmPathName",
        "summary.config.template",
        "runtime.powerState",
        "runtime.connectionState",
        "runtime.host",
        "runtime.question",
        "guest.guestFamily",
        "guest.hostName",
        "guest.ipAddress",
        "guest.net",
        "guest.toolsRunningStatus",
        "config.hardware.device",
        "config.ftInfo",
        "config.annotation",
        "layoutEx.file",
        "runtime.consolidationNeeded",
    ],
};

/// What a topology needs of a VM's neighbours: who they are, and every file that they refer to.
pub const NEIGHBOUR: Properties = Properties {
    kind: "VirtualMachine",
    paths: &[
        "name",
        "parent",
        "datastore",
        "config.instanceUuid",
        "config.template",
        "config.files.vmPathName",
        "config.hardware.device",
        "summary.config.instanceUuid",
        "summary.config.vmPathName",
        "summary.config.template",
        "layoutEx.file",
        "runtime.powerState",
        "runtime.host",
    ],
};

/// What a running task tells.
pub const TASKS: Properties = Properties { kind: "Task", paths: &["info.state", "info.descriptionId", "info.entity"] };

/// From a VM to its tasks.
pub fn to_tasks() -> Step {
    Step::along("VirtualMachine", "recentTask")
}

/// Running tasks of each VM, by their description's id.
pub fn running_tasks(found: &[ObjectProperties]) -> HashMap<MoRef, BTreeSet<String>> {
    let mut running: HashMap<MoRef, BTreeSet<String>> = HashMap::new();
    for task in found.iter().filter(|object| object.object.kind == "Task") {
        if matches!(task.text("info.state"), "running" | "queued")
            && let Some(entity) = task.moref("info.entity")
        {
            running.entry(entity).or_default().insert(task.text("info.descriptionId").to_owned());
        }
    }
    running
}

/// The instanceUuid; `None` for a VM whose configuration vCenter cannot read.
pub fn instance_uuid(vm: &ObjectProperties) -> Option<&str> {
    first_text(vm, &["config.instanceUuid", "summary.config.instanceUuid"])
}

/// `vcenters/{vcenter}/vms/{instance_uuid}`; `moref:` and the id for a VM whose uuid vCenter cannot read.
pub fn name(vcenter: &str, vm: &ObjectProperties) -> String {
    let otherwise = format!("moref:{}", vm.object.value);
    names::join(&[("vcenters", vcenter), ("vms", instance_uuid(vm).unwrap_or(&otherwise))])
}

/// The .vmx, `[datastore] directory/name.vmx`.
pub fn vmx_path(vm: &ObjectProperties) -> Option<DatastorePath> {
    first_text(vm, &["config.files.vmPathName", "summary.config.vmPathName"])?.parse().ok()
}

/// Whether it is a template.
pub fn is_template(vm: &ObjectProperties) -> bool {
    vm.is_true("config.template") || vm.is_true("summary.config.template")
}

/// Its power state.
pub fn power_state(vm: &ObjectProperties) -> pb::PowerState {
    power_state_of(vm.text("runtime.powerState"))
}

/// A power state as vCenter writes it.
pub fn power_state_of(text: &str) -> pb::PowerState {
    match text {
        "poweredOn" => pb::PowerState::On,
        "poweredOff" => pb::PowerState::Off,
        "suspended" => pb::PowerState::Suspended,
        _ => pb::PowerState::Unspecified,
    }
}

/// A value of its extraConfig.
pub fn extra_config<'a>(vm: &'a ObjectProperties, key: &str) -> Option<&'a str> {
    entry(vm.items("config.extraConfig"), key)
}

/// A value among the entries of an extraConfig.
pub fn entry<'a>(entries: &'a [Element], key: &str) -> Option<&'a str> {
    entries.iter().find(|entry| entry.text_at("key") == Some(key))?.text_at("value")
}

/// Whether vSphere Cluster Services made it.
pub fn is_system(vm: &ObjectProperties) -> bool {
    vm.get("config.managedBy").is_some_and(is_cluster_agent) || is_cluster_agent_by(vm.items("config.extraConfig"))
}

/// Whether `config.managedBy` names vSphere Cluster Services.
pub fn is_cluster_agent(by: &Element) -> bool {
    by.text_at("extensionKey") == Some("com.vmware.vim.eam") && by.text_at("type") == Some("cluster-agent")
}

/// Whether the entries of an extraConfig say that vSphere Cluster Services made it.
pub fn is_cluster_agent_by(entries: &[Element]) -> bool {
    entry(entries, "HDCS.agent").is_some_and(|value| value.eq_ignore_ascii_case("true"))
}

/// A VM as the contract shows it.
pub fn vm(
    standing: &Standing,
    vm: &ObjectProperties,
    places: &Places,
    running: &HashMap<MoRef, BTreeSet<String>>,
) -> pb::Vm {
    let host = vm.moref("runtime.host");
    let folder = vm.moref("parent").or_else(|| vm.moref("parentVApp"));
    let datacenter = folder.as_ref().or(host.as_ref()).and_then(|place| places.datacenter(place));
    let mut datastores: Vec<String> =
        vm.items("datastore").iter().filter_map(Element::moref).map(|store| places.name(&store)).collect();
    datastores.sort();
    pb::Vm {
        name: name(&standing.vcenter, vm),
        display_name: unescape(vm.text("name")),
        moref: vm.object.value.clone(),
        instance_uuid: instance_uuid(vm).unwrap_or_default().to_owned(),
        bios_uuid: first_text(vm, &["config.uuid", "summary.config.uuid"]).unwrap_or_default().to_owned(),
        power_state: power_state(vm).into(),
        template: is_template(vm),
        connection_state: vm.text("runtime.connectionState").to_owned(),
        host: host.as_ref().map(|host| places.name(host)).unwrap_or_default(),
        host_moref: value(host),
        folder_path: folder.as_ref().map(|folder| places.path(folder)).unwrap_or_default(),
        folder_moref: value(folder),
        pool_moref: value(vm.moref("resourcePool")),
        datacenter_path: datacenter.as_ref().map(|found| found.path.clone()).unwrap_or_default(),
        datacenter_moref: value(datacenter.map(|found| found.moref)),
        vmx_path: vmx_path(vm).map(|path| path.to_string()).unwrap_or_default(),
        change_version: vm.text("config.changeVersion").to_owned(),
        tools_running: vm.text("guest.toolsRunningStatus") == "guestToolsRunning",
        managed_by: managed_by(vm.get("config.managedBy")),
        vm_snapshot_count: u32::try_from(snapshot::tree(vm.get("snapshot")).len()).unwrap_or(u32::MAX),
        change_tracking: vm.is_true("config.changeTrackingEnabled"),
        question_pending: vm.get("runtime.question").is_some_and(|question| question.text_at("id").is_some()),
        datastores,
        strata_key: extra_config(vm, STRATA_KEY).unwrap_or_default().to_owned(),
        system_vm: is_system(vm),
        running_tasks: running.get(&vm.object).into_iter().flatten().cloned().collect(),
        application_freeze: false,
        application_freeze_reason: String::new(),
        protected_reason: standing.reason(vm),
        freshness: None,
    }
}

/// The same from a topology's properties, which tell more than a list's.
pub fn whole_vm(
    standing: &Standing,
    vm: &ObjectProperties,
    places: &Places,
    running: &HashMap<MoRef, BTreeSet<String>>,
) -> pb::Vm {
    let obstacle = freeze::obstacle(vm);
    pb::Vm {
        application_freeze: obstacle.is_none(),
        application_freeze_reason: obstacle.unwrap_or_default(),
        ..self::vm(standing, vm, places, running)
    }
}

/// `config.managedBy` as the contract shows it.
pub fn managed_by(by: Option<&Element>) -> String {
    let text = |path: &str| by.and_then(|by| by.text_at(path));
    match (text("extensionKey"), text("type")) {
        (Some(key), Some(kind)) => format!("{key}/{kind}"),
        (Some(key), None) => key.to_owned(),
        _ => String::new(),
    }
}

fn first_text<'a>(vm: &'a ObjectProperties, paths: &[&str]) -> Option<&'a str> {
    paths.iter().map(|path| vm.text(path)).find(|text| !text.is_empty())
}

fn value(moref: Option<MoRef>) -> String {
    moref.map(|moref| moref.value).unwrap_or_default()
}
