//! What single steps do, beside going on.

use std::borrow::Cow;
use std::sync::Arc;

use jiff::Timestamp;
use xxhash_rust::xxh3::Xxh3;

use crate::account::ACCOUNT;
use crate::contact::{Channel, EMAIL_STATUS, TRAITS_MAX};
use crate::enrollment::Enrollment;
use crate::event::{Event, names};
use crate::ids::{ObjectKind, StepKey, SubjectRef, TemplateId, TouchpointId};
use crate::journey::{
    Approval, Arm, Journey, NOTIFY_TEMPLATE, NotifyStep, PROMO_KIND, Promo, Recipient,
    SIGNS_OF_LIFE, STAGE_FIELD, Sender, Step, TaskStep, Unit, Until, Wait,
};
use crate::ledger::{LedgerEntry, Reason, What};
use crate::subject::{Object, merge_fields};
use crate::time::{LATE_DEFAULT, is_late, next_best_hour, next_time_of_day};
use crate::touchpoint::{Task, Touchpoint, TouchpointState};
use crate::typed::typed;
use crate::value::{FieldPath, Fields, Root, Value};
use crate::world::World;

use super::run::VISIT;
use super::{Change, Effect, Pending, Turn};

/// Letters of a promo code: none that is taken for another.
const CODE_LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Letters of a promo code after its prefix: 60 bits.
const CODE_CHARS: usize = 12;

impl Turn<'_> {
    /// The moment that a wait is for, counted from `due`; `None` when it cannot be known.
    pub(super) fn moment_of(
        &self,
        wait: &Wait,
        subject: Option<&SubjectRef>,
        due: Timestamp,
    ) -> Option<Timestamp> {
        let until = match &wait.until {
            Until::Passed(delay) => delay.add(due, &self.zone, &self.calendar),
            Until::TimeOfDay(time) => next_time_of_day(*time, due, &self.zone),
            Until::Date { path, rule } => {
                let value = self.value_at(path, subject)?;
                if rule.yearly {
                    rule.next(value, due, &self.zone, &self.calendar)?
                } else {
                    rule.moment(value, &self.zone, &self.calendar)?
                }
            }
            Until::BestHour { fallback } => {
                let history = &self.snapshot.history;
                let signs = SIGNS_OF_LIFE.map(crate::ids::EventName::from);
                let moments = signs
                    .iter()
                    .flat_map(|name| history.of(name))
                    .filter(|event| !event.by_machine())
                    .map(|event| event.at);
                next_best_hour(moments, *fallback, due, &self.zone)
            }
        };
        let Some(window) = &wait.window else {
            return Some(until);
        };
        // A date that had just passed when the run came to wait for it: the window counts from there on. One
        // that was long past stays past, and what follows it is left out as late (R4).
        let overtaken = is_late(until, due, &LATE_DEFAULT, &self.zone, &self.calendar);
        let from = if overtaken { until } else { until.max(due) };
        Some(window.next_open(from, &self.zone, &self.calendar))
    }

    /// Whether a wait's moment follows from more than a time that passes.
    pub(super) fn follows_fields(wait: &Wait) -> Option<&FieldPath> {
        match &wait.until {
            Until::Date { path, .. } => Some(path),
            Until::Passed(_) | Until::TimeOfDay(_) | Until::BestHour { .. } => None,
        }
    }

    /// The way of a split, the same at every visit (R5).
    pub(super) fn assign(
        &mut self,
        run: &mut Enrollment,
        step: &Step,
        arms: &[Arm],
        by: Unit,
        experiment: Option<&str>,
    ) -> crate::journey::Next {
        let name = World::experiment_of(&run.journey, step.key.as_str(), experiment);
        let arm = self
            .world
            .arm_of(&self.snapshot.contact, &name, by, arms)
            .cloned();
        let Some(arm) = arm else { return step.next };
        run.variant = Some(arm.variant.clone());
        let line = self.step_line(run, step, What::Assigned);
        self.ledger(line);
        arm.then
    }

    pub(super) fn give_task(&mut self, run: &Enrollment, step: &StepKey, task: &TaskStep) {
        let due_at = task
            .due
            .as_ref()
            .map(|due| due.add(self.now, &self.zone, &self.calendar));
        let id = TouchpointId::derive(run.id, step.as_str(), VISIT);
        let line = LedgerEntry {
            step: Some(step.clone()),
            touchpoint: Some(id),
            until: due_at,
            detail: Some(task.title.to_string()),
            ..self.run_line(run, What::Task)
        };
        self.emit(Effect::Task(Task {
            id,
            enrollment: run.id,
            journey: run.journey.clone(),
            subject: run.subject.clone(),
            title: task.title.clone(),
            assignee: task.assignee.clone(),
            created_at: self.now,
            due_at,
        }));
        self.ledger(line);
    }

    /// One of ours is told; the run does not wait for it.
    pub(super) fn notify(
        &mut self,
        run: &Enrollment,
        journey: &Journey,
        step: &Step,
        notify: &NotifyStep,
    ) {
        let template = notify.template.clone();
        let touchpoint = Touchpoint {
            id: TouchpointId::derive(run.id, step.key.as_str(), VISIT),
            enrollment: run.id,
            journey: run.journey.clone(),
            step: step.key.clone(),
            subject: run.subject.clone(),
            recipient: notify.to.clone(),
            channel: Channel::Email,
            template: template.unwrap_or_else(|| TemplateId::from(NOTIFY_TEMPLATE)),
            item: None,
            text: Some(notify.text.clone()).filter(|text| !text.is_empty()),
            from: Sender::Workspace,
            variant: run.variant.clone(),
            priority: journey.priority,
            members: Vec::new(),
            approval: Approval::AUTO,
            approved_by: None,
            created_at: self.now,
            silence: None,
            attempts: 0,
            state: TouchpointState::Queued { ready_at: self.now },
        };
        let mut line = self.touchpoint_line(&touchpoint, What::Notified, None);
        line.detail = Some(match &notify.to {
            Recipient::Contact => "contact".to_owned(),
            Recipient::Owner => "owner".to_owned(),
            Recipient::Role(role) => format!("role:{role}"),
            Recipient::User(user) => user.to_string(),
        });
        self.ledger(line);
        self.put_touchpoint(touchpoint);
    }

    /// Sets traits of the contact and fields of the subject.
    pub(super) fn set(&mut self, run: &Enrollment, step: &Step, changes: &[(FieldPath, Value)]) {
        let mut traits = Fields::new();
        let mut fields = Fields::new();
        for (path, value) in changes {
            let Some(name) = path.names.first() else {
                continue;
            };
            match path.root {
                Root::Contact => traits.insert(name.to_string(), value.clone()),
                Root::Subject => fields.insert(name.to_string(), value.clone()),
                // Refused at publication.
                Root::Event => None,
            };
            let mut line = self.step_line(run, step, What::Set);
            line.detail = Some(format!("{path} = {value}"));
            self.ledger(line);
        }
        self.tell_traits(&traits);
        if let Some(subject) = run.subject.as_ref().filter(|_| !fields.is_empty()) {
            self.tell_object(subject, &fields, self.now);
        }
        self.tell_segments();
    }

    /// Moves the deal to another stage.
    pub(super) fn move_to(&mut self, run: &Enrollment, step: &Step, stage: &str) {
        let mut line = self.step_line(run, step, What::Moved);
        line.detail = Some(stage.to_owned());
        self.ledger(line);
        if let Some(subject) = &run.subject {
            let stage = Value::String(stage.to_owned());
            let fields = Fields::from_iter([(STAGE_FIELD.to_owned(), stage)]);
            self.tell_object(subject, &fields, self.now);
        }
        self.tell_segments();
    }

    /// Issues a promo code: an object of the contact, a trait for templates, an event for the shop.
    pub(super) fn promo(&mut self, run: &Enrollment, step: &Step, promo: &Promo) {
        let code = self.code_of(run, step, &promo.prefix);
        let expires = promo
            .valid
            .as_ref()
            .map(|valid| valid.add(self.now, &self.zone, &self.calendar).to_string());
        let mut fields = promo.fields.clone();
        fields.insert("code".to_owned(), Value::String(code.clone()));
        fields.insert("journey".to_owned(), Value::String(run.journey.to_string()));
        if let Some(expires) = &expires {
            fields.insert("expires".to_owned(), Value::String(expires.clone()));
        }
        let subject = SubjectRef {
            kind: ObjectKind::from(PROMO_KIND),
            id: code.as_str().into(),
        };
        let mut line = self.step_line(run, step, What::Promo);
        line.detail = Some(code.clone());
        self.ledger(line);
        let mut event = Event::track(names::PROMO_ISSUED, self.now);
        event.properties = fields.clone();
        event.subject = Some(subject.clone());
        self.tell_object(&subject, &fields, self.now);
        self.emit(Effect::Event(Arc::new(event)));
        let expires = expires.map_or(Value::Null, Value::String);
        self.tell_traits(&Fields::from_iter([
            (promo.save_as.to_string(), Value::String(code)),
            (format!("{}_expires", promo.save_as), expires),
        ]));
        self.tell_segments();
    }

    /// The code of a run's step: a replay issues the same one (R6), and nobody guesses another's.
    fn code_of(&self, run: &Enrollment, step: &Step, prefix: &str) -> String {
        let mut hasher = Xxh3::with_seed(self.world.salt);
        hasher.update(b"promo\0");
        hasher.update(&run.id.contact.0.to_le_bytes());
        hasher.update(&run.id.number.to_le_bytes());
        hasher.update(step.key.as_str().as_bytes());
        let mut bits = hasher.digest128();
        let mut code = prefix.to_owned();
        if !code.is_empty() {
            code.push('-');
        }
        for _ in 0..CODE_CHARS {
            code.push(char::from(CODE_LETTERS[(bits % 32) as usize]));
            bits /= 32;
        }
        code
    }

    /// Lays traits over the contact's, and lets what follows from it follow.
    pub(super) fn tell_traits(&mut self, traits: &Fields) {
        let policy = &self.world.policy;
        let own = without_account(traits);
        let traits = &*typed(&policy.trait_types, &own, &policy.zone);
        let before = &self.snapshot.contact.traits;
        let changed: Vec<Change> = traits
            .keys()
            .map(|name| Change {
                subject: None,
                name: name.clone(),
                before: before.get(name).cloned(),
                after: None,
            })
            .collect();
        let mut merged = before.clone();
        if !merge_fields(&mut merged, traits, TRAITS_MAX) {
            return;
        }
        if merged.get("email") != before.get("email") && !traits.contains_key(EMAIL_STATUS) {
            // What was wrong with the old address is not wrong with the new one.
            merged.remove(EMAIL_STATUS);
        }
        let before = std::mem::replace(&mut self.snapshot.contact.traits, merged);
        self.put_contact(|_changed_already| {});
        self.address_changed(&before);
        self.wake_held(&before);
        let now = &self.snapshot.contact.traits;
        let names = traits.keys().map(String::as_str).chain([EMAIL_STATUS]);
        let other = names.filter(|name| before.get(*name) != now.get(*name));
        let other: Vec<Box<str>> = other.map(Into::into).collect();
        self.touch(|touched| touched.traits.extend(other));
        self.note(changed);
        self.follow_place(traits);
    }

    /// Counts days anew where the contact may be somewhere else; `told` are the traits that may have changed.
    pub(super) fn follow_place(&mut self, told: &Fields) {
        let zone = self.world.zone_of(&self.snapshot.contact);
        let calendar = self.world.calendar_of(&self.snapshot.contact);
        let moved = zone != self.zone || !Arc::ptr_eq(&calendar, &self.calendar);
        let left = std::mem::replace(&mut self.zone, zone);
        self.calendar = calendar;
        if moved {
            self.rearm_in_zone(&left);
        }
        self.recount_waits(moved, None, told);
    }

    /// Lays fields over an object's, which is made if unknown, and lets what follows from it follow.
    pub(super) fn tell_object(&mut self, subject: &SubjectRef, fields: &Fields, at: Timestamp) {
        let known = self.snapshot.objects.get(subject);
        let is_new = known.is_none();
        let mut object = match known {
            Some(object) => object.clone(),
            None => Object::new(subject.clone(), at),
        };
        let changed: Vec<Change> = fields
            .keys()
            .map(|name| Change {
                subject: Some(subject.clone()),
                name: name.clone(),
                before: object.fields.get(name).cloned(),
                after: None,
            })
            .collect();
        if !object.merge(fields, at) && !is_new {
            return;
        }
        self.emit(Effect::Object(object));
        self.touch(|touched| touched.kinds.extend([subject.kind.clone()]));
        self.note(changed);
        self.recount_waits(false, Some(subject), fields);
    }

    /// Keeps for later what really changed and what somebody waits for.
    pub(super) fn note(&mut self, changes: Vec<Change>) {
        for mut change in changes {
            let kind = change.kind();
            if self
                .world
                .triggered_by_change(kind, &change.name)
                .is_empty()
                && self.world.dated_by(kind, &change.name).is_empty()
            {
                continue;
            }
            let name = change.name.as_str();
            let after = match &change.subject {
                None => self.snapshot.contact.told(name),
                Some(subject) => {
                    let object = self.snapshot.objects.get(subject);
                    object.and_then(|one| one.fields.get(name))
                }
            };
            change.after = after.cloned();
            if change.after != change.before {
                let changed = match self.quiet_changes {
                    true => Pending::ChangedQuietly(change),
                    false => Pending::Changed(change),
                };
                self.pending.push_back((self.link, changed));
            }
        }
    }

    pub(super) fn step_line(&self, run: &Enrollment, step: &Step, what: What) -> LedgerEntry {
        LedgerEntry {
            step: Some(step.key.clone()),
            ..self.run_line(run, what)
        }
    }

    /// A step is passed over, and says why.
    pub(super) fn pass_over(&mut self, run: &Enrollment, step: &Step, reason: Reason) {
        let line = LedgerEntry {
            reason: Some(reason),
            ..self.step_line(run, step, What::Skipped)
        };
        self.ledger(line);
    }
}

/// Traits without what a contact cannot have of its own: the account is no trait of it.
fn without_account(traits: &Fields) -> Cow<'_, Fields> {
    if !traits.contains_key(ACCOUNT) {
        return Cow::Borrowed(traits);
    }
    let mut own = traits.clone();
    own.remove(ACCOUNT);
    Cow::Owned(own)
}
