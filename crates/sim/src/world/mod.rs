//! The state that all skins answer from.

pub mod tree;
