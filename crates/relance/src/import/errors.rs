//! The file of rows that could not be used: a CSV that is mended in a spreadsheet and imported again.
//!
//! Each row stands as it came, behind what is wrong with it; the heads are those of the original. It has a
//! limit, beyond which rows are counted only, and its last line says so.

use std::fs::{File, OpenOptions};
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::Path;

use relance_wire::table::call::CellProblem;
use relance_wire::table::export::write_row;
use relance_wire::table::record::{Row, RowProblem};

/// Bytes of one file of errors.
pub const ERRORS_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// Columns before those of the original.
pub const OWN_HEADS: [&str; 5] = [
    "import_row",
    "import_line",
    "import_column",
    "import_code",
    "import_reason",
];

/// The file.
pub struct ErrorsFile {
    file: File,
    bytes: u64,
}

impl ErrorsFile {
    /// Opens the file of a job; what was written after its last checkpoint is taken away.
    pub fn open(path: &Path, bytes: u64, heads: &[String]) -> std::io::Result<Self> {
        let mut file = OpenOptions::new()
            .create(true)
            .write(true)
            .truncate(false)
            .open(path)?;
        // It may have been shortened since, by rows of people who were erased.
        let bytes = bytes.min(file.metadata()?.len());
        file.set_len(bytes)?;
        file.seek(SeekFrom::End(0))?;
        let mut errors = Self { file, bytes };
        if bytes == 0 {
            errors.write(&header(heads))?;
        }
        Ok(errors)
    }

    /// Adds rows that were written with [`line()`] or [`unreadable`].
    pub fn write(&mut self, text: &str) -> std::io::Result<()> {
        if text.is_empty() || self.bytes >= ERRORS_BYTES_MAX {
            return Ok(());
        }
        self.file.write_all(text.as_bytes())?;
        self.bytes += text.len() as u64;
        if self.bytes >= ERRORS_BYTES_MAX {
            let mut last = String::new();
            let reason = "the file of errors is full; further rows are counted only";
            write_row(&mut last, ["", "", "", "full", reason]);
            self.file.write_all(last.as_bytes())?;
            self.bytes += last.len() as u64;
        }
        Ok(())
    }

    /// Makes sure that it is on disk; returns its length.
    pub fn keep(&mut self) -> std::io::Result<u64> {
        self.file.sync_data()?;
        Ok(self.bytes)
    }
}

/// The head, behind the mark by which spreadsheets know UTF-8.
pub fn header(heads: &[String]) -> String {
    let mut out = String::from("\u{feff}");
    let own = OWN_HEADS.into_iter();
    write_row(&mut out, own.chain(heads.iter().map(String::as_str)));
    out
}

/// A row and what is wrong with it.
pub fn line(out: &mut String, row: &Row, problems: &[CellProblem]) {
    let mut columns: Vec<&str> = Vec::new();
    let mut codes: Vec<&str> = Vec::new();
    let mut reasons: Vec<String> = Vec::new();
    for problem in problems {
        if !problem.column.is_empty() && !columns.contains(&problem.column.as_str()) {
            columns.push(&problem.column);
        }
        codes.push(problem.why.code());
        reasons.push(if problem.value.is_empty() {
            problem.why.to_string()
        } else {
            format!("{:?}: {}", problem.value, problem.why)
        });
    }
    let own = [
        row.number.to_string(),
        row.line.to_string(),
        columns.join("; "),
        codes.join("; "),
        reasons.join("; "),
    ];
    let cells: Vec<String> = (0..row.len()).map(|at| row.shown(at)).collect();
    write_row(out, own.iter().chain(&cells).map(String::as_str));
}

/// A row that could not even be read.
pub fn unreadable(out: &mut String, problem: &RowProblem) {
    let own = [
        problem.row.to_string(),
        problem.line.to_string(),
        String::new(),
        problem.why.code().to_owned(),
        problem.why.to_string(),
    ];
    write_row(out, own.iter().map(String::as_str));
}

/// A row that is refused for what is known of its contact; what it holds is not repeated.
pub fn refused(out: &mut String, number: u64, line: u64, code: &str, reason: &str) {
    write_row(
        out,
        [
            number.to_string().as_str(),
            line.to_string().as_str(),
            "",
            code,
            reason,
        ],
    );
}
