//! Lists as files: CSV, XLSX or a JSON object a line; a page at a time, in memory that does not grow.
//!
//! What is written is what the API shows, its inner fields by their paths (`fields.amount`); of contacts, the
//! traits by their own names, as an import reads them. In CSV, what a spreadsheet would run as a formula is
//! made inert.
//!
//! **Absent:** all that is held on one person; see `held`.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;

use relance_core::account::Account;
use relance_core::contact::{Contact, IdentityKind};
use relance_core::ids::{ContactId, ObjectKind, SegmentId, SubjectRef};
use relance_store::read::{DocumentFilter, DocumentSort, PAGE_ROWS_MAX, Page, ReadError, Reader};
use relance_wire::api as shape;
use relance_wire::table::COLUMNS_MAX;
use relance_wire::table::export::write_row;
use rust_xlsxwriter::{Workbook, Worksheet, XlsxError};
use serde_json::{Map, Value, json};

/// Lists that can be written.
pub const LISTS: [&str; 6] = [
    "contacts",
    "accounts",
    "documents",
    "ledger",
    "tasks",
    "suppressions",
];
/// Rows of one sheet: what spreadsheets open.
pub const SHEET_ROWS_MAX: u32 = 1_048_576;
/// Characters of one cell of a sheet.
const SHEET_CELL_CHARS_MAX: usize = 32_767;
/// Levels that fields are named through; deeper ones stay JSON in one cell.
const DEPTH_MAX: usize = 4;
/// Columns of a list of contacts that come first, where they are.
const FIRST: [&str; 14] = [
    "id",
    "user_id",
    "email",
    "phone",
    "name",
    "first_name",
    "last_name",
    "company",
    "owner",
    "language",
    "country",
    "timezone",
    "birthday",
    "tags",
];

/// In which form a list is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// Comma-separated, UTF-8 with its mark.
    Csv,
    /// A workbook.
    Xlsx,
    /// A JSON object a line, as the API shows it.
    Jsonl,
}

/// Why a list cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum ListingProblem {
    /// The database.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The disk, or whoever reads.
    #[error("cannot write: {0}")]
    Write(#[from] std::io::Error),
    /// The workbook.
    #[error("cannot write the workbook: {0}")]
    Workbook(#[from] XlsxError),
    /// More columns than a table has.
    #[error(
        "the list has more than {COLUMNS_MAX} columns; name those that are wanted with `columns`"
    )]
    TooManyColumns,
}

/// A list: what stands at a place, and where it goes on.
pub type List<'a> = &'a mut dyn FnMut(Option<&str>) -> Result<Page<Value>, ReadError>;

/// A page of one of [`LISTS`]; of contacts all, or the members of a segment.
pub fn page_of(
    reader: &Reader,
    list: &str,
    segment: Option<&SegmentId>,
    after: Option<&str>,
) -> Result<Page<Value>, ReadError> {
    fn shown<T>(page: Page<T>, shape: impl Fn(&T) -> Value) -> Page<Value> {
        Page {
            items: page.items.iter().map(shape).collect(),
            next: page.next,
        }
    }
    Ok(match list {
        "documents" => {
            let page = reader.objects(&ObjectKind::from("document"), after, PAGE_ROWS_MAX)?;
            shown(page, |one| shape::object(one.contact, &one.object))
        }
        "ledger" => {
            let page = reader.ledger(after, PAGE_ROWS_MAX)?;
            shown(page, |line| shape::ledger_line(&line.entry))
        }
        "accounts" => shown(reader.accounts(after, PAGE_ROWS_MAX)?, account_row),
        "tasks" => shown(reader.tasks(after, PAGE_ROWS_MAX)?, shape::task),
        "suppressions" => shown(
            reader.suppressions(after, PAGE_ROWS_MAX)?,
            shape::suppression,
        ),
        _contacts => contacts(reader, segment, after)?,
    })
}

/// Documents under a filter, the last changed first.
pub fn documents_of(
    reader: &Reader,
    filter: &DocumentFilter,
    after: Option<&str>,
) -> Result<Page<Value>, ReadError> {
    let page = reader.documents(filter, DocumentSort::Updated, false, after, PAGE_ROWS_MAX)?;
    let items = page.items.iter();
    Ok(Page {
        items: items
            .map(|(listed, object)| shape::object(listed.contact, object))
            .collect(),
        next: page.next,
    })
}

/// These documents, as far as they are there and of these owners; in one page.
pub fn chosen_documents(
    reader: &Reader,
    ids: &[(ContactId, String)],
    owners: Option<&BTreeSet<String>>,
) -> Result<Page<Value>, ReadError> {
    let mut items = Vec::with_capacity(ids.len());
    for (contact, id) in ids {
        let subject = SubjectRef {
            kind: ObjectKind::from("document"),
            id: id.as_str().into(),
        };
        let listed = reader.listed_document(*contact, id)?;
        let is_seen = listed.is_some_and(|one| owners.is_none_or(|own| own.contains(&one.owner)));
        if is_seen && let Some(object) = reader.object(*contact, &subject)? {
            items.push(shape::object(*contact, &object));
        }
    }
    Ok(Page { items, next: None })
}

/// Contacts as an import reads them.
fn contacts(
    reader: &Reader,
    segment: Option<&SegmentId>,
    after: Option<&str>,
) -> Result<Page<Value>, ReadError> {
    let page = match segment {
        None => reader.contacts(after, PAGE_ROWS_MAX)?,
        Some(segment) => reader.members(segment, after, PAGE_ROWS_MAX)?,
    };
    let items = page
        .items
        .iter()
        .map(|contact| contact_row(reader, contact));
    Ok(Page {
        items: items.collect::<Result<_, ReadError>>()?,
        next: page.next,
    })
}

/// An account with its traits by their own names.
fn account_row(account: &Account) -> Value {
    let mut row = account.traits().clone();
    let own = [
        ("id", account.id.to_string()),
        ("first_seen_at", account.first_seen_at.to_string()),
        ("last_seen_at", account.last_seen_at.to_string()),
    ];
    for (name, value) in own {
        row.insert(name.to_owned(), Value::String(value));
    }
    Value::Object(row)
}

fn contact_row(reader: &Reader, contact: &Contact) -> Result<Value, ReadError> {
    let mut row = Map::new();
    row.insert("id".to_owned(), json!(contact.id.to_string()));
    for identity in reader.identities(contact.id)? {
        // The first; addresses are traits as well.
        if identity.kind == IdentityKind::UserId {
            row.entry("user_id")
                .or_insert(Value::String(identity.value));
        }
    }
    for (name, value) in &contact.traits {
        row.insert(name.clone(), value.clone());
    }
    if let Some(account) = contact.account_id() {
        row.insert("account_id".to_owned(), json!(account));
    }
    row.entry("created_at")
        .or_insert_with(|| json!(contact.created_at.to_string()));
    let channels = contact
        .channel_consents
        .iter()
        .map(|(channel, record)| (format!("consent:{}", channel.word()), record));
    let topics = contact
        .topic_consents
        .iter()
        .map(|(topic, record)| (format!("topic:{topic}"), record));
    for (name, record) in channels.chain(topics) {
        row.insert(name, json!(record.answer.word()));
    }
    if contact.erased {
        row.insert("erased".to_owned(), Value::Bool(true));
    }
    Ok(Value::Object(row))
}

/// Writes a list as text, CSV or JSON lines. Returns how many rows there were.
pub fn write_text(
    format: Format,
    columns: Option<&[String]>,
    list: List<'_>,
    out: &mut dyn Write,
    progress: &mut dyn FnMut(u64),
) -> Result<u64, ListingProblem> {
    let columns = match (format, columns) {
        (Format::Jsonl, columns) => columns.map(<[String]>::to_vec),
        (Format::Csv | Format::Xlsx, Some(columns)) => Some(columns.to_vec()),
        (Format::Csv | Format::Xlsx, None) => Some(columns_of(list)?),
    };
    let mut text = String::new();
    if let (Format::Csv | Format::Xlsx, Some(columns)) = (format, &columns) {
        // The mark by which spreadsheets know UTF-8.
        text.push('\u{feff}');
        write_row(&mut text, columns.iter().map(String::as_str));
        out.write_all(text.as_bytes())?;
    }
    let count = each_page(list, |items, count| {
        text.clear();
        for item in items {
            add(&mut text, format, columns.as_deref(), &item);
        }
        out.write_all(text.as_bytes())?;
        progress(count);
        Ok(())
    })?;
    out.flush()?;
    Ok(count)
}

/// Adds an item to a text.
fn add(text: &mut String, format: Format, columns: Option<&[String]>, item: &Value) {
    match (format, columns) {
        (Format::Jsonl, None) => {
            text.push_str(&item.to_string());
            text.push('\n');
        }
        (Format::Jsonl, Some(columns)) => {
            let flat = flat(item);
            let wanted = |name: &String| Some((name.clone(), flat.get(name)?.clone()));
            let kept: Map<String, Value> = columns.iter().filter_map(wanted).collect();
            text.push_str(&Value::Object(kept).to_string());
            text.push('\n');
        }
        (Format::Csv | Format::Xlsx, columns) => {
            let flat = flat(item);
            let cell = |name: &String| flat.get(name).map_or_else(String::new, cell_text);
            let cells: Vec<String> = columns.unwrap_or_default().iter().map(cell).collect();
            write_row(text, cells.iter().map(String::as_str));
        }
    }
}

/// Writes a list as a workbook, in as many sheets as its rows take. Returns how many rows there were.
pub fn write_workbook(
    columns: Option<&[String]>,
    list: List<'_>,
    path: &Path,
    sheet_rows_max: u32,
    progress: &mut dyn FnMut(u64),
) -> Result<u64, ListingProblem> {
    let columns = match columns {
        Some(columns) => columns.to_vec(),
        None => columns_of(list)?,
    };
    let mut book = Workbook::new();
    if let Some(folder) = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    {
        book.set_tempdir(folder)?;
    }
    begin_sheet(&mut book, &columns)?;
    let (mut sheet, mut row) = (0, 1);
    let count = each_page(list, |items, count| {
        for item in items {
            if row >= sheet_rows_max {
                begin_sheet(&mut book, &columns)?;
                sheet += 1;
                row = 1;
            }
            let flat = flat(&item);
            let page = book.worksheet_from_index(sheet)?;
            for (column, name) in (0..).zip(&columns) {
                if let Some(value) = flat.get(name) {
                    put(page, row, column, value)?;
                }
            }
            row += 1;
        }
        progress(count);
        Ok(())
    })?;
    book.save(path)?;
    Ok(count)
}

fn begin_sheet(book: &mut Workbook, columns: &[String]) -> Result<(), ListingProblem> {
    let sheet = book.add_worksheet_with_constant_memory()?;
    for (column, name) in (0..).zip(columns) {
        sheet.write_string(0, column, name)?;
    }
    Ok(())
}

fn put(sheet: &mut Worksheet, row: u32, column: u16, value: &Value) -> Result<(), ListingProblem> {
    match value {
        Value::Null => {}
        Value::Bool(value) => {
            sheet.write_boolean(row, column, *value)?;
        }
        Value::Number(number) => {
            // A sheet keeps fifteen digits; longer numbers stay whole as texts.
            let exact = number.as_f64().filter(|_| number.to_string().len() <= 15);
            match exact {
                Some(exact) => sheet.write_number(row, column, exact)?,
                None => sheet.write_string(row, column, number.to_string())?,
            };
        }
        Value::String(_) | Value::Array(_) | Value::Object(_) => {
            let text = cell_text(value);
            let end = text
                .char_indices()
                .nth(SHEET_CELL_CHARS_MAX)
                .map_or(text.len(), |(end, _)| end);
            sheet.write_string(row, column, &text[..end])?;
        }
    }
    Ok(())
}

fn each_page(
    list: List<'_>,
    mut take: impl FnMut(Vec<Value>, u64) -> Result<(), ListingProblem>,
) -> Result<u64, ListingProblem> {
    let mut next: Option<String> = None;
    let mut count = 0;
    loop {
        let page = list(next.as_deref())?;
        count += page.items.len() as u64;
        take(page.items, count)?;
        match page.next {
            Some(place) => next = Some(place),
            None => return Ok(count),
        }
    }
}

/// The columns of a list, found by going through it once.
fn columns_of(list: List<'_>) -> Result<Vec<String>, ListingProblem> {
    let mut names: BTreeSet<String> = BTreeSet::new();
    each_page(list, |items, _| {
        for item in items {
            for name in flat(&item).keys() {
                if !names.contains(name) {
                    names.insert(name.clone());
                }
            }
        }
        if names.len() > COLUMNS_MAX {
            return Err(ListingProblem::TooManyColumns);
        }
        Ok(())
    })?;
    let mut columns: Vec<String> = FIRST
        .into_iter()
        .filter(|name| names.remove(*name))
        .map(str::to_owned)
        .collect();
    columns.extend(names);
    Ok(columns)
}

/// The fields of an object by their paths.
fn flat(item: &Value) -> Map<String, Value> {
    let mut out = Map::new();
    if let Value::Object(fields) = item {
        let mut open: Vec<(String, &Map<String, Value>, usize)> = vec![(String::new(), fields, 1)];
        while let Some((path, fields, depth)) = open.pop() {
            for (name, value) in fields {
                let path = format!("{path}{name}");
                match value {
                    Value::Object(inner) if depth < DEPTH_MAX && !inner.is_empty() => {
                        open.push((format!("{path}."), inner, depth + 1));
                    }
                    Value::Null => {}
                    value => {
                        out.insert(path, value.clone());
                    }
                }
            }
        }
    }
    out
}

/// A value as the text of a cell: lists of texts as an import reads them.
fn cell_text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) if items.iter().all(Value::is_string) => {
            let texts: Vec<&str> = items.iter().filter_map(Value::as_str).collect();
            texts.join("; ")
        }
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use relance_wire::table::record::Row;

    use super::*;
    use crate::import::source::{Told, open};

    fn pages(count: usize) -> impl FnMut(Option<&str>) -> Result<Page<Value>, ReadError> {
        move |after| {
            let from: usize = after.map_or(0, |text| text.parse().unwrap());
            let items = (from..count.min(from + 2)).map(|at| {
                json!({ "id": format!("con_{at}"), "email": format!("a{at}@b.test"), "note": "=1+1",
                        "n": at, "x": { "y": [1] }, "tags": ["a", "b"] })
            });
            Ok(Page {
                items: items.collect(),
                next: (from + 2 < count).then(|| (from + 2).to_string()),
            })
        }
    }

    #[test]
    fn text_is_written_page_by_page() {
        let mut out = Vec::new();
        let count = write_text(Format::Csv, None, &mut pages(3), &mut out, &mut |_| {}).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(count, 3);
        let head = "\u{feff}id,email,tags,n,note,x.y\r\n";
        assert!(text.starts_with(head), "{text}");
        let last = "con_2,a2@b.test,\"a; b\",2,'=1+1,[1]\r\n";
        assert!(text.ends_with(last), "{text}");
        let mut out = Vec::new();
        let columns = ["n".to_owned(), "x.y".to_owned()];
        let list = &mut pages(1);
        write_text(Format::Jsonl, Some(&columns), list, &mut out, &mut |_| {}).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "{\"n\":0,\"x.y\":[1]}\n");
    }

    #[test]
    fn a_workbook_goes_on_in_further_sheets() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.xlsx");
        let count = write_workbook(None, &mut pages(5), &path, 3, &mut |_| {}).unwrap();
        assert_eq!(count, 5);
        let mut found = Vec::new();
        for sheet in ["Sheet1", "Sheet2", "Sheet3"] {
            let told = Told {
                sheet: Some(sheet.to_owned()),
                header: Some(true),
                ..Told::default()
            };
            let mut table = open(&path, &told).unwrap();
            assert_eq!(table.facts.heads[0], "id");
            assert_eq!(table.facts.sheets.len(), 3);
            let mut row = Row::default();
            while let Some(read) = table.rows.next(&mut row).unwrap() {
                read.unwrap();
                if row.number > 1 {
                    found.push((row.shown(0), row.shown(3), row.shown(4)));
                }
            }
        }
        let expected = (0..5).map(|at| (format!("con_{at}"), at.to_string(), "=1+1".to_owned()));
        assert_eq!(found, expected.collect::<Vec<_>>());
    }
}
