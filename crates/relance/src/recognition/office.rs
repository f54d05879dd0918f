//! The text of office files in mail: XLSX by the reader of imports, DOCX by its paragraphs and tables.
//!
//! Cells are set apart as recognition expects it, by a tab. Hostile archives meet the bounds of
//! [`crate::import::archive`], and whoever calls does so in a process with limits. **Absent:** pictures, formulas,
//! what was deleted under revision; `.doc`, `.xls`, `.odt`.

use std::sync::Arc;

use jiff::ToSpan;
use jiff::civil::Date;
use quick_xml::Reader;
use quick_xml::events::Event;
use relance_wire::table::record::{Cell, Row};

use crate::import::archive::{Archive, ArchiveProblem, Source, Unpacked};
use crate::import::workbook::{Sheet, WorkbookProblem, text_of};

/// What an office file begins with.
pub const ARCHIVE: &[u8] = b"PK\x03\x04";
const DOCX: &str = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
/// Largest office file read.
pub const OFFICE_BYTES_MAX: usize = 20 * 1024 * 1024;
/// Bytes of text taken of one file: recognition looks at less.
pub const TEXT_BYTES_MAX: usize = 256 * 1024;
/// Sheets of a workbook that are read.
const SHEETS_MAX: usize = 3;
/// Rows of a sheet that are read.
const ROWS_MAX: usize = 5_000;
/// Events of one XML part that are looked at.
const EVENTS_MAX: usize = 4_000_000;
/// Where a document's text lies, the letterhead last: it names the seller, and the title is the body's.
const PARTS: [&str; 4] = [
    "word/document.xml",
    "word/header1.xml",
    "word/header2.xml",
    "word/footer1.xml",
];

/// Why no text was read.
#[derive(Debug, thiserror::Error)]
pub enum OfficeProblem {
    /// The file is too large.
    #[error(
        "an office file of {bytes} bytes is larger than {OFFICE_BYTES_MAX}: send a smaller one"
    )]
    TooLarge {
        /// How large.
        bytes: usize,
    },
    /// The archive.
    #[error(transparent)]
    Archive(#[from] ArchiveProblem),
    /// The workbook in it.
    #[error(transparent)]
    Workbook(#[from] WorkbookProblem),
    /// It holds neither.
    #[error("the archive is neither .xlsx nor .docx")]
    Neither,
    /// Its XML.
    #[error("the document is damaged: {0}")]
    Damaged(String),
}

/// Whether an attachment says that it is one that can be read.
pub fn is_office(content_type: &str, name: &str) -> bool {
    let ending = name.rsplit_once('.').map(|(_, ending)| ending);
    matches!(content_type, DOCX | XLSX) || self::content_type(ending).is_some()
}

/// The content type of an ending.
pub fn content_type(ending: Option<&str>) -> Option<&'static str> {
    match ending?.to_lowercase().as_str() {
        "docx" | "docm" => Some(DOCX),
        "xlsx" | "xlsm" => Some(XLSX),
        _other_ending => None,
    }
}

/// The text of an office file.
pub fn text(bytes: &[u8]) -> Result<String, OfficeProblem> {
    if bytes.len() > OFFICE_BYTES_MAX {
        return Err(OfficeProblem::TooLarge { bytes: bytes.len() });
    }
    let bytes: Arc<[u8]> = bytes.into();
    let source = Source::from(&bytes);
    let archive = Archive::open(source)?;
    if archive.find("xl/workbook.xml").is_some() {
        return workbook(source);
    }
    let mut out = String::new();
    let mut found = false;
    for part in PARTS {
        if let Some(entry) = archive.find(part) {
            found = true;
            paragraphs(entry.open(source)?, &mut out)?;
        }
    }
    if found {
        Ok(out)
    } else {
        Err(OfficeProblem::Neither)
    }
}

fn workbook(source: Source<'_>) -> Result<String, OfficeProblem> {
    let mut out = String::new();
    let mut sheet = Sheet::open(source, None)?;
    let names = sheet.names.clone();
    for next in 1..=SHEETS_MAX {
        rows(&mut sheet, &mut out)?;
        let Some(name) = names.get(next).filter(|_| next < SHEETS_MAX) else {
            break;
        };
        sheet = match Sheet::open(source, Some(name)) {
            Ok(sheet) => sheet,
            // A sheet of a chart is no table.
            Err(_) => break,
        };
    }
    Ok(out)
}

fn rows(sheet: &mut Sheet, out: &mut String) -> Result<(), OfficeProblem> {
    let mut row = Row::default();
    for _ in 0..ROWS_MAX {
        match sheet.next(&mut row)? {
            None => break,
            // A row that is too long says nothing.
            Some(Err(_)) => continue,
            Some(Ok(())) => {}
        }
        for cell in row.cells() {
            match cell {
                Cell::Empty | Cell::Failed(_) | Cell::Bool(_) => continue,
                Cell::Text(text) => push(text, out),
                Cell::Number(number) => push(&shown(number), out),
                Cell::Serial(serial) => {
                    if let Some(date) = date_of(serial) {
                        push(&date.to_string(), out);
                    }
                }
            }
            out.push('\t');
        }
        out.push('\n');
        if out.len() > TEXT_BYTES_MAX {
            break;
        }
    }
    Ok(())
}

/// A cell's text stays in its line.
fn push(text: &str, out: &mut String) {
    let left = TEXT_BYTES_MAX.saturating_sub(out.len());
    let text = &text[..text.floor_char_boundary(left)];
    out.extend(
        text.chars()
            .map(|c| if c == '\n' || c == '\r' { ' ' } else { c }),
    );
}

/// Money has two decimals; a whole number may be anything.
fn shown(number: f64) -> String {
    if number.fract() == 0.0 {
        format!("{number:.0}")
    } else {
        format!("{number:.2}")
    }
}

fn date_of(serial: f64) -> Option<Date> {
    /// Days of a spreadsheet up to the year 9999.
    const DAYS_MAX: f64 = 2_958_465.0;
    if !(1.0..=DAYS_MAX).contains(&serial) {
        return None;
    }
    let days = serial.floor() as i64;
    Date::constant(1899, 12, 30).checked_add(days.days()).ok()
}

/// Paragraphs are lines, rows of tables too, with a tab between cells.
fn paragraphs(stream: Unpacked, out: &mut String) -> Result<(), OfficeProblem> {
    let mut reader = Reader::from_reader(stream);
    reader.config_mut().check_end_names = false;
    let mut buffer = Vec::new();
    let mut cells = 0_usize;
    let mut is_text = false;
    for _ in 0..EVENTS_MAX {
        if out.len() > TEXT_BYTES_MAX {
            return Ok(());
        }
        buffer.clear();
        reader.get_mut().mark();
        let event = reader
            .read_event_into(&mut buffer)
            .map_err(|error| OfficeProblem::Damaged(error.to_string()))?;
        match &event {
            Event::Start(tag) => match tag.local_name().as_ref() {
                "t" => is_text = true,
                "tc" => cells += 1,
                _other => {}
            },
            Event::Empty(tag) => match tag.local_name().as_ref() {
                "tab" => out.push('\t'),
                "br" | "cr" => out.push(if cells > 0 { ' ' } else { '\n' }),
                _other => {}
            },
            Event::End(tag) => match tag.local_name().as_ref() {
                "t" => is_text = false,
                "tc" => {
                    cells = cells.saturating_sub(1);
                    out.push('\t');
                }
                "tr" => out.push('\n'),
                "p" => out.push(if cells > 0 { ' ' } else { '\n' }),
                _other => {}
            },
            Event::Text(_) | Event::CData(_) | Event::GeneralRef(_) => {
                if is_text {
                    text_of(&event, out);
                }
            }
            Event::DocType(_) => {
                return Err(OfficeProblem::Damaged("a type definition".to_owned()));
            }
            Event::Eof => return Ok(()),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn archive(parts: &[(&str, &str)]) -> Vec<u8> {
        let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        for (name, text) in parts {
            zip.start_file(*name, zip::write::SimpleFileOptions::default())
                .unwrap();
            zip.write_all(text.as_bytes()).unwrap();
        }
        zip.finish().unwrap().into_inner()
    }

    #[test]
    fn a_document_is_read_by_paragraphs_and_tables() {
        let xml = r#"<?xml version="1.0"?><w:document xmlns:w="x"><w:body>
<w:p><w:r><w:t>Коммерческое предложение № 15</w:t></w:r></w:p>
<w:p><w:r><w:delText>старое</w:delText></w:r><w:r><w:t>от </w:t><w:t>3 ноября 2026 &amp; далее</w:t></w:r></w:p>
<w:tbl><w:tr><w:tc><w:p><w:r><w:t>Итого</w:t></w:r></w:p></w:tc><w:tc><w:p><w:r><w:t>118 000,00 руб.</w:t></w:r></w:p></w:tc></w:tr></w:tbl>
</w:body></w:document>"#;
        let text = text(&archive(&[("word/document.xml", xml)])).unwrap();
        let lines: Vec<&str> = text
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .collect();
        assert_eq!(
            lines,
            [
                "Коммерческое предложение № 15",
                "от 3 ноября 2026 & далее",
                "Итого \t118 000,00 руб."
            ]
        );
    }

    #[test]
    fn a_workbook_is_read_by_rows() {
        let book = r#"<workbook xmlns:r="r"><sheets><sheet name="Счет" sheetId="1" r:id="rId1"/></sheets></workbook>"#;
        let relations = r#"<Relationships><Relationship Id="rId1" Target="worksheets/sheet1.xml"/></Relationships>"#;
        let styles =
            r#"<styleSheet><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs></styleSheet>"#;
        let sheet = r#"<worksheet><sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>Счет на оплату № 15</t></is></c></row>
<row r="2"><c r="A2" t="inlineStr"><is><t>Оплатить до</t></is></c><c r="B2" s="1"><v>46339</v></c></row>
<row r="3"><c r="A3" t="inlineStr"><is><t>Итого к оплате</t></is></c><c r="B3"><v>118000.5</v></c></row></sheetData></worksheet>"#;
        let bytes = archive(&[
            ("xl/workbook.xml", book),
            ("xl/_rels/workbook.xml.rels", relations),
            ("xl/styles.xml", styles),
            ("xl/worksheets/sheet1.xml", sheet),
        ]);
        assert_eq!(
            text(&bytes).unwrap(),
            "Счет на оплату № 15\t\nОплатить до\t2026-11-13\t\nИтого к оплате\t118000.50\t\n"
        );
    }

    #[test]
    fn a_bomb_and_other_archives_are_refused() {
        let spaces = format!(
            "<w:document><w:t>{}</w:t></w:document>",
            " ".repeat(40 * 1024 * 1024)
        );
        assert!(text(&archive(&[("word/document.xml", &spaces)])).is_err());
        assert!(matches!(
            text(&archive(&[("readme.txt", "hello")])),
            Err(OfficeProblem::Neither)
        ));
        assert!(text(b"PK\x03\x04 cut short").is_err());
    }
}
