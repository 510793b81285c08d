//! The REST face of a simulated NetApp ONTAP, kind `ontap`. README.md beside this file says what is simulated, what is
//! not, and what is not known of real ones.

mod acts;
mod adopt;
mod call;
mod dispatch;
mod exports;
mod jobs;
mod licence;
mod params;
mod query;
mod refusal;
mod reply;
mod settings;
mod state;

pub use settings::{Access, Account, Release, Scope, Settings};

use crate::{
    fault,
    world::{
        World, lock,
        storage::{Array, ArraySpec, Behaviour, LunNaming, SerialKind, StorageError},
    },
};
use axum::{
    Router,
    extract::Request,
    middleware::{Next, from_fn},
};
use state::State;
use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex},
};
use uuid::Uuid;

/// What the calls share: one array's face.
struct Face {
    world: Arc<World>,
    array: String,
    /// Identities of the parts that the world does not know: SVMs, the aggregate, the node.
    ids: BTreeMap<String, Uuid>,
    settings: Mutex<Settings>,
    state: Mutex<State>,
}

impl fmt::Debug for Face {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ONTAP face of '{}'", self.array)
    }
}

impl Face {
    fn array(&self) -> Result<Array<'_>, StorageError> {
        self.world.array(&self.array)
    }

    fn settings(&self) -> Settings {
        lock(&self.settings).clone()
    }

    fn release(&self) -> Release {
        lock(&self.settings).release
    }

    /// Looks at or changes what only this face knows. The world must not be asked within.
    fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut lock(&self.state))
    }

    fn id_of(&self, what: &str) -> Uuid {
        self.ids.get(what).copied().unwrap_or_default()
    }
}

/// A simulated ONTAP array's face. Cheap to clone; its state lives as long as any of its clones and routers.
#[derive(Debug, Clone)]
pub struct Ontap {
    face: Arc<Face>,
}

impl Ontap {
    /// The face of an array of the world, which [`spec`] described, with a root volume for each SVM.
    ///
    /// # Errors
    /// The array is not there, or a name of a root volume is taken.
    pub fn new(world: &Arc<World>, array: &str, settings: Settings) -> Result<Self, StorageError> {
        let named = settings.svms.iter().map(|svm| format!("svm {svm}"));
        let parts = ["aggr1", "node1", "cluster"].map(str::to_owned).into_iter().chain(named);
        let ids = parts.map(|part| (part, world.new_id())).collect();
        let face = Face {
            world: Arc::clone(world),
            array: array.to_owned(),
            ids,
            settings: Mutex::new(settings),
            state: Mutex::default(),
        };
        face.make_roots()?;
        face.adopt()?;
        Ok(Ontap { face: Arc::new(face) })
    }

    /// Its requests, for `serve` or for a test.
    pub fn router(&self) -> Router {
        let name: Arc<str> = format!("ontap/{}", self.face.array).into();
        let face = Arc::clone(&self.face);
        let world = Arc::clone(&self.face.world);
        let faults = move |request: Request, next: Next| {
            let (world, name) = (Arc::clone(&world), Arc::clone(&name));
            async move { fault::around(world, &name, reply::injected, request, next).await }
        };
        let failing = {
            let face = Arc::clone(&self.face);
            move |request: Request, next: Next| {
                let face = Arc::clone(&face);
                async move { jobs::fail_when_asked(&face, request, next).await }
            }
        };
        Router::new().fallback(dispatch::answer).with_state(face).layer(from_fn(faults)).layer(from_fn(failing))
    }

    /// Changes how it is, at any time.
    pub fn set(&self, change: impl FnOnce(&mut Settings)) {
        change(&mut lock(&self.face.settings));
    }

    /// Makes a snapshot needed by somebody else (`snapmirror`), or by nobody with an empty list.
    pub fn own_snapshot(&self, snapshot: Uuid, owners: &[&str]) {
        let owners = owners.iter().map(|owner| (*owner).to_owned()).collect();
        self.face.with(|state| state.snapshots.entry(snapshot).or_default().owners = owners);
    }

    /// Puts a volume into another SVM of the settings.
    ///
    /// # Errors
    /// The volume is not there.
    pub fn place_volume(&self, volume: Uuid, svm: &str) -> Result<(), StorageError> {
        self.face.adopt()?;
        let placed = self.face.with(|state| {
            let policy = state.policy_named(svm, "default").map(|policy| policy.id);
            let facts = state.volumes.get_mut(&volume)?;
            svm.clone_into(&mut facts.svm);
            facts.policy = policy.unwrap_or(facts.policy);
            Some(())
        });
        placed.ok_or_else(|| StorageError::NotFound { kind: "volume", id: volume.to_string() })?;
        self.face.export_again()
    }
}

/// An array that behaves as ONTAP does: jobs, restores that eat newer snapshots, clones that carry theirs, serials of 12
/// characters.
pub fn spec(name: &str, nfs_address: &str) -> ArraySpec {
    let lun_naming =
        LunNaming { vendor: "NETAPP", product: "LUN C-Mode", prefix: "naa.600a0980", serial: SerialKind::Characters };
    let behaviour = Behaviour {
        group_volumes_max: 80,
        restore_eats_newer: true,
        clones_carry_snapshot: true,
        jobs_async: true,
        name_max_bytes: 255,
        comment_max_bytes: 1023,
        page_max: 10_000,
        lun_naming,
        lun_number_max: 4095,
        ..Behaviour::default()
    };
    ArraySpec { behaviour, ..ArraySpec::new(name, nfs_address) }
}

#[cfg(test)]
mod tests;
