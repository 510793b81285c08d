//! The face of a simulated vCenter: SOAP (vim25) under `/sdk`, files under `/folder`.
//!
//! Stricter than vcsim and closer to the real one: requests are checked against the schema, answers come in pages of 100
//! objects, a wrong property path fails the whole call, sessions expire. One file a managed object in `objects/`.

mod codec;
mod collector;
mod context;
mod dispatch;
mod envelope;
mod folder;
mod objects;
mod property;
mod schema;
#[cfg(test)]
mod tests;
mod xml;

use crate::{fault, world::compute::Vcenter};
use axum::{
    Router,
    extract::Request,
    middleware::{Next, from_fn},
    routing::{any, get, post},
};
use collector::Collectors;
use std::sync::{Arc, Mutex};

/// What all requests to one vCenter share.
#[derive(Debug)]
pub(crate) struct Face {
    vc: Arc<Vcenter>,
    /// `vcenter/<name>`, for rules and counters.
    name: String,
    /// Collectors, filters and views by session.
    collectors: Mutex<Collectors>,
}

/// The web server of a vCenter.
pub fn router(vc: Arc<Vcenter>) -> Router {
    let name = vc.with(|s| format!("vcenter/{}", s.name));
    let face = Arc::new(Face { vc, name: name.clone(), collectors: Mutex::default() });
    let world = face.vc.with(|s| Arc::clone(&s.world));
    let faults = move |request: Request, next: Next| {
        let (world, name) = (Arc::clone(&world), name.clone());
        async move { fault::around(world, &name, folder::refused, request, next).await }
    };
    let folder = Router::new()
        .route("/folder", any(folder::serve))
        .route("/folder/{*path}", any(folder::serve))
        .layer(from_fn(faults));
    Router::new()
        .merge(folder)
        .route("/sdk", post(envelope::serve))
        .route("/sdk/", post(envelope::serve))
        .route("/sdk/vimService", post(envelope::serve))
        .route("/sdk/vimServiceVersions.xml", get(envelope::versions))
        .with_state(face)
}
