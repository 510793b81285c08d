//! The REST face of a simulated array for files and blocks, kind `reference`. README.md beside this file is its contract.

mod answer;
mod clones;
mod exports;
mod files;
mod jobs;
mod luns;
mod maps;
mod session;
mod snapshots;
mod system;
mod volumes;

use crate::{fault, world::World};
use axum::{
    Router,
    extract::Request,
    middleware::{Next, from_fn},
    response::Response,
    routing::{get, post, put},
};
use session::Sessions;
use std::sync::Arc;

/// What the handlers share: one array's face.
#[derive(Debug)]
struct Face {
    world: Arc<World>,
    array: String,
    sessions: Sessions,
}

/// The face of one array. Logins live as long as the router and its clones.
pub fn router(world: Arc<World>, array_name: &str) -> Router {
    let name: Arc<str> = format!("reference/{array_name}").into();
    let face =
        Arc::new(Face { world: Arc::clone(&world), array: array_name.to_owned(), sessions: Sessions::default() });
    let faults = move |request: Request, next: Next| {
        let (world, name) = (Arc::clone(&world), Arc::clone(&name));
        async move { fault::around(world, &name, answer::injected, request, next).await }
    };
    Router::new().nest("/api/v1", routes()).fallback(unknown).with_state(face).layer(from_fn(faults))
}

fn routes() -> Router<Arc<Face>> {
    Router::new()
        .route("/sessions", post(session::log_in).delete(session::log_out))
        .route("/privileges", get(system::privileges))
        .route("/system", get(system::get))
        .route("/jobs/{job}", get(jobs::get))
        .route("/volumes", get(volumes::list))
        .route("/volumes/{volume}", get(volumes::get).delete(volumes::delete))
        .route("/volumes/{volume}/restore", post(volumes::restore))
        .route("/volumes/{volume}/exports", put(exports::put).delete(exports::delete))
        .route("/volumes/{volume}/snapshots", get(snapshots::list).post(snapshots::create))
        .route("/volumes/{volume}/snapshots/{snapshot}", get(snapshots::get).delete(snapshots::delete))
        .route("/volumes/{volume}/snapshots/{snapshot}/clones", post(clones::create))
        .route("/volumes/{volume}/luns", post(luns::create))
        .route("/volumes/{volume}/snapshots/{snapshot}/luns", get(luns::of_snapshot))
        .route("/luns", get(luns::list))
        .route("/luns/{lun}", get(luns::get).delete(luns::delete))
        .route("/luns/{lun}/clones", post(luns::clone))
        .route("/luns/{lun}/restore", post(luns::restore))
        .route("/luns/{lun}/maps/{group}", put(maps::map).delete(maps::unmap))
        .route("/initiator-groups", get(maps::list).post(maps::create))
        .route("/initiator-groups/{group}", get(maps::get).delete(maps::delete))
        .route("/initiator-groups/{group}/initiators", put(maps::set))
        .route("/snapshot-groups", post(snapshots::create_group))
        .route("/volumes/{volume}/files", get(files::look).delete(files::remove))
        .route("/volumes/{volume}/files/content", get(files::content))
        .route("/volumes/{volume}/files/clone", post(files::clone))
        .route("/volumes/{volume}/files/directories", post(files::make_directory))
        .route("/volumes/{volume}/files/restore", post(files::restore))
        .method_not_allowed_fallback(wrong_method)
}

async fn unknown() -> Response {
    answer::error(http::StatusCode::NOT_FOUND, "NOT_FOUND", "there is nothing at this path", None)
}

async fn wrong_method() -> Response {
    let status = http::StatusCode::METHOD_NOT_ALLOWED;
    answer::error(status, "METHOD_NOT_ALLOWED", "this path does not take this method", None)
}

#[cfg(test)]
mod tests;
