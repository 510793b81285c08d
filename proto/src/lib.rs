//! Strata's gRPC contracts. The `.proto` files beside this crate are the API reference; here is what is generated from
//! them, and nothing else.

// Generated code is not ours to style; comments in the .proto files are checked by buf.
#![allow(missing_docs, clippy::all, clippy::pedantic, rustdoc::all)]

tonic::include_proto!("strata_api");

/// All protos with comments and options, as an encoded FileDescriptorSet: what reflection serves.
pub const DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));
