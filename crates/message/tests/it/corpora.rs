//! Where the real material lies, and how it is read.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use relance_message::inbound::InboundRules;
use serde_json::Value;

/// The corpora's folder, or `None` with a word on stderr. A missing folder fails in CI.
pub fn folder(name: &str) -> Option<PathBuf> {
    let root = std::env::var_os("RELANCE_CORPORA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpora"),
        PathBuf::from,
    );
    let path = root.join(name);
    if path.is_dir() {
        return Some(path);
    }
    assert!(
        std::env::var("CI").as_deref() != Ok("true"),
        "corpus {name} is missing: set RELANCE_CORPORA to the folder that holds it"
    );
    eprintln!("skipped: corpus {name} not found, set RELANCE_CORPORA to the folder that holds it");
    None
}

/// Files below a folder whose name ends with one of `endings`, sorted.
pub fn files(folder: &Path, endings: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("folder is readable") {
            let path = entry.expect("entry is readable").path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if path.is_dir() {
                folders.push(path);
            } else if endings.iter().any(|ending| name.ends_with(ending)) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

pub fn bytes(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Lines of a `labels.jsonl`.
pub fn labels(folder: &Path) -> Vec<Value> {
    let text = String::from_utf8(bytes(&folder.join("labels.jsonl"))).expect("labels are UTF-8");
    text.lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| serde_json::from_str(line).expect("labels are JSON"))
        .collect()
}

/// The shipped rules, compiled once per test process.
pub fn rules() -> &'static InboundRules {
    static RULES: LazyLock<InboundRules> = LazyLock::new(compiled);
    &RULES
}

fn compiled() -> InboundRules {
    InboundRules::from_toml(
        include_str!("../../../../assets/rules/bounces.toml"),
        include_str!("../../../../assets/rules/replies.toml"),
    )
    .expect("the shipped rules compile")
}
