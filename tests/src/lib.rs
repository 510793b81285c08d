//! What the system tests share.

pub mod bench;
pub mod between;
pub mod built;
pub mod ceph;
pub mod conformance;
pub mod house;
pub mod killing;
pub mod peers;
pub mod vcsimx;
