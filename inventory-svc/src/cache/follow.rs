//! Keeps a cache up: asks vCenter to hold each answer back until something changes, and takes it in.

use super::{Cache, updates, watched::Following};
use crate::{
    soap::{MoRef, Request, connection::read_failed},
    vcenter::{Error, Refusal},
};
use std::time::Duration;
use strata_kit::status::report;
use strata_model::ErrorKind;

/// How long vCenter holds an answer back where nothing changes. It bounds the age of `as_of`.
const WAIT_SECONDS_MAX: i64 = 20;
/// Beyond that, an answer that holds only changes is late, and vCenter is taken for lost.
const ANSWER_LIMIT: Duration = Duration::from_secs(45);
/// The first answers hold the inventory, which takes a large vCenter its time.
const LOAD_LIMIT: Duration = Duration::from_secs(300);
/// Objects an answer: a few hundred KB.
const OBJECTS_MAX: i64 = 250;
/// Pauses after a failure: doubled from the first to the last.
const PAUSE_FIRST: Duration = Duration::from_millis(500);
/// See [`PAUSE_FIRST`].
const PAUSE_LAST: Duration = Duration::from_secs(30);

/// The longest that an answer to the following may take; its HTTP client must allow for it.
pub const HTTP_LIMIT: Duration = Duration::from_secs(330);

/// Where the following stands.
#[derive(Debug, Default)]
struct Place {
    following: Option<Following>,
    /// To ask for what comes next; empty: for all.
    version: String,
    /// The version may be asked for once only.
    truncated: bool,
}

impl Cache {
    /// Follows vCenter for as long as it is polled. Run it beside the service.
    pub async fn follow(&self) {
        let mut place = Place::default();
        let mut pause = PAUSE_FIRST;
        loop {
            match self.step(&mut place).await {
                Ok(()) => pause = PAUSE_FIRST,
                Err(error) => {
                    let reason = report(&error);
                    tracing::warn!(vcenter = self.name(), error = %reason, "vCenter does not tell changes; asking again");
                    self.lose(reason);
                    self.recover(&mut place, &error).await;
                    self.client().clock().sleep(pause).await;
                    pause = (pause * 2).min(PAUSE_LAST);
                }
            }
        }
    }

    /// One answer of vCenter.
    async fn step(&self, place: &mut Place) -> Result<(), Error> {
        let collector = match &place.following {
            Some(following) => following.collector.clone(),
            None => {
                let started = Following::start(self.client()).await?;
                let collector = started.collector.clone();
                *place = Place { following: Some(started), ..Place::default() };
                collector
            }
        };
        if place.version.is_empty() {
            self.held_mut().begin();
        }
        let request = wait_request(&collector, &place.version);
        let number = self.acts.send();
        let limit = if place.version.is_empty() || place.truncated { LOAD_LIMIT } else { ANSWER_LIMIT };
        let body = tokio::select! {
            body = self.client().connection().post(&request) => body.map_err(|source| self.client().call_error("inventory", source))?,
            () = self.client().clock().sleep(limit) => return Err(self.late(limit)),
        };
        self.take(place, number, &body)
    }

    /// Takes in the answer to a wait; what it tells becomes visible at once and as a whole.
    fn take(&self, place: &mut Place, number: u64, body: &[u8]) -> Result<(), Error> {
        let mut found = Vec::new();
        let outline = updates::read(body, |update| found.push(update))
            .map_err(|error| self.client().call_error("inventory", read_failed("WaitForUpdatesEx", error)))?;
        if outline.lacks_session {
            let text = format!("vCenter {} has ended our session; a new one is opened", self.name());
            return Err(Refusal::new(ErrorKind::Unauthenticated, "VCENTER_SESSION_ENDED", text).into());
        }
        if let Some(version) = outline.version {
            place.version = version;
            place.truncated = outline.truncated;
        }
        {
            let mut held = self.held_mut();
            let mut news = Vec::new();
            for update in found {
                news.extend(held.take(update));
            }
            if !place.truncated {
                news.extend(held.finish());
            }
            // Under the lock: whoever is told of a change finds it.
            self.feed.publish(self.name(), news);
        }
        // Before anyone is told that all is known: who is told may ask.
        if !place.truncated {
            self.acts.answer(number);
        }
        self.confirm(!place.truncated);
        Ok(())
    }

    /// What is left of the place after a failure.
    async fn recover(&self, place: &mut Place, error: &Error) {
        let session_gone = error.is_fault("NotAuthenticated") || error.kind() == ErrorKind::Unauthenticated;
        match error {
            _ if session_gone => {
                *place = Place::default();
                if let Err(error) = self.client().log_in_again(self.client().generation()).await {
                    self.lose(report(&error));
                }
            }
            // No answer came. A version that was not truncated may be asked for again, and nothing is lost.
            Error::Call { .. } if error.fault().is_none() && !place.truncated => {}
            // vCenter does not know the version any more, or may not be asked for it again: the filter is as it was.
            _ if error.is_fault("InvalidCollectorVersion") || error.fault().is_none() => {
                *place = Place { following: place.following.take(), ..Place::default() };
            }
            _ => {
                if let Some(following) = place.following.take() {
                    following.end(self.client()).await;
                }
                *place = Place::default();
            }
        }
    }

    fn late(&self, limit: Duration) -> Error {
        let text = format!(
            "vCenter {} did not answer within {} s; see that it runs and that nothing between cuts connections off",
            self.name(),
            limit.as_secs()
        );
        Refusal::new(ErrorKind::Timeout, "VCENTER_TIMEOUT", text).into()
    }
}

fn wait_request(collector: &MoRef, version: &str) -> Request {
    Request::with("WaitForUpdatesEx", collector, |body| {
        body.text("version", version).element("options", |body| {
            body.number("maxWaitSeconds", WAIT_SECONDS_MAX).number("maxObjectUpdates", OBJECTS_MAX);
        });
    })
}
