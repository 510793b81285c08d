//! What operations are made of. A step is a file: its run, which converges however often it is called, and its undo, which
//! goes by planned names and finds the absent a success.

pub mod array_clone;
pub mod array_snapshot;
pub mod change_tracking;
pub mod discard_vm_snapshots;
pub mod export;
pub mod identity;
pub mod in_use;
pub mod observe;
pub mod power;
pub mod present;
pub mod quiesce;
pub mod register;
pub mod reload;
pub mod restore_files;
pub mod set_aside;
pub mod verify;
pub mod wait;
