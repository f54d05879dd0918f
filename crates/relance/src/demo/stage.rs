//! The stage: plays the script, keeps the clock in step with the engine, and tells what happens.
//!
//! **Invariant:** the clock is never set beyond a moment that the engine waits for before the engine has
//! taken that moment, so no timer is late because the demonstration is in a hurry.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp, ToSpan};
use relance_core::ids::MailboxId;
use relance_core::mail::MailSeen;
use relance_engine::arrival::Arrival;
use relance_engine::clock::Clock as _;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::config::Config;
use crate::examine::Rules;
use crate::scenario::apply::{ApplyProblem, Asked, apply};
use crate::workspace::Workspace;

use super::account::{Account, Line, Tone};
use super::acts::Act;
use super::chance::Chance;
use super::clock::DemoClock;
use super::company::{Company, Desk};
use super::control::Control;
use super::script::{self, Script};
use super::{DemoProblem, people, scenario};

/// How often a mailbox is read whole when nothing comes.
pub(super) const READING_EVERY: SignedDuration = SignedDuration::from_hours(1);
/// How often the clock moves while nothing happens.
const TICK: Duration = Duration::from_millis(100);
/// How long the stage waits for a message in flight before it looks again.
const FLIGHT_PAUSE: Duration = Duration::from_millis(1);
/// How often the stage looks whether the engine has done all that is due.
const SETTLE_ROUNDS_MAX: u32 = 60_000;
/// What an arrival weighs in the engine's queue.
pub(super) const WEIGHT: usize = 4_096;

/// When every demonstration begins.
pub fn first_moment() -> Timestamp {
    relance_core::time::Zone::utc().at(script::FIRST_DAY.to_datetime(jiff::civil::Time::midnight()))
}

/// One salesperson's mailbox.
pub(super) struct Mailbox {
    pub(super) id: MailboxId,
    pub(super) down: bool,
    /// What came while it could not be read.
    pub(super) waiting: Vec<MailSeen>,
}

/// The demonstration, under way.
pub struct Stage {
    /// The workspace, for the server.
    pub workspace: Arc<Workspace>,
    pub(super) clock: Arc<DemoClock>,
    pub(super) company: Company,
    pub(super) script: Script,
    pub(super) account: Account,
    pub(super) rules: Rules,
    control: Arc<Control>,
    seed: u64,
    acts: BTreeMap<(Timestamp, u64), Act>,
    acts_planned: u64,
    pub(super) mailboxes: Vec<Mailbox>,
    /// The last line of the ledger that was told.
    pub(super) told: u64,
    /// Documents by the Message-ID of their mail.
    pub(super) by_message: BTreeMap<String, usize>,
    /// Message-IDs of each document's thread.
    pub(super) threads: Vec<Vec<String>>,
    /// Mailboxes that the engine wants read before it goes on (R1).
    pub(super) wanted: BTreeSet<usize>,
    pub(super) questions: usize,
    /// By which whoever looks signs in, once.
    pub link: String,
}

impl Stage {
    /// Opens the workspace of a prepared folder; time goes `speed` virtual seconds a real one, 0 is as fast as the
    /// engine goes. Must be called within a Tokio runtime.
    pub async fn open(
        data: &Path,
        days: u16,
        seed: u64,
        speed: f64,
        account: Account,
    ) -> Result<Self, DemoProblem> {
        let company = Company::bundled()?;
        let script = script::draw(&company, days, seed);
        let clock = Arc::new(DemoClock::new(script.begins_at));
        let config = Config::load(data)?;
        let workspace = Workspace::open(data, config, clock.clone())?;
        let control = Arc::new(Control::new(speed, script.begins_at, script.ends_at));
        // Nobody else knows the workspace yet: there is no other demonstration in it.
        let _first = workspace.demo.set(control.clone());
        // The mails come from here, not from a server.
        workspace.mailboxes.stop();
        apply(&workspace, scenario(), Asked::default())
            .await
            .map_err(|problem| match problem {
                ApplyProblem::Files(problems) => {
                    let text: Vec<String> = problems.iter().map(ToString::to_string).collect();
                    DemoProblem::Bundled(text.join("\n"))
                }
                ApplyProblem::Refused(refusal) => refusal.into(),
                ApplyProblem::Read(error) => DemoProblem::Bundled(error.to_string()),
                other @ (ApplyProblem::Storm(_) | ApplyProblem::Count(_)) => {
                    DemoProblem::Bundled(other.to_string())
                }
            })?;
        let by_message = script.documents.iter().enumerate();
        let by_message = by_message.map(|(place, one)| (one.message_id.clone(), place));
        let mailboxes = company.desks.iter().map(|desk| Mailbox {
            id: MailboxId::from(desk.salesperson.address.as_str()),
            down: false,
            waiting: Vec::new(),
        });
        let threads = script.documents.iter();
        let mut stage = Self {
            by_message: by_message.collect(),
            threads: threads.map(|one| vec![one.message_id.clone()]).collect(),
            mailboxes: mailboxes.collect(),
            rules: Rules::bundled().map_err(DemoProblem::Bundled)?,
            workspace,
            clock,
            company,
            script,
            account,
            control,
            seed,
            acts: BTreeMap::new(),
            acts_planned: 0,
            told: 0,
            wanted: BTreeSet::new(),
            questions: 0,
            link: String::new(),
        };
        stage.link = people::let_in(&stage.workspace, &stage.company).await?;
        stage.import_clients().await?;
        stage.plan_acts();
        Ok(stage)
    }

    /// Plays to the last day, at the pace that the workspace's [`Control`] says.
    pub async fn play(&mut self) -> Result<(), DemoProblem> {
        self.settle().await?;
        loop {
            let act = self.acts.first_key_value().map(|((at, _), _)| *at);
            let Some(next) = act.into_iter().chain(self.clock.awaited()).min() else {
                break;
            };
            if next >= self.script.ends_at {
                break;
            }
            self.pace(next).await;
            self.clock.set(next);
            while let Some(entry) = self.acts.first_entry() {
                if entry.key().0 > self.clock.now() {
                    break;
                }
                let act = entry.remove();
                self.perform(act).await?;
            }
            self.settle().await?;
        }
        self.clock.set(self.script.ends_at);
        self.settle().await?;
        self.control.end();
        self.account.sum_up()?;
        Ok(())
    }

    /// Waits until a moment has come in the demonstration's own time.
    async fn pace(&self, next: Timestamp) {
        loop {
            let pace = self.control.pace();
            if pace.paused {
                self.control.changed().await;
                continue;
            }
            let rest = next.duration_since(self.clock.now()).as_secs_f64();
            if pace.speed <= 0.0 || rest <= 0.0 {
                return;
            }
            let wait = Duration::try_from_secs_f64(rest / pace.speed).unwrap_or(TICK);
            let begun = Instant::now();
            tokio::time::sleep(wait.min(TICK)).await;
            if wait <= TICK {
                return;
            }
            // The page shows time passing; the moment itself comes with what happens at it.
            let passed = begun.elapsed().as_secs_f64() * pace.speed;
            let left = SignedDuration::try_from_secs_f64((rest - passed).max(0.0));
            let left = left.unwrap_or(SignedDuration::ZERO);
            self.clock
                .set(next - left.max(SignedDuration::from_millis(1)));
        }
    }

    /// Waits until the engine has done all that is due by now, and tells it.
    async fn settle(&mut self) -> Result<(), DemoProblem> {
        let mut lines = Vec::new();
        for _ in 0..SETTLE_ROUNDS_MAX {
            self.clock.forget_awaited();
            // The engine looks for its next moment after a turn; the second turn tells that it has.
            self.workspace.submit(Vec::new(), 0).await?;
            self.workspace.submit(Vec::new(), 0).await?;
            // Asked before the ledger is read: a message that ends between the two would go untold.
            let in_flight = self.workspace.reader.totals()?.sending;
            let news = self.read_ledger()?;
            let is_news = !news.is_empty();
            lines.extend(news);
            if in_flight > 0 {
                tokio::time::sleep(FLIGHT_PAUSE).await;
                continue;
            }
            let due = self
                .clock
                .awaited()
                .is_some_and(|at| at <= self.clock.now());
            if is_news || due {
                continue;
            }
            // Messages of one moment end in any order; the account has one order.
            lines.sort_by_key(|line: &relance_core::ledger::LedgerEntry| line.contact);
            for line in std::mem::take(&mut lines) {
                self.tell(&line)?;
            }
            if self.read_wanted().await? {
                continue;
            }
            return Ok(());
        }
        Err(DemoProblem::Stuck(self.clock.now()))
    }

    /// Reads the mailboxes that the engine asked for, as far as they can be read.
    async fn read_wanted(&mut self) -> Result<bool, DemoProblem> {
        let wanted = std::mem::take(&mut self.wanted);
        let synced: Vec<Arrival> = wanted
            .into_iter()
            .filter(|desk| !self.is_down(*desk))
            .map(|desk| self.synced(desk))
            .collect();
        let some = !synced.is_empty();
        if some {
            self.workspace.submit(synced, WEIGHT).await?;
        }
        Ok(some)
    }

    /// Puts something on the programme.
    pub(super) fn plan(&mut self, at: Timestamp, act: Act) {
        self.acts_planned += 1;
        self.acts.insert((at, self.acts_planned), act);
    }

    /// Draws for one purpose.
    pub(super) fn chance(&self, purpose: &str) -> Chance {
        Chance::new(self.seed, purpose)
    }

    /// Whether a mailbox cannot be read.
    pub(super) fn is_down(&self, desk: usize) -> bool {
        self.mailboxes[desk].down
    }

    pub(super) fn synced(&self, desk: usize) -> Arrival {
        Arrival::Synced {
            mailbox: self.mailboxes[desk].id.clone(),
            at: self.clock.now(),
            cursors: String::new(),
        }
    }

    /// A moment, or the next one at which people of a market work.
    pub(super) fn in_office(&self, document: usize, at: Timestamp) -> Timestamp {
        let desk = &self.company.desks[self.script.documents[document].desk];
        desk.in_office(at)
    }

    /// Tells something about a document.
    pub(super) fn say(
        &mut self,
        place: usize,
        what: &'static str,
        tone: Tone,
        text: String,
        why: Option<String>,
    ) -> Result<(), DemoProblem> {
        let one = &self.script.documents[place];
        let facts = json!({ "document": one.number });
        self.say_at(one.desk, what, tone, text, why, facts)
    }

    /// Tells something about a desk.
    pub(super) fn say_at(
        &mut self,
        desk: usize,
        what: &'static str,
        tone: Tone,
        text: String,
        why: Option<String>,
        facts: Value,
    ) -> Result<(), DemoProblem> {
        let desk = &self.company.desks[desk];
        let line = Line {
            at: self.clock.now(),
            zone: &desk.clock,
            who: &desk.salesperson.name,
            what,
            tone,
            text,
            why,
            facts,
        };
        Ok(self.account.tell(&line)?)
    }

    /// Tells something about the site.
    pub(super) fn say_site(
        &mut self,
        visitor: usize,
        what: &'static str,
        tone: Tone,
        text: String,
        why: Option<String>,
        facts: Value,
    ) -> Result<(), DemoProblem> {
        let zone = self.company.visitors[visitor].clock();
        let line = Line {
            at: self.clock.now(),
            zone: &zone,
            who: "Site",
            what,
            tone,
            text,
            why,
            facts,
        };
        Ok(self.account.tell(&line)?)
    }
}

impl Desk {
    /// A moment, or the next one at which people of this market work.
    pub(super) fn in_office(&self, at: Timestamp) -> Timestamp {
        /// Working hours in which people answer mail.
        const HOURS: std::ops::Range<i8> = 9..18;
        let local = self.clock.local(at);
        if self.calendar.is_working(local.date()) && HOURS.contains(&local.hour()) {
            return at;
        }
        let date = if local.hour() < HOURS.start {
            local.date()
        } else {
            local.date().saturating_add(1.day())
        };
        let date = if self.calendar.is_working(date) {
            date
        } else {
            self.calendar.next_working(date)
        };
        let minute = local.minute() % 50 + 5;
        self.clock
            .at(date.to_datetime(jiff::civil::time(HOURS.start, minute, 0, 0)))
    }
}
