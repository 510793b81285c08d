//! The inventory in memory, one [`Cache`] a vCenter: filled and kept up by vCenter's own telling of changes
//! (PropertyCollector.WaitForUpdatesEx), over a session of its own.
//!
//! It serves lists and look-ups. Whatever is checked right before an effect is read from vCenter then (safety.md S5, S13): an
//! answer from memory is as old as the last change that vCenter told, and it says so.

mod acts;
mod answer;
mod feed;
mod follow;
mod held;
mod index;
mod strings;
mod updates;
mod vm_record;
mod watched;

pub use answer::VmFilter;
pub use feed::{Change, Feed, Fell, What};
pub use follow::HTTP_LIMIT;
pub use held::Held;
pub use vm_record::VmRecord;
pub use watched::followed;

use crate::vcenter::Client;
use jiff::Timestamp;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use strata_model::names;
use strata_proto::strata::common::v1::Freshness;

/// What is known of one vCenter.
#[derive(Debug)]
pub struct Cache {
    client: Arc<Client>,
    feed: Arc<Feed>,
    held: RwLock<Held>,
    state: RwLock<State>,
    acts: acts::Acts,
}

/// How far the following has come.
#[derive(Debug, Default)]
struct State {
    /// Everything was told once.
    loaded: bool,
    /// vCenter's last answer.
    as_of: Option<Timestamp>,
    /// Why vCenter tells nothing now.
    trouble: Option<String>,
    /// Answers of vCenter that held news or confirmed that there is none.
    answers: u64,
}

impl Cache {
    /// Of a vCenter, followed by `client`, whose session must be nobody else's: a wait keeps its connection busy.
    pub fn new(client: Arc<Client>, feed: Arc<Feed>) -> Arc<Self> {
        let held = RwLock::new(Held::new(client.name()));
        Arc::new(Self { client, feed, held, state: RwLock::default(), acts: acts::Acts::default() })
    }

    /// Configured name of the vCenter.
    pub fn name(&self) -> &str {
        self.client.name()
    }

    /// The client that follows.
    pub fn client(&self) -> &Arc<Client> {
        &self.client
    }

    /// True where it can answer: everything was told once, and also what our own acts did since. A vCenter that tells nothing
    /// now is answered for by what it told last, and the answer says so.
    pub fn can_answer(&self) -> bool {
        let state = self.state();
        state.loaded && (state.trouble.is_some() || self.acts.are_told())
    }

    /// An act of ours on this vCenter ended: until it told what that changed, it is asked itself.
    pub fn acted(&self) {
        self.acts.ended();
    }

    /// How new it is.
    pub fn freshness(&self) -> Freshness {
        let state = self.state();
        let reason = match (&state.trouble, state.loaded) {
            (Some(trouble), _) => trouble.clone(),
            (None, false) => "the inventory is being read for the first time; wait until it is".to_owned(),
            (None, true) => String::new(),
        };
        Freshness {
            vcenter: names::join(&[("vcenters", self.name())]),
            as_of: state.as_of.map(timestamp),
            stale: !reason.is_empty(),
            reason,
        }
    }

    /// What is known, for as long as the guard lives; hold it briefly.
    pub fn held(&self) -> RwLockReadGuard<'_, Held> {
        self.held.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn held_mut(&self) -> RwLockWriteGuard<'_, Held> {
        self.held.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn state(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// vCenter answered; `whole` where nothing of the answer is still to come.
    fn confirm(&self, whole: bool) {
        let was_stale = {
            let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
            state.answers += 1;
            if !whole {
                return;
            }
            let was_stale = !state.loaded || state.trouble.is_some();
            *state =
                State { loaded: true, as_of: Some(self.client.clock().now()), trouble: None, answers: state.answers };
            was_stale
        };
        if was_stale {
            self.feed.publish(self.name(), [What::Freshness]);
        }
    }

    /// vCenter was lost.
    fn lose(&self, reason: String) {
        let is_news = {
            let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
            let is_news = state.trouble.is_none();
            state.trouble = Some(reason);
            is_news
        };
        if is_news {
            self.feed.publish(self.name(), [What::Freshness]);
        }
    }
}

/// How new an answer is that was read from vCenter just now.
pub fn read_now(client: &Client) -> Freshness {
    Freshness {
        vcenter: names::join(&[("vcenters", client.name())]),
        as_of: Some(timestamp(client.clock().now())),
        stale: false,
        reason: String::new(),
    }
}

/// All caches of a service; none where nothing is followed.
#[derive(Debug, Clone, Default)]
pub struct Caches {
    caches: Arc<std::collections::BTreeMap<String, Arc<Cache>>>,
    feed: Arc<Feed>,
}

impl Caches {
    /// Of these vCenters' followers.
    pub fn new(clients: impl IntoIterator<Item = Arc<Client>>) -> Self {
        let feed = Arc::new(Feed::default());
        let of = |client: Arc<Client>| (client.name().to_owned(), Cache::new(client, feed.clone()));
        Self { caches: Arc::new(clients.into_iter().map(of).collect()), feed }
    }

    /// That of a vCenter by its configured name.
    pub fn get(&self, vcenter: &str) -> Option<&Arc<Cache>> {
        self.caches.get(vcenter)
    }

    /// All, by name.
    pub fn all(&self) -> impl Iterator<Item = &Arc<Cache>> {
        self.caches.values()
    }

    /// What changes.
    pub fn feed(&self) -> &Arc<Feed> {
        &self.feed
    }
}

fn timestamp(at: Timestamp) -> prost_types::Timestamp {
    prost_types::Timestamp { seconds: at.as_second(), nanos: at.subsec_nanosecond() }
}
