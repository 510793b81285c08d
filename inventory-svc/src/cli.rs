//! The command line of the service.

mod check;
mod health;
mod output;
mod serve;

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use output::Output;
use std::{path::PathBuf, process::ExitCode};
use strata_inventory_svc::config::InventoryConfig;
use strata_kit::config::Loaded;

/// vCenter as VMs, disks, datastores, hosts and tasks, over gRPC.
#[derive(Debug, Parser)]
#[command(name = "inventory-svc", version)]
struct Args {
    /// The configuration file.
    #[arg(long, global = true, env = "STRATA_INVENTORY_CONFIG", default_value = "/etc/strata/inventory.toml")]
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
    /// Asks a running inventory-svc whether it is ready.
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
    /// Names every fault of the file; with --connect, asks each vCenter too.
    Check {
        /// Log in to each vCenter.
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

/// Reads the file and refuses one with faults, naming them all.
fn load(path: &std::path::Path) -> anyhow::Result<Loaded<InventoryConfig>> {
    let loaded = strata_kit::config::load::<InventoryConfig>(Some(path), std::env::vars())
        .context("the configuration cannot be used; name one with --config")?;
    let faults: Vec<String> =
        loaded.value.faults().iter().map(|fault| format!("  {}: {}", fault.field, fault.text)).collect();
    anyhow::ensure!(faults.is_empty(), "{} has {} faults:\n{}", path.display(), faults.len(), faults.join("\n"));
    Ok(loaded)
}
