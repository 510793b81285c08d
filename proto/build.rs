//! Compiles the protos without a protoc: protox reads them, tonic-prost-build writes the code, and the descriptor set keeps
//! options and comments, so that reflection and transcoders see them.

use prost::Message as _;
use std::{env, error::Error, fs, path::PathBuf};

const PROTOS: [&str; 9] = [
    "strata/common/v1/common.proto",
    "strata/inventory/v1/inventory_service.proto",
    "strata/storage/v1/storage_service.proto",
    "strata/gateway/v1/vm.proto",
    "strata/gateway/v1/snapshot.proto",
    "strata/gateway/v1/clone.proto",
    "strata/gateway/v1/operation.proto",
    "strata/gateway/v1/plan.proto",
    "google/rpc/error_details.proto",
];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=strata");
    println!("cargo:rerun-if-changed=google");
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);

    let mut compiler = protox::Compiler::new([&root])?;
    compiler.include_imports(true).include_source_info(true).open_files(PROTOS)?;
    // The encoded form keeps custom options (google.api.http and the like); prost's own types would drop them.
    fs::write(out.join("descriptors.bin"), compiler.encode_file_descriptor_set())?;

    let set = prost_types_from(&compiler)?;
    tonic_prost_build::configure()
        .extern_path(".google.rpc", "::tonic_types::pb")
        .include_file("strata_api.rs")
        .compile_fds(set)?;
    Ok(())
}

/// protox and tonic-prost-build may use different builds of prost-types; bytes are their common language.
fn prost_types_from(compiler: &protox::Compiler) -> Result<tonic_prost_build::FileDescriptorSet, Box<dyn Error>> {
    let bytes = compiler.file_descriptor_set().encode_to_vec();
    Ok(prost::Message::decode(bytes.as_slice())?)
}
