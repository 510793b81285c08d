//! A vCenter of canned answers, in process: for what no simulator does.

use bytes::Bytes;
use std::{sync::Arc, time::Duration};
use strata_inventory_svc::vcenter::{Client, ClientOptions};
use strata_kit::{
    clock::SystemClock,
    http::{HttpError, InProcess},
};

/// What is asked: the method's name, the whole envelope, and the cookie.
pub struct Asked {
    /// `Login`; a path for what is no SOAP.
    pub method: String,
    /// The envelope.
    pub body: String,
    /// The cookie that came with it.
    pub cookie: Option<String>,
}

/// An answer.
pub struct Answer(pub u16, pub String, pub Option<&'static str>);

/// A client of a function; what it does not answer (`None`) is answered as an idle vCenter would.
pub fn client(answer: impl Fn(&Asked) -> Option<Answer> + Send + Sync + 'static) -> Arc<Client> {
    let answer = Arc::new(answer);
    let http = InProcess::new(move |request: http::Request<Bytes>| {
        let asked = asked(&request);
        let answer = answer.clone();
        Box::pin(async move {
            tokio::task::yield_now().await;
            let Answer(status, body, cookie) = answer(&asked).unwrap_or_else(|| usual(&asked.method));
            let mut response = http::Response::builder().status(status);
            if let Some(cookie) = cookie {
                response = response.header("set-cookie", cookie);
            }
            Ok::<_, HttpError>(response.body(Bytes::from(body)).expect("a response"))
        })
    });
    let options = ClientOptions {
        name: "vc-1".to_owned(),
        url: "https://vc.example.com/sdk".to_owned(),
        username: "user".to_owned(),
        password: "pass&word".to_owned().into(),
        task_wait: Duration::from_secs(1),
        footing: Default::default(),
    };
    Client::new(options, Arc::new(http), SystemClock::shared())
}

fn asked(request: &http::Request<Bytes>) -> Asked {
    let body = String::from_utf8_lossy(request.body()).into_owned();
    let method = body.split("Body><").nth(1).and_then(|rest| rest.split(' ').next()).map(str::to_owned);
    Asked {
        method: method.unwrap_or_else(|| request.uri().path().to_owned()),
        cookie: request.headers().get("cookie").and_then(|value| value.to_str().ok()).map(str::to_owned),
        body,
    }
}

fn usual(method: &str) -> Answer {
    let inside = match method {
        "RetrieveServiceContent" => {
            "<returnval><rootFolder type=\"Folder\">group-d1</rootFolder>\
             <propertyCollector type=\"PropertyCollector\">pc</propertyCollector>\
             <viewManager type=\"ViewManager\">vm</viewManager><about><name>VMware vCenter Server</name>\
             <version>8.0.3</version><apiType>VirtualCenter</apiType><instanceUuid>u-1</instanceUuid></about>\
             <sessionManager type=\"SessionManager\">sm</sessionManager>\
             <searchIndex type=\"SearchIndex\">si</searchIndex></returnval>"
        }
        "Login" => {
            return Answer(
                200,
                soap("Login", "<returnval><key>k</key></returnval>"),
                Some("vmware_soap_session=\"quoted\"; Path=/; HttpOnly"),
            );
        }
        _ => "",
    };
    Answer(200, soap(method, inside), None)
}

/// An answer's envelope, with the prefixes that vcsim uses.
pub fn soap(method: &str, inside: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\">\
         <soapenv:Body><{method}Response xmlns=\"urn:vim25\" \
         xmlns:_XMLSchema-instance=\"http://www.w3.org/2001/XMLSchema-instance\">{inside}</{method}Response>\
         </soapenv:Body></soapenv:Envelope>"
    )
}

/// A fault's envelope.
pub fn fault(name: &str, fields: &str) -> Answer {
    let body = format!(
        "<e:Envelope xmlns:e=\"http://schemas.xmlsoap.org/soap/envelope/\"><e:Body><e:Fault><faultcode>ServerFaultCode</faultcode>\
         <faultstring/><detail><{name}Fault xmlns=\"urn:vim25\" xmlns:x=\"http://www.w3.org/2001/XMLSchema-instance\" x:type=\"{name}\">\
         {fields}</{name}Fault></detail></e:Fault></e:Body></e:Envelope>"
    );
    Answer(500, body, None)
}
