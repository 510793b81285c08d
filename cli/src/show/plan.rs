//! A plan, as `--dry-run` prints it and as it stands above a confirmation.

use super::{Table, volume_named};
use crate::{failure::Failure, printer::Printer};
use strata_proto::strata::gateway::v1::PlanResponse;

/// Prints a plan as text on stdout.
///
/// # Errors
/// stdout cannot be written.
pub fn plan(printer: &Printer, plan: &PlanResponse) -> Result<(), Failure> {
    printer.head(&plan.summary)?;
    printer.data("")?;
    let mut steps = Table::new(&["STEP", "WHAT IT DOES", "HOW IT IS UNDONE"]);
    for step in &plan.steps {
        steps.row([step.name.clone(), step.description.clone(), step.undo.clone()]);
    }
    steps.print(printer, 2)?;
    if !plan.facts.is_empty() {
        printer.data("")?;
        let mut facts = Table::new(&["FACT", ""]);
        for fact in &plan.facts {
            facts.row([fact.topic.clone(), fact.text.clone()]);
        }
        facts.print(printer, 2)?;
    }
    printer.data("")?;
    if plan.neighbours.is_empty() {
        printer.data("  Nothing else lives on what is touched.")?;
    } else {
        let mut neighbours = Table::new(&["NEIGHBOUR", "KIND", "DATASTORE", "VOLUME"]);
        for neighbour in &plan.neighbours {
            neighbours.row([
                neighbour.display_name.clone(),
                neighbour.kind.clone(),
                neighbour.datastore.clone(),
                volume_named(&neighbour.volume, &neighbour.volume_display_name),
            ]);
        }
        neighbours.print(printer, 2)?;
    }
    printer.data("")?;
    let pivot = match plan.point_of_no_return.as_str() {
        "" => "none: every step can be taken back".to_owned(),
        step => format!("begins with {step}"),
    };
    printer.data(&format!("  Point of no return: {pivot}"))?;
    if !plan.undo_command.is_empty() {
        printer.data(&format!("  To undo it later:   {}", plan.undo_command))?;
    }
    printer.data(&format!("  Plan:               {}", plan.hash))
}
