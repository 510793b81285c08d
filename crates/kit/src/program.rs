//! What the binary of every service does the same way: its command line, printing, serving until a signal, and answering
//! whether a running one is ready.

mod args;
mod output;
mod probe;
mod run;

pub use output::Output;
pub use probe::probe;
pub use run::{Binary, Service, main};
