//! Trust in one certificate by its fingerprint.

use rustls::{
    ClientConfig, ConfigBuilder, DigitallySignedStruct, SignatureScheme,
    client::{
        WantsClientCert,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime, pem::PemObject as _},
};
use std::{path::Path, sync::Arc};

/// A client configuration that trusts one certificate by its SHA-256 fingerprint.
///
/// # Errors
/// The text is not 64 hex digits (colons and letter case are ignored).
pub fn pinned_client_config(thumbprint: &str) -> Result<ClientConfig, String> {
    Ok(pinned_builder(thumbprint)?.with_no_client_auth())
}

/// The same, and shows a certificate of its own (mTLS).
///
/// # Errors
/// As [`pinned_client_config`]; or a file cannot be read, is not PEM, or key and certificate do not belong together.
pub fn pinned_client_config_as(thumbprint: &str, cert_file: &Path, key_file: &Path) -> Result<ClientConfig, String> {
    let broken = |path: &Path, error: String| format!("TLS cannot use {}: {error}", path.display());
    let chain = CertificateDer::pem_file_iter(cert_file)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| broken(cert_file, error.to_string()))?;
    let key = PrivateKeyDer::from_pem_file(key_file).map_err(|error| broken(key_file, error.to_string()))?;
    pinned_builder(thumbprint)?.with_client_auth_cert(chain, key).map_err(|error| broken(cert_file, error.to_string()))
}

fn pinned_builder(thumbprint: &str) -> Result<ConfigBuilder<ClientConfig, WantsClientCert>, String> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier = pinned_verifier(thumbprint)?;
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| format!("TLS is not available: {error}"))?
        .dangerous()
        .with_custom_certificate_verifier(verifier))
}

/// The verifier of [`pinned_client_config`], for clients that bring their own configuration.
///
/// # Errors
/// The text is not 64 hex digits (colons and letter case are ignored).
pub fn pinned_verifier(thumbprint: &str) -> Result<Arc<dyn ServerCertVerifier>, String> {
    let pin = parse_thumbprint(thumbprint)?;
    Ok(Arc::new(PinnedVerifier { pin, provider: Arc::new(aws_lc_rs::default_provider()) }))
}

fn parse_thumbprint(text: &str) -> Result<[u8; 32], String> {
    let digits: Vec<u8> = text.bytes().filter(|byte| *byte != b':').collect();
    let wrong = || format!("thumbprint '{text}' is not a SHA-256 fingerprint of 64 hex digits");
    if digits.len() != 64 {
        return Err(wrong());
    }
    let mut pin = [0; 32];
    for (slot, pair) in pin.iter_mut().zip(digits.chunks(2)) {
        let pair = std::str::from_utf8(pair).map_err(|_| wrong())?;
        *slot = u8::from_str_radix(pair, 16).map_err(|_| wrong())?;
    }
    Ok(pin)
}

#[derive(Debug)]
struct PinnedVerifier {
    pin: [u8; 32],
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for PinnedVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        use sha2::Digest as _;
        let found: [u8; 32] = sha2::Sha256::digest(end_entity).into();
        if found == self.pin {
            return Ok(ServerCertVerified::assertion());
        }
        let found: Vec<String> = found.iter().map(|byte| format!("{byte:02X}")).collect();
        Err(rustls::Error::General(format!("its SHA-256 thumbprint is {}, not the pinned one", found.join(":"))))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
