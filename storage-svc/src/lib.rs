//! storage-svc: storage arrays as volumes, snapshots, clones and exports.
//!
//! Read `driver.rs` first: the contract that a vendor's folder in `drivers/` fulfils. `arrays.rs` keeps the configured
//! arrays, `grpc/` is their face (storage.v1). The service keeps no durable state.

pub mod arrays;
pub mod config;
pub mod driver;
pub mod drivers;
pub mod grpc;
pub mod naming;
mod rel_path;
mod svc;

pub use svc::{SERVICE_NAME, StorageSvc};
