//! Everything a simulated vCenter knows.

use super::{
    datastore::Datastore,
    fault::Fault,
    inventory::{Cluster, Datacenter, Folder, Host, Network, Pool},
    session::Sessions,
    snapshot::Snapshot,
    task::{Task, Work},
    value::{MoRef, Val},
    vm::Vm,
};
use crate::world::World;
use jiff::Timestamp;
use rand::{RngCore, SeedableRng, rngs::StdRng};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// An entry of the event log.
#[derive(Debug, Clone)]
pub struct Logged {
    /// Key.
    pub key: i64,
    /// When.
    pub time: Timestamp,
    /// Who.
    pub user: String,
    /// About what.
    pub entity: Option<MoRef>,
    /// Event type.
    pub kind: String,
    /// Text.
    pub message: String,
}

/// Everything behind a vCenter's lock. Maps are by managed object id.
#[derive(Debug)]
pub struct State {
    /// Name of this vCenter.
    pub name: String,
    /// Instance uuid of this vCenter.
    pub instance_uuid: String,
    /// When this vCenter began to run.
    pub began: Timestamp,
    /// Counts changes; who waits for updates compares it.
    pub version: u64,
    /// The storage half: NFS servers and the clock.
    pub world: Arc<World>,
    next_id: u64,
    rng: StdRng,
    /// Folders; the root is `group-d1`.
    pub folders: BTreeMap<String, Folder>,
    /// Datacenters.
    pub datacenters: BTreeMap<String, Datacenter>,
    /// Clusters and standalone compute resources.
    pub clusters: BTreeMap<String, Cluster>,
    /// Resource pools.
    pub pools: BTreeMap<String, Pool>,
    /// Hosts.
    pub hosts: BTreeMap<String, Host>,
    /// Networks.
    pub networks: BTreeMap<String, Network>,
    /// Datastores.
    pub datastores: BTreeMap<String, Datastore>,
    /// VMs and templates.
    pub vms: BTreeMap<String, Vm>,
    /// VMware snapshots.
    pub snapshots: BTreeMap<String, Snapshot>,
    /// Tasks, kept until the vCenter is dropped.
    pub tasks: BTreeMap<String, Task>,
    /// Started tasks that wait to be run.
    pub work: Vec<(MoRef, Work)>,
    /// Event log.
    pub events: Vec<Logged>,
    /// Registered extensions.
    pub extensions: Vec<Val>,
    /// Custom fields: key, name, type of object.
    pub custom_fields: Vec<(i64, String, Option<String>)>,
    /// Values of custom fields by object id and key.
    pub custom_values: BTreeMap<(String, i64), String>,
    /// Options set by clients.
    pub options: BTreeMap<String, Val>,
    /// Privileges taken away from everyone: id, and the object or all objects.
    pub revoked: BTreeSet<(String, Option<MoRef>)>,
    /// Logins and sessions.
    pub sessions: Sessions,
    /// What arrays showed when hosts were last looked after.
    pub(super) maps_seen: u64,
    /// A copy is not resolved while several copies of one filesystem are seen; else it is where every extent is named.
    pub copies_are_refused: bool,
    /// A new signature changes the absolute paths in files that name the old one, as the documentation says.
    pub resignature_rewrites: bool,
}

impl State {
    pub(super) fn new(world: Arc<World>, name: &str, seed: u64) -> Self {
        let mut state = State {
            name: name.to_owned(),
            instance_uuid: String::new(),
            version: 1,
            began: world.clock().now(),
            world,
            next_id: 1000,
            rng: StdRng::seed_from_u64(seed),
            folders: BTreeMap::new(),
            datacenters: BTreeMap::new(),
            clusters: BTreeMap::new(),
            pools: BTreeMap::new(),
            hosts: BTreeMap::new(),
            networks: BTreeMap::new(),
            datastores: BTreeMap::new(),
            vms: BTreeMap::new(),
            snapshots: BTreeMap::new(),
            tasks: BTreeMap::new(),
            work: Vec::new(),
            events: Vec::new(),
            extensions: Vec::new(),
            custom_fields: Vec::new(),
            custom_values: BTreeMap::new(),
            options: BTreeMap::new(),
            revoked: BTreeSet::new(),
            sessions: Sessions::default(),
            maps_seen: 0,
            copies_are_refused: true,
            resignature_rewrites: true,
        };
        state.instance_uuid = state.uuid();
        state
    }

    /// The time of this vCenter.
    pub fn now(&self) -> Timestamp {
        self.world.clock().now()
    }

    /// Says that something changed.
    pub fn touch(&mut self) {
        self.version += 1;
    }

    /// A new number for an id.
    pub fn next_number(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    /// A new id, such as `vm-1001`.
    pub fn next_id(&mut self, prefix: &str) -> String {
        format!("{prefix}-{}", self.next_number())
    }

    /// A new uuid, deterministic by the seed.
    pub fn uuid(&mut self) -> String {
        let mut bytes = [0u8; 16];
        self.rng.fill_bytes(&mut bytes);
        uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
    }

    /// A random number, deterministic by the seed.
    pub fn random(&mut self) -> u64 {
        self.rng.next_u64()
    }

    /// Writes an event.
    pub fn log(&mut self, kind: &str, user: &str, entity: Option<MoRef>, message: impl Into<String>) {
        let key = i64::try_from(self.events.len()).unwrap_or(0) + 1;
        let time = self.now();
        let (kind, user, message) = (kind.to_owned(), user.to_owned(), message.into());
        self.events.push(Logged { key, time, user, entity, kind, message });
        self.touch();
    }

    /// A VM by id.
    pub fn vm(&self, id: &str) -> Result<&Vm, Fault> {
        self.vms.get(id).ok_or_else(|| Fault::gone(&MoRef::new("VirtualMachine", id)))
    }

    /// A VM by id, to be changed.
    pub fn vm_mut(&mut self, id: &str) -> Result<&mut Vm, Fault> {
        self.version += 1;
        self.vms.get_mut(id).ok_or_else(|| Fault::gone(&MoRef::new("VirtualMachine", id)))
    }

    /// A datastore by id.
    pub fn datastore(&self, id: &str) -> Result<&Datastore, Fault> {
        self.datastores.get(id).ok_or_else(|| Fault::gone(&MoRef::new("Datastore", id)))
    }
}
