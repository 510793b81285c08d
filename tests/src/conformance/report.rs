//! Runs all cases on a row and tells how each ended.

use super::{Case, Verdict, cases, lab, rows::Row, run};

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
    run_some(row, |_| true).await
}

/// The cases that are wanted, one after the other.
pub async fn run_some(row: &dyn Row, is_wanted: impl Fn(&Case) -> bool) -> Report {
    let mut report = Report::default();
    // All arrays of a row can do the same: what is absent needs no array of its own.
    let capabilities = match lab(row, "capabilities").await {
        Ok(lab) => lab.driver().capabilities(),
        Err(error) => {
            report.failed.push(("capabilities", format!("{error:#}")));
            return report;
        }
    };
    for case in cases::all().filter(|case| is_wanted(case)) {
        if let Some(lacking) = case.lacking(&capabilities) {
            report.absent.push((case.name, format!("{lacking:?}")));
            continue;
        }
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
