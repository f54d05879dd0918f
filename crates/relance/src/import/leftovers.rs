//! What imports leave on the disk names people: rows that could not be used, and uploads that were never taken in.
//! Both have a bounded life, and rows of a person who is erased leave at once.
//!
//! A row is a person's when one of its cells is a name of theirs, read as an import reads it. A row whose cells hold no
//! name that can be read (which may be what is wrong with it) is told by nothing; it leaves with its file.
//!
//! **Absent:** files of imports that run. Whoever runs one looks through its file when it ends.

use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, SystemTime};

use relance_core::contact::Identity;
use relance_wire::table::export::{original, write_row};
use relance_wire::table::record::Row;
use relance_wire::{address, phone};
use serde::Deserialize;

use super::errors::OWN_HEADS;
use super::job::{self, Folder, Job, State};
use super::run::read_mapping;
use super::source::{self, SourceProblem, Told};

/// Days for which files with rows of people are kept, unless the configuration says otherwise.
pub const KEPT_DAYS: u16 = 7;
/// The longest that may be chosen.
pub const KEPT_DAYS_MAX: u16 = 365;
/// How often a server looks for files whose time has come.
pub const SWEEP_EVERY: Duration = Duration::from_secs(60 * 60);
/// Characters of a cell that may be a name.
const NAME_CHARS_MAX: usize = 400;
/// Bytes that are gathered before they are written.
const PIECE_BYTES: usize = 64 * 1024;

/// What is kept of imports.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ImportConfig {
    /// Days for which rows with errors, and uploads that nobody took in, are kept.
    #[serde(deserialize_with = "days")]
    pub kept_days: u16,
}

impl Default for ImportConfig {
    fn default() -> Self {
        Self {
            kept_days: KEPT_DAYS,
        }
    }
}

impl ImportConfig {
    /// How long that is.
    pub fn kept(&self) -> Duration {
        Duration::from_secs(u64::from(self.kept_days) * 24 * 60 * 60)
    }
}

fn days<'de, D: serde::Deserializer<'de>>(from: D) -> Result<u16, D::Error> {
    let days = u16::deserialize(from)?;
    if (1..=KEPT_DAYS_MAX).contains(&days) {
        return Ok(days);
    }
    let what = format!("import.kept_days is {days}; write 1 to {KEPT_DAYS_MAX}");
    Err(serde::de::Error::custom(what))
}

/// Removes files whose time has come; says how many. Those of imports that run, or go on when the server starts,
/// stay.
pub fn expire(data: &Path, now: SystemTime, kept: Duration) -> std::io::Result<usize> {
    let mut removed = 0;
    for (folder, job) in job::list(data) {
        if job.state == State::Running {
            continue;
        }
        for file in [folder.errors(), folder.source()] {
            let changed_at = match file.metadata() {
                Ok(facts) => facts.modified()?,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                Err(error) => return Err(error),
            };
            let age = now.duration_since(changed_at).unwrap_or_default();
            if age >= kept {
                std::fs::remove_file(&file)?;
                removed += 1;
            }
        }
    }
    Ok(removed)
}

/// Removes an erased person's rows from the files of all imports that do not run; says how many.
pub fn forget_rows(data: &Path, names: &[Identity]) -> Result<usize, SourceProblem> {
    let is_theirs = |told: &[Identity]| told.iter().any(|one| names.contains(one));
    let mut removed = 0;
    for (folder, mut job) in job::list(data) {
        if job.state != State::Running {
            removed += forget_rows_of(&folder, &mut job, &is_theirs)?;
        }
    }
    Ok(removed)
}

/// Removes rows of people from the file of one import that does not run; says how many.
pub fn forget_rows_of(
    folder: &Folder,
    job: &mut Job,
    is_theirs: &dyn Fn(&[Identity]) -> bool,
) -> Result<usize, SourceProblem> {
    let path = folder.errors();
    // As the program itself writes it.
    let told = Told {
        encoding: relance_wire::table::charset::Charset::from_word("utf-8"),
        delimiter: Some(b','),
        header: Some(true),
        sheet: None,
    };
    let mut rows = match source::open(&path, &told) {
        Ok(table) => table.rows,
        Err(SourceProblem::Empty) => return Ok(0),
        Err(SourceProblem::Io(error)) if error.kind() == std::io::ErrorKind::NotFound => {
            return Ok(0);
        }
        Err(problem) => return Err(problem),
    };
    let mapping = job.mapping.as_deref().map(read_mapping);
    let country = mapping.and_then(|mapping| mapping.ok()?.country);
    let beside = path.with_extension("csv.new");
    let mut file = std::fs::File::create(&beside)?;
    let mut text = String::from("\u{feff}");
    let mut row = Row::default();
    let (mut removed, mut bytes) = (0, 0);
    while let Some(read) = rows.next(&mut row)? {
        let cells: Vec<String> = (0..row.len()).map(|at| row.shown(at)).collect();
        // A row that cannot be read cannot be looked into.
        let is_head = row.number == 1;
        let is_gone = || is_theirs(&names_in(&cells, country.as_deref()));
        if read.is_err() || (!is_head && is_gone()) {
            removed += 1;
            continue;
        }
        write_row(&mut text, cells.iter().map(|cell| original(cell)));
        if text.len() >= PIECE_BYTES {
            bytes += text.len() as u64;
            file.write_all(text.as_bytes())?;
            text.clear();
        }
    }
    if removed == 0 {
        std::fs::remove_file(&beside)?;
        return Ok(0);
    }
    bytes += text.len() as u64;
    file.write_all(text.as_bytes())?;
    file.sync_data()?;
    std::fs::rename(&beside, &path)?;
    job.errors_bytes = bytes;
    let saved = folder.save(job);
    saved.map_err(|problem| std::io::Error::other(problem.to_string()))?;
    Ok(removed)
}

/// The names that cells of a row may be.
fn names_in(cells: &[String], country: Option<&str>) -> Vec<Identity> {
    let mut names = Vec::new();
    for cell in cells.iter().skip(OWN_HEADS.len()) {
        let cell = original(cell.trim()).trim();
        if cell.is_empty() || cell.chars().count() > NAME_CHARS_MAX {
            continue;
        }
        names.push(Identity::user(cell));
        if cell.contains(['@', '＠']) {
            let right = address::check(cell);
            let text = right.as_ref().map_or(cell, |right| right.text.as_str());
            names.push(Identity::email(text));
        } else if let Ok(number) = phone::e164(cell, country) {
            names.push(Identity::phone(&number));
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::import::source::Facts;

    /// A job that has ended, with these rows of errors behind the own columns.
    fn ended(data: &Path, rows: &[&str]) -> (Folder, Job) {
        let (id, folder) = Folder::make(data).unwrap();
        let facts = Facts {
            format: "csv".to_owned(),
            encoding: None,
            delimiter: None,
            sheet: None,
            sheets: Vec::new(),
            header: true,
            heads: ["id", "email", "phone"].map(str::to_owned).to_vec(),
        };
        let mut job = Job::new(&id, "clients", 1, facts, Timestamp::UNIX_EPOCH);
        job.state = State::Done;
        job.mapping = Some(
            "format: import/1\ncountry: RU\ncolumns:\n  email: email\n  phone: phone\n".to_owned(),
        );
        let mut text = super::super::errors::header(&job.facts.heads);
        for row in rows {
            text.push_str(&format!("2,2,birthday,not_a_date,no date,{row}\r\n"));
        }
        std::fs::write(folder.errors(), &text).unwrap();
        job.errors_bytes = text.len() as u64;
        folder.save(&job).unwrap();
        (folder, job)
    }

    #[test]
    fn rows_of_an_erased_person_leave_and_others_stay() {
        let data = tempfile::tempdir().unwrap();
        let (folder, _) = ended(
            data.path(),
            &[
                "7,Ana@Shop.test,+79161234567",
                "8,bob@shop.test,8 (916) 123-45-68",
                "9,broken,8 916 123-45-67",
                "10,\"anna@почта.рф\",",
                "c11,,",
                "'=1+1,x@shop.test,",
            ],
        );
        let before = std::fs::read_to_string(folder.errors()).unwrap();
        let other = [Identity::email("nobody@shop.test")];
        assert_eq!(forget_rows(data.path(), &other).unwrap(), 0);
        assert_eq!(std::fs::read_to_string(folder.errors()).unwrap(), before);

        let names = [
            Identity::email("ana@shop.test"),
            Identity::phone("+79161234567"),
            Identity::email("anna@xn--80a1acny.xn--p1ai"),
            Identity::user("c11"),
        ];
        assert_eq!(forget_rows(data.path(), &names).unwrap(), 4);
        let left = std::fs::read_to_string(folder.errors()).unwrap();
        assert!(
            left.starts_with('\u{feff}') && left.contains("import_row"),
            "{left}"
        );
        assert!(
            left.contains("bob@shop.test") && left.contains("'=1+1"),
            "{left}"
        );
        for gone in ["Ana", "1234567", "123-45-67", "почта", "c11"] {
            assert!(!left.contains(gone), "{gone}: {left}");
        }
        assert_eq!(folder.load().unwrap().errors_bytes, left.len() as u64);
        assert!(!folder.errors().with_extension("csv.new").exists());
    }

    #[test]
    fn files_leave_when_their_time_has_come() {
        let data = tempfile::tempdir().unwrap();
        let (old, _) = ended(data.path(), &["7,ana@shop.test,"]);
        std::fs::write(old.source(), "email\nana@shop.test\n").unwrap();
        let (running, mut job) = ended(data.path(), &["7,ana@shop.test,"]);
        job.state = State::Running;
        running.save(&job).unwrap();
        let kept = ImportConfig::default().kept();
        let now = SystemTime::now();
        assert_eq!(expire(data.path(), now, kept).unwrap(), 0);
        let later = now + kept + Duration::from_secs(60);
        assert_eq!(expire(data.path(), later, kept).unwrap(), 2);
        assert!(!old.errors().exists() && !old.source().exists());
        assert!(running.errors().exists(), "it goes on");
        assert_eq!(
            old.load().unwrap().state,
            State::Done,
            "the job itself stays"
        );
        assert_eq!(expire(data.path(), later, kept).unwrap(), 0);
    }

    #[test]
    fn a_life_without_bound_is_refused() {
        let read = |text: &str| toml::from_str::<ImportConfig>(text);
        assert_eq!(read("kept_days = 30").unwrap().kept_days, 30);
        for wrong in ["kept_days = 0", "kept_days = 366", "kept = 3"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
