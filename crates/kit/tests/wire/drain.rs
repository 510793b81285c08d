//! T6, T7, T10, T11 and the refusal to listen in the clear.

use crate::{
    lab::{Ask, Lab, call, client_of, stream_of},
    raw::RawH2,
};
use std::{
    net::SocketAddr,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};
use strata_kit::{
    clock::ManualClock,
    contract::ContractOptions,
    health::ServingStatus,
    serve::{ServeError, ServeOptions},
    status::ErrorReport,
};
use strata_model::ErrorKind;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tonic::{Code, Request};

const LAMEDUCK: Duration = Duration::from_secs(3);
const DRAIN: Duration = Duration::from_secs(30);

fn options(clock: &ManualClock) -> ServeOptions {
    let contract = ContractOptions { clock: Arc::new(clock.clone()), ..ContractOptions::default() };
    ServeOptions { lameduck: LAMEDUCK, drain_timeout: DRAIN, contract, ..ServeOptions::loopback() }
}

/// T7: an open Watch and a call that never ends do not keep the process alive beyond the bound.
#[tokio::test]
async fn t7_drain_is_in_steps_and_bounded() {
    let (lab, clock) = (Lab::default(), ManualClock::default());
    let (running, health, shutdown) = lab.serve(options(&clock)).await;
    health.set_all_serving();
    let address = running.local_addr();
    let upstream = client_of(&running);
    let mut watch = stream_of(&upstream, "/grpc.health.v1.Health/Watch", Request::new(Ask::default())).await.unwrap();
    assert_eq!(watch.message().await.unwrap().unwrap().status(), ServingStatus::Serving);
    let hanging = tokio::spawn({
        let upstream = upstream.clone();
        async move { call(&upstream, "Hang", "").await.map(|_| ()) }
    });
    lab.entered.notified().await;

    shutdown.cancel();
    clock.until_slept(LAMEDUCK).await;
    assert_eq!(watch.message().await.unwrap().unwrap().status(), ServingStatus::NotServing);
    call(&client_of(&running), "Echo", "")
        .await
        .expect("new connections are accepted while health tells callers to leave");

    clock.advance(LAMEDUCK);
    clock.until_slept(DRAIN).await;
    assert!(watch.message().await.unwrap().is_none(), "watches end on drain");
    TcpStream::connect(address).await.expect_err("the listener is closed");
    assert!(!hanging.is_finished());

    clock.advance(DRAIN);
    assert_eq!(running.wait().await.connections_dropped, 1);
    let status = hanging.await.unwrap().unwrap_err();
    assert_eq!(ErrorReport::from_status(&status).kind, ErrorKind::Unavailable, "{status}");
    assert_eq!(lab.calls.load(Ordering::SeqCst), 2, "a call that was accepted is never sent again");
}

/// T7: calls under way finish, idle and silent connections do not hold the drain up.
#[tokio::test]
async fn t7_calls_under_way_finish() {
    let (lab, clock) = (Lab::default(), ManualClock::default());
    let (running, _health, shutdown) = lab.serve(options(&clock)).await;
    let idle = RawH2::connect(running.local_addr()).await;
    let mut silent = TcpStream::connect(running.local_addr()).await.unwrap();
    let upstream = client_of(&running);
    let hanging = tokio::spawn(async move { call(&upstream, "Hang", "").await.map(|_| ()) });
    lab.entered.notified().await;
    shutdown.cancel();
    clock.until_slept(LAMEDUCK).await;
    clock.advance(LAMEDUCK);
    clock.until_slept(DRAIN).await;
    idle.connection.await.unwrap().expect("a graceful GOAWAY");
    assert_eq!(silent.read(&mut [0; 1]).await.unwrap(), 0, "closed");
    lab.go_on.notify_one();
    hanging.await.unwrap().unwrap();
    assert_eq!(running.wait().await.connections_dropped, 0);
}

/// A peer that says nothing, or not enough, is not kept; one that spoke is.
#[tokio::test]
async fn silent_peers_are_let_go() {
    let (lab, clock) = (Lab::default(), ManualClock::default());
    let (running, _health, _shutdown) = lab.serve(options(&clock)).await;
    let upstream = client_of(&running);
    call(&upstream, "Echo", "").await.unwrap();
    let handshake = ServeOptions::loopback().handshake_timeout;
    clock.until_slept(handshake).await;
    clock.advance(handshake);
    for said in [&b""[..], b"PRI * HTTP/2.0\r\n"] {
        let mut silent = TcpStream::connect(running.local_addr()).await.unwrap();
        silent.write_all(said).await.unwrap();
        clock.until_slept(handshake).await;
        clock.advance(handshake);
        assert_eq!(silent.read(&mut [0; 1]).await.unwrap_or(0), 0, "closed after {said:?}");
    }
    call(&upstream, "Echo", "").await.unwrap();
    assert_eq!(lab.peers.lock().unwrap().len(), 1, "the connection that spoke is still the same");
}

/// T6 and T13: connections end by age all the time, and the client shows none of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t6_t13_a_storm_of_goaways_costs_no_call() {
    const AGE: Duration = Duration::from_secs(100);
    let (lab, clock) = (Lab::default(), ManualClock::default());
    let aging = ServeOptions { connection_age_max: Some(AGE), handshake_timeout: AGE * 1_000_000, ..options(&clock) };
    let (running, _health, _shutdown) = lab.serve(aging).await;
    let upstream = client_of(&running);
    let callers: Vec<_> = (0..8)
        .map(|_| {
            let upstream = upstream.clone();
            tokio::spawn(async move {
                for number in 0..200 {
                    call(&upstream, "Echo", "").await.unwrap_or_else(|status| panic!("call {number}: {status:?}"));
                }
            })
        })
        .collect();
    let mut aged_at_call = 0;
    while callers.iter().any(|caller| !caller.is_finished()) {
        // A call is sent again once: each connection lives long enough for that.
        if lab.calls.load(Ordering::SeqCst) >= aged_at_call + 40 {
            aged_at_call = lab.calls.load(Ordering::SeqCst);
            clock.advance(AGE * 2);
        }
        tokio::task::yield_now().await;
    }
    for caller in callers {
        caller.await.unwrap();
    }
    let connections = lab.peers.lock().unwrap().len();
    assert!(connections > 3, "the storm did happen: {connections} connections");
}

/// T6 and T13: a call that outlives its old connection's grace fails, and is not sent again: it was accepted.
#[tokio::test]
async fn t6_t13_an_accepted_call_is_never_sent_again() {
    const AGE: Duration = Duration::from_secs(100);
    let (lab, clock) = (Lab::default(), ManualClock::default());
    let aging = ServeOptions { connection_age_max: Some(AGE), ..options(&clock) };
    let grace = aging.connection_age_grace;
    let (running, _health, _shutdown) = lab.serve(aging).await;
    let upstream = client_of(&running);
    let mut hanging = tokio::spawn({
        let upstream = upstream.clone();
        async move { call(&upstream, "Hang", "").await.map(|_| ()) }
    });
    lab.entered.notified().await;
    clock.advance(AGE * 2);
    clock.until_slept(grace).await;
    call(&upstream, "Echo", "").await.expect("a new connection takes new calls");
    assert!(!hanging.is_finished(), "the old one still has its grace");
    clock.advance(grace);
    let status = tokio::select! {
        ended = &mut hanging => ended.unwrap().unwrap_err(),
        () = lab.entered.notified() => panic!("the call was sent again"),
    };
    assert_eq!(ErrorReport::from_status(&status).kind, ErrorKind::Unavailable, "{status}");
    assert_eq!(lab.calls.load(Ordering::SeqCst), 2);
}

/// T10 and T11.
#[tokio::test]
async fn t10_t11_one_callers_cancels_do_not_end_the_connection() {
    let (running, _health, _shutdown) = Lab::default().serve(ServeOptions::loopback()).await;
    let mut raw = RawH2::connect(running.local_addr()).await;
    raw.post("/strata.test.v1.Lab/Echo", &[], &[0; 5]).await;
    assert_eq!(raw.max_concurrent_streams(), 256);
    for _ in 0..200 {
        let headers = [("content-type", "application/grpc")];
        let (_answer, mut stream) = raw.start("POST", "/strata.test.v1.Lab/Hang", &headers).await;
        stream.send_reset(h2::Reason::CANCEL);
    }
    assert_eq!(raw.post("/strata.test.v1.Lab/Echo", &[], &[0; 5]).await.grpc_status.as_deref(), Some("0"));
}

#[tokio::test]
async fn listening_beyond_loopback_needs_tls_or_a_word() {
    for (listen, insecure, refused) in [
        ("127.0.0.1:0", false, false),
        ("[::1]:0", false, false),
        ("0.0.0.0:0", false, true),
        ("[::]:0", false, true),
        ("0.0.0.0:0", true, false),
    ] {
        let options = ServeOptions { insecure, ..ServeOptions::new(listen.parse().unwrap()) };
        let health = Lab::health();
        let shutdown = tokio_util::sync::CancellationToken::new();
        let routes = tonic::service::Routes::default();
        match strata_kit::serve::serve(options, routes, health, shutdown.clone()).await {
            Ok(running) => {
                assert!(!refused, "{listen}");
                assert_ne!(running.local_addr().port(), 0);
            }
            Err(error @ ServeError::Insecure { .. }) => {
                assert!(refused, "{listen}");
                let text = error.to_string();
                assert!(text.contains(listen) && text.contains("--insecure") && text.contains("cert_file"), "{text}");
            }
            // A machine without IPv6.
            Err(ServeError::Bind { .. }) if listen.contains("::") => {}
            Err(error) => panic!("{listen}: {error}"),
        }
    }
}

#[tokio::test]
async fn a_taken_port_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address: SocketAddr = taken.local_addr().unwrap();
    let shutdown = tokio_util::sync::CancellationToken::new();
    let routes = tonic::service::Routes::default();
    let error =
        strata_kit::serve::serve(ServeOptions::new(address), routes, Lab::health(), shutdown).await.unwrap_err();
    assert!(error.to_string().contains(&address.to_string()), "{error}");
    assert_eq!(error.kind(), ErrorKind::Conflict);
}

#[tokio::test]
async fn nobody_there_is_unavailable_and_says_where() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", free.local_addr().unwrap());
    drop(free);
    let options = strata_kit::upstream::UpstreamOptions::new(&url);
    let status = call(&strata_kit::upstream::Upstream::connect(&options).unwrap(), "Echo", "").await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    let report = ErrorReport::from_status(&status);
    assert!(report.message.contains(&url) && report.message.contains("refused"), "{}", report.message);
    assert_eq!((report.reason.as_str(), report.hints.len()), ("PEER_UNREACHABLE", 1));
}
