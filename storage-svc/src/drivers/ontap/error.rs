//! The one table from ONTAP's codes to what a caller can do about it. It holds for both phases, a refusal at once and a job that
//! failed: the statuses that go with the codes are not published, so that only the code counts where it is known.

use super::wire::ErrorBody;
use crate::driver::{DriverError, Reason};
use http::StatusCode;
use std::time::Duration;
use strata_kit::http::HttpError;

/// Codes by what they mean for us, most of them of one call each.
const TABLE: &[(Reason, &[&str])] = &[
    (
        Reason::NotFound,
        &[
            // Anything; a parent volume; a snapshot; an SVM; a volume.
            "4", "524601", "542797", "1638600", "917505", "2621462", "2621706", "2621707", "917506", "917927", "918235",
            // A LUN; a map; an igroup; an export policy; a file; the source of a clone of a file.
            "5374875", "5374876", "1254201", "5374922", "5374852", "5374878", "1703954", "6684674", "917864",
        ],
    ),
    (
        Reason::TargetExists,
        &[
            "1", "525059", "917526", "13107405", "1260136", "5374242", "1254196", "5440688", "5702832", "5374023",
            "5374035", "1254207", "1704070", "1704071", "53411921",
        ],
    ),
    (Reason::HasDependents, &["1638555", "1638543", "524615", "5376520"]),
    (Reason::Exported, &["1254197", "1254213", "1703945", "72089756", "72089796"]),
    (Reason::NewerSnapshots, &["9437886", "1638480"]),
    (
        Reason::Busy,
        &[
            "524486",
            "13107406",
            "1638532",
            "8",
            "262160",
            "7",
            "53411959",
            "7018877",
            "111415208",
            "8454210",
            "524481",
            "53412007",
            "53412008",
            "5374053",
        ],
    ),
    (Reason::LimitReached, &["525062", "13107245"]),
    (Reason::ReadOnly, &["917775", "9437885", "917752", "917533", "5374865", "5374866", "1638461", "1520351"]),
    (Reason::NotSupported, &["1115127", "3"]),
    (Reason::RightMissing, &["6"]),
    (
        Reason::InvalidRequest,
        &[
            "2", "262177", "262179", "262196", "262197", "1638518", "1638477", "917886", "917887", "917888", "918252",
            "5374121", "5374127", "5374352", "5376461", "5376462", "917812", "918251",
        ],
    ),
    // Whether it was made is not known: the caller looks again.
    (Reason::NoAnswer, &["1638537"]),
];

/// What a code and its text mean; a code that is not in the table falls back to the status, a job's (which has none) to the text.
fn reason_of(status: Option<StatusCode>, code: &str, text: &str) -> Reason {
    let text = text.to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
    match code {
        // Another administrator has to approve first: no code of its own is published.
        _ if says(&["multi-admin", "multi admin"]) => Reason::RightMissing,
        "6691623" if status == Some(StatusCode::UNAUTHORIZED) => Reason::CredentialsRefused,
        "6691623" => Reason::RightMissing,
        // Offline or full: volumes that are offline are refused before they are snapshotted.
        "524479" if says(&["offline"]) && !says(&["space"]) => Reason::ReadOnly,
        "524479" => Reason::NoSpace,
        // Any failure of a job.
        "917536" if says(&["lock", "busy", "unmount", "in use"]) => Reason::Busy,
        "13565952" if says(&["load", "busy", "token", "retry"]) => Reason::Busy,
        _ => TABLE
            .iter()
            .find(|(_, codes)| codes.contains(&code))
            .map_or_else(|| by_status(status, &says), |(reason, _)| *reason),
    }
}

fn by_status(status: Option<StatusCode>, says: &dyn Fn(&[&str]) -> bool) -> Reason {
    match status {
        Some(StatusCode::UNAUTHORIZED) => Reason::CredentialsRefused,
        Some(StatusCode::FORBIDDEN) => Reason::RightMissing,
        Some(StatusCode::NOT_FOUND) => Reason::NotFound,
        Some(StatusCode::METHOD_NOT_ALLOWED) => Reason::NotSupported,
        Some(StatusCode::TOO_MANY_REQUESTS | StatusCode::LOCKED) => Reason::Busy,
        Some(StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE) => Reason::ArrayUnreachable,
        Some(StatusCode::GATEWAY_TIMEOUT) => Reason::NoAnswer,
        _ if says(&["quota", "limit"]) => Reason::LimitReached,
        _ if says(&["no space", "not enough space", "insufficient space"]) => Reason::NoSpace,
        Some(StatusCode::BAD_REQUEST) => Reason::InvalidRequest,
        _ => Reason::Unexpected,
    }
}

/// What was refused.
pub(super) struct Refused<'a> {
    /// The array, for people.
    pub(super) array: &'a str,
    /// What was asked for: `delete a snapshot`.
    pub(super) what: &'a str,
    /// The right that the call needs, as a role writes it; empty for jobs.
    pub(super) right: &'a str,
    /// None for jobs.
    pub(super) status: Option<StatusCode>,
    /// `Retry-After`.
    pub(super) retry_after: Option<Duration>,
}

/// A locked snapshot or volume is asked for again no sooner: hot repeats overload the array's management.
const BUSY_AGAIN_AFTER: Duration = Duration::from_secs(5);

/// A refusal, or a job that failed.
pub(super) fn refusal(asked: &Refused<'_>, body: ErrorBody) -> DriverError {
    let reason = reason_of(asked.status, &body.code, &body.message);
    let remedy = match (reason, body.code.as_str()) {
        (Reason::RightMissing, _) if asked.right.is_empty() => {
            "; the login lacks a right, or another administrator has to approve".to_owned()
        }
        (Reason::RightMissing, _) => format!("; grant the login's role {}", asked.right),
        (Reason::CredentialsRefused, _) => "; correct the login in the configuration".to_owned(),
        (Reason::HasDependents, _) => {
            "; remove the clones that need it first, or wait until its lock expires".to_owned()
        }
        (Reason::Exported, _) => "; take the export away first".to_owned(),
        (Reason::NewerSnapshots, _) => "; remove the newer snapshots first, or revert by file, LUN or clone".to_owned(),
        (Reason::NoSpace, _) => "; free space on the volume or its aggregate".to_owned(),
        (Reason::LimitReached, _) => "; remove snapshots or volumes that are not needed any more".to_owned(),
        (Reason::NotSupported, "1115127") => "; install the licence (FlexClone, SnapRestore)".to_owned(),
        (Reason::NotSupported, _) => "; this release of ONTAP cannot do it".to_owned(),
        (Reason::ReadOnly, _) => "; bring the volume online, or use the source of the replication".to_owned(),
        (Reason::Busy | Reason::ArrayUnreachable | Reason::NoAnswer, _) => "; try again".to_owned(),
        _ => String::new(),
    };
    let target = if body.target.is_empty() { String::new() } else { format!(" (field '{}')", body.target) };
    let status = asked.status.map(|status| status.as_u16().to_string()).unwrap_or_default();
    let code = if body.code.is_empty() { status } else { body.code };
    let text = format!("array {} refused to {}: {}{target}{remedy}", asked.array, asked.what, body.message);
    let mut error = DriverError::new(reason, text).with_vendor(code, body.message);
    error.retry_after = match reason {
        Reason::Busy => Some(asked.retry_after.unwrap_or(BUSY_AGAIN_AFTER)),
        _ => asked.retry_after,
    };
    error
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
        (HttpError::Connect { .. }, _) => "nothing was sent; see whether its management LIF is up and can be reached",
        (_, Reason::CredentialsRefused) => "trust its certificate with ca_file or thumbprint",
        _ => "see whether it can be reached; the effect may have happened, so repeat the same call",
    };
    DriverError::new(reason, format!("array {array} gave no answer to: {what}; {remedy}")).because(error)
}

/// An answer that no reference describes.
pub(super) fn odd(array: &str, what: &str, error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> DriverError {
    DriverError::new(Reason::Unexpected, format!("array {array} gave an answer to '{what}' that is not understood"))
        .because(error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn no_code_stands_twice_in_the_table() {
        let codes: Vec<&str> = TABLE.iter().flat_map(|(_, codes)| codes.iter().copied()).collect();
        assert_eq!(codes.iter().collect::<BTreeSet<_>>().len(), codes.len());
    }

    #[test]
    fn codes_in_both_phases() {
        let cases = [
            (Some(409), "525059", "", Reason::TargetExists),
            (Some(400), "525059", "", Reason::TargetExists),
            (None, "525059", "", Reason::TargetExists),
            (None, "1638555", "", Reason::HasDependents),
            (Some(404), "4", "", Reason::NotFound),
            (Some(500), "4", "", Reason::NotFound),
            (Some(404), "3", "", Reason::NotSupported),
            (Some(403), "6", "", Reason::RightMissing),
            (Some(401), "6691623", "", Reason::CredentialsRefused),
            (Some(400), "6691623", "", Reason::RightMissing),
            (Some(400), "524479", "The volume is offline or there is no space", Reason::NoSpace),
            (Some(400), "524479", "The volume is offline", Reason::ReadOnly),
            (None, "524479", "There is no space left", Reason::NoSpace),
            (None, "917536", "Volume is temporarily locked by another operation", Reason::Busy),
            (None, "917536", "Something else", Reason::Unexpected),
            (None, "13565952", "The split load of the node is exhausted", Reason::Busy),
            (None, "13565952", "The source is a directory", Reason::Unexpected),
            (Some(429), "262160", "", Reason::Busy),
            (Some(429), "", "", Reason::Busy),
            (Some(503), "", "", Reason::ArrayUnreachable),
            (Some(400), "99999999", "The storage limit of the SVM is exceeded", Reason::LimitReached),
            (Some(400), "99999999", "Odd", Reason::InvalidRequest),
            (None, "99999999", "Odd", Reason::Unexpected),
            (Some(500), "1638537", "", Reason::NoAnswer),
            (Some(400), "1", "This operation needs multi-admin verification", Reason::RightMissing),
        ];
        for (status, code, text, reason) in cases {
            let status = status.map(|status| StatusCode::from_u16(status).unwrap());
            assert_eq!(reason_of(status, code, text), reason, "{status:?} {code} {text}");
        }
    }

    #[test]
    fn what_is_refused_for_now_says_when_to_ask_again() {
        let asked = |retry_after| Refused { array: "a", what: "w", right: "r", status: None, retry_after };
        let body = || ErrorBody { code: "524486".to_owned(), message: "busy".to_owned(), ..ErrorBody::default() };
        assert_eq!(refusal(&asked(None), body()).retry_after, Some(BUSY_AGAIN_AFTER));
        let told = Some(Duration::from_secs(17));
        assert_eq!(refusal(&asked(told), body()).retry_after, told);
        let gone = ErrorBody { code: "4".to_owned(), ..ErrorBody::default() };
        assert_eq!(refusal(&asked(None), gone).retry_after, None);
    }
}
