//! The words of Strata: typed ids, error kinds, grades of consistency. Pure data; no I/O, no async.
//!
//! Everything that crosses a boundary has its own mirror there (proto messages, store records, vendors' JSON);
//! these types are what the code in between speaks.

pub mod datastore_path;
pub mod error;
pub mod grade;
pub mod ids;
pub mod keep;
pub mod mark;
pub mod names;

pub use datastore_path::DatastorePath;
pub use error::ErrorKind;
pub use grade::Grade;
