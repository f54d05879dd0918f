//! The engine's thread: gathers arrivals into batches, so that many share one commit.
//!
//! The queue before it is bounded by weight; a caller beyond the bound is told to come again (R11).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TryRecvError, unbounded};

use crate::arrival::{Arrival, Envelope, Refusal};
use crate::clock::SharedClock;
use crate::ports::{Dispatcher, Remedy, Store, StoreError};
use crate::turn::{Engine, Summary};

/// Bytes that may wait for the engine.
pub const QUEUE_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Arrivals that share one commit.
pub const BATCH_ARRIVALS_MAX: usize = 2_000;
/// What one envelope weighs beside its arrivals.
const ENVELOPE_BYTES: usize = 256;
/// How long the thread sleeps at most.
const SLEEP_MAX: Duration = Duration::from_secs(60);
/// Tries of a batch when the store is busy.
const BUSY_TRIES_MAX: u32 = 8;
/// How often a node looks at what the others did.
const NEWS_EVERY: Duration = Duration::from_millis(100);
/// Pause after the store failed.
const FAILED_PAUSE: Duration = Duration::from_millis(500);

/// Told of each turn: for metrics and logs.
pub type Observer = Box<dyn FnMut(&Result<Summary, StoreError>) + Send>;

/// A way to the engine, for any thread.
#[derive(Clone)]
pub struct Handle {
    sender: Sender<Envelope>,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    queued_bytes: AtomicUsize,
    stopping: AtomicBool,
}

impl Handle {
    /// Puts arrivals into the queue, or refuses them at once. The envelope's acknowledgement comes when
    /// they are durable.
    pub fn submit(&self, envelope: Envelope) -> Result<(), Refusal> {
        if self.shared.stopping.load(Ordering::Acquire) {
            return Err(Refusal::Stopping);
        }
        let weight = envelope.weight + ENVELOPE_BYTES;
        let queued = self.shared.queued_bytes.fetch_add(weight, Ordering::AcqRel);
        if queued + weight > QUEUE_BYTES_MAX {
            self.shared.queued_bytes.fetch_sub(weight, Ordering::AcqRel);
            return Err(Refusal::Busy {
                retry_after_seconds: 1,
            });
        }
        self.sender.send(envelope).map_err(|_| Refusal::Stopping)
    }

    /// Puts in something that cannot be told to come again: outcomes of messages in flight. Their number
    /// is bounded by the dispatcher's capacity.
    pub fn report(&self, arrivals: Vec<Arrival>) {
        let envelope = Envelope {
            weight: 512 * arrivals.len(),
            arrivals,
            acknowledge: None,
        };
        let weight = envelope.weight + ENVELOPE_BYTES;
        self.shared.queued_bytes.fetch_add(weight, Ordering::AcqRel);
        // A stopped engine settles nothing: the message stays in flight and is reconciled at the start.
        let _unsent = self.sender.send(envelope);
    }

    /// Bytes that wait.
    pub fn queued_bytes(&self) -> usize {
        self.shared.queued_bytes.load(Ordering::Acquire)
    }

    /// Lets the engine finish what waits, and end.
    pub fn stop(&self) {
        self.shared.stopping.store(true, Ordering::Release);
        let _ended = self.sender.send(Envelope {
            arrivals: Vec::new(),
            weight: 0,
            acknowledge: None,
        });
    }
}

/// The receiving end of a [`Handle`].
pub struct Intake {
    receiver: Receiver<Envelope>,
    shared: Arc<Shared>,
}

/// A queue before an engine.
pub fn intake() -> (Handle, Intake) {
    let (sender, receiver) = unbounded();
    let shared = Arc::new(Shared::default());
    (
        Handle {
            sender,
            shared: shared.clone(),
        },
        Intake { receiver, shared },
    )
}

impl Intake {
    /// What waits, after waiting for something at most `wait`.
    fn gather(&self, wait: Duration) -> Vec<Envelope> {
        let first = match self.receiver.recv_timeout(wait) {
            Ok(envelope) => envelope,
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return Vec::new(),
        };
        let mut count = first.arrivals.len();
        let mut envelopes = vec![first];
        while count < BATCH_ARRIVALS_MAX {
            match self.receiver.try_recv() {
                Ok(envelope) => {
                    count += envelope.arrivals.len();
                    envelopes.push(envelope);
                }
                Err(TryRecvError::Empty | TryRecvError::Disconnected) => break,
            }
        }
        let weight: usize = envelopes
            .iter()
            .map(|one| one.weight + ENVELOPE_BYTES)
            .sum();
        // The stopping envelope weighs nothing in the count.
        let _ =
            self.shared
                .queued_bytes
                .fetch_update(Ordering::AcqRel, Ordering::Acquire, |bytes| {
                    Some(bytes.saturating_sub(weight))
                });
        envelopes
    }
}

/// Runs the engine until it is stopped; returns it.
pub fn run<S: Store, D: Dispatcher>(
    mut engine: Engine<S, D>,
    intake: &Intake,
    clock: &SharedClock,
    mut observe: Observer,
) -> Engine<S, D> {
    let mut more = true;
    let mut pulse = Pulse::default();
    loop {
        more |= pulse.keep(&mut engine);
        // A stopping engine waits for nothing more: it takes what is there, and ends.
        let wait = if more || intake.shared.stopping.load(Ordering::Acquire) {
            Duration::ZERO
        } else {
            sleep(&mut engine, clock).min(pulse.longest_sleep())
        };
        let envelopes = intake.gather(wait);
        let stopping = intake.shared.stopping.load(Ordering::Acquire);
        if envelopes.is_empty() && stopping {
            if let Err(error) = engine.leave() {
                tracing::warn!(%error, "the partitions of this node stay its own until its lease is over");
            }
            return engine;
        }
        if envelopes.is_empty() && pulse.is_shared() && !more && !is_due(&mut engine, clock) {
            continue;
        }
        more = take(&mut engine, envelopes, clock, &mut observe);
    }
}

/// A node's heartbeat, and its look at what the others did.
#[derive(Default)]
struct Pulse {
    beaten_at: Option<Instant>,
    every: Option<Duration>,
    /// The last try failed.
    is_cut_off: bool,
}

impl Pulse {
    /// Does what is due of it; says whether other nodes left something to take in.
    fn keep<S: Store, D: Dispatcher>(&mut self, engine: &mut Engine<S, D>) -> bool {
        self.every = engine.beat_every();
        let Some(every) = self.every else {
            return false;
        };
        let kept =
            if self.beaten_at.is_none_or(|at| at.elapsed() >= every) || engine.waits_for_others() {
                engine
                    .beat()
                    .map(|()| self.beaten_at = Some(Instant::now()))
            } else {
                Ok(())
            };
        match kept.and_then(|()| engine.catch_up()) {
            Ok(handed) => {
                self.is_cut_off = false;
                handed
            }
            Err(error) => {
                if !std::mem::replace(&mut self.is_cut_off, true) {
                    tracing::warn!(%error, "this node cannot reach the others; it tries again and again");
                }
                std::thread::sleep(FAILED_PAUSE);
                false
            }
        }
    }

    fn is_shared(&self) -> bool {
        self.every.is_some()
    }

    fn longest_sleep(&self) -> Duration {
        match self.every {
            Some(every) => every.min(NEWS_EVERY),
            None => SLEEP_MAX,
        }
    }
}

/// Whether something is due now.
fn is_due<S: Store, D: Dispatcher>(engine: &mut Engine<S, D>, clock: &SharedClock) -> bool {
    let due = engine.next_due().ok().flatten();
    due.is_some_and(|at| clock.real_time_until(at).is_zero())
}

/// How long nothing is due.
fn sleep<S: Store, D: Dispatcher>(engine: &mut Engine<S, D>, clock: &SharedClock) -> Duration {
    match engine.next_due() {
        // What is due of a contact that cannot be read stays due: it must not keep the thread busy.
        Ok(Some(due)) if !engine.unreadable().is_empty() => {
            clock.real_time_until(due).clamp(FAILED_PAUSE, SLEEP_MAX)
        }
        Ok(Some(due)) => clock.real_time_until(due).min(SLEEP_MAX),
        Ok(None) => SLEEP_MAX,
        Err(_) => FAILED_PAUSE,
    }
}

/// Takes a batch through a turn; says whether more is due at once.
fn take<S: Store, D: Dispatcher>(
    engine: &mut Engine<S, D>,
    envelopes: Vec<Envelope>,
    clock: &SharedClock,
    observe: &mut Observer,
) -> bool {
    let arrivals: Vec<&Arrival> = envelopes
        .iter()
        .flat_map(|envelope| &envelope.arrivals)
        .collect();
    let result = turn_patiently(engine, &arrivals, clock);
    observe(&result);
    match result {
        Ok(summary) => {
            acknowledge(envelopes, Ok(()));
            summary.more
        }
        // One arrival that the store cannot take must not take its neighbours along (R9).
        Err(StoreError::Unreadable { .. } | StoreError::Overtaken) if envelopes.len() > 1 => {
            let mut more = false;
            for envelope in envelopes {
                more |= take(engine, vec![envelope], clock, observe);
            }
            more
        }
        // Nothing failed: whoever judged looks anew.
        Err(StoreError::Overtaken) => {
            acknowledge(envelopes, Err(Refusal::Overtaken));
            false
        }
        Err(error) => {
            acknowledge(envelopes, Err(Refusal::StoreFailed));
            match error.remedy() {
                Remedy::JudgeAnew => {}
                Remedy::StandDown | Remedy::PageOperator | Remedy::RetryLater => {
                    std::thread::sleep(FAILED_PAUSE);
                }
            }
            false
        }
    }
}

/// A busy store is asked again, a little later each time.
fn turn_patiently<S: Store, D: Dispatcher>(
    engine: &mut Engine<S, D>,
    arrivals: &[&Arrival],
    clock: &SharedClock,
) -> Result<Summary, StoreError> {
    let mut tries = 0;
    loop {
        match engine.turn(arrivals, clock.now()) {
            Err(error) if error.remedy() == Remedy::RetryLater && tries < BUSY_TRIES_MAX => {
                std::thread::sleep(Duration::from_millis(10 << tries));
                tries += 1;
                // What stands in the way may be on its way here from another node.
                engine.beat()?;
            }
            // Others work for what was ours: what is ours now is asked anew.
            Err(error) if error.remedy() == Remedy::StandDown && tries < BUSY_TRIES_MAX => {
                tracing::warn!(%error, "this node begins anew");
                tries += 1;
                engine.stand_down();
                engine.beat()?;
                engine.catch_up()?;
            }
            done => return done,
        }
    }
}

fn acknowledge(envelopes: Vec<Envelope>, result: Result<(), Refusal>) {
    for envelope in envelopes {
        if let Some(acknowledge) = envelope.acknowledge {
            acknowledge(result);
        }
    }
}
