//! What every service of Strata does the same way.
//!
//! A service's `main` reads [`config`], starts [`telemetry`], takes a token of [`shutdown`], builds its routes, adds
//! [`reflection`] to them, hands them to [`serve`] with a [`health::HealthHandle`], says what is ready, and waits. A handler
//! wraps each mutation in [`mutation::run_to_end`] and answers errors by [`status`]. Callers use an [`upstream::Upstream`].

pub mod clock;
pub mod config;
pub mod contract;
pub mod health;
pub mod http;
pub mod mutation;
pub mod program;
pub mod reflection;
pub mod serve;
pub mod shutdown;
pub mod status;
pub mod telemetry;
pub mod tls;
pub mod upstream;
