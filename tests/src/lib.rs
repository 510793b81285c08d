//! What the system tests share.

pub mod conformance;
pub mod peers;
pub mod vcsimx;
