//! `cargo xtask test`: the one command that passes all tests, cheapest stage first.
//!
//! Each stage is announced, inherits the terminal and reports its time; the first failure ends the
//! run with the stage's name and the command that repeats it alone.
//!
//! **Invariant:** one debug build. Every stage selects the whole workspace with development
//! dependencies, because another selection resolves other features and builds dependencies again.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::{Failure, process, tidy};

/// The test runner's version: behaviour of its filters and summary is relied upon.
const NEXTEST_VERSION: &str = "0.9.143";

/// Integration tests of the whole program; those that use [`DAEMON_HARNESS`] start real servers.
const PROGRAM_TESTS: &str = "crates/relance/tests/it";

/// The module that starts Dovecot, Postfix and their like.
const DAEMON_HARNESS: &str = "daemon";

/// Tests at once for each core: those with real servers wait most of their time. Those that compute all the time count as
/// more than one, in `.config/nextest.toml`.
const TESTS_PER_CORE: usize = 3;

/// Installs Dovecot, Postfix and their like; does nothing when they are there.
const DAEMONS_SCRIPT: &str = "scripts/install-test-deps.sh";
/// Installs the Segment clients that the tests send with; does nothing when they are there.
const CLIENTS_SCRIPT: &str = "scripts/install-sdk-clients.sh";

/// Installs Node, the interface's packages and a browser; does nothing when they are there.
const WEB_SCRIPT: &str = "scripts/install-web-deps.sh";

/// One thing to pass, and how.
struct Stage {
    name: &'static str,
    work: Work,
}

enum Work {
    Command(Box<Command>),
    Tidy,
    /// Nothing to do, and why: shown, so that a missing stage is never silent.
    Nothing(&'static str),
}

pub fn run(args: &[String]) -> Result<(), Failure> {
    let mut quick = false;
    for arg in args {
        match arg.as_str() {
            "--quick" => quick = true,
            other => return Err(Failure::Usage(format!("unknown option `{other}` of test"))),
        }
    }
    let started = Instant::now();
    let stages = stages(quick);
    let count = stages.len();
    let mut times: Vec<(&'static str, Duration)> = Vec::with_capacity(count);
    for (index, stage) in stages.into_iter().enumerate() {
        let Stage { name, work } = stage;
        let stage_started = Instant::now();
        let number = index + 1;
        let outcome = match work {
            Work::Nothing(why) => {
                println!("\n==> [{number}/{count}] {name}: nothing to do, {why}");
                continue;
            }
            Work::Tidy => {
                println!("\n==> [{number}/{count}] {name}: cargo xtask tidy");
                tidy::check_and_print()
            }
            Work::Command(mut command) => {
                println!(
                    "\n==> [{number}/{count}] {name}: {}",
                    process::shown(&command)
                );
                process::run(&mut command)
            }
        };
        let took = stage_started.elapsed();
        if let Err(why) = outcome {
            return Err(Failure::Findings(format!(
                "FAILED at {name} after {}: {why}\n{count} stages, {} passed; the rest was not run",
                shown(took),
                times.len(),
            )));
        }
        println!("<== {name} passed in {}", shown(took));
        times.push((name, took));
    }
    println!("\nall stages passed:");
    for (name, took) in times {
        println!("  {name:<16} {:>9}", shown(took));
    }
    println!("  {:<16} {:>9}", "total", shown(started.elapsed()));
    Ok(())
}

fn stages(quick: bool) -> Vec<Stage> {
    let root = process::root();
    let mut stages = vec![
        cargo("fmt", &["fmt", "--all", "--check"]),
        Stage {
            name: "tidy",
            work: Work::Tidy,
        },
        cargo(
            "clippy",
            // `-D warnings` as clippy's argument, not in RUSTFLAGS: that would rebuild everything.
            &[
                "clippy",
                "--workspace",
                "--all-targets",
                "--",
                "-D",
                "warnings",
            ],
        ),
        Stage {
            name: "nextest-install",
            work: nextest_install(),
        },
    ];
    stages.push(Stage {
        name: "daemons-install",
        work: install(&root, DAEMONS_SCRIPT, quick),
    });
    stages.push(Stage {
        name: "clients-install",
        work: install(&root, CLIENTS_SCRIPT, quick),
    });
    stages.push(Stage {
        name: "web-install",
        work: install(&root, WEB_SCRIPT, quick),
    });
    stages.extend(web(&root, quick));
    stages.push(nextest(&root, quick));
    stages.push(browser(quick));
    stages.push(doc_tests(&root));
    let mut doc = process::cargo();
    // `--examples` brings development dependencies in, and with them the features of the other stages.
    doc.args(["doc", "--workspace", "--no-deps", "--lib", "--examples"])
        .env("RUSTDOCFLAGS", "-Dwarnings");
    stages.push(Stage {
        name: "doc",
        work: Work::Command(Box::new(doc)),
    });
    stages.extend(wire_examples(&root));
    stages
}

/// The interface by itself: its style, types, components and words, and the build that the program serves.
fn web(root: &Path, quick: bool) -> Vec<Stage> {
    let packages = root.join("web/node_modules").is_dir();
    let stage = |name, script| Stage {
        name,
        work: if quick && !packages {
            Work::Nothing(
                "the interface's packages are not installed, and --quick installs nothing",
            )
        } else {
            Work::Command(Box::new(process::npm(script)))
        },
    };
    vec![
        stage("web-lint", "lint"),
        stage("web-types", "check"),
        stage("web-tests", "test"),
        stage("web-build", "build"),
    ]
}

/// The whole, as a person sees it: the program that the tests before built, in a real browser.
fn browser(quick: bool) -> Stage {
    let work = if quick {
        Work::Nothing("--quick starts no browser")
    } else {
        let mut command = process::npm("e2e");
        command.env("RELANCE_PROGRAM", process::built("relance"));
        Work::Command(Box::new(command))
    };
    Stage {
        name: "browser",
        work,
    }
}

/// The examples of `wire` are documentation of the formats; each must run and end well. They were
/// built with the tests; running the file itself avoids another selection of features.
fn wire_examples(root: &Path) -> Vec<Stage> {
    let names = example_names(&root.join("crates/wire/examples"));
    if names.is_empty() {
        return vec![Stage {
            name: "wire-examples",
            work: Work::Nothing("crates/wire has no examples"),
        }];
    }
    let folder = process::built("examples");
    names
        .iter()
        .map(|name| Stage {
            name: "wire-examples",
            work: Work::Command(Box::new(process::command(folder.join(name)))),
        })
        .collect()
}

fn example_names(folder: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter_map(|name| name.strip_suffix(".rs").map(str::to_owned))
        .collect();
    names.sort();
    names
}

fn cargo(name: &'static str, args: &[&str]) -> Stage {
    let mut command = process::cargo();
    command.args(args);
    Stage {
        name,
        work: Work::Command(Box::new(command)),
    }
}

fn nextest(root: &Path, quick: bool) -> Stage {
    let mut command = process::cargo();
    let threads = TESTS_PER_CORE * std::thread::available_parallelism().map_or(1, usize::from);
    command.args(["nextest", "run", "--workspace", "--test-threads"]);
    command.arg(threads.to_string());
    let modules = daemon_modules(&root.join(PROGRAM_TESTS));
    if quick && !modules.is_empty() {
        let left_out = format!(
            "not (package(relance) & kind(test) & test(/^({})::/))",
            modules.into_iter().collect::<Vec<_>>().join("|")
        );
        command.args(["--filterset", &left_out]);
    }
    Stage {
        name: "nextest",
        work: Work::Command(Box::new(command)),
    }
}

/// The test binary's modules that name the harness, and so need what only a whole run installs.
fn daemon_modules(folder: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(current) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&current) else {
            continue;
        };
        for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let Some(module) = path.strip_prefix(folder).ok().and_then(top_module) else {
                continue;
            };
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            if module == DAEMON_HARNESS || text.contains(&format!("crate::{DAEMON_HARNESS}::")) {
                found.insert(module);
            }
        }
    }
    found
}

/// `imap.rs` and `imap/idle.rs` are both in the module `imap`; `main.rs` is in none.
fn top_module(path: &Path) -> Option<String> {
    let rust = path.extension().is_some_and(|extension| extension == "rs");
    let first = Path::new(path.components().next()?.as_os_str())
        .file_stem()?
        .to_str()?;
    (rust && first != "main").then(|| first.to_owned())
}

fn nextest_install() -> Work {
    let version = process::output(process::cargo().args(["nextest", "--version"]));
    let installed = version
        .as_deref()
        .and_then(version_in)
        .is_some_and(|installed| Some(installed) >= version_in(NEXTEST_VERSION));
    if installed {
        return Work::Nothing("cargo-nextest is installed");
    }
    let mut command = process::cargo();
    command.args([
        "install",
        "cargo-nextest",
        "--locked",
        "--version",
        NEXTEST_VERSION,
    ]);
    Work::Command(Box::new(command))
}

/// The first version in a text, as numbers that compare.
fn version_in(text: &str) -> Option<[u32; 3]> {
    let word = text
        .split_whitespace()
        .find(|word| word.starts_with(|c: char| c.is_ascii_digit()))?;
    let mut parts = word.split('.').map(str::parse);
    let mut next = || parts.next()?.ok();
    Some([next()?, next()?, next()?])
}

fn install(root: &Path, script: &'static str, quick: bool) -> Work {
    if quick {
        return Work::Nothing("--quick installs nothing");
    }
    if !root.join(script).is_file() {
        return Work::Nothing("this tree has no such script");
    }
    let mut command = process::command("sh");
    command.arg(script);
    Work::Command(Box::new(command))
}

fn doc_tests(root: &Path) -> Stage {
    let work = if tidy::has_doc_tests(root) {
        let mut command = process::cargo();
        command.args(["test", "--doc", "--workspace"]);
        Work::Command(Box::new(command))
    } else {
        Work::Nothing("no doc comment holds a Rust example")
    };
    Stage {
        name: "doc-tests",
        work,
    }
}

/// Seconds with a tenth below a minute, minutes and seconds above.
fn shown(took: Duration) -> String {
    let seconds = took.as_secs();
    if seconds < 60 {
        format!("{:.1}s", took.as_secs_f64())
    } else {
        format!("{}m {:02}s", seconds / 60, seconds % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commands(quick: bool) -> Vec<String> {
        stages(quick)
            .iter()
            .filter_map(|stage| match &stage.work {
                Work::Command(command) => Some(process::shown(command)),
                Work::Tidy | Work::Nothing(_) => None,
            })
            .collect()
    }

    #[test]
    fn no_stage_sets_rustflags_or_a_profile_of_its_own() {
        for command in commands(false) {
            assert!(!command.contains("RUSTFLAGS="), "{command}");
            assert!(!command.contains("--release"), "{command}");
            assert!(!command.contains("--profile"), "{command}");
        }
    }

    #[test]
    fn every_compiling_stage_selects_the_whole_workspace() {
        for command in commands(false) {
            let compiles = ["clippy", "nextest run", "test --doc", " doc "]
                .iter()
                .any(|word| command.contains(word));
            assert!(!compiles || command.contains("--workspace"), "{command}");
        }
    }

    #[test]
    fn quick_installs_nothing_and_the_whole_run_leaves_nothing_out() {
        let quick = commands(true).join("\n");
        assert!(!quick.contains("scripts/install"), "{quick}");
        assert!(!quick.contains("e2e"), "{quick}");
        let whole = commands(false).join("\n");
        assert!(whole.contains("run e2e"), "{whole}");
        assert!(!whole.contains("--filterset"), "{whole}");
    }

    #[test]
    fn modules_that_use_the_harness_are_found() {
        let folder = std::env::temp_dir().join(format!("relance-daemons-{}", std::process::id()));
        for (path, text) in [
            ("main.rs", "mod daemon;\nmod imap;"),
            ("daemon/postfix.rs", ""),
            ("imap.rs", "use crate::daemon::dovecot::Dovecot;"),
            ("mail/thread.rs", "use crate::daemon::User;"),
            ("http.rs", "// a daemon is not needed"),
        ] {
            let path = folder.join(path);
            let parent = path.parent().expect("a folder above the file");
            std::fs::create_dir_all(parent).expect("temporary folder");
            std::fs::write(path, text).expect("temporary file");
        }
        let got = daemon_modules(&folder);
        std::fs::remove_dir_all(&folder).expect("temporary folder removed");
        assert_eq!(got.iter().collect::<Vec<_>>(), ["daemon", "imap", "mail"]);
    }

    #[test]
    fn examples_are_found_by_name_in_order() {
        let folder = std::env::temp_dir().join(format!("relance-examples-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("temporary folder");
        for name in ["b.rs", "a.rs", "notes.md"] {
            std::fs::write(folder.join(name), "").expect("temporary file");
        }
        let got = example_names(&folder);
        std::fs::remove_dir_all(&folder).expect("temporary folder removed");
        assert_eq!(got, ["a", "b"]);
        assert!(example_names(&folder).is_empty());
    }

    #[test]
    fn an_older_test_runner_is_told_from_a_newer_one() {
        let told = |text| version_in(text) >= version_in(NEXTEST_VERSION);
        assert!(told(
            "cargo-nextest 0.9.143 (60fa45f63 2026-08-04)\nrelease: 0.9.143"
        ));
        assert!(told("cargo-nextest 0.10.2"));
        assert!(!told("cargo-nextest 0.9.99 (abc 2025-06-01)"));
        assert_eq!(version_in("error: no such command: `nextest`"), None);
    }

    #[test]
    fn times_read_well_on_both_sides_of_a_minute() {
        assert_eq!(shown(Duration::from_millis(940)), "0.9s");
        assert_eq!(shown(Duration::from_secs(605)), "10m 05s");
    }
}
