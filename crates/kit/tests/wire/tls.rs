//! TLS with certificates made on the spot: the server, the gRPC client, and the HTTP client.

use crate::lab::{Lab, call};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use sha2::Digest as _;
use std::{path::PathBuf, time::Duration};
use strata_kit::{
    http::{HttpClient as _, HttpError, ReqwestClient, ServerTrust, TlsOptions},
    serve::{Running, ServeOptions},
    status::ErrorReport,
    tls::ServerTls,
    upstream::{ClientIdentity, Upstream, UpstreamOptions},
};
use strata_model::ErrorKind;
use tempfile::TempDir;
use tonic::Status;

/// A CA and what it signed, in files.
struct Pki {
    dir: TempDir,
    ca: CertifiedIssuer<'static, KeyPair>,
}

impl Pki {
    fn new() -> Self {
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let ca = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("ca.pem"), ca.pem()).unwrap();
        Self { dir, ca }
    }

    fn path(&self, file: &str) -> PathBuf {
        self.dir.path().join(file)
    }

    fn ca_file(&self) -> ServerTrust {
        ServerTrust::CaFile(self.path("ca.pem"))
    }

    /// Signs a certificate for a host; its fingerprint is returned.
    fn issue(&self, name: &str, host: &str, expired: bool) -> String {
        let mut params = CertificateParams::new([host.to_owned()]).unwrap();
        if expired {
            params.not_before = date_time_ymd(2019, 1, 1);
            params.not_after = date_time_ymd(2020, 1, 1);
        }
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.ca).unwrap();
        std::fs::write(self.path(&format!("{name}.pem")), certificate.pem()).unwrap();
        std::fs::write(self.path(&format!("{name}.key")), key.serialize_pem()).unwrap();
        let digest: Vec<String> =
            sha2::Sha256::digest(certificate.der()).iter().map(|byte| format!("{byte:02x}")).collect();
        digest.join(":")
    }

    fn server(&self, name: &str) -> ServerTls {
        ServerTls {
            cert_file: self.path(&format!("{name}.pem")),
            key_file: self.path(&format!("{name}.key")),
            client_ca_file: None,
        }
    }
}

async fn serve(tls: ServerTls) -> Running {
    Lab::default().serve(ServeOptions { tls: Some(tls), ..ServeOptions::loopback() }).await.0
}

async fn grpc(running: &Running, trust: ServerTrust, identity: Option<ClientIdentity>) -> Result<(), Status> {
    let url = format!("https://{}", running.local_addr());
    let options = UpstreamOptions { trust, identity, ..UpstreamOptions::new(url) };
    call(&Upstream::connect(&options).unwrap(), "Echo", "").await.map(|_| ())
}

async fn https(running: &Running, trust: ServerTrust) -> Result<u16, HttpError> {
    https_as(running, trust, None).await
}

async fn https_as(running: &Running, trust: ServerTrust, own: Option<ClientIdentity>) -> Result<u16, HttpError> {
    let client = ReqwestClient::new(&TlsOptions { trust, identity: own, ..TlsOptions::default() }).unwrap();
    let request = http::Request::get(format!("https://{}/", running.local_addr())).body(bytes::Bytes::new()).unwrap();
    client.send(request).await.map(|response| response.status().as_u16())
}

/// One table for both clients: whom they trust, what the server presents, and the words of the refusal.
#[tokio::test]
async fn trust_is_given_by_ca_file_or_thumbprint_and_refusals_name_the_remedy() {
    let (pki, other) = (Pki::new(), Pki::new());
    let good = pki.issue("good", "127.0.0.1", false);
    let expired = pki.issue("expired", "127.0.0.1", true);
    pki.issue("elsewhere", "other.example", false);
    let pin = |text: &str| ServerTrust::Thumbprint(text.to_owned());
    let upper = good.to_uppercase().replace(':', "");
    for (server, trust, refusal) in [
        ("good", pki.ca_file(), None),
        ("good", pin(&good), None),
        ("good", pin(&upper), None),
        ("good", other.ca_file(), Some("give the issuer's CA file")),
        ("good", pin(&expired), Some("not the pinned one")),
        ("good", ServerTrust::SystemRoots, Some("issuer is not trusted")),
        ("expired", pki.ca_file(), Some("it expired at 2020-01-01T00:00:00Z; renew it")),
        ("expired", pin(&expired), None),
        ("elsewhere", pki.ca_file(), Some("other.example")),
    ] {
        let running = serve(pki.server(server)).await;
        let case = format!("{server} {trust:?}");
        let http = https(&running, trust.clone()).await;
        let grpc = grpc(&running, trust, None).await;
        match refusal {
            None => {
                http.unwrap_or_else(|error| panic!("{case}: {error}"));
                grpc.unwrap_or_else(|error| panic!("{case}: {error}"));
            }
            Some(words) => {
                let error = http.expect_err(&case);
                assert!(
                    matches!(&error, HttpError::Certificate { reason, .. } if reason.contains(words)),
                    "{case}: {error:?}"
                );
                assert_eq!(error.kind(), ErrorKind::Unauthenticated);
                let report = ErrorReport::from_status(&grpc.expect_err(&case));
                assert!(report.message.contains(words), "{case}: {}", report.message);
                assert_eq!((report.kind, report.reason.as_str()), (ErrorKind::Unauthenticated, "PEER_CERTIFICATE"));
            }
        }
    }
}

#[tokio::test]
async fn with_a_client_ca_only_its_clients_get_in() {
    let (pki, other) = (Pki::new(), Pki::new());
    let good = pki.issue("good", "127.0.0.1", false);
    pki.issue("client", "client.example", false);
    other.issue("stranger", "client.example", false);
    let identity = |pki: &Pki, name: &str| ClientIdentity {
        cert_file: pki.path(&format!("{name}.pem")),
        key_file: pki.path(&format!("{name}.key")),
    };
    let running = serve(ServerTls { client_ca_file: Some(pki.path("ca.pem")), ..pki.server("good") }).await;
    grpc(&running, pki.ca_file(), Some(identity(&pki, "client"))).await.unwrap();
    grpc(&running, pki.ca_file(), None).await.unwrap_err();
    grpc(&running, pki.ca_file(), Some(identity(&other, "stranger"))).await.unwrap_err();
    for trust in [pki.ca_file(), ServerTrust::Thumbprint(good)] {
        https_as(&running, trust.clone(), Some(identity(&pki, "client"))).await.unwrap();
        https_as(&running, trust.clone(), None).await.unwrap_err();
        https_as(&running, trust.clone(), Some(identity(&other, "stranger"))).await.unwrap_err();
        let mixed = ClientIdentity { key_file: other.path("stranger.key"), ..identity(&pki, "client") };
        let absent = ClientIdentity { cert_file: pki.path("absent.pem"), ..identity(&pki, "client") };
        for own in [mixed, absent] {
            assert!(
                ReqwestClient::new(&TlsOptions { trust: trust.clone(), identity: Some(own), ..TlsOptions::default() })
                    .is_err()
            );
        }
    }
}

#[tokio::test]
async fn plain_calls_to_a_tls_port_fail_soon_with_the_peers_name() {
    let pki = Pki::new();
    pki.issue("good", "127.0.0.1", false);
    let running = serve(pki.server("good")).await;
    let url = format!("http://{}", running.local_addr());
    let upstream = Upstream::connect(&UpstreamOptions::new(&url)).unwrap();
    let bounded = upstream.with_call_timeout(Some(Duration::from_secs(20)));
    let report = ErrorReport::from_status(&call(&bounded, "Echo", "").await.unwrap_err());
    assert_eq!(report.kind, ErrorKind::Unavailable, "{report:?}");
    assert!(report.message.contains(&url), "{report:?}");
}

#[tokio::test]
async fn unusable_files_are_named_at_the_start() {
    let (pki, other) = (Pki::new(), Pki::new());
    pki.issue("good", "127.0.0.1", false);
    other.issue("good", "127.0.0.1", false);
    std::fs::write(pki.path("empty.pem"), "").unwrap();
    let good = pki.server("good");
    for (files, named) in [
        (ServerTls { cert_file: pki.path("absent.pem"), ..good.clone() }, "absent.pem"),
        (ServerTls { cert_file: pki.path("empty.pem"), ..good.clone() }, "empty.pem"),
        (ServerTls { key_file: pki.path("good.pem"), ..good.clone() }, "good.pem"),
        (ServerTls { key_file: other.path("good.key"), ..good.clone() }, "does not fit"),
        (ServerTls { client_ca_file: Some(pki.path("empty.pem")), ..good.clone() }, "empty.pem"),
    ] {
        let error = strata_kit::tls::server_config(&files).unwrap_err();
        assert!(error.to_string().contains(named), "{named}: {error}");
    }
    for trust in [ServerTrust::CaFile(pki.path("absent.pem")), ServerTrust::CaFile(pki.path("empty.pem"))] {
        let options = UpstreamOptions { trust: trust.clone(), ..UpstreamOptions::new("https://127.0.0.1:1") };
        let error = Upstream::connect(&options).unwrap_err().to_string();
        assert!(error.contains(".pem") && error.contains("127.0.0.1:1"), "{error}");
        assert!(ReqwestClient::new(&TlsOptions { trust, ..TlsOptions::default() }).is_err());
    }
    let options =
        UpstreamOptions { trust: ServerTrust::Thumbprint("12:34".into()), ..UpstreamOptions::new("https://x:1") };
    assert!(Upstream::connect(&options).unwrap_err().to_string().contains("64 hex digits"));
}
