//! Rows on their way: read from a file, made to fit, and summed up so that both sides can be compared.

use relance_engine::ports::StoreError;
use rusqlite::types::ValueRef;
use sha2::{Digest, Sha256};

use super::tables::{Fit, Rows, Table};
use crate::postgres::text::{key, plain, word};
use crate::read::db::Value;
use crate::sqlite::error::{Located, unreadable};

/// A value of a row on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cell {
    Null,
    Number(i64),
    Flag(bool),
    Text(String),
}

impl Cell {
    pub(super) fn value(&self) -> Value<'_> {
        match self {
            Self::Null => Value::Null,
            Self::Number(number) => Value::Int(*number),
            Self::Flag(flag) => Value::Int(i64::from(*flag)),
            Self::Text(text) => Value::Text(text),
        }
    }

    pub(super) fn text(&self) -> &str {
        match self {
            Self::Text(text) => text,
            Self::Null | Self::Number(_) | Self::Flag(_) => "",
        }
    }

    /// Roughly what it takes in memory.
    fn bytes(&self) -> usize {
        size_of::<Self>() + self.text().len()
    }
}

/// What it takes in memory.
pub(super) fn bytes(row: &[Cell]) -> usize {
    row.iter().map(Cell::bytes).sum()
}

/// How many rows, and a sum of hashes that does not depend on their order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Sum {
    pub(super) rows: u64,
    pub(super) sum: u128,
}

/// Between two columns.
const BETWEEN: char = '\u{1f}';
/// For nothing.
const NULL: &str = "\\N";

impl Sum {
    /// Adds a row. `text` is a place to work in.
    pub(super) fn add(&mut self, row: &[Cell], text: &mut String) {
        use std::fmt::Write as _;
        text.clear();
        for (ix, cell) in row.iter().enumerate() {
            if ix > 0 {
                text.push(BETWEEN);
            }
            match cell {
                Cell::Null => text.push_str(NULL),
                // Writing into a text does not fail.
                Cell::Number(number) => drop(write!(text, "{number}")),
                Cell::Flag(flag) => text.push_str(if *flag { "true" } else { "false" }),
                Cell::Text(own) => text.push_str(own),
            }
        }
        let hash = Sha256::digest(text.as_bytes());
        let mut first = [0; 8];
        first.copy_from_slice(&hash[..8]);
        self.rows += 1;
        self.sum += u128::from(u64::from_be_bytes(first) >> 4);
    }
}

/// The same sum, told by the server: rows, and the sum as a text.
pub(super) fn sum_sql(table: &Table) -> String {
    let columns: Vec<String> = table
        .columns
        .iter()
        .map(|(name, ..)| format!("coalesce({name}::text, '{NULL}')"))
        .collect();
    // 60 bits of each row's hash: their sum is exact.
    format!(
        "SELECT count(*), coalesce(sum(('x' || left(encode(sha256(convert_to({}, 'UTF8')), 'hex'), 15))\
         ::bit(60)::bigint), 0)::text FROM {}",
        columns.join(" || chr(31) || "),
        table.name,
    )
}

/// What is read of a file.
pub(super) fn select_sql(table: &Table) -> String {
    let columns: Vec<&str> = table.columns.iter().map(|(_, from, _)| *from).collect();
    format!("SELECT {} FROM {}", columns.join(", "), table.from)
}

/// Names of the columns on the server.
pub(super) fn names(table: &Table) -> String {
    let names: Vec<&str> = table.columns.iter().map(|(name, ..)| *name).collect();
    names.join(", ")
}

/// The rows that a row of the file becomes.
pub(super) fn read(
    table: &Table,
    row: &rusqlite::Row<'_>,
    mut take: impl FnMut(Vec<Cell>) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    match table.rows {
        Rows::Same => {
            let cell = |(ix, (_, _, fit)): (usize, &(&str, &str, Fit))| cell(table, row, ix, *fit);
            take(
                table
                    .columns
                    .iter()
                    .enumerate()
                    .map(cell)
                    .collect::<Result<_, _>>()?,
            )
        }
        Rows::Keys => {
            let slot: i64 = row.get(0).at(table.name, "slot")?;
            let packed = row.get_ref(1).at(table.name, "keys")?.as_blob();
            let packed = packed.map_err(|error| unreadable(table.name, "keys", error))?;
            let (keys, rest) = packed.as_chunks::<8>();
            if !rest.is_empty() {
                return Err(unreadable(
                    table.name,
                    "keys",
                    "they are not of eight bytes each",
                ));
            }
            for key in keys {
                take(vec![
                    Cell::Number(slot),
                    Cell::Number(i64::from_le_bytes(*key)),
                ])?;
            }
            Ok(())
        }
    }
}

fn cell(table: &Table, row: &rusqlite::Row<'_>, ix: usize, fit: Fit) -> Result<Cell, StoreError> {
    let wrong = |what: &str| unreadable(table.name, format_args!("column {ix}"), what);
    Ok(match (row.get_ref(ix).at(table.name, ix)?, fit) {
        (ValueRef::Null, _) => Cell::Null,
        (ValueRef::Integer(number), Fit::Number) => Cell::Number(number),
        (ValueRef::Integer(number), Fit::Flag) => Cell::Flag(number != 0),
        (ValueRef::Text(text), Fit::Text | Fit::Key | Fit::Word) => {
            let text = std::str::from_utf8(text).map_err(|_| wrong("a text is not UTF-8"))?;
            let fitting = match fit {
                Fit::Key => key(text),
                Fit::Word => word(text),
                Fit::Text | Fit::Number | Fit::Flag => plain(text),
            };
            Cell::Text(fitting.into_owned())
        }
        (ValueRef::Integer(_) | ValueRef::Real(_) | ValueRef::Text(_) | ValueRef::Blob(_), _) => {
            return Err(wrong("it is of another type than it should be"));
        }
    })
}
