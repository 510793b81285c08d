//! What the command line's tests share: a fake gateway on a port of its own, a run of the program in process with all its
//! surroundings made up, and golden files.

pub mod fake;
pub mod golden;
pub mod objects;
pub mod program;
