//! Text made comparable: one normal form, then lines, cells and words with their places.
//!
//! The normal form is NFKC (full-width digits, half-width kana, decomposed file names), one kind of
//! space, dash and quote. A cell is a stretch of a line without a gap of two spaces: a table's cell, a
//! PDF's column, or a whole line of prose. A token is a run of letters, a run of digits, or one sign;
//! each Han character or kana is a token, for they are written without spaces.

use unicode_normalization::UnicodeNormalization;

/// Bytes of one text looked at; what lies behind is not read.
pub(crate) const TEXT_BYTES_MAX: usize = 128 * 1024;

/// Columns a text takes on a terminal: wide East Asian characters take two.
pub(crate) fn display_width(text: &str) -> usize {
    text.chars().map(|c| if is_wide(c) { 2 } else { 1 }).sum()
}

fn is_wide(c: char) -> bool {
    matches!(c, '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}' | '\u{fe30}'..='\u{fe4f}' | '\u{ff00}'..='\u{ff60}' | '\u{ffe0}'..='\u{ffe6}')
}

/// Han, kana and their marks: words there have no spaces between them.
pub(crate) fn is_cjk(c: char) -> bool {
    matches!(c, '\u{3005}'..='\u{3007}' | '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}')
}

/// Whether a run of signs goes on with a character of a script without spaces.
fn is_cjk_at(run: &str) -> bool {
    run.chars().nth(1).is_some_and(is_cjk)
}

/// The normal form of a text.
pub(crate) fn normalize(text: &str) -> String {
    let mut end = text.len().min(TEXT_BYTES_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let mut out = String::with_capacity(end);
    // NFKC would turn the numero sign into the letters "No" and glue them to what follows.
    for (index, part) in text[..end].split('№').enumerate() {
        if index > 0 {
            out.push('№');
        }
        for c in part.nfkc() {
            match c {
                '\u{00a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => {
                    out.push(' ')
                }
                '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' | '\u{00ad}' | '\r' => {}
                '\u{2010}'..='\u{2015}' | '\u{2212}' => out.push('-'),
                '\u{2018}' | '\u{2019}' | '\u{02bc}' => out.push('\''),
                '“' | '”' | '„' | '«' | '»' => out.push('"'),
                '\t' => out.push_str("  "),
                '|' | '│' => out.push_str("  "),
                '*' => out.push(' '),
                '\n' => out.push('\n'),
                c if c.is_control() => out.push(' '),
                c => out.push(c),
            }
        }
    }
    out
}

/// A file's name as text: no ending, underscores and humps as spaces.
pub(crate) fn file_stem(name: &str) -> String {
    let stem = match name.rsplit_once('.') {
        Some((stem, ending)) if (1..=5).contains(&ending.len()) && !stem.is_empty() => stem,
        Some(_) | None => name,
    };
    let mut out = String::with_capacity(stem.len());
    let mut before = ' ';
    for c in stem.chars() {
        if before.is_lowercase() && c.is_uppercase() {
            out.push(' ');
        }
        out.push(if matches!(c, '_' | '+') { ' ' } else { c });
        before = c;
    }
    out
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenKind {
    Word,
    Digits,
    Sign,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Token {
    pub start: usize,
    pub end: usize,
    /// Where its folded form lies in `Page::folded`.
    folded: (usize, usize),
    pub line: usize,
    pub cell: usize,
    pub kind: TokenKind,
}

/// A stretch of a line without a wide gap.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cell {
    pub end: usize,
    pub line: usize,
    /// Columns on the screen: from, to.
    pub columns: (usize, usize),
    /// Its first token and one past its last.
    pub tokens: (usize, usize),
}

/// A normalised text with its places.
#[derive(Debug, Default)]
pub(crate) struct Page {
    pub text: String,
    folded: String,
    pub tokens: Vec<Token>,
    pub cells: Vec<Cell>,
    /// First and one past the last cell of each line; empty lines have none.
    pub lines: Vec<(usize, usize)>,
}

impl Page {
    /// Takes text in any form.
    pub fn new(text: &str) -> Self {
        let mut page = Self {
            text: normalize(text),
            ..Self::default()
        };
        let text = std::mem::take(&mut page.text);
        let mut start = 0;
        for line in text.split('\n') {
            page.read_line(line, start);
            start += line.len() + 1;
        }
        page.text = text;
        page
    }

    fn read_line(&mut self, line: &str, offset: usize) {
        let first_cell = self.cells.len();
        let line_index = self.lines.len();
        let mut column = 0;
        let mut cell_start: Option<(usize, usize)> = None;
        // End (byte, column) of the last character that is no space.
        let mut solid = (0, 0);
        for (at, c) in line.char_indices() {
            let width = if is_wide(c) { 2 } else { 1 };
            if c != ' ' {
                if let Some((start, from)) = cell_start
                    && column - solid.1 >= 2
                {
                    self.push_cell(line, offset, (start, solid.0), (from, solid.1), line_index);
                    cell_start = None;
                }
                cell_start.get_or_insert((at, column));
                solid = (at + c.len_utf8(), column + width);
            }
            column += width;
        }
        if let Some((start, from)) = cell_start {
            self.push_cell(line, offset, (start, solid.0), (from, solid.1), line_index);
        }
        self.lines.push((first_cell, self.cells.len()));
    }

    fn push_cell(
        &mut self,
        line: &str,
        offset: usize,
        bytes: (usize, usize),
        columns: (usize, usize),
        index: usize,
    ) {
        let cell = self.cells.len();
        let first_token = self.tokens.len();
        self.cells.push(Cell {
            end: offset + bytes.1,
            line: index,
            columns,
            tokens: (first_token, first_token),
        });
        let text = &line[bytes.0..bytes.1];
        let mut open: Option<(usize, TokenKind)> = None;
        for (at, c) in text.char_indices() {
            let kind = if c.is_ascii_digit() {
                Some(TokenKind::Digits)
            } else if c.is_alphanumeric() && !is_cjk(c) {
                Some(TokenKind::Word)
            } else {
                None
            };
            if let Some((start, before)) = open
                && kind != Some(before)
            {
                self.push_token(text, offset + bytes.0, start, at, before, (index, cell));
                open = None;
            }
            match kind {
                Some(kind) => _ = open.get_or_insert((at, kind)),
                None if c == ' ' => {}
                None => {
                    self.push_token(
                        text,
                        offset + bytes.0,
                        at,
                        at + c.len_utf8(),
                        TokenKind::Sign,
                        (index, cell),
                    );
                }
            }
        }
        if let Some((start, kind)) = open {
            self.push_token(
                text,
                offset + bytes.0,
                start,
                text.len(),
                kind,
                (index, cell),
            );
        }
        self.cells[cell].tokens.1 = self.tokens.len();
    }

    fn push_token(
        &mut self,
        text: &str,
        offset: usize,
        start: usize,
        end: usize,
        kind: TokenKind,
        (line, cell): (usize, usize),
    ) {
        let from = self.folded.len();
        fold_into(&text[start..end], &mut self.folded);
        self.tokens.push(Token {
            start: offset + start,
            end: offset + end,
            folded: (from, self.folded.len()),
            line,
            cell,
            kind,
        });
    }

    /// A token's folded form.
    pub fn word(&self, index: usize) -> &str {
        self.tokens
            .get(index)
            .map_or("", |token| &self.folded[token.folded.0..token.folded.1])
    }

    /// Whether tokens `first..end` are part of an identifier: `po_number`, `x@number`, `invoice_1`.
    pub fn is_part_of_name(&self, first: usize, end: usize) -> bool {
        let before = self
            .tokens
            .get(first)
            .is_some_and(|token| self.text[..token.start].ends_with(['_', '@']));
        let after = self
            .tokens
            .get(end.wrapping_sub(1))
            .is_some_and(|token| self.text[token.end..].starts_with('_'));
        before || after
    }

    /// Whether tokens up to `end` are the letters an identifier begins with: `GST/26-27/089`, `VAT-2026-4`.
    pub fn begins_identifier(&self, end: usize) -> bool {
        let Some(token) = self.tokens.get(end.wrapping_sub(1)) else {
            return false;
        };
        let rest = &self.text[token.end..];
        if !rest.starts_with(['-', '/']) {
            return false;
        }
        let run: &str = rest
            .find(|c: char| !(c.is_alphanumeric() || matches!(c, '-' | '/' | '_' | '.')))
            .map_or(rest, |at| &rest[..at]);
        // "VAT-20%" names a rate.
        !is_cjk_at(run)
            && run.contains(|c: char| c.is_ascii_digit())
            && !rest[run.len()..].starts_with('%')
    }

    /// Index of the first token that starts at or behind a byte.
    pub fn token_at(&self, byte: usize) -> usize {
        self.tokens.partition_point(|token| token.start < byte)
    }

    pub fn has_cyrillic(&self) -> bool {
        self.text
            .chars()
            .any(|c| matches!(c, '\u{0400}'..='\u{04ff}'))
    }

    /// Whether nothing but space stands between two neighbouring tokens' bytes.
    pub fn joined(&self, index: usize) -> bool {
        match (self.tokens.get(index), self.tokens.get(index + 1)) {
            (Some(a), Some(b)) => a.end == b.start,
            _ => false,
        }
    }
}

/// Small letters, with the Russian letter io written as ie.
pub(crate) fn fold_into(text: &str, out: &mut String) {
    for c in text.chars().flat_map(char::to_lowercase) {
        out.push(if c == 'ё' { 'е' } else { c });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normal_form() {
        assert_eq!(normalize("№\u{a0}１２３－Ａ　￥５"), "№ 123-A ¥5");
        assert_eq!(normalize("⽇⽉"), "日月");
        // A decomposed name, as some systems store it.
        assert_eq!(normalize("Счет к и\u{306}оду"), "Счет к йоду");
        assert_eq!(file_stem("Счёт_№12_InvoiceINV.pdf"), "Счёт №12 Invoice INV");
        assert_eq!(file_stem("請求書2026.03"), "請求書2026");
        assert_eq!(file_stem(".pdf"), ".pdf");
    }

    #[test]
    fn cells_and_tokens() {
        let page = Page::new("Счёт  №12-А\n\n合計  ¥1");
        let words: Vec<&str> = (0..page.tokens.len())
            .map(|index| page.word(index))
            .collect();
        assert_eq!(words, ["счет", "№", "12", "-", "а", "合", "計", "¥", "1"]);
        assert_eq!(page.lines, [(0, 2), (2, 2), (2, 4)]);
        assert_eq!(page.cells[3].columns, (6, 8));
        assert_eq!(page.tokens[8].line, 2);
    }

    #[test]
    fn long_text_is_cut_at_a_character() {
        assert!(normalize(&"я".repeat(TEXT_BYTES_MAX)).len() <= TEXT_BYTES_MAX);
    }
}
