//! The gRPC face: thin. A method finds its vCenter, calls the act or reading of the same name, and maps the error.

pub mod face;
pub mod lists;
pub mod paging;
pub mod status;
pub mod vms;
pub mod watch;

pub use face::InventoryFace;
