//! What the head of a text table looks like: its delimiter, and whether its first row names the columns.
//!
//! **Absent:** its encoding (see [`charset`](super::charset)); what the columns mean (see
//! [`suggest`](super::suggest)).

use super::record::{Records, Row, Step};
use super::suggest::{known_header, look};

/// Delimiters that are tried. Of two that make even tables, the sign that is rarer in texts is meant.
pub const DELIMITERS: [u8; 4] = [b'\t', b'|', b';', b','];
/// Rows of the head that are looked at.
pub const SAMPLE_ROWS_MAX: usize = 100;

/// A delimiter by its name or itself.
pub fn delimiter_of(word: &str) -> Option<u8> {
    match word {
        "comma" | "," => Some(b','),
        "semicolon" | ";" => Some(b';'),
        "tab" | "\t" | "\\t" => Some(b'\t'),
        "pipe" | "|" => Some(b'|'),
        _other => None,
    }
}

/// The name of a delimiter.
pub const fn delimiter_word(delimiter: u8) -> &'static str {
    match delimiter {
        b';' => "semicolon",
        b'\t' => "tab",
        b'|' => "pipe",
        _comma => "comma",
    }
}

/// What spreadsheets write before the first row to say the delimiter: `sep=;`. Its length, line end included.
pub fn directive(head: &str) -> Option<(u8, usize)> {
    let line = head.split_inclusive('\n').next()?;
    let rest = line.trim_end_matches(['\r', '\n']).strip_prefix("sep=")?;
    let rest = if rest.is_empty() { "\t" } else { rest };
    Some((delimiter_of(rest)?, line.len()))
}

/// The delimiter that makes the most even table of the head. A comma, if none does.
pub fn delimiter(head: &str) -> u8 {
    if let Some((delimiter, _)) = directive(head) {
        return delimiter;
    }
    let mut best = (0, b',');
    for delimiter in DELIMITERS {
        let widths: Vec<usize> = rows(head, delimiter).iter().map(Vec::len).collect();
        let Some(score) = evenness(&widths) else {
            continue;
        };
        if score > best.0 {
            best = (score, delimiter);
        }
    }
    best.1
}

/// How even a table of these widths is: rows as wide as most, in thousandths; wider tables win ties.
fn evenness(widths: &[usize]) -> Option<usize> {
    let mut counts: Vec<(usize, usize)> = Vec::new();
    for width in widths {
        match counts.iter_mut().find(|(known, _)| known == width) {
            Some((_, count)) => *count += 1,
            None => counts.push((*width, 1)),
        }
    }
    let (width, count) = counts
        .into_iter()
        .max_by_key(|(width, count)| (*count, *width))?;
    let share = 1000 * count / widths.len();
    (width > 1).then_some(share * 100 + width.min(99))
}

/// The first rows of a head. The last row is left out when the head is cut within it.
pub fn rows(head: &str, delimiter: u8) -> Vec<Vec<String>> {
    let mut records = Records::new(delimiter);
    let mut row = Row::default();
    let mut found = Vec::new();
    let mut rest = head.as_bytes();
    let ends_whole = head.ends_with(['\n', '\r']);
    while found.len() < SAMPLE_ROWS_MAX {
        let (used, step) = records.step(rest, &mut row);
        let at_end = rest.is_empty();
        rest = &rest[used..];
        match step {
            Step::Row => found.push((0..row.len()).map(|at| row.shown(at)).collect()),
            Step::Skipped(_) => {}
            Step::End => break,
            // A head of one row is a whole file more often than a cut one.
            Step::More if at_end || (!ends_whole && !found.is_empty()) => break,
            Step::More => {}
        }
    }
    found
}

/// Whether the first row names the columns.
pub fn has_header(rows: &[Vec<String>]) -> bool {
    let Some((first, rest)) = rows.split_first() else {
        return false;
    };
    let is_data = |text: &String| look(text).is_data();
    if first.iter().any(is_data) {
        return false;
    }
    if first.iter().any(|cell| known_header(cell)) {
        return true;
    }
    // Names are there and differ; below them is data, or nothing that would tell otherwise.
    let named: Vec<&String> = first
        .iter()
        .filter(|cell| !cell.trim().is_empty())
        .collect();
    let differ = named
        .iter()
        .enumerate()
        .all(|(at, cell)| !named[..at].contains(cell));
    let below = rest.iter().any(|row| row.iter().any(is_data));
    !named.is_empty() && differ && named.len() * 2 > first.len() && below
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delimiters_are_told_by_even_rows() {
        for (text, expected) in [
            ("a,b\n1,2\n", b','),
            ("a;b\n1,5;2,5\n3,1;4,2\n", b';'),
            ("name\tcity, country\nAna\tParis, France\n", b'\t'),
            ("a|b|c\n1|2|3\n", b'|'),
            ("name;note\n\"x;y;z\";\"a,b,c\"\n\"1;2\";n\n", b';'),
            ("sep=|\na;b|c\n", b'|'),
            ("email\na@b.test\n", b','),
            ("", b','),
        ] {
            assert_eq!(delimiter(text) as char, expected as char, "{text:?}");
        }
        assert_eq!(directive("sep=;\r\na"), Some((b';', 7)));
    }

    #[test]
    fn headers_are_told_from_data() {
        let header = |text: &str| has_header(&rows(text, b','));
        assert!(header("Name,E-mail\nAna,a@b.test\n"));
        assert!(header("ФИО,Телефон\nАнна,8 912 345-67-89\n"));
        assert!(header("氏名,メールアドレス\n山田,t@x.test\n"));
        assert!(header("Kundenname,Umsatz\nAna,12.5\n"));
        assert!(!header("Ana,a@b.test\nBob,b@b.test\n"));
        assert!(!header("Ana,Paris\nBob,Rome\n"));
        assert!(!header(""));
    }
}
