//! Tasks: what a call that takes long returns at once.

use super::{
    fault::Fault,
    state::State,
    value::{MoRef, Val},
};
use jiff::Timestamp;
use std::fmt;

/// How a task's work ended.
#[derive(Debug)]
pub enum Outcome {
    /// Done, with its result.
    Done(Val),
    /// The task stays running until somebody else ends it (a question waits for its answer).
    Blocked,
}

type Act = Box<dyn FnOnce(&mut State, &MoRef) -> Result<Outcome, Fault> + Send>;

/// Work of a task that was started and not yet run.
pub struct Work(Act);

impl fmt::Debug for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Work")
    }
}

/// A task.
#[derive(Debug, Clone)]
pub struct Task {
    /// Method's name, such as `PowerOnVM_Task`.
    pub name: String,
    /// Id of the description, such as `VirtualMachine.powerOn`.
    pub description_id: String,
    /// What it works on.
    pub entity: Option<MoRef>,
    /// The entity's name when the task began.
    pub entity_name: String,
    /// `queued`, `running`, `success` or `error`.
    pub state: &'static str,
    /// Percent.
    pub progress: Option<i64>,
    /// Why it failed.
    pub error: Option<Fault>,
    /// Its result.
    pub result: Val,
    /// Who began it.
    pub user: String,
    /// When it was asked for.
    pub queued: Timestamp,
    /// When it began.
    pub started: Option<Timestamp>,
    /// When it ended.
    pub completed: Option<Timestamp>,
    /// Somebody asked to cancel it.
    pub cancelled: bool,
    /// Made by an extension, which reports its state.
    pub external: bool,
    /// Text set by the extension.
    pub description: Option<Val>,
    /// Position in the order of creation.
    pub number: u64,
}

impl State {
    /// Starts a task; its work runs when the caller's answer has been made.
    pub fn start(
        &mut self,
        name: &str,
        entity: &MoRef,
        user: &str,
        act: impl FnOnce(&mut State, &MoRef) -> Result<Outcome, Fault> + Send + 'static,
    ) -> MoRef {
        let task = self.new_task(name, Some(entity.clone()), user);
        self.work.push((task.clone(), Work(Box::new(act))));
        task
    }

    /// Starts a task whose work always ends by itself.
    pub fn run(
        &mut self,
        name: &str,
        entity: &MoRef,
        user: &str,
        act: impl FnOnce(&mut State) -> Result<Val, Fault> + Send + 'static,
    ) -> MoRef {
        self.start(name, entity, user, move |s, _| act(s).map(Outcome::Done))
    }

    /// A task without work.
    pub fn new_task(&mut self, name: &str, entity: Option<MoRef>, user: &str) -> MoRef {
        let number = self.next_number();
        let id = format!("task-{number}");
        let entity_name = entity.as_ref().and_then(|e| self.name_of(e)).unwrap_or_default();
        let verb = name.trim_end_matches("_Task").trim_end_matches("VM");
        let mut letters = verb.chars();
        let verb: String = letters.next().map(|c| c.to_ascii_lowercase()).into_iter().chain(letters).collect();
        let on = entity.as_ref().map_or("ManagedEntity", |e| e.ty.as_str());
        if let Some(vm) = entity.as_ref().and_then(|e| self.vms.get_mut(&e.id)) {
            vm.tasks.push(id.clone());
        }
        let task = Task {
            name: name.to_owned(),
            description_id: format!("{on}.{verb}"),
            // A task's entity is one of the inventory; file and disk managers are not.
            entity: entity.filter(|e| self.has(e)),
            entity_name,
            state: "queued",
            progress: None,
            error: None,
            result: Val::Unset,
            user: user.to_owned(),
            queued: self.now(),
            started: None,
            completed: None,
            cancelled: false,
            external: false,
            description: None,
            number,
        };
        self.tasks.insert(id.clone(), task);
        self.touch();
        MoRef::new("Task", id)
    }

    /// Shows a task as running.
    pub fn mark_running(&mut self, task: &MoRef) {
        let now = self.now();
        if let Some(t) = self.tasks.get_mut(&task.id) {
            t.state = "running";
            t.started.get_or_insert(now);
        }
        self.touch();
    }

    /// Runs a task's work.
    pub fn run_work(&mut self, task: &MoRef, work: Work) {
        let now = self.now();
        if let Some(t) = self.tasks.get_mut(&task.id) {
            t.state = "running";
            t.started = Some(now);
            if t.cancelled {
                self.finish(task, Err(Fault::new("RequestCanceled", "The task was canceled by a user")));
                return;
            }
        }
        match (work.0)(self, task) {
            Ok(Outcome::Done(value)) => self.finish(task, Ok(value)),
            Ok(Outcome::Blocked) => self.touch(),
            Err(fault) => self.finish(task, Err(fault)),
        }
    }

    /// Ends a task.
    pub fn finish(&mut self, task: &MoRef, outcome: Result<Val, Fault>) {
        let now = self.now();
        if let Some(t) = self.tasks.get_mut(&task.id) {
            t.completed = Some(now);
            t.progress = Some(100);
            match outcome {
                Ok(value) => {
                    t.state = "success";
                    t.result = value;
                }
                Err(fault) => {
                    t.state = "error";
                    t.error = Some(fault);
                }
            }
        }
        self.touch();
    }

    /// Refuses where the entity has a task that runs.
    pub fn check_idle(&self, entity: &MoRef) -> Result<(), Fault> {
        let busy = self.tasks.iter().find(|(_, t)| t.state == "running" && t.entity.as_ref() == Some(entity));
        match busy {
            Some((id, _)) => Err(Fault::new(
                "TaskInProgress",
                "The operation cannot be allowed at the current time because the entity has a task in progress",
            )
            .with("task", MoRef::new("Task", id))),
            None => Ok(()),
        }
    }
}
