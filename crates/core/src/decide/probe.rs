//! What would be decided now, asked without deciding anything.
//!
//! Each question is put to a copy of the snapshot by the very code that decides, so that the answer cannot
//! differ from what would happen. **Absent:** effects; nothing that is asked here is ever committed.

use std::sync::Arc;

use jiff::Timestamp;

use crate::condition::{CONDITION_DEPTH_MAX, Condition, Scene};
use crate::enrollment::{Enrollment, EnrollmentState};
use crate::ids::{EnrollmentId, SubjectRef, TouchpointId};
use crate::journey::{Journey, On, Step, StepKind};
use crate::ledger::{LedgerEntry, Reason, What};
use crate::snapshot::Snapshot;
use crate::touchpoint::{Slot, TouchpointState};
use crate::value::{FieldPath, Root};
use crate::world::World;

use super::{Effect, Turn};

/// The first line that beginning a run now would write: `enrolled` (with `holdout` for the control group)
/// or `not_enrolled` with its reason.
///
/// What can only be known when the trigger comes, such as a property of its event, is taken to be as the
/// trigger wants it.
pub fn entry(
    world: &World,
    snapshot: &Snapshot,
    journey: &Arc<Journey>,
    subject: Option<&SubjectRef>,
    now: Timestamp,
) -> Option<LedgerEntry> {
    let mut copy = snapshot.clone();
    let mut turn = Turn::new(world, &mut copy, now);
    let scene = turn.scene(subject, None);
    if certainly(&journey.trigger.filter, &journey.trigger.on, &scene, 0) == Some(false) {
        turn.not_enrolled(journey, Reason::WhereFalse, None);
    } else {
        turn.enroll(journey, subject.cloned(), None);
    }
    lines(turn).into_iter().find(|line| {
        line.journey.as_ref() == Some(&journey.id)
            && matches!(line.what, What::Enrolled | What::NotEnrolled)
    })
}

/// What would speak against a message if a run came to its `send` now: the line `dropped`, `held` or
/// `skipped` that would be written. `None` when it would be queued, or when the step sends nothing.
///
/// Without a run, one that began now is taken.
pub fn message(
    world: &World,
    snapshot: &Snapshot,
    journey: &Arc<Journey>,
    run: Option<&Enrollment>,
    step: &Step,
    now: Timestamp,
) -> Option<LedgerEntry> {
    let StepKind::Send { send, .. } = &step.kind else {
        return None;
    };
    let mut copy = snapshot.clone();
    let run = run
        .cloned()
        .unwrap_or_else(|| fresh_run(world, snapshot, journey, now));
    let mut turn = Turn::new(world, &mut copy, now);
    turn.intend(&run, journey, step, send, now);
    lines(turn).into_iter().find(|line| {
        line.enrollment == Some(run.id)
            && matches!(line.what, What::Dropped | What::Held | What::Skipped)
    })
}

/// What the last gate would say now of an open message that is not in flight: the line that would be
/// written, or `None` when it would go.
pub fn claim(
    world: &World,
    snapshot: &Snapshot,
    id: TouchpointId,
    now: Timestamp,
) -> Option<LedgerEntry> {
    let mut copy = snapshot.clone();
    let touchpoint = copy.touchpoints.iter_mut().find(|one| one.id == id)?;
    match touchpoint.slot() {
        Slot::Flight | Slot::Done => return None,
        Slot::Outbox(_) | Slot::Timer(_) => {
            touchpoint.state = TouchpointState::Queued { ready_at: now };
        }
    }
    let mut turn = Turn::new(world, &mut copy, now);
    turn.claim(id);
    lines(turn)
        .into_iter()
        .find(|line| line.touchpoint == Some(id))
}

fn lines(turn: Turn<'_>) -> Vec<LedgerEntry> {
    let effects = turn.effects.into_iter();
    effects
        .filter_map(|effect| match effect {
            Effect::Ledger(line) => Some(line),
            Effect::Contact(_)
            | Effect::Enrollment(_)
            | Effect::Entry(_)
            | Effect::Touchpoint(_)
            | Effect::Watch(_)
            | Effect::Membership { .. }
            | Effect::Unwatch(_)
            | Effect::Consent(_)
            | Effect::Suppression(_)
            | Effect::Object(_)
            | Effect::Event(_)
            | Effect::Task(_)
            | Effect::TaskChanged { .. }
            | Effect::Arm(_)
            | Effect::Disarm(_)
            | Effect::Revoke(_)
            | Effect::Account { .. }
            | Effect::Belongs { .. }
            | Effect::RequestSync(_) => None,
        })
        .collect()
}

fn fresh_run(world: &World, snapshot: &Snapshot, journey: &Journey, now: Timestamp) -> Enrollment {
    let contact = &snapshot.contact;
    let share = journey.holdout;
    Enrollment {
        id: EnrollmentId {
            contact: contact.id,
            number: contact.enrollments.saturating_add(1),
        },
        journey: journey.id.clone(),
        version: journey.version,
        subject: None,
        entered_at: now,
        cause: None,
        held_out: world.in_share(contact, journey.id.as_str(), share.by, share.permille),
        converted_at: None,
        goal_until: None,
        variant: None,
        chain: 0,
        state: EnrollmentState::Finished { at: now },
    }
}

/// Whether a condition holds, where that does not hang on what the trigger will bring: its event, the
/// object that it is about, the field or membership that changes, what the contact will have done by then.
fn certainly(condition: &Condition, on: &On, scene: &Scene<'_>, depth: usize) -> Option<bool> {
    if depth > CONDITION_DEPTH_MAX {
        return None;
    }
    let inner = |one: &Condition| certainly(one, on, scene, depth + 1);
    match condition {
        Condition::All(list) => {
            let answers: Vec<Option<bool>> = list.iter().map(inner).collect();
            if answers.contains(&Some(false)) {
                return Some(false);
            }
            (!answers.contains(&None)).then_some(true)
        }
        Condition::Any(list) => {
            let answers: Vec<Option<bool>> = list.iter().map(inner).collect();
            if answers.contains(&Some(true)) {
                return Some(true);
            }
            (!answers.contains(&None)).then_some(false)
        }
        Condition::Not(one) => inner(one).map(|holds| !holds),
        Condition::Field { path, .. } => match path.root {
            Root::Contact if !changes(on, path) => Some(condition.holds(scene)),
            Root::Subject if !changes(on, path) && scene.subject.is_some() => {
                Some(condition.holds(scene))
            }
            Root::Contact | Root::Subject | Root::Event => None,
        },
        Condition::InSegment(id) => match on {
            On::SegmentEntered(own) | On::SegmentLeft(own) if own == id => None,
            On::Event(_)
            | On::SegmentEntered(_)
            | On::SegmentLeft(_)
            | On::Changed { .. }
            | On::Inactive { .. }
            | On::Date { .. }
            | On::Schedule { .. }
            | On::Manual
            | On::Api => Some(condition.holds(scene)),
        },
        Condition::Did(_) | Condition::Has { .. } | Condition::Rfm(_) => None,
    }
}

/// Whether a trigger comes with a change of this field.
fn changes(on: &On, field: &FieldPath) -> bool {
    match on {
        On::Changed { path, .. } => {
            path.root == field.root && path.names.first() == field.names.first()
        }
        On::Event(_)
        | On::SegmentEntered(_)
        | On::SegmentLeft(_)
        | On::Inactive { .. }
        | On::Date { .. }
        | On::Schedule { .. }
        | On::Manual
        | On::Api => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::condition::Test;
    use crate::contact::Contact;
    use crate::event::History;
    use crate::ids::ContactId;
    use crate::time::{Calendar, Zone};
    use crate::value::Value;

    fn field(root: Root, name: &str) -> Condition {
        Condition::Field {
            path: FieldPath {
                root,
                names: [name.into()].into(),
            },
            test: Test::Eq(Value::Bool(true)),
        }
    }

    #[test]
    fn what_hangs_on_an_event_is_not_certain() {
        let mut contact = Contact::new(ContactId(1), Timestamp::UNIX_EPOCH);
        contact.traits.insert("yes".to_owned(), Value::Bool(true));
        let (history, calendar) = (History::default(), Calendar::weekends_only());
        let scene = Scene {
            contact: &contact,
            subject: None,
            event: None,
            history: &history,
            memberships: &Default::default(),
            objects: &Default::default(),
            rfm: None,
            zone: &Zone::utc(),
            calendar: &calendar,
            now: Timestamp::UNIX_EPOCH,
        };
        let (yes, no) = (field(Root::Contact, "yes"), field(Root::Contact, "no"));
        let open = field(Root::Event, "plan");
        let of = |condition: &Condition| certainly(condition, &On::Manual, &scene, 0);
        assert_eq!(of(&yes), Some(true));
        assert_eq!(of(&open), None);
        assert_eq!(of(&Condition::All(vec![yes.clone(), open.clone()])), None);
        assert_eq!(
            of(&Condition::All(vec![no.clone(), open.clone()])),
            Some(false)
        );
        assert_eq!(of(&Condition::Any(vec![no, open.clone()])), None);
        assert_eq!(of(&Condition::Any(vec![yes, open.clone()])), Some(true));
        assert_eq!(of(&Condition::Not(Box::new(open))), None);
        let changed = On::Changed {
            path: FieldPath {
                root: Root::Contact,
                names: ["no".into()].into(),
            },
            from: None,
            to: None,
        };
        let moving = field(Root::Contact, "no");
        assert_eq!(certainly(&moving, &changed, &scene, 0), None);
    }
}
