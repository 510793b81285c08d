//! The service as a library: from a configuration or from drivers to routes that any server can carry.

use crate::{
    arrays::Arrays,
    config::StorageConfig,
    driver::{ArrayDriver, DriverError},
    drivers::{self, HttpFactory},
    grpc::StorageFace,
};
use std::sync::Arc;
use strata_kit::clock::SharedClock;
use strata_model::ids::ArrayName;
use strata_proto::strata::storage::v1::storage_service_server::StorageServiceServer;
use tonic::service::Routes;

/// storage.v1's full name, for health.
pub const SERVICE_NAME: &str = "strata.storage.v1.StorageService";

/// The service, without a socket.
#[derive(Debug, Clone)]
pub struct StorageSvc {
    arrays: Arc<Arrays>,
}

impl StorageSvc {
    /// With the arrays of a configuration. Asks no array.
    ///
    /// # Errors
    /// An array's table or HTTP client is not usable.
    pub fn new(config: &StorageConfig, http: HttpFactory<'_>, clock: &SharedClock) -> Result<Self, DriverError> {
        let mut drivers = Vec::new();
        for array in &config.arrays {
            drivers.push((ArrayName(array.name.clone()), drivers::build(array, http, clock)?));
        }
        Ok(Self::from_drivers(drivers, clock))
    }

    /// With drivers that exist already, for tests and the lab.
    pub fn from_drivers(drivers: Vec<(ArrayName, Arc<dyn ArrayDriver>)>, clock: &SharedClock) -> Self {
        Self { arrays: Arc::new(Arrays::new(drivers, clock.clone())) }
    }

    /// The arrays.
    pub fn arrays(&self) -> &Arc<Arrays> {
        &self.arrays
    }

    /// storage.v1; add reflection and health with kit.
    pub fn routes(&self) -> Routes {
        Routes::new(StorageServiceServer::new(StorageFace::new(self.arrays.clone())))
    }
}
