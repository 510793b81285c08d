//! The PropertyCollector and the views: what belongs to one session.

mod filters;
mod retrieve;
mod select;
mod views;
mod wait;

use super::{Face, dispatch::Done, envelope::Call};
use crate::world::compute::{
    fault::Fault,
    value::{MoRef, Val},
};
use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, MutexGuard, PoisonError},
};
use tokio::sync::Notify;

/// A view.
#[derive(Debug, Clone)]
pub enum View {
    /// Everything of some types below an object.
    Container {
        /// The object.
        container: MoRef,
        /// Types; all where empty.
        types: Vec<String>,
        /// Below children, too.
        recursive: bool,
    },
    /// A list kept by the client.
    List(Vec<MoRef>),
}

/// A filter.
#[derive(Debug, Clone)]
pub struct Filter {
    collector: String,
    spec: Val,
}

/// What a filter last reported: objects, and each property's XML.
type Seen = BTreeMap<MoRef, BTreeMap<String, String>>;

/// A collector's memory between two waits.
#[derive(Debug, Default)]
pub struct Collector {
    version: u64,
    /// As of the version before the last one, so that an answer that was lost can be asked for again.
    base: HashMap<String, Seen>,
    /// As of the last version.
    delivered: HashMap<String, Seen>,
    cancel: Arc<Notify>,
}

/// What one session made.
#[derive(Debug, Default)]
pub struct Things {
    pub(super) collectors: BTreeMap<String, Collector>,
    pub(super) filters: BTreeMap<String, Filter>,
    pub(super) views: BTreeMap<String, View>,
    /// Pages still to be fetched, by token.
    pages: BTreeMap<String, Vec<String>>,
}

/// By session secret.
#[derive(Debug, Default)]
pub struct Collectors(HashMap<String, Things>);

impl Collectors {
    /// Drops what a session made.
    pub fn end_session(&mut self, secret: &str) {
        if let Some(things) = self.0.remove(secret) {
            things.collectors.values().for_each(|c| c.cancel.notify_waiters());
        }
    }

    /// True where the session has this object.
    pub fn has(&self, secret: &str, r: &MoRef) -> bool {
        let things = self.0.get(secret);
        things.is_some_and(|t| match r.ty.as_str() {
            "PropertyCollector" => t.collectors.contains_key(&r.id),
            "PropertyFilter" => t.filters.contains_key(&r.id),
            "ContainerView" | "ListView" | "InventoryView" => t.views.contains_key(&r.id),
            _ => false,
        })
    }

    fn of(&mut self, secret: &str) -> &mut Things {
        self.0.entry(secret.to_owned()).or_default()
    }
}

fn lock(face: &Face) -> MutexGuard<'_, Collectors> {
    face.collectors.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Changes a session's things. The state's lock is taken first, as everywhere: a reader may have lent them out.
fn change<T>(face: &Face, secret: &str, act: impl FnOnce(&mut Things) -> T) -> T {
    face.vc.with(|_| act(lock(face).of(secret)))
}

/// True where the method is one of this module.
pub fn handles(method: &str) -> bool {
    method.starts_with("RetrieveProperties")
        || method.starts_with("WaitForUpdates")
        || matches!(
            method,
            "ContinueRetrievePropertiesEx"
                | "CancelRetrievePropertiesEx"
                | "Fetch"
                | "CreateFilter"
                | "DestroyPropertyFilter"
                | "CreatePropertyCollector"
                | "DestroyPropertyCollector"
                | "CheckForUpdates"
                | "CancelWaitForUpdates"
                | "CreateContainerView"
                | "CreateListView"
                | "CreateInventoryView"
                | "ModifyListView"
                | "ResetListView"
                | "DestroyView"
        )
}

fn value(value: impl Into<Val>) -> Result<Done, Fault> {
    Ok(Done { value: value.into(), ..Done::default() })
}

/// Runs a method of this module.
pub async fn run(face: &Arc<Face>, call: &Call, secret: &str) -> Result<Done, Fault> {
    match call.method.as_str() {
        "RetrievePropertiesEx" | "RetrieveProperties" => retrieve::retrieve(face, call, secret),
        "ContinueRetrievePropertiesEx" => retrieve::next_page(face, call, secret),
        "CancelRetrievePropertiesEx" => retrieve::cancel(face, call, secret),
        "WaitForUpdatesEx" | "WaitForUpdates" | "CheckForUpdates" => wait::wait(face, call, secret).await,
        "CancelWaitForUpdates" => wait::cancel(face, call, secret),
        "Fetch" => retrieve::fetch(face, call, secret),
        "CreateFilter" => filters::create(face, call, secret),
        "DestroyPropertyFilter" => filters::destroy(face, call, secret),
        "CreatePropertyCollector" => filters::create_collector(face, secret),
        "DestroyPropertyCollector" => filters::destroy_collector(face, call, secret),
        _ => views::run(face, call, secret),
    }
}
