//! Work that takes its time: begun, asked how far it is, stopped, and its result kept for a while.
//!
//! **Absent:** what the work is; crashes end it, for nothing of it is stored.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use relance_wire::api::template::Job;
use serde_json::Value;

/// Works at once: each takes a thread and reads much.
pub const RUNNING_MAX: usize = 2;
/// Works that are remembered; the oldest that has ended makes room.
pub const KEPT_MAX: usize = 32;
/// Bytes of chance in an id.
const ID_BYTES: usize = 12;

/// Why no work was begun.
#[derive(Debug, thiserror::Error)]
pub enum WorkProblem {
    /// Too many run.
    #[error("{RUNNING_MAX} works run already; wait until one has ended, or stop it")]
    Busy,
    /// The system gave no chance for an id.
    #[error("no randomness: {0}")]
    Random(String),
}

/// How one work stands.
struct Standing {
    kind: &'static str,
    by: String,
    began_at: Timestamp,
    done: AtomicU64,
    of: AtomicU64,
    stop: AtomicBool,
    end: Mutex<Option<End>>,
}

/// Why a work did not end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkFailure {
    /// A code that pages have words for.
    pub code: &'static str,
    /// In words.
    pub text: String,
}

impl From<String> for WorkFailure {
    fn from(text: String) -> Self {
        let code = "failed";
        Self { code, text }
    }
}

/// How a work ended.
enum End {
    Done(Value),
    Failed(WorkFailure),
    Stopped,
}

/// How far a work is, told by itself.
#[derive(Clone)]
pub struct Progress(Arc<Standing>);

impl Progress {
    /// So much of so much is done; says whether to go on.
    pub fn tell(&self, done: u64, of: u64) -> ControlFlow<()> {
        self.0.done.store(done, Ordering::Relaxed);
        self.0.of.store(of, Ordering::Relaxed);
        if self.0.stop.load(Ordering::Relaxed) {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }
}

/// The works of a workspace.
#[derive(Default)]
pub struct Works {
    /// By id; ids rise with time.
    all: Mutex<BTreeMap<(Timestamp, String), Arc<Standing>>>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Works {
    /// Begins a work on a thread of its own. An error that comes after it was told to stop is no failure.
    pub fn begin<E: Into<WorkFailure>>(
        &self,
        kind: &'static str,
        by: String,
        now: Timestamp,
        work: impl FnOnce(&Progress) -> Result<Value, E> + Send + 'static,
    ) -> Result<Job, WorkProblem> {
        let mut chance = [0; ID_BYTES];
        getrandom::fill(&mut chance).map_err(|error| WorkProblem::Random(error.to_string()))?;
        let id: String = chance.iter().map(|byte| format!("{byte:02x}")).collect();
        let mut all = locked(&self.all);
        let runs = |one: &Arc<Standing>| locked(&one.end).is_none();
        if all.values().filter(|one| runs(one)).count() >= RUNNING_MAX {
            return Err(WorkProblem::Busy);
        }
        while all.len() >= KEPT_MAX {
            let oldest = all.iter().find(|(_, one)| !runs(one));
            match oldest.map(|(key, _)| key.clone()) {
                Some(key) => drop(all.remove(&key)),
                None => break,
            }
        }
        let standing = Arc::new(Standing {
            kind,
            by,
            began_at: now,
            done: AtomicU64::new(0),
            of: AtomicU64::new(0),
            stop: AtomicBool::new(false),
            end: Mutex::new(None),
        });
        all.insert((now, id.clone()), standing.clone());
        drop(all);
        let told = shown(&id, &standing);
        let progress = Progress(standing);
        tokio::task::spawn_blocking(move || {
            let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| work(&progress)));
            let stopped = progress.0.stop.load(Ordering::Relaxed);
            let end = match ended {
                Ok(Ok(result)) => End::Done(result),
                Ok(Err(_)) if stopped => End::Stopped,
                Ok(Err(problem)) => End::Failed(problem.into()),
                Err(_) => End::Failed("it broke off; the server's log says why".to_owned().into()),
            };
            *locked(&progress.0.end) = Some(end);
        });
        Ok(told)
    }

    fn find(&self, id: &str) -> Option<Arc<Standing>> {
        let all = locked(&self.all);
        let found = all.iter().find(|((_, own), _)| own == id);
        found.map(|(_, standing)| standing.clone())
    }

    /// How a work stands.
    pub fn show(&self, id: &str) -> Option<Job> {
        self.find(id).map(|standing| shown(id, &standing))
    }

    /// Stops a work; one that has ended is forgotten.
    pub fn stop(&self, id: &str) -> Option<Job> {
        let standing = self.find(id)?;
        standing.stop.store(true, Ordering::Relaxed);
        if locked(&standing.end).is_some() {
            locked(&self.all).retain(|(_, own), _| own != id);
        }
        Some(shown(id, &standing))
    }
}

fn shown(id: &str, standing: &Standing) -> Job {
    let (state, result, failure) = match &*locked(&standing.end) {
        None => ("running", None, None),
        Some(End::Done(result)) => ("done", Some(result.clone()), None),
        Some(End::Failed(failure)) => ("failed", None, Some(failure.clone())),
        Some(End::Stopped) => ("cancelled", None, None),
    };
    Job {
        id: id.to_owned(),
        kind: standing.kind.to_owned(),
        state: state.to_owned(),
        by: standing.by.clone(),
        done: standing.done.load(Ordering::Relaxed),
        of: standing.of.load(Ordering::Relaxed),
        began_at: standing.began_at.to_string(),
        result,
        code: failure.as_ref().map(|failure| failure.code.to_owned()),
        problem: failure.map(|failure| failure.text),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;

    async fn ended(works: &Works, id: &str) -> Job {
        loop {
            let job = works.show(id).expect("the work");
            if job.state != "running" {
                return job;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    #[tokio::test]
    async fn a_work_tells_how_far_it_is_and_what_came_of_it() {
        let works = Works::default();
        let now = Timestamp::UNIX_EPOCH;
        let begun = works.begin("count", "ana".to_owned(), now, |progress| {
            let _goes_on = progress.tell(3, 4);
            Ok::<_, String>(json!(7))
        });
        let job = ended(&works, &begun.expect("room").id).await;
        assert_eq!((job.state.as_str(), job.done, job.of), ("done", 3, 4));
        assert_eq!(job.result, Some(json!(7)));
    }

    #[tokio::test]
    async fn a_work_is_stopped_and_one_more_than_may_run_is_refused() {
        let works = Works::default();
        let begin = || {
            works.begin(
                "wait",
                "ana".to_owned(),
                Timestamp::UNIX_EPOCH,
                |progress| {
                    while progress.tell(0, 1).is_continue() {
                        std::thread::sleep(Duration::from_millis(1));
                    }
                    Err("stopped".to_owned())
                },
            )
        };
        let all: Vec<Job> = (0..RUNNING_MAX).map(|_| begin().expect("room")).collect();
        assert!(matches!(begin(), Err(WorkProblem::Busy)));
        for job in &all {
            works.stop(&job.id);
            assert_eq!(ended(&works, &job.id).await.state, "cancelled");
        }
        // Stopped once more, it is forgotten.
        works.stop(&all[0].id);
        assert!(works.show(&all[0].id).is_none());
        assert!(works.show("unknown").is_none());
    }

    #[tokio::test]
    async fn work_that_panics_has_failed() {
        let works = Works::default();
        let job = works
            .begin::<String>("break", String::new(), Timestamp::UNIX_EPOCH, |_| {
                std::panic::panic_any("broken")
            })
            .expect("room");
        assert_eq!(ended(&works, &job.id).await.state, "failed");
    }
}
