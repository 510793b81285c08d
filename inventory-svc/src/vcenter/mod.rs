//! One vCenter as a client: a session, the property collector, and one file per managed object that Strata calls.

pub mod authorization;
pub mod browser;
pub mod content;
pub mod error;
pub mod file_manager;
pub mod folder;
pub mod host_datastore_system;
pub mod host_storage_system;
pub mod http_folder;
pub mod property_collector;
pub mod property_spec;
pub mod rescan;
pub mod search_index;
pub mod session;
pub mod snapshot;
pub mod task;
pub mod unresolved_vmfs;
pub mod view;
pub mod virtual_disk_manager;
pub mod virtual_machine;
pub mod wait;

pub use error::{Error, Refusal};
pub use session::{Client, ClientOptions};
