//! Killing the gateway's process in the middle of an operation, and looking at what the next start makes of it.

mod child;
mod gate;
mod leftovers;
mod operation;
mod picture;
mod rig;

pub use gate::{Gate, Side};
pub use operation::{Operation, Prepared};
pub use rig::{Ended, Rig};
