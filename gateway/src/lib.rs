//! The gateway: orchestrates inventory-svc and storage-svc, journals every operation, and keeps the relations between VMs,
//! datastores, volumes and snapshots. It never branches on a vendor's name: it reads capabilities.

pub mod api;
pub mod catalog;
pub mod config;
pub mod deps;
pub mod error;
pub mod late_effects;
pub mod layout;
pub mod ledger;
pub mod open;
pub mod operations;
pub mod plan;
pub mod ports;
pub mod rest;
pub mod start;
pub mod steps;
pub mod store;

pub use start::{Gateway, Parts, StartError};
