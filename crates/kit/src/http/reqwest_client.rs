//! The real client: reqwest over rustls, with a CA file or a pinned certificate.

use super::{HttpClient, HttpError};
use crate::upstream::ClientIdentity;
use async_trait::async_trait;
use bytes::Bytes;
use std::{path::PathBuf, time::Duration};

/// Whom a client trusts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum ServerTrust {
    /// The machine's own roots.
    #[default]
    SystemRoots,
    /// Only the certificates in this PEM file.
    CaFile(PathBuf),
    /// Only the one certificate with this SHA-256 fingerprint (64 hex digits, colons allowed), whatever its name, dates or
    /// issuer.
    Thumbprint(String),
}

/// How a client connects.
#[derive(Debug, Clone)]
pub struct TlsOptions {
    /// Whom to trust.
    pub trust: ServerTrust,
    /// The certificate to show; none where the peer asks for none.
    pub identity: Option<ClientIdentity>,
    /// Longest wait for a connection.
    pub connect_timeout: Duration,
    /// Longest wait for a whole answer.
    pub request_timeout: Duration,
    /// Largest answer that is read.
    pub answer_bytes_max: usize,
}

impl Default for TlsOptions {
    fn default() -> Self {
        Self {
            trust: ServerTrust::SystemRoots,
            identity: None,
            connect_timeout: Duration::from_secs(10),
            request_timeout: Duration::from_secs(60),
            answer_bytes_max: 256 << 20,
        }
    }
}

/// See the module.
#[derive(Debug, Clone)]
pub struct ReqwestClient {
    client: reqwest::Client,
    answer_bytes_max: usize,
}

impl ReqwestClient {
    /// A client with its own connection pool.
    ///
    /// # Errors
    /// The CA file or the client's certificate or key cannot be read or used, or the thumbprint is not a SHA-256 one; the text
    /// names which.
    pub fn new(options: &TlsOptions) -> Result<Self, String> {
        let mut builder = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(options.connect_timeout)
            .timeout(options.request_timeout)
            .no_proxy();
        match &options.trust {
            ServerTrust::SystemRoots => {}
            ServerTrust::CaFile(path) => {
                let pem =
                    std::fs::read(path).map_err(|error| format!("cannot read CA file {}: {error}", path.display()))?;
                let roots = reqwest::Certificate::from_pem_bundle(&pem)
                    .map_err(|error| format!("CA file {} is not PEM: {error}", path.display()))?;
                if roots.is_empty() {
                    return Err(format!("CA file {} holds no certificate", path.display()));
                }
                builder = builder.tls_certs_only(roots);
            }
            ServerTrust::Thumbprint(text) => {
                let config = match &options.identity {
                    Some(own) => crate::tls::pinned_client_config_as(text, &own.cert_file, &own.key_file)?,
                    None => crate::tls::pinned_client_config(text)?,
                };
                builder = builder.tls_backend_preconfigured(config);
            }
        }
        // A pinned configuration has the identity in it already.
        if let (Some(own), false) = (&options.identity, matches!(options.trust, ServerTrust::Thumbprint(_))) {
            builder = builder.identity(identity(own)?);
        }
        let client = builder.build().map_err(|error| format!("cannot set up an HTTP client: {error}"))?;
        Ok(Self { client, answer_bytes_max: options.answer_bytes_max })
    }
}

fn identity(own: &ClientIdentity) -> Result<reqwest::Identity, String> {
    let mut pem = Vec::new();
    for path in [&own.key_file, &own.cert_file] {
        pem.extend(std::fs::read(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?);
        pem.push(b'\n');
    }
    // The error is not told: it could quote the key.
    reqwest::Identity::from_pem(&pem).map_err(|_| {
        format!("{} and {} are no certificate and key in PEM", own.cert_file.display(), own.key_file.display())
    })
}

#[async_trait]
impl HttpClient for ReqwestClient {
    async fn send(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, HttpError> {
        let host = request.uri().authority().map(ToString::to_string).unwrap_or_default();
        let classify = |error: reqwest::Error| classify(&host, error);
        let request = reqwest::Request::try_from(request).map_err(classify)?;
        let mut answer = self.client.execute(request).await.map_err(classify)?;
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(classify)? {
            if body.len() + chunk.len() > self.answer_bytes_max {
                return Err(HttpError::TooLarge { host, limit_bytes: self.answer_bytes_max });
            }
            body.extend_from_slice(&chunk);
        }
        let mut response = http::Response::new(Bytes::from(body));
        *response.status_mut() = answer.status();
        *response.headers_mut() = answer.headers().clone();
        Ok(response)
    }
}

/// Names the failure by its cause, so that a wrong certificate is not taken for a network fault.
fn classify(host: &str, error: reqwest::Error) -> HttpError {
    let host = host.to_owned();
    if let Some(reason) = crate::tls::certificate_fault(&error) {
        return HttpError::Certificate { host, reason };
    }
    if error.is_timeout() {
        HttpError::Timeout { host }
    } else if error.is_connect() || error.is_builder() {
        HttpError::Connect { host, source: Box::new(error.without_url()) }
    } else {
        HttpError::Broken { host, source: Box::new(error.without_url()) }
    }
}
