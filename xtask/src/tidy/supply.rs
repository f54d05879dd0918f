//! What we ship that others wrote: licences that allow it, and libraries that we refuse.
//!
//! Looks at every package that the build of this machine uses, as `cargo metadata` resolves them.
//! **Absent:** advisories; they need a database that lives elsewhere.

use serde_json::Value;

use super::Finding;

const CHECK: &str = "supply";

/// Licences under which a library may be linked into a program under Apache-2.0.
const LICENCES: [&str; 14] = [
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "MPL-2.0",
    "Unicode-3.0",
    "Zlib",
];

/// Also allowed, where nothing else is offered: a word in the public domain.
const LICENCE_PUBLIC_DOMAIN: &str = "Unlicense";

/// Libraries that must not be linked, and why.
const REFUSED: [(&str, &str); 5] = [
    ("openssl-sys", "TLS is rustls: no system library to match"),
    ("native-tls", "TLS is rustls: no system library to match"),
    ("aws-lc-sys", "one crypto library: ring"),
    (
        "sqlx-sqlite",
        "links another SQLite than rusqlite, which cannot stand beside it",
    ),
    (
        "pdf-extract",
        "joins words of neighbouring lines; amounts become wrong",
    ),
];

/// Libraries of which two versions would be two different things in one program.
const ONCE: [&str; 5] = ["libsqlite3-sys", "ring", "rustls", "tokio", "jiff"];

/// Parentheses inside one another in a licence expression.
const NESTING_MAX: usize = 16;

/// `metadata` is the whole of `cargo metadata`, for this platform.
pub fn check(metadata: &Value) -> Vec<Finding> {
    let empty = Vec::new();
    let packages = metadata["packages"].as_array().unwrap_or(&empty);
    let used: Vec<&str> = metadata["resolve"]["nodes"]
        .as_array()
        .unwrap_or(&empty)
        .iter()
        .filter_map(|node| node["id"].as_str())
        .collect();
    let mut findings = Vec::new();
    let mut add = |what: String, remedy: &str| {
        findings.push(Finding::error(CHECK, "Cargo.lock", 1, what, remedy));
    };
    let mut seen_once: Vec<(&str, &str)> = Vec::new();
    for package in packages {
        // A package without a source is our own.
        if package["source"].is_null()
            || !package["id"].as_str().is_some_and(|id| used.contains(&id))
        {
            continue;
        }
        let name = package["name"].as_str().unwrap_or("");
        let version = package["version"].as_str().unwrap_or("");
        let licence = package["license"].as_str().unwrap_or("");
        if !is_allowed(licence) {
            add(
                format!("`{name}` {version} has the licence `{licence}`"),
                "choose another library, or add the licence to xtask/src/tidy/supply.rs with a decision",
            );
        }
        if let Some((_, why)) = REFUSED.iter().find(|(refused, _)| *refused == name) {
            add(
                format!("`{name}` is linked: {why}"),
                "find who brings it with `cargo tree --invert` and turn that feature off",
            );
        }
        if ONCE.contains(&name) {
            if let Some((_, other)) = seen_once.iter().find(|(known, _)| *known == name) {
                add(
                    format!("`{name}` is linked in two versions, {other} and {version}"),
                    "bring both users to one version",
                );
            }
            seen_once.push((name, version));
        }
    }
    findings
}

/// Whether an SPDX expression can be satisfied by allowed licences.
fn is_allowed(expression: &str) -> bool {
    let spaced = expression
        .replace('(', " ( ")
        .replace(')', " ) ")
        .replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut at = 0;
    let allowed = any_of(&words, &mut at, 0);
    allowed && at == words.len()
}

/// `a OR b`, where `AND` binds closer.
fn any_of(words: &[&str], at: &mut usize, depth: usize) -> bool {
    let mut allowed = all_of(words, at, depth);
    while words.get(*at) == Some(&"OR") {
        *at += 1;
        allowed |= all_of(words, at, depth);
    }
    allowed
}

fn all_of(words: &[&str], at: &mut usize, depth: usize) -> bool {
    let mut allowed = one(words, at, depth);
    while words.get(*at) == Some(&"AND") {
        *at += 1;
        allowed &= one(words, at, depth);
    }
    allowed
}

fn one(words: &[&str], at: &mut usize, depth: usize) -> bool {
    let Some(word) = words.get(*at) else {
        return false;
    };
    *at += 1;
    if *word == "(" {
        let allowed = depth < NESTING_MAX && any_of(words, at, depth + 1);
        let closed = words.get(*at) == Some(&")");
        *at += usize::from(closed);
        return allowed && closed;
    }
    if words.get(*at) == Some(&"WITH")
        && let Some(exception) = words.get(*at + 1)
    {
        *at += 2;
        // An exception only allows more than the licence does.
        let whole = format!("{word} WITH {exception}");
        return LICENCES.contains(&whole.as_str()) || LICENCES.contains(word);
    }
    LICENCES.contains(word) || *word == LICENCE_PUBLIC_DOMAIN
}

#[cfg(test)]
mod tests {
    use super::super::testing::shown;
    use super::*;

    #[test]
    fn licence_expressions_are_understood() {
        for allowed in [
            "MIT",
            "MIT/Apache-2.0",
            "MIT OR GPL-3.0-only",
            "(MIT OR Apache-2.0) AND Unicode-3.0",
            "Apache-2.0 WITH LLVM-exception OR GPL-2.0-only",
            "Unlicense OR MIT",
            "Apache-2.0 AND (ISC OR GPL-3.0-only)",
        ] {
            assert!(is_allowed(allowed), "{allowed}");
        }
        for refused in [
            "",
            "GPL-3.0-only",
            "MIT AND GPL-3.0-only",
            "(MIT",
            "MIT)",
            "MIT MIT",
            "AND",
            "AGPL-3.0-only OR SSPL-1.0",
        ] {
            assert!(!is_allowed(refused), "{refused}");
        }
        assert!(!is_allowed(&"(".repeat(100_000)));
    }

    fn package(name: &str, version: &str, licence: &str) -> Value {
        serde_json::json!({
            "id": format!("{name}@{version}"), "name": name, "version": version,
            "license": licence, "source": "registry",
        })
    }

    fn findings(packages: &[Value]) -> String {
        let nodes: Vec<Value> = packages
            .iter()
            .map(|p| serde_json::json!({ "id": p["id"] }))
            .collect();
        shown(&check(&serde_json::json!({
            "packages": packages,
            "resolve": { "nodes": nodes },
        })))
    }

    #[test]
    fn foreign_licences_refused_libraries_and_doubles_are_found() {
        assert_eq!(
            findings(&[
                package("good", "1.0.0", "MIT"),
                package("odd", "1.0.0", "SSPL-1.0"),
                package("native-tls", "1.0.0", "MIT"),
                package("ring", "0.16.0", "ISC"),
                package("ring", "0.17.0", "ISC"),
                package("syn", "1.0.0", "MIT"),
                package("syn", "2.0.0", "MIT"),
            ]),
            "Cargo.lock:1 `odd` 1.0.0 has the licence `SSPL-1.0`\n\
             Cargo.lock:1 `native-tls` is linked: TLS is rustls: no system library to match\n\
             Cargo.lock:1 `ring` is linked in two versions, 0.16.0 and 0.17.0\n"
        );
    }

    #[test]
    fn what_this_platform_does_not_use_is_left_alone() {
        let metadata = serde_json::json!({
            "packages": [package("odd", "1.0.0", "SSPL-1.0")],
            "resolve": { "nodes": [] },
        });
        assert_eq!(check(&metadata), []);
    }
}
