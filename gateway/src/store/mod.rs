//! The two stores: the journal, which is the truth and survives power loss, and the catalog, which is a view.

pub mod catalog;
pub mod installation;
pub mod journal;
