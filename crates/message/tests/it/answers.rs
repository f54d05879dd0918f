//! Short answers and what they want: a labelled table in two halves, one that the rules were written with and one that
//! was read once; numbers that mails name; absences and those who left; the text of replies of known mail programs.
//!
//! `cargo nextest run -p relance-message -E 'test(answers)' --no-capture` prints the table.

use std::collections::BTreeMap;

use relance_message::inbound::{self, Classified};
use relance_message::mail::Mail;

use crate::corpora;

const TUNING: &str = include_str!("../data/answers/tuning.tsv");
const HELD_OUT: &str = include_str!("../data/answers/held-out.tsv");
/// The day on which all answers of the table were written.
const SENT: &str = "Wed, 25 Nov 2026 11:00:00 +0300";

fn reply(text: &str) -> serde_json::Value {
    let bytes = format!(
        "From: a@client.example\nTo: b@us.example\nDate: {SENT}\nSubject: Re: x\nMessage-ID: <1@client.example>\n\
         In-Reply-To: <0@us.example>\nContent-Type: text/plain; charset=utf-8\n\n{text}\n"
    );
    let mail = Mail::parse(bytes.as_bytes()).expect("readable");
    inbound::classify(&mail, corpora::rules()).to_json()
}

struct Case {
    intent: String,
    date: Option<String>,
    text: String,
}

fn cases(table: &str) -> Vec<Case> {
    let lines = table.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let fields: Vec<&str> = line.splitn(3, '\t').collect();
            Case {
                intent: fields[0].to_owned(),
                date: Some(fields[1].to_owned()).filter(|date| date != "-"),
                text: fields[2].replace("\\n", "\n"),
            }
        })
        .collect()
}

/// Prints a Markdown row for each intent; gives the shares of right intents and right days, in percent.
fn measure(name: &str, table: &str) -> (f64, f64) {
    let cases = cases(table);
    // By intent: found and right, found, labelled.
    let mut counts: BTreeMap<String, [usize; 3]> = BTreeMap::new();
    let (mut right, mut days, mut days_right) = (0, 0, 0);
    for case in &cases {
        let found = reply(&case.text);
        assert_eq!(found["kind"], "reply", "{}", case.text);
        let intent = found["intent"].as_str().expect("an intent").to_owned();
        let sure = found["intent_confidence"].as_f64().expect("a number");
        assert!((0.0..=1.0).contains(&sure));
        counts.entry(intent.clone()).or_default()[1] += 1;
        let own = counts.entry(case.intent.clone()).or_default();
        own[2] += 1;
        if intent == case.intent {
            own[0] += 1;
            right += 1;
        } else {
            println!(
                "  {name}: {:?} is {}, read as {intent}",
                case.text, case.intent
            );
        }
        if case.date.is_some() || matches!(case.intent.as_str(), "will_pay" | "later") {
            days += 1;
            let day = found["intent_date"].as_str().map(str::to_owned);
            if day == case.date {
                days_right += 1;
            } else {
                println!(
                    "  {name}: {:?} is for {:?}, read as {day:?}",
                    case.text, case.date
                );
            }
        }
    }
    println!("| {name} | intent | answers | precision | recall |\n| --- | --- | --- | --- | --- |");
    for (intent, [both, found, labelled]) in &counts {
        let share = |of: usize| 100.0 * *both as f64 / of.max(1) as f64;
        println!(
            "| {name} | {intent} | {labelled} | {:.0} | {:.0} |",
            share(*found),
            share(*labelled)
        );
    }
    let share = |right: usize, of: usize| 100.0 * right as f64 / of.max(1) as f64;
    let (intents, dates) = (share(right, cases.len()), share(days_right, days));
    println!(
        "| {name} | all | {} | {intents:.0} | day {dates:.0} of {days} |",
        cases.len()
    );
    (intents, dates)
}

#[test]
fn answers_that_the_rules_were_written_with() {
    let (intents, days) = measure("tuning", TUNING);
    assert!(intents >= 97.0 && days >= 95.0, "{intents} {days}");
}

#[test]
fn answers_that_were_held_out() {
    let (intents, days) = measure("held out", HELD_OUT);
    assert!(intents >= 85.0 && days >= 80.0, "{intents} {days}");
}

#[test]
fn a_long_mail_wants_nothing_plain() {
    let long = "We met your colleague at the fair and talked about the new line of products for the coming season. ".repeat(12);
    assert_eq!(
        reply(&format!(
            "{long}\nWe paid the deposit of the old order last year."
        ))["intent"],
        "other"
    );
    // What is plain in the first words stays.
    assert_eq!(
        reply(&format!("Unsubscribe.\n{long}"))["intent"],
        "unsubscribe"
    );
}

/// Real replies of lists and help desks: none of them is about our documents, and what acts by itself must not be read
/// into any.
#[test]
fn real_replies_of_others_want_nothing_that_is_obeyed() {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let mut all = 0;
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
            let found = reply(&body);
            all += 1;
            let intent = found["intent"].as_str().unwrap_or("none").to_owned();
            if !matches!(intent.as_str(), "other" | "question") {
                let text: String = found["text"]
                    .as_str()
                    .unwrap_or_default()
                    .chars()
                    .take(120)
                    .collect();
                println!("  {}: {intent}: {text:?}", path.display());
            }
            *counts.entry(intent).or_default() += 1;
        }
    }
    println!("| real replies of others | {all} | {counts:?} |");
    let of = |intent: &str| counts.get(intent).copied().unwrap_or(0);
    assert_eq!(of("unsubscribe"), 0);
    assert!(
        20 * (of("paid") + of("will_pay") + of("not_interested") + of("later")) <= all,
        "{counts:?}"
    );
}

#[test]
fn numbers_of_documents_are_named() {
    let rules = corpora::rules();
    for (subject, text, expected) in [
        ("по счёту № 123", "Когда отгрузка?", vec!["123"]),
        ("Re your offer Q-2026-15", "ok", vec!["q-2026-15"]),
        ("見積書 2026-042 について", "お願いします", vec!["2026-042"]),
        (
            "Вопрос",
            "Добрый день! Счёт 17 и счёт-фактуру 18 получили.",
            vec!["17", "18"],
        ),
        ("Rechnung Nr. 4711", "bezahlt", vec!["4711"]),
        (
            "Invoice #88",
            "paid on 15.12.2026 at 10:30, call +49 30 1234567",
            vec!["88"],
        ),
        (
            "Hello",
            "We have 25 people in 3 offices since 2019, write to a1@b2.example",
            vec![],
        ),
        ("請求書１２３の件", "", vec!["123"]),
    ] {
        let found: Vec<String> = inbound::numbers(subject, text, rules)
            .into_iter()
            .map(|one| one.number)
            .collect();
        assert_eq!(found, expected, "{subject} / {text}");
    }
    let sure = |text: &str| inbound::numbers(text, "", rules)[0].is_distinctive;
    assert!(sure("Q-2026-15") && sure("invoice 2026042"));
    assert!(!sure("invoice 12"));
}

fn absent(body: &str) -> serde_json::Value {
    let bytes = format!(
        "From: John <john@acme.example>\nTo: sales@us.example\nDate: {SENT}\nSubject: Automatic reply\nAuto-Submitted: auto-replied\n\
         In-Reply-To: <0@us.example>\nContent-Type: text/plain; charset=utf-8\n\n{body}\n"
    );
    let mail = Mail::parse(bytes.as_bytes()).expect("readable");
    inbound::classify(&mail, corpora::rules()).to_json()
}

#[test]
fn the_last_day_of_an_absence_is_not_the_day_of_return() {
    for (body, until, returns) in [
        (
            "I am out of the office until 7 December.",
            "2026-12-07",
            "2026-12-07",
        ),
        (
            "I am out of the office through 4 December.",
            "2026-12-04",
            "2026-12-05",
        ),
        (
            "Back in the office on December 7th.",
            "2026-12-07",
            "2026-12-07",
        ),
        ("Я в отпуске по 6 декабря.", "2026-12-06", "2026-12-07"),
        (
            "Отсутствую до 7 декабря включительно.",
            "2026-12-07",
            "2026-12-08",
        ),
        (
            "12月4日まで休暇をいただいております。",
            "2026-12-04",
            "2026-12-05",
        ),
        (
            "Ich bin bis einschließlich 4. Dezember nicht im Büro.",
            "2026-12-04",
            "2026-12-05",
        ),
    ] {
        let found = absent(body);
        assert_eq!(
            (&found["until"], &found["returns"]),
            (&until.into(), &returns.into()),
            "{body}: {found}"
        );
    }
}

#[test]
fn who_left_tells_where_to_write() {
    for (body, address) in [
        (
            "John no longer works for ACME. Please write to Info@acme.example or call us.",
            Some("info@acme.example"),
        ),
        (
            "Иван Петров больше не работает в компании. Пишите: sales2@acme.example.",
            Some("sales2@acme.example"),
        ),
        ("田中は退職いたしました。", None),
        ("John (john@acme.example) has left the company.", None),
    ] {
        let found = absent(body);
        assert_eq!(found["reason"], "left_company", "{body}");
        assert_eq!(found["new_address"].as_str(), address, "{body}");
    }
}

#[test]
fn replies_of_known_programs_are_cut_and_what_they_quote_is_kept() {
    for (program, body, own, quotes) in [
        (
            "Outlook, German",
            "Bezahlt.\n\nVon: Anna <a@us.example>\nGesendet: Mittwoch, 25. November 2026 10:00\nAn: Bob <b@x.example>\nBetreff: Rechnung 12\n\nSehr geehrter Herr",
            "Bezahlt.",
            "Rechnung 12",
        ),
        (
            "Outlook, Japanese",
            "承知しました。\n\n________________________________\n差出人: 田中 <t@us.example>\n送信日時: 2026年11月25日 10:00\n宛先: 鈴木 <s@x.example>\n件名: 請求書 12\n\nお世話になっております。",
            "承知しました。",
            "請求書 12",
        ),
        (
            "Outlook, Russian",
            "Оплатили.\n\nFrom: Анна <a@us.example>\nSent: Wednesday, November 25, 2026 10:00 AM\nTo: Борис <b@x.example>\nSubject: Счёт 12\n\nДобрый день!",
            "Оплатили.",
            "Добрый день!",
        ),
        (
            "Gmail, Russian",
            "Да\n\nср, 25 нояб. 2026 г. в 10:00, Анна Петрова <a@us.example>:\n\n> Счёт 12\n> во вложении\n",
            "Да",
            "Счёт 12",
        ),
        (
            "Gmail, German",
            "Ja\n\nAm Mi., 25. Nov. 2026 um 10:00 Uhr schrieb Anna <a@us.example>:\n\n> Rechnung 12\n",
            "Ja",
            "Rechnung 12",
        ),
        (
            "Gmail, Japanese",
            "はい\n\n2026年11月25日(水) 10:00 田中 <t@us.example>:\n\n> 請求書\n",
            "はい",
            "請求書",
        ),
        (
            "Apple Mail, Russian",
            "Оплатим в пятницу\n\n> 25 нояб. 2026 г., в 10:00, Анна <a@us.example> написал(а):\n> \n> Счёт 12\n",
            "Оплатим в пятницу",
            "Счёт 12",
        ),
        (
            "Apple Mail, Japanese",
            "了解です\n\niPhoneから送信\n\n> 2026/11/25 10:00、田中 <t@us.example>のメール:\n> \n> 請求書\n",
            "了解です",
            "請求書",
        ),
        (
            "Apple Mail, German",
            "Danke\n\n> Am 25.11.2026 um 10:00 schrieb Anna <a@us.example>:\n> \n> Rechnung\n",
            "Danke",
            "Rechnung",
        ),
        (
            "Yandex",
            "Оплатили\n\n25.11.2026, 10:00, \"Анна Петрова\" <a@us.example>:\n> Счёт 12\n\n-- \nС уважением, Борис\n",
            "Оплатили",
            "Счёт 12",
        ),
        (
            "Mail.ru",
            "Оплатили\n\n--\nБорис\nОтправлено из Почты Mail.ru\n\n>Среда, 25 ноября 2026, 10:00 +03:00 от Анна <a@us.example>:\n> \n>Счёт 12\n",
            "Оплатили",
            "Счёт 12",
        ),
        (
            "Thunderbird, inline",
            "On 25.11.26 10:00, Anna wrote:\n> Is the amount right?\n\nYes.\n\n> And the address?\n\nPlease change it.\n",
            "Yes.\n\nPlease change it.",
            "Is the amount right?",
        ),
        (
            "Outlook for the phone",
            "Ok, paid\n\nGet Outlook for Android\n________________________________\nFrom: Anna <a@us.example>\nSent: Wednesday, November 25, 2026 10:00:00 AM\nTo: Bob <b@x.example>\nSubject: Invoice 12\n\nDear Bob",
            "Ok, paid",
            "Dear Bob",
        ),
    ] {
        let found = reply(body);
        assert_eq!(found["text"], own, "{program}");
        let quoted = found["quoted"].as_str().unwrap_or_default();
        assert!(quoted.contains(quotes), "{program}: {quoted}");
        assert!(quoted.chars().count() <= inbound::QUOTED_CHARS_MAX);
    }
    assert!(matches!(
        inbound::classify(
            &Mail::parse(b"From: a@b.cc\n\nHi").expect("readable"),
            corpora::rules()
        ),
        Classified::Reply(_)
    ));
}
