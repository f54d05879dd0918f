//! Running an import: rows to events, in batches of which several are under way; or, dry, what would happen.
//!
//! A batch counts when the engine has acknowledged it. Its rows of errors are written and the position moves
//! in the same order as the rows, so a job that goes on after a crash repeats at most what was under way
//! then; its events have the same ids and change nothing (R6).

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, bounded};
use jiff::Timestamp;
use relance_core::contact::Identity;
use relance_engine::arrival::{Arrival, Envelope, Refusal};
use relance_engine::clock::SharedClock;
use relance_engine::run::Handle;
use relance_store::read::{ReadError, Reader};
use relance_wire::journey::Problem as MappingProblem;
use relance_wire::table::call::{Plan, PlanProblem, RowCall, events};
use relance_wire::table::mapping::{self, Mapping, Mode};
use relance_wire::table::record::Row;
use serde_json::{Value, json};

use super::errors::{self, ErrorsFile};
use super::job::{Counts, Folder, Job, JobProblem, State};
use super::known::{Known, OnTheWay, Standing, differences, key_of};
use super::leftovers;
use super::source::{self, SourceProblem, Table};

/// Rows that are acknowledged together.
pub const BATCH_ROWS_MAX: usize = 500;
/// Bytes of their values, roughly.
const BATCH_BYTES_MAX: usize = 512 * 1024;
/// Batches under way at once.
pub const BATCHES_UNDER_WAY_MAX: usize = 8;
/// How often the position is written down.
const CHECKPOINT_EVERY: Duration = Duration::from_secs(1);
/// How long a busy engine is left alone.
const BUSY_PAUSE: Duration = Duration::from_millis(50);
/// Changes that a dry run shows.
pub const EXAMPLES_MAX: usize = 20;
/// Identities that a dry run remembers, to know rows that name the same contact again.
const SEEN_IDENTITIES_MAX: usize = 1_000_000;
/// What an event weighs beside its values.
const EVENT_BYTES: usize = 400;

/// Why an import cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum ImportProblem {
    /// The file.
    #[error(transparent)]
    Source(#[from] SourceProblem),
    /// The mapping.
    #[error("the mapping: {}", lines(.0))]
    Mapping(Vec<MappingProblem>),
    /// The mapping does not fit the file.
    #[error("the mapping: {0}")]
    Plan(#[from] PlanProblem),
    /// What is known.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The job's own files.
    #[error(transparent)]
    Job(#[from] JobProblem),
    /// The file of errors.
    #[error("the file of errors: {0}")]
    Errors(std::io::Error),
    /// The engine.
    #[error("{0}")]
    Refused(#[from] Refusal),
    /// The file is another one than before.
    #[error("the file has changed since the import began; put it back, or begin a new import")]
    Changed,
    /// It has ended.
    #[error("the import has ended; begin a new one")]
    Ended,
}

fn lines(problems: &[MappingProblem]) -> String {
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

/// Where rows go, and what is known there.
#[derive(Clone)]
pub struct Outlet {
    /// The way to the engine.
    pub engine: Handle,
    /// The database.
    pub reader: Arc<Reader>,
    /// The moment.
    pub clock: SharedClock,
    /// Whether any of these names was a person's who was erased on request.
    pub erased: IsErased,
}

/// Whether any of some names was an erased person's.
pub type IsErased = Arc<dyn Fn(&[Identity]) -> bool + Send + Sync>;

/// Told of progress after every batch: the job, bytes read, of how many.
pub type Watcher<'a> = &'a mut dyn FnMut(&Job, (u64, u64));

/// Reads a mapping.
pub fn read_mapping(text: &str) -> Result<Mapping, ImportProblem> {
    mapping::parse(text).map_err(ImportProblem::Mapping)
}

/// A row that can be used.
struct Used {
    number: u64,
    line: u64,
    call: RowCall,
}

/// Rows that were read together.
#[derive(Default)]
struct Batch {
    used: Vec<Used>,
    counts: Counts,
    errors: String,
    last: u64,
    bytes: usize,
    /// Of the first rows with errors, for a dry run.
    examples: Vec<Value>,
}

/// The rows of a job's file, as calls.
struct Reading {
    table: Table,
    plan: Plan,
    row: Row,
    /// Rows up to this one are passed over.
    after: u64,
}

impl Reading {
    fn open(job: &Job, path: &Path, mapping: &Mapping) -> Result<Self, ImportProblem> {
        let length = std::fs::metadata(path).map_err(SourceProblem::Io)?.len();
        if length != job.source_bytes {
            return Err(ImportProblem::Changed);
        }
        let table = source::open(path, &job.facts.told())?;
        let plan = Plan::new(mapping, &table.facts.heads)?;
        let head_rows = u64::from(table.facts.header);
        Ok(Self {
            table,
            plan,
            row: Row::default(),
            after: job.position.max(head_rows),
        })
    }

    fn next(&mut self) -> Result<Option<Batch>, ImportProblem> {
        let mut batch = Batch::default();
        let mut rows = 0;
        while rows < BATCH_ROWS_MAX && batch.bytes < BATCH_BYTES_MAX {
            let Some(read) = self.table.rows.next(&mut self.row)? else {
                break;
            };
            let number = match &read {
                Ok(()) => self.row.number,
                Err(problem) => problem.row,
            };
            // Spreadsheets leave rows of nothing but delimiters at the end.
            if number <= self.after || (read.is_ok() && self.row.is_empty()) {
                continue;
            }
            rows += 1;
            batch.last = number;
            batch.counts.rows += 1;
            match read {
                Ok(()) => self.take(&mut batch),
                Err(problem) => {
                    batch.counts.errors += 1;
                    errors::unreadable(&mut batch.errors, &problem);
                    batch.example_of_error(
                        problem.row,
                        problem.line,
                        "",
                        problem.why.code(),
                        &problem.to_string(),
                    );
                }
            }
        }
        Ok((rows > 0).then_some(batch))
    }

    fn take(&mut self, batch: &mut Batch) {
        let row = &self.row;
        match self.plan.call(row) {
            Ok(call) => {
                batch.counts.role += u64::from(call.role);
                batch.counts.disposable += u64::from(call.disposable);
                if !call.left_out.is_empty() {
                    batch.counts.left_out += call.left_out.len() as u64;
                    errors::line(&mut batch.errors, row, &call.left_out);
                }
                batch.bytes += weight(&call);
                batch.used.push(Used {
                    number: row.number,
                    line: row.line,
                    call,
                });
            }
            Err(problems) => {
                batch.counts.errors += 1;
                errors::line(&mut batch.errors, row, &problems);
                for problem in problems {
                    let reason = problem.why.to_string();
                    batch.example_of_error(
                        row.number,
                        row.line,
                        &problem.column,
                        problem.why.code(),
                        &reason,
                    );
                }
            }
        }
    }
}

impl Batch {
    fn example_of_error(&mut self, row: u64, line: u64, column: &str, code: &str, reason: &str) {
        if self.examples.len() < EXAMPLES_MAX {
            self.examples.push(json!({
                "row": row, "line": line, "what": "error", "column": column, "code": code, "reason": reason,
            }));
        }
    }

    fn refuse_erased(&mut self, used: &Used) {
        const CODE: &str = "erased";
        const REASON: &str = "the person asked to be erased; leave the row out";
        self.counts.errors += 1;
        errors::refused(&mut self.errors, used.number, used.line, CODE, REASON);
        self.example_of_error(used.number, used.line, "", CODE, REASON);
    }
}

fn weight(call: &RowCall) -> usize {
    let texts = call.traits.iter().map(|(name, value)| {
        name.len()
            + match value {
                Value::String(text) => text.len(),
                Value::Array(items) => 32 * items.len(),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => 8,
            }
    });
    EVENT_BYTES + texts.sum::<usize>()
}

/// What is to be done with a row, by its standing and the mode.
enum Todo {
    Create,
    Update,
    Nothing,
    Skip,
    Refuse,
}

fn todo(standing: &Standing, mode: Mode) -> Todo {
    match (standing, mode) {
        (Standing::Erased, Mode::Upsert | Mode::OnlyNew | Mode::OnlyExisting) => Todo::Refuse,
        (Standing::New, Mode::OnlyExisting) => Todo::Skip,
        (Standing::New, Mode::Upsert | Mode::OnlyNew) => Todo::Create,
        (Standing::Unchanged, Mode::Upsert | Mode::OnlyExisting) => Todo::Nothing,
        (Standing::Changed(_) | Standing::OnItsWay, Mode::Upsert | Mode::OnlyExisting) => {
            Todo::Update
        }
        (Standing::Unchanged | Standing::Changed(_) | Standing::OnItsWay, Mode::OnlyNew) => {
            Todo::Skip
        }
    }
}

/// A batch that is under way.
struct UnderWay {
    told: Option<Receiver<Result<(), Refusal>>>,
    counts: Counts,
    errors: String,
    last: u64,
    keys: Vec<u64>,
}

/// Runs a job to its end, from where it stands. On the way it is saved again and again.
///
/// # Errors
/// What keeps it from going on. The job's state says the same, and it can be started again.
pub fn import(
    job: &mut Job,
    folder: &Folder,
    outlet: &Outlet,
    cancel: &AtomicBool,
    watch: Watcher<'_>,
) -> Result<(), ImportProblem> {
    if job.state == State::Done {
        return Err(ImportProblem::Ended);
    }
    let done =
        Running::begin(job, folder, outlet).and_then(|running| running.run(job, cancel, watch));
    match &done {
        Ok(()) => {}
        // The server stops: the job goes on when it starts again.
        Err(ImportProblem::Refused(Refusal::Stopping)) => job.state = State::Running,
        Err(problem) => {
            job.state = State::Failed;
            job.problem = Some(problem.to_string());
        }
    }
    // Rows of people who were erased before, or meanwhile.
    if job.state != State::Running
        && let Err(problem) = leftovers::forget_rows_of(folder, job, &*outlet.erased)
    {
        tracing::warn!(import = job.id, %problem, "rows of erased people may stay in its file of errors");
    }
    folder.save(job)?;
    done
}

struct Running<'a> {
    reading: Reading,
    outlet: &'a Outlet,
    folder: &'a Folder,
    errors: ErrorsFile,
    on_the_way: OnTheWay,
    under_way: VecDeque<UnderWay>,
    saved_at: Instant,
    mode: Mode,
}

impl<'a> Running<'a> {
    fn begin(job: &mut Job, folder: &'a Folder, outlet: &'a Outlet) -> Result<Self, ImportProblem> {
        let mapping = read_mapping(job.mapping.as_deref().unwrap_or_default())?;
        let reading = Reading::open(job, &job.path(folder), &mapping)?;
        let errors = ErrorsFile::open(&folder.errors(), job.errors_bytes, &job.facts.heads)
            .map_err(ImportProblem::Errors)?;
        job.state = State::Running;
        job.problem = None;
        folder.save(job)?;
        Ok(Self {
            reading,
            outlet,
            folder,
            errors,
            on_the_way: OnTheWay::default(),
            under_way: VecDeque::new(),
            saved_at: Instant::now(),
            mode: mapping.mode,
        })
    }

    fn run(
        mut self,
        job: &mut Job,
        cancel: &AtomicBool,
        watch: Watcher<'_>,
    ) -> Result<(), ImportProblem> {
        let mut more = true;
        while more && !cancel.load(Ordering::Acquire) {
            while self.under_way.len() >= BATCHES_UNDER_WAY_MAX {
                self.settle(job)?;
            }
            more = match self.reading.next()? {
                Some(batch) => {
                    let sent = self.send(&job.id, batch)?;
                    self.under_way.push_back(sent);
                    true
                }
                None => false,
            };
            watch(job, self.reading.table.rows.position());
        }
        while !self.under_way.is_empty() {
            self.settle(job)?;
        }
        job.state = if more { State::Cancelled } else { State::Done };
        self.checkpoint(job)?;
        watch(job, self.reading.table.rows.position());
        Ok(())
    }

    /// Gives the rows of a batch to the engine.
    fn send(&mut self, import: &str, mut batch: Batch) -> Result<UnderWay, ImportProblem> {
        let now = whole_milliseconds(self.outlet.clock.now());
        let mut arrivals = Vec::with_capacity(batch.used.len());
        let mut keys = Vec::with_capacity(batch.used.len());
        let mut bytes = 0;
        let known = Known {
            reader: &self.outlet.reader,
            erased: &*self.outlet.erased,
        };
        let looked_up = known.look_up(batch.used.iter().map(|used| &used.call))?;
        for (place, used) in std::mem::take(&mut batch.used).into_iter().enumerate() {
            let standing = known.standing(&looked_up, place, &self.on_the_way, &used.call);
            match todo(&standing, self.mode) {
                Todo::Create => batch.counts.created += 1,
                Todo::Update => batch.counts.updated += 1,
                Todo::Nothing => {
                    batch.counts.unchanged += 1;
                    continue;
                }
                Todo::Skip => {
                    batch.counts.skipped += 1;
                    continue;
                }
                Todo::Refuse => {
                    batch.refuse_erased(&used);
                    continue;
                }
            }
            let own: Vec<u64> = used.call.identities.iter().map(key_of).collect();
            self.on_the_way.add(&own);
            keys.extend(own);
            bytes += weight(&used.call);
            let (identities, told) = events(used.call, import, used.number, now);
            arrivals.extend(told.into_iter().map(|event| Arrival::Event {
                identities: identities.clone(),
                event: Arc::new(event),
            }));
        }
        let told = if arrivals.is_empty() {
            None
        } else {
            Some(self.submit(arrivals, bytes)?)
        };
        Ok(UnderWay {
            told,
            counts: batch.counts,
            errors: batch.errors,
            last: batch.last,
            keys,
        })
    }

    /// Waits while the engine has no room (R11).
    fn submit(
        &self,
        arrivals: Vec<Arrival>,
        weight: usize,
    ) -> Result<Receiver<Result<(), Refusal>>, ImportProblem> {
        loop {
            let (tell, told) = bounded(1);
            let envelope = Envelope {
                arrivals: arrivals.clone(),
                weight,
                acknowledge: Some(Box::new(move |result| {
                    // Whoever waited may have failed meanwhile.
                    let _nobody_waits = tell.send(result);
                })),
            };
            match self.outlet.engine.submit(envelope) {
                Ok(()) => return Ok(told),
                Err(Refusal::Busy { .. }) => std::thread::sleep(BUSY_PAUSE),
                Err(refusal @ (Refusal::Overtaken | Refusal::StoreFailed | Refusal::Stopping)) => {
                    return Err(refusal.into());
                }
            }
        }
    }

    /// Waits for the oldest batch under way, and counts it.
    fn settle(&mut self, job: &mut Job) -> Result<(), ImportProblem> {
        let Some(batch) = self.under_way.pop_front() else {
            return Ok(());
        };
        if let Some(told) = batch.told {
            told.recv().unwrap_or(Err(Refusal::Stopping))?;
        }
        self.on_the_way.remove(&batch.keys);
        self.errors
            .write(&batch.errors)
            .map_err(ImportProblem::Errors)?;
        job.position = batch.last;
        job.counts += batch.counts;
        if self.saved_at.elapsed() >= CHECKPOINT_EVERY {
            self.checkpoint(job)?;
        }
        Ok(())
    }

    /// Remembers how far it is: the file of errors first, which the position speaks of.
    fn checkpoint(&mut self, job: &mut Job) -> Result<(), ImportProblem> {
        job.errors_bytes = self.errors.keep().map_err(ImportProblem::Errors)?;
        self.folder.save(job)?;
        self.saved_at = Instant::now();
        Ok(())
    }
}

fn whole_milliseconds(at: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(at)
}

/// What an import would do.
#[derive(Debug, Clone, Default)]
pub struct Forecast {
    /// What would become of the rows.
    pub counts: Counts,
    /// The first changes and errors, for people.
    pub examples: Vec<Value>,
    /// So many contacts are in the file that rows that name one of them again may be counted as new.
    pub counts_are_rough: bool,
}

impl Forecast {
    /// As the API shows it.
    pub fn shown(&self) -> Value {
        json!({
            "counts": self.counts,
            "examples": self.examples,
            "counts_are_rough": self.counts_are_rough,
        })
    }
}

/// Reads the whole file and says what would happen; nothing is written but the errors, if a file is given.
pub fn forecast(
    job: &Job,
    path: &Path,
    mapping: &Mapping,
    known: &Known<'_>,
    mut errors: Option<&mut dyn std::io::Write>,
    cancel: &AtomicBool,
    progress: &mut dyn FnMut(&Counts, (u64, u64)),
) -> Result<Forecast, ImportProblem> {
    let mut whole = job.clone();
    whole.position = 0;
    let mut reading = Reading::open(&whole, path, mapping)?;
    let mut forecast = Forecast::default();
    let mut seen = OnTheWay::default();
    let mut examples_of_errors = 0;
    let mut write = |text: &str| match &mut errors {
        Some(file) => file
            .write_all(text.as_bytes())
            .map_err(ImportProblem::Errors),
        None => Ok(()),
    };
    write(&errors::header(&whole.facts.heads))?;
    while let Some(mut batch) = reading.next()? {
        let looked_up = known.look_up(batch.used.iter().map(|used| &used.call))?;
        for (place, used) in std::mem::take(&mut batch.used).into_iter().enumerate() {
            let standing = known.standing(&looked_up, place, &seen, &used.call);
            let (what, before) = match todo(&standing, mapping.mode) {
                Todo::Create => {
                    batch.counts.created += 1;
                    ("create", None)
                }
                Todo::Update => {
                    batch.counts.updated += 1;
                    (
                        "update",
                        match &standing {
                            Standing::Changed(contact) => Some(contact),
                            Standing::New
                            | Standing::Unchanged
                            | Standing::OnItsWay
                            | Standing::Erased => None,
                        },
                    )
                }
                Todo::Nothing => {
                    batch.counts.unchanged += 1;
                    continue;
                }
                Todo::Skip => {
                    batch.counts.skipped += 1;
                    continue;
                }
                Todo::Refuse => {
                    batch.refuse_erased(&used);
                    continue;
                }
            };
            if forecast.examples.len() - examples_of_errors < EXAMPLES_MAX {
                let key = used.call.identities.first();
                let again = standing == Standing::OnItsWay;
                forecast.examples.push(json!({
                    "row": used.number,
                    "line": used.line,
                    "what": what,
                    "contact": before.map(|contact| contact.id.to_string()),
                    "key": key.map(|key| json!({ key.kind.word(): key.value })),
                    "named_before_in_the_file": again.then_some(true),
                    "changes": differences(before.map(|contact| &**contact), &used.call),
                }));
            }
            if seen.len() < SEEN_IDENTITIES_MAX {
                let keys: Vec<u64> = used.call.identities.iter().map(key_of).collect();
                seen.add(&keys);
            } else {
                forecast.counts_are_rough = true;
            }
        }
        let room = EXAMPLES_MAX.saturating_sub(examples_of_errors);
        let shown = batch.examples.len().min(room);
        examples_of_errors += shown;
        forecast.examples.extend(batch.examples.drain(..shown));
        forecast.counts += batch.counts;
        write(&batch.errors)?;
        progress(&forecast.counts, reading.table.rows.position());
        if cancel.load(Ordering::Acquire) {
            break;
        }
    }
    Ok(forecast)
}
