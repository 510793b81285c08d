//! What the tests talk to.

pub mod block;
pub mod breaking;
pub mod lossy;
pub mod order;
pub mod san;
pub mod scripted;
pub mod simulated;
pub mod vcsimx;
