//! What the tests talk to.

pub mod block;
pub mod order;
pub mod scripted;
pub mod simulated;
pub mod vcsimx;
