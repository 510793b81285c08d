//! How values look to a person: tables, times, sizes, grades.

mod plan;
mod table;
mod values;

pub use plan::plan;
pub use table::Table;
pub use values::{
    bytes, duration, grade, operation_state, plural, power, protection, seconds, snapshot_state, step_state, time,
    volume, volume_named, volumes,
};
