//! What the demo found: checks, times, and whether all held.

use crate::{
    failure::Failure,
    lab::ArrayChoice,
    printer::Printer,
    show::{self, Table},
};
use serde_json::{Value, json};
use std::time::Duration;

/// A claim and whether it held.
#[derive(Debug)]
struct Check {
    step: &'static str,
    claim: String,
    /// What was found instead.
    found: Option<String>,
}

/// How long a step took.
#[derive(Debug)]
struct Step {
    name: &'static str,
    took: Duration,
    /// True where it stands for a copy of the disk.
    instead_of_copy: bool,
}

/// The whole.
#[derive(Debug)]
pub struct Report {
    array: ArrayChoice,
    disk_bytes: u64,
    checks: Vec<Check>,
    steps: Vec<Step>,
    full_copy: Option<Duration>,
    step: &'static str,
    quiet: bool,
}

impl Report {
    /// Nothing found yet.
    pub fn new(printer: &Printer, array: &ArrayChoice, disk_bytes: u64) -> Self {
        Self {
            array: array.clone(),
            disk_bytes,
            checks: Vec::new(),
            steps: Vec::new(),
            full_copy: None,
            step: "",
            quiet: printer.style().json,
        }
    }

    /// True where the story is told as it goes.
    pub fn is_told(&self) -> bool {
        !self.quiet
    }

    /// What follows belongs to this step.
    pub fn begin(&mut self, step: &'static str) {
        self.step = step;
    }

    /// Notes a claim; `found` says what was found instead where it did not hold.
    pub fn check(&mut self, claim: String, found: Option<String>) {
        self.checks.push(Check { step: self.step, claim, found });
    }

    /// Adds to how long this step took; `instead_of_copy` where it replaces a copy of the disk.
    pub fn took(&mut self, took: Duration, instead_of_copy: bool) {
        match self.steps.last_mut() {
            Some(last) if last.name == self.step => last.took += took,
            _ => self.steps.push(Step { name: self.step, took, instead_of_copy }),
        }
    }

    /// Notes what took so long behind this step, with the VM running.
    pub fn took_by(&mut self, name: &'static str, took: Duration) {
        self.steps.push(Step { name, took, instead_of_copy: false });
    }

    /// Notes how long the full copy took.
    pub fn full_copy(&mut self, took: Duration) {
        self.full_copy = Some(took);
    }

    /// True where all checks held, and there were some.
    pub fn held(&self) -> bool {
        !self.checks.is_empty() && self.checks.iter().all(|check| check.found.is_none())
    }

    /// As JSON.
    pub fn to_json(&self) -> Value {
        let seconds = |took: &Duration| took.as_secs_f64();
        let checks: Vec<Value> = self
            .checks
            .iter()
            .map(|c| json!({"step": c.step, "claim": c.claim, "held": c.found.is_none(), "found": c.found}))
            .collect();
        let steps: Vec<Value> = self
            .steps
            .iter()
            .map(|step| {
                let copy = self.full_copy.filter(|_| step.instead_of_copy);
                json!({"step": step.name, "seconds": seconds(&step.took), "fullCopySeconds": copy.as_ref().map(seconds)})
            })
            .collect();
        json!({
            "held": self.held(),
            "array": {"name": self.array.name, "kind": self.array.kind.as_str(), "reason": self.array.reason},
            "diskBytes": self.disk_bytes,
            "checks": checks,
            "steps": steps,
        })
    }

    /// Prints the table of times and the verdict.
    ///
    /// # Errors
    /// stdout cannot be written.
    pub fn print(&self, printer: &Printer) -> Result<(), Failure> {
        printer.data("")?;
        let copy_head = "FULL COPY OF THE SAME DISK";
        let mut table = Table::new(&["STEP", "STRATA", copy_head, "TIMES FASTER"]);
        for step in &self.steps {
            let copy = self.full_copy.filter(|_| step.instead_of_copy);
            let faster = copy.map(|copy| copy.as_secs_f64() / step.took.as_secs_f64().max(0.000_001));
            table.row([
                step.name.to_owned(),
                millis(step.took),
                copy.map(millis).unwrap_or_default(),
                faster.map(|times| format!("{times:.1}")).unwrap_or_default(),
            ]);
        }
        table.print(printer, 0)?;
        printer.data("")?;
        printer.data(&format!(
            "The disk holds {}. What Strata does takes the same time for a disk of any size; a copy does not.",
            show::bytes(self.disk_bytes)
        ))?;
        if self.array.kind.is_block() {
            printer.data(
                "On LUNs a revert goes through a clone, and the VM runs again as soon as its disks are swapped. The move home \
                 behind it copies the disk once, with the VM running.",
            )?;
        }
        let broken = self.checks.iter().filter(|check| check.found.is_some()).count();
        let verdict = match broken {
            0 => format!("All {} checks held.", self.checks.len()),
            _ => format!("{broken} of {} checks did not hold.", self.checks.len()),
        };
        printer.head(&verdict)
    }
}

fn millis(took: Duration) -> String {
    format!("{:.1} ms", took.as_secs_f64() * 1_000.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::ArrayKind;

    fn report() -> Report {
        let array = ArrayChoice { name: "a".into(), kind: ArrayKind::Reference, reason: "r".into() };
        Report { array, disk_bytes: 1, checks: vec![], steps: vec![], full_copy: None, step: "s", quiet: true }
    }

    #[test]
    fn one_check_that_does_not_hold_is_enough() {
        let mut report = report();
        assert!(!report.held(), "nothing was checked");
        report.check("a".into(), None);
        assert!(report.held());
        report.check("b".into(), Some("other bytes".into()));
        report.check("c".into(), None);
        assert!(!report.held());
        assert_eq!(report.to_json()["checks"][1]["found"], "other bytes");
    }

    #[test]
    fn times_of_one_step_add_up() {
        let mut report = report();
        report.took(Duration::from_millis(5), false);
        report.took(Duration::from_millis(7), false);
        report.begin("t");
        report.took(Duration::from_millis(1), true);
        report.full_copy(Duration::from_millis(100));
        let steps = report.to_json()["steps"].clone();
        assert_eq!(steps[0]["seconds"], 0.012);
        assert_eq!((&steps[0]["fullCopySeconds"], &steps[1]["fullCopySeconds"]), (&Value::Null, &json!(0.1)));
    }
}
