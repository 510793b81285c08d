//! The .vmx file: read, edited and written with unknown keys, order, comments and encoding kept; and rewritten for a
//! clone (safety.md S16, S17).

mod document;
mod encoding;
mod places;
mod rewrite;
mod strip;

pub use document::Vmx;
pub use rewrite::{CloneRewrite, STRIPPED_KEY, rewrite_for_clone};
