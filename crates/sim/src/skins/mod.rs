//! What the outside sees of the world: one folder a face. A skin shares no type with the client that speaks to it.

pub mod ontap;
pub mod reference;
pub mod vcenter;
