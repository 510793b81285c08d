//! The computing half of the world: what a vCenter knows and does. Its files lie in the trees of the storage half, so that
//! a clone made on an array holds what the VM had written.
//!
//! [`Vcenter`] is the handle; [`state::State`] is everything behind its lock; one file an operation.

pub mod block;
pub mod builder;
pub mod chain;
pub mod config;
pub mod datastore;
pub mod device;
pub mod disk;
pub mod fault;
pub mod files;
pub mod hosts;
pub mod inventory;
pub mod lookup;
pub mod move_files;
pub mod nas;
pub mod power;
pub mod privilege;
pub mod reconfigure;
pub mod register;
pub mod relocate;
mod relocate_chain;
pub mod search;
pub mod session;
pub mod snapshot;
pub mod state;
pub mod task;
mod tracking;
pub mod value;
mod vcenter;
pub mod vm;
pub mod vmsd;
pub mod vmx;

pub use builder::{Builder, DiskSpec, VmSpec};
pub use vcenter::Vcenter;
