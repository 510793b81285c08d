//! Logs: JSON lines on stderr, one line per call, never a secret.

mod span;

pub use span::{Span, SpanLayer};
