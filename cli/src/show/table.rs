//! Tables without lines that fit the terminal: long cells wrap there, and one object is one line in a pipe.

use crate::{
    failure::Failure,
    printer::{Printer, harmless},
};
use comfy_table::{ColumnConstraint, ContentArrangement, Table as Grid, TableStyle, Width};

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
                .map(|cell| if cell.is_empty() { "-".to_owned() } else { harmless(&cell.replace('\n', "\\n")) })
                .collect(),
        );
    }

    /// True without rows.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Columns that the longest word of each column takes, with the gap after it.
    fn longest_words(&self) -> Vec<u16> {
        let longest = |text: &str| text.split_whitespace().map(console::measure_text_width).max().unwrap_or(0);
        let cells = |index: usize| self.rows.iter().map(move |row| longest(&row[index]));
        let widths = self.heads.iter().enumerate().map(|(index, head)| cells(index).fold(longest(head), usize::max));
        widths.map(|width| u16::try_from(width + 2).unwrap_or(u16::MAX)).collect()
    }

    /// The lines of the table, indented by so many columns.
    ///
    /// # Errors
    /// stdout cannot be written.
    pub fn print(self, printer: &Printer, indent: u16) -> Result<(), Failure> {
        let words = self.longest_words();
        let mut grid = Grid::new();
        grid.load_style(TableStyle::new());
        grid.force_no_tty();
        grid.set_header(self.heads.clone());
        grid.add_rows(self.rows);
        match printer.style().columns {
            Some(columns) => {
                grid.set_content_arrangement(ContentArrangement::Dynamic);
                let columns = columns.saturating_sub(indent).max(20);
                grid.set_width(columns);
                let least = fit(words, columns);
                grid.set_constraints(least.into_iter().map(|w| ColumnConstraint::LowerBoundary(Width::Fixed(w))));
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

/// Words are broken only where they do not fit otherwise, and the longest first: the least width of each column.
fn fit(mut words: Vec<u16>, columns: u16) -> Vec<u16> {
    while words.iter().map(|word| u32::from(*word)).sum::<u32>() > u32::from(columns) {
        match words.iter_mut().max() {
            Some(longest) if *longest > 1 => *longest -= 1,
            _ => break,
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_words_give_way() {
        for (words, columns, fitted) in [
            (vec![10, 5, 5], 20, vec![10, 5, 5]),
            (vec![10, 5, 5], 15, vec![5, 5, 5]),
            (vec![9, 9, 2], 16, vec![7, 7, 2]),
            (vec![u16::MAX, u16::MAX], 2, vec![1, 1]),
            (vec![3, 3], 0, vec![1, 1]),
            (vec![], 0, vec![]),
        ] {
            assert_eq!(fit(words.clone(), columns), fitted, "{words:?} in {columns}");
        }
    }
}
