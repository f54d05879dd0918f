//! Moves what was committed from the write-ahead log into the file, beside the writer: a commit waits for its own
//! flush and for nothing else, most of the time.
//!
//! While the writer never pauses a helper cannot empty the log, only copy what was there when it began. So when the log
//! is long the writer copies the rest itself, which is little by then, and begins it anew.
//!
//! **Absent:** what survives a crash. The log is flushed by commits as before, and is read when the file is opened.

use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Weak};
use std::thread::JoinHandle;
use std::time::Duration;

use relance_engine::ports::StoreError;
use rusqlite::hooks::Wal;
use rusqlite::{Connection, OpenFlags};

use super::error::Located;

/// Pages of the log after which the helper copies them: 16 MB.
pub(super) const HELPER_PAGES: u32 = 4_000;
/// Pages of the log at which the writer itself copies what is left, and begins the log anew: 64 MB.
pub(super) const WRITER_PAGES: u32 = 16_000;
/// How long the helper waits for whoever holds the file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(1);

/// The helper: a thread with a connection of its own.
#[derive(Debug)]
pub(super) struct Checkpointer {
    /// `None` once it is to end. The writer's hook holds it weakly, so that nobody else keeps the helper.
    wake: Option<Arc<SyncSender<()>>>,
    thread: Option<JoinHandle<()>>,
}

impl Checkpointer {
    /// Starts the helper of a file.
    pub(super) fn start(path: &Path) -> Result<Self, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let conn = Connection::open_with_flags(path, flags).at("file", path.display())?;
        conn.busy_timeout(BUSY_TIMEOUT)
            .and_then(|()| {
                conn.execute_batch("PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0;")
            })
            .at("pragma", "of the checkpointer")?;
        // One wish is enough: whoever is awake copies all there is.
        let (wake, wishes) = sync_channel(1);
        let thread = std::thread::Builder::new()
            .name("checkpoint".to_owned())
            .spawn(move || copy_when_asked(&conn, &wishes))
            .map_err(|error| StoreError::Failed(format!("no thread for checkpoints: {error}")))?;
        Ok(Self {
            wake: Some(Arc::new(wake)),
            thread: Some(thread),
        })
    }

    /// Lets the writer's commits wake the helper, in place of copying themselves.
    pub(super) fn watch(&self, writer: &mut Connection) -> Result<(), StoreError> {
        let wake = self.wake.as_ref().map(Arc::downgrade);
        let mut asked_at = 0;
        let hook = move |wal: &mut Wal, pages: std::os::raw::c_int| {
            let pages = u32::try_from(pages).unwrap_or(0);
            if pages >= WRITER_PAGES {
                // Busy: the helper is at it, and the next commit comes by here again. What was committed is so.
                let _busy = wal.checkpoint();
                return Ok(());
            }
            if pages < asked_at {
                // The log began anew.
                asked_at = 0;
            }
            if pages - asked_at >= HELPER_PAGES {
                asked_at = pages;
                // A wish that waits already is as good.
                if let Some(wake) = wake.as_ref().and_then(Weak::upgrade) {
                    let _waits = wake.try_send(());
                }
            }
            Ok(())
        };
        writer.wal_hook(Some(hook)).at("pragma", "wal_hook")
    }
}

fn copy_when_asked(conn: &Connection, wishes: &Receiver<()>) {
    while wishes.recv().is_ok() {
        let copied = conn.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
        if let Err(error) = copied {
            // The writer does it when the log is long.
            tracing::warn!(%error, "a checkpoint beside the writer failed");
        }
    }
}

impl Drop for Checkpointer {
    fn drop(&mut self) {
        self.wake = None;
        if let Some(thread) = self.thread.take() {
            // A panic there was reported by the panic hook.
            let _ended = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    /// Commits rows of a page each; says how many pages the log has grown to.
    fn commit(writer: &Connection, pages: u32) {
        writer.execute_batch("BEGIN").expect("begins");
        let row = vec![0_u8; 4_000];
        for _ in 0..pages {
            writer
                .execute("INSERT INTO t (b) VALUES (?1)", [&row])
                .expect("inserts");
        }
        writer.execute_batch("COMMIT").expect("commits");
    }

    /// How many pages the log holds.
    fn pages_of_log(writer: &Connection) -> u32 {
        writer
            .query_row("PRAGMA wal_checkpoint(NOOP)", [], |row| row.get(1))
            .expect("looks")
    }

    #[test]
    fn the_helper_copies_and_the_log_stays_short() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("t.db");
        let log = folder.path().join("t.db-wal");
        let mut writer = Connection::open(&path).expect("opens");
        writer
            .execute_batch(
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; CREATE TABLE t (b BLOB);",
            )
            .expect("a table");
        let helper = Checkpointer::start(&path).expect("starts");
        helper.watch(&mut writer).expect("watches");

        let begun = path.metadata().expect("a file").len();
        commit(&writer, HELPER_PAGES);
        let since = Instant::now();
        while path.metadata().expect("a file").len() < begun + 1_000_000 {
            assert!(since.elapsed() < Duration::from_secs(20), "nobody copied");
            std::thread::sleep(Duration::from_millis(5));
        }
        for _ in 0..40 {
            commit(&writer, HELPER_PAGES / 4);
        }
        // A writer that waits for no disk outruns the helper where the machine is busy; given a moment, the log begins anew.
        let since = Instant::now();
        while pages_of_log(&writer) >= WRITER_PAGES {
            assert!(since.elapsed() < Duration::from_secs(20), "it only grows");
            std::thread::sleep(Duration::from_millis(5));
            commit(&writer, 1);
        }
        drop(writer);
        drop(helper);
        assert!(!log.exists(), "the last to leave empties the log");
    }
}
