//! What segments ask to be loaded before an input is decided.
//!
//! First how the contact stands to those that the input may concern. That, and what the input itself tells,
//! often decide already: who did something again stays with those who did it. Only where they do not, the past
//! is asked for. **Invariant:** what a decision may need and does not find here, it asks for by a timer.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::account::ACCOUNT;
use crate::condition::{Changing, Condition, Knows, Part, Scene};
use crate::contact::EMAIL_STATUS;
use crate::event::{Event, History};
use crate::ids::{EventName, ObjectKind};
use crate::segment::Membership;
use crate::subject::subject_of;
use crate::world::{Needs, Place, Queue, Touched, World};

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
        let (traits, account) = (&self.contact.traits, self.contact.account.as_ref());
        let other = told.filter(|(name, value)| match traits.get(*name) {
            Some(known) => known != *value,
            None if *name == ACCOUNT => !account.is_some_and(|account| account.knows(value)),
            None => !value.is_null(),
        });
        touched.traits = other.map(|(name, _)| name.as_str().into()).collect();
        if touched.traits.contains("email") {
            touched.traits.insert(EMAIL_STATUS.into());
        }
        touched.born = self.contact.created_at >= event.at;
        touched
    }

    /// What segments ask where all this may change; what of it depends on how the contact stands to them, only
    /// once that is `loaded`.
    pub(super) fn needs_of_touched(
        &self,
        world: &World,
        touched: Touched,
        event: Option<&Event>,
        loaded: Option<&Needs>,
        needs: &mut Needs,
    ) {
        let index = world.segment_index();
        let mut queue = Queue::default();
        index.queue(&touched, &mut queue);
        if queue.is_empty() {
            return;
        }
        world.needs_of_members(&index.close(queue.places()), needs);
        if loaded.is_some_and(|loaded| !needs.is_final(loaded)) {
            return;
        }
        let mut then = Needs::default();
        let mut changing = Changing {
            traits: touched.traits,
            segments: touched.segments,
        };
        let mut done: Vec<Place> = Vec::new();
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
        while let Some((place, by_event)) = queue.pop() {
            let Some(kept) = index.at(place) else {
                continue;
            };
            let Some(condition) = kept.segment.condition() else {
                continue;
            };
            if done.contains(&place) {
                continue;
            }
            let id = &kept.segment.id;
            let standing = self.memberships.get(id).copied().unwrap_or_default();
            let part = Part {
                history: &NOTHING,
                kinds: &NO_KINDS,
                segments: &needs.segments,
                event: event.filter(|event| !event.by_machine()),
                changing: Some(&changing),
            };
            let told = event.filter(|_| by_event);
            let Foreseen { member, asks } = foresee(&scene, part, condition, standing, told);
            if asks {
                world.needs_of_telling(id, &mut then);
            }
            if member == Some(standing.member) {
                continue;
            }
            world.needs_of_turn(id, member, &mut then);
            let mut touched = Touched::default();
            if kept.is_named {
                changing.segments.insert(id.clone());
                touched.segments.insert(id.clone());
            }
            if member != Some(false)
                && let Some((name, _)) = kept.segment.sets.as_ref()
            {
                changing.traits.insert(name.clone());
                touched.traits.insert(name.clone());
            }
            done.push(place);
            index.queue(&touched, &mut queue);
        }
        if then != Needs::default() {
            let own = needs.then.get_or_insert_default();
            own.extend(then);
        }
    }
}

static NOTHING: BTreeSet<EventName> = BTreeSet::new();
static NO_KINDS: BTreeSet<ObjectKind> = BTreeSet::new();

/// What can be told of a segment before anything of the past is loaded. `event`: what alone concerns it.
fn foresee(
    scene: &Scene<'_>,
    part: Part<'_>,
    condition: &Condition,
    standing: Membership,
    event: Option<&Event>,
) -> Foreseen {
    let known = |member| Foreseen {
        member: Some(member),
        asks: false,
    };
    // Cheaper than a verdict, and the usual answer where something is done again.
    if let Some(event) = event
        && rises(condition, standing, event, scene)
    {
        return known(standing.member);
    }
    if let Some(member) = condition.verdict(scene, Knows::Part(part)).holds {
        return known(member);
    }
    if let Some(event) = event
        && stays(condition, standing, event, scene)
    {
        return known(standing.member);
    }
    Foreseen {
        member: None,
        asks: true,
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
    is_current(standing, scene)
        && (condition.rises_with(&event.name, standing.member)
            || condition.passes_over(event, scene))
}

/// The first half of [`stays`]: an event can do nothing but speak for how the contact stands.
fn rises(condition: &Condition, standing: Membership, event: &Event, scene: &Scene<'_>) -> bool {
    is_current(standing, scene) && condition.rises_with(&event.name, standing.member)
}

fn is_current(standing: Membership, scene: &Scene<'_>) -> bool {
    standing.due.is_none_or(|due| due > scene.now)
}
