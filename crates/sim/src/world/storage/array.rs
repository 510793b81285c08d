//! An array, and the handle through which it is used.

use super::{
    behaviour::Behaviour,
    error::StorageError,
    job::{Job, Queued},
    mapping::InitiatorGroup,
    volume::VolumeState,
};
use crate::world::{World, lock};
use jiff::{SignedDuration, Timestamp};
use rand::{RngCore as _, rngs::StdRng};
use std::collections::BTreeMap;
use uuid::Uuid;

/// What an array is made from.
#[derive(Debug, Clone)]
pub struct ArraySpec {
    /// Its name in this world.
    pub name: String,
    /// The addresses at which it serves NFS.
    pub nfs_addresses: Vec<String>,
    /// The administrator's name.
    pub user: String,
    /// The administrator's password. A simulated one: it protects nothing.
    pub password: String,
    /// How it behaves.
    pub behaviour: Behaviour,
}

impl ArraySpec {
    /// A well-behaved array with one address and the login `admin` / `simulated`.
    pub fn new(name: &str, nfs_address: &str) -> Self {
        ArraySpec {
            name: name.to_owned(),
            nfs_addresses: vec![nfs_address.to_owned()],
            user: "admin".to_owned(),
            password: "simulated".to_owned(),
            behaviour: Behaviour::default(),
        }
    }
}

/// What an array says of itself.
#[derive(Debug, Clone)]
pub struct ArrayInfo {
    /// Its identity.
    pub uuid: Uuid,
    /// What it was made from, as it is now.
    pub spec: ArraySpec,
    /// Its clock, which may be off.
    pub time: Timestamp,
}

#[derive(Debug)]
pub(super) struct ArrayState {
    pub(super) uuid: Uuid,
    pub(super) spec: ArraySpec,
    pub(super) volumes: BTreeMap<Uuid, VolumeState>,
    pub(super) groups: BTreeMap<Uuid, InitiatorGroup>,
    pub(super) jobs: BTreeMap<Uuid, Job>,
}

/// All arrays, and what gives their objects identity and order.
#[derive(Debug)]
pub(in crate::world) struct Storage {
    pub(super) arrays: BTreeMap<String, ArrayState>,
    pub(super) queue: Vec<Queued>,
    ids: StdRng,
    sequence: u64,
}

impl Storage {
    pub(in crate::world) fn new(ids: StdRng) -> Self {
        Storage { arrays: BTreeMap::new(), queue: Vec::new(), ids, sequence: 0 }
    }

    /// A new identity; the same ones in the same order for the same seed.
    pub(super) fn new_id(&mut self) -> Uuid {
        let mut bytes = [0; 16];
        self.ids.fill_bytes(&mut bytes);
        uuid::Builder::from_random_bytes(bytes).into_uuid()
    }

    /// The order in which things were made, which clocks do not tell.
    pub(super) fn next_sequence(&mut self) -> u64 {
        self.sequence += 1;
        self.sequence
    }

    pub(super) fn array(&mut self, name: &str) -> Result<&mut ArrayState, StorageError> {
        self.arrays.get_mut(name).ok_or_else(|| StorageError::absent("array", name))
    }
}

/// One array of a world. Cheap to make; holds no lock.
#[derive(Debug, Clone, Copy)]
pub struct Array<'w> {
    pub(super) world: &'w World,
    pub(super) name: &'w str,
}

impl World {
    /// Puts an array into the world.
    pub fn add_array(&self, spec: ArraySpec) -> Result<Uuid, StorageError> {
        let mut storage = lock(&self.storage);
        if storage.arrays.contains_key(&spec.name) {
            return Err(StorageError::Exists { kind: "array", name: spec.name });
        }
        let taken = |address: &String| storage.arrays.values().any(|a| a.spec.nfs_addresses.contains(address));
        if let Some(address) = spec.nfs_addresses.iter().find(|address| taken(address)) {
            return Err(StorageError::Exists { kind: "address", name: address.clone() });
        }
        let uuid = storage.new_id();
        let name = spec.name.clone();
        let state = ArrayState { uuid, spec, volumes: BTreeMap::new(), groups: BTreeMap::new(), jobs: BTreeMap::new() };
        storage.arrays.insert(name, state);
        Ok(uuid)
    }

    /// A new identity; the same ones in the same order for the same seed.
    pub fn new_id(&self) -> Uuid {
        lock(&self.storage).new_id()
    }

    /// The names of all arrays.
    pub fn arrays(&self) -> Vec<String> {
        lock(&self.storage).arrays.keys().cloned().collect()
    }

    /// An array to look at or to change. Jobs whose time has come are done first.
    pub fn array<'w>(&'w self, name: &'w str) -> Result<Array<'w>, StorageError> {
        self.settle();
        lock(&self.storage).array(name)?;
        Ok(Array { world: self, name })
    }
}

impl Array<'_> {
    /// Runs one critical section over the whole storage.
    pub(super) fn change<T>(
        &self,
        act: impl FnOnce(&mut Storage, Timestamp) -> Result<T, StorageError>,
    ) -> Result<T, StorageError> {
        let now = self.world.clock().now();
        let mut storage = lock(&self.world.storage);
        let skew = SignedDuration::from_millis(storage.array(self.name)?.spec.behaviour.clock_skew_ms);
        act(&mut storage, now.saturating_add(skew).unwrap_or(now))
    }

    /// What the array says of itself.
    pub fn info(&self) -> Result<ArrayInfo, StorageError> {
        self.change(|storage, time| {
            let array = storage.array(self.name)?;
            Ok(ArrayInfo { uuid: array.uuid, spec: array.spec.clone(), time })
        })
    }

    /// Turns switches.
    pub fn behave(&self, turn: impl FnOnce(&mut Behaviour)) -> Result<(), StorageError> {
        self.change(|storage, _| {
            turn(&mut storage.array(self.name)?.spec.behaviour);
            Ok(())
        })
    }

    pub(super) fn count(&self, what: &str) {
        self.world.counters().add(self.name, what);
    }
}
