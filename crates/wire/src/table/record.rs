//! Rows out of comma-separated text, as a machine that is fed: no input is kept, and no row grows beyond its
//! limits.
//!
//! A row beyond a limit is skipped to its end and reported; the next one is read as usual. RFC 4180, with any
//! end of line, and lenient about quotes inside of cells. Blank lines are no rows.
//!
//! **Absent:** where the text comes from and its encoding: it is UTF-8 here.

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

use super::{CELL_BYTES_MAX, COLUMNS_MAX, ROW_BYTES_MAX};

/// One cell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Cell<'a> {
    /// Nothing.
    Empty,
    /// A text, as written.
    Text(&'a str),
    /// A number of a spreadsheet.
    Number(f64),
    /// A date or moment of a spreadsheet: days since the end of 1899.
    Serial(f64),
    /// Yes or no of a spreadsheet.
    Bool(bool),
    /// What a formula failed with, such as `#N/A`.
    Failed(&'a str),
}

#[derive(Debug, Clone, Copy)]
enum Stored {
    Empty,
    Text { end: usize },
    Number(f64),
    Serial(f64),
    Bool(bool),
    Failed { end: usize },
}

/// One row; its memory is used again for the next.
#[derive(Debug, Clone, Default)]
pub struct Row {
    /// Its number, from 1; the header counts, blank lines do not.
    pub number: u64,
    /// The line of the file, or row of the sheet, that it begins in.
    pub line: u64,
    text: String,
    cells: Vec<(usize, Stored)>,
}

impl Row {
    /// An empty row.
    pub fn begin(&mut self, number: u64, line: u64) {
        self.number = number;
        self.line = line;
        self.text.clear();
        self.cells.clear();
    }

    /// Columns, empty ones at the end included.
    pub fn len(&self) -> usize {
        self.cells.len()
    }

    /// Whether no cell holds anything.
    pub fn is_empty(&self) -> bool {
        (0..self.len()).all(|at| match self.cell(at) {
            Cell::Empty => true,
            Cell::Text(text) => text.trim().is_empty(),
            Cell::Number(_) | Cell::Serial(_) | Cell::Bool(_) | Cell::Failed(_) => false,
        })
    }

    /// A cell; empty beyond the last.
    pub fn cell(&self, at: usize) -> Cell<'_> {
        let Some((start, stored)) = self.cells.get(at) else {
            return Cell::Empty;
        };
        let text = |end: usize| self.text.get(*start..end).unwrap_or_default();
        match *stored {
            Stored::Empty => Cell::Empty,
            Stored::Text { end } if end == *start => Cell::Empty,
            Stored::Text { end } => Cell::Text(text(end)),
            Stored::Number(number) => Cell::Number(number),
            Stored::Serial(serial) => Cell::Serial(serial),
            Stored::Bool(value) => Cell::Bool(value),
            Stored::Failed { end } => Cell::Failed(text(end)),
        }
    }

    /// All cells.
    pub fn cells(&self) -> impl Iterator<Item = Cell<'_>> {
        (0..self.len()).map(|at| self.cell(at))
    }

    /// The cell as people would type it.
    pub fn shown(&self, at: usize) -> String {
        match self.cell(at) {
            Cell::Empty => String::new(),
            Cell::Text(text) | Cell::Failed(text) => text.to_owned(),
            Cell::Number(number) => super::value::number_text(number),
            Cell::Serial(serial) => super::value::serial_text(serial)
                .unwrap_or_else(|| super::value::number_text(serial)),
            Cell::Bool(value) => value.to_string(),
        }
    }

    /// Puts a cell into a column; those between stay empty. Earlier columns are not gone back to.
    pub fn put(&mut self, column: usize, cell: Cell<'_>) -> Result<(), RowProblem> {
        if column >= COLUMNS_MAX {
            return Err(self.problem(RowWhy::TooManyColumns));
        }
        let start = self.text.len();
        let stored = match cell {
            Cell::Empty => Stored::Empty,
            Cell::Text(text) | Cell::Failed(text) => {
                if text.len() > CELL_BYTES_MAX {
                    return Err(self.problem(RowWhy::CellTooLarge));
                }
                if start + text.len() > ROW_BYTES_MAX {
                    return Err(self.problem(RowWhy::TooLarge));
                }
                self.text.push_str(text);
                let end = self.text.len();
                match cell {
                    Cell::Failed(_) => Stored::Failed { end },
                    Cell::Empty
                    | Cell::Text(_)
                    | Cell::Number(_)
                    | Cell::Serial(_)
                    | Cell::Bool(_) => Stored::Text { end },
                }
            }
            Cell::Number(number) => Stored::Number(number),
            Cell::Serial(serial) => Stored::Serial(serial),
            Cell::Bool(value) => Stored::Bool(value),
        };
        while self.cells.len() < column {
            self.cells.push((start, Stored::Empty));
        }
        self.cells.push((start, stored));
        Ok(())
    }

    fn problem(&self, why: RowWhy) -> RowProblem {
        RowProblem {
            row: self.number,
            line: self.line,
            why,
        }
    }
}

/// A row that cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct RowProblem {
    /// Its number, from 1.
    pub row: u64,
    /// The line that it begins in.
    pub line: u64,
    /// What is wrong.
    pub why: RowWhy,
}

/// What is wrong with a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RowWhy {
    /// More cells than a row may have.
    #[error(
        "the row has more than {COLUMNS_MAX} columns; check the delimiter, or leave columns out"
    )]
    TooManyColumns,
    /// One cell is too large.
    #[error("a cell has more than {CELL_BYTES_MAX} bytes; shorten it, or check the quotes")]
    CellTooLarge,
    /// The row is too large.
    #[error("the row has more than {ROW_BYTES_MAX} bytes; shorten it, or check the quotes")]
    TooLarge,
    /// The file ended within quotes.
    #[error(
        "a quote that opens in this row never closes, so the rest of the file is one cell; close it"
    )]
    EndlessQuote,
}

impl RowWhy {
    /// A short stable code for counting.
    pub const fn code(self) -> &'static str {
        match self {
            Self::TooManyColumns => "too_many_columns",
            Self::CellTooLarge => "cell_too_large",
            Self::TooLarge => "row_too_large",
            Self::EndlessQuote => "endless_quote",
        }
    }
}

/// What a step of [`Records`] came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The input is used up; feed more.
    More,
    /// A row is in the buffer.
    Row,
    /// A row was skipped.
    Skipped(RowProblem),
    /// The text is at its end.
    End,
}

/// The machine.
pub struct Records {
    reader: Reader,
    bytes: Vec<u8>,
    ends: Vec<usize>,
    filled: usize,
    columns: usize,
    number: u64,
    line: u64,
    /// A row has begun that has not ended.
    within: bool,
    skipping: Option<RowWhy>,
}

impl Records {
    /// For text with this delimiter.
    pub fn new(delimiter: u8) -> Self {
        Self {
            reader: ReaderBuilder::new().delimiter(delimiter).build(),
            bytes: vec![0; 4 * 1024],
            // One more than may be, so that a row of just as many is told from a longer one.
            ends: vec![0; COLUMNS_MAX + 1],
            filled: 0,
            columns: 0,
            number: 0,
            line: 0,
            within: false,
            skipping: None,
        }
    }

    /// Reads on; returns how many bytes of `input` were used. An empty `input` says that there is no more.
    pub fn step(&mut self, input: &[u8], row: &mut Row) -> (usize, Step) {
        let mut used = 0;
        loop {
            if !self.within {
                // Blank lines, so that the row's line is the one that it really begins in.
                let blank = input[used..]
                    .iter()
                    .take_while(|byte| matches!(byte, b'\n' | b'\r'))
                    .count();
                if blank > 0 {
                    self.skip_blank(&input[used..used + blank]);
                    used += blank;
                }
                if used == input.len() && !input.is_empty() {
                    return (used, Step::More);
                }
                self.begin();
            }
            if self.filled == self.bytes.len() {
                self.make_room();
            }
            let (result, read, wrote, ended) = self.reader.read_record(
                &input[used..],
                &mut self.bytes[self.filled..],
                &mut self.ends[self.columns..],
            );
            used += read;
            self.filled += wrote;
            self.columns += ended;
            if self.skipping.is_some() {
                self.forget();
            }
            match result {
                ReadRecordResult::InputEmpty => return (used, Step::More),
                ReadRecordResult::OutputFull => {}
                ReadRecordResult::OutputEndsFull => self.skip(RowWhy::TooManyColumns),
                ReadRecordResult::Record => {
                    self.within = false;
                    return (used, self.finish(row, input.is_empty()));
                }
                ReadRecordResult::End => {
                    self.within = false;
                    return (used, Step::End);
                }
            }
        }
    }

    fn skip_blank(&mut self, blank: &[u8]) {
        // The machine counts lines, and is between two rows: it makes nothing of these.
        let (_, _, _, _) = self
            .reader
            .read_record(blank, &mut self.bytes, &mut self.ends);
    }

    fn begin(&mut self) {
        self.within = true;
        self.filled = 0;
        self.columns = 0;
        self.skipping = None;
        self.line = self.reader.line();
    }

    /// The buffer is full: it grows up to the limit, beyond which the row is skipped.
    fn make_room(&mut self) {
        if self.bytes.len() < ROW_BYTES_MAX {
            let larger = (self.bytes.len() * 2).min(ROW_BYTES_MAX);
            self.bytes.resize(larger, 0);
        } else {
            self.skip(RowWhy::TooLarge);
        }
    }

    fn skip(&mut self, why: RowWhy) {
        self.skipping.get_or_insert(why);
        self.forget();
    }

    fn forget(&mut self) {
        self.filled = 0;
        self.columns = 0;
    }

    fn finish(&mut self, row: &mut Row, at_end: bool) -> Step {
        self.number += 1;
        let problem = |why| {
            Step::Skipped(RowProblem {
                row: self.number,
                line: self.line,
                why,
            })
        };
        match self.skipping {
            // A row that is far too large and ends with the file is a quote that never closed.
            Some(RowWhy::TooLarge) if at_end => return problem(RowWhy::EndlessQuote),
            Some(why) => return problem(why),
            None => {}
        }
        if self.columns > COLUMNS_MAX {
            return problem(RowWhy::TooManyColumns);
        }
        row.begin(self.number, self.line);
        let mut text = std::mem::take(&mut row.text).into_bytes();
        text.extend_from_slice(&self.bytes[..self.filled]);
        // Cells end at ASCII characters, so the text stays whole unless it was not UTF-8 in the first place.
        row.text = String::from_utf8(text)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
        let mut start = 0;
        for end in &self.ends[..self.columns] {
            if end - start > CELL_BYTES_MAX {
                return problem(RowWhy::CellTooLarge);
            }
            row.cells.push((start, Stored::Text { end: *end }));
            start = *end;
        }
        Step::Row
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Number, line and cells of a row.
    type Read = (u64, u64, Vec<String>);

    /// All rows of a text that is fed in pieces of a size.
    fn rows(text: &[u8], piece: usize) -> Vec<Result<Read, RowProblem>> {
        let mut records = Records::new(b',');
        let mut row = Row::default();
        let mut found = Vec::new();
        let mut take = |input: &[u8]| {
            let mut input = input;
            loop {
                let (used, step) = records.step(input, &mut row);
                let at_end = input.is_empty();
                input = &input[used..];
                match step {
                    Step::More if at_end => {}
                    Step::More | Step::End => return,
                    Step::Row => {
                        let cells = (0..row.len()).map(|at| row.shown(at)).collect();
                        found.push(Ok((row.number, row.line, cells)));
                    }
                    Step::Skipped(problem) => found.push(Err(problem)),
                }
                if input.is_empty() && !at_end {
                    return;
                }
            }
        };
        for piece in text.chunks(piece) {
            take(piece);
        }
        take(b"");
        found
    }

    fn cells(text: &str) -> Vec<Vec<String>> {
        let whole = rows(text.as_bytes(), usize::MAX);
        for piece in [1, 2, 3, 7] {
            assert_eq!(rows(text.as_bytes(), piece), whole, "in pieces of {piece}");
        }
        whole.into_iter().map(|row| row.unwrap().2).collect()
    }

    #[test]
    fn rows_are_the_same_however_they_come() {
        assert_eq!(
            cells("a,b\r\n\r\n\"x, \"\"y\"\"\nz\",2\n\n3,\nимя,名前"),
            [["a", "b"], ["x, \"y\"\nz", "2"], ["3", ""], ["имя", "名前"]]
        );
        assert_eq!(cells("a\rb\r"), [["a"], ["b"]]);
        assert_eq!(cells(""), Vec::<Vec<String>>::new());
        assert_eq!(cells("\n\n"), Vec::<Vec<String>>::new());
    }

    #[test]
    fn lines_are_those_of_the_file() {
        let lines: Vec<(u64, u64)> = rows(b"h\n\n\"a\nb\"\nc\r\n\r\nd", 2)
            .into_iter()
            .map(|row| row.map(|(number, line, _)| (number, line)).unwrap())
            .collect();
        assert_eq!(lines, [(1, 1), (2, 3), (3, 5), (4, 7)]);
    }

    #[test]
    fn a_row_beyond_a_limit_is_skipped_and_the_next_is_read() {
        let wide = format!("h\n{}\nnext\n", ",".repeat(2_000_000));
        let long = format!("h\n\"{}\"\nnext\n", "x".repeat(CELL_BYTES_MAX + 1));
        let large = format!("h\n{}\nnext\n", "abcdefg,".repeat(ROW_BYTES_MAX / 7));
        for (text, why) in [
            (wide, RowWhy::TooManyColumns),
            (long, RowWhy::CellTooLarge),
            (large, RowWhy::TooManyColumns),
        ] {
            for piece in [usize::MAX, 1000] {
                let found = rows(text.as_bytes(), piece);
                assert_eq!(found.len(), 3);
                assert_eq!(found[1].as_ref().unwrap_err().why, why);
                assert_eq!(found[1].as_ref().unwrap_err().line, 2);
                assert_eq!(found[2].as_ref().unwrap().2, ["next"]);
            }
        }
    }

    #[test]
    fn an_endless_cell_takes_no_memory_and_says_where_it_opened() {
        let text = format!("h\na\n\"{}", "b\n".repeat(ROW_BYTES_MAX));
        let found = rows(text.as_bytes(), 64 * 1024);
        assert_eq!(found.len(), 3);
        let problem = found[2].as_ref().unwrap_err();
        assert_eq!((problem.why, problem.line), (RowWhy::EndlessQuote, 3));
    }
}
