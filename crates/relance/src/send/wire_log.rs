//! The wire log: which messages may have reached the wire.
//!
//! Before a message's body is handed to a mail server the message is noted, durably. Then three short
//! lines may follow that are written, not flushed: it leaves, it was taken, it was not taken. They outlive
//! the program, though not the machine. So after a crash of the program a message without a line of
//! leaving certainly did not go, and may be queued again; after a crash of the machine (told by the boot
//! that the log names) that is so only of a message that was not noted. One that was leaving, without an
//! answer, is *unknown* (design section 3). Notes of many messages share one flush.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;

use crossbeam_channel::{Receiver, Sender, unbounded};
use relance_core::ids::TouchpointId;
use tokio::sync::oneshot;

/// The file's name inside the data folder.
pub const FILE_NAME: &str = "wire.log";
/// Notes that share one flush.
const BATCH_MAX: usize = 1_000;

/// How much of the log's end tells whether the database is older than it: more than the lines of all
/// messages that may be under way at once.
const TAIL_BYTES: u64 = 64 * 1024;

/// Names the run of the machine; another after each start of it.
const BOOT_FILE: &str = "/proc/sys/kernel/random/boot_id";

/// What the log knows of one try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Its body was about to be handed over.
    MayHaveLeft,
    /// The mail server took it.
    Left,
    /// The mail server did not take it.
    NotLeft,
}

/// Tries by message and number.
pub type Noted = BTreeMap<(TouchpointId, u8), Fate>;

/// What one line says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    Noted,
    Leaves,
    Taken,
    NotTaken,
}

/// A message to note, and whom to tell when that is durable.
type Note = (TouchpointId, u8, oneshot::Sender<()>);

/// Notes messages before they reach the wire.
pub struct WireLog {
    /// Opened to append: lines of several threads do not mix.
    file: Arc<File>,
    sender: Option<Sender<Note>>,
    thread: Option<JoinHandle<()>>,
}

impl Mark {
    const fn suffix(self) -> &'static str {
        match self {
            Self::Noted => ";",
            Self::Leaves => ">;",
            Self::Taken => "+;",
            Self::NotTaken => "-;",
        }
    }

    /// What the last line of a message says, when every line written was kept or only the durable ones.
    const fn fate(self, all_kept: bool) -> Fate {
        match self {
            Self::Noted if all_kept => Fate::NotLeft,
            Self::Noted | Self::Leaves => Fate::MayHaveLeft,
            Self::Taken => Fate::Left,
            Self::NotTaken => Fate::NotLeft,
        }
    }
}

/// One line of the log.
fn line(id: TouchpointId, attempt: u8, mark: Mark) -> String {
    format!("{id} {attempt}{}\n", mark.suffix())
}

fn parse(line: &[u8]) -> Option<((TouchpointId, u8), Mark)> {
    let (id, rest) = std::str::from_utf8(line).ok()?.split_once(' ')?;
    let rest = rest.strip_suffix(';')?;
    let digits = rest.trim_end_matches(['>', '+', '-']);
    let mark = match &rest[digits.len()..] {
        "" => Mark::Noted,
        ">" => Mark::Leaves,
        "+" => Mark::Taken,
        "-" => Mark::NotTaken,
        _damaged => return None,
    };
    Some(((id.parse().ok()?, digits.parse().ok()?), mark))
}

/// The line that names a boot.
fn boot_line(boot: &str) -> String {
    format!("boot={boot};")
}

/// The present boot; `None` where the system does not tell.
fn boot() -> Option<String> {
    let id = std::fs::read_to_string(BOOT_FILE).ok()?;
    Some(id.trim().to_owned()).filter(|id| !id.is_empty())
}

impl WireLog {
    /// Reads what an earlier run noted; the last line of a try counts.
    pub fn read(data: &Path) -> std::io::Result<Noted> {
        Self::read_at(data, boot().as_deref())
    }

    fn read_at(data: &Path, boot: Option<&str>) -> std::io::Result<Noted> {
        let file = match File::open(data.join(FILE_NAME)) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Noted::new());
            }
            Err(error) => return Err(error),
        };
        let boot = boot.map(boot_line);
        let mut all_kept = false;
        let mut marks = BTreeMap::new();
        for line in BufReader::new(file).split(b'\n') {
            // A torn last line promised nothing to anybody.
            let line = line?;
            all_kept |= boot.as_ref().is_some_and(|boot| line == boot.as_bytes());
            marks.extend(parse(&line));
        }
        Ok(marks
            .into_iter()
            .map(|(attempt, mark)| (attempt, mark.fate(all_kept)))
            .collect())
    }

    /// The last tries that left, or were about to, as far as the log's end tells.
    pub fn last_left(data: &Path) -> std::io::Result<Vec<(TouchpointId, u8)>> {
        let mut file = match File::open(data.join(FILE_NAME)) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES)))?;
        let mut tail = Vec::new();
        file.take(TAIL_BYTES).read_to_end(&mut tail)?;
        let marks: BTreeMap<_, _> = tail
            .split(|byte| *byte == b'\n')
            .filter_map(parse)
            .collect();
        let left = |mark: Mark| match mark {
            Mark::Leaves | Mark::Taken => true,
            Mark::Noted | Mark::NotTaken => false,
        };
        Ok(marks
            .into_iter()
            .filter(|(_, mark)| left(*mark))
            .map(|(attempt, _)| attempt)
            .collect())
    }

    /// Begins anew with the notes that are not settled yet. They are in place before this returns, and an
    /// earlier log stands until they are.
    pub fn begin(data: &Path, keep: &Noted) -> std::io::Result<Self> {
        let path = data.join(FILE_NAME);
        let fresh = data.join(format!("{FILE_NAME}.new"));
        File::create(&fresh)?;
        let file = Arc::new(OpenOptions::new().append(true).open(&fresh)?);
        let mut text = boot().map_or(String::new(), |boot| boot_line(&boot) + "\n");
        for ((id, attempt), fate) in keep {
            let mark = match fate {
                Fate::MayHaveLeft => Mark::Leaves,
                Fate::Left => Mark::Taken,
                Fate::NotLeft => Mark::NotTaken,
            };
            text.push_str(&line(*id, *attempt, mark));
        }
        (&*file).write_all(text.as_bytes())?;
        file.sync_data()?;
        std::fs::rename(&fresh, &path)?;
        File::open(data)?.sync_all()?;
        let (sender, receiver) = unbounded();
        let own = file.clone();
        let thread = std::thread::Builder::new()
            .name("wire-log".to_owned())
            .spawn(move || write_all(&own, &receiver))?;
        Ok(Self {
            file,
            sender: Some(sender),
            thread: Some(thread),
        })
    }

    /// Notes a message; returns when the note is durable. `false`: it could not be noted, so the message
    /// must not go.
    pub async fn note(&self, id: TouchpointId, attempt: u8) -> bool {
        let (tell, told) = oneshot::channel();
        let Some(sender) = &self.sender else {
            return false;
        };
        sender.send((id, attempt, tell)).is_ok() && told.await.is_ok()
    }

    /// Writes that a noted message leaves now: the very next thing is its body. `false`: it must not go.
    pub fn leaves(&self, id: TouchpointId, attempt: u8) -> bool {
        self.write(id, attempt, Mark::Leaves)
    }

    /// Writes the mail server's answer.
    pub fn answered(&self, id: TouchpointId, attempt: u8, taken: bool) {
        let mark = match taken {
            true => Mark::Taken,
            false => Mark::NotTaken,
        };
        // Unwritten, the message is unknown after a crash; now it is settled all the same.
        self.write(id, attempt, mark);
    }

    fn write(&self, id: TouchpointId, attempt: u8, mark: Mark) -> bool {
        let written = (&*self.file).write_all(line(id, attempt, mark).as_bytes());
        if let Err(error) = &written {
            tracing::error!(%error, "the wire log cannot be written");
        }
        written.is_ok()
    }
}

impl Drop for WireLog {
    fn drop(&mut self) {
        self.sender = None;
        if let Some(thread) = self.thread.take() {
            // A panic there was reported by the panic hook.
            let _ended = thread.join();
        }
    }
}

fn write_all(mut file: &File, notes: &Receiver<Note>) {
    while let Ok(first) = notes.recv() {
        let mut batch = vec![first];
        batch.extend(notes.try_iter().take(BATCH_MAX - 1));
        let text: String = batch
            .iter()
            .map(|(id, attempt, _)| line(*id, *attempt, Mark::Noted))
            .collect();
        let written = file
            .write_all(text.as_bytes())
            .and_then(|()| file.sync_data());
        match written {
            Ok(()) => {
                for (_, _, tell) in batch {
                    // A sender that gave up needs no answer.
                    let _ = tell.send(());
                }
            }
            Err(error) => {
                // Dropping the batch refuses its messages; they are tried again later.
                tracing::error!(%error, "the wire log cannot be written; nothing is sent until it can");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use relance_core::ids::ContactId;

    use super::*;

    #[tokio::test]
    async fn what_was_noted_is_read_back_and_a_torn_line_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let id = |hash| TouchpointId {
            contact: ContactId(3),
            hash,
        };
        let log = WireLog::begin(folder.path(), &Noted::new()).unwrap();
        for (hash, attempt) in [(1, 1), (2, 4), (3, 1), (4, 1)] {
            assert!(log.note(id(hash), attempt).await);
        }
        assert!(log.leaves(id(2), 4));
        log.answered(id(2), 4, true);
        // Refused for now, and about to be tried again under the same number.
        assert!(log.leaves(id(3), 1));
        log.answered(id(3), 1, false);
        assert!(log.note(id(3), 1).await);
        assert!(log.leaves(id(4), 1));
        drop(log);
        let path = folder.path().join(FILE_NAME);
        let mut text = std::fs::read(&path).unwrap();
        text.extend(b"tp_3_00000000000000ff 1");
        std::fs::write(&path, text).unwrap();

        let left = [(id(2), 4), (id(4), 1)];
        assert_eq!(WireLog::last_left(folder.path()).unwrap(), left);
        let fates = |boot: Option<&str>| {
            let noted = WireLog::read_at(folder.path(), boot).unwrap();
            noted.into_values().collect::<Vec<_>>()
        };
        use Fate::{Left, MayHaveLeft, NotLeft};
        // What was noted before the machine ended may have left since.
        assert_eq!(fates(None), [MayHaveLeft, Left, MayHaveLeft, MayHaveLeft]);
        assert_eq!(fates(Some("another")), fates(None));
        if let Some(boot) = boot() {
            let fates = fates(Some(&boot));
            assert_eq!(fates, [NotLeft, Left, NotLeft, MayHaveLeft]);
        }

        let keep = Noted::from([
            ((id(2), 4), Left),
            ((id(3), 1), NotLeft),
            ((id(4), 1), MayHaveLeft),
        ]);
        drop(WireLog::begin(folder.path(), &keep).unwrap());
        for boot in [None, boot().as_deref()] {
            assert_eq!(WireLog::read_at(folder.path(), boot).unwrap(), keep);
        }
    }
}
