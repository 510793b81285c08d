//! What vCenter's objects mean for Strata: VMs with their disks, files, datastores, neighbours and shared files.

pub mod adapters;
pub mod assemble;
pub mod browse;
pub mod datastore;
pub mod devices;
pub mod files;
pub mod freeze;
pub mod host;
pub mod host_storage;
pub mod places;
pub mod read;
pub mod shared;
pub mod tenants;
pub mod vm;

/// The contract's messages; this service is the mapping from vCenter to them.
pub use strata_proto::strata::inventory::v1 as pb;
