//! Logs: JSON lines on stderr, one line per call, never a secret.

mod span;

pub use span::{Span, SpanLayer};

use crate::config::{LogFormat, LogSection};
use std::io::IsTerminal as _;
use strata_model::ErrorKind;
use tracing::Subscriber;
use tracing_subscriber::{EnvFilter, Layer as _, fmt::MakeWriter, layer::SubscriberExt as _, registry::LookupSpan};

/// Name of the environment variable that goes before the configured level.
pub const LEVEL_VARIABLE: &str = "STRATA_LOG";

/// Starts logging for the whole process; panics are logged too. `level_override` is the value of [`LEVEL_VARIABLE`], if it is set.
///
/// # Errors
/// The level is none, or logging was started before.
pub fn init(section: &LogSection, level_override: Option<&str>) -> Result<(), TelemetryError> {
    let plain = section.format == LogFormat::Auto && std::io::stderr().is_terminal();
    let subscriber = subscriber(section, level_override, plain, std::io::stderr)?;
    tracing::subscriber::set_global_default(subscriber).map_err(|_| TelemetryError::Started)?;
    // A handler's panic is answered as INTERNAL; where it happened is for the log, as a line like the others.
    std::panic::set_hook(Box::new(|panic| tracing::error!(%panic, "panic")));
    Ok(())
}

/// The subscriber that [`init`] installs, for any writer.
///
/// # Errors
/// The level is none.
pub fn subscriber<W>(
    section: &LogSection,
    level_override: Option<&str>,
    plain: bool,
    writer: W,
) -> Result<impl Subscriber + for<'span> LookupSpan<'span> + Send + Sync, TelemetryError>
where
    W: for<'writer> MakeWriter<'writer> + Send + Sync + 'static,
{
    let level = level_override.or(section.level.as_deref()).unwrap_or("info");
    let filter =
        EnvFilter::try_new(level).map_err(|source| TelemetryError::Level { level: level.to_owned(), source })?;
    let lines = tracing_subscriber::fmt::layer().with_writer(writer);
    let lines = if plain {
        lines.boxed()
    } else {
        lines.json().flatten_event(true).with_current_span(true).with_span_list(false).boxed()
    };
    Ok(tracing_subscriber::registry().with(lines.with_filter(filter)))
}

/// Logging that did not start.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// No level.
    #[error(
        "'{level}' is no log level; use error, warn, info, debug or trace, or filters such as info,strata_gateway=debug"
    )]
    Level {
        /// What was given.
        level: String,
        /// Why.
        #[source]
        source: tracing_subscriber::filter::ParseError,
    },
    /// Twice.
    #[error("logging was started before")]
    Started,
}

impl TelemetryError {
    /// What the operator can do about it.
    pub fn kind(&self) -> ErrorKind {
        match self {
            TelemetryError::Level { .. } => ErrorKind::InvalidArgument,
            TelemetryError::Started => ErrorKind::Unexpected,
        }
    }
}
