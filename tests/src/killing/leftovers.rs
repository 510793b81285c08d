//! Nothing on the array or in vCenter that journal and catalog do not know, and nothing in those that is not there.

use crate::house::House;
use std::collections::BTreeSet;
use strata_gateway::{
    Gateway,
    ledger::{OwnedKind, Stage},
};
use strata_proto::strata::storage::v1 as sto;
use strata_saga::engine::Filter;

const ARRAY: &str = "arrays/array-1";

/// Everything that is wrong, in words.
pub(super) async fn faults(house: &House, gateway: &Gateway) -> anyhow::Result<Vec<String>> {
    let mut faults = unended(gateway);
    faults.extend(on_the_array(gateway).await?);
    faults.extend(in_vcenter(house, gateway)?);
    Ok(faults)
}

fn unended(gateway: &Gateway) -> Vec<String> {
    let all = gateway.engine().list(&Filter::default());
    let unended = all.iter().filter(|status| status.history.outcome.is_none());
    unended.map(|status| format!("operation {} has not ended", status.history.id)).collect()
}

type Key = (&'static str, String);

/// The array's marks, the ledger and the catalog name the same things.
async fn on_the_array(gateway: &Gateway) -> anyhow::Result<Vec<String>> {
    let deps = gateway.deps();
    let marked = deps.ports.storage.all_owned(ARRAY, &deps.installation).await?;
    let everyones = deps.ports.storage.all_owned(ARRAY, "").await?;
    let on_array: BTreeSet<Key> = marked.iter().map(|owned| (kind_of(owned.kind()), owned.key.clone())).collect();
    let mut faults = Vec::new();
    if everyones.len() != marked.len() {
        faults.push(format!("marks of another installation: {everyones:?}"));
    }
    let mut in_ledger: BTreeSet<Key> = BTreeSet::new();
    for entry in deps.ledger.entries().await? {
        let kind = if entry.kind == OwnedKind::Snapshot { "snapshot" } else { "clone" };
        match entry.stage {
            Stage::Present => drop(in_ledger.insert((kind, entry.key))),
            // Was looked for and not found; it is looked for again.
            Stage::AbsentUnconfirmed => {}
            Stage::Intended | Stage::Removing => faults.push(format!("the ledger is not at an end: {entry:?}")),
        }
    }
    let mut in_catalog: BTreeSet<Key> = BTreeSet::new();
    for point in deps.catalog.points()? {
        if point.deleting || point.lost {
            faults.push(format!("restore point {} is deleting or lost", point.id));
        }
        in_catalog.insert(("snapshot", point.cut.key));
    }
    for clone in deps.catalog.clones()? {
        if clone.deleting {
            faults.push(format!("clone {} is deleting", clone.intent.clone_id));
        }
        in_catalog.insert(("clone", clone.intent.clone_id));
    }
    if on_array != in_ledger || on_array != in_catalog {
        faults.push(format!("array: {on_array:?}; ledger: {in_ledger:?}; catalog: {in_catalog:?}"));
    }
    Ok(faults)
}

fn kind_of(kind: sto::OwnedKind) -> &'static str {
    if kind == sto::OwnedKind::Snapshot { "snapshot" } else { "clone" }
}

/// VMs with our key are clones that the catalog knows, and no VMware snapshot of ours is open.
fn in_vcenter(house: &House, gateway: &Gateway) -> anyhow::Result<Vec<String>> {
    let known: BTreeSet<String> =
        gateway.deps().catalog.clones()?.into_iter().map(|clone| clone.intent.clone_id).collect();
    let (ours, mut faults) = house.vcenter.with(|state| {
        let ours: BTreeSet<String> =
            state.vms.values().filter_map(|vm| vm.config.extra.get("strata.key").map(str::to_owned)).collect();
        let open = state.snapshots.values().filter(|snapshot| snapshot.listed.name.starts_with("strata-"));
        let faults: Vec<String> =
            open.map(|snapshot| format!("VMware snapshot {} is open", snapshot.listed.name)).collect();
        (ours, faults)
    });
    if ours != known {
        faults.push(format!("VMs with our key: {ours:?}; clones in the catalog: {known:?}"));
    }
    Ok(faults)
}
