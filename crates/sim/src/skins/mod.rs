//! The faces that the world shows: each speaks one product's protocol over the same state.

pub mod reference;
pub mod vcenter;
