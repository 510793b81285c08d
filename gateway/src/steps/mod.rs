//! What operations are made of. A step is a file: its run, which converges however often it is called, and its undo, which
//! goes by planned names and finds the absent a success.

use std::time::Duration;

/// How long a step may take that moves or merges whole disks, where vCenter or an array take hours for large ones.
pub const DEADLINE_OF_DISKS: Duration = Duration::from_secs(24 * 3600);
/// How long a step may take that waits for a guest or for an array's job.
pub const DEADLINE_OF_JOBS: Duration = Duration::from_secs(3600);

pub mod array_clone;
pub mod array_snapshot;
pub mod attach;
pub mod change_tracking;
pub mod discard_vm_snapshots;
pub mod export;
pub mod home_space;
pub mod identity;
pub mod in_use;
pub mod late_shutdown;
pub mod map_luns;
pub mod mapped_hosts;
pub mod observe;
pub mod power;
pub mod present;
pub mod quiesce;
pub mod register;
pub mod reload;
pub mod restore_files;
pub mod set_aside;
pub mod swap_disks;
pub mod verify;
pub mod verify_copy;
pub mod wait;
