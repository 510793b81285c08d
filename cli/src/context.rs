//! What every command gets: the printer, the gateway, the clock and the person in front of the terminal.

use crate::{
    args::{Color, GlobalArgs},
    config,
    connect::Gateway,
    environment::{Environment, Input, Interrupts},
    failure::{Failure, Report},
    printer::{Printer, Style},
};
use jiff::tz::TimeZone;
use strata_kit::clock::SharedClock;

/// Handed to every command.
pub struct Context {
    /// Prints everything.
    pub printer: Printer,
    /// Wall time and waiting.
    pub clock: SharedClock,
    /// The zone that times are shown in.
    pub time_zone: TimeZone,
    /// How Ctrl-C arrives.
    pub interrupts: Interrupts,
    input: Input,
    variables: std::collections::BTreeMap<String, String>,
    gateway: Result<config::GatewayConfig, Box<Report>>,
}

impl std::fmt::Debug for Context {
    /// Without the variables: a token may stand in one.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Context").field("printer", &self.printer).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Input {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Input").field("is_terminal", &self.is_terminal).finish_non_exhaustive()
    }
}

impl Context {
    /// Of the surroundings and the global flags. A missing configuration is told by [`Context::gateway`] only, since
    /// not every command needs one.
    pub fn new(args: &GlobalArgs, environment: Environment) -> Self {
        let style = style(args, &environment);
        let gateway = config::load(args, &environment).map_err(Failure::into_report);
        Self {
            printer: Printer::new(style, environment.out, environment.err),
            clock: environment.clock,
            time_zone: environment.time_zone,
            interrupts: environment.interrupts,
            input: environment.input,
            variables: environment.variables,
            gateway,
        }
    }

    /// Clients of the gateway's services. The connection itself is made at the first call.
    ///
    /// # Errors
    /// It is not configured, or its files cannot be read.
    pub fn gateway(&self) -> Result<Gateway, Failure> {
        match &self.gateway {
            Ok(config) => Gateway::new(config, self.clock.clone()),
            Err(report) => Err(Failure::Report(report.clone())),
        }
    }

    /// The value of a variable; an empty one counts as unset.
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// True where a person can be asked and answer.
    pub fn can_ask(&self) -> bool {
        self.input.is_terminal && self.printer.talks()
    }

    /// Asks, and gives the line that was typed; `None` at the end of input or after Ctrl-C.
    pub async fn ask(&self, question: &str) -> Option<String> {
        self.printer.question(question);
        let stream = self.input.stream.clone();
        let reading = tokio::task::spawn_blocking(move || {
            let mut line = String::new();
            let mut stream = stream.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            match stream.read_line(&mut line) {
                Ok(0) | Err(_) => None,
                Ok(_) => Some(line.trim().to_owned()),
            }
        });
        let line = tokio::select! {
            line = reading => line.unwrap_or(None),
            () = self.interrupts.next() => None,
        };
        if line.is_none() {
            self.printer.progress("");
        }
        line
    }
}

fn style(args: &GlobalArgs, environment: &Environment) -> Style {
    let plain = environment.variable("NO_COLOR").is_some() || environment.variable("TERM") == Some("dumb");
    let colour = |terminal: bool| match args.color {
        Color::Auto => terminal && !plain && !args.json,
        Color::Always => true,
        Color::Never => false,
    };
    Style {
        json: args.json,
        quiet: args.quiet,
        colour_out: colour(environment.out.terminal_columns.is_some()),
        colour_err: colour(environment.err.terminal_columns.is_some()),
        columns: environment.out.terminal_columns,
        live: environment.err.terminal_columns.is_some() && environment.variable("TERM") != Some("dumb"),
    }
}
