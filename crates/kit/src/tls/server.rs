//! A server's TLS from files: certificate chain, key, and optionally the CA that clients must come from (mTLS).

use rustls::{
    RootCertStore, ServerConfig,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    server::WebPkiClientVerifier,
};
use serde::Deserialize;
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};
use strata_model::ErrorKind;

/// Which files a server presents and trusts.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerTls {
    /// PEM: the server's certificate, then its intermediates.
    pub cert_file: PathBuf,
    /// PEM: the key of the first certificate.
    pub key_file: PathBuf,
    /// PEM: with it, only clients with a certificate of one of these CAs may connect.
    #[serde(default)]
    pub client_ca_file: Option<PathBuf>,
}

/// A file that TLS cannot use.
#[derive(Debug, thiserror::Error)]
#[error("TLS cannot use {path}: {reason}", path = path.display())]
pub struct TlsFilesError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub reason: String,
}

impl TlsFilesError {
    /// Always a mistake in the configuration.
    pub fn kind(&self) -> ErrorKind {
        ErrorKind::InvalidArgument
    }

    fn new(path: &Path, reason: impl ToString) -> Self {
        Self { path: path.to_owned(), reason: reason.to_string() }
    }
}

/// A configuration that offers h2 and http/1.1.
///
/// # Errors
/// A file is missing, is not PEM, or key and certificate do not belong together; the error names the file.
pub fn server_config(files: &ServerTls) -> Result<ServerConfig, TlsFilesError> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let chain = certificates(&files.cert_file)?;
    let key = PrivateKeyDer::from_pem_file(&files.key_file)
        .map_err(|error| TlsFilesError::new(&files.key_file, format!("no private key in PEM: {error}")))?;
    let builder = ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|error| TlsFilesError::new(&files.cert_file, error))?;
    let builder = match &files.client_ca_file {
        None => builder.with_no_client_auth(),
        Some(path) => {
            let mut roots = RootCertStore::empty();
            for certificate in certificates(path)? {
                roots.add(certificate).map_err(|error| TlsFilesError::new(path, error))?;
            }
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
                .build()
                .map_err(|error| TlsFilesError::new(path, error))?;
            builder.with_client_cert_verifier(verifier)
        }
    };
    let mut config = builder.with_single_cert(chain, key).map_err(|error| {
        TlsFilesError::new(&files.key_file, format!("does not fit {}: {error}", files.cert_file.display()))
    })?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsFilesError> {
    let chain: Vec<_> = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect)
        .map_err(|error| TlsFilesError::new(path, format!("no certificate in PEM: {error}")))?;
    if chain.is_empty() {
        return Err(TlsFilesError::new(path, "it holds no certificate"));
    }
    Ok(chain)
}
