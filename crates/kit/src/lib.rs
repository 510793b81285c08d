//! What every service of Strata does the same way.

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
