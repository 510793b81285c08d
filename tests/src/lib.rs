//! What the system tests share.

pub mod conformance;
pub mod house;
pub mod peers;
pub mod vcsimx;
