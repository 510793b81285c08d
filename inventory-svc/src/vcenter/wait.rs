//! Waits for an object's properties to change. Nothing here asks in a loop: vCenter holds the answer back until
//! something changed.

use super::{
    Client, Error,
    property_spec::{Properties, Start, write_filter},
};
use crate::soap::{Element, Fault, MoRef, Request};
use std::{collections::HashMap, time::Duration};

/// Longest single wait; below every proxy's and our own client's limit.
const ONE_WAIT_SECONDS_MAX: u64 = 20;

/// An object's properties as the updates told them so far.
#[derive(Debug, Default)]
pub struct Watched {
    /// True where the object does not exist any more.
    pub gone: bool,
    properties: HashMap<String, Element>,
}

impl Watched {
    /// A property by its path.
    pub fn get(&self, path: &str) -> Option<&Element> {
        self.properties.get(path)
    }

    /// Text of a property; empty where it is not set.
    pub fn text(&self, path: &str) -> &str {
        self.get(path).map(Element::value).unwrap_or_default()
    }

    /// Takes one `ObjectUpdate` in. `enter` comes more than once from some servers and is taken as news each time.
    fn take(&mut self, update: &Element) {
        if update.text_at("kind") == Some("leave") {
            self.gone = true;
        }
        for change in update.all("changeSet") {
            let name = change.text_at("name").unwrap_or_default();
            match change.child("val") {
                Some(value) => self.properties.insert(name.to_owned(), value.clone()),
                None => self.properties.remove(name),
            };
        }
        let missing = update.all("missingSet").filter_map(|missing| missing.child("fault"));
        if missing.map(Fault::from_localized).any(|fault| fault.is("ManagedObjectNotFound")) {
            self.gone = true;
        }
    }
}

impl Client {
    /// Waits until `enough` says so or the object is gone, at most for `wait`; gives what is known then.
    ///
    /// # Errors
    /// The call failed.
    pub async fn watch(
        &self,
        properties: Properties,
        of: &MoRef,
        wait: Duration,
        enough: impl Fn(&Watched) -> bool + Send,
    ) -> Result<Watched, Error> {
        let object = of.to_string();
        let content = self.content().await?;
        let main = self.manager(content.property_collector.as_ref(), "property collector")?;
        // One waiter a collector: a second WaitForUpdatesEx on the same one cancels the first.
        let collector = self.call_for_ref(&Request::new("CreatePropertyCollector", &main), &object).await?;
        let watched = self.watch_with(&collector, properties, of, wait, enough).await;
        if let Err(error) = self.call(&Request::new("DestroyPropertyCollector", &collector), &object).await {
            tracing::debug!(vcenter = self.name(), %error, "a property collector was not removed");
        }
        match watched {
            Err(error) if error.is_fault("ManagedObjectNotFound") => Ok(Watched { gone: true, ..Watched::default() }),
            other => other,
        }
    }

    async fn watch_with(
        &self,
        collector: &MoRef,
        properties: Properties,
        of: &MoRef,
        wait: Duration,
        enough: impl Fn(&Watched) -> bool + Send,
    ) -> Result<Watched, Error> {
        let object = of.to_string();
        let create = Request::with("CreateFilter", collector, |body| {
            write_filter("spec", &[properties], &[Start::only(of)], body);
            body.flag("partialUpdates", false);
        });
        self.call_for_ref(&create, &object).await?;
        let mut watched = Watched::default();
        let mut version = String::new();
        let end = self.clock().now() + wait;
        loop {
            let left = u64::try_from(end.duration_since(self.clock().now()).as_secs()).unwrap_or(0);
            let seconds = i64::try_from(left.min(ONE_WAIT_SECONDS_MAX)).unwrap_or(0);
            let request = wait_request(collector, &version, seconds);
            let values = self.call(&request, &object).await?;
            if let Some(update) = values.first() {
                version = update.text_at("version").unwrap_or_default().to_owned();
                for set in update.all("filterSet").flat_map(|filter| filter.all("objectSet")) {
                    watched.take(set);
                }
            }
            if watched.gone || enough(&watched) || self.clock().now() >= end || left == 0 {
                return Ok(watched);
            }
        }
    }
}

/// WaitForUpdatesEx.
pub fn wait_request(collector: &MoRef, version: &str, seconds_max: i64) -> Request {
    Request::with("WaitForUpdatesEx", collector, |body| {
        body.text("version", version).element("options", |body| {
            body.number("maxWaitSeconds", seconds_max);
        });
    })
}
