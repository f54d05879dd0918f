//! What stood when something was committed: a history told from its beginning.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use relance_core::contact::Contact;
use relance_core::decide::Effect;
use relance_core::enrollment::Enrollment;
use relance_core::ids::{ContactId, EnrollmentId, TouchpointId};
use relance_core::journey::Recipient;
use relance_core::touchpoint::{Touchpoint, TouchpointState};

use crate::history::{Commit, History};

/// The zone of whoever tells none.
pub const HOME: &str = "Europe/Berlin";

/// Everything as it was last committed.
#[derive(Default)]
pub struct Stage<'a> {
    pub contacts: BTreeMap<ContactId, &'a Contact>,
    pub runs: BTreeMap<EnrollmentId, &'a Enrollment>,
    pub touchpoints: BTreeMap<TouchpointId, &'a Touchpoint>,
}

impl<'a> Stage<'a> {
    pub fn apply(&mut self, effect: &'a Effect) {
        match effect {
            Effect::Contact(contact) => drop(self.contacts.insert(contact.id, contact)),
            Effect::Enrollment(run) => drop(self.runs.insert(run.id, run)),
            Effect::Touchpoint(touchpoint) => {
                self.touchpoints.insert(touchpoint.id, touchpoint);
            }
            _other => {}
        }
    }

    /// The zone in which a contact lives.
    pub fn zone(&self, contact: ContactId) -> TimeZone {
        let contact = self.contacts.get(&contact);
        let told = contact.and_then(|contact| {
            let own = contact.traits.get("timezone")?.as_str()?;
            TimeZone::get(own).ok()
        });
        told.unwrap_or_else(|| TimeZone::get(HOME).expect("zone"))
    }
}

/// The day on the calendar of a place.
pub fn day(at: Timestamp, zone: &TimeZone) -> Date {
    at.to_zoned(zone.clone()).date()
}

/// Tells a history effect by effect; each is seen before it stands.
pub fn tell<'a>(
    history: &'a History,
    mut listen: impl FnMut(&Stage<'a>, &'a Commit, ContactId, &'a Effect),
) {
    let mut stage = Stage::default();
    for (commit, contact, effect) in history.effects() {
        listen(&stage, commit, contact, effect);
        stage.apply(effect);
    }
}

/// Whether a message goes to the contact, not to one of ours.
pub fn is_to_contact(touchpoint: &Touchpoint) -> bool {
    touchpoint.recipient == Recipient::Contact
}

/// Whether a message is in flight.
pub fn is_claim(touchpoint: &Touchpoint) -> bool {
    matches!(touchpoint.state, TouchpointState::Sending { .. })
}
