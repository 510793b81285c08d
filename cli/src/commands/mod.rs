//! The commands: one file a verb, named `<noun>/<verb>.rs`.

pub mod clone;
pub mod commit;
pub mod completion;
pub mod demo;
pub mod exit_codes;
pub mod lab;
pub mod operation;
pub mod preflight;
pub mod revert;
pub mod snapshot;
pub mod vm;

mod change;
