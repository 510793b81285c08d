//! What an operation does, shown as it happens: one moving line on a terminal, a line a step elsewhere, nothing with
//! `--json` or `--quiet`.

use crate::{printer::Printer, show};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::{collections::BTreeMap, time::Duration};
use strata_proto::strata::gateway::v1::{OperationMetadata, OperationState, OperationStep, StepState};

/// Shows one operation's progress.
pub struct Progress<'a> {
    printer: &'a Printer,
    bar: Option<ProgressBar>,
    steps: BTreeMap<String, i32>,
    undoing: bool,
}

impl<'a> Progress<'a> {
    /// Nothing shown yet.
    pub fn new(printer: &'a Printer) -> Self {
        let bar = (printer.talks() && printer.style().live).then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            if let Ok(style) = ProgressStyle::with_template("{spinner} {wide_msg} {elapsed}") {
                bar.set_style(style.tick_chars("|/-\\ "));
            }
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        });
        Self { printer, bar, steps: BTreeMap::new(), undoing: false }
    }

    /// Shows what is new in this state.
    pub fn show(&mut self, metadata: &OperationMetadata, message: &str) {
        if metadata.state() == OperationState::Undoing && !self.undoing {
            self.undoing = true;
            self.line("taking back what was done");
        }
        for step in &metadata.steps {
            let old = self.steps.insert(step.name.clone(), step.state);
            if old != Some(step.state) && !matches!(step.state(), StepState::Waiting | StepState::Unspecified) {
                let begins = matches!(step.state(), StepState::Running | StepState::Undoing);
                // On a terminal the moving line shows what runs; lines are kept for what is over.
                if !(begins && self.bar.is_some()) {
                    self.line(&describe(step));
                }
            }
        }
        if let Some(bar) = &self.bar {
            let running = metadata.steps.iter().find(|s| matches!(s.state(), StepState::Running | StepState::Undoing));
            bar.set_message(running.map_or_else(|| message.to_owned(), describe));
        }
    }

    /// Takes the moving line away.
    pub fn clear(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    fn line(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| self.printer.progress(text)),
            None => self.printer.progress(text),
        }
    }
}

fn describe(step: &OperationStep) -> String {
    let mut text = format!("{} {}", step.name, show::step_state(step.state));
    if let Some(percent) = step.progress_percent.filter(|_| step.state() == StepState::Running) {
        text.push_str(&format!(" {percent}%"));
    }
    if let Some(took) = show::seconds(step.start_time.as_ref(), step.end_time.as_ref()) {
        text.push_str(&format!(" in {took}"));
    }
    if !step.message.is_empty() {
        text.push_str(&format!(": {}", step.message));
    }
    text
}
