//! The command line that all services share.

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use std::{net::SocketAddr, path::PathBuf};

/// See the fields.
#[derive(Debug, Parser)]
pub(super) struct Args {
    /// The configuration file; STRATA__SECTION__FIELD overrides single fields.
    #[arg(long, global = true, required = false)]
    pub(super) config: PathBuf,
    #[command(subcommand)]
    pub(super) command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Serves until SIGINT or SIGTERM; this is what happens without a command.
    Serve {
        /// Overrides where to listen; port 0 takes a free one.
        #[arg(long)]
        listen: Option<SocketAddr>,
        /// Allows an address beyond loopback without TLS.
        #[arg(long)]
        insecure: bool,
    },
    /// Asks a running service whether it is ready.
    Health {
        /// Where it listens; the configured address where left out.
        #[arg(long)]
        address: Option<SocketAddr>,
    },
    /// The configuration.
    #[command(subcommand)]
    Config(ConfigCommand),
}

#[derive(Debug, Subcommand)]
pub(super) enum ConfigCommand {
    /// Names every fault of the file; with --connect, asks what it names too.
    Check {
        /// Ask every vCenter, array or service that the file names.
        #[arg(long)]
        connect: bool,
    },
}

/// Parses the process's command line under a binary's own name, variable and default file.
pub(super) fn parse(binary: &super::Binary) -> Args {
    let command = Args::command()
        .name(binary.name)
        .bin_name(binary.name)
        .about(binary.about)
        .version(binary.version)
        .mut_arg("config", |config| config.env(binary.config_variable).default_value(binary.config_file));
    let matches = command.get_matches();
    Args::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
}
