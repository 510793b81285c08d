//! Names that people see, and ids.

use crate::{catalog::Catalog, error::Result};
use jiff::{Timestamp, tz::TimeZone};
use std::{collections::BTreeSet, sync::Mutex};
use uuid::Uuid;

/// A new id: the prefix and 12 random hex digits, `s-0123456789ab`.
pub fn new_id(prefix: &str) -> String {
    let digits = Uuid::new_v4().simple().to_string();
    format!("{prefix}-{}", &digits[..12])
}

/// Gives restore points their short names, `web-01@1004`, never one twice.
#[derive(Debug)]
pub struct NameAllocator {
    zone: TimeZone,
    given: Mutex<BTreeSet<String>>,
}

impl NameAllocator {
    /// Times are written in this zone.
    pub fn new(zone: TimeZone) -> Self {
        Self { zone, given: Mutex::default() }
    }

    /// Marks names as given: those of operations that were under way before a restart.
    pub fn reserve(&self, names: impl IntoIterator<Item = String>) {
        self.lock().extend(names);
    }

    /// The shortest free name: hour and minute, with the date where that is taken, then with a number.
    pub fn allocate(&self, catalog: &dyn Catalog, vm: &str, now: Timestamp) -> Result<String> {
        let used: BTreeSet<String> = catalog.points()?.into_iter().map(|point| point.display_name).collect();
        let at = now.to_zoned_datetime(self.zone.clone());
        let short = ["%H%M", "%m%d-%H%M", "%Y%m%d-%H%M"].map(|form| format!("{vm}@{}", at.strftime(form)));
        let long = format!("{vm}@{}", at.strftime("%Y%m%d-%H%M"));
        let numbered = (2_u32..).map(|number| format!("{long}-{number}"));
        let mut given = self.lock();
        let free = short.into_iter().chain(numbered).find(|name| !used.contains(name) && !given.contains(name));
        let name = free.unwrap_or(long);
        given.insert(name.clone());
        Ok(name)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeSet<String>> {
        self.given.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
