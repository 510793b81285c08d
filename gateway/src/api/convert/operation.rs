//! An operation as the API shows it: google.longrunning with our metadata, computed from its history.

use super::{any, clone, point, time};
use crate::{
    catalog::{Catalog, CloneIntent, CloneRecord, RestorePoint, SnapshotIntent},
    error::{GatewayError, from_step},
    operations::{
        CommitRevert, CreateClone, CreateSnapshot, DeleteClone, DeleteSnapshot, RevertResult, RevertVm, SwapVm,
        words_on_kept,
    },
    plan::{CommitIntent, DeleteCloneIntent, DeleteSnapshotIntent, RevertIntent, SwapIntent},
};
use serde::de::DeserializeOwned;
use strata_model::ErrorKind;
use strata_proto::{
    google::longrunning::{self as lro, operation::Result as LroResult},
    strata::gateway::v1 as pb,
};
use strata_saga::{
    History, Operation as _, Outcome, State, StepStatus,
    history::StepHistory,
    watch::{Held, Status},
};
use tonic_types::pb::Status as RpcStatus;

/// The whole operation.
pub fn operation(status: &Status, catalog: &dyn Catalog) -> lro::Operation {
    let history = &status.history;
    let result = match history.outcome {
        Some(Outcome::Succeeded) => response(history, catalog).map(LroResult::Response),
        Some(_) => Some(LroResult::Error(error_status(history))),
        None => None,
    };
    lro::Operation {
        name: format!("operations/{}", history.id),
        metadata: Some(any("strata.gateway.v1.OperationMetadata", &metadata(status))),
        done: history.outcome.is_some(),
        result,
    }
}

/// Its metadata.
pub fn metadata(status: &Status) -> pb::OperationMetadata {
    let history = &status.history;
    let (target, target_display_name) = target(history);
    pb::OperationMetadata {
        kind: history.accepted.kind.clone(),
        state: state(status.state()).into(),
        target,
        target_display_name,
        create_time: Some(time(history.accepted_at)),
        end_time: history.outcome.map(|_| time(history.changed_at)),
        steps: history.steps.iter().map(|one| step(one, status)).collect(),
        sequence: u64::from(history.next_seq),
        cancel_requested: history.cancelled_by.is_some(),
        caller: history.accepted.caller.clone(),
    }
}

fn state(state: State) -> pb::OperationState {
    match state {
        State::Accepted => pb::OperationState::Accepted,
        State::Running => pb::OperationState::Running,
        State::Undoing => pb::OperationState::Undoing,
        State::Succeeded => pb::OperationState::Succeeded,
        State::Failed => pb::OperationState::Failed,
        State::Cancelled => pb::OperationState::Cancelled,
        State::Stuck => pb::OperationState::Stuck,
    }
}

fn step(step: &StepHistory, status: &Status) -> pb::OperationStep {
    let report = status.report.as_ref().filter(|report| report.step == step.name);
    let pending = step.undo_pending.as_ref().or(step.run_pending.as_ref());
    let percent = report.and_then(|report| report.percent).or(pending.and_then(|pending| pending.percent));
    let message = match (&step.error, report, &status.held) {
        (_, _, Some(Held::Parked(why))) => why.clone(),
        // While it is undone, what is waited for says more than why.
        (Some(_), Some(report), _) if step.status == StepStatus::Undoing => report.text.clone(),
        (Some(error), ..) => error.message.clone(),
        (None, Some(report), _) => report.text.clone(),
        (None, None, _) => step.undo_note.clone().unwrap_or_default(),
    };
    let ended = !matches!(step.status, StepStatus::NotStarted | StepStatus::Started | StepStatus::Undoing);
    pb::OperationStep {
        name: step.name.clone(),
        state: step_state(step.status).into(),
        progress_percent: percent.map(u32::from),
        message,
        start_time: step.started_at.map(time),
        end_time: step.changed_at.filter(|_| ended).map(time),
    }
}

fn step_state(status: StepStatus) -> pb::StepState {
    match status {
        StepStatus::NotStarted => pb::StepState::Waiting,
        StepStatus::Started => pb::StepState::Running,
        StepStatus::Succeeded | StepStatus::Skipped => pb::StepState::Succeeded,
        StepStatus::Failed => pb::StepState::Failed,
        StepStatus::Undoing => pb::StepState::Undoing,
        StepStatus::Undone => pb::StepState::Undone,
        StepStatus::UndoFailed => pb::StepState::Stuck,
    }
}

/// What it answers.
pub fn response(history: &History, catalog: &dyn Catalog) -> Option<prost_types::Any> {
    let result = &history.result;
    match history.accepted.kind.as_str() {
        CreateSnapshot::KIND => {
            let made: RestorePoint = read(result)?;
            Some(any("strata.gateway.v1.Snapshot", &point(&made, catalog)))
        }
        CreateClone::KIND => {
            let made: CloneRecord = read(result)?;
            Some(any("strata.gateway.v1.Clone", &clone(&made)))
        }
        RevertVm::KIND | SwapVm::KIND => {
            let by_files = history.accepted.kind == RevertVm::KIND;
            let done: RevertResult = read(result)?;
            let message = pb::RevertVmResponse {
                vm: done.vm,
                snapshot: format!("snapshots/{}", done.snapshot_id),
                safety_snapshot: format!("snapshots/{}", done.safety_id),
                way: if by_files { "files" } else { "swap" }.to_owned(),
                files: done.files,
                powered_on: done.powered_on,
                remarks: done.remarks,
                kept_disks: done.kept,
            };
            Some(any("strata.gateway.v1.RevertVmResponse", &message))
        }
        _ => Some(any("google.protobuf.Empty", &())),
    }
}

/// Why it ended without an answer.
pub fn error_status(history: &History) -> RpcStatus {
    let skipped: Vec<String> = history.undos_skipped().map(|step| step.name.clone()).collect();
    let mut error = match (history.outcome, &history.failure) {
        (Some(Outcome::Cancelled), _) => {
            let who = history.cancelled_by.clone().unwrap_or_default();
            let undone = if skipped.is_empty() { "everything was taken back" } else { "not everything was taken back" };
            GatewayError::new(ErrorKind::Cancelled, "OPERATION_CANCELLED", format!("cancelled by {who}; {undone}"))
        }
        (_, Some((step, failure))) => from_step(failure).with("step", step),
        _ => GatewayError::new(ErrorKind::Cancelled, "OPERATION_ABANDONED", "a person gave it up as it stood"),
    };
    if !skipped.is_empty() {
        error = with_skipped(error, history, &skipped);
    }
    let status = tonic::Status::from(error);
    let mut rpc: RpcStatus = prost::Message::decode(status.details()).unwrap_or_default();
    rpc.code = status.code().into();
    status.message().clone_into(&mut rpc.message);
    rpc
}

/// The same, with what a person let stand, and where the data is.
fn with_skipped(mut error: GatewayError, history: &History, skipped: &[String]) -> GatewayError {
    let intent = (history.accepted.kind == RevertVm::KIND).then(|| read::<RevertIntent>(&history.accepted.params));
    let (words, hint) = match intent.flatten() {
        Some(intent) => (
            words_on_kept(&intent, skipped),
            Some(format!("to use it beside the VM: strata clone create {}", intent.safety.display_name)),
        ),
        None => (format!("the undo of {} was skipped, so what it did may still be there", skipped.join(", ")), None),
    };
    error.message = format!("{}; {words}", error.message);
    error = error.with("undo_skipped", skipped.join(","));
    match hint {
        Some(hint) => error.hint(hint),
        None => error,
    }
}

/// The object that it works on, by name and for people.
fn target(history: &History) -> (String, String) {
    let params = &history.accepted.params;
    let found = match history.accepted.kind.as_str() {
        CreateSnapshot::KIND => read::<SnapshotIntent>(params).map(|intent| (intent.vm, intent.vm_display_name)),
        RevertVm::KIND => read::<RevertIntent>(params).map(|intent| (intent.vm, intent.vm_display_name)),
        SwapVm::KIND => read::<SwapIntent>(params).map(|intent| (intent.vm, intent.vm_display_name)),
        CommitRevert::KIND => read::<CommitIntent>(params).map(|intent| (intent.vm, intent.vm_display_name)),
        DeleteSnapshot::KIND => read::<DeleteSnapshotIntent>(params)
            .map(|intent| (format!("snapshots/{}", intent.point.id), intent.point.display_name)),
        CreateClone::KIND => {
            read::<CloneIntent>(params).map(|intent| (format!("clones/{}", intent.clone_id), intent.display_name))
        }
        DeleteClone::KIND => read::<DeleteCloneIntent>(params)
            .map(|intent| (format!("clones/{}", intent.clone.intent.clone_id), intent.clone.intent.display_name)),
        _ => None,
    };
    found.unwrap_or_default()
}

fn read<T: DeserializeOwned>(value: &serde_json::Value) -> Option<T> {
    serde_json::from_value(value.clone()).ok()
}
