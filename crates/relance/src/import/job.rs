//! An import as it stands on disk: what it reads, how far it was acknowledged, what it counted.
//!
//! A job is a folder, `imports/ID` in the data folder: `job.json`, `errors.csv`, and the file itself where it
//! was uploaded. The state is written beside and put in place, so that a crash leaves the old one or the new.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::source::Facts;

/// The folder of imports inside the data folder.
pub const FOLDER: &str = "imports";
/// The format of a job's state.
const FORMAT: &str = "import-job/1";
/// The state's file.
const STATE_FILE: &str = "job.json";
/// The file of rows that could not be used.
const ERRORS_FILE: &str = "errors.csv";
/// The uploaded file.
const SOURCE_FILE: &str = "source";
/// Jobs that are kept; the oldest that has ended makes room.
pub const JOBS_MAX: usize = 1_000;

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// The file is there; nothing was begun.
    Uploaded,
    /// Rows are read; after a crash it goes on.
    Running,
    /// All rows were acknowledged.
    Done,
    /// Somebody stopped it; it can be started again and goes on.
    Cancelled,
    /// It could not go on; it can be started again when the reason is mended.
    Failed,
}

impl State {
    /// Its word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Uploaded => "uploaded",
            Self::Running => "running",
            Self::Done => "done",
            Self::Cancelled => "cancelled",
            Self::Failed => "failed",
        }
    }
}

/// What became of the rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Counts {
    /// Rows read, the head left out.
    pub rows: u64,
    /// Contacts that were new.
    pub created: u64,
    /// Contacts that changed.
    pub updated: u64,
    /// Rows that told nothing new.
    pub unchanged: u64,
    /// Rows that the mode left out.
    pub skipped: u64,
    /// Rows that could not be used.
    pub errors: u64,
    /// Cells that were left out of rows that were used.
    pub left_out: u64,
    /// Rows with an office's address.
    pub role: u64,
    /// Rows with an address that is thrown away.
    pub disposable: u64,
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, more: Self) {
        self.rows += more.rows;
        self.created += more.created;
        self.updated += more.updated;
        self.unchanged += more.unchanged;
        self.skipped += more.skipped;
        self.errors += more.errors;
        self.left_out += more.left_out;
        self.role += more.role;
        self.disposable += more.disposable;
    }
}

/// A job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Job {
    format: String,
    /// Which one.
    pub id: String,
    /// For people; the file's name by default.
    pub name: String,
    /// Where it stands.
    pub state: State,
    /// When it was made.
    pub created_at: Timestamp,
    /// The file, if it was not uploaded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<PathBuf>,
    /// Its length: another one is another file.
    pub source_bytes: u64,
    /// What it turned out to be.
    pub facts: Facts,
    /// The mapping's text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mapping: Option<String>,
    /// The last row that was acknowledged.
    pub position: u64,
    /// Bytes of the errors' file that belong to it.
    pub errors_bytes: u64,
    /// What became of the rows up to the position.
    pub counts: Counts,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// Why a job cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum JobProblem {
    /// The disk.
    #[error("{path}: {error}")]
    Io {
        /// Which file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// No such job.
    #[error("there is no import {0}; its id was printed when it began")]
    Unknown(String),
    /// What is there cannot be read.
    #[error("{path} cannot be read by this version: {what}")]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Why.
        what: String,
    },
    /// No randomness.
    #[error("the system gives no random numbers: {0}")]
    Random(getrandom::Error),
}

fn at(path: &Path) -> impl FnOnce(std::io::Error) -> JobProblem + '_ {
    |error| JobProblem::Io {
        path: path.to_owned(),
        error,
    }
}

/// The folder of a job.
#[derive(Debug, Clone)]
pub struct Folder {
    path: PathBuf,
}

impl Folder {
    /// A new one, with an id that nobody guesses.
    pub fn make(data: &Path) -> Result<(String, Self), JobProblem> {
        let mut random = [0; 8];
        getrandom::fill(&mut random).map_err(JobProblem::Random)?;
        let id = format!("imp_{:016x}", u64::from_le_bytes(random));
        let path = data.join(FOLDER).join(&id);
        std::fs::create_dir_all(&path).map_err(at(&path))?;
        Ok((id, Self { path }))
    }

    /// That of a job that is there.
    pub fn of(data: &Path, id: &str) -> Result<Self, JobProblem> {
        let path = data.join(FOLDER).join(id);
        if is_id(id) && path.is_dir() {
            Ok(Self { path })
        } else {
            Err(JobProblem::Unknown(id.chars().take(40).collect()))
        }
    }

    /// Where an uploaded file lies.
    pub fn source(&self) -> PathBuf {
        self.path.join(SOURCE_FILE)
    }

    /// Where rows that could not be used lie.
    pub fn errors(&self) -> PathBuf {
        self.path.join(ERRORS_FILE)
    }

    /// Reads the state.
    pub fn load(&self) -> Result<Job, JobProblem> {
        let path = self.path.join(STATE_FILE);
        let text = std::fs::read_to_string(&path).map_err(at(&path))?;
        let unreadable = |what: String| JobProblem::Unreadable {
            path: path.clone(),
            what,
        };
        let job: Job =
            serde_json::from_str(&text).map_err(|error| unreadable(error.to_string()))?;
        if job.format != FORMAT {
            return Err(unreadable(format!("its format is {}", job.format)));
        }
        Ok(job)
    }

    /// Writes the state.
    pub fn save(&self, job: &Job) -> Result<(), JobProblem> {
        let path = self.path.join(STATE_FILE);
        let beside = self.path.join("job.json.new");
        let text = serde_json::to_string_pretty(job).map_err(|error| JobProblem::Unreadable {
            path: path.clone(),
            what: error.to_string(),
        })?;
        let write = || {
            let mut file = std::fs::File::create(&beside)?;
            file.write_all(text.as_bytes())?;
            file.sync_data()?;
            std::fs::rename(&beside, &path)
        };
        write().map_err(at(&path))
    }

    /// Takes the uploaded file away: it names people, and is not needed any more.
    pub fn drop_source(&self) -> Result<(), JobProblem> {
        let path = self.source();
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(at(&path)(error)),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Takes everything away.
    pub fn remove(&self) -> Result<(), JobProblem> {
        std::fs::remove_dir_all(&self.path).map_err(at(&self.path))
    }
}

fn is_id(text: &str) -> bool {
    text.strip_prefix("imp_")
        .is_some_and(|rest| rest.len() == 16 && rest.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// All jobs of a data folder, the newest first. Those that cannot be read are left out.
pub fn list(data: &Path) -> Vec<(Folder, Job)> {
    let Ok(entries) = std::fs::read_dir(data.join(FOLDER)) else {
        return Vec::new();
    };
    let mut jobs: Vec<(Folder, Job)> = entries
        .flatten()
        .filter_map(|entry| {
            let folder = Folder::of(data, entry.file_name().to_str()?).ok()?;
            let job = folder.load().ok()?;
            Some((folder, job))
        })
        .collect();
    jobs.sort_by_key(|(_, job)| std::cmp::Reverse(job.created_at));
    jobs
}

impl Job {
    /// A job over a file that was looked at.
    pub fn new(id: &str, name: &str, source_bytes: u64, facts: Facts, now: Timestamp) -> Self {
        Self {
            format: FORMAT.to_owned(),
            id: id.to_owned(),
            name: name.chars().take(200).collect(),
            state: State::Uploaded,
            created_at: now,
            source: None,
            source_bytes,
            facts,
            mapping: None,
            position: 0,
            errors_bytes: 0,
            counts: Counts::default(),
            problem: None,
        }
    }

    /// Where its file lies.
    pub fn path(&self, folder: &Folder) -> PathBuf {
        self.source.clone().unwrap_or_else(|| folder.source())
    }
}
