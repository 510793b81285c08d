//! Who changed, in order: a ring of bounded length that any number of readers follow at their own pace. It holds no state of
//! objects; a reader looks that up when it gets there, so that an object that changed ten times meanwhile is told once.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::watch;
use uuid::Uuid;

/// Changes that are kept: a reader may fall this far behind. Some 40 bytes each.
const CHANGES_MAX: usize = 65_536;

/// Something changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Its number; each is one more than the one before.
    pub number: u64,
    /// Configured name of the vCenter.
    pub vcenter: Arc<str>,
    /// What.
    pub what: What,
}

/// What changed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum What {
    /// The VM of this moref came or changed.
    Vm(Arc<str>),
    /// The datastore of this moref came or changed.
    Datastore(Arc<str>),
    /// The host of this moref came or changed.
    Host(Arc<str>),
    /// The object of this resource name is no more.
    Removed(Arc<str>),
    /// The vCenter was lost or is back.
    Freshness,
}

/// A reader fell out of the ring, or comes from the time before a restart: it has to begin anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fell;

/// See the module.
#[derive(Debug)]
pub struct Feed {
    run: Uuid,
    changes_max: usize,
    ring: Mutex<Ring>,
    newest: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Ring {
    newest: u64,
    changes: VecDeque<Change>,
}

impl Default for Feed {
    fn default() -> Self {
        Self::keeping(CHANGES_MAX)
    }
}

impl Feed {
    /// Keeps so many changes.
    pub fn keeping(changes_max: usize) -> Self {
        Self { run: Uuid::new_v4(), changes_max, ring: Mutex::default(), newest: watch::Sender::new(0) }
    }

    /// Adds changes of a vCenter, in their order. Call it while what changed cannot be read yet.
    pub fn publish(&self, vcenter: &str, news: impl IntoIterator<Item = What>) {
        let vcenter: Arc<str> = Arc::from(vcenter);
        let newest = {
            let mut ring = self.ring();
            for what in news {
                ring.newest += 1;
                let number = ring.newest;
                ring.changes.push_back(Change { number, vcenter: vcenter.clone(), what });
                if ring.changes.len() > self.changes_max {
                    ring.changes.pop_front();
                }
            }
            ring.newest
        };
        // Two publishers may come here in the other order.
        self.newest.send_if_modified(|seen| {
            let is_more = newest > *seen;
            *seen = newest.max(*seen);
            is_more
        });
    }

    /// The number of the newest change.
    pub fn newest(&self) -> u64 {
        self.ring().newest
    }

    /// Ends to wait when something is newer than what it last saw.
    pub fn signal(&self) -> watch::Receiver<u64> {
        self.newest.subscribe()
    }

    /// Up to `most` changes after one.
    ///
    /// # Errors
    /// Some of them are not kept any more.
    pub fn after(&self, number: u64, most: usize) -> Result<Vec<Change>, Fell> {
        let ring = self.ring();
        let oldest = ring.changes.front().map_or(ring.newest + 1, |change| change.number);
        if number > ring.newest || number + 1 < oldest {
            return Err(Fell);
        }
        let skipped = usize::try_from(number + 1 - oldest).map_err(|_| Fell)?;
        Ok(ring.changes.iter().skip(skipped).take(most).cloned().collect())
    }

    /// A change's number for a caller to come back with.
    pub fn token(&self, number: u64) -> String {
        format!("{}-{number}", self.run.simple())
    }

    /// The number in a token.
    ///
    /// # Errors
    /// It is of another run of this service, or no token at all.
    pub fn number(&self, token: &str) -> Result<u64, Fell> {
        let (run, number) = token.split_once('-').ok_or(Fell)?;
        if run != self.run.simple().to_string() {
            return Err(Fell);
        }
        number.parse().map_err(|_| Fell)
    }

    fn ring(&self) -> MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vm(number: u64) -> What {
        What::Vm(Arc::from(format!("vm-{number}")))
    }

    #[test]
    fn a_reader_misses_nothing_or_is_told() {
        let feed = Feed::keeping(4);
        assert_eq!(feed.after(0, 10), Ok(Vec::new()));
        feed.publish("vc", (1..=3).map(vm));
        let seen: Vec<u64> = feed.after(0, 2).unwrap().iter().map(|change| change.number).collect();
        assert_eq!(seen, [1, 2]);
        feed.publish("vc", (4..=6).map(vm));
        assert_eq!(feed.after(2, 10).unwrap().iter().map(|change| change.number).collect::<Vec<_>>(), [3, 4, 5, 6]);
        assert_eq!(feed.after(1, 10), Err(Fell), "2 is not kept");
        assert_eq!(feed.after(6, 10), Ok(Vec::new()));
        assert_eq!(feed.after(7, 10), Err(Fell), "not of this run");
    }

    #[test]
    fn tokens_are_good_in_their_own_run_only() {
        let feed = Feed::keeping(4);
        assert_eq!(feed.number(&feed.token(3)), Ok(3));
        assert_eq!(Feed::keeping(4).number(&feed.token(3)), Err(Fell));
        for token in ["", "-", "x-1", &format!("{}x", feed.token(1))] {
            assert_eq!(feed.number(token), Err(Fell), "{token}");
        }
    }
}
