//! The pure crates: no async, no I/O, no clock, no randomness, no unordered iteration.
//!
//! Clippy enforces single functions and types by each crate's `clippy.toml`; here we see that the file
//! holds the whole list, and that whole modules of the standard library are not named at all.
//! Test code is exempt: it may read fixtures.

use super::arrows::{PURE, Package};
use super::lexer::{self, Kind, Token};
use super::{Finding, SourceFile};

const CHECK: &str = "pure";

/// What every pure crate's `clippy.toml` must disallow.
const DISALLOWED: [&str; 14] = [
    "std::time::SystemTime::now",
    "std::time::Instant::now",
    "jiff::Timestamp::now",
    "jiff::Zoned::now",
    "jiff::tz::TimeZone::system",
    "std::fs::read",
    "std::fs::read_to_string",
    "std::fs::write",
    "std::env::var",
    "std::thread::spawn",
    "std::collections::HashMap",
    "std::collections::HashSet",
    "std::fs::File",
    "std::net::TcpStream",
];

/// Modules of `std` that stand for the outside world.
const OUTSIDE: [&str; 5] = ["env", "fs", "net", "process", "thread"];

/// Words that a pure crate does not need, with what to write instead.
const WORDS: [(&str, &str); 7] = [
    ("HashMap", "use BTreeMap: its order is the same everywhere"),
    ("HashSet", "use BTreeSet: its order is the same everywhere"),
    ("SystemTime", "take `now` as an argument"),
    ("Instant", "take `now` as an argument"),
    ("RandomState", "derive chance from a hash of ids"),
    ("async", "return effects as data; the engine performs them"),
    ("await", "return effects as data; the engine performs them"),
];

pub fn check(packages: &[Package], files: &[SourceFile]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for package in packages {
        if !PURE.contains(&package.name.as_str()) {
            continue;
        }
        findings.extend(lint_file(package, files));
        let sources = format!("{}/src/", package.folder());
        let own: Vec<&SourceFile> = files
            .iter()
            .filter(|file| file.path.starts_with(&sources) && file.has_extension(&["rs"]))
            .collect();
        let tests: Vec<String> = own.iter().flat_map(|file| test_places(file)).collect();
        for file in own {
            if !tests.iter().any(|place| is_at(&file.path, place)) {
                findings.extend(source(file));
            }
        }
    }
    findings
}

/// The modules that a file declares as test code, as paths without `.rs`.
fn test_places(file: &SourceFile) -> Vec<String> {
    let stem = file.path.trim_end_matches(".rs");
    let (folder, name) = stem.rsplit_once('/').unwrap_or(("", stem));
    let below = if ["mod", "lib", "main"].contains(&name) {
        folder
    } else {
        stem
    };
    lexer::test_modules(&lexer::rust(&file.text))
        .into_iter()
        .map(|module| format!("{below}/{module}"))
        .collect()
}

/// Whether a file is the module of that place, or lies below it.
fn is_at(path: &str, place: &str) -> bool {
    path.strip_prefix(place)
        .is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
}

fn lint_file(package: &Package, files: &[SourceFile]) -> Vec<Finding> {
    let path = format!("{}/clippy.toml", package.folder());
    let text = files
        .iter()
        .find(|file| file.path == path)
        .map_or("", |file| file.text.as_str());
    DISALLOWED
        .iter()
        .filter(|name| {
            // A line that is commented out disallows nothing.
            !text.lines().any(|line| {
                !line.trim_start().starts_with('#') && line.contains(&format!("path = \"{name}\""))
            })
        })
        .map(|name| {
            Finding::error(
                CHECK,
                &path,
                1,
                format!("`{name}` is not disallowed in `{}`", package.name),
                "add it with its reason; crates/core/clippy.toml has the line",
            )
        })
        .collect()
}

fn source(file: &SourceFile) -> Vec<Finding> {
    let tokens = lexer::without_tests(&lexer::rust(&file.text));
    let mut findings = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        if token.kind != Kind::Identifier {
            continue;
        }
        if let Some(module) = outside_module(&tokens[at..]) {
            findings.push(Finding::error(
                CHECK,
                &file.path,
                token.line,
                format!("`std::{module}` in a pure crate"),
                "take the data as an argument; the caller does the I/O",
            ));
        }
        if let Some((word, remedy)) = WORDS.iter().find(|(word, _)| *word == token.text) {
            findings.push(Finding::error(
                CHECK,
                &file.path,
                token.line,
                format!("`{word}` in a pure crate"),
                *remedy,
            ));
        }
    }
    findings
}

/// `std::fs`, or one of those modules anywhere inside `std::{...}`.
fn outside_module<'a>(tokens: &[Token<'a>]) -> Option<&'a str> {
    let text = |at: usize| tokens.get(at).map_or("", |t| t.text);
    if text(0) != "std" || text(1) != ":" || text(2) != ":" {
        return None;
    }
    if text(3) != "{" {
        return OUTSIDE.contains(&text(3)).then(|| text(3));
    }
    tokens[4..]
        .iter()
        .take_while(|t| t.text != ";")
        .map(|t| t.text)
        .find(|word| OUTSIDE.contains(word))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{file, shown};
    use super::*;

    fn package(name: &str) -> Package {
        Package {
            name: name.to_owned(),
            manifest: "crates/core/Cargo.toml".to_owned(),
            dependencies: Vec::new(),
        }
    }

    fn whole_list() -> SourceFile {
        let lines: String = DISALLOWED
            .iter()
            .map(|name| format!("    {{ path = \"{name}\", reason = \"r\" }},\n"))
            .collect();
        file("crates/core/clippy.toml", &lines)
    }

    fn findings(source: &str) -> String {
        let files = [whole_list(), file("crates/core/src/lib.rs", source)];
        shown(&check(&[package("relance-core")], &files))
    }

    #[test]
    fn modules_of_the_outside_world_are_found_in_every_spelling() {
        assert_eq!(
            findings("use std::fs;\nuse std::{fmt, net::TcpStream};\nfn f() { ::std::env::var; }"),
            "crates/core/src/lib.rs:1 `std::fs` in a pure crate\n\
             crates/core/src/lib.rs:2 `std::net` in a pure crate\n\
             crates/core/src/lib.rs:3 `std::env` in a pure crate\n"
        );
    }

    #[test]
    fn unordered_maps_clocks_and_async_are_found() {
        assert_eq!(
            findings("async fn f() {}\ntype M = HashMap<u8, u8>;"),
            "crates/core/src/lib.rs:1 `async` in a pure crate\n\
             crates/core/src/lib.rs:2 `HashMap` in a pure crate\n"
        );
    }

    #[test]
    fn comments_strings_tests_and_lookalikes_are_left_alone() {
        assert_eq!(
            findings(
                "//! No std::fs, no async.\nconst S: &str = \"std::fs HashMap\";\n\
                 use std::fmt; fn environment(net: u8) {}\n\
                 #[cfg(test)] mod tests { use std::fs; use std::collections::HashMap; }"
            ),
            ""
        );
    }

    #[test]
    fn test_modules_in_files_of_their_own_are_left_alone() {
        let files = [
            whole_list(),
            file(
                "crates/core/src/a.rs",
                "#[cfg(test)]\nmod golden;\nmod real;",
            ),
            file("crates/core/src/a/golden.rs", "use std::fs;"),
            file("crates/core/src/a/golden/more.rs", "use std::fs;"),
            file("crates/core/src/a/real.rs", "use std::fs;"),
        ];
        assert_eq!(
            shown(&check(&[package("relance-core")], &files)),
            "crates/core/src/a/real.rs:1 `std::fs` in a pure crate\n"
        );
    }

    #[test]
    fn other_crates_may_do_io() {
        let files = [file("crates/core/src/lib.rs", "use std::fs;")];
        assert_eq!(shown(&check(&[package("relance-engine")], &files)), "");
    }

    #[test]
    fn a_hole_in_the_lint_file_is_found() {
        let text = whole_list().text.replace(
            "    { path = \"std::fs::read\",",
            "    # { path = \"std::fs::read\",",
        );
        let files = [file("crates/core/clippy.toml", &text)];
        assert_eq!(
            shown(&check(&[package("relance-core")], &files)),
            "crates/core/clippy.toml:1 `std::fs::read` is not disallowed in `relance-core`\n"
        );
    }

    #[test]
    fn a_missing_lint_file_lists_everything() {
        let got = check(&[package("relance-core")], &[]);
        assert_eq!(got.len(), DISALLOWED.len());
    }
}
