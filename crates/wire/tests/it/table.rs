//! Telephone numbers and addresses against lists that others keep.

use std::path::{Path, PathBuf};

use relance_wire::{address, phone};
use serde_json::Value;

/// The folder of a corpus, or `None` with a word on stderr. A missing folder fails in CI.
fn corpus(name: &str) -> Option<PathBuf> {
    let root = std::env::var_os("RELANCE_CORPORA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpora"),
        PathBuf::from,
    );
    let path = root.join(name);
    if path.is_dir() {
        return Some(path);
    }
    let is_ci = std::env::var("CI").as_deref() == Ok("true");
    assert!(!is_ci, "corpus {name} is missing: set RELANCE_CORPORA");
    eprintln!("skipped: corpus {name} not found, set RELANCE_CORPORA to the folder that holds it");
    None
}

#[test]
fn example_numbers_of_every_country_are_read() {
    let Some(folder) = corpus("phone") else {
        return;
    };
    let text = std::fs::read_to_string(folder.join("example_numbers.json")).unwrap();
    let numbers: Vec<Value> = serde_json::from_str(&text).unwrap();
    let mut wrong = Vec::new();
    let mut tried = 0;
    for number in &numbers {
        let field = |name: &str| number[name].as_str().unwrap_or_default();
        let (region, national, expected) = (field("region"), field("national"), field("e164"));
        tried += 1;
        // Worldwide services have no country: their numbers come with their code only.
        if region.len() == 2 && phone::e164(national, Some(region)).as_deref() != Ok(expected) {
            wrong.push(format!(
                "{national} of {region}: {:?}",
                phone::e164(national, Some(region))
            ));
        }
        if phone::e164(expected, None).as_deref() != Ok(expected) {
            wrong.push(format!("{expected}: {:?}", phone::e164(expected, None)));
        }
    }
    eprintln!("{tried} numbers, {} wrong: {wrong:#?}", wrong.len());
    assert!(tried > 1_000);
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn listed_domains_are_told() {
    let Some(folder) = corpus("addresses") else {
        return;
    };
    let lines = |path: &str| -> Vec<String> {
        let text = std::fs::read_to_string(folder.join(path)).unwrap();
        let is_domain =
            |line: &&str| line.contains('.') && !line.starts_with('#') && line.is_ascii();
        text.lines()
            .map(str::trim)
            .filter(is_domain)
            .map(str::to_owned)
            .collect()
    };
    let told = |domains: &[String], sort: fn(&address::Address) -> bool| {
        let is_told = |domain: &&String| {
            address::check(&format!("x@{domain}")).is_ok_and(|found| sort(&found))
        };
        domains.iter().filter(is_told).count()
    };
    let disposable = lines("disposable/disposable_email_blocklist.conf");
    assert_eq!(
        told(&disposable, |address| address.disposable),
        disposable.len()
    );
    let free = lines("freemail/data/free.txt");
    // A few are domains that do not exist, or are on both lists.
    let found = told(&free, |address| address.free_mail || address.disposable);
    assert!(
        found * 1000 >= free.len() * 995,
        "{found} of {}",
        free.len()
    );
}
