//! A call: method, object and arguments, ready to be sent more than once.

use super::{MoRef, VIM25, XSD, XSI, XmlWriter};

/// One call of a method of a managed object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The method's name as in the WSDL: `PowerOnVM_Task`.
    pub method: &'static str,
    /// The object it is called on.
    pub this: MoRef,
    arguments: XmlWriter,
}

impl Request {
    /// A call without arguments.
    pub fn new(method: &'static str, this: &MoRef) -> Self {
        Self::with(method, this, |_| {})
    }

    /// A call whose arguments `write` writes in the order of the WSDL.
    pub fn with(method: &'static str, this: &MoRef, write: impl FnOnce(&mut XmlWriter)) -> Self {
        let mut arguments = XmlWriter::default();
        write(&mut arguments);
        Self { method, this: this.clone(), arguments }
    }

    /// The body's one element, as golden tests compare it.
    pub fn body(&self) -> String {
        let mut this = XmlWriter::default();
        this.moref("_this", &self.this);
        format!(
            "<{method} xmlns=\"{VIM25}\">{this}{arguments}</{method}>",
            method = self.method,
            this = this.as_str(),
            arguments = self.arguments.as_str()
        )
    }

    /// The whole envelope. `operation_id` shows up in vCenter's logs and tasks.
    pub fn envelope(&self, operation_id: &str) -> String {
        let mut header = XmlWriter::default();
        header.text("operationID", operation_id);
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<soapenv:Envelope \
             xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" xmlns:xsd=\"{XSD}\" xmlns:xsi=\"{XSI}\">\
             <soapenv:Header>{header}</soapenv:Header><soapenv:Body>{body}</soapenv:Body></soapenv:Envelope>",
            header = header.as_str(),
            body = self.body()
        )
    }
}
