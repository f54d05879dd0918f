//! What each happening does to the world.

use jiff::SignedDuration;
use relance_core::decide::{Answer, Input, TaskAct, TaskOrder};
use relance_core::ids::{MailboxId, TouchpointId, UserId};
use relance_core::journey::Sender;
use relance_core::ledger::Reason;
use relance_core::mail::{Address, Folder, MailClass, MailSeen};
use relance_core::touchpoint::{Outcome, Task, Touchpoint};
use relance_engine::arrival::Arrival;
use relance_engine::ports::ThreadEntry;

use crate::wire::Fate;

use super::{Happening, Sim, Try};

/// A pass that keeps a mailbox in good order comes at least so often.
const POLL_HOURS: i64 = 24;

impl Sim {
    pub(super) fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Told(arrival) => {
                if !self.is_outdated(&arrival) {
                    self.intake.push((arrival, true));
                }
            }
            Happening::Mail(at, mail) => self.mail_arrives(at, *mail),
            Happening::Pass(at, epoch) => self.pass(at, epoch),
            Happening::Found(at, epoch, arrival, cursor) => self.found(at, epoch, *arrival, cursor),
            Happening::PassFailed(at, epoch) => {
                if epoch == self.epoch {
                    self.mailboxes[at].reading = false;
                    self.after_ms(1_000, 600_000, Happening::Pass(at, epoch));
                }
            }
            Happening::Outage(at, length) => {
                self.say(format!(
                    "{} cannot be read for {length}",
                    self.mailboxes[at].id
                ));
                self.mailboxes[at].down_until = self.now + length;
            }
            Happening::Idle(at, alive) => self.mailboxes[at].idle_alive = alive,
            Happening::Composed(epoch, one) => self.composed(epoch, *one),
            Happening::HandedOver(epoch, one) => self.handed_over(epoch, &one),
            Happening::Reported(epoch, arrivals) => {
                if epoch == self.epoch && self.engine.is_some() {
                    for arrival in &arrivals {
                        if let Arrival::Input {
                            input: Input::Settle { touchpoint, .. },
                            ..
                        } = arrival
                        {
                            self.desk.borrow_mut().under_way.remove(touchpoint);
                        }
                    }
                    self.intake
                        .extend(arrivals.into_iter().map(|one| (one, false)));
                }
            }
            Happening::Work(order) => {
                let arrival = Arrival::Input {
                    contact: order.task.contact,
                    input: Input::Task(order),
                };
                self.intake.push((arrival, true));
            }
            Happening::Answer(id, answer) => self.answer(id, answer),
            Happening::Act(person, act, key) => self.act(person, act, key),
            Happening::Crash(down) => {
                self.say(format!("the program ends, for {down}"));
                self.crash();
                self.at(self.now + down, Happening::Start);
            }
            Happening::Start => {
                if self.engine.is_none() {
                    self.start();
                }
            }
            Happening::SetClock(by) => {
                self.say(format!("the clock is set by {by}"));
                self.history.clock_jumped = true;
                self.skew += by;
            }
            Happening::Copy => self.copy(),
            Happening::Wake => self.wake(),
            Happening::Sunset => self.sunset(),
            Happening::Calm => {
                self.say("nothing fails any more");
                self.calm = true;
                for mailbox in &mut self.mailboxes {
                    mailbox.down_until = jiff::Timestamp::MIN;
                    mailbox.idle_alive = true;
                }
                if self.engine.is_none() {
                    self.start();
                }
            }
        }
    }

    fn mail_arrives(&mut self, at: usize, mail: MailSeen) {
        self.say(format!(
            "mail {:?} {} reaches {}",
            mail.folder, mail.message_id, mail.mailbox
        ));
        self.mailboxes[at].mails.push(mail);
        if self.mailboxes[at].idle_alive {
            self.after_ms(500, 20_000, Happening::Pass(at, self.epoch));
        }
    }

    fn pass(&mut self, at: usize, epoch: u32) {
        if epoch != self.epoch || self.engine.is_none() {
            return;
        }
        if self.mailboxes[at].reading {
            self.mailboxes[at].again = true;
            return;
        }
        if self.now < self.mailboxes[at].down_until {
            // Asked again when it can be read, sooner or later.
            let pause = SignedDuration::from_secs(self.rng.between(1, 1_800));
            let again = self.mailboxes[at].down_until + pause;
            if !self.queue.iter().any(|((time, _), one)| {
                *time > self.now && matches!(one, Happening::Pass(own, own_epoch) if *own == at && *own_epoch == epoch)
            }) {
                self.at(again, Happening::Pass(at, epoch));
            }
            return;
        }
        let started_at = self.engine_now();
        let (mails, cursor) = self.mailboxes[at].unread();
        self.mailboxes[at].reading = true;
        let breaks_off = !self.calm && self.rng.chance(self.plan.faults.pass);
        let told = if breaks_off {
            self.rng.between(0, mails.len() as i64) as usize
        } else {
            mails.len()
        };
        let slow = if !self.calm && self.rng.chance(50) {
            120_000
        } else {
            500
        };
        let mut moment = self.now;
        for mail in mails.into_iter().take(told) {
            moment += SignedDuration::from_millis(self.rng.between(1, slow));
            let arrival = Box::new(Arrival::Mail(Box::new(mail)));
            self.at(moment, Happening::Found(at, epoch, arrival, None));
        }
        moment += SignedDuration::from_millis(self.rng.between(1, slow));
        if breaks_off {
            self.at(moment, Happening::PassFailed(at, epoch));
            return;
        }
        let synced = Box::new(Arrival::Synced {
            mailbox: self.mailboxes[at].id.clone(),
            at: started_at,
            cursors: cursor.to_string(),
        });
        self.at(moment, Happening::Found(at, epoch, synced, Some(cursor)));
    }

    fn found(&mut self, at: usize, epoch: u32, arrival: Arrival, cursor: Option<usize>) {
        if epoch != self.epoch || self.engine.is_none() {
            return;
        }
        self.intake.push((arrival, false));
        let Some(cursor) = cursor else { return };
        let mailbox = &mut self.mailboxes[at];
        mailbox.cursor = cursor;
        mailbox.reading = false;
        if std::mem::take(&mut mailbox.again) {
            self.after_ms(1, 1_000, Happening::Pass(at, epoch));
        }
        let is_polled = self.queue.values().any(
            |one| matches!(one, Happening::Pass(own, own_epoch) if *own == at && *own_epoch == epoch),
        );
        if !is_polled && !self.calm {
            let hours = SignedDuration::from_hours(self.rng.between(POLL_HOURS / 4, POLL_HOURS));
            self.at(self.now + hours, Happening::Pass(at, epoch));
        }
    }

    /// The mail is made and noted, right before it is handed over.
    fn composed(&mut self, epoch: u32, one: Try) {
        if epoch != self.epoch || self.engine.is_none() {
            return;
        }
        let touchpoint = one.dispatch.touchpoint.clone();
        let revoked = self
            .desk
            .borrow()
            .under_way
            .get(&touchpoint.id)
            .copied()
            .unwrap_or(false);
        let early = if revoked {
            Some(Outcome::Withdrawn(Reason::Exited))
        } else if touchpoint.template.as_str() == "broken" {
            Some(Outcome::TemplateFailed("undefined value".to_owned()))
        } else {
            None
        };
        if let Some(outcome) = early {
            self.report(&touchpoint, outcome, 0);
            return;
        }
        self.noted.insert((touchpoint.id, touchpoint.attempts));
        let composed = (touchpoint.id, touchpoint.attempts);
        self.composed.insert(composed, self.now);
        self.on_the_wire.insert(touchpoint.id, one.clone());
        let slow = if !self.calm && self.rng.chance(100) {
            120_000
        } else {
            2_000
        };
        self.after_ms(1, slow, Happening::HandedOver(epoch, Box::new(one)));
    }

    fn handed_over(&mut self, epoch: u32, one: &Try) {
        if epoch != self.epoch
            || self
                .on_the_wire
                .remove(&one.dispatch.touchpoint.id)
                .is_none()
        {
            return;
        }
        let touchpoint = &one.dispatch.touchpoint;
        let bad_address = one.fate == Fate::RefusesHard && self.rng.chance(300);
        let outcome = Self::outcome_of(one.fate, bad_address);
        if matches!(one.fate, Fate::Accepts | Fate::AcceptsUnheard) {
            self.deliver(&one.dispatch);
            if touchpoint.from == Sender::OwnerMailbox && outcome == Outcome::Accepted {
                self.file_copy(touchpoint);
            }
        }
        let slow = if !self.calm && self.rng.chance(100) {
            300_000
        } else {
            2_000
        };
        self.report(touchpoint, outcome, slow);
    }

    /// A copy goes to the Sent folder, where the reader will see it again.
    fn file_copy(&mut self, touchpoint: &Touchpoint) {
        self.filed.insert(touchpoint.id);
        let own = self.mailboxes[0].id.clone();
        let mail = MailSeen {
            mailbox: own.clone(),
            folder: Folder::Sent,
            message_id: format!("{}@us.test", touchpoint.id),
            references: Vec::new(),
            from: Some(address(own.as_str())),
            to: vec![address("somebody@else.test")],
            at: self.now,
            subject: "Re: offer".to_owned(),
            touchpoint: Some(touchpoint.id),
            numbers: Vec::new(),
            class: MailClass::Other,
        };
        self.mail_arrives(0, mail);
    }

    fn report(&mut self, touchpoint: &Touchpoint, outcome: Outcome, slow: i64) {
        let mut arrivals = Vec::new();
        if matches!(outcome, Outcome::Accepted | Outcome::Unknown) {
            arrivals.push(Arrival::Threaded(ThreadEntry {
                message_id: format!("{}@us.test", touchpoint.id),
                contact: touchpoint.id.contact,
                subject: touchpoint.subject.clone(),
            }));
        }
        // A rest that is told twice could be taken for the rest of the next try: it has the same number.
        let may_echo = !matches!(outcome, Outcome::Postponed { .. });
        arrivals.extend(self.settle(touchpoint, outcome));
        if may_echo && !self.calm && self.rng.chance(self.plan.faults.echo) {
            let echo = arrivals.clone();
            self.after_ms(
                slow,
                slow + 7_200_000,
                Happening::Reported(self.epoch, echo),
            );
        }
        self.after_ms(0, slow.max(1), Happening::Reported(self.epoch, arrivals));
    }

    /// Somebody is asked; some never answer.
    pub(super) fn put_question(&mut self, touchpoint: &Touchpoint) {
        let answer = match self.rng.between(0, 9) {
            0..=3 => Answer::Approve { text: None },
            4 => Answer::Approve {
                text: Some("In my own words".into()),
            },
            5 => Answer::Skip,
            6 => Answer::CallInstead,
            _never => return,
        };
        let hours = if self.rng.chance(700) { 6 } else { 100 };
        self.after_ms(
            60_000,
            hours * 3_600_000,
            Happening::Answer(touchpoint.id, answer),
        );
    }

    /// Somebody has a task: most put it off or do it, some take that back. What they do follows from the task alone, so
    /// that lives without tasks stay as they are.
    pub(super) fn give_task(&mut self, task: &Task) {
        let hour = SignedDuration::from_hours(1);
        let acts = match task.id.hash % 4 {
            0 => vec![TaskAct::Done],
            1 => vec![TaskAct::Postpone(self.now + hour * 20), TaskAct::Done],
            2 => vec![TaskAct::Done, TaskAct::Reopen, TaskAct::Done],
            _never => Vec::new(),
        };
        for (nth, act) in (1..).zip(acts) {
            let order = TaskOrder {
                task: task.id,
                journey: task.journey.clone(),
                subject: task.subject.clone(),
                title: task.title.clone(),
                by: UserId::from("boss"),
                act,
            };
            let at = i64::from(nth) * 5 * 3_600_000;
            self.after_ms(at, at + 1, Happening::Work(Box::new(order)));
        }
    }

    fn answer(&mut self, id: TouchpointId, answer: Answer) {
        match &answer {
            Answer::Approve { .. } => drop(self.history.approved.insert(id)),
            Answer::Skip | Answer::CallInstead => {}
        }
        let arrival = Arrival::Input {
            contact: id.contact,
            input: Input::Approve {
                touchpoint: id,
                by: UserId::from("boss"),
                answer,
            },
        };
        self.intake.push((arrival, true));
    }
}

/// An address without a name.
pub(super) fn address(email: &str) -> Address {
    Address {
        email: email.to_owned(),
        name: None,
    }
}

/// A mail from outside in an inbox.
pub(super) fn inbound(
    mailbox: &MailboxId,
    id: String,
    from: &str,
    references: Vec<String>,
    class: MailClass,
) -> MailSeen {
    MailSeen {
        mailbox: mailbox.clone(),
        folder: Folder::Inbox,
        message_id: id,
        references,
        from: Some(address(from)),
        to: vec![address(mailbox.as_str())],
        at: jiff::Timestamp::MIN,
        subject: "Re: offer".to_owned(),
        touchpoint: None,
        numbers: Vec::new(),
        class,
    }
}
