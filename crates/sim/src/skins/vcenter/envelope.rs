//! SOAP envelopes over HTTP: bytes to a call, and its answer or fault back to bytes.

use super::{
    Face, codec,
    dispatch::{self, Done},
    schema::SCHEMA,
    xml::{self, Node},
};
use crate::{
    fault::{self, Action, Ask},
    world::compute::{
        fault::Fault,
        value::{MoRef, Obj, Val},
    },
};
use axum::{
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use std::{fmt::Write as _, sync::Arc, time::Duration};

const OPEN: &str = concat!(
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n",
    "<soapenv:Envelope xmlns:soapenc=\"http://schemas.xmlsoap.org/soap/encoding/\"",
    " xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\"",
    " xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">\n<soapenv:Body>\n"
);
const CLOSE: &str = "\n</soapenv:Body>\n</soapenv:Envelope>";

/// The newest version that this vCenter speaks.
pub const API_VERSION: &str = "8.0.3.0";

/// The document by which clients choose a version.
pub async fn versions() -> Response {
    let prior = ["8.0.2.0", "8.0.1.0", "8.0.0.0", "7.0.3.0", "7.0", "6.7", "6.5", "6.0"];
    let prior: String = prior.iter().map(|v| format!("<version>{v}</version>")).collect();
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\" ?><namespaces version=\"1.0\"><namespace><name>urn:vim25</name>\
         <version>{API_VERSION}</version><priorVersions>{prior}</priorVersions></namespace></namespaces>"
    );
    ([(header::CONTENT_TYPE, "text/xml")], body).into_response()
}

/// The session's secret from the cookie.
pub fn cookie(headers: &HeaderMap) -> Option<String> {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|v| v.to_str().ok());
    let mut parts = all.flat_map(|v| v.split(';'));
    let found = parts.find_map(|p| p.trim().strip_prefix("vmware_soap_session="))?;
    Some(found.trim_matches('"').to_owned())
}

/// A call as it stands in an envelope.
#[derive(Debug)]
pub struct Call {
    /// Method.
    pub method: String,
    /// Object.
    pub this: MoRef,
    /// Arguments.
    pub args: Val,
}

/// Reads and checks an envelope.
fn read(body: &[u8]) -> Result<(String, Result<Call, Fault>), Fault> {
    let root = xml::parse(body).map_err(Fault::invalid_request)?;
    if root.name != "Envelope" || root.ns != "http://schemas.xmlsoap.org/soap/envelope/" {
        return Err(Fault::invalid_request("Not a SOAP 1.1 envelope"));
    }
    let call = root.child("Body").and_then(|b| b.children.first());
    let call = call.ok_or_else(|| Fault::invalid_request("The envelope has no call"))?;
    if call.ns != "urn:vim25" && call.ns != "urn:internalvim25" {
        return Err(Fault::invalid_request(format!("Unknown namespace '{}'", call.ns)));
    }
    Ok((call.name.clone(), read_call(call)))
}

fn read_call(node: &Node) -> Result<Call, Fault> {
    let (first, rest) = node.children.split_first().ok_or_else(|| Fault::invalid_request("_this is missing"))?;
    let ty = first.ref_type.as_ref().filter(|_| first.name == "_this");
    let ty = ty.ok_or_else(|| Fault::invalid_request("The first element must be _this, with a type"))?;
    let this = MoRef::new(ty, first.text.trim());
    let known = SCHEMA.call(&node.name).filter(|c| SCHEMA.object_is_a(ty, &c.on));
    let known = known.ok_or_else(|| {
        Fault::new("MethodNotFound", format!("Method {} of {ty} is not known", node.name))
            .with("receiver", &this)
            .with("method", node.name.as_str())
    })?;
    let fields: Vec<&super::schema::Field> = known.args.iter().collect();
    let args = codec::decode_fields(&format!("{} arguments", node.name), &fields, rest)?;
    Ok(Call { method: node.name.clone(), this, args: Val::Obj(Obj { ty: String::new(), fields: args }) })
}

/// Serves one call, as the world's rules for faults let it.
pub async fn serve(State(face): State<Arc<Face>>, headers: HeaderMap, body: Bytes) -> Response {
    let secret = cookie(&headers);
    let (method, call) = match read(&body) {
        Ok(known) => known,
        Err(fault) => return fault_response(&fault),
    };
    let call = match call {
        Ok(call) => call,
        Err(fault) => return fault_response(&fault),
    };
    let world = face.vc.with(|s| Arc::clone(&s.world));
    let path = format!("{}:{}", call.this.ty, call.this.id);
    let object = String::from_utf8_lossy(&body);
    let verdict = world.faults().decide(&Ask { face: &face.name, method: &method, path: &path, object: &object });
    world.counters().add(&face.name, &method);
    if verdict.delay_ms > 0 {
        world.clock().sleep(Duration::from_millis(verdict.delay_ms)).await;
    }
    let act = |later| run(Arc::clone(&face), method.clone(), call, secret, later);
    match verdict.action {
        None | Some(Action::Delay { .. }) => act(None).await,
        Some(Action::Refuse { status: 503, .. }) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        Some(Action::Refuse { code, message, .. }) => fault_response(&Fault::new(&code, message)),
        Some(Action::Hang) => std::future::pending().await,
        Some(Action::Drop) => fault::dropped(),
        Some(Action::LoseAnswer) => {
            act(None).await;
            fault::dropped()
        }
        Some(Action::HangAfterEffect) => {
            act(None).await;
            std::future::pending().await
        }
        // What answers with a task answers now, and the task runs later.
        Some(Action::EffectLater { ms }) if method.ends_with("_Task") => act(Some(Duration::from_millis(ms))).await,
        Some(Action::EffectLater { ms }) => {
            let act = act(None);
            tokio::spawn(async move {
                world.clock().sleep(Duration::from_millis(ms)).await;
                act.await
            });
            fault::dropped()
        }
    }
}

async fn run(face: Arc<Face>, method: String, call: Call, secret: Option<String>, later: Option<Duration>) -> Response {
    match dispatch::run(&face, call, secret, later).await {
        Ok(done) => answer(&method, &done),
        Err(fault) => fault_response(&fault),
    }
}

fn answer(method: &str, done: &Done) -> Response {
    let mut text = format!("{OPEN}<{method}Response xmlns=\"urn:vim25\">");
    if let Some(result) = SCHEMA.call(method).and_then(|c| c.result.as_ref()) {
        codec::encode(&mut text, "returnval", &result.ty, &done.value);
    }
    // Collectors write their answers themselves: values there need the properties' types.
    text.push_str(&done.raw);
    let _ = write!(text, "</{method}Response>{CLOSE}");
    let mut response = ([(header::CONTENT_TYPE, "text/xml; charset=utf-8")], text).into_response();
    if let Some(secret) = &done.cookie {
        let value = format!("vmware_soap_session=\"{secret}\"; Path=/; HttpOnly; Secure; SameSite=Strict");
        if let Ok(value) = value.parse() {
            response.headers_mut().insert(header::SET_COOKIE, value);
        }
    }
    response
}

/// A fault over HTTP: status 500 and the typed detail.
pub fn fault_response(fault: &Fault) -> Response {
    let message = quick_xml::escape::escape(&fault.message);
    let mut text = format!(
        "{OPEN}<soapenv:Fault><faultcode>ServerFaultCode</faultcode><faultstring>{message}</faultstring><detail>"
    );
    let mut detail = String::new();
    let element = format!("{}Fault", fault.ty());
    codec::encode(&mut detail, &element, "", &Val::Obj(fault.detail.clone()));
    // The detail element stands in vim25's namespace.
    text.push_str(&detail.replacen(&format!("<{element}"), &format!("<{element} xmlns=\"urn:vim25\""), 1));
    text.push_str("</detail></soapenv:Fault>");
    text.push_str(CLOSE);
    (StatusCode::INTERNAL_SERVER_ERROR, [(header::CONTENT_TYPE, "text/xml; charset=utf-8")], text).into_response()
}
