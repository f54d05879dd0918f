//! Tables of contacts, as spreadsheets write them: guessed, mapped, and turned into calls row by row.
//!
//! Nothing here grows with the file: a row is read into memory that is used again, and every cell, row and
//! number of columns has its limit. What cannot be used is an answer with row, column, reason and remedy.
//!
//! **Absent:** files, streams and workbooks (see `relance::import`), and whether a contact exists.

pub mod call;
pub mod charset;
pub mod column;
pub mod export;
pub mod guess;
pub mod mapping;
pub mod record;
pub mod suggest;
pub mod value;

/// Bytes of one cell; a spreadsheet's cell holds 32,767 characters.
pub const CELL_BYTES_MAX: usize = 128 * 1024;
/// Bytes of one row.
pub const ROW_BYTES_MAX: usize = 1024 * 1024;
/// Columns of one table.
pub const COLUMNS_MAX: usize = 1_000;
/// Characters of a value that a message repeats.
pub const SHOWN_CHARS_MAX: usize = 60;

/// A value as a message may repeat it.
pub fn shorten(text: &str) -> String {
    let mut short: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(SHOWN_CHARS_MAX)
        .collect();
    if text.chars().nth(SHOWN_CHARS_MAX).is_some() {
        short.push('…');
    }
    short
}
