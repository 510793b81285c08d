//! The one table from the array's codes to what a caller can do about it.

use super::wire::ErrorBody;
use crate::driver::{DriverError, Reason};
use http::StatusCode;
use strata_kit::http::HttpError;

/// By code; a code that is not in the manual falls back to the status.
fn reason_of(status: StatusCode, code: &str) -> Reason {
    match code {
        "INVALID" | "WRONG_KIND" | "TOO_LARGE" => Reason::InvalidRequest,
        "BAD_PATH" => Reason::UnsafePath,
        "UNAUTHENTICATED" | "BAD_CREDENTIALS" => Reason::CredentialsRefused,
        "FORBIDDEN" => Reason::RightMissing,
        "NOT_FOUND" | "FILE_NOT_FOUND" => Reason::NotFound,
        "EXISTS" | "FILE_EXISTS" => Reason::TargetExists,
        "HAS_DEPENDENTS" => Reason::HasDependents,
        "EXPORTED" => Reason::Exported,
        "READ_ONLY" => Reason::ReadOnly,
        "LIMIT_REACHED" => Reason::LimitReached,
        "TOO_MANY_SESSIONS" => Reason::Busy,
        "UNSUPPORTED" => Reason::NotSupported,
        "NO_SPACE" => Reason::NoSpace,
        _ => match status {
            StatusCode::UNAUTHORIZED => Reason::CredentialsRefused,
            StatusCode::FORBIDDEN => Reason::RightMissing,
            StatusCode::TOO_MANY_REQUESTS | StatusCode::LOCKED => Reason::Busy,
            StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE => Reason::ArrayUnreachable,
            StatusCode::GATEWAY_TIMEOUT => Reason::NoAnswer,
            StatusCode::INSUFFICIENT_STORAGE => Reason::NoSpace,
            _ => Reason::Unexpected,
        },
    }
}

/// A refusal of the array; `what` says what was asked for.
pub(super) fn refusal(array: &str, what: &str, status: StatusCode, body: ErrorBody) -> DriverError {
    let reason = reason_of(status, &body.code);
    let target = body.target.as_deref().unwrap_or_default();
    let remedy = match reason {
        Reason::RightMissing => format!("; grant the login the privilege '{target}'"),
        Reason::CredentialsRefused => "; correct user and password in the configuration".to_owned(),
        Reason::HasDependents => format!("; remove these first: {}", body.dependents.join(", ")),
        Reason::Exported => "; take the export away first".to_owned(),
        Reason::NoSpace => "; free space on the array".to_owned(),
        Reason::LimitReached => "; remove snapshots that are not needed any more".to_owned(),
        Reason::Busy => "; try again".to_owned(),
        _ => String::new(),
    };
    let code = if body.code.is_empty() { status.as_u16().to_string() } else { body.code };
    DriverError::new(reason, format!("array {array} refused to {what}: {}{remedy}", body.message))
        .with_vendor(code, body.message)
}

/// No whole answer came.
pub(super) fn transport(array: &str, what: &str, error: HttpError) -> DriverError {
    let reason = match &error {
        HttpError::Connect { .. } | HttpError::Broken { .. } => Reason::ArrayUnreachable,
        HttpError::Certificate { .. } => Reason::CredentialsRefused,
        HttpError::Timeout { .. } => Reason::NoAnswer,
        HttpError::TooLarge { .. } => Reason::Unexpected,
    };
    let remedy = match (&error, reason) {
        (HttpError::Connect { .. }, _) => "nothing was sent; see whether it runs and can be reached",
        // Issuer, name or dates: what is wrong, and what to do, is the verifier's to say.
        (HttpError::Certificate { reason, .. }, _) => &format!("its certificate is not trusted: {reason}"),
        _ => "see whether it runs and can be reached; the effect may have happened, so repeat the same call",
    };
    DriverError::new(reason, format!("array {array} gave no answer to: {what}; {remedy}")).because(error)
}

/// An answer that no manual describes.
pub(super) fn odd(array: &str, what: &str, error: impl std::error::Error + Send + Sync + 'static) -> DriverError {
    DriverError::new(Reason::Unexpected, format!("array {array} gave an answer to '{what}' that is not understood"))
        .because(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_the_manual_and_others() {
        for (status, code, reason) in [
            (409, "EXISTS", Reason::TargetExists),
            (409, "HAS_DEPENDENTS", Reason::HasDependents),
            (403, "FORBIDDEN", Reason::RightMissing),
            (507, "NO_SPACE", Reason::NoSpace),
            (429, "ANYTHING", Reason::Busy),
            (503, "", Reason::ArrayUnreachable),
            (418, "TEAPOT", Reason::Unexpected),
        ] {
            assert_eq!(reason_of(StatusCode::from_u16(status).unwrap(), code), reason, "{status} {code}");
        }
    }
}
