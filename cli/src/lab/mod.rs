//! The lab: a simulated data centre and the three services in one process, on free ports of 127.0.0.1. Everything that it
//! makes lies in one temporary directory, which goes with it.

mod arrays;
mod datacentre;
mod facts;
mod filer;
mod options;
mod services;
mod simulated;

pub use facts::{ArrayFacts, Facts, ServiceFacts, VcenterFacts};
pub use options::{ArrayKind, ExternalVcenter, FilerOptions, LabOptions};

use crate::failure::Failure;
use arrays::Arrays;
use jiff::tz::TimeZone;
use services::Services;
use std::{fmt, path::PathBuf, sync::Arc};
use strata_kit::clock::SharedClock;
use strata_model::ErrorKind;
use strata_sim::{
    clock::MachineClock,
    serve::{Security, Served, serve},
    skins,
    world::{World, compute::Vcenter},
};
use tempfile::TempDir;

/// A lab that runs.
pub struct Lab {
    /// What a client needs to know.
    pub facts: Facts,
    /// The built-in vCenter; none with an external one.
    pub vcenter: Option<Arc<Vcenter>>,
    /// The storage half of the simulated data centre.
    pub world: Arc<World>,
    /// The array that the first datastores lie on, and why it is that one.
    pub array: ArrayChoice,
    web_directory: Option<PathBuf>,
    web_datastore: &'static str,
    services: Services,
    faces: Vec<Served>,
    directory: TempDir,
}

/// Which array the first datastores lie on.
#[derive(Debug, Clone)]
pub struct ArrayChoice {
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: ArrayKind,
    /// Why it was chosen.
    pub reason: String,
}

impl fmt::Debug for Lab {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lab").field("array", &self.array).finish_non_exhaustive()
    }
}

impl Lab {
    /// Starts everything; whatever was started is gone again where a part fails.
    ///
    /// # Errors
    /// A directory cannot be used, or a part does not start; the text names it.
    pub async fn start(options: LabOptions, clock: SharedClock, zone: TimeZone) -> Result<Self, Failure> {
        let directory = filer::working_directory(&options).map_err(|error| fault("its temporary directory", error))?;
        let world = World::new(Arc::new(MachineClock));
        let arrays = Arrays::prepare(&options, &world, directory.path())?;
        let mut faces = Vec::new();
        let mut facts = Facts::default();
        let mut tables = Vec::new();
        for array in &arrays.all {
            let (fact, table, face) = array.face(directory.path()).await?;
            facts.arrays.push(fact);
            tables.push(table);
            faces.extend(face);
        }
        let vcenter = match &options.vcenter {
            Some(external) => {
                facts.vcenters.push(external.facts());
                None
            }
            None => {
                let vcenter = datacentre::build(&world, &arrays, options.web_disk_bytes)?;
                let face = serve(skins::vcenter::router(vcenter.clone()), Security::Tls)
                    .await
                    .map_err(|error| fault("the simulated vCenter", error))?;
                facts.vcenters.push(datacentre::facts(&face, directory.path())?);
                faces.push(face);
                Some(vcenter)
            }
        };
        let services = Services::start(&mut facts, &options, &tables, directory.path(), clock, zone).await?;
        let (web_directory, web_datastore) = (arrays.web_directory(), arrays.first[0]);
        let array = arrays.choice;
        Ok(Self { facts, vcenter, world, array, web_directory, web_datastore, services, faces, directory })
    }

    /// The datastore of web-01.
    pub fn web_datastore(&self) -> &'static str {
        self.web_datastore
    }

    /// The directory behind it, where it lies on a filer.
    pub fn web_directory(&self) -> Option<PathBuf> {
        self.web_directory.clone()
    }

    /// Stops everything and removes its directory.
    ///
    /// # Errors
    /// The directory cannot be removed; the text names it.
    pub async fn stop(self) -> Result<(), Failure> {
        self.services.stop().await;
        for face in self.faces {
            face.stop().await;
        }
        let path = self.directory.path().to_owned();
        self.directory.close().map_err(|error| fault(&format!("removing {}", path.display()), error))
    }
}

/// A part of the lab that does not start or stop.
fn fault(what: &str, error: impl fmt::Display) -> Failure {
    Failure::new(ErrorKind::Unexpected, "LAB_FAILED", format!("the lab: {what}: {error}"))
}
