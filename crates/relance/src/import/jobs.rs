//! The imports of a running server: uploaded, looked at, run in the background, stopped and gone on with.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use relance_wire::table::mapping::Mapping;
use relance_wire::table::suggest::{Suggestion, suggest};
use serde_json::{Value, json};

use super::job::{self, Folder, JOBS_MAX, Job, JobProblem, State};
use super::known::Known;
use super::leftovers;
use super::run::{self, Forecast, ImportProblem, Outlet, read_mapping};
use super::source::{self, SourceProblem, Table, Told};

/// Imports that run at once.
pub const RUNNING_MAX: usize = 2;
/// Values of a column that a suggestion shows.
const SAMPLES_SHOWN: usize = 5;

/// Why an order about an import is refused.
#[derive(Debug, thiserror::Error)]
pub enum OrderProblem {
    /// The job's files.
    #[error(transparent)]
    Job(#[from] JobProblem),
    /// The import itself.
    #[error(transparent)]
    Import(#[from] ImportProblem),
    /// It runs already.
    #[error("the import runs already; ask how far it is, or cancel it")]
    Runs,
    /// Too many run.
    #[error("{RUNNING_MAX} imports run already; wait until one has ended")]
    Busy,
    /// Too many are kept.
    #[error("{JOBS_MAX} imports are kept already; delete those that have ended")]
    Full,
    /// Nothing says what the columns are.
    #[error(
        "no mapping was given; send the one that `suggestion` proposes, edited where it is wrong"
    )]
    NoMapping,
}

impl From<SourceProblem> for OrderProblem {
    fn from(problem: SourceProblem) -> Self {
        Self::Import(problem.into())
    }
}

struct Running {
    cancel: AtomicBool,
    live: Mutex<(Job, (u64, u64))>,
}

/// The imports of a data folder.
pub struct Jobs {
    data: PathBuf,
    outlet: Outlet,
    running: Mutex<BTreeMap<String, Arc<Running>>>,
    /// Rises with whatever pages show of imports.
    changes: AtomicU64,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Jobs {
    /// Those of a data folder. What a crash or stop interrupted goes on; what names people leaves after `kept`.
    pub fn open(data: &Path, outlet: Outlet, kept: Duration) -> Arc<Self> {
        let jobs = Arc::new(Self {
            data: data.to_owned(),
            outlet,
            running: Mutex::default(),
            changes: AtomicU64::default(),
        });
        for (_, job) in job::list(data) {
            if job.state == State::Running
                && let Err(problem) = jobs.start(&job.id, None)
            {
                tracing::warn!(import = job.id, %problem, "an interrupted import does not go on");
            }
        }
        jobs.sweep_now_and_then(kept);
        jobs
    }

    /// Removes files whose time has come, now and again and again while anybody has the jobs.
    fn sweep_now_and_then(self: &Arc<Self>, kept: Duration) {
        let jobs = Arc::downgrade(self);
        let sweep = move || {
            while let Some(jobs) = jobs.upgrade() {
                match leftovers::expire(&jobs.data, SystemTime::now(), kept) {
                    Ok(0) => {}
                    Ok(removed) => tracing::info!(removed, "files of old imports were removed"),
                    Err(error) => tracing::warn!(%error, "files of old imports stay"),
                }
                drop(jobs);
                std::thread::sleep(leftovers::SWEEP_EVERY);
            }
        };
        let name = "import-leftovers".to_owned();
        if let Err(error) = std::thread::Builder::new().name(name).spawn(sweep) {
            tracing::warn!(%error, "files of old imports stay");
        }
    }

    /// A number that rises with whatever pages show of imports.
    pub fn changes(&self) -> u64 {
        self.changes.load(Ordering::Relaxed)
    }

    fn changed(&self) {
        self.changes.fetch_add(1, Ordering::Relaxed);
    }

    /// A folder for a file that is being uploaded.
    pub fn make(&self) -> Result<(String, Folder), OrderProblem> {
        let all = job::list(&self.data);
        if all.len() >= JOBS_MAX {
            let oldest = all.iter().rev().find(|(_, job)| job.state == State::Done);
            match oldest {
                Some((folder, _)) => folder.remove()?,
                None => return Err(OrderProblem::Full),
            }
        }
        Ok(Folder::make(&self.data)?)
    }

    /// The file is there: it is looked at, and becomes a job.
    pub fn uploaded(
        &self,
        id: &str,
        folder: &Folder,
        name: &str,
        told: &Told,
    ) -> Result<Job, OrderProblem> {
        let path = folder.source();
        let table = source::open(&path, told)?;
        let length = std::fs::metadata(&path).map_err(SourceProblem::Io)?.len();
        let job = Job::new(id, name, length, table.facts, self.outlet.clock.now());
        folder.save(&job)?;
        self.changed();
        Ok(job)
    }

    /// A job as it stands, with the bytes of its file that were read, and of how many.
    pub fn job(&self, id: &str) -> Result<(Job, Option<(u64, u64)>), OrderProblem> {
        let folder = Folder::of(&self.data, id)?;
        if let Some(running) = locked(&self.running).get(id) {
            let live = locked(&running.live);
            return Ok((live.0.clone(), Some(live.1)));
        }
        Ok((folder.load()?, None))
    }

    /// All jobs, the newest first.
    pub fn list(&self) -> Vec<Job> {
        job::list(&self.data)
            .into_iter()
            .map(|(_, job)| job)
            .collect()
    }

    /// The folder of a job.
    pub fn folder(&self, id: &str) -> Result<Folder, OrderProblem> {
        Ok(Folder::of(&self.data, id)?)
    }

    /// What the columns of a job's file probably are.
    pub fn suggestion(&self, id: &str) -> Result<Value, OrderProblem> {
        let folder = Folder::of(&self.data, id)?;
        let job = folder.load()?;
        let table = source::open(&job.path(&folder), &job.facts.told())?;
        let (suggestions, mapping) = suggested(&table);
        Ok(shown_suggestion(&table, &suggestions, &mapping))
    }

    /// The mapping that is given, or that of the job, or that of another job.
    fn mapping_of(&self, job: &Job, given: Option<&str>) -> Result<String, OrderProblem> {
        match given.filter(|text| !text.trim().is_empty()) {
            Some(text) => Ok(text.to_owned()),
            None => job.mapping.clone().ok_or(OrderProblem::NoMapping),
        }
    }

    /// The mapping of a job, to be used for another.
    pub fn mapping(&self, id: &str) -> Result<String, OrderProblem> {
        self.job(id)?.0.mapping.ok_or(OrderProblem::NoMapping)
    }

    /// What the import would do.
    pub fn forecast(&self, id: &str, mapping: Option<&str>) -> Result<Forecast, OrderProblem> {
        let folder = Folder::of(&self.data, id)?;
        let mut job = folder.load()?;
        let text = self.mapping_of(&job, mapping)?;
        let mapping = read_mapping(&text)?;
        let never = AtomicBool::new(false);
        let known = Known {
            reader: &self.outlet.reader,
            erased: &*self.outlet.erased,
        };
        let forecast = run::forecast(
            &job,
            &job.path(&folder),
            &mapping,
            &known,
            None,
            &never,
            &mut |_, _| {},
        )?;
        if job.state == State::Uploaded {
            job.mapping = Some(text);
            folder.save(&job)?;
        }
        Ok(forecast)
    }

    /// Begins a job, or goes on with one that was stopped.
    pub fn start(self: &Arc<Self>, id: &str, mapping: Option<&str>) -> Result<Job, OrderProblem> {
        let folder = Folder::of(&self.data, id)?;
        let mut running = locked(&self.running);
        if running.contains_key(id) {
            return Err(OrderProblem::Runs);
        }
        if running.len() >= RUNNING_MAX {
            return Err(OrderProblem::Busy);
        }
        let mut job = folder.load()?;
        if job.state == State::Done {
            return Err(ImportProblem::Ended.into());
        }
        let text = self.mapping_of(&job, mapping)?;
        // What is wrong with it is told now, not in the background.
        let mapping = read_mapping(&text)?;
        relance_wire::table::call::Plan::new(&mapping, &job.facts.heads)
            .map_err(ImportProblem::from)?;
        job.mapping = Some(text);
        job.state = State::Running;
        folder.save(&job)?;
        let live = Arc::new(Running {
            cancel: AtomicBool::new(false),
            live: Mutex::new((job.clone(), (0, job.source_bytes))),
        });
        running.insert(id.to_owned(), live.clone());
        drop(running);
        let (jobs, begun) = (self.clone(), job.clone());
        let spawned = std::thread::Builder::new()
            .name("import".to_owned())
            .spawn(move || jobs.run(begun, &folder, &live));
        if let Err(error) = spawned {
            locked(&self.running).remove(id);
            return Err(SourceProblem::Io(error).into());
        }
        Ok(job)
    }

    fn run(&self, mut job: Job, folder: &Folder, running: &Running) {
        let mut watch = |job: &Job, position| {
            let mut live = locked(&running.live);
            live.0.counts = job.counts;
            live.0.position = job.position;
            live.1 = position;
            self.changed();
        };
        let done = run::import(&mut job, folder, &self.outlet, &running.cancel, &mut watch);
        match done {
            Ok(()) if job.state == State::Done => {
                tracing::info!(
                    import = job.id,
                    rows = job.counts.rows,
                    errors = job.counts.errors,
                    "an import is done"
                );
                if let Err(problem) = folder.drop_source() {
                    tracing::warn!(import = job.id, %problem, "the uploaded file stays");
                }
            }
            Ok(()) => tracing::info!(import = job.id, "an import was stopped"),
            Err(problem) => tracing::warn!(import = job.id, %problem, "an import did not end"),
        }
        locked(&self.running).remove(&job.id);
        self.changed();
    }

    /// Asks a running job to stop.
    pub fn cancel(&self, id: &str) -> Result<Job, OrderProblem> {
        let folder = Folder::of(&self.data, id)?;
        if let Some(running) = locked(&self.running).get(id) {
            running.cancel.store(true, Ordering::Release);
        }
        Ok(folder.load()?)
    }

    /// Takes a job away, with its files.
    pub fn remove(&self, id: &str) -> Result<(), OrderProblem> {
        let folder = Folder::of(&self.data, id)?;
        if locked(&self.running).contains_key(id) {
            return Err(OrderProblem::Runs);
        }
        folder.remove()?;
        self.changed();
        Ok(())
    }
}

/// What the columns of a table probably are.
pub fn suggested(table: &Table) -> (Vec<Suggestion>, Mapping) {
    let suggestions = suggest(&table.facts.heads, &table.samples);
    let mut mapping = Mapping::of_suggestions(&table.facts.heads, &suggestions);
    let told = table.facts.told();
    mapping.encoding = told.encoding;
    mapping.delimiter = told.delimiter;
    mapping.header = told.header;
    mapping.sheet = told.sheet;
    (suggestions, mapping)
}

/// A suggestion as the API shows it.
pub fn shown_suggestion(table: &Table, suggestions: &[Suggestion], mapping: &Mapping) -> Value {
    let columns: Vec<Value> = suggestions
        .iter()
        .enumerate()
        .map(|(at, suggestion)| {
            let samples: Vec<&String> = table
                .samples
                .iter()
                .filter_map(|row| row.get(at))
                .filter(|cell| !cell.trim().is_empty())
                .take(SAMPLES_SHOWN)
                .collect();
            json!({
                "place": at + 1,
                "head": table.facts.heads.get(at),
                "name": mapping.columns.get(at).map(|(name, _)| name),
                "samples": samples,
                "becomes": suggestion.target.word(),
                "why": suggestion.why.word(),
            })
        })
        .collect();
    json!({
        "file": table.facts.shown(),
        "columns": columns,
        "mapping": mapping.to_yaml(),
    })
}

/// A job as the API shows it.
pub fn shown_job(job: &Job, position: Option<(u64, u64)>) -> Value {
    let (read, of) = position.unwrap_or((0, job.source_bytes));
    json!({
        "id": job.id,
        "name": job.name,
        "state": job.state.word(),
        "created_at": job.created_at.to_string(),
        "file": job.facts.shown(),
        "mapping": job.mapping,
        "position": job.position,
        "bytes": { "read": if job.state == State::Done { of } else { read }, "of": of },
        "counts": job.counts,
        "problem": job.problem,
    })
}
