//! Why the program ends with anything but success: one type, made of a gateway's status or of what is wrong here.

use serde_json::{Value, json};
use std::{collections::BTreeMap, fmt, io};
use strata_kit::status::ErrorReport;
use strata_model::ErrorKind;

/// What is told about a failure, as text or as JSON.
#[derive(Debug, Clone)]
pub struct Report {
    /// What kind of failure; decides the exit code.
    pub kind: ErrorKind,
    /// `VM_NOT_FOUND`: stable, for scripts.
    pub reason: String,
    /// One sentence that names the object.
    pub message: String,
    /// The gateway's facts about it, by name.
    pub metadata: BTreeMap<String, String>,
    /// What to do, one sentence each.
    pub hints: Vec<String>,
    /// Wrong fields and why.
    pub violations: Vec<(String, String)>,
    /// Full names of the objects that were meant, perhaps.
    pub candidates: Vec<String>,
    /// Ended by Ctrl-C.
    pub interrupted: bool,
}

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Told to the user.
    #[error("{}", .0.message)]
    Report(Box<Report>),
    /// The output cannot be written; a closed pipe is no failure at all.
    #[error("cannot write the output")]
    Output(#[from] io::Error),
}

impl Failure {
    /// A failure of this kind, with a reason for scripts and a sentence for people.
    pub fn new(kind: ErrorKind, reason: &str, message: impl fmt::Display) -> Self {
        Failure::Report(Box::new(Report {
            kind,
            reason: reason.to_owned(),
            message: message.to_string(),
            metadata: BTreeMap::new(),
            hints: Vec::new(),
            violations: Vec::new(),
            candidates: Vec::new(),
            interrupted: false,
        }))
    }

    /// Adds what to do about it.
    pub fn hint(self, hint: impl fmt::Display) -> Self {
        self.change(|report| report.hints.push(hint.to_string()))
    }

    /// Adds the objects that may have been meant.
    pub fn candidates(self, names: Vec<String>) -> Self {
        self.change(|report| report.candidates = names)
    }

    /// Marks it as asked for by Ctrl-C.
    pub fn interrupted(self) -> Self {
        self.change(|report| report.interrupted = true)
    }

    /// Names the operation that failed.
    pub fn about_operation(self, name: &str) -> Self {
        self.change(|report| {
            report.metadata.entry("operation".to_owned()).or_insert_with(|| name.to_owned());
        })
    }

    fn change(mut self, act: impl FnOnce(&mut Report)) -> Self {
        if let Failure::Report(report) = &mut self {
            act(report);
        }
        self
    }

    /// What is told about it.
    pub fn into_report(self) -> Box<Report> {
        match self {
            Failure::Report(report) => report,
            Failure::Output(error) => {
                Failure::new(ErrorKind::Unexpected, "OUTPUT_NOT_WRITTEN", format!("cannot write the output: {error}"))
                    .into_report()
            }
        }
    }

    /// What kind of failure it is.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Failure::Report(report) => report.kind,
            Failure::Output(_) => ErrorKind::Unexpected,
        }
    }

    /// The error that a finished operation carries.
    pub fn from_rpc_status(status: &tonic_types::pb::Status) -> Self {
        use prost::Message as _;
        let code = tonic::Code::from_i32(status.code);
        tonic::Status::with_details(code, status.message.clone(), status.encode_to_vec().into()).into()
    }
}

impl From<tonic::Status> for Failure {
    fn from(status: tonic::Status) -> Self {
        let report = ErrorReport::from_status(&status);
        Failure::Report(Box::new(Report {
            kind: report.kind,
            reason: report.reason,
            message: report.message,
            metadata: report.metadata,
            hints: report.hints,
            violations: report.violations.into_iter().map(|v| (v.field, v.description)).collect(),
            candidates: Vec::new(),
            interrupted: false,
        }))
    }
}

impl Report {
    /// As JSON, for `--json`.
    pub fn to_json(&self, exit_code: u8) -> Value {
        let violations: Vec<Value> = self
            .violations
            .iter()
            .map(|(field, description)| json!({"field": field, "description": description}))
            .collect();
        json!({"error": {
            "kind": self.kind, "reason": self.reason, "message": self.message, "metadata": self.metadata,
            "hints": self.hints, "violations": violations, "candidates": self.candidates, "exitCode": exit_code,
        }})
    }
}
