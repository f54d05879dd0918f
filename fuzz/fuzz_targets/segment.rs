//! Any bytes as a Segment request: calls, or reasons; never a panic.
//!
//! `cargo +nightly fuzz run segment`.
#![no_main]

use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use relance_wire::segment;

fuzz_target!(|bytes: &[u8]| {
    let now = Timestamp::UNIX_EPOCH;
    if let Ok(batch) = segment::parse_batch(bytes, now) {
        for call in batch.calls.into_iter().flatten() {
            assert!(!call.identities.is_empty());
            assert!(call.event.at <= now);
        }
    }
    let _call = segment::parse_call(bytes, None, now);
});
