//! The arrays that the suite runs on: one file a driver.

pub mod ceph;
pub mod filer;
pub mod image;
pub mod lun_files;
pub mod ontap;
pub mod reference;

use super::bench::Bench;
use std::fmt::Debug;

/// A kind of array, with its switches.
pub trait Row: Debug + Send + Sync {
    /// For the report: `filer on btrfs`.
    fn name(&self) -> String;
    /// A fresh array with two volumes.
    fn bench(&self, case: &str) -> anyhow::Result<Box<dyn Bench>>;
}
