//! inventory-svc against vcsimx (a vCenter that somebody else wrote), against canned answers, and against pyvmomi's order.

mod acts;
mod block_simulated;
mod block_vcsimx;
mod freeze;
mod lists;
mod memory;
mod request_order;
mod simulated;
mod support;
mod wire;
