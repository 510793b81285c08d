//! Which privileges our account lacks, for each feature (safety.md, Rights).

mod rights;

use crate::{
    soap::MoRef,
    topology::{pb, read::read_vm},
    vcenter::{Client, Error, Refusal},
    vcenters::Vcenters,
};
use rights::{CLONE, FEATURES, On};
use std::collections::{BTreeMap, BTreeSet};
use strata_proto::strata::common::v1::MissingPrivilege;

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
