//! Runs all cases on a row and tells how each ended.

use super::{Verdict, cases, rows::Row, run};

/// How a row did.
#[derive(Debug, Default)]
pub struct Report {
    /// Names of cases that held.
    pub passed: Vec<&'static str>,
    /// Names and what was lacking.
    pub absent: Vec<(&'static str, String)>,
    /// Names and why.
    pub failed: Vec<(&'static str, String)>,
}

/// All cases, one after the other.
pub async fn run_row(row: &dyn Row) -> Report {
    let mut report = Report::default();
    for case in cases::all() {
        match run(case, row).await {
            Verdict::Passed => report.passed.push(case.name),
            Verdict::Absent(lacking) => report.absent.push((case.name, lacking)),
            Verdict::Failed(why) => report.failed.push((case.name, why)),
        }
    }
    report
}

impl Report {
    /// For people.
    pub fn text(&self, row: &str) -> String {
        let mut lines = vec![format!(
            "{row}: {} passed, {} absent, {} failed",
            self.passed.len(),
            self.absent.len(),
            self.failed.len()
        )];
        lines.extend(self.absent.iter().map(|(name, lacking)| format!("  absent  {name} (needs {lacking})")));
        lines.extend(self.failed.iter().map(|(name, why)| format!("  FAILED  {name}: {why}")));
        lines.join("\n")
    }
}
