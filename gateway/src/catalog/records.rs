//! What the catalog remembers of restore points and clones: the intents, names and times that cannot be observed again.
//! These are store records: fields are added with `#[serde(default)]` and never renamed.

use crate::layout::{Neighbour, Observation, Relation};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use strata_model::Grade;

/// A VM's restore point.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestorePoint {
    /// `s-` and 12 hex digits.
    pub id: String,
    /// `web-01@1004`.
    pub display_name: String,
    /// Everything planned before the cut.
    pub intent: SnapshotIntent,
    /// Everything known since the cut.
    pub cut: Cut,
    /// The operation that made it.
    pub operation: String,
    /// True where removal has begun.
    #[serde(default)]
    pub deleting: bool,
    /// True where the array no longer has it.
    #[serde(default)]
    pub lost: bool,
}

/// What a snapshot shall be, planned and journalled before anything is touched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotIntent {
    /// `s-` and 12 hex digits; also the key on the arrays and in vCenter.
    pub snapshot_id: String,
    /// `web-01@1004`.
    pub display_name: String,
    /// `vcenters/{vcenter}/vms/{instance_uuid}`.
    pub vm: String,
    /// The VM's name.
    pub vm_display_name: String,
    /// Its BIOS uuid (safety.md S5).
    pub bios_uuid: String,
    /// Its .vmx, `[datastore] directory/name.vmx`.
    pub vmx_path: String,
    /// The nvram file, where there is one.
    #[serde(default)]
    pub nvram_path: Option<String>,
    /// What was asked.
    pub grade_asked: Grade,
    /// What will be tried.
    pub grade_planned: Grade,
    /// A weaker grade may be taken.
    pub allow_weaker: bool,
    /// Seconds to keep it.
    #[serde(default)]
    pub keep_seconds: Option<u64>,
    /// The user's note.
    #[serde(default)]
    pub description: String,
    /// Longest time between the parts.
    #[serde(default)]
    pub skew_max_ms: u32,
    /// Seconds that the guest may take to freeze; 60 in old records.
    #[serde(default = "quiesce_budget_seconds")]
    pub quiesce_budget_seconds: u32,
    /// Longest time between the parts where the guest does not freeze in time and a crash cut may take its place; `None`
    /// where it may not (safety.md S10, S11).
    #[serde(default)]
    pub weaker_skew_max_ms: Option<u32>,
    /// The VM was off when it was planned.
    pub vm_off: bool,
    /// The datastores to cut, each with its volume; several may lie on one.
    pub members: Vec<Member>,
    /// The disks in it.
    pub disks: Vec<PointDisk>,
    /// Disks that are not in it, with reasons.
    #[serde(default)]
    pub excluded: Vec<PointDisk>,
    /// Who shares the volumes.
    #[serde(default)]
    pub neighbours: Vec<Neighbour>,
    /// Links from the VM down to the arrays.
    #[serde(default)]
    pub relations: Vec<Relation>,
    /// Taken by Strata itself before a revert.
    #[serde(default)]
    pub safety: bool,
    /// Configuration's version at planning.
    #[serde(default)]
    pub change_version: String,
    /// The VM as the plan saw it, where it is cut as it is: what came after is told by the look after the cut, also where
    /// the gateway crashed in between (safety.md S13). `None` where the VM is frozen or stopped first, and in old records.
    #[serde(default)]
    pub baseline: Option<Observation>,
    /// Where the VM was in the inventory, so that a clone can be placed after the VM is gone.
    #[serde(default)]
    pub placement: Placement,
}

/// Seconds that a guest may take to freeze, where nobody said.
pub const fn quiesce_budget_seconds() -> u32 {
    60
}

/// A VM's place in the inventory, by vCenter's ids.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placement {
    /// Folder.
    pub folder_moref: String,
    /// Resource pool.
    pub pool_moref: String,
    /// Host.
    pub host_moref: String,
}

/// A datastore in a snapshot, and the volume that it lies on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// `arrays/{array}/volumes/{volume}`.
    pub volume: String,
    /// Immutable identity of the volume.
    pub volume_uuid: String,
    /// The datastore.
    pub datastore: String,
    /// The datastore as `vcenters/{vcenter}/datastores/{moref}`; empty in records of before it was noted.
    #[serde(default)]
    pub datastore_name: String,
    /// The datastore's root within the volume.
    pub path_in_volume: String,
    /// How the volume was found.
    pub evidence: String,
    /// Directories to cut, within the volume.
    pub paths: Vec<String>,
    /// For block storage: the LUNs of the volume that the VM's datastores lie on.
    #[serde(default)]
    pub luns: Vec<MemberLun>,
}

/// A LUN in a cut volume, and the VMFS that it is an extent of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberLun {
    /// Path within the volume; empty where the volume is the LUN.
    pub path: String,
    /// The array's immutable identity of the LUN.
    pub uuid: String,
    /// As hosts showed it, `naa.…`.
    pub canonical_name: String,
    /// Size in bytes.
    pub size_bytes: u64,
    /// The datastore, by the name that stands in paths.
    pub datastore: String,
    /// The datastore as `vcenters/{vcenter}/datastores/{moref}`.
    pub datastore_name: String,
    /// Uuid of the VMFS.
    pub vmfs_uuid: String,
    /// Which of its extents, from 0, the head.
    pub extent: u32,
    /// How many extents it has.
    pub extents: u32,
}

/// A disk in a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PointDisk {
    /// `Hard disk 1`.
    pub label: String,
    /// Key of the device.
    pub key: i32,
    /// The disk's own uuid.
    pub uuid: String,
    /// Bytes that the guest sees.
    pub capacity_bytes: u64,
    /// The file to attach: the one written before a quiesce opened a delta (safety.md S12).
    pub attach_path: String,
    /// All files of its chain, `[datastore] directory/name`.
    pub files: Vec<String>,
    /// Its chain of descriptors when it was planned, before any freeze: the file that was written first (safety.md S12).
    #[serde(default)]
    pub chain: Vec<String>,
    /// `arrays/{array}/volumes/{volume}`; empty for an excluded one.
    pub volume: String,
    /// Best grade at planning.
    #[serde(default)]
    pub best_grade: Option<Grade>,
    /// Why it is left out or weaker.
    #[serde(default)]
    pub reason: String,
}

/// What the cut was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cut {
    /// When, by the array's clock.
    pub time: Timestamp,
    /// What was achieved.
    pub grade: Grade,
    /// Why it is weaker than asked.
    #[serde(default)]
    pub grade_reason: String,
    /// Key of the array snapshot; differs from the id where the cut was tried again.
    pub key: String,
    /// One a volume.
    pub members: Vec<CutMember>,
    /// Time between the parts, in microseconds.
    pub skew_us: u64,
    /// How long the VMware snapshot was open, in milliseconds; `None` where there was none.
    #[serde(default)]
    pub vm_snapshot_open_ms: Option<u64>,
    /// For each disk by key: the file that the .vmx in the snapshot names, where it is not `attach_path`.
    #[serde(default)]
    pub config_paths: Vec<(i32, String)>,
    /// For each disk by key: its chain of descriptors at the cut (safety.md S12).
    #[serde(default)]
    pub chains: Vec<(i32, Vec<String>)>,
}

/// One volume's part of a cut.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CutMember {
    /// `arrays/{array}/volumes/{volume}`.
    pub volume: String,
    /// Immutable identity of the volume when it was cut.
    pub volume_uuid: String,
    /// The array's id of the snapshot.
    pub snapshot_id: String,
    /// The name that the array shows.
    pub native_name: String,
}

/// A clone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CloneRecord {
    /// Everything planned before it was made.
    pub intent: CloneIntent,
    /// `vcenters/{vcenter}/vms/{instance_uuid}`.
    pub vm: String,
    /// When it was made.
    pub create_time: Timestamp,
    /// The operation that made it.
    pub operation: String,
    /// New MAC addresses.
    pub mac_addresses: Vec<String>,
    /// Taken out of its configuration.
    pub stripped: Vec<String>,
    /// Bytes that were copied instead of shared.
    pub copied_bytes: u64,
    /// Clone volumes, in the order of `intent.targets`; none for clones of files, an empty one for LUNs cloned in place.
    #[serde(default)]
    pub volumes: Vec<String>,
    /// How hosts mount them: server and path, in the same order.
    #[serde(default)]
    pub exports: Vec<(String, String)>,
    /// Datastores that were made of cloned LUNs, in the order of `intent.vmfs`.
    #[serde(default)]
    pub attached: Vec<AttachedVmfs>,
    /// Paths of the cloned LUNs within their volumes: volume of the source, volume of the clone, paths.
    #[serde(default)]
    pub luns: Vec<(String, String, Vec<String>)>,
    /// It was turned on.
    #[serde(default)]
    pub powered_on: bool,
    /// True where removal has begun.
    #[serde(default)]
    pub deleting: bool,
}

/// What a clone shall be, planned and journalled before anything is touched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CloneIntent {
    /// `c-` and 12 hex digits; also the key on the arrays and in vCenter.
    pub clone_id: String,
    /// Name of the new VM.
    pub display_name: String,
    /// The restore point's id.
    pub snapshot_id: String,
    /// The VM that the restore point is of.
    pub source_vm: String,
    /// `vcenters/{vcenter}`.
    pub vcenter: String,
    /// True: volumes and datastores of its own; false: files in the source's datastores.
    pub by_volume: bool,
    /// One a datastore of the restore point; several may lie on one volume.
    pub targets: Vec<CloneTarget>,
    /// The copied .vmx.
    pub vmx_path: String,
    /// The .vmx that it is a copy of, which says what relative names in it mean; empty in records of before it was noted.
    #[serde(default)]
    pub source_vmx_path: String,
    /// Disks: from the path in the .vmx of the snapshot to the copy's path.
    pub disks: Vec<(String, String)>,
    /// Directories that the VM may refer to.
    pub allowed_directories: Vec<String>,
    /// New BIOS uuid.
    pub bios_uuid: String,
    /// New instanceUuid.
    pub instance_uuid: String,
    /// vCenter's id of the folder.
    pub folder_moref: String,
    /// vCenter's id of the pool.
    pub pool_moref: String,
    /// vCenter's id of the host.
    pub host_moref: String,
    /// Hosts that mount datastores of its own, with the addresses they mount from.
    #[serde(default)]
    pub hosts: Vec<(String, Vec<String>)>,
    /// Turn it on.
    pub power_on: bool,
    /// For block storage: the datastores that are made of cloned LUNs.
    #[serde(default)]
    pub vmfs: Vec<CloneVmfs>,
    /// For block storage: the hosts that the LUNs are mapped to, and nobody else.
    #[serde(default)]
    pub lun_hosts: Vec<LunHost>,
    /// For block storage: vCenter's id of the folder of the new datastores; empty leaves them where vCenter puts them.
    #[serde(default)]
    pub datastore_folder_moref: String,
    /// For block storage: the .vmx in the copy must name this BIOS uuid before anything is done with it (safety.md S5).
    #[serde(default)]
    pub expected_bios_uuid: String,
    /// For block storage: the copy is of a frozen VM, so that its list of VMware snapshots is emptied and the files before
    /// the freeze are attached, which hold the quiesced image (safety.md S12).
    #[serde(default)]
    pub forget_vm_snapshots: bool,
}

impl CloneIntent {
    /// The parts that hosts mount by NFS.
    pub fn nfs_targets(&self) -> impl Iterator<Item = &CloneTarget> {
        self.targets.iter().filter(|target| target.lun_paths.is_empty())
    }

    /// The parts whose LUNs are mapped.
    pub fn lun_targets(&self) -> impl Iterator<Item = &CloneTarget> {
        self.targets.iter().filter(|target| !target.lun_paths.is_empty())
    }
}

/// A VMFS whose LUNs are cloned, and the datastore that its copy becomes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CloneVmfs {
    /// Uuid of the VMFS that was cut.
    pub source_uuid: String,
    /// The datastore that was cut, by the name that stands in paths.
    pub source: String,
    /// Name of the new datastore.
    pub datastore: String,
    /// Volume and path within it of each extent that was cut, head first.
    pub extents: Vec<(String, String)>,
}

/// A host that LUNs are mapped to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LunHost {
    /// vCenter's id.
    pub moref: String,
    /// Its name.
    pub name: String,
    /// The names that the array maps to.
    pub initiators: Vec<String>,
}

/// A cloned VMFS as vCenter shows it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttachedVmfs {
    /// `vcenters/{vcenter}/datastores/{moref}`; empty where it is not known to be there.
    pub datastore_name: String,
    /// Its name.
    pub datastore: String,
    /// Uuid of its own signature.
    pub uuid: String,
    /// Canonical names of its devices, head first.
    pub devices: Vec<String>,
}

/// One datastore's part of a clone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CloneTarget {
    /// `arrays/{array}/volumes/{volume}` that was cut.
    pub volume: String,
    /// The array's id of the snapshot.
    pub snapshot_id: String,
    /// For clones of files: the new directory within the volume.
    #[serde(default)]
    pub to_directory: String,
    /// For clones of files: from and to, within the volume.
    #[serde(default)]
    pub files: Vec<(String, String)>,
    /// For clones of volumes: name of the new datastore.
    #[serde(default)]
    pub datastore: String,
    /// NFS version of the source's datastore.
    #[serde(default)]
    pub nfs_version: String,
    /// Root of the source's datastore within its volume.
    #[serde(default)]
    pub path_in_volume: String,
    /// For block storage: paths within the volume of the LUNs that hosts shall reach; one that is the volume has an empty
    /// path.
    #[serde(default)]
    pub lun_paths: Vec<String>,
    /// Only these LUNs are cloned, into the same volume.
    #[serde(default)]
    pub luns_in_place: bool,
}
