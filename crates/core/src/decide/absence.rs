//! Who is away, and who is gone: messages wait for them, and the owner is told what a machine or a person wrote.
//!
//! The day of return is the trait [`AWAY_UNTIL`], that an address reaches nobody any more is its status
//! [`LEFT_COMPANY`]: people and programs see both, and may take them back. **Absent:** how an answer is read.

use jiff::Timestamp;
use jiff::civil::{Date, Time};

use crate::contact::{AWAY_UNTIL, EMAIL_STATUS};
use crate::event::{Event, names};
use crate::ids::{EnrollmentId, JourneyId, TouchpointId};
use crate::journey::{Journey, Recipient};
use crate::ledger::{LedgerEntry, Reason, What};
use crate::mail::LEFT_COMPANY;
use crate::time::local_at;
use crate::touchpoint::{Task, Touchpoint, TouchpointState};
use crate::value::{Fields, Value};

use super::{Effect, Turn};

/// Under whose name the tasks stand that a mail brings about; they belong to no run.
pub const MAILBOX_JOURNEY: &str = "mailbox";
/// When a message goes to who was away: in the second working hour, behind what piled up.
const BACK_AT: Time = Time::constant(10, 0, 0, 0);
/// Working days that are looked at from the day of return.
const DAYS_LOOKED_AT: usize = 40;

/// Titles of tasks.
const GONE: &str =
    "{{ contact.name or contact.email }} has left the company: find out who is in charge now";
const UNSUBSCRIBED: &str =
    "{{ contact.name or contact.email }} asked in a mail to be written to no more";

impl Turn<'_> {
    /// What a mail brings about beside what journeys make of it: the owner is told.
    pub(super) fn tell_owner(&mut self, event: &Event) {
        let text = |name: &str| event.properties.get(name).and_then(Value::as_str);
        match event.name.as_str() {
            names::CONTACT_LEFT => {
                let title = match text("new_address").filter(|address| is_plain(address)) {
                    Some(address) => format!("{GONE} (the answer names {address})"),
                    None => GONE.to_owned(),
                };
                self.owner_task(event, &title);
            }
            names::UNSUBSCRIBED if text("source") == Some("reply") && text("mail_id").is_some() => {
                self.owner_task(event, UNSUBSCRIBED);
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
        let key = format!("{}:{}", event.name, mail.unwrap_or_default());
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

    /// Until when messages of a journey wait for the contact to be back.
    pub(super) fn away_until(&self, journey: Option<&Journey>) -> Option<Timestamp> {
        let waits = journey.is_some_and(|one| one.waits_for_absent && one.depends_on_silence());
        if !waits {
            return None;
        }
        let date: Date = self.snapshot.contact.text(AWAY_UNTIL)?.parse().ok()?;
        let mut day = date;
        for _ in 0..DAYS_LOOKED_AT {
            if self.calendar.is_working(day) {
                break;
            }
            day = day.tomorrow().ok()?;
        }
        Some(local_at(day, BACK_AT, &self.zone)).filter(|until| *until > self.now)
    }

    /// Whether the contact's address reaches nobody any more.
    pub(super) fn is_gone(&self) -> bool {
        self.snapshot.contact.text(EMAIL_STATUS) == Some(LEFT_COMPANY)
    }

    /// Messages that waited for somebody to be back, or to be found, are looked at anew: what is known of the contact
    /// changed.
    pub(super) fn wake_held(&mut self, before: &Fields) {
        let now = &self.snapshot.contact.traits;
        let changed = |name: &str| before.get(name) != now.get(name);
        let back = changed(AWAY_UNTIL);
        let found = changed(EMAIL_STATUS) || changed("email");
        if !back && !found {
            return;
        }
        let waits = |one: &Touchpoint| {
            one.recipient == Recipient::Contact
                && match &one.state {
                    TouchpointState::Held { reason, .. } => {
                        (back && *reason == Reason::Away)
                            || (found && *reason == Reason::LeftCompany)
                    }
                    TouchpointState::Queued { .. }
                    | TouchpointState::AwaitingApproval { .. }
                    | TouchpointState::Sending { .. }
                    | TouchpointState::Settled { .. } => false,
                }
        };
        for mut touchpoint in self.messages_where(waits) {
            if let Some(silence) = &mut touchpoint.silence {
                silence.after = self.now;
            }
            touchpoint.state = TouchpointState::Queued { ready_at: self.now };
            self.put_touchpoint(touchpoint);
        }
    }
}

/// An address that can stand in a title, which is a template.
fn is_plain(address: &str) -> bool {
    address.len() <= 254
        && address
            .chars()
            .all(|c| c.is_alphanumeric() || "@.+-_".contains(c))
}
