//! From the command line to a service that serves, a probe, or a checked configuration.

use super::{
    Output,
    args::{Args, Command, ConfigCommand, parse},
    probe::probe,
};
use crate::{
    clock::{SharedClock, SystemClock},
    config::{self, ConfigError, Fault, Loaded, LogSection, ServerSection},
    health::HealthHandle,
    serve::serve,
    shutdown,
    status::report,
    telemetry,
};
use async_trait::async_trait;
use serde::de::DeserializeOwned;
use std::{net::SocketAddr, path::Path, process::ExitCode};
use tonic::service::Routes;

/// What tells one binary from another.
#[derive(Debug, Clone, Copy)]
pub struct Binary {
    /// `storage-svc`.
    pub name: &'static str,
    /// One sentence for `--help`.
    pub about: &'static str,
    /// Its version.
    pub version: &'static str,
    /// Environment variable that names the configuration file.
    pub config_variable: &'static str,
    /// The configuration file unless told otherwise.
    pub config_file: &'static str,
    /// Where it listens unless told otherwise.
    pub listen: SocketAddr,
    /// Full names of its gRPC services, for health and reflection.
    pub services: &'static [&'static str],
}

/// What a binary adds to this module.
#[async_trait]
pub trait Service: Sized + Send + Sync {
    /// Its configuration.
    type Config: DeserializeOwned + Send + Sync;
    /// Who it is.
    const BINARY: Binary;

    /// The `[server]` section.
    fn server(config: &mut Self::Config) -> &mut ServerSection;
    /// The `[log]` section.
    fn log(config: &Self::Config) -> &LogSection;
    /// All faults that can be seen without asking anybody.
    fn faults(config: &Self::Config) -> Vec<Fault>;
    /// Opens everything; the text of an error says what to do.
    async fn start(config: &Self::Config, clock: SharedClock) -> Result<(Self, Routes), String>;
    /// Lets go of everything, after the drain.
    async fn stop(self);
    /// Asks everything that the configuration names, and says how it went.
    async fn check(config: &Self::Config, clock: SharedClock, output: &Output) -> Result<(), String>;
}

/// The whole of a binary's `main`.
pub async fn main<S: Service>() -> ExitCode {
    let args = parse(&S::BINARY);
    let output = Output;
    match run::<S>(args, &output).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output.fail(&error);
            ExitCode::FAILURE
        }
    }
}

async fn run<S: Service>(args: Args, output: &Output) -> Result<(), String> {
    match args.command.unwrap_or(Command::Serve { listen: None, insecure: false }) {
        Command::Config(ConfigCommand::Check { connect }) => {
            let loaded = load::<S>(&args.config)?;
            loaded.warnings.iter().for_each(|warning| output.line(&format!("warning: {warning}")));
            output.line(&format!("{}: no faults", args.config.display()));
            if connect { S::check(&loaded.value, SystemClock::shared(), output).await } else { Ok(()) }
        }
        Command::Health { address } => {
            let mut server = ServerSection::default();
            // With an address at hand the file is not needed, so that a container's probe can do without it.
            if address.is_none() || args.config.exists() {
                server = S::server(&mut load::<S>(&args.config)?.value).clone();
            }
            let asked = probe(&server, S::BINARY.listen, address).await?;
            output.line(&format!("{asked} serves"));
            Ok(())
        }
        Command::Serve { listen, insecure } => {
            let mut loaded = load::<S>(&args.config)?;
            let server = S::server(&mut loaded.value);
            server.listen = listen.or(server.listen);
            server.insecure |= insecure;
            let level = std::env::var(telemetry::LEVEL_VARIABLE).ok();
            telemetry::init(S::log(&loaded.value), level.as_deref()).map_err(|error| report(&error))?;
            loaded.warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
            serve_until_signal::<S>(loaded.value, output).await
        }
    }
}

/// Reads the file with the overrides of the environment; refuses one with faults, naming them all.
fn load<S: Service>(path: &Path) -> Result<Loaded<S::Config>, String> {
    let loaded = config::load::<S::Config>(Some(path), std::env::vars()).map_err(|error| error.to_string())?;
    let faults = S::faults(&loaded.value);
    match faults.is_empty() {
        true => Ok(loaded),
        false => Err(ConfigError { source_name: path.display().to_string(), faults }.to_string()),
    }
}

async fn serve_until_signal<S: Service>(mut config: S::Config, output: &Output) -> Result<(), String> {
    let clock = SystemClock::shared();
    let server = S::server(&mut config).clone();
    let (service, routes) = S::start(&config, clock.clone()).await?;
    let health = HealthHandle::new(S::BINARY.services.iter().copied());
    let sets: &[&[u8]] = &[strata_proto::DESCRIPTOR_SET];
    let routes = match server.reflection_off {
        true => routes,
        false => crate::reflection::add_served(routes, sets, &health).map_err(|error| report(&error))?,
    };
    let stop = shutdown::on_signal().map_err(|error| format!("signals cannot be handled: {error}"))?;
    let options = server.options(S::BINARY.listen, clock);
    let running = serve(options, routes, health.clone(), stop).await.map_err(|error| report(&error))?;
    // Ready at once: a vCenter or array that does not answer is told by the calls that need it, and must not take the
    // service out of rotation.
    health.set_all_serving();
    output.line(&format!("{} listens on {}", S::BINARY.name, running.local_addr()));
    running.wait().await;
    service.stop().await;
    Ok(())
}
