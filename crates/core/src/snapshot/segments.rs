//! What segments ask to be loaded before an input is decided.
//!
//! First how the contact stands to those that the input may concern. That, and what the input itself tells,
//! often decide already: who did something again stays with those who did it. Only where they do not, the past
//! is asked for. **Invariant:** what a decision may need and does not find here, it asks for by a timer.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::condition::{Changing, Condition, Knows, Part, Scene};
use crate::contact::EMAIL_STATUS;
use crate::event::{Event, History};
use crate::ids::SegmentId;
use crate::segment::Membership;
use crate::subject::subject_of;
use crate::world::{Needs, Queue, Touched, World};

use super::Snapshot;

impl Snapshot {
    /// What an event changes, as far as segments ask; more than it changes in the end is well.
    pub(super) fn touched_by(&self, world: &World, event: &Event, is_echo: bool) -> Touched {
        let index = world.segment_index();
        let mut touched = Touched::default();
        if !index.compute() || self.contact.erased {
            return touched;
        }
        touched.kinds = index
            .kinds()
            .filter(|kind| {
                subject_of(event, kind).is_some()
                    || event.objects.iter().any(|one| one.subject.kind == **kind)
            })
            .cloned()
            .collect();
        if is_echo {
            return touched;
        }
        if !event.by_machine() {
            touched.event = Some(event.name.clone());
        }
        let told = event.traits.iter().flatten();
        let traits = &self.contact.traits;
        let other = told.filter(|(name, value)| match traits.get(*name) {
            Some(known) => known != *value,
            None => !value.is_null(),
        });
        touched.traits = other.map(|(name, _)| name.as_str().into()).collect();
        if touched.traits.contains("email") {
            touched.traits.insert(EMAIL_STATUS.into());
        }
        touched.born = self.contact.created_at >= event.at;
        touched
    }

    /// What segments ask where all this may change.
    pub(super) fn needs_of_touched(
        &self,
        world: &World,
        touched: &Touched,
        event: Option<&Event>,
        needs: &mut Needs,
    ) {
        let index = world.segment_index();
        let mut queue = Queue::new();
        index.queue(touched, &mut queue);
        if queue.is_empty() {
            return;
        }
        let mut closed: BTreeSet<SegmentId> = queue.keys().map(|(_, id)| id.clone()).collect();
        index.close(&mut closed);
        world.needs_of_members(&closed, needs);
        let mut then = Needs::default();
        let mut changing = Changing {
            traits: touched.traits.clone(),
            segments: touched.segments.clone(),
        };
        let mut done: BTreeSet<SegmentId> = BTreeSet::new();
        while let Some(((_, id), by_event)) = queue.pop_first() {
            let Some(condition) = index.get(&id).and_then(|segment| segment.condition()) else {
                continue;
            };
            if done.contains(&id) {
                continue;
            }
            let standing = self.memberships.get(&id).copied().unwrap_or_default();
            let Foreseen { member, asks } = self.foresee(
                world,
                condition,
                standing,
                event,
                by_event,
                (needs, &changing),
            );
            if asks {
                world.needs_of_telling(&id, &mut then);
            }
            if member == Some(standing.member) {
                continue;
            }
            world.needs_of_turn(&id, member, &mut then);
            changing.segments.insert(id.clone());
            let mut touched = Touched::default();
            if member != Some(false)
                && let Some((name, _)) = index.get(&id).and_then(|one| one.sets.as_ref())
            {
                changing.traits.insert(name.clone());
                touched.traits.insert(name.clone());
            }
            touched.segments.insert(id.clone());
            done.insert(id);
            index.queue(&touched, &mut queue);
        }
        if then != Needs::default() {
            let own = needs.then.get_or_insert_default();
            own.extend(then);
        }
    }

    fn foresee(
        &self,
        world: &World,
        condition: &Condition,
        standing: Membership,
        event: Option<&Event>,
        by_event: bool,
        (needs, changing): (&Needs, &Changing),
    ) -> Foreseen {
        let zone = world.zone_of(&self.contact);
        let calendar = world.calendar_of(&self.contact);
        let nothing = History::default();
        // Close enough: what is told a little otherwise in the end is looked at again at once.
        let now = event.map_or(Timestamp::UNIX_EPOCH, |event| event.at);
        let scene = Scene {
            contact: &self.contact,
            subject: None,
            event: None,
            history: &nothing,
            memberships: &self.memberships,
            objects: &self.objects,
            rfm: world.rfm.as_ref(),
            zone: &zone,
            calendar: &calendar,
            now,
        };
        let knows = Knows::Part(Part {
            history: &BTreeSet::new(),
            kinds: &BTreeSet::new(),
            segments: &needs.segments,
            event: event.filter(|event| !event.by_machine()),
            changing: Some(changing),
        });
        if let Some(member) = condition.verdict(&scene, knows).holds {
            return Foreseen {
                member: Some(member),
                asks: false,
            };
        }
        if let Some(event) = event.filter(|_| by_event)
            && stays(condition, standing, event, &scene)
        {
            return Foreseen {
                member: Some(standing.member),
                asks: false,
            };
        }
        Foreseen {
            member: None,
            asks: true,
        }
    }
}

/// What can be told before anything of the past is loaded.
struct Foreseen {
    /// Whether the contact will be a member.
    member: Option<bool>,
    /// Whether it must be loaded.
    asks: bool,
}

/// Whether an event, when nothing else concerns the segment, leaves the contact as it stands: it does not
/// count, or it can do nothing but speak for that. What stood is true up to the moment that it is due by.
pub(crate) fn stays(
    condition: &Condition,
    standing: Membership,
    event: &Event,
    scene: &Scene<'_>,
) -> bool {
    standing.due.is_none_or(|due| due > scene.now)
        && (condition.rises_with(&event.name, standing.member)
            || condition.passes_over(event, scene))
}
