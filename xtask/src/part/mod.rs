//! The parts that CI is made of, one file each; every one of them can be asked for by itself or through `ci`.

pub mod bench;
pub mod compose;
pub mod demo;
pub mod deny;
pub mod lint;
pub mod proto;
mod reflink_image;
pub mod services;
pub mod tally;
pub mod test;
pub mod tidy;
