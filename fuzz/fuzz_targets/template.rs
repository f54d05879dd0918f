//! Any text as a template: compiled and rendered, or refused; never a panic.
//!
//! `cargo +nightly fuzz run template`; `assets/scenarios/*/templates` is a corpus to start from.
#![no_main]

use libfuzzer_sys::fuzz_target;
use relance_message::outbound::{Template, TemplateSource};

fuzz_target!(|text: &str| {
    for name in ["any.mjml", "any.html", "any.txt"] {
        if let Ok(source) = TemplateSource::parse(name, text)
            && let Ok(template) = Template::compile(&source)
        {
            let context = serde_json::json!({ "contact": { "name": "Ana" } });
            let _rendered = template.render(&context);
        }
    }
});
