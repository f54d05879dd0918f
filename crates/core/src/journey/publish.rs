//! From a draft to a journey: all problems at once, then flat steps.

use std::collections::BTreeSet;

use crate::account::ACCOUNT;
use crate::contact::Channel;
use crate::ids::StepKey;
use crate::time::LATE_DEFAULT;
use crate::value::{FieldPath, Root};

use super::draft::{JourneyDraft, JourneyProblem, StepDraft};
use super::{
    ARMS_MAX, AWAITED_MAX, Journey, NESTING_MAX, Next, On, Reentry, STEPS_MAX, Sender, Step,
    StepIx, StepKind, Until,
};

/// Checks a draft and gives it a version. Returns every problem there is.
pub fn publish(draft: JourneyDraft, version: u32) -> Result<Journey, Vec<JourneyProblem>> {
    let mut publisher = Publisher {
        steps: Vec::new(),
        keys: BTreeSet::new(),
        problems: Vec::new(),
        has_subject: draft.subject.is_some(),
    };
    publisher.check_head(&draft);
    let first = publisher.lay(&draft.steps, None, "", 0);
    if !publisher.problems.is_empty() {
        return Err(publisher.problems);
    }
    let reentry = draft
        .reentry
        .unwrap_or(match (&draft.trigger.on, &draft.subject) {
            // What recurs by nature begins a run each time.
            (On::Schedule { .. } | On::Date { .. } | On::Manual | On::Api, _) => Reentry::Always,
            (_, Some(_)) => Reentry::OncePerSubject,
            (_, None) => Reentry::Once,
        });
    Ok(Journey {
        id: draft.id,
        version,
        name: draft.name,
        subject: draft.subject,
        trigger: draft.trigger,
        reentry,
        goal: draft.goal,
        exits: draft.exits,
        holdout: draft.holdout,
        approval: draft.approval,
        topic: draft.topic,
        priority: draft.priority,
        waits_for_absent: draft.waits_for_absent,
        steps: publisher.steps,
        first,
    })
}

struct Publisher {
    steps: Vec<Step>,
    keys: BTreeSet<StepKey>,
    problems: Vec<JourneyProblem>,
    has_subject: bool,
}

impl Publisher {
    fn problem(&mut self, path: &str, what: impl Into<String>, remedy: impl Into<String>) {
        self.problems.push(JourneyProblem {
            path: path.to_owned(),
            what: what.into(),
            remedy: remedy.into(),
        });
    }

    fn check_head(&mut self, draft: &JourneyDraft) {
        if draft.steps.is_empty() {
            self.problem("steps", "the journey has no steps", "add at least one step");
        }
        if draft.subject.is_none() && draft.reentry == Some(Reentry::OncePerSubject) {
            self.problem(
                "reentry",
                "once_per_subject needs a subject",
                "set `subject:` to document, deal, order or cart, or write `reentry: once`",
            );
        }
        match &draft.trigger.on {
            On::Inactive { event: None, .. } if draft.subject.is_some() => self.problem(
                "trigger.event",
                "inactivity about a subject needs the event that is missed",
                "name it: `trigger: { inactive: 7d, event: Deal Updated }`",
            ),
            On::Changed { path, .. } => {
                self.check_field("trigger.changed", path);
                self.check_about("trigger.changed", path);
            }
            On::Date { path, .. } => {
                self.check_field("trigger.date", path);
                self.check_about("trigger.date", path);
            }
            On::SegmentEntered(_) | On::SegmentLeft(_) | On::Schedule { .. }
                if draft.subject.is_some() =>
            {
                self.problem(
                    "subject",
                    "this trigger is about the contact, not about an object",
                    "leave `subject` out",
                );
            }
            On::Event(_)
            | On::SegmentEntered(_)
            | On::SegmentLeft(_)
            | On::Inactive { .. }
            | On::Schedule { .. }
            | On::Manual
            | On::Api => {}
        }
    }

    /// A field of the contact begins a run about the contact.
    fn check_about(&mut self, at: &str, path: &FieldPath) {
        if path.root == Root::Contact && self.has_subject {
            self.problem(
                at,
                format!("{path} is about the contact, the journey about an object"),
                "leave `subject` out, or name a field of it: subject.NAME",
            );
        }
    }

    /// A field of the contact or subject that can be watched and changed: one name below the root.
    fn check_field(&mut self, at: &str, path: &FieldPath) {
        match path.root {
            Root::Event => self.problem(
                at,
                format!("{path} is a property of an event"),
                "write contact.NAME or subject.NAME",
            ),
            Root::Subject if !self.has_subject => self.problem(
                at,
                format!("{path} is not there: the journey has no subject"),
                "add `subject:` to the journey, or write contact.NAME",
            ),
            Root::Contact | Root::Subject => {}
        }
    }

    /// Lays `steps` flat, each followed by the next and the last by `after`; returns the first.
    fn lay(&mut self, steps: &[StepDraft], after: Next, prefix: &str, depth: usize) -> Next {
        if depth > NESTING_MAX {
            let path = steps.first().map_or("steps", |step| &step.path).to_owned();
            self.problem(
                &path,
                format!("branches lie more than {NESTING_MAX} deep"),
                "split the journey in two",
            );
            return None;
        }
        // From the last to the first, so that what follows a step already has its place.
        let mut next = after;
        for (at, draft) in steps.iter().enumerate().rev() {
            let key = match &draft.id {
                Some(id) => id.clone(),
                None => StepKey::from(format!("{prefix}{}", at + 1)),
            };
            next = self.lay_step(draft, key, next, depth);
        }
        next
    }

    fn lay_step(&mut self, draft: &StepDraft, key: StepKey, next: Next, depth: usize) -> Next {
        if !self.keys.insert(key.clone()) {
            self.problem(
                &draft.path,
                format!("another step has the id {key}"),
                "give each step an id of its own",
            );
        }
        self.check_step(draft);
        let kind = draft
            .kind
            .map_ways(|way, steps| self.lay(steps, next, &format!("{key}.{way}."), depth + 1));
        if self.steps.len() >= STEPS_MAX {
            if self.steps.len() == STEPS_MAX {
                self.problem(
                    &draft.path,
                    format!("the journey has more than {STEPS_MAX} steps"),
                    "split it in two",
                );
            }
            return None;
        }
        let next = if kind == StepKind::Stop { None } else { next };
        self.steps.push(Step {
            key,
            named: draft.id.is_some(),
            kind,
            next,
            late: draft.late.unwrap_or(LATE_DEFAULT),
        });
        Some(StepIx((self.steps.len() - 1) as u16))
    }

    fn check_step(&mut self, draft: &StepDraft) {
        let path = &draft.path;
        match &draft.kind {
            StepKind::Send { send, .. } => {
                if send.from == Sender::OwnerMailbox && send.channel != Channel::Email {
                    self.problem(
                        path,
                        "owner_mailbox sends e-mail only",
                        "leave `from` out for other channels",
                    );
                }
                if send.opened_within.is_some() && send.channel != Channel::Email {
                    self.problem(
                        path,
                        "only e-mail tells that it was opened",
                        "leave `opened_within` out for other channels",
                    );
                }
                if send.digest.is_some() && send.opened_within.is_some() {
                    self.problem(
                        path,
                        "a digest cannot wait for each reminder to be opened",
                        "leave `opened_within` or `digest` out",
                    );
                }
                if send.digest.is_some() && !self.has_subject {
                    self.problem(
                        path,
                        "a digest gathers subjects, and the journey has none",
                        "add `subject:` to the journey, or leave `digest` out",
                    );
                }
            }
            StepKind::Wait(wait) => {
                if let Until::Date { path: field, .. } = &wait.until {
                    self.check_field(path, field);
                }
            }
            StepKind::WaitFor {
                awaited,
                timeout,
                otherwise,
            } => {
                if timeout.is_none() && !otherwise.is_empty() {
                    self.problem(
                        path,
                        "`else` is never reached without a timeout",
                        "add `timeout: 2d`, or leave `else` out",
                    );
                }
                if awaited.is_empty() || awaited.len() > AWAITED_MAX {
                    self.problem(
                        path,
                        format!("{} things are awaited", awaited.len()),
                        format!("name 1 to {AWAITED_MAX}"),
                    );
                }
            }
            StepKind::Branch { arms, .. } => {
                if arms.is_empty() {
                    self.problem(path, "a branch needs an `if`", "add `- if: ...`");
                }
            }
            StepKind::Split { arms, .. } => {
                let names: BTreeSet<_> = arms.iter().map(|arm| &arm.variant).collect();
                let weights: u64 = arms.iter().map(|arm| u64::from(arm.weight)).sum();
                if !(2..=ARMS_MAX).contains(&arms.len()) || names.len() != arms.len() {
                    self.problem(
                        path,
                        "a split needs ways with names of their own",
                        format!("list 2 to {ARMS_MAX}, each with another `variant:`"),
                    );
                }
                if weights == 0 {
                    self.problem(path, "all weights are zero", "give one way a weight");
                }
            }
            StepKind::Set(changes) => {
                for (field, _) in changes {
                    self.check_set(path, field);
                }
            }
            StepKind::Move { .. } if !self.has_subject => self.problem(
                path,
                "nothing can be moved: the journey has no subject",
                "add `subject: deal` to the journey",
            ),
            StepKind::Task(_)
            | StepKind::Notify(_)
            | StepKind::Move { .. }
            | StepKind::Promo(_)
            | StepKind::Enroll(_)
            | StepKind::Stop => {}
        }
    }

    fn check_set(&mut self, at: &str, path: &FieldPath) {
        match path.root {
            Root::Contact if path.names.first().is_some_and(|name| &**name == ACCOUNT) => self
                .problem(
                    at,
                    format!("{path} cannot be set: it belongs to the account, which others share"),
                    "tell it by a `group` call, or set a trait of the contact",
                ),
            Root::Event => self.problem(
                at,
                format!("{path} cannot be set: an event has happened"),
                "set contact.NAME or subject.NAME",
            ),
            Root::Subject if !self.has_subject => self.problem(
                at,
                format!("{path} cannot be set: the journey has no subject"),
                "add `subject:` to the journey, or set contact.NAME",
            ),
            Root::Subject | Root::Contact if path.names.len() > 1 => self.problem(
                at,
                format!("{path} lies inside another value"),
                "set the whole value",
            ),
            Root::Subject | Root::Contact => {}
        }
    }
}
