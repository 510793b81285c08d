//! Errors on the wire: one table of meanings, a way there ([`StatusBuilder`]) and a way back ([`ErrorReport`]).

mod builder;
mod chain;
mod report;
mod table;

pub use builder::{DETAILS_BYTES_MAX, DOMAIN, StatusBuilder, to_status};
pub use chain::report;
pub(crate) use report::code_name;
pub use report::{ErrorReport, Precondition, Resource, Violation};
pub use table::{RetryClass, Row, TABLE, kind_of_code, kind_of_name, row};
