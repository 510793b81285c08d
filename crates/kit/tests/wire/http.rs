//! The HTTP client against a peer that answers badly, and its in-process twin.

use bytes::Bytes;
use std::time::Duration;
use strata_kit::http::{HttpClient as _, HttpError, InProcess, ReqwestClient, TlsOptions};
use strata_model::ErrorKind;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

/// Answers one request with these bytes; `None`: reads it and never answers.
async fn peer(answer: Option<&'static [u8]>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = [0; 4096];
        let _ = stream.read(&mut request).await.unwrap();
        match answer {
            Some(answer) => stream.write_all(answer).await.unwrap(),
            None => std::future::pending().await,
        }
    });
    address.to_string()
}

fn client() -> ReqwestClient {
    let options =
        TlsOptions { request_timeout: Duration::from_millis(300), answer_bytes_max: 10, ..TlsOptions::default() };
    ReqwestClient::new(&options).unwrap()
}

async fn get(authority: &str) -> Result<http::Response<Bytes>, HttpError> {
    client().send(http::Request::get(format!("http://{authority}/x")).body(Bytes::new()).unwrap()).await
}

#[tokio::test]
async fn whole_answers_come_through_as_they_are() {
    for (answer, status, body) in [
        (&b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\nx-a: b\r\n\r\n0123456789"[..], 200, &b"0123456789"[..]),
        (b"HTTP/1.1 503 Down\r\ncontent-length: 2\r\n\r\nno", 503, b"no"),
        // A redirect is an answer: to follow it would send credentials elsewhere.
        (b"HTTP/1.1 302 Found\r\nlocation: http://other.example/\r\ncontent-length: 0\r\n\r\n", 302, b""),
    ] {
        let response = get(&peer(Some(answer)).await).await.unwrap();
        assert_eq!((response.status().as_u16(), response.body().as_ref()), (status, body));
    }
}

#[tokio::test]
async fn answers_that_are_not_whole_are_told_apart() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = closed.local_addr().unwrap().to_string();
    drop(closed);
    for (authority, expected, kind) in [
        (nobody, "Connect", ErrorKind::Unavailable),
        (peer(None).await, "Timeout", ErrorKind::Timeout),
        (peer(Some(b"")).await, "Broken", ErrorKind::Unavailable),
        (peer(Some(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n01")).await, "Broken", ErrorKind::Unavailable),
        (peer(Some(b"no HTTP at all\r\n\r\n")).await, "Broken", ErrorKind::Unavailable),
        (
            peer(Some(b"HTTP/1.1 200 OK\r\ncontent-length: 11\r\n\r\n01234567890")).await,
            "TooLarge",
            ErrorKind::Exhausted,
        ),
    ] {
        let error = get(&authority).await.unwrap_err();
        assert!(format!("{error:?}").starts_with(expected), "{expected}: {error:?}");
        assert_eq!(error.kind(), kind);
        assert!(error.to_string().contains(&authority), "{error} names {authority}");
    }
}

#[tokio::test]
async fn the_twin_answers_in_process() {
    let twin = InProcess::new(|request| {
        Box::pin(async move { Ok(http::Response::new(Bytes::from(request.uri().path().to_owned()))) })
    });
    let request = http::Request::get("https://array.example/api/volumes").body(Bytes::new()).unwrap();
    assert_eq!(twin.send(request).await.unwrap().body().as_ref(), b"/api/volumes");
}
