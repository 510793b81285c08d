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

    /// One that gives the same names and keeps none: for plans that are only shown.
    #[must_use]
    pub fn preview(&self) -> Self {
        Self { zone: self.zone.clone(), given: Mutex::new(self.lock().clone()) }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::catalog;

    #[test]
    fn names_grow_only_where_they_must_and_a_preview_keeps_none() {
        let directory = tempfile::tempdir().unwrap();
        let at: Timestamp = "2026-11-24T10:04:00Z".parse().unwrap();
        let catalog = catalog::open(&directory.path().join("catalog"), at).unwrap().catalog;
        let names = NameAllocator::new(TimeZone::UTC);
        assert_eq!(names.preview().allocate(&catalog, "web-01", at).unwrap(), "web-01@1004");
        for expected in ["web-01@1004", "web-01@1124-1004", "web-01@20261124-1004", "web-01@20261124-1004-2"] {
            assert_eq!(names.allocate(&catalog, "web-01", at).unwrap(), expected);
        }
        assert_eq!(names.allocate(&catalog, "web-02", at).unwrap(), "web-02@1004");
    }
}
