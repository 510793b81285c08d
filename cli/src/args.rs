//! What can be typed.

use crate::commands::{
    clone::CloneCommand, commit::CommitArgs, completion::CompletionArgs, demo::DemoArgs, lab::LabArgs,
    operation::OperationCommand, preflight::PreflightArgs, revert::RevertArgs, snapshot::SnapshotCommand,
    vm::VmCommand,
};
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Snapshots and clones of VMware VMs with the storage array's own snapshots.
///
/// A VM is named by its name, by vcenter/name where the name is not unique, or by its full resource name. A restore point
/// is named like web-01@1004 or by its id (s-0123456789ab), a clone by its name or id. See `strata help exit-codes` for
/// what the exit code says.
#[derive(Debug, Parser)]
#[command(name = "strata", version, disable_help_subcommand = false, propagate_version = true)]
pub struct Cli {
    #[command(flatten)]
    pub global: GlobalArgs,
    #[command(subcommand)]
    pub command: Command,
}

/// What every command understands.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Global options")]
pub struct GlobalArgs {
    /// Where the gateway is, as https://host:port [variable: STRATA_GATEWAY]
    #[arg(long, global = true, value_name = "URL")]
    pub gateway: Option<String>,
    /// PEM file with the authority that signed the gateway's certificate [variable: STRATA_CA_FILE]
    #[arg(long, global = true, value_name = "FILE")]
    pub ca_file: Option<PathBuf>,
    /// File that holds the bearer token [variables: STRATA_TOKEN_FILE, or STRATA_TOKEN with the token itself]
    #[arg(long, global = true, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// Speak to a gateway on another machine without TLS; everybody on the way can read and change what is said
    #[arg(long, global = true)]
    pub insecure: bool,
    /// Configuration file instead of ~/.config/strata/cli.toml [variable: STRATA_CONFIG]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// How long one call to the gateway may take; operations themselves have no limit
    #[arg(long = "timeout", global = true, value_name = "SECONDS", default_value_t = 60,
          value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub timeout_s: u64,
    /// Print data and errors as JSON
    #[arg(long, global = true)]
    pub json: bool,
    /// Print no progress, notes and hints
    #[arg(long, short, global = true)]
    pub quiet: bool,
    /// When to use colour; auto obeys NO_COLOR
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub color: Color,
}

/// When to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, where NO_COLOR is not set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// What commands that change something have in common.
#[derive(Debug, Clone, Args)]
pub struct ChangeArgs {
    /// Print what would be done, and do nothing
    #[arg(long, conflicts_with = "no_wait")]
    pub dry_run: bool,
    /// Do what --dry-run showed under this hash, or nothing where the world has changed since
    #[arg(long, value_name = "HASH", conflicts_with = "dry_run")]
    pub apply: Option<String>,
    /// Print the operation's name as soon as it is accepted, and do not wait for it
    #[arg(long)]
    pub no_wait: bool,
    /// A UUID that makes this request the same one when it is sent again; made anew where not given
    #[arg(long, value_name = "UUID")]
    pub request_id: Option<uuid::Uuid>,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Look at VMs and what lies behind them
    #[command(subcommand)]
    Vm(VmCommand),
    /// Take, look at and remove restore points of VMs
    #[command(subcommand)]
    Snapshot(SnapshotCommand),
    /// Make, look at and remove VMs made of restore points
    #[command(subcommand)]
    Clone(CloneCommand),
    /// Put the data of a VM's disks back to a restore point
    Revert(RevertArgs),
    /// Delete the old disks that a revert by swap kept
    Commit(CommitArgs),
    /// Look at, follow, cancel and resolve what Strata is doing
    #[command(subcommand)]
    Operation(OperationCommand),
    /// Say which rights Strata lacks in vCenter and on the arrays
    Preflight(PreflightArgs),
    /// Run a simulated data centre with the three services, to try Strata without hardware
    Lab(LabArgs),
    /// Play the main job end to end in a lab of its own, and check every byte
    Demo(DemoArgs),
    /// Print a completion script for a shell
    Completion(CompletionArgs),
    /// Print what the exit codes mean
    #[command(long_about = crate::exit_code::help())]
    ExitCodes,
}
