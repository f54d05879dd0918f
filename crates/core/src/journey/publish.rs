//! From a draft to a journey: all problems at once, then flat steps.

use std::collections::BTreeSet;

use crate::ids::StepKey;
use crate::time::LATE_DEFAULT;
use crate::value::Root;

use super::draft::{JourneyDraft, JourneyProblem, StepDraft, StepDraftKind};
use super::{
    Journey, NESTING_MAX, Next, Reentry, STEPS_MAX, Sender, Step, StepIx, StepKind, Trigger,
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
    let reentry = draft.reentry.unwrap_or(match draft.subject {
        Some(_) => Reentry::OncePerSubject,
        None => Reentry::Once,
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
        holdout_permille: draft.holdout_permille,
        approval: draft.approval,
        topic: draft.topic,
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
        if let Trigger::Inactive { event: None, .. } = &draft.trigger
            && draft.subject.is_some()
        {
            self.problem(
                "trigger.event",
                "inactivity about a subject needs the event that is missed",
                "name it: `trigger: { inactive: 7d, event: Deal Updated }`",
            );
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
        let kind = match &draft.kind {
            StepDraftKind::Send(send) => {
                if send.from == Sender::OwnerMailbox
                    && send.channel != crate::contact::Channel::Email
                {
                    self.problem(
                        &draft.path,
                        "owner_mailbox sends e-mail only",
                        "leave `from` out for other channels",
                    );
                }
                StepKind::Send(send.clone())
            }
            StepDraftKind::Wait { delay, window } => StepKind::Wait {
                delay: *delay,
                window: window.clone(),
            },
            StepDraftKind::WaitFor {
                event,
                filter,
                since_enrolled,
                timeout,
                then,
                otherwise,
            } => {
                if timeout.is_none() && !otherwise.is_empty() {
                    self.problem(
                        &draft.path,
                        "`else` is never reached without a timeout",
                        "add `timeout: 2d`, or leave `else` out",
                    );
                }
                StepKind::WaitFor {
                    event: event.clone(),
                    filter: filter.clone(),
                    since_enrolled: *since_enrolled,
                    timeout: *timeout,
                    then: self.lay(then, next, &format!("{key}.then."), depth + 1),
                    otherwise: self.lay(otherwise, next, &format!("{key}.else."), depth + 1),
                }
            }
            StepDraftKind::Branch { arms, otherwise } => {
                if arms.is_empty() {
                    self.problem(&draft.path, "a branch needs an `if`", "add `- if: ...`");
                }
                let laid = arms
                    .iter()
                    .enumerate()
                    .map(|(at, (condition, steps))| {
                        let prefix = format!("{key}.if{}.", at + 1);
                        (condition.clone(), self.lay(steps, next, &prefix, depth + 1))
                    })
                    .collect();
                StepKind::Branch {
                    arms: laid,
                    otherwise: self.lay(otherwise, next, &format!("{key}.else."), depth + 1),
                }
            }
            StepDraftKind::Task(task) => StepKind::Task(task.clone()),
            StepDraftKind::Set(changes) => {
                for (path, _) in changes {
                    match path.root {
                        Root::Event => self.problem(
                            &draft.path,
                            format!("{path} cannot be set: an event has happened"),
                            "set contact.NAME or subject.NAME",
                        ),
                        Root::Subject if !self.has_subject => self.problem(
                            &draft.path,
                            format!("{path} cannot be set: the journey has no subject"),
                            "add `subject:` to the journey, or set contact.NAME",
                        ),
                        Root::Subject | Root::Contact if path.names.len() > 1 => self.problem(
                            &draft.path,
                            format!("{path} lies inside another value"),
                            "set the whole value",
                        ),
                        Root::Subject | Root::Contact => {}
                    }
                }
                StepKind::Set(changes.clone())
            }
            StepDraftKind::Stop => StepKind::Stop,
        };
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
        let late = draft.late.unwrap_or(LATE_DEFAULT);
        let next = match kind {
            StepKind::Stop => None,
            StepKind::Send(_)
            | StepKind::Wait { .. }
            | StepKind::WaitFor { .. }
            | StepKind::Branch { .. }
            | StepKind::Task(_)
            | StepKind::Set(_) => next,
        };
        self.steps.push(Step {
            key,
            kind,
            next,
            late,
        });
        Some(StepIx((self.steps.len() - 1) as u16))
    }
}
