//! WatchInventory: all that is known, then what changes. Nothing is queued for a reader: it goes through the feed at its own pace,
//! and one that falls out of it is told to begin anew.

use super::status::to_status;
use crate::{
    cache::{Cache, Caches, Change, Fell, VmFilter, What},
    topology::pb,
    vcenter::{Client, Error, Refusal},
    vcenters::Vcenters,
};
use futures::stream::{BoxStream, StreamExt as _, unfold};
use pb::watch_inventory_response::Event;
use std::{
    collections::{HashSet, VecDeque},
    sync::Arc,
};
use strata_model::{ErrorKind, names};
use tokio::sync::watch;
use tonic::Status;

/// Stands for all vCenters in a parent.
const ALL: &str = "vcenters/-";
/// Messages that are made at once.
const BATCH: usize = 200;

/// What a watch tells.
pub type News = BoxStream<'static, Result<pb::WatchInventoryResponse, Status>>;

/// Begins, or goes on where a token says.
///
/// # Errors
/// A bad name, a token that is not good any more, or nothing is held in memory.
pub fn start(vcenters: &Vcenters, request: &pb::WatchInventoryRequest) -> Result<News, Error> {
    let watched: Vec<(Arc<Client>, Arc<Cache>)> = match request.parent.as_str() {
        ALL => vcenters.all().cloned().collect(),
        name => vec![vcenters.by_name("parent", name)?],
    }
    .into_iter()
    .filter_map(|client| vcenters.caches().get(client.name()).cloned().map(|cache| (client, cache)))
    .collect();
    if watched.is_empty() {
        let text = format!("{}: no vCenter of it is followed; list it instead", request.parent);
        return Err(Refusal::new(ErrorKind::Unsupported, "NOT_FOLLOWED", text).into());
    }
    let caches = vcenters.caches().clone();
    let (stage, after) = match request.resume_token.as_str() {
        // Changes from here on may be told twice, never too seldom.
        "" => (Stage::Datastores(0), caches.feed().newest()),
        token => (Stage::Changes, caches.feed().number(token).map_err(|Fell| fell())?),
    };
    let signal = caches.feed().signal();
    let watch = Watch { caches, watched, stage, after, ready: VecDeque::new(), signal };
    Ok(unfold(Some(watch), |watch| async move {
        let mut watch = watch?;
        match watch.next().await {
            Ok(message) => Some((Ok(message), Some(watch))),
            Err(error) => Some((Err(to_status(&error)), None)),
        }
    })
    .boxed())
}

/// How far a reader has come.
struct Watch {
    caches: Caches,
    watched: Vec<(Arc<Client>, Arc<Cache>)>,
    stage: Stage,
    /// The last change that it was told of.
    after: u64,
    ready: VecDeque<pb::WatchInventoryResponse>,
    signal: watch::Receiver<u64>,
}

/// What is told next; the number is that of the vCenter among those watched.
enum Stage {
    Datastores(usize),
    Hosts(usize),
    Vms(usize, Option<(String, String)>),
    Synchronized,
    Changes,
}

impl Watch {
    async fn next(&mut self) -> Result<pb::WatchInventoryResponse, Error> {
        loop {
            if let Some(message) = self.ready.pop_front() {
                return Ok(message);
            }
            self.fill().await?;
        }
    }

    async fn fill(&mut self) -> Result<(), Error> {
        let events: Vec<Event>;
        (events, self.stage) = match &self.stage {
            Stage::Datastores(at) => match self.watched.get(*at) {
                Some((_, cache)) => {
                    let stores = cache.held().datastores();
                    (stores.into_iter().map(Event::Datastore).collect(), Stage::Hosts(*at))
                }
                None => (Vec::new(), Stage::Synchronized),
            },
            Stage::Hosts(at) => match self.watched.get(*at) {
                Some((_, cache)) => {
                    (cache.held().hosts().into_iter().map(Event::Host).collect(), Stage::Vms(*at, None))
                }
                None => (Vec::new(), Stage::Synchronized),
            },
            Stage::Vms(at, after) => match self.watched.get(*at) {
                Some((client, cache)) => {
                    let standing = client.standing().await;
                    let vms = cache.held().vms(&VmFilter::default(), after.as_ref(), BATCH, &standing);
                    let last = vms.last().map(|vm| (vm.display_name.clone(), vm.name.clone()));
                    let next = if vms.len() < BATCH { Stage::Datastores(at + 1) } else { Stage::Vms(*at, last) };
                    (vms.into_iter().map(Event::Vm).collect(), next)
                }
                None => (Vec::new(), Stage::Synchronized),
            },
            Stage::Synchronized => {
                let freshness = self.watched.iter().map(|(_, cache)| cache.freshness()).collect();
                let event = Event::Synchronized(pb::Synchronized { freshness });
                self.ready.push_back(message(self.caches.feed().token(self.after), event));
                (Vec::new(), Stage::Changes)
            }
            Stage::Changes => return self.changes().await,
        };
        self.ready.extend(events.into_iter().map(|event| message(String::new(), event)));
        Ok(())
    }

    async fn changes(&mut self) -> Result<(), Error> {
        self.signal.mark_unchanged();
        let changes = self.caches.feed().after(self.after, BATCH).map_err(|Fell| fell())?;
        let Some(newest) = changes.last().map(|change| change.number) else {
            // The sender lives in the feed, which we hold.
            let _ = self.signal.changed().await;
            return Ok(());
        };
        // Of an object that changed more than once the last change is told: it stands for the others.
        let mut told = HashSet::new();
        let mut events = Vec::new();
        for change in changes.iter().rev().filter(|change| told.insert((&change.vcenter, &change.what))) {
            if let Some(event) = self.event(change).await {
                events.push(message(self.caches.feed().token(change.number), event));
            }
        }
        events.reverse();
        self.ready.extend(events);
        self.after = newest;
        Ok(())
    }

    /// What a change is told as; `None` where it is of no interest, or the object went meanwhile and its removal follows.
    async fn event(&self, change: &Change) -> Option<Event> {
        let (client, cache) = self.watched.iter().find(|(client, _)| client.name() == &*change.vcenter)?;
        match &change.what {
            What::Vm(moref) => {
                let standing = client.standing().await;
                cache.held().vm_by_moref(moref, &standing).map(Event::Vm)
            }
            What::Datastore(moref) => cache.held().datastore(moref).map(Event::Datastore),
            What::Host(moref) => cache.held().host(moref).map(Event::Host),
            What::Removed(name) if self.is_back(cache, name) => None,
            What::Removed(name) => Some(Event::Removed(name.to_string())),
            What::Freshness => Some(Event::Freshness(cache.freshness())),
        }
    }

    /// Whether an object of a name that went is there again under another moref; its coming is told, and the order of the two must
    /// not matter.
    fn is_back(&self, cache: &Cache, name: &str) -> bool {
        let uuid = names::split(name, &["vcenters", "vms"]).ok().and_then(|ids| ids.into_iter().nth(1));
        uuid.is_some_and(|uuid| cache.held().has_instance_uuid(&uuid))
    }
}

fn message(resume_token: String, event: Event) -> pb::WatchInventoryResponse {
    pb::WatchInventoryResponse { resume_token, event: Some(event) }
}

fn fell() -> Refusal {
    let text = "what changed since is not kept any more; begin the watch anew without a resume_token";
    Refusal::new(ErrorKind::Busy, "WATCH_TOO_SLOW", text)
}
