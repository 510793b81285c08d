//! Server reflection v1 and v1alpha, so that grpcurl and its kin work with no file at hand (Python and node speak only v1alpha).

use crate::health::{self, HealthHandle};
use prost::Message as _;
use tonic::service::Routes;
use tonic_reflection::{
    pb,
    server::{Builder, Error},
};

/// Adds both versions of the reflection service to `routes`, listing every service in the descriptor sets.
///
/// `descriptor_sets` are encoded FileDescriptorSets with their imports, such as the generated ones; health and
/// google.rpc's error details are added. Of a file that comes twice the first counts.
///
/// # Errors
/// A descriptor set cannot be decoded; the text says why.
pub fn add(routes: Routes, descriptor_sets: &[&[u8]]) -> Result<Routes, ReflectionError> {
    add_listed(routes, descriptor_sets, &[])
}

/// As [`add`], listing only what this process serves: the services that `health` knows, health and reflection. The
/// descriptor set holds the services of all three processes, and a list that names another's would be a promise.
///
/// # Errors
/// As [`add`].
pub fn add_served(routes: Routes, descriptor_sets: &[&[u8]], health: &HealthHandle) -> Result<Routes, ReflectionError> {
    let mut names = health.services();
    names.extend(ALWAYS_SERVED.map(str::to_owned));
    add_listed(routes, descriptor_sets, &names)
}

/// What [`crate::serve`] and this module add to every process.
const ALWAYS_SERVED: [&str; 3] =
    [health::SERVICE_NAME, "grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection"];

/// No names: all that the sets hold.
fn add_listed(routes: Routes, descriptor_sets: &[&[u8]], names: &[String]) -> Result<Routes, ReflectionError> {
    let health = health::file_descriptor_set().encode_to_vec();
    let details = (!has_error_details(descriptor_sets)).then_some(tonic_types::pb::FILE_DESCRIPTOR_SET);
    let ours = [&health, pb::v1::FILE_DESCRIPTOR_SET, pb::v1alpha::FILE_DESCRIPTOR_SET];
    let configure = || {
        let all = descriptor_sets.iter().copied().chain(details).chain(ours);
        let builder = all.fold(Builder::configure().include_reflection_service(false), |builder, set| {
            builder.register_encoded_file_descriptor_set(set)
        });
        names.iter().fold(builder, |builder, name| builder.with_service_name(name))
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
