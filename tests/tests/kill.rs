//! kill -9 of the gateway's own binary in the middle of each operation, at every call that changes something, before it
//! reaches the service and after its effect: at the next start the operation finishes or is undone, and nothing is left on the
//! array or in vCenter that journal and catalog do not know. The same in the middle of undoing.

use strata_tests::{
    house::{ArrayKind, on_each},
    killing::{Ended, Operation, Rig, Side},
};

macro_rules! killed {
    ($($name:ident: $operation:ident on $($array:ident)+;)+) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() -> anyhow::Result<()> {
            on_each(&[$(ArrayKind::$array),+], |array| async move {
                let operation = Operation::$operation;
                enumerate(array, operation, None, operation.effects(array)).await
            })
            .await
        }
    )+};
}

macro_rules! killed_while_undoing {
    ($($name:ident: $operation:ident on $($array:ident)+;)+) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() -> anyhow::Result<()> {
            on_each(&[$(ArrayKind::$array),+], |array| async move {
                let operation = Operation::$operation;
                let (refused, effects) = operation.undoing(array).expect("it can be undone");
                enumerate(array, operation, Some(refused), effects).await
            })
            .await
        }
    )+};
}

// One array for each way that an operation can go: files or whole volumes, at once or by jobs.
killed! {
    create_snapshot_at_grade_crash: SnapshotAtCrash on FilerOnXfs FilerOnBtrfs ReferenceByJobs;
    create_snapshot_at_grade_vm: SnapshotAtVm on FilerOnXfs ReferenceByJobs;
    create_clone: Clone on FilerOnXfs ReferenceByVolume ReferenceByJobs;
    revert_vm: Revert on FilerOnXfs ReferenceByJobs;
    delete_snapshot: DeleteSnapshot on FilerOnXfs FilerOnBtrfs ReferenceByJobs;
    delete_clone: DeleteClone on FilerOnXfs ReferenceByVolume ReferenceByJobs;
}

killed_while_undoing! {
    undo_of_create_snapshot_at_grade_crash: SnapshotAtCrash on FilerOnXfs ReferenceByJobs;
    undo_of_create_snapshot_at_grade_vm: SnapshotAtVm on FilerOnXfs;
    undo_of_create_clone: Clone on FilerOnXfs ReferenceByVolume ReferenceByJobs;
    undo_of_revert_vm: Revert on FilerOnXfs;
}

/// Kills at the first call, at the second, and so on, until there is none; each time in a new data centre.
#[expect(clippy::print_stdout, reason = "the size of the enumeration is to be seen")]
async fn enumerate(
    array: ArrayKind,
    operation: Operation,
    refused: Option<&'static str>,
    effects: &[&str],
) -> anyhow::Result<()> {
    let mut held = Vec::new();
    let (mut finished, mut undone) = (0, 0);
    for side in [Side::Before, Side::After] {
        for number in 1.. {
            let rig = Rig::build(array).await?;
            let Some((method, ended)) = rig.kill(operation, (number, side), refused).await? else { break };
            match ended {
                Ended::Finished => finished += 1,
                Ended::Undone(_) => undone += 1,
            }
            held.push((method, side));
        }
    }
    println!(
        "{operation:?} on {array:?}, {refused:?} refused: killed at {} places, {finished} finished, {undone} undone: {held:?}",
        held.len()
    );
    for effect in effects {
        for side in [Side::Before, Side::After] {
            let there = held.iter().any(|(method, held)| method == effect && *held == side);
            assert!(there, "{operation:?} was never held {side:?} {effect}: {held:?}");
        }
    }
    Ok(())
}
