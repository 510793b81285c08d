//! Configuration: one TOML file, overridden by the environment, all faults told together.
//!
//! The types that are read derive `Deserialize` with `deny_unknown_fields`. A secret is a [`Secret`] named `password`, `token` or
//! `secret`; the file says `password_file`, `password_env`, or (with a warning) `password`. Durations are `"30s"` by
//! [`duration`].

pub mod duration;
mod env;
mod faults;
mod load;
mod secret;
mod sections;

pub use faults::{ConfigError, Fault};
pub use load::{Loaded, load, load_text};
pub use secret::Secret;
pub use sections::{LogFormat, LogSection, PeerSection, ServerSection};
