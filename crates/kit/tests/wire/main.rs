//! The server and the client of the kit over real sockets on free ports, and in process.

#![expect(clippy::unwrap_used, reason = "the helpers of tests are tests")]

mod contract;
mod drain;
mod health;
mod http;
mod lab;
mod raw;
mod reflection;
mod tls;
mod upstream;
