//! The one table: error kind -> gRPC code -> retry class -> exit code -> HTTP status -> what people do about it.

use serde::{Deserialize, Serialize};
use strata_model::ErrorKind;
use tonic::Code;

/// What a program may do with a failed call without asking anybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RetryClass {
    /// The same call fails again until a person changes something.
    Never,
    /// The same call may succeed later; nothing was done. Wait as long as the retry delay says.
    Later,
    /// The effect may have happened: repeat only with the same request id, or look first.
    SameRequest,
}

/// One line of the table.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// The kind, as the code speaks of it.
    pub kind: ErrorKind,
    /// The kind's name on the wire and in JSON (lower_snake, as serde writes it).
    pub name: &'static str,
    /// The gRPC code.
    pub code: Code,
    /// What a program may do.
    pub retry: RetryClass,
    /// Exit code of the command line.
    pub exit_code: u8,
    /// HTTP status of the REST face (google.rpc.Code's mapping, but 409 for a state that forbids).
    pub http_status: u16,
    /// What the user does about it.
    pub user: &'static str,
    /// What the operator of Strata does about it.
    pub operator: &'static str,
}

/// All rows, in the order of [`ErrorKind::ALL`].
pub const TABLE: [Row; 12] = [
    Row {
        kind: ErrorKind::NotFound,
        name: "not_found",
        code: Code::NotFound,
        retry: RetryClass::Never,
        exit_code: 3,
        http_status: 404,
        user: "check the name; list the objects to see what exists",
        operator: "nothing, unless the object should exist: then compare catalog and array",
    },
    Row {
        kind: ErrorKind::Conflict,
        name: "conflict",
        code: Code::FailedPrecondition,
        retry: RetryClass::Never,
        exit_code: 4,
        http_status: 409,
        user: "change what the message names, then repeat",
        operator: "nothing; the request met a state that forbids it",
    },
    Row {
        kind: ErrorKind::Busy,
        name: "busy",
        code: Code::Aborted,
        retry: RetryClass::Later,
        exit_code: 5,
        http_status: 409,
        user: "wait for the other operation, then repeat",
        operator: "look for an operation that is stuck if it lasts",
    },
    Row {
        kind: ErrorKind::InvalidArgument,
        name: "invalid_argument",
        code: Code::InvalidArgument,
        retry: RetryClass::Never,
        exit_code: 2,
        http_status: 400,
        user: "correct the named fields",
        operator: "nothing",
    },
    Row {
        kind: ErrorKind::Unauthenticated,
        name: "unauthenticated",
        code: Code::Unauthenticated,
        retry: RetryClass::Never,
        exit_code: 6,
        http_status: 401,
        user: "give valid credentials, or trust the named certificate",
        operator: "renew the credentials or certificates that the message names",
    },
    Row {
        kind: ErrorKind::Forbidden,
        name: "forbidden",
        code: Code::PermissionDenied,
        retry: RetryClass::Never,
        exit_code: 7,
        http_status: 403,
        user: "ask for the named privilege on the named object",
        operator: "run the preflight and grant what it lists as missing",
    },
    Row {
        kind: ErrorKind::Unsupported,
        name: "unsupported",
        code: Code::Unimplemented,
        retry: RetryClass::Never,
        exit_code: 8,
        http_status: 501,
        user: "choose a way that this array, datastore or vCenter can do",
        operator: "compare the versions of both sides",
    },
    Row {
        kind: ErrorKind::Exhausted,
        name: "exhausted",
        code: Code::ResourceExhausted,
        retry: RetryClass::Never,
        exit_code: 9,
        http_status: 429,
        user: "free what is used up: space, licences, or calls under way",
        operator: "add space or licences, or raise the named limit",
    },
    Row {
        kind: ErrorKind::Unavailable,
        name: "unavailable",
        code: Code::Unavailable,
        retry: RetryClass::SameRequest,
        exit_code: 10,
        http_status: 503,
        user: "try again; if it lasts, tell the operator",
        operator: "check that the named peer runs and can be reached",
    },
    Row {
        kind: ErrorKind::Timeout,
        name: "timeout",
        code: Code::DeadlineExceeded,
        retry: RetryClass::SameRequest,
        exit_code: 11,
        http_status: 504,
        user: "look whether the effect happened, then repeat with the same request id",
        operator: "look for load or an unreachable peer",
    },
    Row {
        kind: ErrorKind::Cancelled,
        name: "cancelled",
        code: Code::Cancelled,
        retry: RetryClass::Never,
        exit_code: 12,
        http_status: 499,
        user: "nothing; somebody stopped it",
        operator: "nothing",
    },
    Row {
        kind: ErrorKind::Unexpected,
        name: "unexpected",
        code: Code::Internal,
        retry: RetryClass::SameRequest,
        exit_code: 1,
        http_status: 500,
        user: "report it with the message and the time",
        operator: "read the log of the named service at that time",
    },
];

/// The line of a kind.
pub fn row(kind: ErrorKind) -> &'static Row {
    match kind {
        ErrorKind::NotFound => &TABLE[0],
        ErrorKind::Conflict => &TABLE[1],
        ErrorKind::Busy => &TABLE[2],
        ErrorKind::InvalidArgument => &TABLE[3],
        ErrorKind::Unauthenticated => &TABLE[4],
        ErrorKind::Forbidden => &TABLE[5],
        ErrorKind::Unsupported => &TABLE[6],
        ErrorKind::Exhausted => &TABLE[7],
        ErrorKind::Unavailable => &TABLE[8],
        ErrorKind::Timeout => &TABLE[9],
        ErrorKind::Cancelled => &TABLE[10],
        ErrorKind::Unexpected => &TABLE[11],
    }
}

/// The kind by its name on the wire.
pub fn kind_of_name(name: &str) -> Option<ErrorKind> {
    TABLE.iter().find(|row| row.name == name).map(|row| row.kind)
}

/// The nearest kind of a code that came without one: from a foreign server, a proxy, or the transport.
pub fn kind_of_code(code: Code) -> ErrorKind {
    match code {
        Code::NotFound => ErrorKind::NotFound,
        Code::AlreadyExists | Code::FailedPrecondition => ErrorKind::Conflict,
        Code::Aborted => ErrorKind::Busy,
        Code::InvalidArgument | Code::OutOfRange => ErrorKind::InvalidArgument,
        Code::Unauthenticated => ErrorKind::Unauthenticated,
        Code::PermissionDenied => ErrorKind::Forbidden,
        Code::Unimplemented => ErrorKind::Unsupported,
        Code::ResourceExhausted => ErrorKind::Exhausted,
        Code::Unavailable => ErrorKind::Unavailable,
        Code::DeadlineExceeded => ErrorKind::Timeout,
        Code::Cancelled => ErrorKind::Cancelled,
        Code::Ok | Code::Unknown | Code::Internal | Code::DataLoss => ErrorKind::Unexpected,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_kind_has_its_own_line_and_the_way_back_finds_it() {
        for (index, kind) in ErrorKind::ALL.into_iter().enumerate() {
            assert_eq!(TABLE[index].kind, kind, "the table is in the order of ErrorKind::ALL");
            assert_eq!(row(kind).kind, kind);
            assert_eq!(kind_of_code(row(kind).code), kind);
            assert_eq!(kind_of_name(row(kind).name), Some(kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), row(kind).name);
        }
        assert_eq!(kind_of_name("no_such_kind"), None);
    }

    #[test]
    fn exit_codes_and_codes_tell_kinds_apart() {
        let exits: HashSet<u8> = TABLE.iter().map(|row| row.exit_code).collect();
        assert_eq!(exits.len(), TABLE.len());
        assert!(!exits.contains(&0), "0 means success");
        let codes: HashSet<i32> = TABLE.iter().map(|row| row.code as i32).collect();
        assert_eq!(codes.len(), TABLE.len());
        assert!(TABLE.iter().all(|row| row.http_status >= 400));
    }

    #[test]
    fn what_the_model_calls_transient_is_never_never() {
        for row in TABLE.iter().filter(|row| row.kind.is_transient()) {
            assert_ne!(row.retry, RetryClass::Never, "{}", row.name);
        }
    }
}
