//! What Strata does in vCenter: one file per act. Every act looks first, does what is missing, and looks again: sent
//! twice, it finds what it did.

pub mod answer_question;
pub mod attach_datastore;
pub mod consolidate;
pub mod course;
pub mod detach_datastore;
pub mod detach_export;
pub mod detach_vmfs;
pub mod find_vm_files;
pub mod forget_devices;
pub mod host_systems;
pub mod move_disks;
pub mod observe_devices;
pub mod own_vm;
pub mod pending;
pub mod present_export;
pub mod present_vmfs;
pub mod present_volume;
pub mod quiesce_vm;
pub mod register_vm;
pub mod release_vm;
pub mod reload_vm;
pub mod relocate_vm_disks;
pub mod remove_aside;
pub mod remove_vm_snapshots;
pub mod rename_datastore;
pub mod rescan_hosts;
pub mod reset_change_tracking;
pub mod resignature;
pub mod revert_vm_snapshot;
pub mod set_vm_identity;
pub mod set_vm_power;
pub mod swap_vm_disks;
pub mod unregister_vm;
pub mod vm_files;
pub mod vmfs_stores;
