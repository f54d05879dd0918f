//! Runs and messages as the ledger tells of them and the snapshot shows them.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::contact::Channel;
use crate::decide::ALL_JOURNEYS;
use crate::enrollment::{Enrollment, EnrollmentState, ExitReason};
use crate::ids::{
    ContactId, EnrollmentId, JourneyId, StepKey, SubjectRef, TemplateId, TouchpointId,
};
use crate::journey::{Journey, StepKind};
use crate::ledger::{LedgerEntry, Reason, What};
use crate::snapshot::Snapshot;
use crate::touchpoint::{Outcome, Touchpoint, TouchpointState};
use crate::world::World;

use super::{Fate, HeldOut, MessageState, Messages, OpenMessage, Place, Run, Standing};

/// What the ledger tells of one journey, each list the newest line first.
#[derive(Default)]
pub(super) struct Told<'a> {
    pub(super) runs: BTreeMap<EnrollmentId, Vec<&'a LedgerEntry>>,
    /// Runs that went over from one contact to another, by every name that they had, under the last.
    names: BTreeMap<EnrollmentId, EnrollmentId>,
    /// Refusals, and what concerns the contact as a whole.
    pub(super) others: Vec<&'a LedgerEntry>,
    /// Words to people of ours.
    notices: BTreeSet<TouchpointId>,
}

impl<'a> Told<'a> {
    /// What lines of a contact, and of those that it absorbed, tell.
    pub(super) fn read(journey: &JourneyId, of: ContactId, lines: &'a [LedgerEntry]) -> Self {
        let mut told = Self {
            names: last_names(of, lines),
            ..Self::default()
        };
        // A digest's message belongs to the run that sends it, and is told of with all that joined it.
        let mut joined: BTreeMap<TouchpointId, Vec<EnrollmentId>> = BTreeMap::new();
        for line in lines.iter().filter(|line| line.what == What::Merged) {
            if let (Some(id), Some(run)) = (line.touchpoint, line.enrollment) {
                joined.entry(id).or_default().push(told.now(run));
            }
        }
        for line in lines {
            match (&line.journey, line.enrollment) {
                (Some(own), Some(run)) if own == journey => {
                    let run = told.now(run);
                    told.runs.entry(run).or_default().push(line);
                    let shared = line.touchpoint.and_then(|id| joined.get(&id));
                    let shared = shared.filter(|_| line.what != What::Merged);
                    for other in shared.into_iter().flatten() {
                        if *other != run {
                            told.runs.entry(*other).or_default().push(line);
                        }
                    }
                    if line.what == What::Notified {
                        told.notices.extend(line.touchpoint);
                    }
                }
                (Some(own), None) if own == journey => told.others.push(line),
                (None, _)
                    if matches!(
                        line.what,
                        What::Suppressed | What::Unsubscribed | What::Merged
                    ) =>
                {
                    told.others.push(line);
                }
                (Some(_) | None, _) => {}
            }
        }
        told
    }

    /// The name that a run has now.
    pub(super) fn now(&self, run: EnrollmentId) -> EnrollmentId {
        self.names.get(&run).copied().unwrap_or(run)
    }

    fn refusal(&self) -> Option<&'a LedgerEntry> {
        let mut others = self.others.iter();
        others.find(|line| line.what == What::NotEnrolled).copied()
    }
}

/// Runs that went over, each under the name that it has with the contact, or had last. Lines of both sides
/// tell of it.
fn last_names(of: ContactId, lines: &[LedgerEntry]) -> BTreeMap<EnrollmentId, EnrollmentId> {
    let mut groups: BTreeMap<EnrollmentId, BTreeSet<EnrollmentId>> = BTreeMap::new();
    for line in lines {
        if line.what != What::Merged || line.reason != Some(Reason::Merged) {
            continue;
        }
        let other = line.detail.as_deref().and_then(|name| name.parse().ok());
        let (Some(one), Some(other)) = (line.enrollment, other) else {
            continue;
        };
        let mut group = BTreeSet::from([one, other]);
        for name in [one, other] {
            group.extend(groups.get(&name).into_iter().flatten());
        }
        for name in group.clone() {
            groups.insert(name, group.clone());
        }
    }
    let mut names = BTreeMap::new();
    for (name, group) in &groups {
        let newest = || {
            let mut told = lines.iter().filter_map(|line| line.enrollment);
            told.find(|run| group.contains(run))
        };
        let own = group.iter().find(|run| run.contact == of).copied();
        names.extend(own.or_else(newest).map(|last| (*name, last)));
    }
    names
}

pub(super) fn standing_of(runs: Vec<Run>, told: &Told<'_>) -> Standing {
    let refusal = told.refusal();
    let Some(newest) = runs.first() else {
        return match refusal {
            Some(line) => Standing::Refused {
                at: line.at,
                reason: line.reason,
                until: line.until,
            },
            None => Standing::NeverCame,
        };
    };
    let refused = refusal
        .filter(|line| newest.began_at.is_some_and(|began| line.at > began))
        .and_then(|line| Some((line.at, line.reason?)));
    Standing::Began { runs, refused }
}

pub(super) fn run_of(
    world: &World,
    snapshot: &Snapshot,
    journey: &JourneyId,
    id: EnrollmentId,
    told: &Told<'_>,
) -> Run {
    let live = snapshot.enrollment(id);
    let lines = told.runs.get(&id).map_or(&[][..], Vec::as_slice);
    let line_of = |what| lines.iter().find(|line| line.what == what);
    let entered = line_of(What::Enrolled);
    let began_at = live.map(|run| run.entered_at).or_else(|| Some(entered?.at));
    let held_out = match entered {
        Some(line) if line.reason == Some(Reason::Holdout) => {
            Some(match line.detail.as_deref() == Some(ALL_JOURNEYS) {
                true => HeldOut::Workspace,
                false => HeldOut::Journey,
            })
        }
        Some(_) | None => None,
    };
    let held_out = match live {
        // Of both groups at once, the journey's own says more.
        Some(run) if run.held_out => Some(HeldOut::Journey),
        Some(_) | None => held_out,
    };
    let place = match live {
        Some(run) if run.held_out => Place::HeldOut,
        Some(run) => place_of(world, snapshot, run),
        None => ended(lines, held_out),
    };
    Run {
        id,
        subject: match live {
            Some(run) => run.subject.clone(),
            None => began_at.and_then(|at| subject_of_entry(snapshot, journey, at)),
        },
        version: live.map(|run| run.version),
        began_at,
        held_out,
        converted_at: live
            .and_then(|run| run.converted_at)
            .or_else(|| Some(line_of(What::Converted)?.at)),
        place,
        messages: count(lines, &told.notices),
    }
}

/// The subject of a run that has ended: lines do not tell it, entries do while none came after.
fn subject_of_entry(snapshot: &Snapshot, journey: &JourneyId, at: Timestamp) -> Option<SubjectRef> {
    let mut entries = snapshot
        .entries
        .iter()
        .filter(|entry| entry.journey == *journey && entry.at == at);
    let first = entries.next()?;
    // Two runs that began at once cannot be told apart.
    match entries.next() {
        Some(_) => None,
        None => first.subject.clone(),
    }
}

fn ended(lines: &[&LedgerEntry], held_out: Option<HeldOut>) -> Place {
    let end = lines
        .iter()
        .find(|line| matches!(line.what, What::Finished | What::Exited));
    match end {
        Some(line) if line.what == What::Finished => Place::Finished { at: line.at },
        Some(line) => Place::Exited {
            at: line.at,
            reason: line.reason,
            detail: line.detail.clone(),
        },
        None if held_out == Some(HeldOut::Journey) => Place::HeldOut,
        None => Place::Over,
    }
}

fn place_of(world: &World, snapshot: &Snapshot, run: &Enrollment) -> Place {
    match &run.state {
        EnrollmentState::Waiting { step, until, .. } => Place::Waiting {
            step: step.clone(),
            until: *until,
        },
        EnrollmentState::Listening { step, until } => {
            let kind = world
                .journey(&run.journey, run.version)
                .and_then(|journey| Some(&journey.step(journey.find(step)?).kind));
            let (step, until) = (step.clone(), *until);
            match kind {
                Some(StepKind::Send { .. }) => Place::Unopened { step, until },
                Some(kind) => Place::Listening {
                    events: kind
                        .awaited_events()
                        .map(|(event, ..)| event.clone())
                        .collect(),
                    step,
                    until,
                },
                None => Place::Listening {
                    events: Vec::new(),
                    step,
                    until,
                },
            }
        }
        EnrollmentState::Standing { step, due } => Place::Paused {
            step: step.clone(),
            since: *due,
        },
        EnrollmentState::Sending { step, touchpoint } => Place::Message {
            step: step.clone(),
            message: open_message(world, snapshot, run, step, *touchpoint),
        },
        EnrollmentState::Finished { at } => Place::Finished { at: *at },
        EnrollmentState::Exited { at, reason } => Place::Exited {
            at: *at,
            reason: Some(code_of(reason)),
            detail: match reason {
                ExitReason::Event(name) | ExitReason::Goal(name) => Some(name.to_string()),
                ExitReason::Unsubscribed
                | ExitReason::Erased
                | ExitReason::Merged
                | ExitReason::Stopped
                | ExitReason::Archived
                | ExitReason::StepGone
                | ExitReason::Loop => None,
            },
        },
    }
}

fn code_of(reason: &ExitReason) -> Reason {
    match reason {
        ExitReason::Event(_) => Reason::ExitEvent,
        ExitReason::Goal(_) => Reason::Goal,
        ExitReason::Unsubscribed => Reason::Unsubscribed,
        ExitReason::Erased => Reason::Erased,
        ExitReason::Merged => Reason::Merged,
        ExitReason::Stopped => Reason::Stopped,
        ExitReason::Archived => Reason::Archived,
        ExitReason::StepGone => Reason::StepGone,
        ExitReason::Loop => Reason::Loop,
    }
}

fn open_message(
    world: &World,
    snapshot: &Snapshot,
    run: &Enrollment,
    step: &StepKey,
    id: TouchpointId,
) -> OpenMessage {
    if let Some(touchpoint) = snapshot.touchpoint(id) {
        return OpenMessage {
            id,
            channel: touchpoint.channel,
            template: touchpoint.template.clone(),
            state: state_of(touchpoint).unwrap_or(MessageState::Unknown),
        };
    }
    let send = world
        .journey(&run.journey, run.version)
        .and_then(|journey| send_at(journey, step));
    let (channel, template) = send.unwrap_or((Channel::Email, TemplateId::from("")));
    OpenMessage {
        id,
        channel,
        template,
        state: MessageState::Unknown,
    }
}

fn send_at(journey: &Journey, step: &StepKey) -> Option<(Channel, TemplateId)> {
    match &journey.step(journey.find(step)?).kind {
        StepKind::Send { send, .. } => Some((send.channel, send.template.clone())),
        StepKind::Wait(_)
        | StepKind::WaitFor { .. }
        | StepKind::Branch { .. }
        | StepKind::Split { .. }
        | StepKind::Task(_)
        | StepKind::Notify(_)
        | StepKind::Set(_)
        | StepKind::Move { .. }
        | StepKind::Promo(_)
        | StepKind::Enroll(_)
        | StepKind::Stop => None,
    }
}

/// Where a message stands, or what became of it.
pub(super) fn state_of(touchpoint: &Touchpoint) -> Result<MessageState, Fate> {
    Ok(match &touchpoint.state {
        TouchpointState::Queued { ready_at } => MessageState::Queued {
            ready_at: *ready_at,
        },
        TouchpointState::Held { until, reason } => MessageState::Held {
            until: *until,
            reason: *reason,
        },
        TouchpointState::AwaitingApproval { expires_at, .. } => MessageState::AwaitingApproval {
            by: touchpoint.approval.by.clone(),
            until: *expires_at,
        },
        TouchpointState::Sending { .. } => MessageState::Sending,
        TouchpointState::Settled { at, outcome } => return Err(fate_of_outcome(*at, outcome)),
    })
}

fn fate_of_outcome(at: Timestamp, outcome: &Outcome) -> Fate {
    let (what, reason, detail) = match outcome {
        Outcome::Accepted => return Fate::Sent { at },
        Outcome::RefusedHard { text, .. } => (What::Failed, Reason::HardBounce, Some(text)),
        Outcome::RefusedSoft(text) => (What::Failed, Reason::SoftBounce, Some(text)),
        Outcome::Postponed { .. } => (What::Failed, Reason::ChannelBusy, None),
        Outcome::TemplateFailed(text) => (What::Failed, Reason::TemplateFailed, Some(text)),
        Outcome::ChannelNotConfigured => (What::Failed, Reason::ChannelNotConfigured, None),
        Outcome::Missed => (What::Failed, Reason::Missed, None),
        Outcome::Unknown => (What::Failed, Reason::Unknown, None),
        Outcome::Withdrawn(reason) => (What::Withdrawn, *reason, None),
        Outcome::Dropped(reason) => (What::Dropped, *reason, None),
    };
    Fate::NotSent {
        at,
        what,
        reason: Some(reason),
        detail: detail.filter(|text| !text.is_empty()).cloned(),
    }
}

/// What a line says of the end of its message; `None` when it tells of no end.
pub(super) fn fate_of(line: &LedgerEntry) -> Option<Fate> {
    match line.what {
        What::Sent => Some(Fate::Sent { at: line.at }),
        What::Dropped | What::Withdrawn | What::Failed | What::Skipped => Some(Fate::NotSent {
            at: line.at,
            what: line.what,
            reason: line.reason,
            detail: line.detail.clone(),
        }),
        What::Enrolled
        | What::NotEnrolled
        | What::Waiting
        | What::Approved
        | What::Held
        | What::Retried
        | What::Task
        | What::TaskDone
        | What::TaskReopened
        | What::TaskPostponed
        | What::Set
        | What::Came
        | What::TimedOut
        | What::Branched
        | What::Assigned
        | What::Paused
        | What::Resumed
        | What::Migrated
        | What::Moved
        | What::Notified
        | What::Merged
        | What::Promo
        | What::Exited
        | What::Finished
        | What::Converted
        | What::Suppressed
        | What::Released
        | What::Consented
        | What::ConsentAsked
        | What::Preferred
        | What::Unsubscribed => None,
    }
}

/// What became of the messages that lines tell of: the newest line of each decides.
fn count(lines: &[&LedgerEntry], notices: &BTreeSet<TouchpointId>) -> Messages {
    let mut seen = BTreeSet::new();
    let mut messages = Messages::default();
    for line in lines {
        let Some(id) = line.touchpoint else { continue };
        if line.what == What::Task || notices.contains(&id) || !seen.insert(id) {
            continue;
        }
        let of = match fate_of(line) {
            Some(Fate::Sent { .. }) => &mut messages.sent,
            Some(Fate::NotSent { .. }) => &mut messages.not_sent,
            Some(Fate::Open(_) | Fate::Unknown) | None => &mut messages.held,
        };
        *of = of.saturating_add(1);
    }
    messages
}
