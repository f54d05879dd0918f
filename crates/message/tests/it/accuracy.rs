//! The accuracy table: every row a corpus, every cell a count, every count with a floor.
//!
//! `cargo test -p relance-message --test it accuracy -- --nocapture` prints it as Markdown;
//! `RELANCE_SHOW_WRONG=1` adds the cases that went wrong. Labels of `bounce-flufl` and part of the
//! replies' come from other programs, so that a difference there need not be an error.
//!
//! Floors stand a little under what is reached, so that a change for the worse fails. They are no
//! target to fit rules to: other material of the same kinds is kept for acceptance.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use relance_message::inbound::{self, BounceClass, Classified, InboundRules, smtp_reply};
use relance_message::mail::Mail;
use serde_json::Value;

use crate::corpora;

/// Right answers of all asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Score {
    pub(crate) right: usize,
    pub(crate) of: usize,
}

impl Score {
    pub(crate) fn count(&mut self, right: bool) {
        self.of += 1;
        self.right += usize::from(right);
    }

    pub(crate) fn share(self) -> f64 {
        100.0 * self.right as f64 / self.of.max(1) as f64
    }
}

/// A row: named scores of one corpus, and the words about what went wrong.
pub(crate) struct Row {
    corpus: &'static str,
    pub(crate) cases: usize,
    scores: Vec<(&'static str, Score, f64)>,
    pub(crate) wrong: Vec<String>,
}

impl Row {
    pub(crate) fn new(corpus: &'static str) -> Row {
        Row {
            corpus,
            cases: 0,
            scores: Vec::new(),
            wrong: Vec::new(),
        }
    }

    pub(crate) fn score(&mut self, name: &'static str, score: Score, floor_percent: f64) {
        self.scores.push((name, score, floor_percent));
    }

    fn markdown(&self) -> String {
        let mut line = format!("| {} | {} |", self.corpus, self.cases);
        for (name, score, _) in &self.scores {
            let _ = write!(
                line,
                " {name} {}/{} ({:.1} %);",
                score.right,
                score.of,
                score.share()
            );
        }
        line.push_str(" |");
        line
    }

    /// Prints the row and fails where a floor is missed.
    pub(crate) fn settle(self) {
        println!("| corpus | cases | right |\n| --- | --- | --- |");
        println!("{}", self.markdown());
        if std::env::var_os("RELANCE_SHOW_WRONG").is_some() {
            for wrong in &self.wrong {
                println!("  {wrong}");
            }
        }
        let missed: Vec<String> = self
            .scores
            .iter()
            .filter(|(_, score, floor)| score.share() < *floor)
            .map(|(name, score, floor)| format!("{name} {:.1} % < {floor} %", score.share()))
            .collect();
        assert!(
            missed.is_empty(),
            "{}: {}; set RELANCE_SHOW_WRONG=1 to see the cases",
            self.corpus,
            missed.join(", ")
        );
    }
}

fn read(path: &Path, rules: &InboundRules) -> Classified {
    match Mail::parse(&corpora::bytes(path)) {
        Ok(mail) => inbound::classify(&mail, rules),
        Err(problem) => panic!("{}: {problem}", path.display()),
    }
}

pub(crate) fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

/// Classes of the labels' reasons, coarse: of a failure, is the address itself to blame?
fn is_hard(class: BounceClass) -> bool {
    class == BounceClass::Hard
}

#[test]
fn bounce_sisimai() {
    let Some(folder) = corpora::folder("bounce-sisimai") else {
        return;
    };
    let rules = corpora::rules();
    let mut row = Row::new("bounce-sisimai");
    let (mut kind, mut recipient, mut status) =
        (Score::default(), Score::default(), Score::default());
    let (mut class, mut original, mut reason) =
        (Score::default(), Score::default(), Score::default());
    for label in corpora::labels(&folder) {
        let file = text(&label, "file");
        let found = read(&folder.join(file), rules);
        row.cases += 1;
        let expected_kind = match text(&label, "kind") {
            "complaint" => "complaint",
            "autoreply" => "auto_reply",
            _ => "bounce",
        };
        // One label file holds a notice of success, which is no bounce.
        let delivered = label["actions"] == serde_json::json!(["delivered"]);
        let expected_kind = if delivered { "other" } else { expected_kind };
        kind.count(found.kind() == expected_kind);
        if found.kind() != expected_kind {
            row.wrong
                .push(format!("{file}: {} is not {expected_kind}", found.kind()));
        }
        let addresses: Vec<String> = strings(&label["addresses"]);
        let ids: Vec<String> = strings(&label["original_message_ids"]);
        let hidden = addresses
            .iter()
            .any(|address| address.ends_with(".invalid"));
        if expected_kind == "complaint" {
            let Classified::Complaint(complaint) = &found else {
                recipient.count(false);
                continue;
            };
            if !hidden {
                let right = same_set(&addresses, &complaint.recipients);
                recipient.count(right);
                if !right {
                    row.wrong.push(format!(
                        "{file}: {:?} is not {addresses:?}",
                        complaint.recipients
                    ));
                }
            }
            continue;
        }
        if expected_kind != "bounce" || addresses.is_empty() {
            continue;
        }
        let Classified::Bounce(bounce) = &found else {
            recipient.count(false);
            continue;
        };
        let got: Vec<String> = bounce
            .recipients
            .iter()
            .map(|recipient| recipient.recipient.clone())
            .collect();
        let right = same_set(&addresses, &got);
        recipient.count(right);
        if !right {
            row.wrong
                .push(format!("{file}: {got:?} is not {addresses:?}"));
        }
        if let Some(id) = ids.first() {
            let right = bounce.original_message_id.as_deref() == Some(id);
            original.count(right);
            if !right {
                row.wrong.push(format!(
                    "{file}: id {:?} is not {id}",
                    bounce.original_message_id
                ));
            }
        }
        let labelled = label["recipients"].as_array().cloned().unwrap_or_default();
        for (address, expected) in addresses.iter().zip(&labelled) {
            let Some(got) = bounce
                .recipients
                .iter()
                .find(|recipient| recipient.recipient.eq_ignore_ascii_case(address))
            else {
                continue;
            };
            // `5.0.9xx` are codes of the labels' own making.
            let declared = text(expected, "status");
            if !declared.contains(".0.9") && !declared.is_empty() {
                let right = got.status.to_string() == declared;
                status.count(right);
                if !right {
                    row.wrong
                        .push(format!("{file}: status {} is not {declared}", got.status));
                }
            }
            let delay = text(&label, "kind") == "delay-notice";
            // The labels call "expired" a delay, given up or not, and a refusal by 4xx a failure:
            // what both sides tell apart for sure is whether the address is to blame.
            let right = is_hard(got.class) == (expected["hardbounce"] == true);
            class.count(right);
            if !right {
                row.wrong.push(format!(
                    "{file}: class {:?}/{} is not {} hard={} | {}",
                    got.class,
                    got.reason.name(),
                    text(expected, "reason"),
                    expected["hardbounce"],
                    got.diagnostic.chars().take(160).collect::<String>()
                ));
            }
            if let Some(names) = reasons_of(text(expected, "reason")) {
                let right = delay || names.contains(&got.reason.name());
                reason.count(right);
                if !right {
                    row.wrong.push(format!(
                        "{file}: reason {} is not {} | {}",
                        got.reason.name(),
                        text(expected, "reason"),
                        got.diagnostic.chars().take(160).collect::<String>()
                    ));
                }
            }
        }
    }
    row.score("kind", kind, 98.5);
    row.score("recipient", recipient, 97.5);
    row.score("status", status, 97.0);
    row.score("class", class, 96.0);
    row.score("reason", reason, 90.0);
    row.score("original id", original, 97.0);
    row.settle();
}

/// Our names for a label's reason; `None` where the label says nothing we tell apart.
fn reasons_of(label: &str) -> Option<&'static [&'static str]> {
    Some(match label {
        "userunknown" => &["user_unknown", "mailbox_disabled", "invalid_address"],
        "hostunknown" => &["host_unknown"],
        "mailboxfull" => &["mailbox_full"],
        "hasmoved" => &["moved"],
        "notaccept" => &["not_accepting"],
        "suspend" => &["mailbox_disabled"],
        "expired" => &["expired", "network_error"],
        "networkerror" => &["network_error", "host_unknown", "expired"],
        "authfailure" => &["auth_failure"],
        "spamdetected" => &["spam_blocked"],
        "norelaying" => &["relay_denied"],
        "requireptr" => &["no_reverse_dns"],
        "blocked" | "badreputation" => &[
            "ip_blacklisted",
            "policy_blocked",
            "rate_limited",
            "domain_blacklisted",
        ],
        "mesgtoobig" | "exceedlimit" => &["message_too_large"],
        "systemerror" => &["server_error", "mailer_error"],
        "mailererror" => &["mailer_error"],
        "toomanyconn" | "speeding" => &["rate_limited"],
        "rejected" => &["sender_rejected", "policy_blocked"],
        "policyviolation" | "securityerror" => &[
            "policy_blocked",
            "auth_failure",
            "virus_detected",
            "spam_blocked",
        ],
        "virusdetected" => &["virus_detected"],
        "systemfull" => &["system_full"],
        _ => return None,
    })
}

fn strings(value: &Value) -> Vec<String> {
    value
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|item| item.as_str().map(str::to_owned))
        .collect()
}

fn same_set(expected: &[String], got: &[String]) -> bool {
    let key = |list: &[String]| {
        let mut list: Vec<String> = list.iter().map(|item| item.to_lowercase()).collect();
        list.sort();
        list.dedup();
        list
    };
    key(expected) == key(got)
}

#[test]
fn bounce_flufl() {
    let Some(folder) = corpora::folder("bounce-flufl") else {
        return;
    };
    let rules = corpora::rules();
    let mut row = Row::new("bounce-flufl");
    let (mut kind, mut recipient, mut class) =
        (Score::default(), Score::default(), Score::default());
    for label in corpora::labels(&folder) {
        let file = text(&label, "file");
        let (temporary, permanent) = (strings(&label["temporary"]), strings(&label["permanent"]));
        let found = read(&folder.join(file), rules);
        row.cases += 1;
        let addresses: Vec<String> = permanent.iter().chain(&temporary).cloned().collect();
        if addresses.is_empty() {
            // The oracle found nothing there: not counted either way.
            continue;
        }
        kind.count(found.kind() == "bounce");
        let Classified::Bounce(bounce) = &found else {
            recipient.count(false);
            row.wrong
                .push(format!("{file}: {} is not bounce", found.kind()));
            continue;
        };
        let got: Vec<String> = bounce
            .recipients
            .iter()
            .map(|recipient| recipient.recipient.clone())
            .collect();
        let right = same_set(&addresses, &got);
        recipient.count(right);
        if !right {
            row.wrong
                .push(format!("{file}: {got:?} is not {addresses:?}"));
        }
        // The oracle's "temporary" is a delay or anything that may pass.
        let delayed = bounce
            .recipients
            .iter()
            .all(|recipient| recipient.class == BounceClass::Delay);
        let right = if permanent.is_empty() {
            !is_hard(bounce.first.class)
        } else {
            !delayed
        };
        class.count(right);
        if !right {
            row.wrong
                .push(format!("{file}: class {:?}", bounce.first.class));
        }
    }
    row.score("kind", kind, 99.0);
    row.score("recipient", recipient, 92.0);
    row.score("failed or delayed", class, 99.0);
    row.settle();
}

#[test]
fn bounce_kumomta() {
    let Some(folder) = corpora::folder("bounce-kumomta") else {
        return;
    };
    let rules = corpora::rules();
    let mut row = Row::new("bounce-kumomta");
    let (mut kind, mut recipient, mut status) =
        (Score::default(), Score::default(), Score::default());
    for label in corpora::labels(&folder) {
        let file = text(&label, "file");
        let found = read(&folder.join(file), rules);
        row.cases += 1;
        let expected = if text(&label, "kind") == "dsn" {
            "bounce"
        } else {
            "complaint"
        };
        kind.count(found.kind() == expected);
        if found.kind() != expected {
            row.wrong
                .push(format!("{file}: {} is not {expected}", found.kind()));
        }
        let labelled = label["recipients"].as_array().cloned().unwrap_or_default();
        let Classified::Bounce(bounce) = &found else {
            continue;
        };
        for expected in &labelled {
            let address = text(expected, "Final-Recipient");
            let address = address
                .split_once(';')
                .map_or(address, |(_, rest)| rest)
                .trim_matches(['<', '>', ' ']);
            let got = bounce
                .recipients
                .iter()
                .find(|recipient| recipient.recipient.eq_ignore_ascii_case(address));
            recipient.count(got.is_some());
            match got {
                Some(got) => {
                    let right = text(expected, "Status").starts_with(&got.status.to_string());
                    status.count(right);
                    if !right {
                        row.wrong.push(format!(
                            "{file}: status {} is not {}",
                            got.status,
                            text(expected, "Status")
                        ));
                    }
                }
                None => row.wrong.push(format!("{file}: no {address}")),
            }
        }
    }
    row.score("kind", kind, 100.0);
    row.score("recipient", recipient, 100.0);
    row.score("status", status, 85.0);
    row.settle();
}

#[test]
fn bounce_smtp_text() {
    let Some(folder) = corpora::folder("bounce-smtp-text") else {
        return;
    };
    let rules = corpora::rules();
    let mut row = Row::new("bounce-smtp-text");
    let mut reason = Score::default();
    let cases: Vec<Value> = serde_json::from_slice(&corpora::bytes(&folder.join("cases.json")))
        .expect("cases are JSON");
    for case in &cases {
        row.cases += 1;
        let answer = text(case, "text");
        let verdict = smtp_reply::classify(rules, None, answer);
        let expected = strings(&case["expected_any_of"]);
        let right = expected.iter().any(|name| name == verdict.reason.name());
        reason.count(right);
        if !right {
            row.wrong.push(format!(
                "{answer}: {} is not {expected:?}",
                verdict.reason.name()
            ));
        }
    }
    row.score("reason", reason, 97.0);
    row.settle();
}

/// The text of a reply file, wrapped as the mail it came from.
pub(crate) fn reply_mail(body: &str) -> Vec<u8> {
    format!(
        "From: a@example.com\r\nTo: b@example.net\r\nSubject: Re: x\r\nMessage-ID: <1@example.com>\r\n\
         In-Reply-To: <0@example.net>\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{body}"
    )
    .into_bytes()
}

pub(crate) fn words(text: &str) -> Vec<&str> {
    text.split_whitespace().collect()
}

fn replies(corpus: &'static str, gold_floor: f64, all_floor: f64) {
    let Some(folder) = corpora::folder(corpus) else {
        return;
    };
    let rules = corpora::rules();
    let mut row = Row::new(corpus);
    let (mut gold, mut agreed, mut kind) = (Score::default(), Score::default(), Score::default());
    for label in corpora::labels(&folder) {
        let path = folder.join(text(&label, "path"));
        let body = String::from_utf8_lossy(&corpora::bytes(&path)).into_owned();
        let mail = Mail::parse(&reply_mail(&body)).expect("readable");
        let found = inbound::classify(&mail, rules);
        row.cases += 1;
        kind.count(found.kind() == "reply");
        let Classified::Reply(reply) = &found else {
            row.wrong
                .push(format!("{}: {}", path.display(), found.kind()));
            continue;
        };
        let expected = text(&label, "visible_crisp");
        let other = text(&label, "visible_zapier");
        let right = words(&reply.text) == words(expected);
        let asserted = label["asserted_upstream"] == true;
        if asserted {
            gold.count(right);
        } else {
            // Two independent parsers: as either of them reads it.
            agreed.count(right || words(&reply.text) == words(other));
        }
        if !right && asserted {
            row.wrong.push(format!(
                "{}:\n    got  {:?}\n    want {:?}",
                path.display(),
                tail(&reply.text),
                tail(expected)
            ));
        }
    }
    row.score("kind", kind, 100.0);
    row.score("text, gold", gold, gold_floor);
    row.score("text, as one oracle", agreed, all_floor);
    row.settle();
}

pub(crate) fn tail(text: &str) -> String {
    let chars: Vec<char> = text.trim().chars().collect();
    let start = chars.len().saturating_sub(220);
    chars[start..].iter().collect()
}

#[test]
fn reply_crisp() {
    replies("reply-crisp", 94.0, 85.0);
}

#[test]
fn reply_zapier() {
    replies("reply-zapier", 100.0, 85.0);
}

/// Without labels of its own: the same names carry the labels of the twin corpus.
#[test]
fn reply_github() {
    let (Some(folder), Some(twin)) = (
        corpora::folder("reply-github"),
        corpora::folder("reply-zapier"),
    ) else {
        return;
    };
    let rules = corpora::rules();
    let mut row = Row::new("reply-github");
    let mut score = Score::default();
    let labels: BTreeMap<String, Value> = corpora::labels(&twin)
        .into_iter()
        .map(|label| (text(&label, "file").to_owned(), label))
        .collect();
    for path in corpora::files(&folder.join("test"), &[".txt"]) {
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        row.cases += 1;
        let Some(label) = labels.get(&name) else {
            continue;
        };
        let body = String::from_utf8_lossy(&corpora::bytes(&path)).into_owned();
        let mail = Mail::parse(&reply_mail(&body)).expect("readable");
        let Classified::Reply(reply) = inbound::classify(&mail, rules) else {
            row.wrong.push(format!("{name}: not a reply"));
            continue;
        };
        let right = [text(label, "visible_crisp"), text(label, "visible_zapier")]
            .iter()
            .any(|expected| words(expected) == words(&reply.text));
        score.count(right);
        if !right {
            row.wrong.push(format!(
                "{name}:\n    got  {:?}\n    want {:?}",
                tail(&reply.text),
                tail(text(label, "visible_zapier"))
            ));
        }
    }
    row.score("text, as one oracle", score, 80.0);
    row.settle();
}

/// Ordinary and odd mail must not be taken for a bounce or a complaint.
#[test]
fn false_positives() {
    let rules = corpora::rules();
    let mut row = Row::new("mime-mime4j, mime-mikelmail, replies");
    let mut score = Score::default();
    for (corpus, endings) in [
        ("mime-mime4j", &[".msg"][..]),
        ("mime-mikelmail", &[".eml"][..]),
    ] {
        let Some(folder) = corpora::folder(corpus) else {
            return;
        };
        for path in corpora::files(&folder, endings) {
            let file = path.to_string_lossy().into_owned();
            // These are delivery notices themselves, by their names or by reading them.
            let notices = [
                "report",
                "bounce",
                "/badbound.msg",
                "mimepart_without_content_type",
            ];
            if notices.iter().any(|name| file.contains(name)) {
                continue;
            }
            row.cases += 1;
            let Ok(mail) = Mail::parse(&corpora::bytes(&path)) else {
                score.count(true);
                continue;
            };
            let kind = inbound::classify(&mail, rules).kind();
            let right = !matches!(kind, "bounce" | "complaint");
            score.count(right);
            if !right {
                row.wrong.push(format!("{file}: {kind}"));
            }
        }
    }
    for corpus in [
        "reply-crisp",
        "reply-github",
        "reply-zapier",
        "reply-willdurand",
        "reply-alfonsrv",
    ] {
        let Some(folder) = corpora::folder(corpus) else {
            return;
        };
        for path in corpora::files(&folder, &[".txt"]) {
            let body = String::from_utf8_lossy(&corpora::bytes(&path)).into_owned();
            let mail = Mail::parse(&reply_mail(&body)).expect("readable");
            row.cases += 1;
            let kind = inbound::classify(&mail, rules).kind();
            score.count(kind == "reply");
            if kind != "reply" {
                row.wrong.push(format!("{}: {kind}", path.display()));
            }
        }
    }
    row.score("not bounce nor complaint", score, 100.0);
    row.settle();
}
