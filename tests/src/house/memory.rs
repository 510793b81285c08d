//! The simulated NFS array under a [`super::House`], called in process.

use super::build::{ArrayKind, FILER_ADDRESS};
use std::{collections::BTreeSet, sync::Arc};
use strata_kit::{
    config::Secret,
    http::{HttpError, InProcess},
};
use strata_sim::{
    serve,
    skins::reference::router,
    world::{
        World,
        storage::{ArraySpec, NewVolume},
    },
};
use strata_storage_svc::{
    driver::ArrayDriver,
    drivers::reference::{Reference, ReferenceConfig},
};

/// Name of the array in the world.
pub const ARRAY: &str = "nas-1";
const SIZE_BYTES: u64 = 1 << 30;

/// Makes the array with a volume for each datastore, and the driver that speaks to it.
pub(super) fn reference(
    world: &Arc<World>,
    kind: ArrayKind,
    datastores: &[String],
    certificate: &super::Certificate,
) -> anyhow::Result<Arc<dyn ArrayDriver>> {
    let mut spec = ArraySpec::new(ARRAY, FILER_ADDRESS);
    spec.behaviour.file_clones = kind != ArrayKind::ReferenceByVolume;
    spec.behaviour.jobs_async = kind == ArrayKind::ReferenceByJobs;
    let user = spec.user.clone();
    let password = Secret::new(&spec.password);
    world.add_array(spec)?;
    for name in datastores {
        let array = world.array(ARRAY)?;
        let name = super::build::volume_of(name);
        let export_path = format!("/{name}");
        let volume =
            array.create_volume(NewVolume { name, export_path, comment: String::new(), size_bytes: SIZE_BYTES })?;
        array.set_export(volume.id, BTreeSet::from(["*".to_owned()]))?;
    }
    let face = router(world.clone(), ARRAY);
    let http = Arc::new(InProcess::new(move |request| {
        let face = face.clone();
        Box::pin(async move {
            let broken = |error: std::io::Error| HttpError::Broken { host: ARRAY.to_owned(), source: Box::new(error) };
            serve::call(face, request).await.map_err(broken)
        })
    }));
    let config = ReferenceConfig {
        url: format!("https://{ARRAY}.example"),
        user,
        password,
        ca_file: None,
        thumbprint: None,
        request_timeout: None,
    };
    Ok(Arc::new(Reference::new(&config, certificate.before(http))))
}
