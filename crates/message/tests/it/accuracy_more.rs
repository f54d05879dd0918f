//! More of the accuracy table: automatic answers, reply text by language, and every detector's alarms on
//! ordinary mail.

use std::collections::BTreeMap;
use std::path::Path;

use relance_message::inbound::{self, Classified};
use relance_message::mail::Mail;

use crate::accuracy::{Row, Score, reply_mail, tail, text, words};
use crate::corpora;

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct MadeMail {
    id: String,
    kind: String,
    until: Option<toml::value::Datetime>,
    headers: String,
    body: String,
}

#[derive(serde::Deserialize)]
struct MadeMails {
    mail: Vec<MadeMail>,
}

/// Made automatic answers, and mail that only sounds like one.
#[test]
fn auto_replies() {
    let rules = corpora::rules();
    let made: MadeMails = toml::from_str(include_str!("../data/auto-replies.toml"))
        .unwrap_or_else(|error| panic!("{error}"));
    let mut row = Row::new("made auto-replies");
    let (mut precision, mut recall) = (Score::default(), Score::default());
    let (mut kind, mut until) = (Score::default(), Score::default());
    for case in &made.mail {
        let bytes = format!(
            "From: Ann <ann@client.example>\r\nTo: sales@our.example\r\nDate: Sun, 22 Nov 2026 10:00:00 +0000\r\n\
             Message-ID: <a@client.example>\r\nContent-Type: text/plain; charset=utf-8\r\n{}\r\n\r\n{}",
            case.headers.trim(),
            case.body
        );
        let mail = Mail::parse(bytes.as_bytes()).expect("readable");
        let found = inbound::classify(&mail, rules);
        row.cases += 1;
        kind.count(found.kind() == case.kind);
        if found.kind() == "auto_reply" {
            precision.count(case.kind == "auto_reply");
        }
        if case.kind == "auto_reply" {
            recall.count(found.kind() == "auto_reply");
        }
        if found.kind() != case.kind {
            row.wrong.push(format!(
                "{}: {} is not {}",
                case.id,
                found.kind(),
                case.kind
            ));
            continue;
        }
        if let Classified::AutoReply(auto) = &found {
            let named = case.until.as_ref().map(ToString::to_string);
            let read = auto.until.map(|day| day.to_string());
            until.count(named == read);
            if named != read {
                row.wrong
                    .push(format!("{}: until {read:?} is not {named:?}", case.id));
            }
        }
    }
    row.score("precision", precision, 97.0);
    row.score("recall", recall, 97.0);
    row.score("kind", kind, 97.0);
    row.score("day named", until, 95.0);
    row.settle();
}

/// Languages of replies by parts of their files' names; the rest is English.
const LANGUAGES: &[(&str, &str)] = &[
    ("danish", "da"),
    ("finnish", "fi"),
    ("fr_multiline", "fr"),
    ("french", "fr"),
    ("_fr.", "fr"),
    ("german", "de"),
    ("italian", "it"),
    ("norwegian", "no"),
    ("portuguese", "pt"),
    ("russian", "ru"),
];

/// Reply text by language: labels of the corpora, and labels read by hand for the two that bring none.
#[test]
fn replies_by_language() {
    let rules = corpora::rules();
    let mut scores: BTreeMap<String, Score> = BTreeMap::new();
    let mut wrong = Vec::new();
    let mut read = |language: &str, path: &Path, expected: &[String]| {
        let body = String::from_utf8_lossy(&corpora::bytes(path)).into_owned();
        let mail = Mail::parse(&reply_mail(&body)).expect("readable");
        let own = match inbound::classify(&mail, rules) {
            Classified::Reply(reply) => reply.text,
            other => other.kind().to_owned(),
        };
        let right = expected.iter().any(|text| words(text) == words(&own));
        scores.entry(language.to_owned()).or_default().count(right);
        if !right {
            wrong.push(format!("{}: {:?}", path.display(), tail(&own)));
        }
    };
    for corpus in ["reply-crisp", "reply-zapier"] {
        let Some(folder) = corpora::folder(corpus) else {
            return;
        };
        for label in corpora::labels(&folder) {
            let name = text(&label, "path");
            let language = LANGUAGES
                .iter()
                .find(|(part, _)| name.contains(part))
                .map_or("en", |(_, language)| language);
            let mut expected = vec![text(&label, "visible_crisp").to_owned()];
            if label["asserted_upstream"] != true {
                expected.push(text(&label, "visible_zapier").to_owned());
            }
            read(language, &folder.join(name), &expected);
        }
    }
    // Path, language, and how many lines that are not empty are the author's.
    for line in include_str!("../data/replies.tsv").lines().skip(1) {
        let fields: Vec<&str> = line.split('\t').collect();
        let [corpus, file, language, own] = fields.as_slice() else {
            panic!("four fields: {line}");
        };
        let Some(folder) = corpora::folder(corpus) else {
            return;
        };
        let path = folder.join(file);
        let body = String::from_utf8_lossy(&corpora::bytes(&path)).into_owned();
        let own: usize = own.parse().expect("a count");
        let lines: Vec<&str> = body
            .lines()
            .filter(|line| !line.trim().is_empty())
            .take(own)
            .collect();
        read(language, &path, &[lines.join("\n")]);
    }
    println!("| language | replies | text exact |\n| --- | --- | --- |");
    let mut all = Score::default();
    for (language, score) in &scores {
        println!("| {language} | {} | {:.1} % |", score.of, score.share());
        all.of += score.of;
        all.right += score.right;
    }
    println!("| all | {} | {:.1} % |", all.of, all.share());
    if std::env::var_os("RELANCE_SHOW_WRONG").is_some() {
        for wrong in &wrong {
            println!("  {wrong}");
        }
    }
    assert!(all.share() >= 93.0, "{:.1} %", all.share());
    // Of two replies one is no share: such languages are printed, and count among all.
    for (language, score) in scores.iter().filter(|(_, score)| score.of > 2) {
        assert!(score.share() >= 90.0, "{language} {:.1} %", score.share());
    }
}

/// Every detector over all ordinary mail at hand: nothing of it is a bounce, a document or a wish of ours.
#[test]
fn false_positives_of_every_detector() {
    use relance_message::document::{self, AttachmentText, DocumentInput, DocumentRules};

    let rules = corpora::rules();
    let papers = DocumentRules::from_toml(include_str!("../../../../assets/rules/documents.toml"))
        .expect("the shipped rules compile");
    let mut row = Row::new("ordinary mail, all at hand");
    let detectors = [
        "bounce",
        "complaint",
        "auto_reply",
        "left company",
        "unsubscribe",
        "paid, will pay",
        "not interested, later",
        "document",
    ];
    let mut silent: BTreeMap<&str, Score> = detectors
        .iter()
        .map(|name| (*name, Score::default()))
        .collect();
    let mut mails: Vec<(String, Vec<u8>)> = Vec::new();
    for (corpus, endings) in [
        ("mime-mime4j", &[".msg"][..]),
        ("mime-mikelmail", &[".eml"][..]),
        ("dkim-vectors", &[".eml", ".msg", ".txt"][..]),
        ("reply-crisp", &[".txt"][..]),
        ("reply-github", &[".txt"][..]),
        ("reply-zapier", &[".txt"][..]),
        ("reply-willdurand", &[".txt"][..]),
        ("reply-alfonsrv", &[".txt"][..]),
    ] {
        let Some(folder) = corpora::folder(corpus) else {
            return;
        };
        for path in corpora::files(&folder, endings) {
            let name = path.to_string_lossy().into_owned();
            // Delivery notices themselves, as above.
            let notices = [
                "report",
                "bounce",
                "/badbound.msg",
                "mimepart_without_content_type",
            ];
            if notices.iter().any(|notice| name.contains(notice)) {
                continue;
            }
            let bytes = corpora::bytes(&path);
            let bytes = if corpus.starts_with("reply-") {
                reply_mail(&String::from_utf8_lossy(&bytes))
            } else {
                bytes
            };
            mails.push((name, bytes));
        }
    }
    for (name, bytes) in &mails {
        let Ok(mail) = Mail::parse(bytes) else {
            continue;
        };
        row.cases += 1;
        let found = inbound::classify(&mail, rules).to_json();
        let intent = found["intent"].as_str().unwrap_or("other");
        let attachments: Vec<AttachmentText<'_>> = mail
            .attachments
            .iter()
            .map(|attachment| AttachmentText {
                name: attachment.name.as_deref().unwrap_or_default(),
                content_type: &attachment.content_type,
                text: None,
            })
            .collect();
        let text = match inbound::classify(&mail, rules) {
            Classified::Reply(reply) => reply.text,
            _ => mail.text.clone(),
        };
        let input = DocumentInput {
            subject: &mail.subject,
            text: &text,
            attachments: &attachments,
            sent_on: None,
        };
        let fired: Vec<&str> = detectors
            .into_iter()
            .filter(|detector| match *detector {
                "left company" => found["reason"] == "left_company",
                "unsubscribe" => intent == "unsubscribe",
                "paid, will pay" => matches!(intent, "paid" | "will_pay"),
                "not interested, later" => matches!(intent, "not_interested" | "later"),
                "document" => document::find(&input, &papers).is_some(),
                kind => found["kind"] == kind,
            })
            .collect();
        for (detector, score) in &mut silent {
            score.count(!fired.contains(detector));
        }
        if !fired.is_empty() {
            row.wrong.push(format!("{name}: {}", fired.join(", ")));
        }
    }
    for detector in detectors {
        let floor = match detector {
            // Suggestions, shown beside a text about something else.
            "paid, will pay" | "not interested, later" => 98.0,
            "auto_reply" => 98.5,
            _ => 100.0,
        };
        row.score(detector, silent[detector], floor);
    }
    row.settle();
}
