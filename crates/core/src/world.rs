//! What is the same for every contact: published journeys, policy, templates' facts, mailboxes.
//!
//! Journeys are found by the name of the event at hand, so that an event costs nothing for journeys
//! that it does not concern.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;

use crate::contact::Contact;
use crate::event::Event;
use crate::ids::{EventName, JourneyId, MailboxId, ObjectKind, SubjectRef, TemplateId};
use crate::journey::{Journey, Reentry, Trigger};
use crate::policy::{Policy, TemplateFacts};
use crate::subject::subject_of;
use crate::time::{Calendar, Zone};

/// The configuration that decisions are made under.
#[derive(Debug, Clone)]
pub struct World {
    /// The workspace's rules.
    pub policy: Policy,
    /// What the gate must know of templates.
    pub templates: BTreeMap<TemplateId, TemplateFacts>,
    /// Calendars by id, for contacts that name one in the trait `calendar`.
    pub calendars: BTreeMap<String, Arc<Calendar>>,
    /// When each watched mailbox was last read whole.
    pub synced: BTreeMap<MailboxId, Timestamp>,
    /// Seed of shares and variants: the same for ever in one workspace (R5).
    pub salt: u64,
    /// Kinds of objects that journeys are about: what events tell of them is kept.
    pub kinds: BTreeSet<ObjectKind>,
    versions: BTreeMap<JourneyId, BTreeMap<u32, Arc<Journey>>>,
    current: BTreeMap<JourneyId, Arc<Journey>>,
    triggered_by: BTreeMap<EventName, Vec<Arc<Journey>>>,
    inactive_by: BTreeMap<EventName, Vec<Arc<Journey>>>,
    inactive_any: Vec<Arc<Journey>>,
}

/// What must be loaded beside a contact before its input can be decided.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Needs {
    /// Events whose history conditions look back over.
    pub history: BTreeSet<EventName>,
    /// Whether the time of the contact's last event is asked for.
    pub last_event: bool,
    /// Objects that runs or the event are about.
    pub objects: BTreeSet<SubjectRef>,
    /// Journeys that may begin, whose earlier entries decide about it.
    pub entries: BTreeSet<JourneyId>,
}

impl Needs {
    /// Whether nothing is needed.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// What is needed beyond `loaded`.
    pub fn without(mut self, loaded: &Self) -> Self {
        self.history.retain(|name| !loaded.history.contains(name));
        self.objects
            .retain(|subject| !loaded.objects.contains(subject));
        self.entries
            .retain(|journey| !loaded.entries.contains(journey));
        self.last_event &= !loaded.last_event;
        self
    }

    /// Adds what was loaded.
    pub fn extend(&mut self, more: Self) {
        self.history.extend(more.history);
        self.objects.extend(more.objects);
        self.entries.extend(more.entries);
        self.last_event |= more.last_event;
    }
}

impl World {
    /// A world without journeys.
    pub fn new(policy: Policy, salt: u64) -> Self {
        Self {
            policy,
            templates: BTreeMap::new(),
            calendars: BTreeMap::new(),
            synced: BTreeMap::new(),
            salt,
            kinds: BTreeSet::new(),
            versions: BTreeMap::new(),
            current: BTreeMap::new(),
            triggered_by: BTreeMap::new(),
            inactive_by: BTreeMap::new(),
            inactive_any: Vec::new(),
        }
    }

    /// Adds a version of a journey. New runs begin on the version that was added with `current`;
    /// others are kept for the runs that stand on them.
    pub fn add_journey(&mut self, journey: Arc<Journey>, current: bool) {
        self.kinds.extend(journey.subject.clone());
        self.versions
            .entry(journey.id.clone())
            .or_default()
            .insert(journey.version, journey.clone());
        if !current {
            return;
        }
        self.retire(&journey.id);
        self.current.insert(journey.id.clone(), journey.clone());
        match &journey.trigger {
            Trigger::Event { event, .. } => {
                self.triggered_by
                    .entry(event.clone())
                    .or_default()
                    .push(journey);
            }
            Trigger::Inactive {
                event: Some(event), ..
            } => {
                self.inactive_by
                    .entry(event.clone())
                    .or_default()
                    .push(journey);
            }
            Trigger::Inactive { event: None, .. } => self.inactive_any.push(journey),
        }
    }

    /// Lets no new run of a journey begin; runs under way go on.
    pub fn retire(&mut self, id: &JourneyId) {
        self.current.remove(id);
        self.triggered_by
            .values_mut()
            .chain(self.inactive_by.values_mut())
            .for_each(|list| {
                list.retain(|journey| journey.id != *id);
            });
        self.triggered_by.retain(|_, list| !list.is_empty());
        self.inactive_by.retain(|_, list| !list.is_empty());
        self.inactive_any.retain(|journey| journey.id != *id);
    }

    /// A version of a journey.
    pub fn journey(&self, id: &JourneyId, version: u32) -> Option<&Arc<Journey>> {
        self.versions.get(id)?.get(&version)
    }

    /// The newest known version of a journey.
    pub fn newest(&self, id: &JourneyId) -> Option<&Arc<Journey>> {
        self.versions.get(id)?.values().next_back()
    }

    /// The version of a journey that new runs begin on; `None` for one that is retired.
    pub fn current(&self, id: &JourneyId) -> Option<&Arc<Journey>> {
        self.current.get(id)
    }

    /// Journeys that an event may begin.
    pub fn triggered_by(&self, event: &EventName) -> &[Arc<Journey>] {
        self.triggered_by.get(event).map_or(&[], Vec::as_slice)
    }

    /// Journeys that begin when such an event stays away.
    pub fn inactive_by<'a>(&'a self, event: &EventName) -> impl Iterator<Item = &'a Arc<Journey>> {
        self.inactive_by
            .get(event)
            .into_iter()
            .flatten()
            .chain(&self.inactive_any)
    }

    /// A contact's zone: its trait `timezone`, else the workspace's.
    pub fn zone_of(&self, contact: &Contact) -> Zone {
        contact
            .text("timezone")
            .and_then(|name| Zone::parse(name).ok())
            .unwrap_or_else(|| self.policy.zone.clone())
    }

    /// A contact's calendar: its trait `calendar`, else that of its `country`, else the workspace's.
    pub fn calendar_of(&self, contact: &Contact) -> Arc<Calendar> {
        ["calendar", "country"]
            .into_iter()
            .filter_map(|name| contact.text(name))
            .find_map(|id| self.calendars.get(&id.to_lowercase()))
            .unwrap_or(&self.policy.calendar)
            .clone()
    }

    /// What an event alone asks to be loaded; [`crate::snapshot::Snapshot::needs`] adds what the runs ask.
    pub fn needs_of_event(&self, event: &Event, needs: &mut Needs) {
        for journey in self.triggered_by(&event.name) {
            // Where every entry is welcome, earlier ones are not asked for.
            if journey.reentry != Reentry::Always {
                needs.entries.insert(journey.id.clone());
            }
            needs.history.extend(journey.history_names());
            needs.objects.extend(
                journey
                    .subject
                    .as_ref()
                    .and_then(|kind| subject_of(event, kind)),
            );
        }
        needs
            .objects
            .extend(self.kinds.iter().filter_map(|kind| subject_of(event, kind)));
        needs
            .objects
            .extend(event.objects.iter().map(|patch| patch.subject.clone()));
        needs.objects.extend(event.subject.clone());
    }

    /// What an event that was told late asks beside [`World::needs_of_event`]: what ends or turns the
    /// runs that it begins may have been told before it.
    pub fn needs_of_late_event(&self, event: &Event, needs: &mut Needs) {
        for journey in self.triggered_by(&event.name) {
            needs.history.extend(journey.turning_names().cloned());
        }
    }

    /// Whether a contact falls into the share of `permille` thousandths that `experiment` sets aside:
    /// the same answer for ever, on every node (R5).
    pub fn in_share(&self, contact: &Contact, experiment: &str, permille: u16) -> bool {
        if permille == 0 {
            return false;
        }
        let mut hasher = xxhash_rust::xxh3::Xxh3::with_seed(self.salt);
        hasher.update(&contact.id.0.to_le_bytes());
        hasher.update(experiment.as_bytes());
        hasher.digest() % 1_000 < u64::from(permille)
    }
}
