//! The ready-made journeys do what a good salesperson would: each story is played on a virtual clock.
//!
//! Stories are texts in `tests/golden/ready-made`, one file a journey: a title, where the contact lives, what happens,
//! until when the clock runs, and behind `>` what is seen. Written anew with `RELANCE_WRITE_GOLDEN=1`.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::played::Stage;

const WRITE: &str = "RELANCE_WRITE_GOLDEN";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/ready-made")
}

fn files() -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files
}

/// A story as it was written, with what is seen when it is played.
fn played(story: &str) -> String {
    let mut told = String::new();
    let mut place: Option<(Vec<&str>, &str, &str)> = None;
    let mut stage: Option<Stage> = None;
    for line in story.lines() {
        if line.starts_with('>') {
            continue;
        }
        told.push_str(line);
        told.push('\n');
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "#" => {}
            "in" => {
                // in ru Europe/Moscow: offer-no-reply
                let (place_of, journeys) =
                    rest.split_once(": ").expect("`in CALENDAR ZONE: JOURNEYS`");
                let (calendar, zone) = place_of.split_once(' ').expect("a calendar and a zone");
                place = Some((journeys.split(", ").collect(), calendar, zone));
            }
            _ => {
                let (journeys, calendar, zone) = place.as_ref().expect("`in` comes first");
                // A Segment event behind its moment: 2026-12-01T10:00 Document Sent {...}
                let stage = stage.get_or_insert_with(|| {
                    let traits = json!({ "email": "ann@client.example", "name": "Ann", "owner": "emma@firm.example",
                        "timezone": zone, "calendar": calendar });
                    Stage::in_zone(journeys, &traits, zone, word)
                });
                if word == "until" {
                    stage.until(rest);
                } else {
                    stage.until(word);
                    let (event, properties) =
                        rest.split_once(" {").expect("an event and its properties");
                    let properties: Value = serde_json::from_str(&format!("{{{properties}"))
                        .unwrap_or_else(|error| panic!("{line}: {error}"));
                    stage.track(event, properties);
                }
            }
        }
    }
    for line in &stage.expect("something happens").lines {
        told.push_str(&format!("> {line}\n"));
    }
    told
}

#[test]
fn every_ready_made_story_comes_true() {
    let mut wrong = Vec::new();
    let mut stories = 0;
    for path in files() {
        let text = std::fs::read_to_string(&path).unwrap();
        let all: Vec<&str> = text.trim_end().split("\n\n").collect();
        stories += all.len();
        let again: Vec<String> = all.iter().map(|story| played(story)).collect();
        let again = again.join("\n");
        if std::env::var_os(WRITE).is_some() {
            std::fs::write(&path, again).unwrap();
        } else if again != text {
            wrong.push(format!("{}:\n{again}", path.display()));
        }
    }
    assert!(stories >= 25, "{stories} stories");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_ready_made_journey_has_its_stories() {
    let scenarios = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets/scenarios");
    let told: String = files()
        .iter()
        .map(|path| std::fs::read_to_string(path).unwrap())
        .collect();
    for scenario in ["b2b-reminders", "b2b-follow-up"] {
        for entry in std::fs::read_dir(scenarios.join(scenario).join("journeys")).unwrap() {
            let path = entry.unwrap().path();
            let id = path.file_stem().unwrap().to_str().unwrap();
            assert!(told.contains(id), "{id} has no story");
        }
    }
}
