//! `cargo xtask tidy`: what neither the compiler nor clippy can see.
//!
//! Each check is a function from texts to findings; a finding names the place, the fault and the
//! remedy. A line may be exempted with a comment on it or on the line before it:
//! `tidy:allow(CHECK): reason`. An exemption without a reason exempts nothing.
//!
//! **Absent:** writing. Tidy never repairs a file.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::{Failure, process};

mod arrows;
mod hygiene;
mod lexer;
mod links;
mod pure;
mod sizes;
mod sql;
mod supply;
mod words;

/// A larger file is data; tidy does not read it.
const FILE_BYTES_MAX: u64 = 2 * 1024 * 1024;

/// Folders that hold no source wherever they are, for trees without git.
const FOLDERS_SKIPPED: [&str; 3] = [".git", "target", "node_modules"];

/// Folders at the root that hold what a run left behind.
const ROOT_FOLDERS_SKIPPED: [&str; 2] = ["data", "tmp"];

/// Whether a finding fails the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    Error,
    Warning,
}

/// One fault: where, what, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub check: &'static str,
    pub level: Level,
    pub path: String,
    /// Counted from one; the first line where the whole file is meant.
    pub line: usize,
    pub what: String,
    pub remedy: String,
}

impl Finding {
    fn error(
        check: &'static str,
        path: &str,
        line: usize,
        what: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            check,
            level: Level::Error,
            path: path.to_owned(),
            line,
            what: what.into(),
            remedy: remedy.into(),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let level = match self.level {
            Level::Error => "error",
            Level::Warning => "warning",
        };
        write!(
            f,
            "{}:{}: {level}[{}]: {}\n    remedy: {}",
            self.path, self.line, self.check, self.what, self.remedy
        )
    }
}

/// A text file of the tree; `path` is relative to the root, with `/`.
#[derive(Debug, Clone)]
pub struct SourceFile {
    pub path: String,
    pub text: String,
}

impl SourceFile {
    fn has_extension(&self, extensions: &[&str]) -> bool {
        self.path
            .rsplit_once('.')
            .is_some_and(|(_, extension)| extensions.contains(&extension))
    }
}

pub fn run(args: &[String]) -> Result<(), Failure> {
    if let Some(arg) = args.first() {
        return Err(Failure::Usage(format!("unknown option `{arg}` of tidy")));
    }
    check_and_print().map_err(Failure::Findings)
}

/// Runs every check, prints the findings, and fails with their count if any is an error.
pub fn check_and_print() -> Result<(), String> {
    let root = process::root();
    let files = read_tree(&root)?;
    let metadata = metadata()?;
    let (findings, exempted) = check(&root, &files, &metadata)?;
    for finding in &findings {
        println!("{finding}");
    }
    let errors = findings.iter().filter(|f| f.level == Level::Error).count();
    let warnings = findings.len() - errors;
    println!(
        "tidy: {} files, {errors} errors, {warnings} warnings, {exempted} exempted with a reason",
        files.len()
    );
    if errors > 0 {
        return Err(format!("tidy found {errors} errors, listed above"));
    }
    Ok(())
}

/// All findings in order of place, and how many were exempted.
fn check(
    root: &Path,
    files: &[SourceFile],
    metadata: &serde_json::Value,
) -> Result<(Vec<Finding>, usize), String> {
    let packages = arrows::packages(metadata, files)?;
    let mut findings = Vec::new();
    findings.extend(arrows::check(&packages));
    findings.extend(supply::check(metadata));
    findings.extend(pure::check(&packages, files));
    findings.extend(sizes::check(files));
    findings.extend(words::check(files));
    findings.extend(sql::check_literals(files));
    findings.extend(sql::check_files(files));
    findings.extend(hygiene::check(files));
    findings.extend(links::check(files, |path| root.join(path).exists()));
    let before = findings.len();
    findings.retain(|finding| !is_exempted(finding, files));
    let exempted = before - findings.len();
    findings.sort_by(|a, b| (&a.path, a.line, a.check).cmp(&(&b.path, b.line, b.check)));
    Ok((findings, exempted))
}

fn is_exempted(finding: &Finding, files: &[SourceFile]) -> bool {
    let Some(file) = files.iter().find(|file| file.path == finding.path) else {
        return false;
    };
    let marker = format!("tidy:allow({}):", finding.check);
    let first = finding.line.saturating_sub(2);
    let count = if finding.line < 2 { 1 } else { 2 };
    file.text.lines().skip(first).take(count).any(|line| {
        line.split_once(&marker)
            .is_some_and(|(_, reason)| reason.trim().chars().any(char::is_alphabetic))
    })
}

/// Whether any library's doc comment holds an example that `cargo test --doc` would run.
pub fn has_doc_tests(root: &Path) -> bool {
    read_tree(root).is_ok_and(|files| {
        files
            .iter()
            .filter(|file| file.path.contains("/src/") && file.has_extension(&["rs"]))
            .any(|file| holds_doc_test(&file.text))
    })
}

fn holds_doc_test(text: &str) -> bool {
    let mut inside = false;
    for line in text.lines().map(str::trim_start) {
        let Some(doc) = line.strip_prefix("///").or(line.strip_prefix("//!")) else {
            inside = false;
            continue;
        };
        let Some(info) = doc.trim_start().strip_prefix("```") else {
            continue;
        };
        if inside {
            inside = false;
            continue;
        }
        inside = true;
        let runs = info.split([',', ' ']).all(|word| {
            ["", "rust", "should_panic", "no_run", "compile_fail"].contains(&word.trim())
        });
        if runs {
            return true;
        }
    }
    false
}

/// `cargo metadata` for this platform: our packages as declared, and everything that they resolve to.
fn metadata() -> Result<serde_json::Value, String> {
    let version = output(Command::new(process::rustc()).arg("-vV"))?;
    let host = version
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .ok_or("rustc -vV names no host")?;
    // Without the filter, packages of every other platform would be downloaded.
    let json = output(process::cargo().args([
        "metadata",
        "--format-version",
        "1",
        "--filter-platform",
        host,
    ]))?;
    serde_json::from_str(&json).map_err(|error| format!("cargo metadata printed no JSON: {error}"))
}

fn output(command: &mut Command) -> Result<String, String> {
    let shown = process::shown(command);
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("`{shown}` could not be started: {error}"))?;
    if !output.status.success() {
        return Err(format!("`{shown}` ended with {}", output.status));
    }
    String::from_utf8(output.stdout).map_err(|_| format!("`{shown}` printed no UTF-8"))
}

/// Every text file that is tracked or would be; in a tree without git, every one outside build folders.
fn read_tree(root: &Path) -> Result<Vec<SourceFile>, String> {
    let mut paths = match listed_by_git() {
        Some(paths) => paths,
        None => walked(root)?,
    };
    paths.sort();
    paths.dedup();
    let mut files = Vec::with_capacity(paths.len());
    for path in paths {
        let full = root.join(&path);
        // Listed but deleted, a link out of the tree, or data: not ours to read.
        let Ok(about) = std::fs::symlink_metadata(&full) else {
            continue;
        };
        if !about.is_file() || about.len() > FILE_BYTES_MAX {
            continue;
        }
        let bytes =
            std::fs::read(&full).map_err(|error| format!("{path} could not be read: {error}"))?;
        if let Ok(text) = String::from_utf8(bytes) {
            files.push(SourceFile { path, text });
        }
    }
    Ok(files)
}

fn listed_by_git() -> Option<Vec<String>> {
    let listing = process::output(process::command("git").args([
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ]))?;
    let paths: Vec<String> = listing
        .split('\0')
        .filter(|path| !path.is_empty())
        .map(str::to_owned)
        .collect();
    (!paths.is_empty()).then_some(paths)
}

fn walked(root: &Path) -> Result<Vec<String>, String> {
    let mut folders = vec![PathBuf::new()];
    let mut paths = Vec::new();
    while let Some(folder) = folders.pop() {
        let entries = std::fs::read_dir(root.join(&folder))
            .map_err(|error| format!("{} could not be listed: {error}", folder.display()))?;
        for entry in entries {
            let entry = entry.map_err(|error| format!("{}: {error}", folder.display()))?;
            let kind = entry.file_type().map_err(|error| error.to_string())?;
            let path = folder.join(entry.file_name());
            if kind.is_dir() {
                let name = entry.file_name();
                let at_root = folder.as_os_str().is_empty();
                let skipped = FOLDERS_SKIPPED.iter().any(|skipped| name == *skipped)
                    || (at_root && ROOT_FOLDERS_SKIPPED.iter().any(|skipped| name == *skipped));
                if !skipped {
                    folders.push(path);
                }
            } else if kind.is_file()
                && let Some(path) = path.to_str()
            {
                paths.push(path.replace('\\', "/"));
            }
        }
    }
    Ok(paths)
}

#[cfg(test)]
pub mod testing {
    use super::{Finding, SourceFile};

    pub fn file(path: &str, text: &str) -> SourceFile {
        SourceFile {
            path: path.to_owned(),
            text: text.to_owned(),
        }
    }

    /// `path:line what`, one a line: what a test compares.
    pub fn shown(findings: &[Finding]) -> String {
        findings
            .iter()
            .map(|f| format!("{}:{} {}\n", f.path, f.line, f.what))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::testing::file;
    use super::*;

    fn finding(line: usize) -> Finding {
        Finding::error("names", "a.rs", line, "what", "remedy")
    }

    #[test]
    fn an_exemption_needs_the_check_s_name_and_a_reason() {
        let exempt = |text: &str, line| is_exempted(&finding(line), &[file("a.rs", text)]);
        assert!(exempt("let x; // tidy:allow(names): the RFC's word", 1));
        assert!(exempt("// tidy:allow(names): the RFC's word\nlet x;", 2));
        assert!(!exempt("// tidy:allow(names):\nlet x;", 2));
        assert!(!exempt("// tidy:allow(sizes): another check\nlet x;", 2));
        assert!(!exempt("// tidy:allow(names): too far\n\nlet x;", 3));
    }

    #[test]
    fn a_finding_reads_as_place_fault_and_remedy() {
        assert_eq!(
            finding(7).to_string(),
            "a.rs:7: error[names]: what\n    remedy: remedy"
        );
    }

    #[test]
    fn only_examples_that_run_count_as_doc_tests() {
        assert!(holds_doc_test("/// ```\n/// let x = 1;\n/// ```"));
        assert!(holds_doc_test("//! ```rust,no_run\n//! main();\n//! ```"));
        assert!(!holds_doc_test("/// ```text\n/// a\n/// ```\nfn f() {}"));
        assert!(!holds_doc_test("/// ```ignore\n/// a\n/// ```"));
        assert!(!holds_doc_test("let s = \"```\";"));
    }

    #[test]
    fn the_walk_without_git_leaves_build_folders_out() {
        let root = std::env::temp_dir().join(format!("relance-tidy-walk-{}", std::process::id()));
        for folder in ["target/debug", "crates/data", "web/node_modules/x", "data"] {
            std::fs::create_dir_all(root.join(folder)).expect("temporary folder");
            std::fs::write(root.join(folder).join("a.rs"), "").expect("temporary file");
        }
        let got = walked(&root);
        std::fs::remove_dir_all(&root).expect("temporary folder removed");
        assert_eq!(got, Ok(vec!["crates/data/a.rs".to_owned()]));
    }
}
