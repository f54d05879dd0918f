//! The arrows between our crates, and who may depend on which library directly.
//!
//! The tables below are the house's plan: a new crate or a new arrow is a decision, so it is written
//! here and in `docs/ARCHITECTURE.md` together.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Finding, SourceFile};

const CHECK: &str = "arrows";

/// A crate's place in the house.
struct Rule {
    name: &'static str,
    /// What it may depend on.
    normal: &'static [&'static str],
    /// What its tests and benchmarks may use besides.
    tests: &'static [&'static str],
}

/// Allowed arrows, and no others. Tests of a pure crate may use the other pure crates (a story in YAML
/// needs `wire`); tests of the engine need a real store; only the program's and the engine's tests
/// may start the virtual world.
const RULES: [Rule; 10] = [
    Rule {
        name: "relance-core",
        normal: &[],
        tests: &["relance-wire"],
    },
    Rule {
        name: "relance-stats",
        normal: &[],
        tests: &[],
    },
    Rule {
        name: "relance-message",
        normal: &["relance-core"],
        tests: &["relance-wire"],
    },
    Rule {
        name: "relance-wire",
        normal: &["relance-core"],
        tests: &["relance-message"],
    },
    Rule {
        name: "relance-engine",
        normal: &["relance-core", "relance-message"],
        tests: &["relance-wire", "relance-store", "relance-sim"],
    },
    Rule {
        name: "relance-store",
        normal: &["relance-engine", "relance-core", "relance-wire"],
        tests: &["relance-message", "relance-sim"],
    },
    Rule {
        name: "relance-channels",
        normal: &["relance-engine", "relance-core", "relance-message"],
        tests: &["relance-wire"],
    },
    Rule {
        name: "relance-sim",
        normal: &[
            "relance-engine",
            "relance-core",
            "relance-message",
            "relance-store",
        ],
        tests: &["relance-wire"],
    },
    Rule {
        name: "relance",
        normal: &[
            "relance-core",
            "relance-message",
            "relance-stats",
            "relance-wire",
            "relance-engine",
            "relance-store",
            "relance-channels",
        ],
        tests: &["relance-sim"],
    },
    Rule {
        name: "xtask",
        normal: &[],
        tests: &[],
    },
];

/// Libraries that one crate alone may use directly: the boundary that the crate is.
const OWNED: [(&str, &[&str]); 5] = [
    ("rusqlite", &["relance-store"]),
    ("tokio-postgres", &["relance-store"]),
    ("async-imap", &["relance-channels"]),
    ("smtp-proto", &["relance-channels"]),
    ("axum", &["relance"]),
];

/// Libraries that stand for I/O, a clock, chance or an executor: never direct in a pure crate.
const IMPURE: [&str; 22] = [
    "async-imap",
    "async-std",
    "axum",
    "chrono",
    "crossbeam-channel",
    "fastrand",
    "futures",
    "getrandom",
    "hyper",
    "mio",
    "rand",
    "rand_core",
    "rayon",
    "reqwest",
    "rusqlite",
    "smol",
    "socket2",
    "time",
    "tokio",
    "tokio-postgres",
    "tokio-util",
    "ureq",
];

pub const PURE: [&str; 4] = [
    "relance-core",
    "relance-message",
    "relance-wire",
    "relance-stats",
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DependencyKind {
    Normal,
    Build,
    Dev,
}

#[derive(Debug)]
pub struct Dependency {
    pub name: String,
    pub kind: DependencyKind,
    /// Its line in the manifest.
    pub line: usize,
}

#[derive(Debug)]
pub struct Package {
    pub name: String,
    /// Relative to the root.
    pub manifest: String,
    pub dependencies: Vec<Dependency>,
}

impl Package {
    /// The crate's folder, relative to the root.
    pub fn folder(&self) -> &str {
        self.manifest
            .rsplit_once('/')
            .map_or("", |(folder, _)| folder)
    }
}

/// Our packages out of `cargo metadata`, with line numbers from the manifests' texts.
pub fn packages(metadata: &Value, files: &[SourceFile]) -> Result<Vec<Package>, String> {
    let text = |value: &Value, field: &str| -> Result<String, String> {
        value[field]
            .as_str()
            .map(str::to_owned)
            .ok_or_else(|| format!("cargo metadata has no `{field}` where one is expected"))
    };
    let list = |value: &Value, field: &str| -> Result<Vec<Value>, String> {
        value[field]
            .as_array()
            .cloned()
            .ok_or_else(|| format!("cargo metadata has no list `{field}`"))
    };
    let root = text(metadata, "workspace_root")?;
    let mut packages = Vec::new();
    for package in list(metadata, "packages")? {
        // A package with a source is someone else's.
        if !package["source"].is_null() {
            continue;
        }
        let full = text(&package, "manifest_path")?;
        let manifest = full
            .strip_prefix(&root)
            .unwrap_or(&full)
            .trim_start_matches(['/', '\\'])
            .replace('\\', "/");
        let manifest_text = files
            .iter()
            .find(|file| file.path == manifest)
            .map_or("", |file| file.text.as_str());
        let mut dependencies = Vec::new();
        for dependency in list(&package, "dependencies")? {
            let name = text(&dependency, "name")?;
            let kind = match dependency["kind"].as_str() {
                None => DependencyKind::Normal,
                Some("build") => DependencyKind::Build,
                Some("dev") => DependencyKind::Dev,
                Some(other) => return Err(format!("unknown kind of dependency `{other}`")),
            };
            let written = dependency["rename"].as_str().unwrap_or(&name);
            let line = line_of(manifest_text, written, kind);
            dependencies.push(Dependency { name, kind, line });
        }
        packages.push(Package {
            name: text(&package, "name")?,
            manifest,
            dependencies,
        });
    }
    Ok(packages)
}

/// The line that declares the dependency in a section of its kind; the first line when not found.
fn line_of(manifest: &str, name: &str, kind: DependencyKind) -> usize {
    let wanted = match kind {
        DependencyKind::Normal => "dependencies",
        DependencyKind::Build => "build-dependencies",
        DependencyKind::Dev => "dev-dependencies",
    };
    let mut inside = false;
    for (index, line) in manifest.lines().enumerate() {
        let line = line.trim();
        if let Some(header) = line.strip_prefix('[') {
            let header = header.trim_end_matches(']');
            let table = header.rsplit('.').next().unwrap_or(header);
            inside = table == wanted;
            if header.ends_with(&format!("{wanted}.{name}")) {
                return index + 1;
            }
        } else if inside
            && line
                .strip_prefix(name)
                .is_some_and(|rest| rest.starts_with([' ', '.', '=']))
        {
            return index + 1;
        }
    }
    1
}

pub fn check(packages: &[Package]) -> Vec<Finding> {
    let rules: BTreeMap<&str, &Rule> = RULES.iter().map(|rule| (rule.name, rule)).collect();
    let mut findings = Vec::new();
    for package in packages {
        let Some(rule) = rules.get(package.name.as_str()) else {
            findings.push(Finding::error(
                CHECK,
                &package.manifest,
                1,
                format!("the crate `{}` has no place in the house", package.name),
                "add its arrows to xtask/src/tidy/arrows.rs and docs/ARCHITECTURE.md, or fold it \
                 into a crate that has one",
            ));
            continue;
        };
        for dependency in &package.dependencies {
            findings.extend(arrow(package, rule, dependency));
            findings.extend(owned(package, dependency));
            findings.extend(impure(package, dependency));
        }
    }
    findings
}

fn is_ours(name: &str) -> bool {
    RULES.iter().any(|rule| rule.name == name) || name.starts_with("relance-")
}

fn arrow(package: &Package, rule: &Rule, dependency: &Dependency) -> Option<Finding> {
    let name = dependency.name.as_str();
    if !is_ours(name) || rule.normal.contains(&name) {
        return None;
    }
    let (arrow, remedy) = match dependency.kind {
        DependencyKind::Dev if rule.tests.contains(&name) => return None,
        DependencyKind::Dev => (
            "tests may not use",
            "move the test to a crate that may see both",
        ),
        DependencyKind::Normal | DependencyKind::Build if rule.tests.contains(&name) => (
            "may not depend on",
            "its tests may: move the line to [dev-dependencies]",
        ),
        DependencyKind::Normal | DependencyKind::Build => (
            "may not depend on",
            "pass the data as an argument, or move the code to the crate that owns it",
        ),
    };
    Some(Finding::error(
        CHECK,
        &package.manifest,
        dependency.line,
        format!("`{}` {arrow} `{name}`", package.name),
        remedy,
    ))
}

fn owned(package: &Package, dependency: &Dependency) -> Option<Finding> {
    // Tests may look at the same bytes through the same library.
    if dependency.kind == DependencyKind::Dev {
        return None;
    }
    let (library, owners) = OWNED
        .iter()
        .find(|(library, _)| *library == dependency.name)?;
    if owners.contains(&package.name.as_str()) {
        return None;
    }
    Some(Finding::error(
        CHECK,
        &package.manifest,
        dependency.line,
        format!(
            "`{library}` is used outside `{}`, which is the boundary round it",
            owners.join("`, `")
        ),
        format!("call `{}` instead", owners.join("` or `")),
    ))
}

fn impure(package: &Package, dependency: &Dependency) -> Option<Finding> {
    let pure = PURE.contains(&package.name.as_str());
    let applies = pure
        && dependency.kind == DependencyKind::Normal
        && IMPURE.contains(&dependency.name.as_str());
    applies.then(|| {
        Finding::error(
            "pure",
            &package.manifest,
            dependency.line,
            format!(
                "the pure crate `{}` depends on `{}`",
                package.name, dependency.name
            ),
            "take time, chance and bytes as arguments; the caller does the I/O",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{file, shown};
    use super::*;

    /// `name: dependency, dev dependency, build dependency`, one package a line.
    fn house(text: &str) -> Vec<Package> {
        text.lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .map(|line| {
                let (name, list) = line.split_once(':').expect("a colon after the name");
                let dependencies = list
                    .split(',')
                    .map(str::trim)
                    .filter(|word| !word.is_empty())
                    .map(|word| {
                        let (kind, name) = match word.split_once(' ') {
                            Some(("dev", name)) => (DependencyKind::Dev, name),
                            Some(("build", name)) => (DependencyKind::Build, name),
                            Some(_) | None => (DependencyKind::Normal, word),
                        };
                        Dependency {
                            name: name.to_owned(),
                            kind,
                            line: 1,
                        }
                    })
                    .collect();
                Package {
                    name: name.to_owned(),
                    manifest: format!("{name}/Cargo.toml"),
                    dependencies,
                }
            })
            .collect()
    }

    fn findings(text: &str) -> String {
        shown(&check(&house(text)))
    }

    #[test]
    fn the_planned_house_has_no_findings() {
        let planned = "
            relance-core: jiff, serde, dev proptest, dev relance-wire
            relance-message: relance-core, minijinja
            relance-wire: relance-core
            relance-engine: relance-core, relance-message, dev relance-store
            relance-store: relance-engine, relance-core, relance-wire, rusqlite
            relance-channels: relance-engine, relance-core, relance-message, tokio
            relance-sim: relance-engine, relance-core, relance-message, relance-store
            relance: relance-core, relance-store, relance-channels, axum, dev relance-sim
            xtask: serde_json
        ";
        assert_eq!(findings(planned), "");
    }

    #[test]
    fn an_arrow_against_the_plan_is_found() {
        assert_eq!(
            findings("relance-core: relance-wire"),
            "relance-core/Cargo.toml:1 `relance-core` may not depend on `relance-wire`\n"
        );
        assert_eq!(
            findings("relance-message: relance-engine, dev relance-store"),
            "relance-message/Cargo.toml:1 `relance-message` may not depend on `relance-engine`\n\
             relance-message/Cargo.toml:1 `relance-message` tests may not use `relance-store`\n"
        );
        assert_eq!(
            findings("xtask: build relance-core"),
            "xtask/Cargo.toml:1 `xtask` may not depend on `relance-core`\n"
        );
    }

    #[test]
    fn the_virtual_world_is_never_shipped() {
        let got = check(&house("relance: relance-sim"));
        assert_eq!(got.len(), 1);
        assert!(got[0].remedy.contains("[dev-dependencies]"));
        assert_eq!(findings("relance: dev relance-sim"), "");
    }

    #[test]
    fn an_unplanned_crate_is_found() {
        assert_eq!(
            findings("relance-extra:"),
            "relance-extra/Cargo.toml:1 the crate `relance-extra` has no place in the house\n"
        );
    }

    #[test]
    fn a_library_behind_a_boundary_stays_there() {
        assert_eq!(
            findings("relance: rusqlite, dev async-imap"),
            "relance/Cargo.toml:1 `rusqlite` is used outside `relance-store`, which is the \
             boundary round it\n"
        );
    }

    #[test]
    fn a_pure_crate_has_no_clock_chance_or_io() {
        assert_eq!(
            findings("relance-core: rand, dev rand, tokio"),
            "relance-core/Cargo.toml:1 the pure crate `relance-core` depends on `rand`\n\
             relance-core/Cargo.toml:1 the pure crate `relance-core` depends on `tokio`\n"
        );
        assert_eq!(findings("relance-engine: tokio"), "");
    }

    #[test]
    fn packages_are_read_from_metadata_with_the_manifest_s_lines() {
        let metadata = serde_json::json!({
            "workspace_root": "/w",
            "packages": [{
                "name": "relance-core",
                "manifest_path": "/w/crates/core/Cargo.toml",
                "dependencies": [
                    { "name": "rand", "kind": null, "rename": null },
                    { "name": "relance-wire", "kind": "dev", "rename": null },
                ],
            }],
        });
        let manifest = "[package]\nname = \"relance-core\"\n[dependencies]\nrandom.workspace = true\n\
                        rand.workspace = true\n\n[dev-dependencies]\nrelance-wire = \"1\"\n";
        let files = [file("crates/core/Cargo.toml", manifest)];
        let packages = packages(&metadata, &files).expect("metadata of the known shape");
        assert_eq!(packages[0].folder(), "crates/core");
        let lines: Vec<usize> = packages[0].dependencies.iter().map(|d| d.line).collect();
        assert_eq!(lines, [5, 8]);
    }

    #[test]
    fn metadata_of_another_shape_is_refused() {
        assert!(packages(&serde_json::json!({}), &[]).is_err());
    }
}
