//! storage-svc: serves storage.v1, or checks its configuration or its health.

mod cli;

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    cli::run().await
}
