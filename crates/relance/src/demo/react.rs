//! What the ledger says, told to people; and what people do about it: salespeople approve, clients answer
//! reminders.

use jiff::ToSpan;
use relance_core::decide::Answer;
use relance_core::ledger::{LedgerEntry, Reason, What};
use relance_core::time::Zone;
use relance_message::outbound::message_id;
use serde_json::{Value, json};

use super::DemoProblem;
use super::account::Tone;
use super::acts::{Act, Way};
use super::script::Fate;
use super::stage::Stage;

/// Lines of the ledger read at once.
const LEDGER_ROWS: usize = 100;

/// What a line of the ledger is about.
struct About {
    /// A document of the script.
    document: Option<usize>,
    /// The desk whose client it is.
    desk: Option<usize>,
    /// A visitor of the site.
    visitor: usize,
    /// The contact's name.
    name: String,
    /// `the offer OF-1001`, or the journey.
    what: String,
}

impl Stage {
    /// The ledger's lines that were not told yet, oldest first.
    pub(super) fn read_ledger(&mut self) -> Result<Vec<LedgerEntry>, DemoProblem> {
        let mut lines = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let page = self
                .workspace
                .reader
                .ledger(cursor.as_deref(), LEDGER_ROWS)?;
            let all = page.items.len();
            let fresh = page
                .items
                .into_iter()
                .filter(|line| line.number > self.told);
            let before = lines.len();
            lines.extend(fresh);
            let whole_page_is_fresh = lines.len() - before == all;
            cursor = page.next.filter(|_| whole_page_is_fresh);
            if cursor.is_none() {
                break;
            }
        }
        self.told = lines.first().map_or(self.told, |line| line.number);
        Ok(lines.into_iter().rev().map(|line| line.entry).collect())
    }

    fn about(&self, line: &LedgerEntry) -> Result<About, DemoProblem> {
        let reader = &self.workspace.reader;
        let contact = reader.contact(line.contact)?;
        let text = |name: &str| {
            let contact = contact.as_ref()?;
            contact.text(name).map(str::to_owned)
        };
        let run = match line.enrollment {
            Some(id) => reader.enrollment(id)?,
            None => None,
        };
        let subject = run.and_then(|run| run.subject);
        let document = subject
            .and_then(|subject| self.by_message.get(&*subject.id))
            .copied();
        let email = text("email").unwrap_or_default();
        let visitor = self.company.visitors.iter();
        let visitor = visitor.enumerate().find(|(_, one)| one.email == email);
        let mut desks = self.company.desks.iter();
        let desk = desks.position(|desk| {
            let mut clients = desk.clients.iter();
            clients.any(|client| client.buyer().address == email)
        });
        Ok(About {
            document,
            desk,
            visitor: visitor.map_or(0, |(place, _)| place),
            name: text("name").unwrap_or(email),
            what: match (document, &line.journey) {
                (Some(place), _) => {
                    let one = &self.script.documents[place];
                    format!("{} {}", one.kind.word(), one.number)
                }
                (None, Some(journey)) => journey.to_string(),
                (None, None) => String::new(),
            },
        })
    }

    /// Tells a line of the ledger, and lets people react to it.
    pub(super) fn tell(&mut self, line: &LedgerEntry) -> Result<(), DemoProblem> {
        let about = self.about(line)?;
        let (name, what) = (about.name.clone(), about.what.clone());
        let template = line
            .template
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default();
        let reason = line.reason.map(Reason::word);
        let because = reason.map(|word| word.replace('_', " "));
        let sums = &mut self.account.sums;
        let message = if about.document.is_some() {
            format!("{template} about {what} to {name}")
        } else {
            format!("{template} to {name}")
        };
        let (word, tone, text, why) = match line.what {
            What::Enrolled if line.reason == Some(Reason::Holdout) => {
                sums.control += 1;
                let text = format!("{what} gets no reminders");
                let why = Some("control group: shows what reminders are worth".to_owned());
                ("control", Tone::Waits, text, why)
            }
            What::Sent => {
                let counts = if about.document.is_some() {
                    &mut sums.reminders
                } else {
                    &mut sums.other_mails
                };
                *counts.entry(template).or_default() += 1;
                self.react_to_reminder(line, &about);
                ("sent", Tone::Sent, message, None)
            }
            What::Held => {
                let Some(why) = self.held(line, &about) else {
                    return Ok(());
                };
                ("held", Tone::Waits, message, Some(why))
            }
            What::Approved => {
                let by = line.detail.as_ref().map(|by| format!("by {by}"));
                ("approved", Tone::Plain, message, by)
            }
            What::Dropped | What::Skipped | What::Failed | What::Withdrawn => {
                if let Some(word) = reason {
                    *sums.not_sent.entry(word).or_default() += 1;
                }
                let (word, why) = match (line.what, line.reason) {
                    (What::Skipped, Some(Reason::Approval)) => {
                        ("skipped", Some("the salesperson decided so".to_owned()))
                    }
                    (What::Withdrawn, _) => ("withdrawn", because),
                    (What::Failed, _) => ("failed", line.detail.clone().or(because)),
                    _dropped_or_skipped => ("not sent", because),
                };
                (word, Tone::Ends, message, why)
            }
            What::Retried => ("retried", Tone::Waits, message, because),
            What::Exited => {
                // A reached goal has its own line.
                if line.reason == Some(Reason::Goal) {
                    return Ok(());
                }
                let event = line.detail.clone().or(because).unwrap_or_default();
                *sums.stopped.entry(event.clone()).or_default() += 1;
                let why = match event.as_str() {
                    "Replied" => format!("{name} or a colleague replied"),
                    _other => event,
                };
                (
                    "stopped",
                    Tone::Ends,
                    format!("no more reminders about {what}"),
                    Some(why),
                )
            }
            What::Converted => {
                let event = line.detail.clone().unwrap_or_default();
                *sums.conversions.entry(event.clone()).or_default() += 1;
                let why = (line.reason == Some(Reason::Holdout))
                    .then(|| "without any reminder: control group".to_owned());
                (
                    "converted",
                    Tone::Success,
                    format!("{name}, {what}: {event}"),
                    why,
                )
            }
            What::Task => {
                sums.tasks += 1;
                ("task", Tone::Work, self.task_title(line)?, Some(what))
            }
            What::Suppressed => {
                let text = format!("{name} gets no more mail");
                ("blocked", Tone::Ends, text, because)
            }
            What::Unsubscribed => {
                let text = format!("{name} gets no more marketing");
                ("blocked", Tone::Ends, text, Some("unsubscribed".to_owned()))
            }
            What::Enrolled
            | What::NotEnrolled
            | What::Released
            | What::Consented
            | What::ConsentAsked
            | What::Preferred
            | What::Waiting
            | What::Set
            | What::TaskDone
            | What::TaskReopened
            | What::TaskPostponed
            | What::Came
            | What::TimedOut
            | What::Branched
            | What::Assigned
            | What::Paused
            | What::Resumed
            | What::Migrated
            | What::Moved
            | What::Merged
            | What::Notified
            | What::Promo
            | What::Finished => return Ok(()),
        };
        let facts = json!({
            "document": about.document.map(|place| self.script.documents[place].number.clone()),
            "contact": about.name,
            "journey": line.journey.as_ref().map(ToString::to_string),
            "template": line.template.as_ref().map(ToString::to_string),
            "reason": reason,
            "until": line.until.map(|until| until.to_string()),
        });
        self.say_about(&about, word, tone, text, why, facts)
    }

    fn say_about(
        &mut self,
        about: &About,
        word: &'static str,
        tone: Tone,
        text: String,
        why: Option<String>,
        facts: Value,
    ) -> Result<(), DemoProblem> {
        match about.desk {
            Some(desk) => self.say_at(desk, word, tone, text, why, facts),
            None => self.say_site(about.visitor, word, tone, text, why, facts),
        }
    }

    /// The zone of the people concerned.
    fn zone_of(&self, about: &About) -> Zone {
        match about.desk {
            Some(desk) => self.company.desks[desk].clock.clone(),
            None => self.company.visitors[about.visitor].clock(),
        }
    }

    /// Why a message is held, for people. `None`: a matter of seconds, not worth a line.
    fn held(&mut self, line: &LedgerEntry, about: &About) -> Option<String> {
        let desk = about
            .document
            .map(|place| self.script.documents[place].desk);
        let why = match (line.reason?, desk) {
            (Reason::Approval, Some(desk)) => {
                self.ask(line, about, desk);
                format!("asks {}", self.company.desks[desk].salesperson.name)
            }
            (Reason::MailboxNotSynced, Some(desk)) => {
                self.wanted.insert(desk);
                if !self.is_down(desk) {
                    return None;
                }
                "mailbox not synced: an answer may lie in it".to_owned()
            }
            (reason, _) => {
                let mut why = reason.word().replace('_', " ");
                if let Some(until) = line.until {
                    let zone = self.zone_of(about);
                    why.push_str(&format!(", until {}", zone.local(until).strftime("%H:%M")));
                }
                why
            }
        };
        let word = line.reason.map_or("", Reason::word);
        *self.account.sums.held.entry(word).or_default() += 1;
        Some(why)
    }

    /// The salesperson is asked, and answers within some hours of work.
    fn ask(&mut self, line: &LedgerEntry, about: &About, desk: usize) {
        let (Some(id), Some(place)) = (line.touchpoint, about.document) else {
            return;
        };
        let fate = self.script.documents[place].fate;
        let awaited = matches!(
            fate,
            Fate::AnswersReminder | Fate::AnswersInOutage | Fate::PaysAfterReminder
        );
        // The reminders of the days without a mailbox are the ones that must be seen waiting.
        let in_outage = self.is_down(desk);
        let answer = if awaited || in_outage {
            Answer::Approve { text: None }
        } else {
            self.questions += 1;
            match self.questions % 6 {
                3 => Answer::CallInstead,
                5 => Answer::Skip,
                _most => Answer::Approve { text: None },
            }
        };
        let mut chance = self.chance(&format!("answer to {id}"));
        let at = line.at + chance.between(25, 190).minutes();
        let at = self.company.desks[desk].in_office(at);
        if at < self.script.asks_visitor_from() || in_outage {
            self.plan(at, Act::Answer(desk, id, answer));
        }
    }

    /// A reminder arrived: some clients answer or pay now.
    fn react_to_reminder(&mut self, line: &LedgerEntry, about: &About) {
        let (Some(id), Some(place)) = (line.touchpoint, about.document) else {
            return;
        };
        let thread = &mut self.threads[place];
        thread.push(message_id(&id.to_string(), &self.company.domain));
        let is_first = thread.len() == 2;
        let mut chance = self.chance(&format!("reaction to {id}"));
        let after = line.at + chance.between(2 * 60, 22 * 60).minutes();
        let at = self.in_office(place, after);
        match self.script.documents[place].fate {
            Fate::AnswersReminder if is_first => {
                self.plan(at, Act::Write(place, Way::Accept));
                let won = self.in_office(place, at + chance.between(20, 70).hours());
                self.plan(won, Act::Win(place));
            }
            Fate::PaysAfterReminder if is_first => {
                let paid = self.in_office(place, at + chance.between(4, 50).hours());
                self.plan(paid, Act::Pay(place));
            }
            Fate::Away if !is_first => self.plan(at, Act::Write(place, Way::Ask)),
            Fate::Accepts
            | Fate::Asks
            | Fate::ColleagueAnswers
            | Fate::WritesOutside
            | Fate::Away
            | Fate::Silent
            | Fate::AnswersReminder
            | Fate::AnswersInOutage
            | Fate::Bounces
            | Fate::PaysInTime
            | Fate::PaysAfterReminder
            | Fate::PromisesPayment => {}
        }
    }

    /// The ledger has the title as the journey's author wrote it; the task has it filled in.
    fn task_title(&self, line: &LedgerEntry) -> Result<String, DemoProblem> {
        let tasks = self
            .workspace
            .reader
            .tasks_of_contact(line.contact, None, LEDGER_ROWS)?;
        let own = tasks.items.into_iter();
        let own = own.filter(|task| Some(task.id) == line.touchpoint);
        Ok(own
            .map(|task| task.title.to_string())
            .next()
            .or_else(|| line.detail.clone())
            .unwrap_or_default())
    }
}
