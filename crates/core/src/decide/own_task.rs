//! Tasks that no journey words: what a mail brings about, and a call in a message's place.
//!
//! Titles are English templates; whoever stores a task knows whose it is and may say it in their language
//! ([`OwnTitle::of`]). **Invariant:** however many mails say the same, there is one task. **Absent:** tasks of steps, which
//! a journey words itself.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::contact::MailMark;
use crate::enrollment::{Enrollment, ExitReason};
use crate::event::{Event, names};
use crate::ids::{EnrollmentId, JourneyId, TouchpointId};
use crate::journey::{Journey, StepKind};
use crate::ledger::{LedgerEntry, Reason, What};
use crate::touchpoint::Task;
use crate::value::Value;

use super::{Effect, Turn};

/// Under whose name the tasks stand that a mail brings about; they belong to no run.
pub const MAILBOX_JOURNEY: &str = "mailbox";
/// Mails of one contact within [`MAILS_ANSWERED_WITHIN`] that may begin runs: people write fewer, machines that answer one
/// another more.
pub const MAILS_ANSWERED_MAX: usize = 10;
/// Over which time they are counted.
pub const MAILS_ANSWERED_WITHIN: SignedDuration = SignedDuration::from_hours(24);

/// What stands round an address that the title of [`OwnTitle::LeftCompany`] names.
const NAMED: (&str, &str) = (" (the answer names ", ")");

/// A title of a task that no journey words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum OwnTitle {
    /// Somebody has left the company.
    LeftCompany,
    /// Somebody asked in a mail to be written to no more.
    Unsubscribed,
    /// Mails come faster than a person writes them, and nothing answers them by itself any more.
    TooManyMails,
    /// A call in a message's place.
    Call,
}

impl OwnTitle {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::LeftCompany,
        Self::Unsubscribed,
        Self::TooManyMails,
        Self::Call,
    ];

    /// The word in catalogues.
    pub const fn word(self) -> &'static str {
        match self {
            Self::LeftCompany => "left_company",
            Self::Unsubscribed => "unsubscribed",
            Self::TooManyMails => "too_many_mails",
            Self::Call => "call",
        }
    }

    /// The title in English, a Jinja text.
    pub const fn english(self) -> &'static str {
        match self {
            Self::LeftCompany => {
                "{{ contact.name or contact.email }} has left the company: find out who is in charge now"
            }
            Self::Unsubscribed => {
                "{{ contact.name or contact.email }} asked in a mail to be written to no more"
            }
            Self::TooManyMails => {
                "Mails from {{ contact.name or contact.email }} come faster than a person writes: look whether a machine answers"
            }
            Self::Call => "Call {{ contact.name or contact.email }}",
        }
    }

    /// Which title a text is, if it is one, and the address that it names.
    pub fn of(title: &str) -> Option<(Self, Option<&str>)> {
        let (stem, address) = match title.rsplit_once(NAMED.0) {
            Some((stem, rest)) => (stem, rest.strip_suffix(NAMED.1)),
            None => (title, None),
        };
        let is = |own: &Self| own.english() == stem;
        Some((Self::ALL.into_iter().find(is)?, address))
    }
}

/// What was known before a mail told it: it is told once.
#[derive(Debug, Clone, Copy)]
pub(super) struct KnownBefore {
    gone: bool,
    refused: bool,
}

impl Turn<'_> {
    /// What a mail may tell, as it stands before.
    pub(super) fn known_before(&self) -> KnownBefore {
        KnownBefore {
            gone: self.is_gone(),
            refused: self.snapshot.contact.refused_in_words(),
        }
    }

    /// What a mail brings about beside what journeys make of it: the owner is told.
    pub(super) fn tell_owner(&mut self, event: &Event, before: KnownBefore) {
        let text = |name: &str| event.properties.get(name).and_then(Value::as_str);
        match event.name.as_str() {
            names::CONTACT_LEFT if !before.gone => {
                let title = OwnTitle::LeftCompany.english();
                let title = match text("new_address").filter(|address| is_plain(address)) {
                    Some(address) => format!("{title}{}{address}{}", NAMED.0, NAMED.1),
                    None => title.to_owned(),
                };
                self.owner_task(event, &title);
            }
            names::UNSUBSCRIBED if event.is_wish_in_words() && !before.refused => {
                self.owner_task(event, OwnTitle::Unsubscribed.english());
            }
            _no_task => {}
        }
    }

    /// A task of no run. The same mail brings about one.
    fn owner_task(&mut self, event: &Event, title: &str) {
        let none = EnrollmentId {
            contact: self.snapshot.contact.id,
            number: 0,
        };
        let mail = event.properties.get("mail_id").and_then(Value::as_str);
        let mail = mail.unwrap_or_default();
        let key = match OwnTitle::of(title) {
            Some((OwnTitle::TooManyMails, _)) => format!("too many:{mail}"),
            Some(_) | None => format!("{}:{mail}", event.name),
        };
        let task = Task {
            id: TouchpointId::derive(none, &key, 1),
            enrollment: none,
            journey: JourneyId::from(MAILBOX_JOURNEY),
            subject: event.subject.clone(),
            title: title.into(),
            assignee: None,
            created_at: self.now,
            due_at: None,
        };
        let line = LedgerEntry {
            touchpoint: Some(task.id),
            detail: Some(title.to_owned()),
            ..self.line(What::Task)
        };
        self.emit(Effect::Task(task));
        self.ledger(line);
    }

    /// Whoever asks in words to be written to no more is reminded of nothing and sent no news: such runs end, whatever
    /// they are about and whether or not an answer ends them. Messages about what the contact itself did go on.
    pub(super) fn end_unwanted(&mut self) {
        let world = self.world;
        let unwanted = |journey: &Journey| {
            journey.depends_on_silence()
                || journey.steps.iter().any(|step| match &step.kind {
                    StepKind::Send { send, .. } => {
                        let facts = world.templates.get(&send.template);
                        send.channel.reaches_a_person() && !facts.is_some_and(|facts| facts.service)
                    }
                    StepKind::Wait(_)
                    | StepKind::WaitFor { .. }
                    | StepKind::Branch { .. }
                    | StepKind::Split { .. }
                    | StepKind::Task(_)
                    | StepKind::Notify(_)
                    | StepKind::Set(_)
                    | StepKind::Move { .. }
                    | StepKind::Promo(_)
                    | StepKind::Enroll(_)
                    | StepKind::Stop => false,
                })
        };
        let ends = |run: &Enrollment| {
            let journey = world.journey(&run.journey, run.version);
            run.is_running() && journey.is_some_and(|journey| unwanted(journey))
        };
        for id in self.runs_where(ends) {
            if let Some(run) = self.snapshot.enrollment(id).cloned() {
                self.exit(run, ExitReason::Unsubscribed, Reason::Unsubscribed);
            }
        }
    }

    /// Whether the mail at hand is one too many of its contact to begin anything: two machines that answer one another
    /// would go on for ever. The first such mail is told to the owner.
    pub(super) fn answers_too_many(&mut self) -> bool {
        let Some((event, mail)) = self.mail_at_hand() else {
            return false;
        };
        let marks = &self.snapshot.contact.mails_answered;
        let lately = marks.iter().filter(|mark| self.is_recent(mark.at));
        let (mut count, mut known) = (0, false);
        for mark in lately {
            count += 1;
            known |= mark.mail == mail;
        }
        if count < MAILS_ANSWERED_MAX || (known && count == MAILS_ANSWERED_MAX) {
            return false;
        }
        if count == MAILS_ANSWERED_MAX {
            self.note_mail(mail);
            self.owner_task(&event, OwnTitle::TooManyMails.english());
        }
        true
    }

    /// Remembers that the mail at hand began a run.
    pub(super) fn note_mail_at_hand(&mut self) {
        if let Some((_, mail)) = self.mail_at_hand() {
            let known = |mark: &MailMark| mark.mail == mail;
            if !self.snapshot.contact.mails_answered.iter().any(known) {
                self.note_mail(mail);
            }
        }
    }

    fn note_mail(&mut self, mail: u64) {
        let at = self.now;
        let old: Vec<_> = {
            let marks = self.snapshot.contact.mails_answered.iter();
            marks
                .filter(|mark| self.is_recent(mark.at))
                .copied()
                .collect()
        };
        self.put_contact(|contact| {
            contact.mails_answered = old;
            contact.mails_answered.push(MailMark { at, mail });
        });
    }

    fn is_recent(&self, at: Timestamp) -> bool {
        self.now.duration_since(at) < MAILS_ANSWERED_WITHIN
    }

    /// The event at hand and its mail, where a mail that came in tells it.
    fn mail_at_hand(&self) -> Option<(Arc<Event>, u64)> {
        let event = self.at_hand.as_ref()?;
        Some((event.clone(), event.incoming_mail()?))
    }
}

/// An address that can stand in a title, which is a template.
fn is_plain(address: &str) -> bool {
    address.len() <= 254
        && address
            .chars()
            .all(|c| c.is_alphanumeric() || "@.+-_".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_is_known_again_with_the_address_that_it_names() {
        for own in OwnTitle::ALL {
            assert_eq!(OwnTitle::of(own.english()), Some((own, None)));
        }
        let named = format!(
            "{} (the answer names eva@client.test)",
            OwnTitle::LeftCompany.english()
        );
        assert_eq!(
            OwnTitle::of(&named),
            Some((OwnTitle::LeftCompany, Some("eva@client.test")))
        );
        assert_eq!(OwnTitle::of("Call Ana"), None);
    }
}
