//! The subset of vim25 over SOAP 1.1 that Strata speaks: envelopes, values, faults, versions. Written by hand because
//! about sixty methods are needed out of thousands; lenient in what it reads, exact in what it writes.

pub mod connection;
pub mod element;
pub mod fault;
pub mod moref;
pub mod reader;
pub mod request;
pub mod version;
pub mod writer;

pub use connection::{Connection, SoapError};
pub use element::Element;
pub use fault::Fault;
pub use moref::MoRef;
pub use request::Request;
pub use writer::XmlWriter;

/// The namespace of everything in the vSphere Web Services SDK.
pub const VIM25: &str = "urn:vim25";
/// XML Schema's namespace of `type` attributes. Matched by this URI: servers bind it to prefixes of their own.
pub const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";
/// XML Schema's namespace of simple types.
pub const XSD: &str = "http://www.w3.org/2001/XMLSchema";
