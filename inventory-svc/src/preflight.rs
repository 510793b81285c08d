//! Which privileges our account lacks, for each feature (safety.md, Rights).

use crate::{
    soap::MoRef,
    topology::{pb, read::read_vm},
    vcenter::{Client, Error, Refusal},
    vcenters::Vcenters,
};
use std::collections::{BTreeMap, BTreeSet};
use strata_proto::strata::common::v1::MissingPrivilege;

/// What kind of object a privilege is asked for on, where a VM is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum On {
    Root,
    Vm,
    Folder,
    Pool,
    Host,
    Datastore,
    Network,
}

const FEATURES: &[(&str, &[(&str, On)])] = &[
    (
        "snapshot",
        &[
            ("System.View", On::Vm),
            ("System.Read", On::Vm),
            ("Sessions.ValidateSession", On::Root),
            ("Task.Create", On::Vm),
            ("Task.Update", On::Vm),
            ("Global.LogEvent", On::Vm),
            ("Datastore.Browse", On::Datastore),
            ("Datastore.FileManagement", On::Datastore),
        ],
    ),
    (
        "quiesce",
        &[
            ("VirtualMachine.State.CreateSnapshot", On::Vm),
            ("VirtualMachine.State.RemoveSnapshot", On::Vm),
            ("Global.CancelTask", On::Vm),
        ],
    ),
    ("clone", CLONE),
    (
        "revert",
        &[
            ("VirtualMachine.Config.ReloadFromPath", On::Vm),
            ("Resource.ColdMigrate", On::Pool),
            ("Resource.HotMigrate", On::Pool),
            ("Datastore.AllocateSpace", On::Datastore),
        ],
    ),
];

/// A revert needs the clone's too.
const CLONE: &[(&str, On)] = &[
    ("Host.Config.Storage", On::Host),
    ("Datastore.Browse", On::Datastore),
    ("Datastore.FileManagement", On::Datastore),
    ("Datastore.Rename", On::Datastore),
    ("Datastore.Move", On::Datastore),
    ("Datastore.Delete", On::Datastore),
    ("VirtualMachine.Inventory.Register", On::Folder),
    ("VirtualMachine.Inventory.Unregister", On::Vm),
    ("Resource.AssignVMToPool", On::Pool),
    ("Network.Assign", On::Network),
    ("VirtualMachine.Config.Settings", On::Vm),
    ("VirtualMachine.Config.Rename", On::Vm),
    ("VirtualMachine.Config.AdvancedConfig", On::Vm),
    ("VirtualMachine.Config.AddExistingDisk", On::Vm),
    ("VirtualMachine.Config.RemoveDisk", On::Vm),
    ("VirtualMachine.Config.AddRemoveDevice", On::Vm),
    ("VirtualMachine.Config.EditDevice", On::Vm),
    ("VirtualMachine.Config.ManagedBy", On::Vm),
    ("VirtualMachine.Config.ChangeTracking", On::Vm),
    ("VirtualMachine.Interact.PowerOn", On::Vm),
    ("VirtualMachine.Interact.PowerOff", On::Vm),
    ("VirtualMachine.Interact.AnswerQuestion", On::Vm),
    ("VirtualMachine.State.RevertToSnapshot", On::Vm),
];

/// The check; it changes nothing.
///
/// # Errors
/// A bad request, no such VM, or vCenter does not answer.
pub async fn run(vcenters: &Vcenters, request: pb::PreflightRequest) -> Result<pb::PreflightResponse, Error> {
    let client = vcenters.by_name("vcenter", &request.vcenter)?;
    let features = chosen(&request.features)?;
    let objects = objects(&client, vcenters, &request).await?;
    let mut questions: BTreeMap<&MoRef, BTreeSet<&str>> = BTreeMap::new();
    for (_, privilege, on) in &features {
        for (moref, _) in objects.iter().filter(|(_, (kind, _))| kind == on).map(|(moref, (_, name))| (moref, name)) {
            questions.entry(moref).or_default().insert(privilege);
        }
    }
    let mut lacking: BTreeSet<(String, String)> = BTreeSet::new();
    for (moref, privileges) in questions {
        let privileges: Vec<&str> = privileges.into_iter().collect();
        let grants = client.privileges(std::slice::from_ref(moref), &privileges).await?;
        for privilege in privileges {
            // What is not answered is not granted.
            if !grants.iter().any(|grant| grant.granted && grant.privilege == privilege) {
                lacking.insert((moref.value.clone(), privilege.to_owned()));
            }
        }
    }
    let mut missing = Vec::new();
    for (feature, privilege, on) in features {
        for (moref, (_, name)) in objects.iter().filter(|(_, (kind, _))| *kind == on) {
            if lacking.contains(&(moref.value.clone(), privilege.to_owned())) {
                missing.push(MissingPrivilege {
                    privilege: privilege.to_owned(),
                    object: name.clone(),
                    feature: feature.to_owned(),
                });
            }
        }
    }
    Ok(pb::PreflightResponse { missing })
}

type Question = (&'static str, &'static str, On);

fn chosen(wanted: &[String]) -> Result<Vec<Question>, Error> {
    let known: Vec<&str> = FEATURES.iter().map(|(feature, _)| *feature).collect();
    if let Some(unknown) = wanted.iter().find(|feature| !known.contains(&feature.as_str())) {
        let text = format!("'{unknown}' is no feature; there are: {}", known.join(", "));
        return Err(Refusal::invalid("features", text).into());
    }
    let is_wanted = |feature: &str| wanted.is_empty() || wanted.iter().any(|one| one == feature);
    let mut questions = Vec::new();
    for (feature, privileges) in FEATURES.iter().filter(|(feature, _)| is_wanted(feature)) {
        questions.extend(privileges.iter().map(|(privilege, on)| (*feature, *privilege, *on)));
        if *feature == "revert" {
            questions.extend(CLONE.iter().map(|(privilege, on)| (*feature, *privilege, *on)));
        }
    }
    Ok(questions)
}

/// The objects that are asked about. Without a VM every privilege is asked for on the root.
async fn objects(
    client: &Client,
    vcenters: &Vcenters,
    request: &pb::PreflightRequest,
) -> Result<Vec<(MoRef, (On, String))>, Error> {
    let content = client.content().await?;
    let root = client.manager(content.root_folder.as_ref(), "root folder")?;
    let on_root = |on| (root.clone(), (on, format!("vCenter {}", client.name())));
    if request.vm.is_empty() {
        return Ok([On::Root, On::Vm, On::Folder, On::Pool, On::Host, On::Datastore, On::Network]
            .map(on_root)
            .to_vec());
    }
    let (of, uuid) = vcenters.with_child("vm", &request.vm, "vms")?;
    if of.name() != client.name() {
        return Err(Refusal::invalid("vm", format!("{} is not of {}", request.vm, request.vcenter)).into());
    }
    let vm = read_vm(client, &uuid).await?;
    let mut objects = vec![on_root(On::Root), (vm.moref.clone(), (On::Vm, format!("VM {}", vm.vm.display_name)))];
    let mut add = |moref: Option<MoRef>, on: On, word: &str, name: String| {
        objects.extend(moref.map(|moref| (moref, (on, format!("{word} {name}")))));
    };
    let properties = &vm.properties;
    add(properties.moref("parent"), On::Folder, "folder", vm.vm.folder_path.clone());
    add(properties.moref("resourcePool"), On::Pool, "resource pool", vm.vm.pool_moref.clone());
    add(properties.moref("runtime.host"), On::Host, "host", vm.vm.host.clone());
    for store in properties.items("datastore").iter().filter_map(crate::soap::Element::moref) {
        let name = vm.places.name(&store);
        add(Some(store), On::Datastore, "datastore", name);
    }
    for network in properties.items("network").iter().filter_map(crate::soap::Element::moref) {
        let name = vm.places.network_name(&network.value).unwrap_or_else(|| network.value.clone());
        add(Some(network), On::Network, "network", name);
    }
    Ok(objects)
}
