//! The face as a client sees it, in process.

mod acts;
mod block;
mod client;
mod faults;
mod foreign;
mod foreign_block;
mod protocol;
mod safety;
mod updates;

use client::Client;
