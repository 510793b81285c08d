//! A picture of the whole installation, to be compared with a later one: what differs is what an operation did.

use super::House;
use std::{
    collections::BTreeMap,
    hash::{DefaultHasher, Hash as _, Hasher as _},
};
use strata_gateway::ledger::Stage;
use strata_proto::strata::storage::v1::{
    ListArraysRequest, ListOwnedRequest, Owned, storage_service_client::StorageServiceClient,
};
use strata_sim::world::{
    compute::{state::State, vm::Vm},
    tree::FileTree,
};

/// One line an object, by `kind name`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture(BTreeMap<String, String>);

impl Picture {
    /// What differs in a later picture, a line each.
    pub fn differences(&self, later: &Picture) -> Vec<String> {
        let mut lines = Vec::new();
        for (name, was) in &self.0 {
            match later.0.get(name) {
                None => lines.push(format!("{name} is gone (was {was})")),
                Some(is) if is != was => lines.push(format!("{name} was {was} and is {is}")),
                Some(_) => {}
            }
        }
        lines.extend(
            later.0.iter().filter(|(name, _)| !self.0.contains_key(*name)).map(|(n, is)| format!("{n} is new: {is}")),
        );
        lines
    }

    /// Fails unless nothing differs.
    pub fn expect_same(&self, later: &Picture) -> anyhow::Result<()> {
        self.expect_only(later, &[])
    }

    /// Fails unless everything that differs has one of these texts in its line.
    pub fn expect_only(&self, later: &Picture, allowed: &[&str]) -> anyhow::Result<()> {
        let mut lines = self.differences(later);
        lines.retain(|line| !allowed.iter().any(|part| line.contains(part)));
        anyhow::ensure!(lines.is_empty(), "the world is not as it was:\n  {}", lines.join("\n  "));
        Ok(())
    }

    /// Names of one kind: `vm`, `file`, `owned`, `mount`.
    pub fn names(&self, kind: &str) -> Vec<&str> {
        let prefix = format!("{kind} ");
        self.0.keys().filter_map(|name| name.strip_prefix(&prefix)).collect()
    }
}

impl House {
    /// Takes one.
    pub async fn picture(&self) -> anyhow::Result<Picture> {
        let mut all = BTreeMap::new();
        for vcenter in &self.vcenters {
            vcenter.with(|state| compute(state, &mut all));
        }
        for datastore in &self.datastores {
            let tree = self.tree(datastore)?;
            files(&*tree, datastore, "", &mut all)?;
        }
        for owned in self.owned().await? {
            all.insert(format!("owned {} {}", owned.volume, owned.key), owned.native_name);
        }
        for entry in self.gateway.deps().ledger.entries().await? {
            if entry.stage != Stage::AbsentUnconfirmed {
                all.insert(format!("ledger {} {}", entry.array, entry.key), format!("{:?}", entry.kind));
            }
        }
        for point in self.gateway.deps().catalog.points()? {
            let state = format!("{} deleting {} lost {}", point.display_name, point.deleting, point.lost);
            all.insert(format!("point {}", point.id), state);
        }
        for clone in self.gateway.deps().catalog.clones()? {
            all.insert(format!("clone {}", clone.intent.clone_id), clone.vm);
        }
        Ok(Picture(all))
    }

    /// Everything with a mark of ours on all arrays.
    pub async fn owned(&self) -> anyhow::Result<Vec<Owned>> {
        let mut storage = StorageServiceClient::new(self.ungated_storage.clone());
        let mut all = Vec::new();
        for array in storage.list_arrays(ListArraysRequest::default()).await?.into_inner().arrays {
            let request = ListOwnedRequest { parent: array.name, page_size: 1_000, ..ListOwnedRequest::default() };
            all.extend(storage.list_owned(request).await?.into_inner().owned);
        }
        Ok(all)
    }
}

fn compute(state: &State, all: &mut BTreeMap<String, String>) {
    for (id, vm) in &state.vms {
        all.insert(format!("vm {}/{} {id}", state.name, vm.config.name), of_vm(state, vm));
    }
    for (id, snapshot) in &state.snapshots {
        all.insert(format!("vm-snapshot {}/{id}", state.name), format!("{}: {}", snapshot.vm, snapshot.listed.name));
    }
    for datastore in state.datastores.values() {
        for mount in &datastore.mounts {
            let how = format!("accessible {} writable {}", mount.accessible, mount.writable);
            all.insert(format!("mount {}/{} {}", state.name, datastore.name, mount.host), how);
        }
    }
}

/// Everything of a VM but the counters of its changes.
fn of_vm(state: &State, vm: &Vm) -> String {
    let disks: Vec<String> = vm.disks().map(|disk| format!("{} {}", state.show(&disk.file), disk.mode)).collect();
    let nics: Vec<String> =
        vm.nics().map(|nic| format!("{} connected {} start {}", nic.mac, nic.connected, nic.start_connected)).collect();
    // A file that was read again shows its own header too.
    let header = [".encoding", "config.version"];
    let extra = vm.config.extra.iter().filter(|(key, _)| !header.contains(key));
    let extra: Vec<String> = extra.map(|(key, value)| format!("{key}={value}")).collect();
    format!(
        "{} {} uuid {} instance {} folder {} pool {:?} cbt {} disks {disks:?} nics {nics:?} extra {extra:?} managed {:?} question {}",
        vm.power_state(),
        vm.connection,
        vm.config.uuid,
        vm.config.instance_uuid,
        vm.folder,
        vm.pool,
        vm.config.cbt,
        vm.config.managed_by,
        vm.question.is_some(),
    )
}

fn files(
    tree: &dyn FileTree,
    datastore: &str,
    directory: &str,
    all: &mut BTreeMap<String, String>,
) -> anyhow::Result<()> {
    for entry in tree.list(directory)? {
        if entry.name == ".strata-clones" && tree.list(&entry.name).is_ok_and(|inside| inside.is_empty()) {
            // Where the simulated array's driver lists clones; empty it means nothing.
            continue;
        }
        let path = if directory.is_empty() { entry.name.clone() } else { format!("{directory}/{}", entry.name) };
        if entry.is_dir {
            all.insert(format!("file {datastore}/{path}/"), "directory".to_owned());
            files(tree, datastore, &path, all)?;
            continue;
        }
        // Logs grow, tracking files count, and the .vmsd counts the VMware snapshots that there ever were; of swap files
        // it matters only that they are there.
        let counts = ["-ctk.vmdk", ".log", ".vswp", ".vmsd"].iter().any(|end| entry.name.ends_with(end));
        let content = if counts { String::new() } else { digest(tree, &path, entry.size_bytes)? };
        all.insert(format!("file {datastore}/{path}"), content);
    }
    Ok(())
}

fn digest(tree: &dyn FileTree, path: &str, size_bytes: u64) -> anyhow::Result<String> {
    let bytes = tree.read(path, 0, usize::try_from(size_bytes.min(4 << 20))?)?;
    let mut hasher = DefaultHasher::new();
    if path.ends_with(".vmx") || path.ends_with(".vmdk") && size_bytes < 4096 {
        // The order of keys is nobody's promise.
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let mut lines: Vec<&str> = text.lines().collect();
        lines.sort_unstable();
        lines.hash(&mut hasher);
        return Ok(format!("{:016x}", hasher.finish()));
    }
    bytes.hash(&mut hasher);
    Ok(format!("{size_bytes} bytes {:016x}", hasher.finish()))
}
