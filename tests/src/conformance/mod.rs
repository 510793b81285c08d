//! The conformance suite of drivers, after csi-sanity: named cases over the driver trait, and rows of arrays to run them on.
//!
//! A case says what it needs; where the array's capabilities lack it, it is reported as absent and not as passed. Each case
//! gets an array of its own with two volumes, [`bench::Bench`].

pub mod bench;
pub mod cases;
pub mod lab;
pub mod report;
pub mod rows;

use anyhow::Context as _;
use futures::future::BoxFuture;
use lab::Lab;
use strata_storage_svc::driver::{Capabilities, SnapshotUnit};

/// What a case cannot do without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Clones of whole volumes.
    CloneVolume,
    /// Clones of files.
    CloneFiles,
    /// Files put back.
    RestoreFiles,
    /// Several volumes at one point in time.
    Group,
    /// Volumes cut one after the other only.
    NoGroup,
    /// Snapshots while VMs run.
    LiveSnapshot,
    /// Snapshots that are copies (S15).
    CopySnapshot,
    /// The unit is the file.
    FileUnit,
    /// The unit is the volume.
    VolumeUnit,
    /// Clones pin their snapshot.
    Pins,
    /// Clones do not pin their snapshot.
    NoPins,
    /// Files of a snapshot are read: the volume holds files and no LUN.
    ReadFiles,
    /// Clones are exported by NFS.
    ExportNfs,
    /// Volumes rolled back in place.
    RestoreVolume,
    /// LUNs of clones are mapped to hosts.
    ExportLuns,
    /// Single LUNs are cloned into their volume.
    CloneLuns,
    /// Single LUNs are overwritten in place.
    RestoreLun,
    /// A restore in place keeps newer snapshots.
    KeepsNewer,
    /// A restore in place would delete newer snapshots.
    EatsNewer,
}

impl Need {
    fn is_met(self, capabilities: &Capabilities) -> bool {
        match self {
            Need::CloneVolume => capabilities.clone_volume,
            Need::CloneFiles => capabilities.clone_files,
            Need::RestoreFiles => capabilities.restore_files,
            Need::Group => capabilities.group_volumes_max > 1,
            Need::NoGroup => capabilities.group_volumes_max == 1,
            Need::LiveSnapshot => !capabilities.needs_vm_off,
            Need::CopySnapshot => capabilities.needs_vm_off,
            Need::FileUnit => capabilities.snapshot_unit == SnapshotUnit::File,
            Need::VolumeUnit => capabilities.snapshot_unit == SnapshotUnit::Volume,
            Need::Pins => capabilities.clone_pins_snapshot,
            Need::NoPins => !capabilities.clone_pins_snapshot,
            Need::ReadFiles => capabilities.read_files,
            Need::ExportNfs => capabilities.export_nfs,
            Need::RestoreVolume => capabilities.restore_volume,
            Need::ExportLuns => capabilities.export_luns,
            Need::CloneLuns => capabilities.clone_luns,
            Need::RestoreLun => capabilities.restore_lun,
            Need::KeepsNewer => capabilities.restore_keeps_newer_snapshots,
            Need::EatsNewer => !capabilities.restore_keeps_newer_snapshots,
        }
    }
}

/// How a case ended.
#[derive(Debug)]
pub enum Verdict {
    /// Held.
    Passed,
    /// The array, or this bench, lacks what the case needs.
    Absent(String),
    /// Did not hold.
    Failed(String),
}

/// What a case's function answers: `Ok(Some(..))` where the bench lacks something.
pub type CaseResult = anyhow::Result<Option<String>>;

/// One rule of the contract.
#[derive(Clone, Copy)]
pub struct Case {
    /// Reads as the contract.
    pub name: &'static str,
    /// What it needs.
    pub needs: &'static [Need],
    /// The check.
    pub run: for<'a> fn(&'a Lab) -> BoxFuture<'a, CaseResult>,
}

impl std::fmt::Debug for Case {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

impl Case {
    /// What it needs and an array of this kind lacks.
    pub fn lacking(&self, capabilities: &Capabilities) -> Option<Need> {
        self.needs.iter().copied().find(|need| !need.is_met(capabilities))
    }
}

/// A lab on a fresh array that said who it is.
///
/// # Errors
/// There is no such array, or it does not say.
pub async fn lab(row: &dyn rows::Row, case: &str) -> anyhow::Result<Lab> {
    let lab = Lab::new(row.bench(case).context("no array for it")?);
    lab.driver().identify().await.context("the array does not say who it is")?;
    Ok(lab)
}

/// Runs one case on a fresh array.
pub async fn run(case: &Case, row: &dyn rows::Row) -> Verdict {
    let outcome = match lab(row, case.name).await {
        Ok(lab) => (case.run)(&lab).await,
        Err(error) => Err(error),
    };
    match outcome {
        Ok(None) => Verdict::Passed,
        Ok(Some(lacking)) => Verdict::Absent(lacking),
        Err(error) => Verdict::Failed(format!("{error:#}")),
    }
}
