//! Server reflection v1 and v1alpha, so that grpcurl and its kin work with no file at hand (Python and node speak only v1alpha).

use crate::health;
use prost::Message as _;
use tonic::service::Routes;
use tonic_reflection::server::{Builder, Error};

/// Adds both versions of the reflection service to `routes`.
///
/// `descriptor_sets` are encoded FileDescriptorSets with their imports, such as the generated ones; health and
/// google.rpc's error details are added. Of a file that comes twice the first counts.
///
/// # Errors
/// A descriptor set cannot be decoded; the text says why.
pub fn add(routes: Routes, descriptor_sets: &[&[u8]]) -> Result<Routes, ReflectionError> {
    let health = health::file_descriptor_set().encode_to_vec();
    let details = (!has_error_details(descriptor_sets)).then_some(tonic_types::pb::FILE_DESCRIPTOR_SET);
    let configure = || {
        let mut builder = Builder::configure();
        for set in descriptor_sets {
            builder = builder.register_encoded_file_descriptor_set(set);
        }
        if let Some(set) = details {
            builder = builder.register_encoded_file_descriptor_set(set);
        }
        builder.register_encoded_file_descriptor_set(&health)
    };
    Ok(routes.add_service(configure().build_v1()?).add_service(configure().build_v1alpha()?))
}

/// Tonic's own copy has another file name: with both, a client would meet each message twice.
fn has_error_details(descriptor_sets: &[&[u8]]) -> bool {
    descriptor_sets.iter().any(|set| {
        prost_types::FileDescriptorSet::decode(*set).is_ok_and(|set| {
            set.file.iter().any(|file| {
                file.package() == "google.rpc" && file.message_type.iter().any(|it| it.name() == "ErrorInfo")
            })
        })
    })
}

/// A descriptor set that cannot be served.
#[derive(Debug, thiserror::Error)]
#[error("a descriptor set cannot be served by reflection")]
pub struct ReflectionError(#[from] Error);

impl ReflectionError {
    /// Always a mistake in the build.
    pub fn kind(&self) -> strata_model::ErrorKind {
        strata_model::ErrorKind::Unexpected
    }
}
