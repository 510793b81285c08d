//! The one table from the dashboard's codes to what a caller can do about it.

use super::wire::ErrorBody;
use crate::driver::{DriverError, Reason};
use http::StatusCode;
use strata_kit::http::HttpError;

/// By code, an errno as text for errors of RBD and RADOS; anything else falls back to the status.
fn reason_of(status: StatusCode, code: &str) -> Reason {
    match code {
        // EPERM, EACCES: the manager's own key lacks a capability.
        "1" | "13" => Reason::RightMissing,
        // ENOENT
        "2" => Reason::NotFound,
        // EBUSY, EAGAIN
        "16" | "11" => Reason::Busy,
        // EEXIST
        "17" => Reason::TargetExists,
        // ENOSPC, EDQUOT
        "28" | "122" => Reason::NoSpace,
        // EROFS: another client holds the lock for itself, or the image is mirrored to here.
        "30" => Reason::ReadOnly,
        // ENOTEMPTY
        "39" => Reason::HasDependents,
        // E2BIG, ENAMETOOLONG
        "7" | "36" => Reason::LimitReached,
        // ENOSYS, EOPNOTSUPP
        "38" | "95" => Reason::NotSupported,
        // ESHUTDOWN: the manager's client was blocklisted, or is going down.
        "108" => Reason::ArrayUnreachable,
        // ETIMEDOUT
        "110" => Reason::NoAnswer,
        "invalid_credentials" => Reason::CredentialsRefused,
        _ if status.is_redirection() => Reason::ArrayUnreachable,
        _ => match status {
            StatusCode::UNAUTHORIZED => Reason::CredentialsRefused,
            StatusCode::FORBIDDEN => Reason::RightMissing,
            StatusCode::NOT_FOUND => Reason::NotFound,
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Reason::NotSupported,
            StatusCode::TOO_MANY_REQUESTS => Reason::Busy,
            StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE => Reason::ArrayUnreachable,
            StatusCode::GATEWAY_TIMEOUT => Reason::NoAnswer,
            _ => Reason::Unexpected,
        },
    }
}

/// A refusal; `what` says what was asked for, `right` which right it needs.
pub(super) fn refusal(array: &str, what: &str, right: &str, status: StatusCode, body: &ErrorBody) -> DriverError {
    let code = body.code();
    let reason = reason_of(status, &code);
    let remedy = match reason {
        Reason::RightMissing => format!("; give the user's role the right '{right}'"),
        Reason::CredentialsRefused => "; correct user and password in the configuration".to_owned(),
        Reason::NotSupported => {
            "; this driver was written for the dashboard of Ceph 16.2.15, see its README".to_owned()
        }
        Reason::ArrayUnreachable if status.is_redirection() => {
            "; it is a standby manager: let url lead to the active one".to_owned()
        }
        Reason::NoSpace => "; free space in the cluster".to_owned(),
        Reason::Busy => "; try again".to_owned(),
        _ => String::new(),
    };
    let told = match &body.component {
        Some(component) => format!("{component}: {}", body.detail),
        None => body.detail.clone(),
    };
    let code = if code.is_empty() { status.as_u16().to_string() } else { code };
    DriverError::new(reason, format!("array {array} refused to {what}: {told}{remedy}")).with_vendor(code, told)
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
        (HttpError::Connect { .. }, _) => "nothing was sent; see whether a manager is active and can be reached",
        (_, Reason::CredentialsRefused) => "trust its certificate with ca_file or thumbprint",
        _ => "see whether a manager is active; the effect may have happened, so repeat the same call",
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

    /// Answers of a real 16.2.15, and what they mean.
    #[test]
    fn recorded_refusals() {
        for (status, text, reason) in [
            (400, include_str!("fixtures/error_exists.json"), Reason::TargetExists),
            (400, include_str!("fixtures/error_busy.json"), Reason::Busy),
            (400, include_str!("fixtures/error_no_snapshot.json"), Reason::NotFound),
            (400, include_str!("fixtures/error_no_pool.json"), Reason::NotFound),
            (400, include_str!("fixtures/error_login.json"), Reason::CredentialsRefused),
            (404, include_str!("fixtures/error_no_image.json"), Reason::NotFound),
            (415, include_str!("fixtures/error_version.json"), Reason::NotSupported),
            (401, include_str!("fixtures/error_session.json"), Reason::CredentialsRefused),
            (403, include_str!("fixtures/error_right.json"), Reason::RightMissing),
            (500, include_str!("fixtures/error_server.json"), Reason::Unexpected),
        ] {
            let body: ErrorBody = serde_json::from_str(text).unwrap();
            let error = refusal("ceph", "do it", "rbd-image create", StatusCode::from_u16(status).unwrap(), &body);
            assert_eq!(error.reason, reason, "{status} {text}");
            assert!(!body.detail.is_empty() && error.message.contains(&body.detail), "{error}");
        }
    }

    #[test]
    fn codes_that_were_not_seen() {
        for (status, code, reason) in [
            (400, "30", Reason::ReadOnly),
            (400, "39", Reason::HasDependents),
            (400, "28", Reason::NoSpace),
            (303, "", Reason::ArrayUnreachable),
            (503, "", Reason::ArrayUnreachable),
            (418, "4711", Reason::Unexpected),
        ] {
            assert_eq!(reason_of(StatusCode::from_u16(status).unwrap(), code), reason, "{status} {code}");
        }
    }
}
