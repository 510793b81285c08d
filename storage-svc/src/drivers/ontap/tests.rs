//! The driver against answers as the reference describes them, odd ones too. What only the array can show is the business of the
//! conformance suite.

mod clones;
mod fake;
mod places;
mod protocol;
mod restores;
mod snapshots;
