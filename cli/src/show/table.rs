//! Tables without lines that fit the terminal: long cells wrap there, and one object is one line in a pipe.

use crate::{failure::Failure, printer::Printer};
use comfy_table::{ContentArrangement, Table as Grid, TableStyle};

/// A table in the making.
#[derive(Debug)]
pub struct Table {
    heads: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these columns.
    pub fn new(heads: &[&'static str]) -> Self {
        Self { heads: heads.to_vec(), rows: Vec::new() }
    }

    /// Adds a row; an empty cell shows as `-`.
    pub fn row<const N: usize>(&mut self, cells: [String; N]) {
        debug_assert_eq!(N, self.heads.len());
        self.rows.push(
            cells
                .into_iter()
                .map(|cell| if cell.is_empty() { "-".to_owned() } else { cell.replace('\n', "\\n") })
                .collect(),
        );
    }

    /// True without rows.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The lines of the table, indented by so many columns.
    ///
    /// # Errors
    /// stdout cannot be written.
    pub fn print(self, printer: &Printer, indent: u16) -> Result<(), Failure> {
        let mut grid = Grid::new();
        grid.load_style(TableStyle::new());
        grid.force_no_tty();
        grid.set_header(self.heads.clone());
        grid.add_rows(self.rows);
        match printer.style().columns {
            Some(columns) => {
                grid.set_content_arrangement(ContentArrangement::Dynamic);
                grid.set_width(columns.saturating_sub(indent).max(20));
            }
            None => {
                grid.set_content_arrangement(ContentArrangement::Disabled);
            }
        }
        for column in grid.column_iter_mut() {
            column.set_padding((0, 2));
        }
        let margin = " ".repeat(usize::from(indent));
        for (index, line) in grid.lines().enumerate() {
            let line = format!("{margin}{}", line.trim_end());
            if index == 0 { printer.head(&line)? } else { printer.data(&line)? }
        }
        Ok(())
    }
}
