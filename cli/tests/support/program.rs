//! One run of the program, in process.

use async_trait::async_trait;
use jiff::{Timestamp, tz::TimeZone};
use std::{
    collections::BTreeMap,
    io::{self, BufRead, Cursor, Write},
    sync::{Arc, Mutex},
    time::Duration,
};
use strata_cli::{Environment, Input, Interrupts, Output};
use strata_kit::clock::Clock;
use tokio::sync::Notify;

/// A clock on which waiting takes no time; it counts how long was waited.
#[derive(Debug, Default)]
pub struct FastClock(pub Mutex<Duration>);

#[async_trait]
impl Clock for FastClock {
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }
    async fn sleep(&self, period: Duration) {
        *self.0.lock().unwrap() += period;
        tokio::task::yield_now().await;
    }
}

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Captured {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A stream whose reader is gone, or whose disk is full.
struct Broken(io::ErrorKind);

impl Write for Broken {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(self.0.into())
    }
    fn flush(&mut self) -> io::Result<()> {
        Err(self.0.into())
    }
}

/// How one run ended.
pub struct Ended {
    pub code: u8,
    pub out: String,
    pub err: String,
}

/// One run in the making.
#[derive(Clone)]
pub struct Program {
    variables: BTreeMap<String, String>,
    out_columns: Option<u16>,
    err_columns: Option<u16>,
    typed: Option<String>,
    broken: Option<io::ErrorKind>,
    pub interrupt: Arc<Notify>,
    pub clock: Arc<FastClock>,
}

impl Program {
    /// Speaks to this gateway; no terminal, no variables but that one.
    pub fn new(gateway: &str) -> Self {
        Self {
            variables: BTreeMap::from([("STRATA_GATEWAY".to_owned(), gateway.to_owned())]),
            out_columns: None,
            err_columns: None,
            typed: None,
            broken: None,
            interrupt: Arc::default(),
            clock: Arc::default(),
        }
    }

    /// stdout is a terminal of this width (stderr is kept a file, so that no moving line gets in).
    pub fn columns(mut self, columns: u16) -> Self {
        self.out_columns = Some(columns);
        self
    }

    /// stderr is a terminal, too.
    pub fn err_terminal(mut self) -> Self {
        self.err_columns = Some(80);
        self
    }

    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.insert(name.to_owned(), value.to_owned());
        self
    }

    /// A person sits there and types this.
    pub fn types(mut self, text: &str) -> Self {
        self.typed = Some(text.to_owned());
        self
    }

    /// stdout cannot be written.
    pub fn broken(mut self, kind: io::ErrorKind) -> Self {
        self.broken = Some(kind);
        self
    }

    /// Runs with these arguments, split at blanks; `'a b'` is one.
    pub async fn run(&self, arguments: &str) -> Ended {
        let (out, err) = (Captured::default(), Captured::default());
        let input: Arc<Mutex<dyn BufRead + Send>> =
            Arc::new(Mutex::new(Cursor::new(self.typed.clone().unwrap_or_default().into_bytes())));
        let environment = Environment {
            variables: self.variables.clone(),
            out: Output {
                stream: match self.broken {
                    Some(kind) => Box::new(Broken(kind)),
                    None => Box::new(out.clone()),
                },
                terminal_columns: self.out_columns,
            },
            err: Output { stream: Box::new(err.clone()), terminal_columns: self.err_columns },
            input: Input { stream: input, is_terminal: self.typed.is_some() },
            interrupts: Interrupts::Manual(self.interrupt.clone()),
            clock: self.clock.clone(),
            time_zone: TimeZone::UTC,
        };
        let mut words = vec!["strata".into()];
        words.extend(split(arguments).into_iter().map(Into::into));
        let code = strata_cli::run(words, environment).await;
        Ended { code, out: out.text(), err: err.text() }
    }

    /// Runs, and writes the whole exchange down.
    pub async fn tell(&self, story: &mut String, arguments: &str) -> Ended {
        let ended = self.run(arguments).await;
        story.push_str(&format!("$ strata {arguments}\n"));
        if let Some(typed) = &self.typed {
            story.push_str(&format!("(types {typed:?})\n"));
        }
        for (name, text) in [("stdout", &ended.out), ("stderr", &ended.err)] {
            if !text.is_empty() {
                story.push_str(&format!("--- {name}\n{text}"));
                if !text.ends_with('\n') {
                    story.push('\n');
                }
            }
        }
        story.push_str(&format!("--- exit {}\n\n", ended.code));
        ended
    }
}

fn split(arguments: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (index, part) in arguments.split('\'').enumerate() {
        if index % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    words
}
