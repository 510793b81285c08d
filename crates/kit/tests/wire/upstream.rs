//! What an upstream accepts, sends and hides.

use crate::lab::{Ask, Lab, call_with};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use strata_kit::{
    contract::{ContractOptions, Deadline, Stack},
    upstream::{Upstream, UpstreamError, UpstreamOptions},
};
use tonic::{Request, body::Body};
use tower::{ServiceExt as _, util::BoxCloneSyncService};

#[tokio::test]
async fn urls_that_would_send_in_the_clear_or_mean_nothing_are_refused() {
    for (url, insecure, expected) in [
        ("http://127.0.0.1:1", false, "ok"),
        ("http://[::1]:1", false, "ok"),
        ("http://localhost:1", false, "ok"),
        ("https://gateway.example:443", false, "ok"),
        ("http://gateway.example:80", false, "insecure"),
        ("http://gateway.example:80", true, "ok"),
        ("http://127.0.0.1.example:80", false, "insecure"),
        ("gateway:443", false, "url"),
        ("ftp://gateway", false, "url"),
        ("", false, "url"),
        ("/run/gateway.sock", false, "url"),
    ] {
        let result = Upstream::connect(&UpstreamOptions { insecure, ..UpstreamOptions::new(url) });
        let found = match &result {
            Ok(_) => "ok",
            Err(UpstreamError::Insecure { .. }) => "insecure",
            Err(UpstreamError::Url { .. }) => "url",
            Err(other) => panic!("{url}: {other}"),
        };
        assert_eq!(found, expected, "{url}");
    }
}

/// Records the headers of what arrives before the lab answers it.
fn recording() -> (Stack, Arc<Mutex<Vec<http::HeaderMap>>>) {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let record = seen.clone();
    let stack = Lab::default().stack(ContractOptions::default()).map_request(move |request: http::Request<Body>| {
        assert!(request.extensions().get::<Deadline>().is_none(), "extensions do not cross");
        record.lock().unwrap().push(request.headers().clone());
        request
    });
    (BoxCloneSyncService::new(stack), seen)
}

#[tokio::test(start_paused = true)]
async fn the_nearest_deadline_is_sent() {
    let (stack, seen) = recording();
    for (header_s, extension_s, configured_s, sent) in [
        (None, None, None, None),
        (Some(5), None, None, Some("5000000u")),
        (Some(5), Some(3), None, Some("3000000u")),
        (Some(5), Some(30), Some(4), Some("4000000u")),
        (None, None, Some(7200), Some("7200000m")),
    ] {
        let upstream =
            Upstream::in_process("lab", stack.clone()).with_call_timeout(configured_s.map(Duration::from_secs));
        let mut request = Request::new(Ask::default());
        if let Some(seconds) = header_s {
            request.set_timeout(Duration::from_secs(seconds));
        }
        if let Some(seconds) = extension_s {
            request.extensions_mut().insert(Deadline::after(Duration::from_secs(seconds)));
        }
        call_with(&upstream, "Echo", request).await.unwrap();
        let headers = seen.lock().unwrap().pop().unwrap();
        assert_eq!(headers.get("grpc-timeout").map(|value| value.to_str().unwrap()), sent);
    }
}

#[tokio::test]
async fn the_token_is_sent_and_never_shown() {
    let (stack, seen) = recording();
    let token = secrecy::SecretString::from("s3cret\n");
    let upstream = Upstream::in_process("lab", stack).with_token(Some(&token)).unwrap();
    call_with(&upstream, "Echo", Request::new(Ask::default())).await.unwrap();
    let headers = seen.lock().unwrap().pop().unwrap();
    assert_eq!(headers["authorization"], "Bearer s3cret");
    assert!(!format!("{headers:?}{upstream:?}").contains("s3cret"));
    let broken = secrecy::SecretString::from("s3c\nret");
    let error = upstream.with_token(Some(&broken)).unwrap_err();
    assert!(!format!("{error} {error:?}").contains("s3c"), "{error:?}");
}
