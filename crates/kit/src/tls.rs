//! TLS for clients and servers, from files.

mod fault;
mod pinned;
mod server;

pub use fault::certificate_fault;
pub use pinned::{pinned_client_config, pinned_client_config_as, pinned_verifier};
pub use server::{ServerTls, TlsFilesError, server_config};
