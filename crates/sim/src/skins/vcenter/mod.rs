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
mod xml;

use crate::world::compute::Vcenter;
use axum::{
    Router,
    routing::{any, get, post},
};
use collector::Collectors;
use std::sync::{Arc, Mutex};

/// What all requests to one vCenter share.
#[derive(Debug)]
pub(crate) struct Face {
    vc: Arc<Vcenter>,
    /// Collectors, filters and views by session.
    collectors: Mutex<Collectors>,
}

/// The web server of a vCenter.
pub fn router(vc: Arc<Vcenter>) -> Router {
    let face = Arc::new(Face { vc, collectors: Mutex::default() });
    Router::new()
        .route("/sdk", post(envelope::serve))
        .route("/sdk/", post(envelope::serve))
        .route("/sdk/vimService", post(envelope::serve))
        .route("/sdk/vimServiceVersions.xml", get(envelope::versions))
        .route("/folder", any(folder::serve))
        .route("/folder/{*path}", any(folder::serve))
        .with_state(face)
}
