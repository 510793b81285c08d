//! How an array behaves: what it can do, and how it is awkward. Every switch is something a real product does.

use super::lun_name::LunNaming;
use std::collections::BTreeSet;

/// The switches of one array. The default is a good modern NAS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Behaviour {
    /// Single files can be cloned within a volume without copying.
    pub file_clones: bool,
    /// Single LUNs can be cloned within a volume, and restored in place, without copying.
    pub lun_clones: bool,
    /// How LUNs are named to hosts.
    pub lun_naming: LunNaming,
    /// The most LUNs in one volume (1 where a volume is a LUN).
    pub luns_max: usize,
    /// A volume that is full takes the LUN that wanted to be written offline (thin LUNs without reservation do).
    pub full_takes_luns_offline: bool,
    /// The highest LUN number.
    pub lun_number_max: u32,
    /// Several volumes can be cut at one point in time.
    pub group_snapshots: bool,
    /// The most volumes in one such cut.
    pub group_volumes_max: usize,
    /// A volume can be restored in place.
    pub volume_restore: bool,
    /// Restoring a volume deletes every newer snapshot (ONTAP does).
    pub restore_eats_newer: bool,
    /// A snapshot cannot be deleted while a clone of it exists (ZFS, ME5, RBD v1).
    pub clones_pin_snapshots: bool,
    /// A clone carries a copy of the snapshot it came from, name and comment included (FlexClone does).
    pub clones_carry_snapshot: bool,
    /// Changes are answered with a job.
    pub jobs_async: bool,
    /// How long a job waits before its effect, in milliseconds.
    pub job_delay_ms: u64,
    /// The longest name, in bytes.
    pub name_max_bytes: usize,
    /// The longest comment, in bytes.
    pub comment_max_bytes: usize,
    /// The most snapshots of one volume.
    pub snapshots_max: usize,
    /// How long a login holds, in milliseconds.
    pub session_ttl_ms: u64,
    /// The most logins at one time; drivers that never log out run into it.
    pub sessions_max: usize,
    /// Privileges that the login lacks, in the skin's own words.
    pub denied: BTreeSet<String>,
    /// The most entries on one page of a list.
    pub page_max: usize,
    /// How far the array's clock is off, in milliseconds; negative when behind (safety.md S4).
    pub clock_skew_ms: i64,
}

impl Default for Behaviour {
    fn default() -> Self {
        Behaviour {
            file_clones: true,
            lun_clones: true,
            lun_naming: LunNaming::default(),
            luns_max: 512,
            full_takes_luns_offline: false,
            lun_number_max: 1023,
            group_snapshots: true,
            group_volumes_max: 50,
            volume_restore: true,
            restore_eats_newer: false,
            clones_pin_snapshots: true,
            clones_carry_snapshot: false,
            jobs_async: false,
            job_delay_ms: 0,
            name_max_bytes: 64,
            comment_max_bytes: 255,
            snapshots_max: 1023,
            session_ttl_ms: 15 * 60 * 1000,
            sessions_max: 100,
            denied: BTreeSet::new(),
            page_max: 100,
            clock_skew_ms: 0,
        }
    }
}
