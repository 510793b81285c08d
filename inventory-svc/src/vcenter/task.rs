//! Follows tasks by waiting for their changes. Nothing here asks in a loop: vCenter holds the answer back until
//! something changed.

use super::{
    Client, Error,
    property_spec::{Properties, Start, write_filter},
};
use crate::soap::{Element, Fault, MoRef, Request};
use std::time::Duration;

/// Longest single wait; below every proxy's and our own client's limit.
const ONE_WAIT_SECONDS_MAX: u64 = 20;

const TASK: Properties =
    Properties { kind: "Task", paths: &["info.state", "info.progress", "info.error", "info.result"] };

/// How far a task is.
#[derive(Debug, Clone)]
pub enum TaskState {
    /// Queued or running; per cent where vCenter tells.
    Running(Option<u32>),
    /// Done, with what it gives back.
    Done(Option<Element>),
    /// Failed.
    Failed(Box<Fault>),
    /// vCenter forgot it, as it does some minutes after its end: its effect must be looked for.
    Forgotten,
}

impl Client {
    /// Waits for a task's end, at most for `wait`.
    ///
    /// # Errors
    /// The call failed. A task that failed is `Ok`.
    pub async fn follow_task(&self, task: &MoRef, wait: Duration) -> Result<TaskState, Error> {
        let object = format!("task {}", task.value);
        let content = self.content().await?;
        let main = self.manager(content.property_collector.as_ref(), "property collector")?;
        // One waiter a collector: a second WaitForUpdatesEx on the same one cancels the first.
        let collector = self.call_for_ref(&Request::new("CreatePropertyCollector", &main), &object).await?;
        let state = self.follow_with(&collector, task, wait, &object).await;
        if let Err(error) = self.call(&Request::new("DestroyPropertyCollector", &collector), &object).await {
            tracing::debug!(vcenter = self.name(), %error, "a property collector was not removed");
        }
        match state {
            Err(error) if error.is_fault("ManagedObjectNotFound") => Ok(TaskState::Forgotten),
            other => other,
        }
    }

    /// Waits for a task's end however long it takes, and gives its result.
    ///
    /// # Errors
    /// The call or the task failed.
    pub async fn finish_task(&self, task: &MoRef, action: &str, object: &str) -> Result<Option<Element>, Error> {
        loop {
            let state = self.follow_task(task, Duration::from_secs(ONE_WAIT_SECONDS_MAX)).await?;
            if let Some(result) = self.ended(state, action, object)? {
                return Ok(result);
            }
        }
    }

    /// `None` while it runs; its result once it is done.
    ///
    /// # Errors
    /// The task failed.
    pub fn ended(&self, state: TaskState, action: &str, object: &str) -> Result<Option<Option<Element>>, Error> {
        match state {
            TaskState::Running(_) => Ok(None),
            TaskState::Done(result) => Ok(Some(result)),
            TaskState::Forgotten => Ok(Some(None)),
            TaskState::Failed(fault) => Err(Error::Task {
                vcenter: self.name().to_owned(),
                action: action.to_owned(),
                object: object.to_owned(),
                fault,
            }),
        }
    }

    async fn follow_with(
        &self,
        collector: &MoRef,
        task: &MoRef,
        wait: Duration,
        object: &str,
    ) -> Result<TaskState, Error> {
        let create = Request::with("CreateFilter", collector, |body| {
            write_filter("spec", &[TASK], &[Start::only(task)], body);
            body.flag("partialUpdates", false);
        });
        self.call_for_ref(&create, object).await?;
        let mut seen = Seen::default();
        let mut version = String::new();
        let end = self.clock().now() + wait;
        loop {
            let left = u64::try_from(end.duration_since(self.clock().now()).as_secs()).unwrap_or(0);
            let request = Request::with("WaitForUpdatesEx", collector, |body| {
                body.text("version", &version).element("options", |body| {
                    let seconds = left.min(ONE_WAIT_SECONDS_MAX);
                    body.number("maxWaitSeconds", i64::try_from(seconds).unwrap_or(0));
                });
            });
            let values = self.call(&request, object).await?;
            if let Some(update) = values.first() {
                version = update.text_at("version").unwrap_or_default().to_owned();
                for set in update.all("filterSet").flat_map(|filter| filter.all("objectSet")) {
                    seen.take(set);
                }
            }
            match seen.state() {
                TaskState::Running(_) if self.clock().now() < end => {}
                state => return Ok(state),
            }
        }
    }
}

/// A task's properties as the updates told them so far.
#[derive(Debug, Default)]
struct Seen {
    gone: bool,
    state: String,
    progress: Option<u32>,
    error: Option<Fault>,
    result: Option<Element>,
}

impl Seen {
    fn take(&mut self, update: &Element) {
        if update.text_at("kind") == Some("leave") {
            self.gone = true;
        }
        for change in update.all("changeSet") {
            let value = change.child("val");
            match change.text_at("name").unwrap_or_default() {
                "info.state" => self.state = value.map(|value| value.text.clone()).unwrap_or_default(),
                "info.progress" => self.progress = value.and_then(|value| value.text.trim().parse().ok()),
                "info.error" => self.error = value.map(Fault::from_localized),
                "info.result" => self.result = value.cloned(),
                _ => {}
            }
        }
        // A task that was removed between its creation and the filter's.
        let missing = update.all("missingSet").filter_map(|missing| missing.child("fault"));
        if missing.map(Fault::from_localized).any(|fault| fault.is("ManagedObjectNotFound")) {
            self.gone = true;
        }
    }

    fn state(&self) -> TaskState {
        match self.state.as_str() {
            "success" => TaskState::Done(self.result.clone()),
            "error" => TaskState::Failed(Box::new(self.error.clone().unwrap_or_else(|| Fault {
                name: "SystemError".to_owned(),
                message: "vCenter gives no reason".to_owned(),
                detail: Element::default(),
            }))),
            _ if self.gone => TaskState::Forgotten,
            _ => TaskState::Running(self.progress),
        }
    }
}
