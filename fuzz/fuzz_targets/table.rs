//! Any bytes as a table: guessed, cut into rows, mapped as suggested, each row a call or its problems; never
//! a panic, and the same rows however the bytes come.
//!
//! `cargo +nightly fuzz run table`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use relance_wire::table::call::Plan;
use relance_wire::table::mapping::{self, Mapping};
use relance_wire::table::record::{Records, Row, Step};
use relance_wire::table::suggest::suggest;
use relance_wire::table::{charset, guess};

/// Rows of one input that are looked at.
const ROWS_MAX: usize = 1_000;

fn rows(text: &str, delimiter: u8, piece: usize) -> Vec<Row> {
    let mut records = Records::new(delimiter);
    let mut row = Row::default();
    let mut found = Vec::new();
    let pieces = text.as_bytes().chunks(piece).chain([&[][..]]);
    for piece in pieces {
        let mut rest = piece;
        loop {
            let (used, step) = records.step(rest, &mut row);
            rest = &rest[used..];
            match step {
                Step::Row if found.len() < ROWS_MAX => found.push(row.clone()),
                Step::Row | Step::Skipped(_) => {}
                Step::More | Step::End => break,
            }
        }
    }
    found
}

fuzz_target!(|bytes: &[u8]| {
    let charset = charset::guess(bytes);
    let (text, _) = charset.encoding().decode_with_bom_removal(bytes);
    let delimiter = guess::delimiter(&text);
    let whole = rows(&text, delimiter, usize::MAX);
    let pieces = rows(&text, delimiter, 3);
    assert_eq!(whole.len(), pieces.len());
    let mut samples = guess::rows(&text, delimiter);
    if samples.is_empty() {
        return;
    }
    let heads = if guess::has_header(&samples) {
        samples.remove(0)
    } else {
        vec![String::new(); samples[0].len()]
    };
    let suggestions = suggest(&heads, &samples);
    let mapping = Mapping::of_suggestions(&heads, &suggestions);
    if let Ok(read) = mapping::parse(&mapping.to_yaml()) {
        assert_eq!(read, mapping);
    }
    let Ok(plan) = Plan::new(&mapping, &heads) else {
        return;
    };
    for row in &whole {
        match plan.call(row) {
            Ok(call) => assert!(!call.identities.is_empty()),
            Err(problems) => assert!(!problems.is_empty()),
        }
    }
});
