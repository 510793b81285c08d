//! T1 to T5, T9, T12 and panics, over sockets and in process.

use crate::{
    lab::{Ask, Lab, call, call_with, client_of, stream_of},
    raw::RawH2,
};
use std::{sync::atomic::Ordering, time::Duration};
use strata_kit::{
    contract::{ContractOptions, Deadline, stack},
    serve::ServeOptions,
    status::ErrorReport,
    upstream::Upstream,
};
use tonic::{Code, Request, service::Routes};

fn ask(timeout: Option<Duration>) -> Request<Ask> {
    let mut request = Request::new(Ask::default());
    if let Some(timeout) = timeout {
        request.set_timeout(timeout);
    }
    request
}

/// T1: the server itself answers 4. Raw h2, because our own client would answer 4 by its own clock.
#[tokio::test]
async fn t1_the_server_answers_deadline_exceeded() {
    let lab = Lab::default();
    let (running, _health, _shutdown) = lab.serve(ServeOptions::loopback()).await;
    let mut raw = RawH2::connect(running.local_addr()).await;
    let answer = raw.post("/strata.test.v1.Lab/Hang", &[("grpc-timeout", "20m")], &[0; 5]).await;
    assert_eq!((answer.http_status, answer.grpc_status.as_deref()), (200, Some("4")));
    assert_eq!(lab.dropped_early.load(Ordering::SeqCst), 1, "the handler was stopped");
}

#[tokio::test(start_paused = true)]
async fn t1_in_process_and_with_details() {
    let upstream = Upstream::in_process("lab", Lab::default().stack(ContractOptions::default()));
    let status = call_with(&upstream, "Hang", ask(Some(Duration::from_secs(5)))).await.unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded);
    let report = ErrorReport::from_status(&status);
    assert_eq!(report.reason, "DEADLINE_EXCEEDED");
    assert_eq!(report.metadata["method"], "strata.test.v1.Lab/Hang");
}

/// T2: a stream is cut, by the server, with code 4 in the trailers.
#[tokio::test]
async fn t2_streams_are_cut_at_the_deadline() {
    let lab = Lab::default();
    let (running, _health, _shutdown) = lab.serve(ServeOptions::loopback()).await;
    let mut raw = RawH2::connect(running.local_addr()).await;
    let answer = raw.post("/strata.test.v1.Lab/Stream", &[("grpc-timeout", "50m")], &[0; 5]).await;
    assert_eq!((answer.http_status, answer.grpc_status.as_deref()), (200, Some("4")));
    assert!(answer.body_bytes > 0, "the first message came before the deadline");
}

#[tokio::test(start_paused = true)]
async fn t2_in_process() {
    let upstream = Upstream::in_process("lab", Lab::default().stack(ContractOptions::default()));
    let mut stream =
        stream_of(&upstream, "/strata.test.v1.Lab/Stream", ask(Some(Duration::from_secs(5)))).await.unwrap();
    assert_eq!(stream.message().await.unwrap().unwrap().status, 7);
    assert_eq!(stream.message().await.unwrap_err().code(), Code::DeadlineExceeded);
}

/// T3 and T4, as raw requests.
#[tokio::test]
async fn t3_t4_malformed_requests_are_told_so() {
    let lab = Lab::default();
    let (running, _health, _shutdown) = lab.serve(ServeOptions::loopback()).await;
    let mut raw = RawH2::connect(running.local_addr()).await;
    for (method, content_type, timeout, http_status, grpc_status) in [
        ("POST", "application/grpc", None, 200, Some("0")),
        ("POST", "application/grpc+proto", None, 200, Some("0")),
        ("POST", "application/json", None, 415, None),
        ("POST", "", None, 415, None),
        ("GET", "", None, 415, None),
        ("POST", "application/grpc", Some("1234567890123m"), 200, Some("3")),
        ("POST", "application/grpc", Some("soon"), 200, Some("3")),
        ("POST", "application/grpc", Some("99999999H"), 200, Some("0")),
    ] {
        let mut headers = vec![];
        if !content_type.is_empty() {
            headers.push(("content-type", content_type));
        }
        headers.extend(timeout.map(|timeout| ("grpc-timeout", timeout)));
        let answer = raw.send(method, "/strata.test.v1.Lab/Echo", &headers, &[0; 5]).await;
        let case = format!("{method} {content_type:?} {timeout:?}");
        assert_eq!((answer.http_status, answer.grpc_status.as_deref()), (http_status, grpc_status), "{case}");
    }
    assert_eq!(lab.calls.load(Ordering::SeqCst), 3, "malformed requests reach no handler");
}

/// T5, on both sides of the limit: 4 MiB is the message, of which 5 bytes are tag and length.
#[tokio::test]
async fn t5_a_request_over_the_limit_is_resource_exhausted() {
    let upstream = Upstream::in_process("lab", Lab::default().stack(ContractOptions::default()));
    for (bytes, code) in [((4 << 20) - 5, None), ((4 << 20) - 4, Some(Code::ResourceExhausted))] {
        let answer = call(&upstream, "Echo", &"x".repeat(bytes)).await;
        assert_eq!(answer.as_ref().err().map(tonic::Status::code), code, "{bytes}: {answer:?}");
    }
    let status = call(&upstream, "Echo", &"x".repeat(4 << 20)).await.unwrap_err();
    assert_eq!(ErrorReport::from_status(&status).reason, "REQUEST_TOO_LARGE");
}

/// T9: the limit refuses calls, and health answers all the same.
#[tokio::test]
async fn t9_health_answers_under_load() {
    let lab = Lab::default();
    let options = ContractOptions { calls_max: Some(2), ..ContractOptions::default() };
    let (running, _health, _shutdown) = lab.serve(ServeOptions { contract: options, ..ServeOptions::loopback() }).await;
    let upstream = client_of(&running);
    let mut under_way = Vec::new();
    for _ in 0..2 {
        let upstream = upstream.clone();
        under_way.push(tokio::spawn(async move { call(&upstream, "Hang", "").await.map(|_| ()) }));
        lab.entered.notified().await;
    }
    let status = call(&upstream, "Echo", "").await.unwrap_err();
    assert_eq!(
        (status.code(), ErrorReport::from_status(&status).reason.as_str()),
        (Code::ResourceExhausted, "TOO_MANY_CALLS")
    );
    let mut health = stream_of(&upstream, "/grpc.health.v1.Health/Watch", ask(None)).await.unwrap();
    assert!(health.message().await.unwrap().is_some());
    lab.go_on.notify_waiters();
    for call in under_way {
        call.await.unwrap().unwrap();
    }
    call(&upstream, "Echo", "").await.expect("places are given back");
}

/// T12: the handler is dropped with its caller, the mutation is not.
#[tokio::test]
async fn t12_a_mutation_survives_its_caller() {
    let lab = Lab::default();
    let (running, _health, _shutdown) = lab.serve(ServeOptions::loopback()).await;
    let upstream = client_of(&running);
    let caller = tokio::spawn(async move { call(&upstream, "Mutate", "").await.map(|_| ()) });
    lab.entered.notified().await;
    caller.abort();
    assert!(caller.await.unwrap_err().is_cancelled());
    lab.go_on.notify_one();
    lab.mutation_done.notified().await;
}

#[tokio::test]
async fn a_panic_is_internal_and_the_next_call_works() {
    let upstream = Upstream::in_process("lab", Lab::default().stack(ContractOptions::default()));
    assert_eq!(call(&upstream, "Panic", "").await.unwrap_err().code(), Code::Internal);
    call(&upstream, "Echo", "").await.unwrap();
}

/// What is left of the deadline travels through a service to the one behind it, and the server's bound holds.
#[tokio::test(start_paused = true)]
async fn deadlines_travel_and_are_bounded() {
    let options = ContractOptions { deadline_max: Some(Duration::from_secs(60)), ..ContractOptions::default() };
    let behind = Upstream::in_process("behind", Lab::default().stack(ContractOptions::default()));
    let front = Lab { upstream: Some(behind), ..Lab::default() };
    let front = Upstream::in_process("front", stack(Routes::new(front), &Lab::health(), options));
    for (asked, seen_ms) in
        [(Some(Duration::from_secs(5)), 5_000), (Some(Duration::from_secs(500)), 60_000), (None, 60_000)]
    {
        for method in ["Echo", "Relay"] {
            let left_ms = call_with(&front, method, ask(asked)).await.unwrap().into_inner().status;
            assert!((seen_ms - 1..=seen_ms).contains(&left_ms), "{method} {asked:?}: {left_ms}");
        }
    }
    let mut request = ask(None);
    request.extensions_mut().insert(Deadline::after(Duration::ZERO));
    assert_eq!(call_with(&front, "Echo", request).await.unwrap_err().code(), Code::DeadlineExceeded);
}

/// REST beside gRPC on one port: the contract does not touch it.
#[tokio::test]
async fn other_paths_pass_untouched() {
    let (running, _health, _shutdown) = Lab::default().serve(ServeOptions::loopback()).await;
    let mut raw = RawH2::connect(running.local_addr()).await;
    for path in ["/v1/vms", "/", "/ui/plugin.js", "/v1/a.b/c"] {
        let answer = raw.send("GET", path, &[("grpc-timeout", "soon")], &[]).await;
        assert_ne!(answer.http_status, 415, "{path}");
    }
}
