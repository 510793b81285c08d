//! The program: reads the arguments, runs the command, tells how it ended.

use crate::{
    args::{Cli, Command},
    commands,
    context::Context,
    environment::Environment,
    exit_code,
    failure::Failure,
};
use clap::{Parser as _, error::ErrorKind as ClapKind};
use std::ffi::OsString;
use strata_kit::{
    config::{LogFormat, LogSection},
    telemetry::{self, LEVEL_VARIABLE},
};
use strata_model::ErrorKind;

/// Runs the program and gives its exit code.
pub async fn run(mut arguments: Vec<OsString>, environment: Environment) -> u8 {
    // `cargo demo -- --json`, as one types it to cargo's own commands: the alias hands the `--` on.
    if arguments.get(1).is_some_and(|word| word == "demo") && arguments.get(2).is_some_and(|word| word == "--") {
        arguments.remove(2);
    }
    let json = arguments.iter().any(|argument| argument == "--json");
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => return refuse(&error, json, environment),
    };
    let log_level = environment.variable(LEVEL_VARIABLE).map(str::to_owned);
    let context = Context::new(&cli.global, environment);
    let ended = match start_logs(log_level.as_deref()) {
        Ok(()) => dispatch(cli, &context).await,
        Err(failure) => Err(failure),
    };
    match ended {
        Ok(code) => code,
        Err(failure) => {
            let code = exit_code::of(&failure);
            context.printer.failure(&failure, code);
            code
        }
    }
}

/// Logs are for those who look for a fault, of the lab's services above all; without the variable there are none.
fn start_logs(level: Option<&str>) -> Result<(), Failure> {
    let Some(level) = level else { return Ok(()) };
    let section = LogSection { format: LogFormat::Auto, ..LogSection::default() };
    telemetry::init(&section, Some(level))
        .map_err(|error| Failure::new(error.kind(), "LOG_LEVEL_INVALID", format!("{LEVEL_VARIABLE}: {error}")))
}

async fn dispatch(cli: Cli, context: &Context) -> Result<u8, Failure> {
    match cli.command {
        Command::Vm(command) => commands::vm::run(command, context).await,
        Command::Snapshot(command) => commands::snapshot::run(command, context).await,
        Command::Clone(command) => commands::clone::run(command, context).await,
        Command::Revert(args) => commands::revert::run(args, context).await,
        Command::Commit(args) => commands::commit::run(args, context).await,
        Command::Operation(command) => commands::operation::run(command, context).await,
        Command::Preflight(args) => commands::preflight::run(args, context).await,
        Command::Lab(args) => commands::lab::run(args, context).await,
        Command::Demo(args) => commands::demo::run(args, context).await,
        Command::Completion(args) => commands::completion::run(&args, context),
        Command::ExitCodes => commands::exit_codes::run(context),
    }
}

/// Help and version are data; everything else that the parser says is an error.
fn refuse(error: &clap::Error, json: bool, mut environment: Environment) -> u8 {
    let asked = matches!(error.kind(), ClapKind::DisplayHelp | ClapKind::DisplayVersion);
    let text = error.render().to_string();
    if asked {
        return match environment.out.stream.write_all(text.as_bytes()).and_then(|()| environment.out.stream.flush()) {
            Ok(()) => exit_code::SUCCESS,
            Err(error) => exit_code::of(&Failure::Output(error)),
        };
    }
    let code = exit_code::of_kind(ErrorKind::InvalidArgument);
    let text = if json {
        let mut lines = text.lines();
        let first = lines.next().unwrap_or_default().trim_start_matches("error: ").to_owned();
        let failure = Failure::new(ErrorKind::InvalidArgument, "COMMAND_NOT_UNDERSTOOD", first);
        match failure {
            Failure::Report(report) => format!("{}\n", report.to_json(code)),
            Failure::Output(_) => text,
        }
    } else {
        text
    };
    // Nobody is left to tell where stderr is closed.
    let _ = environment.err.stream.write_all(text.as_bytes()).and_then(|()| environment.err.stream.flush());
    code
}
