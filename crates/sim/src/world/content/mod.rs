//! What volumes hold: the two kinds of [`FileTree`](super::tree::FileTree) and what they are made of.

mod chunks;
mod dir_tree;
mod files;
mod mem_tree;
mod path;
mod space;
#[cfg(test)]
mod tree_cases;

pub use dir_tree::DirTree;
pub use mem_tree::MemTree;
pub use space::{CHUNK_BYTES, Space};
