//! How the gateway reaches the two services: their generated clients, with a deadline on every call and errors that keep
//! what the service said. Over any tower service, so that everything runs in one thread in tests.

mod inventory;
mod storage;

pub use inventory::Inventory;
pub use storage::Storage;

use crate::error::GatewayError;
use std::time::Duration;
use strata_proto::strata::common::v1::Pending;

/// What the gateway works with.
#[derive(Debug, Clone)]
pub struct Ports {
    /// vCenters.
    pub inventory: Inventory,
    /// Arrays.
    pub storage: Storage,
}

/// Longest wait for an answer that only reads.
pub const READ_TIMEOUT: Duration = Duration::from_secs(60);
/// Longest wait for an answer that acts; longer work answers Pending.
pub const ACT_TIMEOUT: Duration = Duration::from_secs(180);
/// Objects asked for in one page.
pub const PAGE_SIZE: i32 = 500;
/// Pages followed before we call it a fault of the other side.
pub const PAGES_MAX: usize = 10_000;

/// An answer, or the other side's word that it still works.
#[derive(Debug, Clone, PartialEq)]
pub enum Progress<T> {
    /// Done.
    Ready(T),
    /// Ask again.
    Pending(Pending),
}

fn request<T>(message: T, timeout: Duration) -> tonic::Request<T> {
    let mut request = tonic::Request::new(message);
    request.set_timeout(timeout);
    request
}

/// `Pending` where the field is set, else the rest of the answer.
fn progress<T>(pending: Option<Pending>, answer: T) -> Progress<T> {
    match pending {
        Some(pending) => Progress::Pending(pending),
        None => Progress::Ready(answer),
    }
}

fn too_many_pages(what: &str) -> GatewayError {
    GatewayError::unexpected(format!("the list of {what} does not end: {PAGES_MAX} pages were read"))
}
