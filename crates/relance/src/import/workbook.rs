//! Rows of a workbook (XLSX), a row at a time: no sheet is ever in memory.
//!
//! What is kept of a workbook is its table of shared texts, which has a limit of its own, and which number
//! formats are dates. Source: ECMA-376 part 1, sections 18.2 (workbook), 18.3 (sheets), 18.4 (shared
//! strings), 18.8 (styles).
//!
//! **Absent:** formulas (their stored results are read), pictures, macros; `.xls`, `.xlsb` and `.ods`.

use std::borrow::Cow;
use std::collections::BTreeSet;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use relance_wire::table::record::{Cell, Row, RowProblem};

use super::archive::{Archive, ArchiveProblem, Bound, Source, Unpacked};

/// Bytes of all shared texts of a workbook.
pub const SHARED_BYTES_MAX: usize = 256 * 1024 * 1024;
/// Shared texts of a workbook.
pub const SHARED_TEXTS_MAX: usize = 8_000_000;
/// Bytes of one text.
const TEXT_BYTES_MAX: usize = 256 * 1024;
/// Sheets and number formats that are looked at.
const PARTS_MAX: usize = 10_000;
/// Days between the two systems of dates: some workbooks begin with 1904.
const DAYS_1904: f64 = 1_462.0;

/// Why a workbook cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum WorkbookProblem {
    /// Its archive.
    #[error(transparent)]
    Archive(#[from] ArchiveProblem),
    /// A limit that keeps hostile workbooks from filling memory.
    #[error(transparent)]
    Bound(#[from] Bound),
    /// No workbook inside.
    #[error("the archive holds no workbook; save the table as .xlsx or CSV")]
    NoWorkbook,
    /// No such sheet.
    #[error("there is no sheet {wanted:?}; the workbook has: {known}")]
    NoSheet {
        /// What was asked for.
        wanted: String,
        /// What there is.
        known: String,
    },
    /// Its texts take too much room.
    #[error(
        "the workbook's texts take more than {SHARED_BYTES_MAX} bytes; save the sheet as CSV, which has no such limit"
    )]
    TooManyTexts,
    /// It is no XML.
    #[error("{part} of the workbook is damaged ({what}); save it again")]
    Malformed {
        /// Which part.
        part: &'static str,
        /// Why.
        what: String,
    },
}

/// The texts that cells refer to by number.
#[derive(Default)]
struct Shared {
    text: String,
    ends: Vec<u32>,
}

impl Shared {
    fn get(&self, at: usize) -> Option<&str> {
        let end = *self.ends.get(at)? as usize;
        let start = match at.checked_sub(1) {
            Some(before) => self.ends[before] as usize,
            None => 0,
        };
        self.text.get(start..end)
    }

    fn push(&mut self, text: &str) -> Result<(), WorkbookProblem> {
        self.text.push_str(text);
        if self.text.len() > SHARED_BYTES_MAX || self.ends.len() >= SHARED_TEXTS_MAX {
            return Err(WorkbookProblem::TooManyTexts);
        }
        let end = u32::try_from(self.text.len()).map_err(|_| WorkbookProblem::TooManyTexts)?;
        self.ends.push(end);
        Ok(())
    }
}

/// A sheet that is being read.
pub struct Sheet {
    xml: Xml,
    packed: u64,
    shared: Shared,
    dates: Vec<bool>,
    is_1904: bool,
    line: u64,
    number: u64,
    /// The names of the workbook's sheets.
    pub names: Vec<String>,
    /// Which of them this is.
    pub name: String,
}

/// An XML part, an event at a time.
struct Xml {
    reader: Reader<Unpacked>,
    buffer: Vec<u8>,
    part: &'static str,
}

impl Xml {
    fn open(stream: Unpacked, part: &'static str) -> Self {
        let mut reader = Reader::from_reader(stream);
        reader.config_mut().check_end_names = false;
        Self {
            reader,
            buffer: Vec::new(),
            part,
        }
    }

    fn next(&mut self) -> Result<Event<'_>, WorkbookProblem> {
        self.buffer.clear();
        self.reader.get_mut().mark();
        let part = self.part;
        self.reader
            .read_event_into(&mut self.buffer)
            .map_err(|error| problem(part, error))
    }
}

fn problem(part: &'static str, error: quick_xml::Error) -> WorkbookProblem {
    if let quick_xml::Error::Io(error) = &error
        && let Some(bound) = error
            .get_ref()
            .and_then(|inner| inner.downcast_ref::<Bound>())
    {
        return WorkbookProblem::Bound(*bound);
    }
    malformed(part, error)
}

fn malformed(part: &'static str, what: impl ToString) -> WorkbookProblem {
    WorkbookProblem::Malformed {
        part,
        what: what.to_string(),
    }
}

/// An attribute by its local name.
fn attribute<'a>(tag: &'a BytesStart<'_>, name: &str) -> Option<Cow<'a, str>> {
    let found = tag
        .attributes()
        .with_checks(false)
        .flatten()
        .find(|one| one.key.local_name().as_ref() == name)?;
    found
        .normalized_value(quick_xml::XmlVersion::Implicit1_0)
        .ok()
}

/// The text that an event adds.
pub(crate) fn text_of(event: &Event<'_>, out: &mut String) {
    match event {
        Event::Text(text) => out.push_str(&text.xml10_content()),
        Event::CData(data) => out.push_str(&data.xml10_content()),
        Event::GeneralRef(reference) => {
            if let Ok(Some(c)) = reference.resolve_char_ref() {
                out.push(c);
            } else if let Some(text) =
                quick_xml::escape::resolve_predefined_entity(&reference.clone().into_inner())
            {
                out.push_str(text);
            }
        }
        Event::Start(_)
        | Event::End(_)
        | Event::Empty(_)
        | Event::Comment(_)
        | Event::Decl(_)
        | Event::PI(_)
        | Event::DocType(_)
        | Event::Eof => {}
    }
}

impl Sheet {
    /// Opens a sheet of a workbook, the first if none is named.
    pub fn open<'a>(
        source: impl Into<Source<'a>>,
        wanted: Option<&str>,
    ) -> Result<Self, WorkbookProblem> {
        let source = source.into();
        let archive = Archive::open(source)?;
        let part = |name: &str, part: &'static str| -> Result<Option<Xml>, WorkbookProblem> {
            let Some(entry) = archive.find(name) else {
                return Ok(None);
            };
            Ok(Some(Xml::open(entry.open(source)?, part)))
        };
        let book =
            part("xl/workbook.xml", "the list of sheets")?.ok_or(WorkbookProblem::NoWorkbook)?;
        let (sheets, is_1904) = sheets(book)?;
        let known = || {
            let names: Vec<&str> = sheets.iter().map(|(name, _)| name.as_str()).collect();
            names.join(", ")
        };
        let chosen = match wanted {
            None => sheets.first(),
            Some(wanted) => sheets.iter().find(|(name, _)| name == wanted),
        };
        let (name, relation) = chosen.ok_or_else(|| WorkbookProblem::NoSheet {
            wanted: wanted.unwrap_or_default().to_owned(),
            known: known(),
        })?;
        let target = match part("xl/_rels/workbook.xml.rels", "the list of parts")? {
            Some(relations) => target(relations, relation)?,
            None => None,
        };
        let place = match target {
            Some(target) if target.starts_with('/') => target,
            Some(target) => format!("xl/{target}"),
            None => "xl/worksheets/sheet1.xml".to_owned(),
        };
        let entry = archive.find(&place).ok_or(ArchiveProblem::Damaged)?;
        let shared = match part("xl/sharedStrings.xml", "the table of texts")? {
            Some(xml) => shared(xml)?,
            None => Shared::default(),
        };
        let dates = match part("xl/styles.xml", "the number formats")? {
            Some(xml) => dates(xml)?,
            None => Vec::new(),
        };
        Ok(Self {
            xml: Xml::open(entry.open(source)?, "the sheet"),
            packed: entry.packed_bytes(),
            shared,
            dates,
            is_1904,
            line: 0,
            number: 0,
            name: name.clone(),
            names: sheets.iter().map(|(name, _)| name.clone()).collect(),
        })
    }

    /// Bytes read so far, and of how many.
    pub fn position(&self) -> (u64, u64) {
        (self.xml.reader.get_ref().position(self.packed), self.packed)
    }

    /// The next row that holds anything; `None` after the last.
    pub fn next(
        &mut self,
        row: &mut Row,
    ) -> Result<Option<Result<(), RowProblem>>, WorkbookProblem> {
        loop {
            match self.xml.next()? {
                Event::Start(tag) if tag.local_name().as_ref() == "row" => {
                    self.line = attribute(&tag, "r")
                        .and_then(|text| text.parse().ok())
                        .unwrap_or(self.line + 1);
                    row.begin(self.number + 1, self.line);
                    let done = self.row(row)?;
                    if done.is_ok() && row.is_empty() {
                        continue;
                    }
                    self.number += 1;
                    return Ok(Some(done));
                }
                // A row without cells.
                Event::Empty(tag) if tag.local_name().as_ref() == "row" => self.line += 1,
                Event::End(tag) if tag.local_name().as_ref() == "sheetData" => return Ok(None),
                Event::Eof => return Ok(None),
                Event::DocType(_) => return Err(malformed("the sheet", "a type definition")),
                Event::Start(_)
                | Event::Empty(_)
                | Event::End(_)
                | Event::Text(_)
                | Event::CData(_)
                | Event::Comment(_)
                | Event::Decl(_)
                | Event::PI(_)
                | Event::GeneralRef(_) => {}
            }
        }
    }

    /// The cells of a row, up to its end.
    fn row(&mut self, row: &mut Row) -> Result<Result<(), RowProblem>, WorkbookProblem> {
        let mut done = Ok(());
        let mut column = 0;
        let mut text = String::new();
        loop {
            match self.xml.next()? {
                Event::Start(tag) if tag.local_name().as_ref() == "c" => {
                    let place = attribute(&tag, "r").and_then(|place| column_of(&place));
                    column = place.unwrap_or(column);
                    let kind = attribute(&tag, "t")
                        .map(|kind| Sort::of(&kind))
                        .unwrap_or_default();
                    let style = attribute(&tag, "s").and_then(|style| style.parse().ok());
                    text.clear();
                    self.cell(&mut text)?;
                    if done.is_ok() && column >= row.len() {
                        let is_date =
                            style.is_some_and(|at: usize| self.dates.get(at) == Some(&true));
                        done = self.put(row, column, kind, is_date, &text);
                    }
                    column += 1;
                }
                Event::Empty(tag) if tag.local_name().as_ref() == "c" => {
                    let place = attribute(&tag, "r").and_then(|place| column_of(&place));
                    column = place.unwrap_or(column) + 1;
                }
                Event::End(tag) if tag.local_name().as_ref() == "row" => return Ok(done),
                Event::Eof => return Err(ArchiveProblem::Damaged.into()),
                Event::Start(_)
                | Event::Empty(_)
                | Event::End(_)
                | Event::Text(_)
                | Event::CData(_)
                | Event::Comment(_)
                | Event::Decl(_)
                | Event::PI(_)
                | Event::DocType(_)
                | Event::GeneralRef(_) => {}
            }
        }
    }

    /// The value or inline text of a cell, up to its end.
    fn cell(&mut self, out: &mut String) -> Result<(), WorkbookProblem> {
        let mut is_value = false;
        let mut is_phonetic = false;
        loop {
            let event = self.xml.next()?;
            match &event {
                Event::Start(tag) => match tag.local_name().as_ref() {
                    "v" | "t" => is_value = true,
                    "rPh" => is_phonetic = true,
                    _other => {}
                },
                Event::End(tag) => match tag.local_name().as_ref() {
                    "v" | "t" => is_value = false,
                    "rPh" => is_phonetic = false,
                    "c" => return Ok(()),
                    _other => {}
                },
                Event::Eof => return Err(ArchiveProblem::Damaged.into()),
                Event::Text(_) | Event::CData(_) | Event::GeneralRef(_) => {
                    // What is beyond the limit is not kept; what is kept is beyond a cell's limit already.
                    if is_value && !is_phonetic && out.len() <= TEXT_BYTES_MAX {
                        text_of(&event, out);
                    }
                }
                Event::Empty(_)
                | Event::Comment(_)
                | Event::Decl(_)
                | Event::PI(_)
                | Event::DocType(_) => {}
            }
        }
    }

    fn put(
        &self,
        row: &mut Row,
        column: usize,
        kind: Sort,
        is_date: bool,
        text: &str,
    ) -> Result<(), RowProblem> {
        let number = || {
            text.trim()
                .parse::<f64>()
                .ok()
                .filter(|number| number.is_finite())
        };
        let cell = match kind {
            Sort::Shared => {
                let shared = text.trim().parse().ok().and_then(|at| self.shared.get(at));
                Cell::Text(shared.unwrap_or_default())
            }
            Sort::Text => Cell::Text(text),
            Sort::Bool => Cell::Bool(text.trim() == "1" || text.trim() == "true"),
            Sort::Failed => Cell::Failed(text),
            Sort::Number if text.is_empty() => Cell::Empty,
            Sort::Number => match number() {
                Some(number) if is_date && self.is_1904 => Cell::Serial(number + DAYS_1904),
                Some(number) if is_date => Cell::Serial(number),
                Some(number) => Cell::Number(number),
                None => Cell::Text(text),
            },
        };
        match cell {
            Cell::Text("") => Ok(()),
            cell => row.put(column, cell),
        }
    }
}

/// What a cell says it is.
#[derive(Debug, Clone, Copy, Default)]
enum Sort {
    #[default]
    Number,
    Shared,
    Text,
    Bool,
    Failed,
}

impl Sort {
    fn of(word: &str) -> Self {
        match word {
            "s" => Self::Shared,
            // An ISO date is a text that reads as a date.
            "str" | "inlineStr" | "d" => Self::Text,
            "b" => Self::Bool,
            "e" => Self::Failed,
            _number => Self::Number,
        }
    }
}

/// The column of a place such as `AB12`, from 0.
fn column_of(place: &str) -> Option<usize> {
    let mut column: usize = 0;
    let letters = place.bytes().take_while(u8::is_ascii_alphabetic);
    for letter in letters.take(4) {
        column = column * 26 + usize::from(letter.to_ascii_uppercase() - b'A') + 1;
    }
    column.checked_sub(1)
}

/// Names of sheets with their relations, and whether dates begin with 1904.
fn sheets(mut xml: Xml) -> Result<(Vec<(String, String)>, bool), WorkbookProblem> {
    let mut sheets = Vec::new();
    let mut is_1904 = false;
    loop {
        match xml.next()? {
            Event::Start(tag) | Event::Empty(tag) => match tag.local_name().as_ref() {
                "sheet" if sheets.len() < PARTS_MAX => {
                    let name = attribute(&tag, "name").unwrap_or_default().into_owned();
                    let relation = attribute(&tag, "id").unwrap_or_default().into_owned();
                    sheets.push((name, relation));
                }
                "workbookPr" => {
                    let told = attribute(&tag, "date1904");
                    is_1904 = told.is_some_and(|told| told == "1" || told == "true");
                }
                _other => {}
            },
            Event::Eof => return Ok((sheets, is_1904)),
            Event::End(_)
            | Event::Text(_)
            | Event::CData(_)
            | Event::Comment(_)
            | Event::Decl(_)
            | Event::PI(_)
            | Event::DocType(_)
            | Event::GeneralRef(_) => {}
        }
    }
}

/// Where a relation leads.
fn target(mut xml: Xml, relation: &str) -> Result<Option<String>, WorkbookProblem> {
    loop {
        match xml.next()? {
            Event::Start(tag) | Event::Empty(tag) => {
                if attribute(&tag, "Id").is_some_and(|id| id == relation) {
                    return Ok(attribute(&tag, "Target").map(Cow::into_owned));
                }
            }
            Event::Eof => return Ok(None),
            Event::End(_)
            | Event::Text(_)
            | Event::CData(_)
            | Event::Comment(_)
            | Event::Decl(_)
            | Event::PI(_)
            | Event::DocType(_)
            | Event::GeneralRef(_) => {}
        }
    }
}

fn shared(mut xml: Xml) -> Result<Shared, WorkbookProblem> {
    let mut shared = Shared::default();
    let mut text = String::new();
    let mut is_text = false;
    let mut is_phonetic = false;
    loop {
        let event = xml.next()?;
        match &event {
            Event::Start(tag) => match tag.local_name().as_ref() {
                "si" => text.clear(),
                "t" => is_text = true,
                // How Japanese is read aloud is no part of the text.
                "rPh" => is_phonetic = true,
                _other => {}
            },
            Event::Empty(tag) if tag.local_name().as_ref() == "si" => shared.push("")?,
            Event::End(tag) => match tag.local_name().as_ref() {
                "si" => shared.push(&text)?,
                "t" => is_text = false,
                "rPh" => is_phonetic = false,
                _other => {}
            },
            Event::Eof => return Ok(shared),
            Event::Text(_) | Event::CData(_) | Event::GeneralRef(_) => {
                if is_text && !is_phonetic && text.len() <= TEXT_BYTES_MAX {
                    text_of(&event, &mut text);
                }
            }
            Event::Empty(_)
            | Event::Comment(_)
            | Event::Decl(_)
            | Event::PI(_)
            | Event::DocType(_) => {}
        }
    }
}

/// For each cell format, whether it shows dates.
fn dates(mut xml: Xml) -> Result<Vec<bool>, WorkbookProblem> {
    let mut own = BTreeSet::new();
    let mut formats = Vec::new();
    let mut within = false;
    loop {
        match xml.next()? {
            Event::Start(tag) | Event::Empty(tag) => match tag.local_name().as_ref() {
                "numFmt" if own.len() < PARTS_MAX => {
                    let code = attribute(&tag, "formatCode").unwrap_or_default();
                    let id = attribute(&tag, "numFmtId").and_then(|id| id.parse::<u32>().ok());
                    if let Some(id) = id.filter(|_| shows_dates(&code)) {
                        own.insert(id);
                    }
                }
                "cellXfs" => within = true,
                "xf" if within && formats.len() < 10 * PARTS_MAX => {
                    let id = attribute(&tag, "numFmtId").and_then(|id| id.parse().ok());
                    formats.push(id.is_some_and(|id| own.contains(&id) || is_date_format(id)));
                }
                _other => {}
            },
            Event::End(tag) if tag.local_name().as_ref() == "cellXfs" => within = false,
            Event::Eof => return Ok(formats),
            Event::End(_)
            | Event::Text(_)
            | Event::CData(_)
            | Event::Comment(_)
            | Event::Decl(_)
            | Event::PI(_)
            | Event::DocType(_)
            | Event::GeneralRef(_) => {}
        }
    }
}

/// The formats that every spreadsheet has (section 18.8.30), those of East Asia included.
const fn is_date_format(id: u32) -> bool {
    matches!(id, 14..=22 | 27..=36 | 45..=47 | 50..=58)
}

/// Whether a format of the workbook's own shows dates: it has parts of one outside of quotes and brackets.
fn shows_dates(code: &str) -> bool {
    let mut is_quoted = false;
    let mut is_bracketed = false;
    let mut is_escaped = false;
    // The part for positive numbers decides.
    for c in code.chars() {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' | '_' | '*' => is_escaped = true,
            '"' => is_quoted = !is_quoted,
            _ if is_quoted => {}
            '[' => is_bracketed = true,
            ']' => is_bracketed = false,
            _ if is_bracketed => {}
            ';' => return false,
            'y' | 'Y' | 'm' | 'M' | 'd' | 'D' | 'h' | 'H' | 's' | 'S' | '年' => return true,
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_columns() {
        assert_eq!(column_of("A1"), Some(0));
        assert_eq!(column_of("Z9"), Some(25));
        assert_eq!(column_of("AA10"), Some(26));
        assert_eq!(column_of("XFD1"), Some(16_383));
        assert_eq!(column_of("1"), None);
    }

    #[test]
    fn formats_of_dates_are_told_from_numbers() {
        for code in [
            "yyyy-mm-dd",
            "dd.mm.yyyy hh:mm",
            "[$-411]ggge\"年\"m\"月\"d\"日\"",
            "h:mm AM/PM",
        ] {
            assert!(shows_dates(code), "{code}");
        }
        for code in [
            "0.00",
            "#,##0 \"days\"",
            "[Red]0;yy",
            "General",
            "\\d0",
            "0.00E+00",
        ] {
            assert!(!shows_dates(code), "{code}");
        }
    }
}
