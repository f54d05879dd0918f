//! Any bytes as a message: parse, classify, print. Nothing may panic, hang or grow without bound.
//!
//! `cargo +nightly fuzz run mail -- -timeout=5 -rss_limit_mb=512`; give it a folder of real mail
//! as its corpus to start from.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use relance_message::inbound::{self, InboundRules, smtp_reply};
use relance_message::mail::Mail;

static RULES: LazyLock<InboundRules> = LazyLock::new(|| {
    InboundRules::from_toml(
        include_str!("../../assets/rules/bounces.toml"),
        include_str!("../../assets/rules/replies.toml"),
    )
    .expect("the shipped rules compile")
});

fuzz_target!(|bytes: &[u8]| {
    if let Ok(mail) = Mail::parse(bytes) {
        let found = inbound::classify(&mail, &RULES);
        assert!(found.to_json()["kind"].is_string());
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        smtp_reply::classify(&RULES, None, text);
    }
});
