//! SQL lives in `crates/store`, in named files with a comment each.
//!
//! A statement in another crate could forget a rule that the store keeps (one transaction, listed
//! columns, time as a parameter), and the other dialect would never learn of it.

use std::collections::BTreeMap;

use super::lexer::{self, Kind, Token};
use super::{Finding, SourceFile};

const LITERALS: &str = "sql-literals";
const FILES: &str = "sql-files";

const STORE: &str = "crates/store/";
/// One folder a dialect.
const NAMED: &str = "crates/store/sql/";
/// Files that one implementation reads for every dialect: a statement without its twin would leave a page
/// without an answer on one database. Each dialect has a writer of its own, and their statements differ
/// on purpose (PostgreSQL's gather a batch, since a round trip is dear; SQLite's name one row), so those
/// files owe each other nothing: that a writer has all of its own and no more is checked when they load.
const SHARED: [&str; 1] = ["read.sql"];

/// Clocks that dialects offer inside a statement.
const CLOCKS: [&str; 9] = [
    "now",
    "current_timestamp",
    "current_time",
    "current_date",
    "datetime",
    "strftime",
    "julianday",
    "unixepoch",
    "clock_timestamp",
];

/// Strings that are SQL statements, in crates other than the store.
pub fn check_literals(files: &[SourceFile]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in files {
        let outside = file.path.starts_with("crates/") && !file.path.starts_with(STORE);
        if !outside || !file.has_extension(&["rs"]) {
            continue;
        }
        for token in lexer::rust(&file.text) {
            if token.kind != Kind::Text {
                continue;
            }
            if let Some(verb) = statement(token.text) {
                findings.push(Finding::error(
                    LITERALS,
                    &file.path,
                    token.line,
                    format!("a string that is an SQL {verb} outside crates/store"),
                    "add a named statement to crates/store/sql and a method to the Store port",
                ));
            }
        }
    }
    findings
}

/// The statement's verb, if the string is SQL. IMAP also has SELECT, and prose has all the verbs:
/// so the second keyword must be there, and keywords are written in capitals as ours are.
fn statement(literal: &str) -> Option<&'static str> {
    let body = literal.trim_start_matches(|c: char| !c.is_ascii_uppercase());
    let mut words = body.split(|c: char| !c.is_alphanumeric() && c != '_' && c != '"');
    let mut words = words.by_ref().filter(|word| !word.is_empty());
    let first = words.next()?;
    // Only at the string's start: `r#"` and indentation may stand before, a sentence may not.
    let offset = literal.len() - body.len();
    if literal[..offset]
        .chars()
        .any(|c| c.is_lowercase() && c != 'r' && c != 'b' && c != 'n')
    {
        return None;
    }
    match first {
        "SELECT" => words.any(|word| word == "FROM").then_some("SELECT"),
        "INSERT" | "REPLACE" => words
            .next()
            .is_some_and(|word| word == "INTO" || word == "OR")
            .then_some("INSERT"),
        "UPDATE" => (words.nth(1) == Some("SET")).then_some("UPDATE"),
        "DELETE" => (words.next() == Some("FROM")).then_some("DELETE"),
        "CREATE" | "ALTER" | "DROP" => words
            .next()
            .is_some_and(|word| ["TABLE", "INDEX", "UNIQUE", "VIEW", "TRIGGER"].contains(&word))
            .then_some("definition"),
        "WITH" => words.any(|word| word == "AS").then_some("WITH"),
        "PRAGMA" => Some("PRAGMA"),
        _ => None,
    }
}

/// A statement between two `-- name:` lines.
struct Block<'a> {
    name: &'a str,
    line: usize,
    tokens: Vec<Token<'a>>,
}

/// Dialect, then file, then statement names with their lines.
type Dialects<'a> = BTreeMap<&'a str, BTreeMap<&'a str, Vec<(&'a str, usize)>>>;

/// The named files: every statement has a name and a comment, lists its columns and has no clock.
pub fn check_files(files: &[SourceFile]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut dialects = Dialects::new();
    for file in files {
        let place = file
            .path
            .strip_prefix(NAMED)
            .and_then(|rest| rest.split_once('/'));
        let Some((dialect, name)) = place.filter(|_| file.has_extension(&["sql"])) else {
            continue;
        };
        let (unnamed, blocks) = blocks(&file.text);
        if let Some(token) = unnamed {
            findings.push(Finding::error(
                FILES,
                &file.path,
                token.line,
                "a statement without a name",
                "put `-- name: verb_object` and a comment before it",
            ));
        }
        for block in &blocks {
            findings.extend(check_block(&file.path, block));
        }
        let statements = dialects.entry(dialect).or_default();
        for other in blocks.iter().filter(|block| {
            statements
                .values()
                .flatten()
                .any(|(known, _)| *known == block.name)
        }) {
            findings.push(duplicate(&file.path, other));
        }
        let mut seen: Vec<(&str, usize)> = Vec::with_capacity(blocks.len());
        for block in &blocks {
            if seen.iter().any(|(known, _)| *known == block.name) {
                findings.push(duplicate(&file.path, block));
            }
            seen.push((block.name, block.line));
        }
        statements.insert(name, seen);
    }
    findings.extend(missing_twins(&dialects));
    findings
}

fn duplicate(path: &str, block: &Block<'_>) -> Finding {
    Finding::error(
        FILES,
        path,
        block.line,
        format!("the name `{}` is used twice", block.name),
        "statements of one dialect share one list of names",
    )
}

fn blocks(text: &str) -> (Option<Token<'_>>, Vec<Block<'_>>) {
    let mut unnamed = None;
    let mut blocks: Vec<Block<'_>> = Vec::new();
    for token in lexer::sql(text) {
        let name = token
            .text
            .strip_prefix("-- name:")
            .filter(|_| token.kind == Kind::Comment);
        if let Some(name) = name {
            blocks.push(Block {
                name: name.trim(),
                line: token.line,
                tokens: Vec::new(),
            });
        } else if let Some(block) = blocks.last_mut() {
            block.tokens.push(token);
        } else if token.kind != Kind::Comment && unnamed.is_none() {
            unnamed = Some(token);
        }
    }
    (unnamed, blocks)
}

fn check_block(path: &str, block: &Block<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut add = |line: usize, what: String, remedy: &str| {
        findings.push(Finding::error(FILES, path, line, what, remedy));
    };
    let name = block.name;
    let well_named = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if !well_named {
        add(
            block.line,
            format!("`{name}` is not a statement's name"),
            "lower-case words joined by `_`, the verb first",
        );
    }
    let commented = block.tokens.first().is_some_and(|token| {
        token.kind == Kind::Comment && token.text.chars().any(char::is_alphabetic)
    });
    if !commented {
        add(
            block.line,
            format!("`{name}` has no comment"),
            "say under the name what the statement promises, and why where it is not plain",
        );
    }
    let code: Vec<&Token<'_>> = block
        .tokens
        .iter()
        .filter(|token| token.kind != Kind::Comment)
        .collect();
    let Some(first) = code.first() else {
        add(
            block.line,
            format!("`{name}` has no statement"),
            "write it, or remove the name",
        );
        return findings;
    };
    let second = code
        .iter()
        .position(|token| token.text == ";")
        .and_then(|end| code.get(end + 1));
    // A trigger's body holds semicolons of its own.
    if let Some(second) = second.filter(|_| !first.text.eq_ignore_ascii_case("create")) {
        add(
            second.line,
            format!("a second statement under the name `{name}`"),
            "one name, one statement",
        );
    }
    for pair in code.windows(2) {
        let lower = pair[0].text.to_ascii_lowercase();
        if lower == "select" && pair[1].text == "*" {
            add(
                pair[0].line,
                format!("`SELECT *` in `{name}`"),
                "list the columns: a later migration must not change what this returns",
            );
        }
        let call = pair[1].text == "(" || lower.starts_with("current_");
        if call && CLOCKS.contains(&lower.as_str()) {
            add(
                pair[0].line,
                format!("the clock `{}` inside `{name}`", pair[0].text),
                "time is a parameter: pass `:now`",
            );
        }
    }
    findings
}

/// Statements of a shared file that one dialect has and another, which has the file too, lacks.
fn missing_twins(dialects: &Dialects<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (dialect, files) in dialects {
        for (other, other_files) in dialects {
            for (file, statements) in files.iter().filter(|(file, _)| SHARED.contains(file)) {
                let Some(twins) = other_files.get(file) else {
                    continue;
                };
                for (name, line) in statements {
                    if !twins.iter().any(|(twin, _)| twin == name) {
                        findings.push(Finding::error(
                            FILES,
                            &format!("{NAMED}{dialect}/{file}"),
                            *line,
                            format!("`{name}` has no twin in {other}"),
                            "one implementation reads both: every dialect has every statement of this file",
                        ));
                    }
                }
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::testing::{file, shown};
    use super::*;

    fn literals(source: &str) -> String {
        shown(&check_literals(&[file("crates/engine/src/a.rs", source)]))
    }

    fn named(text: &str) -> String {
        shown(&check_files(&[file("crates/store/sql/sqlite/a.sql", text)]))
    }

    #[test]
    fn sql_outside_the_store_is_found() {
        for (source, verb) in [
            ("\"SELECT a FROM b\"", "SELECT"),
            ("r#\"\n    INSERT INTO a (b) VALUES (1)\"#", "INSERT"),
            ("\"INSERT OR IGNORE INTO a VALUES (1)\"", "INSERT"),
            ("\"\\n UPDATE timer SET a = 1\"", "UPDATE"),
            ("\"DELETE FROM timer\"", "DELETE"),
            ("\"CREATE TABLE a (b)\"", "definition"),
            ("\"PRAGMA user_version\"", "PRAGMA"),
        ] {
            assert_eq!(
                literals(source),
                format!(
                    "crates/engine/src/a.rs:1 a string that is an SQL {verb} outside crates/store\n"
                ),
            );
        }
    }

    #[test]
    fn imap_commands_and_prose_are_not_sql() {
        for source in [
            "\"SELECT INBOX\"",
            "\"a1 SELECT {mailbox}\"",
            "\"UPDATE your profile\"",
            "\"DELETE is not allowed here\"",
            "\"the server answers DELETE FROM nobody\"",
            "\"WITH love\"",
            "// SELECT a FROM b",
            "\"\"",
        ] {
            assert_eq!(literals(source), "", "in {source}");
        }
    }

    #[test]
    fn the_store_may_hold_sql() {
        let files = [file("crates/store/src/a.rs", "\"DELETE FROM timer\"")];
        assert_eq!(check_literals(&files), []);
    }

    #[test]
    fn a_named_and_commented_statement_passes() {
        assert_eq!(
            named(
                "-- About timers.\n-- name: claim_due_timers\n-- Leases up to :limit of them.\n\
                 UPDATE timer SET lease = 'a;b' WHERE due_at <= :now;\n\n\
                 -- name: count_timers\n-- For the overview.\nSELECT count(*) FROM timer;\n"
            ),
            ""
        );
    }

    #[test]
    fn names_and_comments_are_demanded() {
        assert_eq!(
            named(
                "SELECT a FROM b;\n-- name: load_b\nSELECT a FROM b;\n-- name: Bad Name\n-- Why.\n"
            ),
            "crates/store/sql/sqlite/a.sql:1 a statement without a name\n\
             crates/store/sql/sqlite/a.sql:2 `load_b` has no comment\n\
             crates/store/sql/sqlite/a.sql:4 `Bad Name` is not a statement's name\n\
             crates/store/sql/sqlite/a.sql:4 `Bad Name` has no statement\n"
        );
    }

    #[test]
    fn one_name_is_one_statement_with_listed_columns_and_no_clock() {
        assert_eq!(
            named(
                "-- name: load_b\n-- Why.\nSELECT * FROM b WHERE t < datetime('now');\nDELETE FROM b;\n\
                 -- name: load_b\n-- Why.\nSELECT now FROM b;"
            ),
            "crates/store/sql/sqlite/a.sql:4 a second statement under the name `load_b`\n\
             crates/store/sql/sqlite/a.sql:3 `SELECT *` in `load_b`\n\
             crates/store/sql/sqlite/a.sql:3 the clock `datetime` inside `load_b`\n\
             crates/store/sql/sqlite/a.sql:5 the name `load_b` is used twice\n"
        );
    }

    #[test]
    fn a_shared_file_has_the_same_statements_in_every_dialect_and_a_writer_s_need_not() {
        let one = "-- name: load_b\n-- Why.\nSELECT a FROM b;\n";
        let two = format!("{one}-- name: load_c\n-- Why.\nSELECT a FROM c;\n");
        let found = |name: &str, postgres: &str, sqlite: &str| {
            shown(&check_files(&[
                file(&format!("crates/store/sql/postgres/{name}"), postgres),
                file(&format!("crates/store/sql/sqlite/{name}"), sqlite),
            ]))
        };
        assert_eq!(
            found("read.sql", one, &two),
            "crates/store/sql/sqlite/read.sql:4 `load_c` has no twin in postgres\n"
        );
        assert_eq!(
            found("read.sql", &two, one),
            "crates/store/sql/postgres/read.sql:4 `load_c` has no twin in sqlite\n"
        );
        assert_eq!(found("event.sql", one, &two), "");
    }

    #[test]
    fn a_name_used_in_two_files_is_found() {
        let text = "-- name: load_b\n-- Why.\nSELECT a FROM b;\n";
        let files = [
            file("crates/store/sql/sqlite/a.sql", text),
            file("crates/store/sql/sqlite/b.sql", text),
        ];
        assert_eq!(
            shown(&check_files(&files)),
            "crates/store/sql/sqlite/b.sql:1 the name `load_b` is used twice\n"
        );
    }
}
