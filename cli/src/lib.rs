//! `strata`: every verb of the gateway on the command line, and the embedded lab.
//!
//! The command line can do nothing that the gateway's gRPC API cannot. [`run`] is the whole program with its surroundings
//! handed in (arguments, streams, variables, clock), so that tests run it in process.

mod args;
mod commands;
mod config;
mod connect;
mod context;
mod demo;
mod environment;
mod exit_code;
mod failure;
mod follow;
mod json;
pub mod lab;
mod names;
mod printer;
mod run;
mod show;

pub use environment::{Environment, Input, Interrupts, Output};
pub use run::run;
