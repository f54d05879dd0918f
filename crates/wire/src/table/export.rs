//! Cells on their way out: what a spreadsheet would run as a formula leaves as a text.
//!
//! A text that begins with `=`, `+`, `-`, `@`, a tab or a carriage return is run when the file is opened (CSV
//! injection, OWASP); an apostrophe before it prevents that. Reading it back takes the apostrophe away.

use std::borrow::Cow;

use super::value::{Decimal, number};

/// A text as a cell that no spreadsheet runs. Numbers with a sign stay numbers.
pub fn inert(text: &str) -> Cow<'_, str> {
    // A text that looks like what is written here gets an apostrophe of its own, so that reading takes only that.
    let is_disguised = original(text).len() < text.len();
    if is_disguised || (is_formula(text) && number(text, Decimal::Point).is_err()) {
        Cow::Owned(format!("'{text}"))
    } else {
        Cow::Borrowed(text)
    }
}

/// The text of a cell that [`inert`] wrote, or of any other.
pub fn original(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(rest) if is_formula(rest.trim_start_matches('\'')) => rest,
        Some(_) | None => cell,
    }
}

/// Whether a spreadsheet would run it.
pub fn is_formula(text: &str) -> bool {
    text.starts_with(['=', '+', '-', '@', '\t', '\r'])
}

/// Adds a row to a CSV text (RFC 4180, CRLF).
pub fn write_row<'a>(out: &mut String, cells: impl IntoIterator<Item = &'a str>) {
    for (at, cell) in cells.into_iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        let cell = inert(cell);
        if cell.contains([',', '"', '\n', '\r', ';', '\t'])
            || cell.starts_with(' ')
            || cell.ends_with(' ')
        {
            out.push('"');
            out.push_str(&cell.replace('"', "\"\""));
            out.push('"');
        } else {
            out.push_str(&cell);
        }
    }
    out.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_leave_as_texts_and_come_back() {
        for (text, cell) in [
            ("=1+1", "'=1+1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"),
            ("-x", "'-x"),
            ("\t=1", "'\t=1"),
            ("-5", "-5"),
            ("+7.5", "+7.5"),
            ("+79123456789", "+79123456789"),
            ("plain", "plain"),
            ("'quoted'", "'quoted'"),
            ("'=1", "''=1"),
            ("", ""),
        ] {
            assert_eq!(inert(text), cell);
            assert_eq!(original(cell), text);
        }
    }

    #[test]
    fn rows_are_quoted_where_they_must_be() {
        let mut out = String::new();
        write_row(&mut out, ["a", "b,c", "d\"e", "=f", " g", ""]);
        assert_eq!(out, "a,\"b,c\",\"d\"\"e\",'=f,\" g\",\r\n");
    }
}
