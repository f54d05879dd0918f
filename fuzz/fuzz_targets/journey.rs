//! Any text as a journey: published, or refused with lines; never a panic.
//!
//! `cargo +nightly fuzz run journey`; `docs/examples/journeys` and `assets/scenarios/*/journeys` are a corpus to start from.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Err(problems) = relance_wire::journey::publish(text, 1) {
        assert!(!problems.is_empty());
        assert!(problems.iter().all(|problem| problem.line >= 1));
    }
    let _calendar = relance_wire::calendar::parse(text);
});
