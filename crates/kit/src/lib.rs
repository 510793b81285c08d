//! What every service of Strata does the same way.

pub mod clock;
pub mod http;
pub mod tls;
