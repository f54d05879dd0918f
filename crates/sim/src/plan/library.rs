//! Journeys of every day: each life has most of them, each version waits otherwise and says more or less.

use relance_core::contact::Channel;
use relance_core::journey::draft::JourneyDraft;
use relance_core::journey::{Approval, Arm, Goal, Holdout, On, Reentry, Send, StepKind, Unit};
use relance_core::time::Recurrence;

use super::words::{
    anything, begins, blank, delay, email, event, exit, message, named, on, reminder, send, set,
    step, task, wait_for_time,
};
use super::{SEGMENT, VERSIONS};
use crate::rng::Rng;

/// The versions of each journey.
pub fn drafts(rng: &mut Rng, holdout: Holdout, approval: &Approval) -> Vec<Vec<JourneyDraft>> {
    type Make = fn(&mut Rng, Holdout, &Approval) -> JourneyDraft;
    let always: [Make; 6] = [offer, chase, welcome, receipt, news, miss];
    let often: [Make; 8] = [dunning, alert, tips, daily, club, trial, echo, echo_of_echo];
    let mut chosen = always.to_vec();
    chosen.extend(often.into_iter().filter(|_| rng.chance(500)));
    let versions = |make: Make| {
        (0..VERSIONS)
            .map(|_| make(rng, holdout, approval))
            .collect()
    };
    let mut all: Vec<Vec<JourneyDraft>> = chosen.into_iter().map(versions).collect();
    for versions in &mut all {
        // What is the same for ever in one journey.
        let (first, later) = versions.split_first_mut().expect("a version");
        for version in later {
            version.priority = first.priority;
            version.reentry = first.reentry.clone();
        }
    }
    all
}

fn wait(rng: &mut Rng) -> StepKind<super::words::Steps> {
    let text = rng.pick(&["10m", "3h", "1d", "36h", "2d", "1bd", "3bd"]);
    wait_for_time(text, rng.chance(300))
}

/// Reminders until somebody answers.
fn offer(rng: &mut Rng, holdout: Holdout, approval: &Approval) -> JourneyDraft {
    let mut offer = blank("offer", on("Document Sent"));
    offer.subject = Some("document".into());
    offer.exits = vec![exit("Replied")];
    offer.goal = Some(Goal {
        event: "Deal Won".into(),
        filter: anything(),
        within: delay("10d"),
    });
    offer.holdout = holdout;
    offer.approval = approval.clone();
    offer.priority = 5;
    for number in 1..=rng.between(1, 2) {
        offer.steps.push(step(wait(rng)));
        offer.steps.push(reminder(&format!("reminder-{number}")));
    }
    offer
}

/// One reminder when nobody answers.
fn chase(rng: &mut Rng, _: Holdout, _: &Approval) -> JourneyDraft {
    let mut chase = blank("chase", on("Document Sent"));
    chase.subject = Some("document".into());
    chase.steps = vec![step(StepKind::WaitFor {
        awaited: vec![event("Replied", false, vec![step(StepKind::Stop)])],
        timeout: Some(delay(rng.pick(&["6h", "1d", "3d"]))),
        otherwise: vec![reminder("chase-1")],
    })];
    chase
}

fn welcome(rng: &mut Rng, holdout: Holdout, _: &Approval) -> JourneyDraft {
    let mut welcome = blank("welcome", on("Signed Up"));
    welcome.reentry = Some(rng.pick(&[Reentry::Always, Reentry::After(delay("3d"))]));
    welcome.exits = vec![exit("Left")];
    welcome.holdout = holdout;
    welcome.steps = vec![
        email("welcome-1"),
        step(wait(rng)),
        step(set("contact.grade", "B")),
        email("welcome-2"),
        step(StepKind::WaitFor {
            awaited: vec![event("Order Completed", rng.chance(500), vec![])],
            timeout: Some(delay("1d")),
            otherwise: vec![email("broken")],
        }),
        step(task("Call")),
    ];
    welcome
}

/// A service message, told again when it is not known whether it went.
fn receipt(_: &mut Rng, _: Holdout, _: &Approval) -> JourneyDraft {
    let mut receipt = blank("receipt", on("Order Completed"));
    receipt.subject = Some("order".into());
    receipt.steps = vec![email("receipt")];
    receipt
}

fn news(_: &mut Rng, _: Holdout, _: &Approval) -> JourneyDraft {
    let mut news = blank("news", on("Visited"));
    news.reentry = Some(Reentry::Always);
    news.steps = vec![email("news")];
    news
}

fn miss(_: &mut Rng, _: Holdout, _: &Approval) -> JourneyDraft {
    let event = Some("Visited".into());
    let after = delay("2d");
    let mut miss = blank("miss", begins(On::Inactive { event, after }));
    miss.reentry = Some(Reentry::Always);
    miss.steps = vec![email("miss")];
    miss
}

/// Reminders of several invoices to one payer become one message.
fn dunning(rng: &mut Rng, _: Holdout, approval: &Approval) -> JourneyDraft {
    let mut dunning = blank("dunning", on("Invoice Sent"));
    dunning.subject = Some("invoice".into());
    dunning.exits = vec![exit("Invoice Paid")];
    dunning.priority = 3;
    if rng.chance(300) {
        dunning.approval = approval.clone();
    }
    let digest = Some(delay(rng.pick(&["6h", "1d", "2d"])));
    let own = message(Channel::Email, "dunning-1");
    dunning.steps = vec![
        named("grace", wait_for_time(rng.pick(&["3h", "1d"]), false)),
        named("remind", send(Send { digest, ..own }, vec![])),
        named("patience", wait_for_time("2d", false)),
        named(
            "again",
            send(
                Send {
                    digest: Some(delay("6h")),
                    ..message(Channel::Email, "dunning-2")
                },
                vec![],
            ),
        ),
    ];
    dunning
}

/// Another way is tried when one does not reach the contact.
fn alert(rng: &mut Rng, _: Holdout, _: &Approval) -> JourneyDraft {
    let mut alert = blank("alert", on("Payment Failed"));
    alert.reentry = Some(Reentry::Always);
    let opened_within = rng.chance(600).then(|| delay(rng.pick(&["1h", "1d"])));
    let first = Send {
        opened_within,
        ..message(Channel::Email, "alert")
    };
    let call = message(Channel::Voice, "alert-otherwise");
    let last = message(Channel::Sms, "alert-otherwise-otherwise");
    let last = step(send(last, vec![step(task("Call them"))]));
    alert.steps = vec![
        named("mail", send(first, vec![step(send(call, vec![last]))])),
        step(StepKind::Notify(super::wild::notify(rng))),
    ];
    alert
}

/// An item of a list at each visit, never the same twice.
fn tips(rng: &mut Rng, holdout: Holdout, _: &Approval) -> JourneyDraft {
    let mut tips = blank("tips", on("Visited"));
    tips.reentry = Some(Reentry::Always);
    tips.holdout = holdout;
    tips.topic = Some("lessons".into());
    let own = Send {
        content: Some("tips".into()),
        ..message(Channel::Email, "tip")
    };
    let seen_all = vec![step(set("contact.grade", "C"))];
    let more = Send {
        template: "tip-more".into(),
        ..own.clone()
    };
    tips.steps = vec![named("tip", send(own, seen_all.clone()))];
    if rng.chance(300) {
        tips.steps.push(step(wait_for_time("3h", false)));
        tips.steps.push(named("more", send(more, seen_all)));
    }
    tips
}

/// A broadcast at an hour of the contact's own day.
fn daily(rng: &mut Rng, _: Holdout, _: &Approval) -> JourneyDraft {
    let days = rng.pick(&[None, Some("mon-fri"), Some("tue"), Some("1,15")]);
    let at = rng.pick(&["10:00", "02:30", "23:45"]);
    let rule = Recurrence::parse(days, at, None, None).expect("schedule");
    let segment = rng.chance(400).then(|| SEGMENT.into());
    let mut daily = blank("daily", begins(On::Schedule { rule, segment }));
    daily.priority = -5;
    daily.steps = vec![email("daily")];
    daily
}

/// Whoever comes into the segment is divided by weight, and every account goes one way.
fn club(rng: &mut Rng, _: Holdout, _: &Approval) -> JourneyDraft {
    let by = rng.pick(&[Unit::Contact, Unit::Account]);
    let arm = |variant: &str, weight, then| Arm {
        variant: variant.into(),
        weight,
        then,
    };
    let mut club = blank("club", begins(On::SegmentEntered(SEGMENT.into())));
    club.reentry = Some(Reentry::Always);
    club.exits = vec![exit("Left")];
    club.steps = vec![
        named(
            "offer",
            StepKind::Split {
                arms: vec![
                    arm("A", 50, vec![email("club-a")]),
                    arm("B", 30, vec![email("club-b")]),
                    arm("C", 20, vec![]),
                ],
                by,
                experiment: Some(match by {
                    Unit::Contact => "gift".into(),
                    Unit::Account => "gift-by-account".into(),
                }),
            },
        ),
        step(wait(rng)),
        step(StepKind::Enroll("trial".into())),
    ];
    club
}

/// Begins the journey that began it, again and again.
fn trial(rng: &mut Rng, _: Holdout, _: &Approval) -> JourneyDraft {
    let changed = On::Changed {
        path: super::words::field("contact.plan"),
        from: None,
        to: None,
    };
    let mut trial = blank("trial", begins(changed));
    trial.reentry = Some(Reentry::Always);
    trial.steps = vec![
        step(set("contact.plan", "pro")),
        step(StepKind::Enroll("trial".into())),
        step(StepKind::Enroll("news".into())),
        step(wait(rng)),
        step(StepKind::Notify(super::wild::notify(rng))),
    ];
    trial
}

/// Begins a journey that begins it, at once: a loop that must be found out.
fn echo(_: &mut Rng, _: Holdout, _: &Approval) -> JourneyDraft {
    let mut echo = blank("echo", on("Payment Failed"));
    echo.reentry = Some(Reentry::Always);
    echo.steps = vec![step(StepKind::Enroll("echo-of-echo".into()))];
    echo
}

fn echo_of_echo(_: &mut Rng, _: Holdout, _: &Approval) -> JourneyDraft {
    let mut echo = blank("echo-of-echo", begins(On::Manual));
    echo.steps = vec![step(StepKind::Enroll("echo".into()))];
    echo
}
