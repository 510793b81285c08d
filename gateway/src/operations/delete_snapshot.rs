//! Removes a restore point and its snapshot on the array.
//!
//! What a crash can leave, and who heals it: the point marked, the array's snapshot there or gone. Every step converges and
//! there is no way back, so the operation goes on where it was.

use super::{forget_point, mark_point_deleting, patient, step_result};
use crate::{
    deps::Deps,
    plan::DeleteSnapshotIntent,
    steps::{DEADLINE_OF_DISKS, array_snapshot},
};
use serde_json::Value;
use strata_saga::{Claim, Operation, Outputs, RunContext, Step, Undo};

/// See the module.
#[derive(Debug)]
pub struct DeleteSnapshot;

impl Operation for DeleteSnapshot {
    const KIND: &'static str = "delete-snapshot";
    const VERSION: u16 = 1;
    type Params = DeleteSnapshotIntent;
    type Context = Deps;

    fn steps(_: &DeleteSnapshotIntent) -> Vec<Step<Self>> {
        vec![
            Step::new(
                "mark_deleting",
                |c: RunContext<DeleteSnapshot>| async move {
                    step_result(mark_point_deleting(c.context(), &c.params().point))
                },
                Undo::pivot(),
            ),
            Step::new(
                "remove_array_snapshot",
                |c: RunContext<DeleteSnapshot>| async move {
                    let point = &c.params().point;
                    let operation = c.operation().to_string();
                    let removed =
                        array_snapshot::remove(c.context(), &operation, &point.intent, &point.cut.key, c.resume());
                    step_result(removed.await)
                },
                Undo::nothing("a removed snapshot cannot come back"),
            )
            .deadline(DEADLINE_OF_DISKS)
            .retry(patient()),
            Step::new(
                "forget",
                |c: RunContext<DeleteSnapshot>| async move { step_result(forget_point(c.context(), &c.params().point.id)) },
                Undo::nothing("the snapshot is gone"),
            )
            .passive(),
        ]
    }

    fn claims(intent: &DeleteSnapshotIntent) -> Vec<Claim> {
        vec![Claim::exclusive(format!("snapshots/{}", intent.point.id))]
    }

    fn result(_: &DeleteSnapshotIntent, _: &Outputs<'_>) -> Value {
        Value::Null
    }
}
