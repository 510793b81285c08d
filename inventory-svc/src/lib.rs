//! inventory-svc: vCenter as VMs, disks, datastores, hosts and tasks.
//!
//! `soap` speaks the wire, `vcenter` the managed objects, `topology` reads what they mean for Strata, `acts` changes them, `cache`
//! holds the inventory in memory, `footing` knows the VMs that Strata itself stands on, `vmx` edits a VM's configuration file,
//! `grpc` is the thin face of it all.

pub mod acts;
pub mod cache;
pub mod config;
pub mod footing;
pub mod grpc;
pub mod preflight;
pub mod soap;
mod svc;
pub mod topology;
pub mod vcenter;
pub mod vcenters;
pub mod vmx;

pub use svc::{HttpFactory, InventorySvc, SERVICE_NAME};
