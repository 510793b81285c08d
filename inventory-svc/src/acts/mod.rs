//! What Strata does in vCenter: one file per act. Every act looks first, does what is missing, and looks again: sent
//! twice, it finds what it did.

pub mod answer_question;
pub mod consolidate;
pub mod detach_datastore;
pub mod find_vm_files;
pub mod move_disks;
pub mod own_vm;
pub mod pending;
pub mod present_volume;
pub mod quiesce_vm;
pub mod read_vm_file;
pub mod register_vm;
pub mod release_vm;
pub mod reload_vm;
pub mod remove_aside;
pub mod remove_vm_snapshots;
pub mod reset_change_tracking;
pub mod set_vm_identity;
pub mod set_vm_power;
pub mod unregister_vm;
pub mod vm_files;
