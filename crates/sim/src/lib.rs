//! One simulated data centre: arrays, volumes with files in them, hosts, datastores and VMs, and the faces ("skins")
//! that a vCenter and storage arrays show of it. Used by the lab and by tests, never by a service.

pub mod clock;
pub mod fault;
pub mod serve;
pub mod skins;
pub mod world;
