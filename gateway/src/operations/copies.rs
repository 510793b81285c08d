//! The steps that make datastores of a restore point's copies, for every operation that needs some: cloned on the array,
//! shown to hosts, mounted, and proven to hold the right VM. Their undos leave hosts first and the array last (safety.md
//! S19).

use super::step_result;
use crate::{
    catalog::{AttachedVmfs, CloneIntent},
    deps::Deps,
    steps::{
        DEADLINE_OF_DISKS, DEADLINE_OF_JOBS,
        array_clone::{self, CloneOutput},
        attach,
        export::{self, Exports},
        map_luns::{self, Mapped},
        present, verify_copy,
    },
};
use strata_saga::{Operation, Progress, RunContext, Step, Undo, UndoContext};

/// Where an operation's parameters hold the copies.
pub(super) type Find<O> = fn(&<O as Operation>::Params) -> &CloneIntent;

/// All of them, as far as the copies need them.
pub(super) fn steps<O: Operation<Context = Deps>>(intent: &CloneIntent, find: Find<O>) -> Vec<Step<O>> {
    let mut steps = vec![clone_step(find)];
    if intent.by_volume && intent.nfs_targets().next().is_some() {
        steps.extend([export_step(find), present_step(find)]);
    }
    if intent.lun_targets().next().is_some() {
        steps.extend([map_step(find), attach_step(find), verify_step(find)]);
    }
    steps
}

fn clone_step<O: Operation<Context = Deps>>(find: Find<O>) -> Step<O> {
    Step::new(
        "array_clone",
        move |c: RunContext<O>| async move {
            let operation = c.operation().to_string();
            step_result(array_clone::run(c.context(), &operation, find(c.params()), c.resume()).await)
        },
        Undo::by(move |c: UndoContext<O>| async move {
            let answered = c.own_output::<CloneOutput>()?.is_some();
            let operation = c.operation().to_string();
            step_result(array_clone::undo(c.context(), &operation, find(c.params()), c.resume(), answered).await)
        }),
    )
    .deadline(DEADLINE_OF_DISKS)
}

fn export_step<O: Operation<Context = Deps>>(find: Find<O>) -> Step<O> {
    Step::new(
        "export",
        move |c: RunContext<O>| async move {
            let cloned: CloneOutput = c.output("array_clone")?;
            step_result(export::run(c.context(), find(c.params()), &cloned, c.resume()).await)
        },
        Undo::by(move |c: UndoContext<O>| async move {
            let cloned: CloneOutput = c.output("array_clone")?;
            let intent = find(c.params());
            let volumes = intent.nfs_targets().filter_map(|target| cloned.volumes.get(&target.volume));
            step_result(export::undo(c.context(), intent, volumes, c.resume()).await)
        }),
    )
}

fn present_step<O: Operation<Context = Deps>>(find: Find<O>) -> Step<O> {
    Step::new(
        "present",
        move |c: RunContext<O>| async move {
            let exports: Exports = c.output("export")?;
            step_result(present::run(c.context(), find(c.params()), &exports, c.resume()).await)
        },
        Undo::by(move |c: UndoContext<O>| async move {
            let exports: Exports = c.output("export")?;
            step_result(present::undo(c.context(), find(c.params()), &exports, c.resume()).await)
        }),
    )
}

fn map_step<O: Operation<Context = Deps>>(find: Find<O>) -> Step<O> {
    Step::new(
        "map_luns",
        move |c: RunContext<O>| async move {
            let cloned: CloneOutput = c.output("array_clone")?;
            step_result(map_luns::run(c.context(), find(c.params()), &cloned, c.resume()).await)
        },
        Undo::by(move |c: UndoContext<O>| async move {
            let mut cloned: CloneOutput = c.output("array_clone")?;
            if let Some(mapped) = c.own_output::<Mapped>()? {
                cloned.luns = mapped;
            }
            step_result(map_luns::undo(c.context(), find(c.params()), &cloned, c.resume()).await)
        }),
    )
    .deadline(DEADLINE_OF_JOBS)
}

fn attach_step<O: Operation<Context = Deps>>(find: Find<O>) -> Step<O> {
    Step::new(
        "attach",
        move |c: RunContext<O>| async move {
            let mapped: Mapped = c.output("map_luns")?;
            step_result(attach::run(c.context(), find(c.params()), &mapped, c.resume()).await)
        },
        Undo::by(move |c: UndoContext<O>| async move {
            let mapped: Mapped = c.output("map_luns")?;
            let intent = find(c.params());
            let seen: Option<Vec<AttachedVmfs>> = c.own_output()?;
            let stores = seen.unwrap_or_else(|| attach::known(intent, &mapped));
            step_result(attach::let_go(c.context(), intent, &stores, c.resume()).await)
        }),
    )
    .deadline(DEADLINE_OF_JOBS)
}

fn verify_step<O: Operation<Context = Deps>>(find: Find<O>) -> Step<O> {
    Step::new(
        "verify_copy",
        move |c: RunContext<O>| async move {
            let attached: Vec<AttachedVmfs> = c.output("attach")?;
            verify_copy::run(c.context(), find(c.params()), &attached).await?;
            Ok(Progress::done())
        },
        Undo::nothing("it only reads"),
    )
}
