//! The public codes are published.

use relance_core::ledger::{Reason, What};

#[test]
fn every_public_code_stands_in_the_guide() {
    let guide = include_str!("../../../../docs/guide/journeys.md");
    let codes = What::ALL.iter().map(|what| what.word());
    let codes = codes.chain(Reason::ALL.iter().map(|reason| reason.word()));
    let missing: Vec<&str> = codes
        .filter(|code| !guide.contains(&format!("`{code}`")))
        .collect();
    assert!(
        missing.is_empty(),
        "docs/guide/journeys.md does not tell of {missing:?}"
    );
}
