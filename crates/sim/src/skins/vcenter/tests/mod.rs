//! The face as a client sees it, in process.

mod acts;
mod client;
mod faults;
mod foreign;
mod protocol;
mod safety;
mod updates;

use client::Client;
