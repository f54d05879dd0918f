//! Which journeys what happens may begin.
//!
//! One entry for each journey that new runs begin on. What happens is looked up by its name; nothing here
//! grows with journeys that it does not concern. **Absent:** whether a journey then begins.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::ids::{EventName, JourneyId, ObjectKind, SegmentId};
use crate::journey::{Changes, Journey, On, StepKind};
use crate::value::{FieldPath, Root};

/// A trait of the contact (no kind), or a field of a kind of objects.
pub(super) type Field = (Option<ObjectKind>, Box<str>);
type Journeys = Vec<Arc<Journey>>;

/// Journeys by what may begin them.
#[derive(Debug, Clone, Default)]
pub(super) struct Triggers {
    event: BTreeMap<EventName, Journeys>,
    segment: BTreeMap<(SegmentId, bool), Journeys>,
    change: BTreeMap<Field, Journeys>,
    inactive: BTreeMap<EventName, Journeys>,
    inactive_any: Journeys,
    date: BTreeMap<Field, Journeys>,
    schedule: BTreeMap<Option<SegmentId>, Journeys>,
}

impl Triggers {
    pub(super) fn add(&mut self, journey: &Arc<Journey>) {
        let list = match &journey.trigger.on {
            On::Event(event) => self.event.entry(event.clone()).or_default(),
            On::SegmentEntered(segment) => self.segment.entry((segment.clone(), true)).or_default(),
            On::SegmentLeft(segment) => self.segment.entry((segment.clone(), false)).or_default(),
            On::Changed { path, .. } => self.change.entry(field(journey, path)).or_default(),
            On::Inactive {
                event: Some(event), ..
            } => self.inactive.entry(event.clone()).or_default(),
            On::Inactive { event: None, .. } => &mut self.inactive_any,
            On::Date { path, .. } => self.date.entry(field(journey, path)).or_default(),
            On::Schedule { segment, .. } => self.schedule.entry(segment.clone()).or_default(),
            On::Manual | On::Api => return,
        };
        list.push(journey.clone());
    }

    pub(super) fn remove(&mut self, id: &JourneyId) {
        fn without<K: Ord>(map: &mut BTreeMap<K, Journeys>, id: &JourneyId) {
            map.retain(|_, list| {
                list.retain(|journey| journey.id != *id);
                !list.is_empty()
            });
        }
        without(&mut self.event, id);
        without(&mut self.segment, id);
        without(&mut self.change, id);
        without(&mut self.inactive, id);
        without(&mut self.date, id);
        without(&mut self.schedule, id);
        self.inactive_any.retain(|journey| journey.id != *id);
    }

    pub(super) fn by_event(&self, event: &EventName) -> &[Arc<Journey>] {
        self.event.get(event).map_or(&[], Vec::as_slice)
    }

    pub(super) fn by_segment(&self, segment: &SegmentId, member: bool) -> &[Arc<Journey>] {
        let found = self.segment.get(&(segment.clone(), member));
        found.map_or(&[], Vec::as_slice)
    }

    pub(super) fn by_change(&self, kind: Option<&ObjectKind>, name: &str) -> &[Arc<Journey>] {
        if self.change.is_empty() {
            return &[];
        }
        let found = self.change.get(&(kind.cloned(), name.into()));
        found.map_or(&[], Vec::as_slice)
    }

    /// Whether any journey begins by a change at all.
    pub(super) fn watch_changes(&self) -> bool {
        !self.change.is_empty()
    }

    pub(super) fn by_date(&self, kind: Option<&ObjectKind>, name: &str) -> &[Arc<Journey>] {
        if self.date.is_empty() {
            return &[];
        }
        let found = self.date.get(&(kind.cloned(), name.into()));
        found.map_or(&[], Vec::as_slice)
    }

    pub(super) fn by_schedule(&self, segment: Option<&SegmentId>) -> &[Arc<Journey>] {
        if self.schedule.is_empty() {
            return &[];
        }
        let found = self.schedule.get(&segment.cloned());
        found.map_or(&[], Vec::as_slice)
    }

    pub(super) fn by_inactivity<'a>(
        &'a self,
        event: &EventName,
    ) -> impl Iterator<Item = &'a Arc<Journey>> {
        self.inactive
            .get(event)
            .into_iter()
            .flatten()
            .chain(&self.inactive_any)
    }
}

/// A way in which a journey's steps may begin other journeys within the same turn.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Outlet {
    /// By name.
    Enroll(JourneyId),
    /// By changing a field.
    Change(Field),
}

/// The outlets of a journey, each once: most have none.
pub(super) fn outlets(journey: &Journey) -> Vec<Outlet> {
    let mut outlets = BTreeSet::new();
    for step in &journey.steps {
        if let StepKind::Enroll(id) = &step.kind {
            outlets.insert(Outlet::Enroll(id.clone()));
        }
        outlets.extend(step.kind.changes().into_iter().map(|change| match change {
            Changes::Contact(name) => Outlet::Change((None, name.into())),
            Changes::Subject(name) => Outlet::Change((journey.subject.clone(), name.into())),
        }));
    }
    outlets.into_iter().collect()
}

/// The field that a path of a journey's trigger leads to.
fn field(journey: &Journey, path: &FieldPath) -> Field {
    let kind = match path.root {
        Root::Subject => journey.subject.clone(),
        Root::Contact | Root::Event => None,
    };
    let name = path.names.first().cloned().unwrap_or_default();
    (kind, name)
}
