//! What is wrong with a peer's certificate, in words that name the remedy.

use jiff::Timestamp;
use rustls::{CertificateError, pki_types::UnixTime};
use std::error::Error;

/// The reason and the remedy, where the error or one of its causes is about a certificate or the TLS handshake.
pub fn certificate_fault(error: &(dyn Error + 'static)) -> Option<String> {
    let mut cause = Some(error);
    while let Some(inner) = cause {
        if let Some(tls) = inner.downcast_ref::<rustls::Error>() {
            return Some(sentence(tls));
        }
        // std::io::Error skips what it wraps when asked for its source.
        let wrapped = inner.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        cause = match wrapped {
            Some(wrapped) => Some(wrapped),
            None => inner.source(),
        };
    }
    None
}

fn sentence(error: &rustls::Error) -> String {
    use CertificateError as C;
    let rustls::Error::InvalidCertificate(fault) = error else {
        return error.to_string();
    };
    match fault {
        C::Expired => "it has expired; renew it, or correct this machine's clock".to_owned(),
        C::ExpiredContext { not_after, .. } => {
            format!("it expired at {}; renew it, or correct this machine's clock", time(*not_after))
        }
        C::NotValidYet => "it is not valid yet; correct this machine's clock".to_owned(),
        C::NotValidYetContext { not_before, .. } => {
            format!("it is not valid before {}; correct this machine's clock", time(*not_before))
        }
        // A bad signature is what a CA of the same name with another key looks like.
        C::UnknownIssuer | C::BadSignature => {
            "its issuer is not trusted; give the issuer's CA file, or pin the certificate's thumbprint".to_owned()
        }
        C::NotValidForName => {
            "it is for another host name; connect by a name that it holds, or pin its thumbprint".to_owned()
        }
        C::NotValidForNameContext { expected, presented } => format!(
            "it is for {}, not for {}; connect by a name that it holds, or pin its thumbprint",
            presented.join(", "),
            expected.to_str()
        ),
        C::Revoked => "it was revoked; replace it".to_owned(),
        _ => error.to_string(),
    }
}

fn time(time: UnixTime) -> String {
    let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    Timestamp::from_second(seconds).map_or_else(|_| format!("second {seconds}"), |time| time.to_string())
}
