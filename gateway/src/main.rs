//! gateway: serves gateway.v1, or checks its configuration or its health.

use clap::{Parser, Subcommand};
use std::{net::SocketAddr, path::PathBuf, process::ExitCode};
use strata_gateway::{api::SERVICE_NAMES, config::GatewayConfig};
use strata_kit::{
    clock::SystemClock,
    config,
    program::{Output, Program, probe},
    telemetry,
};

/// Where it listens unless told otherwise.
const LISTEN: SocketAddr = SocketAddr::V4(std::net::SocketAddrV4::new(std::net::Ipv4Addr::LOCALHOST, 7001));

/// Orchestrates snapshots, clones and reverts of VMs, over gRPC.
#[derive(Debug, Parser)]
#[command(name = "gateway", version)]
struct Args {
    /// The configuration file; STRATA__SECTION__FIELD overrides single fields.
    #[arg(long, global = true, env = "STRATA_GATEWAY_CONFIG", default_value = "/etc/strata/gateway.toml")]
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
        listen: Option<SocketAddr>,
        /// Allows an address beyond loopback without TLS.
        #[arg(long)]
        insecure: bool,
    },
    /// Asks a running gateway whether it is ready.
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
enum ConfigCommand {
    /// Names every fault of the file.
    Check,
}

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    let output = Output;
    match run(args, &output).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output.fail(&error);
            ExitCode::FAILURE
        }
    }
}

async fn run(args: Args, output: &Output) -> Result<(), String> {
    let loaded =
        config::load::<GatewayConfig>(Some(&args.config), std::env::vars()).map_err(|error| error.to_string())?;
    let mut config = loaded.value;
    let faults: Vec<String> = config.faults().iter().map(ToString::to_string).collect();
    if !faults.is_empty() {
        return Err(format!("{} has {} faults:\n  {}", args.config.display(), faults.len(), faults.join("\n  ")));
    }
    match args.command.unwrap_or(Command::Serve { listen: None, insecure: false }) {
        Command::Config(ConfigCommand::Check) => {
            loaded.warnings.iter().for_each(|warning| output.line(warning));
            output.line(&format!("{}: no faults", args.config.display()));
            Ok(())
        }
        Command::Health { address } => {
            let asked = probe(&config.server, LISTEN, address).await?;
            output.line(&format!("{asked} serves"));
            Ok(())
        }
        Command::Serve { listen, insecure } => {
            config.server.listen = listen.or(config.server.listen);
            config.server.insecure |= insecure;
            serve(&config, &loaded.warnings, output).await
        }
    }
}

async fn serve(config: &GatewayConfig, warnings: &[String], output: &Output) -> Result<(), String> {
    let level = std::env::var(telemetry::LEVEL_VARIABLE).ok();
    telemetry::init(&config.log, level.as_deref()).map_err(|error| error.to_string())?;
    warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
    let clock = SystemClock::shared();
    let gateway = strata_gateway::open::open(config, clock.clone()).await?;
    let program = Program {
        name: "gateway",
        services: &SERVICE_NAMES,
        routes: gateway.api.routes(),
        options: config.server.options(LISTEN, clock),
        reflection_off: config.server.reflection_off,
    };
    program.run(output).await?;
    gateway.drain().await;
    Ok(())
}
