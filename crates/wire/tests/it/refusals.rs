//! What is refused: each with its line, its place, and what to do.

use relance_wire::journey::{Problem, publish};

/// The problems of a journey whose lines from the third on are these.
fn problems(text: &str) -> Vec<String> {
    publish(&format!("format: journey/1\nid: a\n{text}"), 1)
        .err()
        .unwrap_or_else(|| panic!("published:\n{text}"))
        .iter()
        .map(Problem::to_string)
        .collect()
}

#[track_caller]
fn refused(text: &str, expected: &[&str]) {
    assert_eq!(problems(text), expected, "\n{text}");
}

#[track_caller]
fn trigger(text: &str, expected: &[&str]) {
    refused(&format!("trigger: {text}\nsteps: [stop]\n"), expected);
}

#[track_caller]
fn head(text: &str, expected: &[&str]) {
    refused(&format!("trigger: api\nsteps: [stop]\n{text}\n"), expected);
}

/// Steps begin on line 5; the run is about a deal.
#[track_caller]
fn steps(text: &str, expected: &[&str]) {
    let indented: String = text.lines().map(|line| format!("  {line}\n")).collect();
    refused(
        &format!("trigger: api\nsteps:\n{indented}subject: deal\n"),
        expected,
    );
}

#[test]
fn triggers() {
    trigger(
        "mannual",
        &["line 3: trigger: \"mannual\" is not a trigger; did you mean `manual`?"],
    );
    trigger(
        "Signed Up",
        &[
            "line 3: trigger: \"Signed Up\" is not a trigger; write for example `trigger: { event: Signed Up }`",
        ],
    );
    trigger(
        "[]",
        &["line 3: trigger: expected a map, found a list; write `event: ...`"],
    );
    trigger(
        "{ event: A, form: b }",
        &[
            "line 3: trigger: one trigger both `event` and `form`; keep one, and write another journey for the other",
        ],
    );
    trigger(
        "{ inactiv: 7d }",
        &[
            "line 3: trigger.inactiv: `inactiv` is not known; did you mean `inactive`?",
            "line 3: trigger.event: `event` is missing; write for example `event: Signed Up`",
        ],
    );
    trigger(
        "{ event: A, offset: 3d }",
        &["line 3: trigger.offset: `offset` is not known; known here: event, where"],
    );
    trigger(
        "{ segment_entered: }",
        &["line 3: trigger.segment_entered: `segment_entered` is missing; write a segment's id"],
    );
    trigger(
        "{ inactive: 0d }",
        &["line 3: trigger.inactive: nobody is inactive for no time; write for example 7d"],
    );
    trigger(
        "{ manual: false }",
        &["line 3: trigger.manual: `manual: false` begins nothing; write true, or another trigger"],
    );
    trigger(
        "{ api: perhaps }",
        &["line 3: trigger.api: expected a yes or no, found a text; write true or false"],
    );
    trigger(
        "{ form: }",
        &["line 3: trigger.form: `form` is missing; write the form's name"],
    );
}

#[test]
fn changes_and_dates() {
    trigger(
        "{ changed: plan, from: pro, to: pro }",
        &["line 3: trigger.to: `from` and `to` are the same; leave one out"],
    );
    trigger(
        "{ changed: plan, from: [a, b] }",
        &["line 3: trigger.from: expected one value, found a list; compare with one"],
    );
    trigger(
        "{ changed: { from: a } }",
        &["line 3: trigger.changed.field: `field` is missing; write for example contact.plan"],
    );
    trigger(
        "{ changed: { field: plan }, to: a }",
        &["line 3: trigger.to: `to` is not known; known here: changed, where"],
    );
    trigger(
        "{ changed: event.plan }",
        &[
            "line 3: trigger.changed: event.plan is a property of an event; write contact.NAME or subject.NAME",
        ],
    );
    trigger(
        "{ date: subject.due, offset: soon, at: 25:00, yearly: 1 }",
        &[
            "line 3: trigger.offset: delay \"soon\" is not a whole number with a unit; write for example 90s, 15m, 2h, 3d, 2w, 1mo, 1y or 3bd",
            "line 3: trigger.at: time of day \"25:00\" is not a time; write it as 09:00",
            "line 3: trigger.yearly: expected a yes or no, found a number; write true or false",
        ],
    );
    trigger(
        "{ date: a..b }",
        &[
            "line 3: trigger.date: \"a..b\" is not a field; write contact.NAME, subject.NAME or event.NAME, at most 8 names deep",
        ],
    );
    refused(
        "subject: deal\ntrigger: { changed: deal.stage }\nsteps: [stop]\n",
        &[
            "line 4: trigger.changed: \"deal.stage\" is no field of the subject; did you mean `subject.stage`?",
        ],
    );
}

#[test]
fn schedules() {
    let schedule = |text: &str, expected: &str| {
        trigger(&format!("{{ schedule: {text} }}"), &[expected]);
    };
    schedule(
        "{ days: 1,15, at: 10:00 }",
        "line 3: trigger.schedule: `15` stands as a key of its own; write `days: [1, 15]`: in { } a bare comma begins a new key",
    );
    schedule(
        "{ days: tue }",
        "line 3: trigger.schedule.at: `at` is missing; say at what time of day, for example \"10:00\"",
    );
    schedule(
        "{ days: someday, at: 10:00 }",
        "line 3: trigger.schedule.days: days \"someday\" are neither weekdays nor days of the month; write mon-fri, tue, 1,15 or last",
    );
    schedule(
        "{ days: [tue, 15], at: 10:00 }",
        "line 3: trigger.schedule.days: days \"tue,15\" mix weekdays and days of the month; write one kind: mon-fri or 1,15",
    );
    schedule(
        "{ at: noon }",
        "line 3: trigger.schedule.at: at \"noon\" is not a time of day; write it as 09:00",
    );
    schedule(
        "{ at: 10:00, every: 2d }",
        "line 3: trigger.schedule.every: not a number of weeks; write 1w to 52w",
    );
    schedule(
        "{ at: 10:00, every: 0w }",
        "line 3: trigger.schedule.every: every 0 weeks is out of range; write 1w to 52w",
    );
    schedule(
        "{ days: last, at: 10:00, every: 2w }",
        "line 3: trigger.schedule.every: `every` counts weeks; leave it out, or give weekdays such as `days: tue`",
    );
    schedule(
        "{ on: christmas, at: 10:00 }",
        "line 3: trigger.schedule.on: \"christmas\" is not a date; write it as 2026-12-24",
    );
    schedule(
        "{ on: 2026-12-24, days: tue, at: 10:00 }",
        "line 3: trigger.schedule.on: `on` and `days` are both given; leave one out",
    );
    refused(
        "subject: deal\ntrigger: { schedule: { at: 10:00 } }\nsteps: [stop]\n",
        &[
            "line 3: subject: this trigger is about the contact, not about an object; leave `subject` out",
        ],
    );
}

#[test]
fn heads() {
    head(
        "holdout: { share: 95%, by: company }",
        &[
            "line 5: holdout.by: \"company\" is not known here; write contact, account",
            "line 5: holdout.share: \"95%\" is not a share; write 0% to 90%, for example 10%",
        ],
    );
    head(
        "holdout: { by: acount }",
        &[
            "line 5: holdout.by: \"acount\" is not known here; did you mean `account`?",
            "line 5: holdout.share: `share` is missing; say how many, for example 10%",
        ],
    );
    for bad in ["1001", "-1001", "high", "1.5"] {
        head(
            &format!("priority: {bad}"),
            &["line 5: priority: not a priority; write a whole number from -1000 to 1000"],
        );
    }
    head(
        "approval: boss",
        &["line 5: approval: not an approval; write auto, owner or role:head"],
    );
    head(
        "approval: { deputy: auto, lapse: maybe }",
        &[
            "line 5: approval.by: `by` is missing; say who must agree: owner or role:head",
            "line 5: approval.lapse: \"maybe\" is not known here; write skip, send, stop, call",
            "line 5: approval.deputy: a deputy is a person; write owner or role:head",
        ],
    );
    head(
        "approval: { by: owner, deputy_after: 2d }",
        &[
            "line 5: approval.deputy_after: there is no deputy; add `deputy: role:head`, or leave it out",
        ],
    );
    head(
        "approval: { by: owner, deputy: role:head, expires: 12h }",
        &[
            "line 5: approval.deputy: the question expires after 12h, before the deputy is asked after 1d; write a shorter `deputy_after`",
        ],
    );
    head(
        "approval: { by: auto, expires: 1d }",
        &[
            "line 5: approval.by: with auto nobody is asked; write owner or role:head, or `approval: auto` alone",
        ],
    );
    head(
        &format!("exit: [{}]", "{ event: A },".repeat(33)),
        &[
            "line 5: exit: the list has 33 members, more than 32; join them with `any` in one `where`, or make journeys of them",
        ],
    );
    head(
        &format!("topic: {}", "t".repeat(257)),
        &["line 5: topic: the text has more than 256 characters; shorten it"],
    );
    head(
        "reentry: { afetr: 3d }",
        &[
            "line 5: reentry.afetr: `afetr` is not known; did you mean `after`?",
            "line 5: reentry.after: `after` is missing; write once, once_per_subject, always or { after: 30d }",
        ],
    );
}

#[test]
fn a_verb_with_nothing_behind_it_is_no_step() {
    for (verb, place) in [
        ("send", "send"),
        ("wait", "wait"),
        ("wait_for", "wait_for"),
        ("branch", "branch"),
        ("split", "split"),
        ("task", "task"),
        ("notify", "notify"),
        ("set", "set"),
        ("move", "move"),
        ("promo", "promo"),
        ("enroll", "enroll"),
    ] {
        let found = problems(&format!("trigger: api\nsteps:\n  - {verb}:\n"));
        let expected = format!("line 5: steps[0].{place}: `{verb}` is missing; ");
        assert!(
            found.iter().any(|line| line.starts_with(&expected)),
            "{found:#?}"
        );
    }
    steps(
        "- stop: false",
        &["line 5: steps[0].stop: expected nothing, found a yes or no; write `- stop`"],
    );
    steps(
        "- wait: 1d\n  send: email",
        &["line 5: steps[0]: one step both `send` and `wait`; begin a new step with `- `"],
    );
    steps(
        "- id: x\n  notfy: owner",
        &["line 5: steps[0]: `id` is not a step; did you mean `notify`?"],
    );
}

#[test]
fn sends() {
    steps(
        "- send: emial\n  from: me\n  approval: boss\n  digest: 4\n  if: { not: 5 }\n  otherwise: stop",
        &[
            "line 5: steps[0].send: \"emial\" is not a channel; did you mean `email`?",
            "line 5: steps[0].template: `template` is missing; name the template to send",
            "line 6: steps[0].from: \"me\" is not known here; write workspace, owner_mailbox",
            "line 7: steps[0].approval: not an approval; write auto, owner or role:head",
            "line 8: steps[0].digest: delay \"4\" has a number without a unit; add one of s, m, h, d, w, mo, y, bd",
            "line 9: steps[0].if.not: expected a condition, found a number; write for example `{ subject.kind: offer }`",
            "line 10: steps[0].otherwise: expected a list, found a text; begin each member with `- `",
        ],
    );
    steps(
        "- { send: sms, template: t, from: owner_mailbox, opened_within: 1d }",
        &[
            "line 5: steps[0]: owner_mailbox sends e-mail only; leave `from` out for other channels",
            "line 5: steps[0]: only e-mail tells that it was opened; leave `opened_within` out for other channels",
        ],
    );
}

#[test]
fn waits() {
    let wait = |text: &str, expected: &[&str]| steps(&format!("- wait: {text}"), expected);
    wait(
        "\"10:00\"",
        &[
            "line 5: steps[0].wait: \"10:00\" is not a length of time; did you mean `wait: { until: \"10:00\" }`?",
        ],
    );
    wait(
        "subject.due",
        &[
            "line 5: steps[0].wait: \"subject.due\" is not a length of time; did you mean `wait: { until: subject.due }`?",
        ],
    );
    wait(
        "{ until: 3d }",
        &[
            "line 5: steps[0].wait.until: \"3d\" is not a moment to wait for; did you mean `wait: 3d`?",
        ],
    );
    wait(
        "{ until: 2026-12-24 }",
        &[
            "line 5: steps[0].wait.until: \"2026-12-24\" is not a moment to wait for; write a time such as \"10:00\", a date such as subject.due, or best_hour",
        ],
    );
    wait(
        "{ until: 10:99 }",
        &["line 5: steps[0].wait.until: time of day \"10:99\" is not a time; write it as 09:00"],
    );
    wait(
        "{ until: \"10:00\", offset: 3d }",
        &["line 5: steps[0].wait.offset: `offset` is not known; known here: until"],
    );
    wait(
        "{ until: best_hour, at: \"10:00\" }",
        &["line 5: steps[0].wait.at: `at` is not known; known here: until, default"],
    );
    wait(
        "{ offset: 3d }",
        &[
            "line 5: steps[0].wait.until: `until` is missing; write a time such as \"10:00\", a date such as subject.due, or best_hour",
        ],
    );
    wait(
        "{ until: deal.due }",
        &[
            "line 5: steps[0].wait.until: \"deal.due\" is no field of the subject; did you mean `subject.due`?",
        ],
    );
    wait(
        "{ until: event.at }",
        &[
            "line 5: steps[0]: event.at is a property of an event; write contact.NAME or subject.NAME",
        ],
    );
    steps(
        "- wait: 1d\n  window: { days: [], hours: 9-18 }",
        &[
            "line 6: steps[0].window.days: the list has 0 members; write 1 to 32, or leave it out",
            "line 6: steps[0].window: hours \"9-18\" are not hours of a day; write them as 09:00-18:00 or 09:00-12:00,13:00-18:00",
        ],
    );
}

#[test]
fn awaited_things() {
    steps(
        "- wait_for: []",
        &[
            "line 5: steps[0].wait_for: nothing is awaited; write for example { event: Order Completed }",
        ],
    );
    steps(
        "- wait_for: [{ event: A }]\n  then: [stop]",
        &[
            "line 6: steps[0].then: `then` stands beside a list; move it into a member: `- { event: ..., then: [...] }`",
        ],
    );
    steps(
        "- wait_for: { event: A, if: { b: 1 } }",
        &[
            "line 5: steps[0].wait_for: both an event and a condition are awaited; keep one, or make a list of two: `- event: ...`, `- if: ...`",
        ],
    );
    steps(
        "- wait_for: { if: { b: 1 }, since: enrolled }",
        &["line 5: steps[0].wait_for.since: `since` goes with an event; put it into the condition"],
    );
    steps(
        "- wait_for: { where: { b: 1 }, since: yesterday }",
        &[
            "line 5: steps[0].wait_for.event: `event` is missing; name the awaited event",
            "line 5: steps[0].wait_for.since: \"yesterday\" is not known here; write now, enrolled",
        ],
    );
    steps(
        "- wait_for: { event: A }\n  else: [stop]",
        &[
            "line 5: steps[0]: `else` is never reached without a timeout; add `timeout: 2d`, or leave `else` out",
        ],
    );
    steps(
        &format!("- wait_for: [{}]", "{ event: A },".repeat(17)),
        &[
            "line 5: steps[0].wait_for: the list has 17 members, more than 16; join some with `any` in one `where`",
        ],
    );
}

#[test]
fn ways() {
    steps(
        "- split: [{ variant: a b, weight: 12.5% }, { weight: -1 }]\n  by: deal",
        &[
            "line 5: steps[0].split[0].variant: \"a b\" is not a variant; use letters, digits, - and _",
            "line 5: steps[0].split[0].weight: not a weight; write a whole number from 0 to 10000, for example 50 or 50%",
            "line 5: steps[0].split[1].weight: not a weight; write a whole number from 0 to 10000, for example 50 or 50%",
            "line 6: steps[0].by: \"deal\" is not known here; write contact, account",
        ],
    );
    for (few, count) in [("[]", 0), ("[{}]", 1)] {
        let expected = format!(
            "line 5: steps[0].split: the list has {count} members; a split needs two ways or more"
        );
        steps(&format!("- split: {few}"), &[&expected]);
    }
    steps(
        "- split: [{ variant: B }, {}]",
        &[
            "line 5: steps[0]: a split needs ways with names of their own; list 2 to 26, each with another `variant:`",
        ],
    );
    steps(
        "- split: [{ weight: 0 }, { weight: 0% }]",
        &["line 5: steps[0]: all weights are zero; give one way a weight"],
    );
    steps(
        "- branch:\n    - else: [stop]\n    - if: { a: 1 }\n    - then: [stop]\n    - { else: [], then: [stop] }",
        &[
            "line 6: steps[0].branch[0]: `else` is not the last; move it to the end",
            "line 8: steps[0].branch[2]: not an arm of a branch; write `- if: ...` with `then:`, or `- else:`",
            "line 9: steps[0].branch[3]: `else` has a `then`; put the steps below `else:`",
        ],
    );
}

#[test]
fn people_codes_and_fields() {
    steps(
        "- notify: contact\n  text: x",
        &[
            "line 5: steps[0].notify: \"contact\" is not one of yours; write owner, role:head or the address of one of yours",
        ],
    );
    steps(
        "- notify: owner",
        &["line 5: steps[0].text: `text` is missing; say what they should know"],
    );
    steps(
        "- notify: { to: owner, text: a, template: b }",
        &["line 5: steps[0].notify.template: both a text and a template; leave one out"],
    );
    steps(
        "- notify: { to: owner, text: a }\n  template: b",
        &["line 6: steps[0].template: `template` stands beside a map; move it into the map"],
    );
    steps(
        &format!("- task: {}", "x".repeat(4_001)),
        &["line 5: steps[0].task: the text has more than 4000 characters; shorten it"],
    );
    steps(
        "- set: {}",
        &["line 5: steps[0].set: nothing is set; write for example { contact.grade: A }"],
    );
    steps(
        "- set: { deal.stage: won }",
        &[
            "line 5: steps[0].set: \"deal.stage\" is no field of the subject; did you mean `subject.stage`?",
        ],
    );
    let many: String = (0..51).map(|at| format!("f{at}: 1,")).collect();
    steps(
        &format!("- set: {{ {many} }}"),
        &["line 5: steps[0].set: the map has 51 fields, more than 50; keep those that matter"],
    );
    steps(
        "- promo: { save_as: contact.code, fields: [1] }",
        &[
            "line 5: steps[0].promo.prefix: `prefix` is missing; say what codes begin with, for example BACK",
            "line 5: steps[0].promo.save_as: \"contact.code\" is not a trait's name; write one word: promo_code",
            "line 5: steps[0].promo.fields: expected a map, found a list; write for example { discount: 10 }",
        ],
    );
    steps(
        "- promo: 10 % off",
        &[
            "line 5: steps[0].promo: \"10 % off\" is not a prefix; use at most 24 of A-Z, 0-9, - and _",
        ],
    );
    steps(
        "- enroll: My Journey",
        &[
            "line 5: steps[0].enroll: \"My Journey\" is not an id; use at most 64 of a-z, 0-9, - and _",
        ],
    );
    refused(
        "trigger: api\nsteps:\n  - move: won\n",
        &[
            "line 5: steps[0]: nothing can be moved: the journey has no subject; add `subject: deal` to the journey",
        ],
    );
}

#[test]
fn conditions() {
    let where_is = |text: &str, expected: &[&str]| {
        trigger(&format!("{{ event: A, where: {text} }}"), expected);
    };
    where_is(
        "{ engaged: lately }",
        &[
            "line 3: trigger.where.engaged: delay \"lately\" is not a whole number with a unit; write for example 90s, 15m, 2h, 3d, 2w, 1mo, 1y or 3bd",
        ],
    );
    where_is(
        "{ ayn: [{ a: 1 }] }",
        &["line 3: trigger.where.ayn: a field is compared with maps; did you mean `any`?"],
    );
    where_is(
        "{ at: { before: tomorrow } }",
        &[
            "line 3: trigger.where.at.before: not a moment; write a date such as 2026-12-24, { ago: 90d } or { in: 7d }",
        ],
    );
    where_is(
        "{ at: { gte: { agoo: 3d } }, b: { gr: 1 } }",
        &[
            "line 3: trigger.where.at.gte.agoo: `agoo` is not known; did you mean `ago`?",
            "line 3: trigger.where.at.gte: not a moment; write { ago: 90d } or { in: 7d }",
            "line 3: trigger.where.b.gr: `gr` is not a comparison; did you mean `gt`?",
        ],
    );
    where_is(
        "{ did: A, times: often, within: 3, then: { event: B } }",
        &[
            "line 3: trigger.where.times: not a number of times; write a number (at least), or for example { lte: 3 } or { eq: 0 }",
            "line 3: trigger.where.within: delay \"3\" has a number without a unit; add one of s, m, h, d, w, mo, y, bd",
            "line 3: trigger.where.then.event: `event` is not known; known here: did, times, within, where, then",
            "line 3: trigger.where.then.did: `did` is missing; name an event",
        ],
    );
    where_is(
        "{ in_segment: [a] }",
        &[
            "line 3: trigger.where.in_segment: expected a text, found a list; write `in_segment: ...`",
        ],
    );
    where_is(
        &format!("{{ a: [{}] }}", "1,".repeat(1_001)),
        &[
            "line 3: trigger.where.a: the list has 1001 members, more than 1000; make a segment of them",
        ],
    );
}
