//! Any bytes as a bank statement of each format: read or refused, never a panic; keys differ, and what is read pays
//! nothing twice.
//!
//! `cargo +nightly fuzz run statement`.
#![no_main]

use std::collections::BTreeSet;

use libfuzzer_sys::fuzz_target;
use relance_wire::statement::parse;

fuzz_target!(|bytes: &[u8]| {
    for name in ["x.csv", "x.xml", "x.txt"] {
        let Ok(read) = parse(bytes, name) else {
            continue;
        };
        for part in &read.parts {
            let keys: BTreeSet<&str> = part.payments.iter().map(|one| one.key.as_str()).collect();
            assert_eq!(keys.len(), part.payments.len());
            for payment in &part.payments {
                assert!(payment.amount.is_positive() || payment.is_reversal);
            }
        }
    }
});
