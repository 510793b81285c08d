//! The command line of the service.

mod check;
mod health;
mod serve;

use clap::{Parser, Subcommand};
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};
use strata_kit::{
    config::{ConfigError, Loaded},
    http::{ReqwestClient, SharedHttp, TlsOptions},
    program::Output,
};
use strata_storage_svc::config::StorageConfig;

/// Storage arrays as volumes, snapshots, clones and exports, over gRPC.
#[derive(Debug, Parser)]
#[command(name = "storage-svc", version)]
struct Args {
    /// The configuration file.
    #[arg(long, global = true, env = "STRATA_STORAGE_CONFIG", default_value = "/etc/strata/storage.toml")]
    config: PathBuf,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serves until SIGINT or SIGTERM; this is what happens without a command.
    Serve {
        /// Overrides where to listen; port 0 takes a free one.
        #[arg(long)]
        listen: Option<std::net::SocketAddr>,
        /// Allows an address beyond loopback without TLS.
        #[arg(long)]
        insecure: bool,
    },
    /// Asks a running storage-svc whether it is ready.
    Health {
        /// Where it listens; the configured address where left out.
        #[arg(long)]
        address: Option<std::net::SocketAddr>,
    },
    /// The configuration.
    #[command(subcommand)]
    Config(ConfigCommand),
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Names every fault of the file; with --connect, asks each array too.
    Check {
        /// Ask each array who it is and what is missing.
        #[arg(long)]
        connect: bool,
    },
}

/// Parses, does, and says how it ended.
pub async fn run() -> ExitCode {
    let args = Args::parse();
    let output = Output;
    let done = match args.command.unwrap_or(Command::Serve { listen: None, insecure: false }) {
        Command::Serve { listen, insecure } => serve::run(&args.config, listen, insecure, &output).await,
        Command::Health { address } => health::run(&args.config, address, &output).await,
        Command::Config(ConfigCommand::Check { connect }) => check::run(&args.config, connect, &output).await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output.fail(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// Reads the file with the overrides of the environment; refuses one with faults, naming them all.
fn load(path: &Path) -> anyhow::Result<Loaded<StorageConfig>> {
    let loaded = strata_kit::config::load::<StorageConfig>(Some(path), std::env::vars())?;
    let faults = loaded.value.faults();
    if !faults.is_empty() {
        return Err(ConfigError { source_name: path.display().to_string(), faults }.into());
    }
    Ok(loaded)
}

/// The real HTTP client of an array.
fn http(_array: &str, options: &TlsOptions) -> Result<SharedHttp, String> {
    Ok(Arc::new(ReqwestClient::new(options)?))
}
