//! The renderer of MJML against the reference implementation, over templates written by others.
//!
//! What is compared is structure: tables, cells, pictures, links, blocks. The reference merges
//! comments for Outlook and orders classes otherwise, so bytes cannot be.

#![expect(
    clippy::disallowed_methods,
    reason = "tests read the corpora from disk; the crate itself does not"
)]

use std::path::PathBuf;

use super::html::{Token, Tokens};

/// Share of the counts that must agree. Raise it when the renderer improves.
const AGREEMENT_FLOOR: f64 = 0.99;
/// Templates that must convert at all.
const CONVERTED_FLOOR: usize = 47;
const ELEMENTS: [&str; 6] = ["table", "td", "img", "a", "div", "style"];

fn corpora() -> Option<PathBuf> {
    let root = std::env::var("RELANCE_CORPORA").map_or_else(
        |_| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpora"),
        PathBuf::from,
    );
    let folder = root.join("mjml-templates");
    if folder.is_dir() {
        return Some(folder);
    }
    assert!(
        std::env::var("CI").is_err(),
        "the corpora are missing; set RELANCE_CORPORA"
    );
    eprintln!("skipped: the corpora are missing; set RELANCE_CORPORA to their folder");
    None
}

fn counts(html: &str) -> [usize; 6] {
    let mut found = [0; 6];
    for token in Tokens::new(html) {
        let Token::Tag(tag) = token else { continue };
        let name = &html[tag.name.clone()];
        if let Some(i) = ELEMENTS.iter().position(|e| *e == name)
            && !tag.closing
        {
            found[i] += 1;
        }
    }
    found
}

#[test]
fn structure_agrees_with_the_reference() {
    let Some(folder) = corpora() else { return };
    let labels = std::fs::read_to_string(folder.join("labels.json")).expect("labels");
    let labels: serde_json::Value = serde_json::from_str(&labels).expect("json");
    let cases = labels["cases"].as_array().expect("cases");
    let (mut converted, mut compared, mut agreed) = (0, 0, 0);
    println!(
        "{:<44} ours | reference: {}",
        "template",
        ELEMENTS.join(" ")
    );
    for case in cases {
        let file = case["file"].as_str().expect("file");
        let expected = case["expected"].as_str().expect("expected");
        let source = std::fs::read_to_string(folder.join(file)).expect("template");
        let reference = std::fs::read_to_string(folder.join(expected)).expect("reference");
        let ours = match super::mjml::convert(&source, file, 1) {
            Ok(converted) => converted.html,
            Err(problems) => {
                for problem in &problems {
                    println!("{problem}");
                    assert!(!problem.remedy.is_empty());
                }
                continue;
            }
        };
        assert!(!ours.contains("zqj"), "{file}: a placeholder is left");
        converted += 1;
        let (ours, theirs) = (counts(&ours), counts(&reference));
        compared += ELEMENTS.len();
        agreed += ours.iter().zip(&theirs).filter(|(a, b)| a == b).count();
        if ours != theirs {
            println!("{file:<44} {ours:?} | {theirs:?}");
        }
    }
    let share = agreed as f64 / compared as f64;
    println!(
        "{converted} of {} converted, {:.1} % of {compared} counts agree",
        cases.len(),
        share * 100.0
    );
    assert!(converted >= CONVERTED_FLOOR, "only {converted} converted");
    assert!(share >= AGREEMENT_FLOOR, "only {share:.3} agree");
}
