//! The ledger in sentences: each line, and where a contact stands, in the words of a language (R12).
//!
//! The words stand in `assets/words`; here is only which entry a line asks for and what fills it. Moments
//! are shown on the contact's clock, to the minute. **Absent:** what happened and why; see
//! [`relance_core::explain`].

mod phrase;
mod words;

use std::borrow::Cow;

use jiff::Timestamp;
use relance_core::World;
use relance_core::contact::{Channel, Contact};
use relance_core::decide::{ALL_JOURNEYS, NOBODY, OWN_WISH};
use relance_core::explain::{
    EntryNow, Explanation, Fate, HeldOut, JourneyState, MessageExplanation, MessageState, Obstacle,
    OpenMessage, Place, Run, Standing,
};
use relance_core::ids::{JourneyId, StepKey};
use relance_core::journey::{Approver, On};
use relance_core::ledger::{LedgerEntry, Reason, What};
use relance_core::policy::PAUSED_UNTIL;
use relance_core::time::Zone;

pub use words::Language;

use phrase::{Phrase, Slot, Values};
use words::{Words, words};

/// Runs that a summary tells of; the explanation has more.
const RUNS_TOLD_MAX: usize = 3;
/// Characters of a task's title that are looked through for expressions.
const TITLE_CHARS_MAX: usize = 500;

/// What people call the things that a line names by their ids.
#[derive(Debug, Clone, Copy, Default)]
pub struct Names<'a> {
    /// Journeys by their names; without it, by their ids.
    pub world: Option<&'a World>,
    /// The contact that all lines are about; without it, its id.
    pub contact: Option<&'a Contact>,
}

impl Names<'_> {
    fn journey<'s>(&'s self, id: &'s JourneyId) -> &'s str {
        let journey = self.world.and_then(|world| world.newest(id));
        journey.map_or(id.as_str(), |journey| journey.name.as_str())
    }

    /// The contact's name as it told it, else its address.
    fn contact(&self) -> Option<Cow<'_, str>> {
        let contact = self.contact?;
        let parts = [["firstName", "lastName"], ["first_name", "last_name"]];
        if let Some(name) = contact.text("name") {
            return Some(name.into());
        }
        for names in parts {
            let known: Vec<&str> = names.iter().filter_map(|name| contact.text(name)).collect();
            if !known.is_empty() {
                return Some(known.join(" ").into());
            }
        }
        contact.text("email").map(Cow::from)
    }
}

/// A line of the ledger as a sentence.
pub fn sentence(line: &LedgerEntry, names: &Names<'_>, zone: &Zone, language: Language) -> String {
    let speaker = Speaker {
        words: words(language),
        names,
        zone,
        now: line.at,
    };
    speaker.words.stopped(speaker.line(line))
}

/// Where a contact stands with a journey, and why, in a few sentences.
pub fn summary(
    explanation: &Explanation,
    names: &Names<'_>,
    zone: &Zone,
    language: Language,
) -> Vec<String> {
    let speaker = Speaker {
        words: words(language),
        names,
        zone,
        now: explanation.now,
    };
    let told = speaker.summary(explanation);
    told.into_iter()
        .map(|text| speaker.words.stopped(text))
        .collect()
}

/// What became of one message, and why, in a few sentences.
pub fn message_summary(
    explanation: &MessageExplanation,
    names: &Names<'_>,
    zone: &Zone,
    language: Language,
) -> Vec<String> {
    let speaker = Speaker {
        words: words(language),
        names,
        zone,
        now: explanation.now,
    };
    let told = speaker.message_summary(explanation);
    told.into_iter()
        .map(|text| speaker.words.stopped(text))
        .collect()
}

/// Who speaks, of whom, and when.
struct Speaker<'a> {
    words: &'static Words,
    names: &'a Names<'a>,
    zone: &'a Zone,
    now: Timestamp,
}

impl Speaker<'_> {
    fn at(&self, at: Timestamp) -> String {
        self.words.at(at, self.now, self.zone)
    }

    fn until(&self, until: Timestamp) -> String {
        self.words.until(until, self.now, self.zone)
    }

    /// What fills the phrases about a journey as a whole.
    fn of_journey(&self, id: &JourneyId) -> Values {
        Values::default().with(Slot::Journey, self.words.value(self.names.journey(id)))
    }

    fn fill(&self, phrase: Option<&Phrase>, code: &str, values: &Values) -> String {
        // A catalogue without the entry speaks in codes; a test keeps that from happening.
        phrase.map_or_else(|| code.to_owned(), |phrase| phrase.fill(values))
    }

    fn told(&self, key: &str, values: &Values) -> String {
        self.fill(self.words.summary.get(key), key, values)
    }

    /// Why, as a clause.
    fn reason(&self, reason: Reason, values: &Values) -> String {
        self.fill(self.words.reason.get(&reason), reason.word(), values)
    }

    /// Why, as a clause, of something that may happen.
    fn obstacle(&self, obstacle: &Obstacle) -> String {
        let mut values = Values::default();
        if let Some(until) = obstacle.until.filter(|until| *until < PAUSED_UNTIL) {
            values.set(Slot::Until, self.until(until));
        }
        self.reason(obstacle.reason, &values)
    }

    /// A line without its full stop.
    fn line(&self, line: &LedgerEntry) -> String {
        let mut values = self.values(line);
        let what = line.what;
        let whole = |key: &str| self.words.whole.get(key);
        if let Some(code) = special(line, &mut values)
            && let Some(phrase) = whole(&format!("{what}.{code}"))
        {
            return phrase.fill(&values);
        }
        // What is passed over may be a message or another step.
        let is_message = what == What::Skipped && line.template.is_some();
        let stem = match is_message {
            true => "skipped.message",
            false => what.word(),
        };
        if let Some(reason) = line.reason
            && let Some(phrase) = whole(&format!("{stem}.{reason}"))
        {
            return phrase.fill(&values);
        }
        let phrase = match is_message {
            true => whole(stem),
            false => self.words.what.get(&what),
        };
        let told = self.fill(phrase, what.word(), &values);
        match line.reason {
            Some(reason) => self.words.joined(told, self.reason(reason, &values)),
            None => told,
        }
    }

    fn values(&self, line: &LedgerEntry) -> Values {
        let mut values = Values::default();
        let words = self.words;
        if let Some(journey) = &line.journey {
            values.set(Slot::Journey, words.value(self.names.journey(journey)));
        }
        if let Some(step) = &line.step {
            values.set(Slot::Step, words.value(step.as_str()));
        }
        if let Some(template) = &line.template {
            values.set(Slot::Template, words.value(template.as_str()));
        }
        if let Some(variant) = &line.variant {
            values.set(Slot::Variant, words.value(variant.as_str()));
        }
        if let Some(channel) = line.channel {
            values.set(Slot::Channel, words.channel(channel));
        }
        if let Some(until) = line.until.filter(|until| *until < PAUSED_UNTIL) {
            values.set(Slot::Until, self.until(until));
        }
        values.set(Slot::At, self.at(line.at));
        values.set(Slot::Contact, self.contact(line.contact));
        if let Some(detail) = &line.detail {
            match line.what {
                What::Task => values.set(Slot::Detail, words.value(&self.title(detail))),
                What::Came | What::Exited | What::Converted => {
                    values.set(Slot::Event, words.event(detail));
                    values.set(Slot::Detail, words.value(detail));
                }
                What::Enrolled
                | What::NotEnrolled
                | What::Waiting
                | What::Approved
                | What::Sent
                | What::Held
                | What::Dropped
                | What::Withdrawn
                | What::Retried
                | What::Failed
                | What::Skipped
                | What::TaskDone
                | What::TaskReopened
                | What::TaskPostponed
                | What::Set
                | What::TimedOut
                | What::Branched
                | What::Assigned
                | What::Paused
                | What::Resumed
                | What::Migrated
                | What::Moved
                | What::Notified
                | What::Merged
                | What::Promo
                | What::Finished
                | What::Suppressed
                | What::Released
                | What::Consented
                | What::ConsentAsked
                | What::Preferred
                | What::Unsubscribed => values.set(Slot::Detail, words.value(detail)),
            }
        }
        values
    }

    fn contact(&self, id: relance_core::ids::ContactId) -> String {
        match self.names.contact() {
            Some(name) => self.words.value(&name),
            None => id.to_string(),
        }
    }

    /// A task's title as it reads before its expressions are filled in.
    fn title(&self, title: &str) -> String {
        let title: String = title.chars().take(TITLE_CHARS_MAX).collect();
        let mut told = String::new();
        let mut rest = title.as_str();
        while let Some((before, tail)) = rest.split_once("{{") {
            told.push_str(before);
            let Some((expression, after)) = tail.split_once("}}") else {
                rest = tail;
                break;
            };
            match (expression.trim(), self.names.contact()) {
                ("contact.name", Some(name)) => told.push_str(&name),
                _ => told.push('…'),
            }
            rest = after;
        }
        told.push_str(rest);
        told
    }

    fn summary(&self, explanation: &Explanation) -> Vec<String> {
        let Explanation {
            journey,
            state,
            standing,
            entry,
            ..
        } = explanation;
        let about = self
            .of_journey(journey)
            .with(Slot::Contact, self.contact(explanation.contact));
        let mut told = Vec::new();
        match state {
            JourneyState::Current => {}
            JourneyState::Paused => told.push(self.told("paused", &about)),
            JourneyState::Retired => told.push(self.told("retired", &about)),
            JourneyState::Unknown => told.push(self.told("unknown_journey", &about)),
        }
        let runs = match standing {
            Standing::NeverCame => {
                if *state != JourneyState::Unknown {
                    told.push(self.told("never_came", &about));
                }
                &[][..]
            }
            Standing::Refused { at, reason, until } => {
                let mut values = about.clone().with(Slot::At, self.at(*at));
                if let Some(until) = until.filter(|until| *until < PAUSED_UNTIL) {
                    values.set(Slot::Until, self.until(until));
                }
                if let Some(reason) = reason {
                    values.set(Slot::Reason, self.reason(*reason, &values));
                }
                told.push(self.told("refused", &values));
                &[]
            }
            Standing::Began { runs, refused } => {
                for (at, run) in runs.iter().take(RUNS_TOLD_MAX).enumerate() {
                    self.run(run, at == 0, journey, &about, &mut told);
                }
                if runs.len() > RUNS_TOLD_MAX {
                    told.push(self.told("earlier_more", &about));
                }
                if let Some((at, reason)) = refused {
                    let values = about.clone().with(Slot::At, self.at(*at));
                    let reason = self.reason(*reason, &values);
                    told.push(self.told("refused_again", &values.with(Slot::Reason, reason)));
                }
                runs
            }
        };
        let under_way = runs.iter().any(|run| run.place.step().is_some());
        // What would become of messages matters where there may be some.
        let against = entry.as_ref().and_then(|entry| entry.against.as_ref());
        let may_begin = against.is_none_or(|one| one.reason == Reason::Holdout);
        let matters = under_way || (runs.is_empty() && may_begin);
        if let Some(entry) = entry {
            self.entry(entry, &about, runs.is_empty(), under_way, &mut told);
        }
        for obstacle in &explanation.obstacles {
            // The control group has been told of.
            if obstacle.reason == Reason::Holdout || !matters {
                continue;
            }
            let mut values = about.clone().with(Slot::Reason, self.obstacle(obstacle));
            if let Some(channel) = obstacle.channel {
                values.set(Slot::Channel, self.words.channel(channel));
            }
            told.push(self.told("obstacle", &values));
        }
        if explanation.more {
            told.push(self.told("more", &about));
        }
        told
    }

    fn run(
        &self,
        run: &Run,
        newest: bool,
        journey: &JourneyId,
        about: &Values,
        told: &mut Vec<String>,
    ) {
        let mut values = about.clone();
        if let Some(subject) = &run.subject {
            values.set(Slot::Detail, self.words.value(&subject.id));
        }
        match (run.began_at, newest) {
            (Some(at), newest) => {
                values.set(Slot::At, self.at(at));
                let key = if newest { "began" } else { "began_earlier" };
                told.push(self.told(key, &values));
            }
            (None, _) => told.push(self.told("began_unknown", &values)),
        }
        match run.held_out {
            // Its place says so.
            Some(HeldOut::Journey) | None => {}
            Some(HeldOut::Workspace) => told.push(self.told("held_out_of_all", &values)),
        }
        told.push(self.place(run, journey));
        if let Some(at) = run.converted_at {
            let by_goal =
                matches!(run.place, Place::Exited { reason, .. } if reason == Some(Reason::Goal));
            if !by_goal {
                let values = Values::default().with(Slot::At, self.at(at));
                told.push(self.told("converted", &values));
            }
        }
        let messages = &run.messages;
        if messages.sent + messages.held + messages.not_sent > 0 {
            let values = Values::default()
                .with(Slot::Sent, messages.sent.to_string())
                .with(Slot::Held, messages.held.to_string())
                .with(Slot::NotSent, messages.not_sent.to_string());
            told.push(self.told("messages", &values));
        }
    }

    fn place(&self, run: &Run, journey: &JourneyId) -> String {
        let ended = |what, at, reason, detail: Option<&String>| {
            let line = LedgerEntry {
                journey: Some(journey.clone()),
                reason,
                detail: detail.cloned(),
                ..LedgerEntry::new(at, run.id.contact, what)
            };
            self.words.dated(self.line(&line), self.at(at))
        };
        let at_step = |step: &StepKey, until: Option<Timestamp>| {
            let step = self.words.value(step.as_str());
            let mut values = Values::default().with(Slot::Step, step);
            if let Some(until) = until {
                values.set(Slot::Until, self.until(until));
            }
            values
        };
        match &run.place {
            Place::Waiting { step, until } => self.told("waiting", &at_step(step, Some(*until))),
            Place::Listening {
                step,
                events,
                until,
            } => {
                let values = at_step(step, *until);
                if events.is_empty() {
                    return self.told("listening_condition", &values);
                }
                let names: Vec<&str> = events.iter().map(|event| event.as_str()).collect();
                let events = self.words.events(&names);
                self.told("listening", &values.with(Slot::Events, events))
            }
            Place::Unopened { step, until } => self.told("unopened", &at_step(step, *until)),
            Place::Paused { step, .. } => self.told("standing", &at_step(step, None)),
            Place::Message { message, .. } => self.open_message(run, journey, message),
            Place::Finished { at } => ended(What::Finished, *at, None, None),
            Place::Exited { at, reason, detail } => {
                ended(What::Exited, *at, *reason, detail.as_ref())
            }
            Place::HeldOut => self.told("held_out", &Values::default()),
            Place::Over => self.told("over", &Values::default()),
        }
    }

    fn open_message(&self, run: &Run, journey: &JourneyId, message: &OpenMessage) -> String {
        let line = LedgerEntry {
            journey: Some(journey.clone()),
            channel: Some(message.channel),
            template: Some(message.template.clone()),
            ..LedgerEntry::new(self.now, run.id.contact, What::Held)
        };
        self.message_state(&message.state, line)
    }

    /// A message that has not left; `line` names it.
    fn message_state(&self, state: &MessageState, line: LedgerEntry) -> String {
        let mut values = self.values(&line);
        match state {
            MessageState::Queued { ready_at } if *ready_at > self.now => {
                values.set(Slot::Until, self.until(*ready_at));
                self.told("queued_later", &values)
            }
            MessageState::Queued { .. } => self.told("queued", &values),
            MessageState::Held { until, reason } => self.line(&LedgerEntry {
                what: What::Held,
                reason: Some(*reason),
                until: Some(*until),
                ..line
            }),
            MessageState::AwaitingApproval { by, until } => {
                values.set(Slot::Until, self.until(*until));
                match by {
                    Approver::Role(role) => {
                        values.set(Slot::Detail, self.words.value(role));
                        self.told("awaiting_role", &values)
                    }
                    Approver::Owner | Approver::Auto => self.told("awaiting_owner", &values),
                }
            }
            MessageState::Sending => self.told("sending", &values),
            MessageState::Unknown => self.told("unsent", &values),
        }
    }

    fn entry(
        &self,
        entry: &EntryNow,
        about: &Values,
        never_ran: bool,
        under_way: bool,
        told: &mut Vec<String>,
    ) {
        if never_ran {
            told.push(self.trigger(&entry.trigger, about));
        }
        if let Some(next) = entry.next.filter(|_| never_ran || !under_way) {
            let values = about.clone().with(Slot::At, self.at(next));
            told.push(self.told("next", &values));
        }
        let Some(against) = &entry.against else {
            return;
        };
        // What the runs and the journey's state tell is not told again.
        let is_told = matches!(against.reason, Reason::AlreadyEnrolled | Reason::Paused);
        let key = match (never_ran, against.reason == Reason::Holdout) {
            (true, true) => "holdout_entry",
            (true, false) => "against_entry",
            (false, false) if !under_way => "against_another",
            (false, _) => return,
        };
        if is_told {
            return;
        }
        let values = about.clone().with(Slot::Reason, self.obstacle(against));
        told.push(self.told(key, &values));
    }

    /// What begins a journey.
    fn trigger(&self, on: &On, about: &Values) -> String {
        let (key, detail) = match on {
            On::Event(event) => ("event", Some(event.to_string())),
            On::SegmentEntered(segment) => ("segment_entered", Some(segment.to_string())),
            On::SegmentLeft(segment) => ("segment_left", Some(segment.to_string())),
            On::Changed { path, .. } => ("changed", Some(path.to_string())),
            On::Inactive { event: None, .. } => ("inactive", None),
            On::Inactive {
                event: Some(event), ..
            } => ("inactive_event", Some(event.to_string())),
            On::Date { path, .. } => ("date", Some(path.to_string())),
            On::Schedule { segment: None, .. } => ("schedule", None),
            On::Schedule {
                segment: Some(segment),
                ..
            } => ("schedule_segment", Some(segment.to_string())),
            On::Manual => ("manual", None),
            On::Api => ("api", None),
        };
        let mut values = about.clone();
        if let Some(detail) = detail {
            values.set(Slot::Event, self.words.event(&detail));
            values.set(Slot::Detail, self.words.value(&detail));
        }
        self.fill(self.words.trigger.get(key), key, &values)
    }

    fn message_summary(&self, explanation: &MessageExplanation) -> Vec<String> {
        let line = |at, what| LedgerEntry {
            journey: explanation.journey.clone(),
            touchpoint: Some(explanation.id),
            channel: explanation.channel,
            template: explanation.template.clone(),
            ..LedgerEntry::new(at, explanation.id.contact, what)
        };
        let mut told = Vec::new();
        let held_for = match &explanation.fate {
            Fate::Open(state) => {
                told.push(self.message_state(state, line(self.now, What::Held)));
                match state {
                    MessageState::Held { reason, .. } => Some(*reason),
                    MessageState::AwaitingApproval { .. } => Some(Reason::Approval),
                    MessageState::Queued { .. } | MessageState::Sending | MessageState::Unknown => {
                        None
                    }
                }
            }
            Fate::Sent { at } => {
                let sent = self.line(&line(*at, What::Sent));
                told.push(self.words.dated(sent, self.at(*at)));
                None
            }
            Fate::NotSent {
                at,
                what,
                reason,
                detail,
            } => {
                let line = LedgerEntry {
                    reason: *reason,
                    detail: detail.clone(),
                    ..line(*at, *what)
                };
                told.push(self.words.dated(self.line(&line), self.at(*at)));
                None
            }
            Fate::Unknown => {
                told.push(self.told("unknown_message", &Values::default()));
                None
            }
        };
        if let Some(against) = &explanation.against
            && Some(against.reason) != held_for
        {
            let values = Values::default().with(Slot::Reason, self.obstacle(against));
            told.push(self.told("against_message", &values));
        }
        told
    }
}

/// The word of an entry that a line asks for by more than its reason; fills what only that entry has.
fn special(line: &LedgerEntry, values: &mut Values) -> Option<&'static str> {
    let detail = line.detail.as_deref();
    match line.what {
        What::Enrolled => (detail == Some(ALL_JOURNEYS)).then_some("everywhere"),
        What::Approved => (detail == Some(NOBODY)).then_some("nobody"),
        What::Sent => match line.channel? {
            channel @ (Channel::Voice | Channel::Letter) => Some(channel.word()),
            Channel::Email
            | Channel::Sms
            | Channel::Whatsapp
            | Channel::Telegram
            | Channel::Webhook => None,
        },
        What::Came => detail.is_none().then_some("condition"),
        What::Branched => match detail?.strip_prefix("if ") {
            Some(number) => {
                values.set(Slot::Detail, number);
                None
            }
            None => Some("else"),
        },
        What::Notified => match detail?.strip_prefix("role:") {
            Some(role) => {
                values.set(Slot::Detail, role);
                Some("role")
            }
            None => (detail == Some("owner")).then_some("owner"),
        },
        What::Migrated => {
            let (_, to) = detail?.split_once(" -> ")?;
            values.set(Slot::Version, to);
            None
        }
        What::Unsubscribed | What::Consented | What::ConsentAsked => detail.map(|_| "topic"),
        What::Held if detail == Some(OWN_WISH) => match line.reason {
            Some(Reason::FrequencyCap) => Some("own_limit"),
            Some(Reason::QuietHours) => Some("own_hours"),
            Some(_) | None => None,
        },
        // A run that came over with its contact; a reminder that joined another has its own reason.
        What::Merged => {
            let of_run = line.reason == Some(Reason::Merged) && line.journey.is_some();
            of_run.then_some("run")
        }
        What::NotEnrolled
        | What::Waiting
        | What::Held
        | What::Dropped
        | What::Withdrawn
        | What::Retried
        | What::Failed
        | What::Skipped
        | What::Task
        | What::TaskDone
        | What::TaskReopened
        | What::TaskPostponed
        | What::Set
        | What::TimedOut
        | What::Assigned
        | What::Paused
        | What::Resumed
        | What::Moved
        | What::Promo
        | What::Exited
        | What::Finished
        | What::Converted
        | What::Suppressed
        | What::Released
        | What::Preferred => None,
    }
}

#[cfg(test)]
mod line_tests;
#[cfg(test)]
mod tests;
