//! What surrounds the program: streams, terminal, variables, clock and Ctrl-C, handed in so that tests can set each.

use jiff::tz::TimeZone;
use std::{
    collections::BTreeMap,
    fmt,
    io::{self, BufRead, IsTerminal as _, Write},
    sync::{Arc, Mutex},
};
use strata_kit::clock::{SharedClock, SystemClock};
use tokio::sync::Notify;

/// A stream that the program writes to.
pub struct Output {
    /// Where the bytes go.
    pub stream: Box<dyn Write + Send>,
    /// Columns of the terminal; `None` where the stream is no terminal.
    pub terminal_columns: Option<u16>,
}

/// A stream that answers are read from.
#[derive(Clone)]
pub struct Input {
    /// Where lines come from.
    pub stream: Arc<Mutex<dyn BufRead + Send>>,
    /// True where a person can be asked.
    pub is_terminal: bool,
}

/// How Ctrl-C arrives.
#[derive(Clone, Debug)]
pub enum Interrupts {
    /// SIGINT of this process.
    Signal,
    /// By hand, for tests.
    Manual(Arc<Notify>),
}

impl Interrupts {
    /// Returns at the next Ctrl-C.
    pub async fn next(&self) {
        match self {
            Interrupts::Signal => {
                if tokio::signal::ctrl_c().await.is_err() {
                    // Without a handler the signal ends the process, as it should.
                    std::future::pending::<()>().await;
                }
            }
            Interrupts::Manual(notify) => notify.notified().await,
        }
    }
}

impl Interrupts {
    /// Returns at the next Ctrl-C or request to end (SIGTERM).
    pub async fn end(&self) {
        match self {
            Interrupts::Signal => {
                use tokio::signal::unix::{SignalKind, signal};
                match signal(SignalKind::terminate()) {
                    Ok(mut terminate) => tokio::select! {
                        () = self.next() => {}
                        _ = terminate.recv() => {}
                    },
                    Err(_) => self.next().await,
                }
            }
            Interrupts::Manual(_) => self.next().await,
        }
    }
}

/// Everything that the program takes from outside.
pub struct Environment {
    /// Environment variables, read once.
    pub variables: BTreeMap<String, String>,
    /// Data goes here and nothing else.
    pub out: Output,
    /// Everything that is said to a person goes here.
    pub err: Output,
    /// Answers come from here.
    pub input: Input,
    /// How Ctrl-C arrives.
    pub interrupts: Interrupts,
    /// Wall time and waiting.
    pub clock: SharedClock,
    /// The zone that times are shown in.
    pub time_zone: TimeZone,
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Environment").field("time_zone", &self.time_zone).finish_non_exhaustive()
    }
}

impl Environment {
    /// That of this process.
    pub fn of_process() -> Self {
        let variables: BTreeMap<String, String> = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let columns = |is_terminal: bool, term: console::Term| {
            let told = variables.get("COLUMNS").and_then(|text| text.parse().ok());
            is_terminal.then(|| told.or(term.size_checked().map(|(_, columns)| columns)).unwrap_or(80))
        };
        Self {
            out: Output {
                terminal_columns: columns(io::stdout().is_terminal(), console::Term::stdout()),
                stream: Box::new(io::stdout()),
            },
            err: Output {
                terminal_columns: columns(io::stderr().is_terminal(), console::Term::stderr()),
                stream: Box::new(io::stderr()),
            },
            input: Input {
                stream: Arc::new(Mutex::new(io::BufReader::new(io::stdin()))),
                is_terminal: io::stdin().is_terminal(),
            },
            interrupts: Interrupts::Signal,
            clock: SystemClock::shared(),
            time_zone: TimeZone::system(),
            variables,
        }
    }

    /// The value of a variable; an empty one counts as unset.
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }
}
