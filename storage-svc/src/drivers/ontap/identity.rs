//! Who the array is, which release, which SVMs; and what follows from that for what it can do.

use super::{
    Ontap, comment,
    config::Scope,
    groups, names,
    release::Release,
    volumes,
    wire::{Cluster, Svm},
};
use crate::driver::{ArrayIdentity, Capabilities, DriverError, Reason, SnapshotUnit};

/// What was last learned.
#[derive(Debug, Clone)]
pub(super) struct Learned {
    serial: String,
    name: String,
    /// None where neither the array nor the configuration tells.
    release: Option<Release>,
    pub(super) svms: Vec<Svm>,
    group_volumes_max: u32,
    /// False where no LIF serves NFS: then its volumes hold LUNs, and no files that anybody could mount.
    serves_nfs: bool,
}

impl Learned {
    /// What may be counted on: the oldest where the release is not known.
    pub(super) fn release(&self) -> Release {
        self.release.unwrap_or(Release::OLDEST)
    }

    pub(super) fn identity(&self) -> ArrayIdentity {
        let version = match self.release {
            Some(release) => format!("ONTAP {release}, {}", self.name),
            None => format!("ONTAP of a release that the login may not read, {}", self.name),
        };
        ArrayIdentity { serial: self.serial.clone(), version }
    }

    /// True where an SVM holds copies of another's volumes (SVM-DR, the far side of MetroCluster): list and clone only (S8).
    pub(super) fn is_copy(&self, svm: &str) -> bool {
        let copies = |it: &&Svm| matches!(it.subtype.as_str(), "dp_destination" | "sync_destination");
        self.svms.iter().filter(copies).any(|it| it.name == svm || it.uuid == svm)
    }
}

pub(super) async fn learn(array: &Ontap) -> Result<Learned, DriverError> {
    let cluster = cluster(array).await?;
    let told = cluster.as_ref().and_then(|cluster| cluster.version);
    let small = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
    let told = told.map(|version| Release {
        generation: small(version.generation),
        major: small(version.major),
        minor: small(version.minor),
    });
    let release = told.or(array.config.release);
    let refuse =
        |text: String| DriverError::new(Reason::NotSupported, format!("array {}: {text}", array.client.name()));
    if let Some(old) = release.filter(|release| *release < Release::OLDEST) {
        return Err(refuse(format!("ONTAP {old} is too old; {} is the oldest that works", Release::OLDEST)));
    }
    if cluster.as_ref().is_some_and(|cluster| cluster.disaggregated) {
        return Err(refuse("an ASA r2 has storage units instead of volumes and is not supported".to_owned()));
    }
    // All fields: an older release refuses to be asked for one that it does not know.
    let mut svms: Vec<Svm> = array.client.list("/svm/svms?fields=*", "list its SVMs").await?;
    if let Some(wanted) = &array.config.svm {
        svms.retain(|svm| svm.name == *wanted);
    }
    let (serial, name) = match (&cluster, svms.as_slice(), array.config.scope, &array.config.svm) {
        (_, [svm], Scope::Svm, _) | (_, [svm], _, Some(_)) => (svm.uuid.clone(), format!("SVM {}", svm.name)),
        (Some(cluster), _, Scope::Cluster, None) => (cluster.uuid.clone(), format!("cluster {}", cluster.name)),
        (_, [], _, _) => {
            let which = array.config.svm.as_deref().unwrap_or("of its own");
            let text = format!("array {} shows no SVM {which}; correct svm or the login", array.client.name());
            return Err(DriverError::new(Reason::NotFound, text));
        }
        _ => {
            let text = format!(
                "array {} shows {} SVMs, so that the login is a cluster's; set scope = \"cluster\"",
                array.client.name(),
                svms.len()
            );
            return Err(DriverError::new(Reason::InvalidRequest, text));
        }
    };
    let group_volumes_max = match release {
        Some(release) if release >= Release::CONSISTENCY_GROUPS => groups::volumes_max(array).await?,
        _ => 1,
    };
    let serves_nfs = match volumes::interfaces(array).await {
        Ok(all) => all.iter().any(volumes::serves_nfs),
        // Who may not read them may all the same be served by them.
        Err(error) if error.reason == Reason::RightMissing => true,
        Err(error) => return Err(error),
    };
    Ok(Learned { serial, name, release, svms, group_volumes_max, serves_nfs })
}

/// The cluster; `None` where an SVM's account may not read it.
async fn cluster(array: &Ontap) -> Result<Option<Cluster>, DriverError> {
    match array.client.get("/cluster", "say which release it runs").await {
        Ok(cluster) => Ok(Some(cluster)),
        Err(error)
            if array.config.scope == Scope::Svm
                && matches!(error.reason, Reason::RightMissing | Reason::NotFound | Reason::NotSupported) =>
        {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

pub(super) fn capabilities(learned: &Learned) -> Capabilities {
    Capabilities {
        snapshot_unit: SnapshotUnit::Volume,
        group_volumes_max: learned.group_volumes_max,
        clone_volume: true,
        clone_files: learned.serves_nfs,
        restore_files: learned.serves_nfs,
        restore_volume: true,
        restore_keeps_newer_snapshots: false,
        clone_pins_snapshot: true,
        note_bytes_max: comment::BYTES_MAX,
        snapshot_names: names::SNAPSHOTS,
        skew_us_max: 0,
        snapshots_per_volume_max: 1023,
        needs_vm_off: false,
        export_nfs: learned.serves_nfs,
        export_luns: true,
        clone_luns: true,
        restore_lun: true,
        read_files: learned.serves_nfs,
    }
}
