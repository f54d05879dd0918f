//! `relance demo`, as fast as it goes: what a newcomer is shown is true of the outbox and the ledger.

use std::path::Path;
use std::process::{Command, Output};

use relance_message::mail::Mail;
use serde_json::Value;

/// Plays a demonstration into a folder.
fn demo(data: &Path, seed: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_relance"))
        .args(["demo", "--speed", "0", "--days", "10", "--exit", "--json"])
        .args(["--listen", "127.0.0.1:0", "--seed", seed, "--data"])
        .arg(data)
        .output()
        .unwrap()
}

/// The lines of the account, and the summary behind them.
fn lines(output: &Output) -> (Vec<Value>, Value) {
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    let mut lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let summary = lines.pop().unwrap();
    assert_eq!(summary["what"], "summary");
    (lines, summary)
}

fn is(line: &Value, what: &str) -> bool {
    line["what"] == what
}

/// Reminders to documents, as they lie in the outbox.
fn reminders(data: &Path) -> Vec<Mail> {
    let mut paths: Vec<_> = std::fs::read_dir(data.join("outbox"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    let mails = paths
        .iter()
        .map(|path| Mail::parse(&std::fs::read(path).unwrap()).unwrap());
    mails
        .filter(|mail| mail.author().unwrap().email != "hello@northlight.example")
        .collect()
}

#[test]
fn the_demonstration_shows_what_the_engine_did() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("one");
    let (lines, summary) = lines(&demo(&data, "1"));

    // Documents are recognised by their mails' bytes, in three languages.
    let documents = |what: &str| lines.iter().filter(|line| is(line, what)).count();
    let sent = documents("offer") + documents("invoice");
    assert!(sent >= 12, "{summary}");
    assert_eq!(summary["recognised"], sent, "{summary}");
    for line in lines.iter().filter(|line| is(line, "offer")) {
        assert_eq!(line["recognised"]["number"], line["document"], "{line}");
        assert!(line["recognised"]["amount"].is_string(), "{line}");
    }

    // Reminders lie in the outbox, in the thread of their document.
    let reminders = reminders(&data);
    assert!(reminders.len() >= 3, "{summary}");
    assert_eq!(summary["reminders"], reminders.len(), "{summary}");
    for mail in &reminders {
        assert!(mail.subject.starts_with("Re: "), "{}", mail.subject);
        let first = mail.in_reply_to.first().unwrap();
        assert!(first.starts_with("doc."), "{first}");
        assert_eq!(mail.references.last(), Some(first));
    }

    // Nobody who replied gets another reminder.
    for (place, line) in lines.iter().enumerate() {
        if is(line, "stopped") {
            let later = lines[place..].iter();
            let again = later
                .filter(|other| is(other, "sent") && other["document"] == line["document"])
                .count();
            assert_eq!(again, 0, "{line}");
        }
    }
    assert!(
        summary["stopped"]["Replied"].as_u64() >= Some(2),
        "{summary}"
    );
    let answered = lines.iter().find(|line| {
        is(line, "stopped")
            && lines
                .iter()
                .any(|sent| is(sent, "sent") && sent["document"] == line["document"])
    });
    assert!(answered.is_some(), "a reminder must have been answered");

    // R1: while a mailbox cannot be read its reminders are held. What was answered meanwhile never goes;
    // what was not goes after the mailbox was read.
    let held: Vec<&Value> = lines
        .iter()
        .filter(|line| is(line, "held") && line["reason"] == "mailbox_not_synced")
        .collect();
    assert!(held.len() >= 2, "{summary}");
    let fate = |line: &Value, what: &str| {
        lines
            .iter()
            .any(|other| is(other, what) && other["document"] == line["document"])
    };
    assert!(
        held.iter()
            .any(|line| fate(line, "stopped") && !fate(line, "sent"))
    );
    assert!(held.iter().any(|line| fate(line, "sent")));
}

#[test]
fn a_seed_tells_the_same_story_twice_and_another_seed_another_one() {
    let folder = tempfile::tempdir().unwrap();
    let play = |name: &str, seed: &str| demo(&folder.path().join(name), seed).stdout;
    let first = play("first", "7");
    assert!(!first.is_empty());
    assert!(first == play("second", "7"), "the accounts differ");
    assert!(first != play("third", "8"));
}

#[test]
fn a_folder_with_a_workspace_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("relance.toml"), "").unwrap();
    let output = demo(folder.path(), "1");
    assert_eq!(output.status.code(), Some(1));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(errors.contains("holds a workspace"), "{errors}");
    assert!(!folder.path().join("relance.db").exists());
}
