//! Every form of the language, and what it becomes. Each is accepted by the published schema as well.

use relance_core::condition::{Condition, Test};
use relance_core::contact::Channel;
use relance_core::ids::EventName;
use relance_core::journey::{
    Approval, Approver, AwaitedThing, Deputy, Holdout, Journey, Lapse, On, Recipient, Reentry,
    Sender, StepKind, Unit, Until,
};
use relance_core::time::{DateRule, Delay};
use relance_core::value::{FieldPath, Root, Value};
use relance_wire::journey::publish;

use crate::schema;

fn read(text: &str) -> Journey {
    let text = format!("format: journey/1\nid: a\n{text}");
    assert_eq!(schema::against(&text), None, "\n{text}");
    publish(&text, 1).unwrap_or_else(|problems| panic!("{problems:#?}\n{text}"))
}

/// A journey about a deal that begins with one trigger.
fn trigger(text: &str) -> Journey {
    read(&format!("trigger: {text}\nsteps: [stop]\n"))
}

/// A journey about a deal with these head lines.
fn head(text: &str) -> Journey {
    read(&format!("trigger: api\n{text}\nsteps: [stop]\n"))
}

/// What the first of these steps is; the run is about a deal.
fn step(text: &str) -> StepKind {
    let journey = steps(text);
    journey.step(journey.first.unwrap()).kind.clone()
}

fn steps(text: &str) -> Journey {
    let indented: String = text.lines().map(|line| format!("  {line}\n")).collect();
    read(&format!("subject: deal\ntrigger: api\nsteps:\n{indented}"))
}

fn delay(text: &str) -> Delay {
    text.parse().unwrap()
}

fn path(text: &str) -> FieldPath {
    FieldPath::parse(text, None).unwrap()
}

fn time(hour: i8, minute: i8) -> jiff::civil::Time {
    jiff::civil::time(hour, minute, 0, 0)
}

/// The condition of a field that equals a value.
fn equals(field: &str, value: impl Into<Value>) -> Condition {
    Condition::Field {
        path: path(field),
        test: Test::Eq(value.into()),
    }
}

#[test]
fn triggers_that_are_told_have_properties() {
    let signed_up = trigger("{ event: Signed Up, where: { plan: pro } }").trigger;
    assert_eq!(signed_up.on, On::Event("Signed Up".into()));
    assert_eq!(signed_up.filter, equals("event.plan", "pro"));

    let form = trigger("{ form: callback }").trigger;
    assert_eq!(form.on, On::Event("Form Submitted".into()));
    assert_eq!(form.filter, equals("event.form", "callback"));
    let form = trigger("{ form: callback, where: { topic: price } }").trigger;
    let both = vec![
        equals("event.form", "callback"),
        equals("event.topic", "price"),
    ];
    assert_eq!(form.filter, Condition::All(both));

    for (text, on) in [
        ("manual", On::Manual),
        ("api", On::Api),
        ("{ manual: true }", On::Manual),
        ("{ api: true }", On::Api),
    ] {
        let begun = trigger(text);
        assert_eq!(begun.trigger.on, on, "{text}");
        assert_eq!(begun.trigger.filter, Condition::All(Vec::new()));
        assert_eq!(begun.reentry, Reentry::Always, "{text}");
    }
    let manual = trigger("{ manual: true, where: { met: true } }").trigger;
    assert_eq!(manual.filter, equals("event.met", true));
}

#[test]
fn triggers_about_the_contact_have_traits() {
    for (text, on) in [
        ("segment_entered: vip", On::SegmentEntered("vip".into())),
        ("segment_left: vip", On::SegmentLeft("vip".into())),
        (
            "inactive: 7d",
            On::Inactive {
                event: None,
                after: delay("7d"),
            },
        ),
        (
            "inactive: 7d, event: Order Completed",
            On::Inactive {
                event: Some("Order Completed".into()),
                after: delay("7d"),
            },
        ),
    ] {
        let found = trigger(&format!("{{ {text}, where: {{ plan: pro }} }}")).trigger;
        assert_eq!(found.on, on);
        assert_eq!(found.filter, equals("contact.plan", "pro"), "{text}");
    }
}

#[test]
fn changes_are_of_a_field_from_and_to() {
    let changed = |text: &str| trigger(&format!("{{ changed: {text} }}")).trigger.on;
    let plan = |from: Option<Value>, to: Option<Value>| On::Changed {
        path: path("contact.plan"),
        from,
        to,
    };
    assert_eq!(changed("contact.plan"), plan(None, None));
    assert_eq!(changed("plan, to: pro"), plan(None, Some("pro".into())));
    let both = plan(Some("free".into()), Some("pro".into()));
    assert_eq!(changed("plan, from: free, to: pro"), both);
    assert_eq!(changed("{ field: plan, from: free, to: pro }"), both);
    // From nothing is not from anything.
    assert_eq!(changed("plan, from: null"), plan(Some(Value::Null), None));
    let stage = read("subject: deal\ntrigger: { changed: subject.stage, to: 3 }\nsteps: [stop]\n");
    let on = On::Changed {
        path: path("subject.stage"),
        from: None,
        to: Some(3.into()),
    };
    assert_eq!(stage.trigger.on, on);
}

#[test]
fn dates_come_with_offset_time_and_year() {
    let date = |text: &str| trigger(&format!("{{ date: {text} }}")).trigger.on;
    let birthday = |rule| On::Date {
        path: path("contact.birthday"),
        rule,
    };
    assert_eq!(date("birthday"), birthday(DateRule::default()));
    let whole = DateRule {
        offset: Some("-3d".parse().unwrap()),
        at: Some(time(9, 30)),
        yearly: true,
    };
    let text = "contact.birthday, offset: -3d, at: 09:30, yearly: true";
    assert_eq!(date(text), birthday(whole));
    let due =
        read("subject: document\ntrigger: { date: subject.due, offset: 2bd }\nsteps: [stop]\n");
    let rule = DateRule {
        offset: Some("2bd".parse().unwrap()),
        ..DateRule::default()
    };
    let on = On::Date {
        path: path("subject.due"),
        rule,
    };
    assert_eq!(due.trigger.on, on);
    assert_eq!(due.reentry, Reentry::Always);
}

#[test]
fn schedules_are_recurrences() {
    use relance_core::time::Recurrence;
    let schedule = |text: &str| match trigger(&format!("{{ schedule: {text} }}")).trigger.on {
        On::Schedule { rule, .. } => rule,
        other => panic!("{other:?}"),
    };
    let rule = |days, at, every, once| Recurrence::parse(days, at, every, once).unwrap();
    for (text, expected) in [
        ("{ at: \"10:00\" }", rule(None, "10:00", None, None)),
        (
            "{ days: tue, at: 10:00 }",
            rule(Some("tue"), "10:00", None, None),
        ),
        (
            "{ days: mon-fri, at: 9:05 }",
            rule(Some("mon-fri"), "09:05", None, None),
        ),
        (
            "{ days: [mon, thu], at: 10:00, every: 2w }",
            rule(Some("mon,thu"), "10:00", Some(2), None),
        ),
        (
            "{ days: [1, 15], at: 10:00 }",
            rule(Some("1,15"), "10:00", None, None),
        ),
        (
            "{ days: \"1,15\", at: 10:00 }",
            rule(Some("1,15"), "10:00", None, None),
        ),
        (
            "{ days: last, at: 10:00 }",
            rule(Some("last"), "10:00", None, None),
        ),
        (
            "{ on: 2026-12-24, at: 10:00 }",
            rule(None, "10:00", None, Some("2026-12-24")),
        ),
    ] {
        assert_eq!(schedule(text), expected, "{text}");
    }
    let to = trigger("{ schedule: { at: 10:00 }, segment: readers, where: { plan: pro } }");
    assert!(matches!(
        to.trigger.on,
        On::Schedule { segment: Some(segment), .. } if segment.as_str() == "readers"
    ));
    assert_eq!(to.trigger.filter, equals("contact.plan", "pro"));
}

#[test]
fn the_head_says_who_enters_and_who_agrees() {
    assert_eq!(head("holdout: 2.5%").holdout.permille, 25);
    let by_account = Holdout {
        permille: 100,
        by: Unit::Account,
    };
    assert_eq!(
        head("holdout: { share: 10%, by: account }").holdout,
        by_account
    );
    assert_eq!(head("priority: -1000").priority, -1_000);
    assert_eq!(head("name: x").priority, 0);

    assert_eq!(head("name: x").approval, Approval::AUTO);
    for (text, by) in [
        ("auto", Approver::Auto),
        ("owner", Approver::Owner),
        ("role:head", Approver::Role("head".to_owned())),
        ("{ by: owner }", Approver::Owner),
    ] {
        assert_eq!(
            head(&format!("approval: {text}")).approval,
            Approval::of(by)
        );
    }
    let whole = Approval {
        by: Approver::Owner,
        deputy: Some(Deputy {
            who: Approver::Role("head".to_owned()),
            after: delay("1d"),
        }),
        expires: Some(delay("3d")),
        lapse: Lapse::Call,
    };
    let text = "approval: { by: owner, deputy: role:head, expires: 3d, lapse: call }";
    assert_eq!(head(text).approval, whole);
    let text = "approval: { by: owner, deputy: role:head, deputy_after: 4h }";
    let deputy = head(text).approval.deputy;
    assert_eq!(deputy.map(|deputy| deputy.after), Some(delay("4h")));
    for (word, lapse) in [
        ("skip", Lapse::Skip),
        ("send", Lapse::Send),
        ("stop", Lapse::Stop),
    ] {
        let text = format!("approval: {{ by: owner, lapse: {word} }}");
        assert_eq!(head(&text).approval.lapse, lapse);
    }
    let exits = head("exit: [{ event: A, any: true }, { event: B, where: { x: 1 } }]").exits;
    assert!(exits[0].any && !exits[1].any);
    let goal = head("goal: { event: Order Completed }").goal.unwrap();
    assert_eq!(goal.within, delay("30d"));
    assert_eq!(
        head("reentry: { after: 30d }").reentry,
        Reentry::After(delay("30d"))
    );
}

#[test]
fn a_send_has_every_channel_and_option() {
    for channel in Channel::ALL {
        let kind = step(&format!("- {{ send: {}, template: t }}", channel.word()));
        let StepKind::Send { send, otherwise } = kind else {
            panic!("{kind:?}")
        };
        assert_eq!((send.channel, send.from), (channel, Sender::Workspace));
        assert_eq!(otherwise, None);
        assert!(send.when.is_none() && send.content.is_none() && send.digest.is_none());
    }
    let journey = steps(
        "- send: email\n  template: t\n  id: first\n  late: 5d\n  from: owner_mailbox\n  \
         approval: { by: owner, expires: 2d }\n  if: { subject.amount: { gte: 5 }, plan: pro }\n  \
         content: lessons\n  opened_within: 2d\n  otherwise:\n    - send: sms\n      template: t",
    );
    let first = journey.step(journey.first.unwrap());
    assert_eq!((first.key.as_str(), first.named), ("first", true));
    assert_eq!(first.late, delay("5d"));
    let StepKind::Send { send, otherwise } = &first.kind else {
        panic!("{first:?}")
    };
    assert_eq!(send.from, Sender::OwnerMailbox);
    assert_eq!(send.approval.as_ref().unwrap().expires, Some(delay("2d")));
    assert_eq!(send.content.as_ref().unwrap().as_str(), "lessons");
    assert_eq!(send.opened_within, Some(delay("2d")));
    let Some(Condition::All(both)) = &send.when else {
        panic!("{send:?}")
    };
    assert_eq!(both[1], equals("contact.plan", "pro"));
    assert_eq!(
        journey.step(otherwise.unwrap()).key.as_str(),
        "first.otherwise.1"
    );
    let StepKind::Send { send, .. } = step("- { send: email, template: t, digest: 4h }") else {
        panic!()
    };
    assert_eq!(send.digest, Some(delay("4h")));
}

#[test]
fn a_wait_is_for_a_length_a_time_a_date_or_the_best_hour() {
    let until = |text: &str| match step(&format!("- wait: {text}")) {
        StepKind::Wait(wait) => wait.until,
        other => panic!("{other:?}"),
    };
    assert_eq!(until("3bd"), Until::Passed(delay("3bd")));
    assert_eq!(until("{ until: \"10:00\" }"), Until::TimeOfDay(time(10, 0)));
    let date = |field: &str, rule| Until::Date {
        path: path(field),
        rule,
    };
    assert_eq!(
        until("{ until: subject.due }"),
        date("subject.due", DateRule::default())
    );
    let rule = DateRule {
        offset: Some("-3d".parse().unwrap()),
        at: Some(time(9, 0)),
        yearly: false,
    };
    assert_eq!(
        until("{ until: subject.due, offset: -3d, at: \"09:00\" }"),
        date("subject.due", rule)
    );
    let rule = DateRule {
        yearly: true,
        ..DateRule::default()
    };
    assert_eq!(
        until("{ until: birthday, yearly: true }"),
        date("contact.birthday", rule)
    );
    let best = |hour, minute| Until::BestHour {
        fallback: time(hour, minute),
    };
    assert_eq!(until("best_hour"), best(10, 0));
    assert_eq!(until("{ until: best_hour }"), best(10, 0));
    assert_eq!(
        until("{ until: best_hour, default: \"18:30\" }"),
        best(18, 30)
    );
    for window in [
        "{ days: mon-fri, hours: 09:00-18:00 }",
        "{ days: [mon, wed], hours: [09:00-12:00, 13:00-18:00] }",
        "{ days: bd }",
    ] {
        let text = format!("- wait: {{ until: subject.due }}\n  window: {window}");
        assert!(matches!(step(&text), StepKind::Wait(wait) if wait.window.is_some()));
    }
}

#[test]
fn one_thing_or_several_are_awaited() {
    let journey = steps(
        "- id: w\n  wait_for: { event: A, where: { x: 1 }, since: enrolled }\n  timeout: 2d\n  then: [stop]\n  \
         else:\n    - task: late",
    );
    let first = &journey.step(journey.first.unwrap()).kind;
    let StepKind::WaitFor {
        awaited,
        timeout,
        otherwise,
    } = first
    else {
        panic!("{first:?}")
    };
    assert_eq!(*timeout, Some(delay("2d")));
    let event = AwaitedThing::Event {
        event: "A".into(),
        filter: equals("event.x", 1),
        since_enrolled: true,
    };
    assert_eq!(awaited[0].what, event);
    let key = |next: relance_core::journey::Next| journey.step(next.unwrap()).key.to_string();
    assert_eq!(key(awaited[0].then), "w.then.1");
    assert_eq!(key(*otherwise), "w.else.1");

    let condition = step("- wait_for: { if: { plan: pro } }");
    assert_eq!(
        condition.awaited()[0].what,
        AwaitedThing::Condition(equals("contact.plan", "pro"))
    );

    let journey = steps(
        "- id: w\n  wait_for:\n    - { event: A, then: [stop] }\n    - if: { subject.stage: won }\n      \
         then: [stop]\n    - event: B\n  timeout: 2d\n  else: [stop]",
    );
    let keys: Vec<&str> = journey.steps.iter().map(|step| step.key.as_str()).collect();
    assert_eq!(keys, ["w.on1.1", "w.on2.1", "w.else.1", "w"]);
    assert_eq!(journey.step(journey.first.unwrap()).kind.awaited().len(), 3);
}

#[test]
fn a_split_has_named_weighted_ways() {
    let read = |text: &str| match step(text) {
        StepKind::Split {
            arms,
            by,
            experiment,
        } => {
            let arms = arms.iter();
            let arms: Vec<(String, u32)> = arms
                .map(|arm| (arm.variant.to_string(), arm.weight))
                .collect();
            (arms, by, experiment.map(|name| name.to_string()))
        }
        other => panic!("{other:?}"),
    };
    let arm = |name: &str, weight| (name.to_owned(), weight);
    let (arms, by, experiment) = read("- split: [{ then: [stop] }, {}, { weight: 0 }]");
    assert_eq!(arms, [arm("A", 1), arm("B", 1), arm("C", 0)]);
    assert_eq!((by, experiment), (Unit::Contact, None));
    let (arms, by, experiment) = read(
        "- split:\n    - { variant: short, weight: 80% }\n    - { variant: long, weight: 20 }\n  by: account\n  \
         experiment: length",
    );
    assert_eq!(arms, [arm("short", 80), arm("long", 20)]);
    assert_eq!((by, experiment.as_deref()), (Unit::Account, Some("length")));
}

#[test]
fn a_branch_has_arms_and_a_rest() {
    let kind = step(
        "- branch:\n    - if: { subject.amount: { gte: 5 } }\n      then: [stop]\n    - if: [{ a: 1 }, { b: 2 }]\n    \
         - else: [stop]",
    );
    let StepKind::Branch { arms, otherwise } = kind else {
        panic!("{kind:?}")
    };
    assert_eq!(arms.len(), 2);
    assert!(otherwise.is_some());
}

#[test]
fn people_are_given_tasks_and_notices() {
    let StepKind::Task(task) = step("- task: { title: Call, due: 1bd, assignee: a@b.example }")
    else {
        panic!()
    };
    assert_eq!((&*task.title, task.due), ("Call", Some(delay("1bd"))));
    assert!(matches!(step("- task: Call"), StepKind::Task(task) if task.due.is_none()));

    for (text, to, said, template) in [
        (
            "- notify: owner\n  text: Look",
            Recipient::Owner,
            "Look",
            None,
        ),
        (
            "- notify: role:head\n  template: t",
            Recipient::Role("head".into()),
            "",
            Some("t"),
        ),
        (
            "- notify: { to: ann@shop.example, text: Look }",
            Recipient::User("ann@shop.example".into()),
            "Look",
            None,
        ),
        (
            "- notify: { to: owner, template: t }",
            Recipient::Owner,
            "",
            Some("t"),
        ),
    ] {
        let kind = step(text);
        let StepKind::Notify(notify) = &kind else {
            panic!("{kind:?}")
        };
        assert_eq!(notify.to, to, "{text}");
        assert_eq!(&*notify.text, said);
        let found = notify.template.as_ref().map(|template| template.as_str());
        assert_eq!(found, template);
    }
}

#[test]
fn fields_stages_codes_and_journeys() {
    let set = step("- set: { contact.grade: A, subject.asked: true, plan: null }");
    let StepKind::Set(changes) = set else {
        panic!("{set:?}")
    };
    let names: Vec<String> = changes.iter().map(|(path, _)| path.to_string()).collect();
    assert_eq!(names, ["contact.grade", "subject.asked", "contact.plan"]);
    assert!(matches!(step("- move: in work"), StepKind::Move { stage } if &*stage == "in work"));

    let StepKind::Promo(promo) = step("- promo: BACK") else {
        panic!()
    };
    assert_eq!((&*promo.prefix, &*promo.save_as), ("BACK", "promo_code"));
    assert!(promo.valid.is_none() && promo.fields.is_empty());
    let text = "- promo: { prefix: BACK, save_as: code, valid: 7d, fields: { discount: 10 } }";
    let StepKind::Promo(promo) = step(text) else {
        panic!()
    };
    assert_eq!((&*promo.save_as, promo.valid), ("code", Some(delay("7d"))));
    assert_eq!(promo.fields["discount"], 10);

    assert!(matches!(step("- enroll: lessons"), StepKind::Enroll(id) if id.as_str() == "lessons"));
    for text in ["- stop", "- stop: true", "- { stop: , id: end }"] {
        assert_eq!(step(text), StepKind::Stop, "{text}");
    }
}

#[test]
fn every_condition_is_read_wherever_it_stands() {
    let conditions = [
        "{ plan: pro }",
        "{ plan: [pro, team], contact.seats: { gte: 5, lt: 100 } }",
        "{ plan: { eq: pro } }",
        "{ plan: { ne: null } }",
        "{ a: { gt: 1 }, b: { lte: 1.5 }, c: { gte: { ago: 90d } }, d: { lt: { in: 1mo } } }",
        "{ plan: { in: [1, two, true] } }",
        "{ tags: { contains: vip } }",
        "{ email: { starts_with: a } }",
        "{ email: { exists: false } }",
        "{ at: { before: 2026-12-24, after: { ago: 90d } } }",
        "{ at: { before: { in: 7d }, after: 1778630400 } }",
        "{ all: [{ a: 1 }, { b: 2 }] }",
        "{ any: [{ a: 1 }, { not: { b: 2 } }] }",
        "[{ a: 1 }, { engaged: 30d }]",
        "{ did: Order Completed }",
        "{ did: A, times: 2, within: 90d, where: { total: { gt: 5 } }, then: { did: B, times: { eq: 0 } } }",
        "{ did: A, times: { gte: 1, lte: 3 } }",
        "{ did: A, times: { gt: 1, lt: 3 } }",
        "{ in_segment: vip }",
        "{ not: { in_segment: vip }, plan: pro }",
        "{ engaged: true }",
        "{ engaged: false }",
        "{ not: { engaged: 30d } }",
    ];
    for condition in conditions {
        trigger(&format!("{{ event: A, where: {condition} }}"));
        head(&format!("exit: [{{ event: A, where: {condition} }}]"));
        head(&format!("goal: {{ event: A, where: {condition} }}"));
        step(&format!("- branch: [{{ if: {condition} }}]"));
        step(&format!("- wait_for: {{ if: {condition} }}"));
        step(&format!("- wait_for: {{ event: A, where: {condition} }}"));
        step(&format!(
            "- {{ send: email, template: t, if: {condition} }}"
        ));
    }
}

#[test]
fn engaged_is_any_sign_of_life() {
    let filter = |text: &str| {
        let journey = trigger(&format!("{{ segment_entered: a, where: {text} }}"));
        journey.trigger.filter
    };
    let signs = |condition: &Condition| -> Vec<(EventName, Option<Delay>)> {
        let Condition::Any(list) = condition else {
            panic!("{condition:?}")
        };
        list.iter()
            .map(|one| match one {
                Condition::Did(did) => (did.event.clone(), did.within),
                other => panic!("{other:?}"),
            })
            .collect()
    };
    let within = |text: &str| -> Vec<(EventName, Option<Delay>)> {
        ["Email Opened", "Email Link Clicked", "Replied"]
            .map(|name| (name.into(), Some(delay(text))))
            .to_vec()
    };
    assert_eq!(signs(&filter("{ engaged: 30d }")), within("30d"));
    assert_eq!(signs(&filter("{ engaged: true }")), within("90d"));
    for text in ["{ engaged: false }", "{ not: { engaged: 90d } }"] {
        let Condition::Not(inner) = filter(text) else {
            panic!("{text}")
        };
        assert_eq!(signs(&inner), within("90d"));
    }
    // The event's own property of that name is still in reach.
    let journey = trigger("{ event: A, where: { event.engaged: 5 } }");
    assert_eq!(journey.trigger.filter, equals("event.engaged", 5));
    assert_eq!(path("event.engaged").root, Root::Event);
}
