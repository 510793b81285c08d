//! One JSON line a call, with method, code, duration and deadline, and no secret. In a binary of its own: which lines are
//! wanted is remembered for the whole process, and other tests want none.

#![expect(clippy::unwrap_used, reason = "the helpers of tests are tests")]

#[path = "../wire/lab.rs"]
#[expect(dead_code, reason = "this test serves nothing")]
mod lab;

use lab::{Ask, Lab, call_with, stream_of};
use std::{
    io::Write,
    sync::{Arc, Mutex},
    time::Duration,
};
use strata_kit::{config::LogSection, contract::ContractOptions, telemetry::subscriber, upstream::Upstream};
use tonic::Request;

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Lines {
    fn take(&self) -> Vec<serde_json::Value> {
        let bytes = std::mem::take(&mut *self.0.lock().unwrap());
        String::from_utf8(bytes).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

#[tokio::test(start_paused = true)]
async fn each_call_is_one_line_and_no_secret() {
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = subscriber(&LogSection::default(), Some("info"), false, move || writer.clone()).unwrap();
    let _guard = tracing::subscriber::set_default(subscriber);
    let token = secrecy::SecretString::from("hunter2");
    let upstream = Upstream::in_process("lab", Lab::default().stack(ContractOptions::default()));
    let upstream = upstream.with_token(Some(&token)).unwrap();
    for (method, timeout_s, level, code) in [
        ("Echo", None, "INFO", "OK"),
        ("Echo", Some(5), "INFO", "OK"),
        ("NoSuch", None, "INFO", "UNIMPLEMENTED"),
        ("Panic", None, "WARN", "INTERNAL"),
        ("Hang", Some(3), "WARN", "DEADLINE_EXCEEDED"),
    ] {
        let mut request = Request::new(Ask { service: "hunter2".to_owned() });
        if let Some(seconds) = timeout_s {
            request.set_timeout(Duration::from_secs(seconds));
        }
        let _ = call_with(&upstream, method, request).await;
        let found = lines.take();
        let [line] = found.as_slice() else { panic!("{method}: {found:?}") };
        assert_eq!(line["level"], level, "{line}");
        assert_eq!(line["rpc.response.status_code"], code, "{line}");
        assert_eq!(line["span"]["rpc.method"], format!("strata.test.v1.Lab/{method}"), "{line}");
        assert_eq!(line["deadline_ms"].as_f64(), timeout_s.map(|seconds| seconds as f64 * 1e3), "{line}");
        assert!(line["duration_ms"].is_f64() && line["timestamp"].is_string(), "{line}");
        assert!(!line.to_string().contains("hunter2"), "{line}");
    }
    let stream = stream_of(&upstream, "/strata.test.v1.Lab/Stream", Request::new(Ask::default())).await.unwrap();
    assert_eq!(lines.take().len(), 0, "a stream's line comes at its end");
    drop(stream);
    assert_eq!(lines.take()[0]["rpc.response.status_code"], "CANCELLED");
    stream_of(&upstream, "/grpc.health.v1.Health/Watch", Request::new(Ask::default())).await.unwrap();
    assert_eq!(lines.take().len(), 0, "health does not fill the log");
}

#[test]
fn a_level_that_is_none_is_refused() {
    let error = subscriber(&LogSection::default(), Some("a=b=c"), false, std::io::sink).map(drop).unwrap_err();
    assert!(error.to_string().contains("'a=b=c' is no log level"), "{error}");
}
