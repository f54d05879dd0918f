//! A file as rows: CSV in any encoding, or a sheet of a workbook; streamed, in memory that does not grow with
//! the file.
//!
//! What the mapping does not tell is guessed from the head. The same file with the same settings gives the
//! same rows with the same numbers, so an import that stopped goes on where it was.
//!
//! **Absent:** what the rows mean; see `relance_wire::table`.

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use encoding_rs::Decoder;
use relance_wire::table::charset::{self, Charset, HEAD_BYTES_MAX};
use relance_wire::table::guess::{self, SAMPLE_ROWS_MAX, delimiter_word};
use relance_wire::table::record::{Records, Row, RowProblem, Step};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::workbook::{Sheet, WorkbookProblem};

/// Bytes that are read at a time.
const READ_BYTES: usize = 64 * 1024;

/// Why a file cannot be read as a table.
#[derive(Debug, thiserror::Error)]
pub enum SourceProblem {
    /// The disk.
    #[error("cannot read the file: {0}")]
    Io(#[from] std::io::Error),
    /// The workbook.
    #[error(transparent)]
    Workbook(#[from] WorkbookProblem),
    /// A workbook of an older sort.
    #[error(
        "the file is an old or protected workbook; save it as .xlsx without a password, or as CSV"
    )]
    OldWorkbook,
    /// Nothing in it.
    #[error("the file holds no rows")]
    Empty,
    /// Not text.
    #[error("the file is neither text nor an XLSX workbook; save the table as CSV or .xlsx")]
    NotText,
    /// A workbook has neither an encoding nor a delimiter.
    #[error("a workbook has no {0}; leave the option out")]
    NotOfWorkbooks(&'static str),
    /// A text has no sheets.
    #[error("a CSV file has no sheets; leave the option out")]
    NoSheets,
}

/// What is told of a file; the rest is guessed.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Told {
    /// The encoding.
    pub encoding: Option<Charset>,
    /// The delimiter.
    pub delimiter: Option<u8>,
    /// Whether the first row names the columns.
    pub header: Option<bool>,
    /// The sheet.
    pub sheet: Option<String>,
}

/// What a file turned out to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// `csv` or `xlsx`.
    pub format: String,
    /// The encoding's name, of text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoding: Option<String>,
    /// The delimiter's name, of text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delimiter: Option<String>,
    /// The sheet, of a workbook.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sheet: Option<String>,
    /// All sheets of a workbook.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sheets: Vec<String>,
    /// Whether the first row names the columns.
    pub header: bool,
    /// The names of the columns; empty texts where there are none.
    pub heads: Vec<String>,
}

/// A table, its head looked at.
pub struct Table {
    /// What it is.
    pub facts: Facts,
    /// The first rows below the head.
    pub samples: Vec<Vec<String>>,
    /// Its rows from the first, the head included.
    pub rows: Rows,
}

impl std::fmt::Debug for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Table")
            .field("facts", &self.facts)
            .finish_non_exhaustive()
    }
}

/// The rows of a file.
pub enum Rows {
    /// Of a text.
    Text(Box<Text>),
    /// Of a workbook.
    Sheet(Box<Sheet>),
}

impl Rows {
    /// The next row; `None` after the last.
    pub fn next(&mut self, row: &mut Row) -> Result<Option<Result<(), RowProblem>>, SourceProblem> {
        match self {
            Self::Text(text) => Ok(text.next(row)?),
            Self::Sheet(sheet) => Ok(sheet.next(row)?),
        }
    }

    /// Bytes read so far, and of how many.
    pub fn position(&self) -> (u64, u64) {
        match self {
            Self::Text(text) => (text.read, text.length),
            Self::Sheet(sheet) => sheet.position(),
        }
    }
}

/// A text that is decoded and cut into rows.
pub struct Text {
    file: BufReader<File>,
    decoder: Decoder,
    bytes: Box<[u8]>,
    bytes_at: usize,
    bytes_end: usize,
    file_ended: bool,
    text: Box<[u8]>,
    text_at: usize,
    text_end: usize,
    decoded: bool,
    records: Records,
    /// Bytes of the decoded text before the first row.
    directive: usize,
    read: u64,
    length: u64,
}

impl Text {
    fn open(
        path: &Path,
        charset: Charset,
        delimiter: u8,
        directive: usize,
    ) -> std::io::Result<Self> {
        let file = File::open(path)?;
        let length = file.metadata()?.len();
        Ok(Self {
            file: BufReader::with_capacity(READ_BYTES, file),
            decoder: charset.encoding().new_decoder_with_bom_removal(),
            bytes: vec![0; READ_BYTES].into(),
            bytes_at: 0,
            bytes_end: 0,
            file_ended: false,
            // A byte may become three.
            text: vec![0; 3 * READ_BYTES + 16].into(),
            text_at: 0,
            text_end: 0,
            decoded: false,
            records: Records::new(delimiter),
            directive,
            read: 0,
            length,
        })
    }

    fn next(&mut self, row: &mut Row) -> std::io::Result<Option<Result<(), RowProblem>>> {
        loop {
            if self.text_at == self.text_end && !self.decoded {
                self.decode()?;
            }
            let input = &self.text[self.text_at..self.text_end];
            if input.is_empty() && !self.decoded {
                continue;
            }
            let (used, step) = self.records.step(input, row);
            self.text_at += used;
            match step {
                Step::More => {}
                Step::Row => return Ok(Some(Ok(()))),
                Step::Skipped(problem) => return Ok(Some(Err(problem))),
                Step::End => return Ok(None),
            }
        }
    }

    /// Fills the text anew.
    fn decode(&mut self) -> std::io::Result<()> {
        if self.bytes_at == self.bytes_end && !self.file_ended {
            self.bytes_at = 0;
            self.bytes_end = self.file.read(&mut self.bytes)?;
            self.read += self.bytes_end as u64;
            self.file_ended = self.bytes_end == 0;
        }
        let (result, read, written, _) = self.decoder.decode_to_utf8(
            &self.bytes[self.bytes_at..self.bytes_end],
            &mut self.text,
            self.file_ended,
        );
        self.bytes_at += read;
        let skipped = self.directive.min(written);
        self.directive -= skipped;
        self.text_at = skipped;
        self.text_end = written;
        self.decoded = self.file_ended
            && self.bytes_at == self.bytes_end
            && result == encoding_rs::CoderResult::InputEmpty;
        Ok(())
    }
}

/// Opens a file: what is not told of it is guessed.
pub fn open(path: &Path, told: &Told) -> Result<Table, SourceProblem> {
    let mut head = vec![0; HEAD_BYTES_MAX];
    let mut file = File::open(path)?;
    let length = read_up_to(&mut file, &mut head)?;
    head.truncate(length);
    file.seek(SeekFrom::Start(0))?;
    match head.as_slice() {
        [b'P', b'K', 3 | 5, 4 | 6, ..] => workbook(path, told),
        [0xD0, 0xCF, 0x11, 0xE0, ..] => Err(SourceProblem::OldWorkbook),
        [0x1F, 0x8B, ..] | [b'%', b'P', b'D', b'F', ..] => Err(SourceProblem::NotText),
        _text => text(path, told, &head),
    }
}

fn read_up_to(file: &mut File, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut length = 0;
    while length < buffer.len() {
        match file.read(&mut buffer[length..])? {
            0 => break,
            count => length += count,
        }
    }
    Ok(length)
}

fn text(path: &Path, told: &Told, head: &[u8]) -> Result<Table, SourceProblem> {
    if told.sheet.is_some() {
        return Err(SourceProblem::NoSheets);
    }
    let charset = told.encoding.unwrap_or_else(|| charset::guess(head));
    let (decoded, _) = charset.encoding().decode_with_bom_removal(head);
    if decoded.contains('\0') {
        return Err(SourceProblem::NotText);
    }
    let directive = guess::directive(&decoded);
    let delimiter = told.delimiter.unwrap_or_else(|| guess::delimiter(&decoded));
    let skipped = directive.map_or(0, |(_, length)| length);
    let samples = guess::rows(decoded.get(skipped..).unwrap_or_default(), delimiter);
    let rows = Text::open(path, charset, delimiter, skipped)?;
    let mut facts = Facts {
        format: "csv".to_owned(),
        encoding: Some(charset.word().to_owned()),
        delimiter: Some(delimiter_word(delimiter).to_owned()),
        sheet: None,
        sheets: Vec::new(),
        header: false,
        heads: Vec::new(),
    };
    let samples = name_columns(&mut facts, samples, told.header)?;
    Ok(Table {
        facts,
        samples,
        rows: Rows::Text(Box::new(rows)),
    })
}

fn workbook(path: &Path, told: &Told) -> Result<Table, SourceProblem> {
    if told.encoding.is_some() {
        return Err(SourceProblem::NotOfWorkbooks("encoding"));
    }
    if told.delimiter.is_some() {
        return Err(SourceProblem::NotOfWorkbooks("delimiter"));
    }
    let mut sheet = Sheet::open(path, told.sheet.as_deref())?;
    let mut row = Row::default();
    let mut samples = Vec::new();
    while samples.len() < SAMPLE_ROWS_MAX {
        match sheet.next(&mut row)? {
            None => break,
            Some(Ok(())) => samples.push((0..row.len()).map(|at| row.shown(at)).collect()),
            Some(Err(_)) => {}
        }
    }
    let mut facts = Facts {
        format: "xlsx".to_owned(),
        encoding: None,
        delimiter: None,
        sheet: Some(sheet.name.clone()),
        sheets: sheet.names.clone(),
        header: false,
        heads: Vec::new(),
    };
    let samples = name_columns(&mut facts, samples, told.header)?;
    // From the first row again.
    let sheet = Sheet::open(path, told.sheet.as_deref())?;
    Ok(Table {
        facts,
        samples,
        rows: Rows::Sheet(Box::new(sheet)),
    })
}

/// Takes the head from the samples, if there is one.
fn name_columns(
    facts: &mut Facts,
    mut samples: Vec<Vec<String>>,
    header: Option<bool>,
) -> Result<Vec<Vec<String>>, SourceProblem> {
    let width = samples.iter().map(Vec::len).max().unwrap_or_default();
    if width == 0 {
        return Err(SourceProblem::Empty);
    }
    facts.header = header.unwrap_or_else(|| guess::has_header(&samples));
    facts.heads = if facts.header {
        let mut heads = samples.remove(0);
        for head in &mut heads {
            *head = head.trim().to_owned();
        }
        heads
    } else {
        Vec::new()
    };
    facts
        .heads
        .resize(width.max(facts.heads.len()), String::new());
    Ok(samples)
}

impl Facts {
    /// The settings by which the same file gives the same rows again.
    pub fn told(&self) -> Told {
        Told {
            encoding: self.encoding.as_deref().and_then(Charset::from_word),
            delimiter: self.delimiter.as_deref().and_then(guess::delimiter_of),
            header: Some(self.header),
            sheet: self.sheet.clone(),
        }
    }

    /// As the API shows it.
    pub fn shown(&self) -> Value {
        json!(self)
    }
}

/// Where a file lies, with what is told of it.
#[derive(Debug, Clone)]
pub struct Source {
    /// The file.
    pub path: PathBuf,
    /// What is told.
    pub told: Told,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(bytes: &[u8], told: &Told) -> Result<(Facts, Vec<Vec<String>>), SourceProblem> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("table");
        std::fs::write(&path, bytes).unwrap();
        let mut table = open(&path, told)?;
        let mut row = Row::default();
        let mut rows = Vec::new();
        while let Some(next) = table.rows.next(&mut row)? {
            if next.is_ok() {
                rows.push((0..row.len()).map(|at| row.shown(at)).collect());
            }
        }
        Ok((table.facts, rows))
    }

    #[test]
    fn texts_of_every_encoding_are_the_same_rows() {
        let russian = "Имя;Почта\r\nАнна;a@b.test\r\n";
        let japanese = "氏名,メール\r\n山田太郎,t@x.test\r\n";
        for (text, charsets) in [
            (
                russian,
                &[Charset::Utf8, Charset::Windows1251, Charset::Utf16Le][..],
            ),
            (
                japanese,
                &[
                    Charset::Utf8,
                    Charset::ShiftJis,
                    Charset::EucJp,
                    Charset::Utf16Be,
                ][..],
            ),
        ] {
            for charset in charsets {
                let bytes = match charset {
                    Charset::Utf16Le => [0xFF, 0xFE]
                        .into_iter()
                        .chain(text.encode_utf16().flat_map(u16::to_le_bytes))
                        .collect(),
                    Charset::Utf16Be => [0xFE, 0xFF]
                        .into_iter()
                        .chain(text.encode_utf16().flat_map(u16::to_be_bytes))
                        .collect(),
                    charset => charset.encoding().encode(text).0.into_owned(),
                };
                let (facts, rows) = table(&bytes, &Told::default()).unwrap();
                assert_eq!(facts.encoding.as_deref(), Some(charset.word()));
                assert!(facts.header);
                let whole: Vec<Vec<String>> = guess::rows(text, facts.told().delimiter.unwrap());
                assert_eq!(rows, whole, "{}", charset.word());
            }
        }
    }

    #[test]
    fn marks_and_directives_are_no_text() {
        let (facts, rows) = table(
            "\u{feff}sep=;\r\nname;e-mail\r\nAna;a@b.test\r\n".as_bytes(),
            &Told::default(),
        )
        .unwrap();
        assert_eq!(facts.heads, ["name", "e-mail"]);
        assert_eq!(rows.len(), 2);
    }

    #[test]
    fn a_table_longer_than_the_buffers_is_whole() {
        let mut text = String::from("id,имя\n");
        for at in 0..50_000 {
            text.push_str(&format!("{at},имя {at}\n"));
        }
        let (_, rows) = table(text.as_bytes(), &Told::default()).unwrap();
        assert_eq!(rows.len(), 50_001);
        assert_eq!(rows[50_000], ["49999", "имя 49999"]);
    }

    #[test]
    fn what_is_no_table_is_refused() {
        let refused = |bytes: &[u8]| table(bytes, &Told::default()).unwrap_err().to_string();
        assert!(refused(b"").contains("no rows"));
        assert!(refused(b"\n\n").contains("no rows"));
        assert!(refused(b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1").contains("old or protected"));
        assert!(refused(b"%PDF-1.7").contains("neither text"));
        assert!(refused(b"PK\x03\x04nothing").contains("damaged"));
        let sheet = Told {
            sheet: Some("x".to_owned()),
            ..Told::default()
        };
        assert!(
            table(b"a,b\n", &sheet)
                .unwrap_err()
                .to_string()
                .contains("no sheets")
        );
    }
}
