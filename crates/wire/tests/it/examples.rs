//! The journeys that come with the program and with its guide.

use std::path::{Path, PathBuf};

use relance_core::journey::{On, StepKind};
use relance_wire::journey::publish;

use crate::schema;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn yaml_files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "yaml"))
        .collect();
    files.sort();
    files
}

/// Every journey of the guide and of the scenario library, with its file's name.
pub fn all() -> Vec<(String, String)> {
    let mut files = yaml_files(&root().join("docs/examples/journeys"));
    for scenario in std::fs::read_dir(root().join("assets/scenarios")).unwrap() {
        let journeys = scenario.unwrap().path().join("journeys");
        if journeys.is_dir() {
            files.extend(yaml_files(&journeys));
        }
    }
    let read = |path: &PathBuf| {
        let text = std::fs::read_to_string(path).unwrap();
        (path.display().to_string(), text)
    };
    files.iter().map(read).collect()
}

#[test]
fn every_example_is_published_and_keeps_to_the_schema() {
    let mut wrong = Vec::new();
    for (file, text) in all() {
        for problem in publish(&text, 1).err().unwrap_or_default() {
            wrong.push(format!("{file}: {problem}"));
        }
        wrong.extend(schema::against(&text).map(|error| format!("{file}: schema: {error}")));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_examples_use_every_trigger_and_every_step() {
    let mut triggers = std::collections::BTreeSet::new();
    let mut steps = std::collections::BTreeSet::new();
    for (_, text) in all() {
        let journey = publish(&text, 1).unwrap();
        steps.extend(journey.steps.iter().map(|step| step.kind.word()));
        triggers.insert(match journey.trigger.on {
            On::Event(event) if event.as_str() == "Form Submitted" => "form",
            On::Event(_) => "event",
            On::SegmentEntered(_) => "segment_entered",
            On::SegmentLeft(_) => "segment_left",
            On::Changed { .. } => "changed",
            On::Inactive { .. } => "inactive",
            On::Date { .. } => "date",
            On::Schedule { .. } => "schedule",
            On::Manual => "manual",
            On::Api => "api",
        });
    }
    assert_eq!(triggers.len(), 10, "{triggers:?}");
    // Twelve words in all.
    assert_eq!(steps.len(), 12, "{steps:?}");
    assert!(steps.contains(StepKind::<()>::Stop.word()));
}

#[test]
fn ids_of_examples_differ_and_begun_journeys_are_there() {
    let journeys: Vec<_> = all()
        .iter()
        .map(|(_, text)| publish(text, 1).unwrap())
        .collect();
    let ids: std::collections::BTreeSet<_> = journeys.iter().map(|journey| &journey.id).collect();
    assert_eq!(ids.len(), journeys.len());
    for journey in &journeys {
        for step in &journey.steps {
            if let StepKind::Enroll(id) = &step.kind {
                assert!(ids.contains(id), "{} begins {id}", journey.id);
            }
        }
    }
}

#[test]
fn journeys_written_out_in_the_guide_are_published() {
    let guide = std::fs::read_to_string(root().join("docs/guide/journeys.md")).unwrap();
    let blocks: Vec<&str> = guide
        .split("```yaml\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .filter(|block| block.starts_with("format:"))
        .collect();
    assert!(!blocks.is_empty());
    for block in blocks {
        assert_eq!(publish(block, 1).err(), None);
        assert_eq!(schema::against(block), None);
    }
}

#[test]
fn the_journeys_of_the_guide_s_pages_are_published_too() {
    let page = std::fs::read_to_string(root().join("docs/guide/replies.md")).unwrap();
    let blocks = page.split("```yaml\n").skip(1);
    let texts: Vec<&str> = blocks
        .filter_map(|block| block.split("```").next())
        .collect();
    assert!(texts.len() >= 2);
    for text in texts {
        publish(text, 1).unwrap_or_else(|problems| panic!("{problems:#?}"));
        assert_eq!(schema::against(text), None);
    }
}
