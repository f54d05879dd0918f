//! A person is asked, answers, or does not.

use crate::enrollment::ExitReason;
use crate::ids::{StepKey, TouchpointId, UserId};
use crate::journey::{Lapse, TaskStep};
use crate::ledger::{Reason, What};
use crate::touchpoint::{Touchpoint, TouchpointState};

use super::{Answer, OwnTitle, Turn};

/// Who agrees when the journey says that nobody's answer is an agreement.
pub const NOBODY: &str = "nobody";

impl Turn<'_> {
    /// A person answered. What held when the question was put is tested again at the claim.
    pub(super) fn approve(&mut self, id: TouchpointId, by: &UserId, answer: &Answer) {
        let Some(touchpoint) = self.snapshot.touchpoint(id).cloned() else {
            return;
        };
        let TouchpointState::AwaitingApproval { .. } = touchpoint.state else {
            return;
        };
        match answer {
            Answer::Approve { text } => {
                let touchpoint = Touchpoint {
                    text: text.clone().or(touchpoint.text.clone()),
                    ..touchpoint
                };
                self.approved(touchpoint, by);
            }
            Answer::Skip => self.drop_touchpoint(touchpoint, What::Skipped, Reason::Approval),
            Answer::CallInstead => self.call_instead(touchpoint, Some(by)),
        }
    }

    fn approved(&mut self, mut touchpoint: Touchpoint, by: &UserId) {
        let mut line = self.touchpoint_line(&touchpoint, What::Approved, None);
        line.detail = Some(by.to_string());
        self.ledger(line);
        touchpoint.approved_by = Some(by.clone());
        if let Some(silence) = &mut touchpoint.silence {
            silence.after = self.now;
        }
        touchpoint.state = TouchpointState::Queued { ready_at: self.now };
        self.put_touchpoint(touchpoint);
    }

    fn call_instead(&mut self, touchpoint: Touchpoint, by: Option<&UserId>) {
        if let Some(run) = self.snapshot.enrollment(touchpoint.enrollment).cloned() {
            let task = TaskStep {
                title: OwnTitle::Call.english().into(),
                due: None,
                assignee: by.map(|by| by.as_str().into()),
            };
            let key = StepKey::from(format!("{}.call", touchpoint.step));
            self.give_task(&run, &key, &task);
        }
        self.drop_touchpoint(touchpoint, What::Skipped, Reason::Approval);
    }

    /// Nobody answered in time: what happens then, the journey has chosen.
    pub(super) fn approval_lapsed(&mut self, touchpoint: Touchpoint) {
        match touchpoint.approval.lapse {
            Lapse::Skip => self.drop_touchpoint(touchpoint, What::Skipped, Reason::Approval),
            Lapse::Send => self.approved(touchpoint, &UserId::from(NOBODY)),
            Lapse::Call => self.call_instead(touchpoint, None),
            Lapse::Stop => {
                let runs: Vec<_> = self.snapshot.enrollments.clone();
                for run in runs {
                    if touchpoint.is_of(run.id) && run.is_running() {
                        self.exit(run, ExitReason::Stopped, Reason::Approval);
                    }
                }
            }
        }
    }
}
