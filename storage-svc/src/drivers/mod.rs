//! One folder a vendor; one line each here.

pub mod filer;
