//! The tree builds and reads the same on every machine: no one's home folder, no one's package
//! mirror; the lock file is there, and every crate takes part in the workspace's lints.

use super::{Finding, SourceFile};

const CHECK: &str = "hygiene";

/// First folders of paths that exist on one machine only: people's homes and work mounts.
const PRIVATE_ROOTS: [&str; 4] = ["home", "Users", "root", "work"];

/// Hosts of package registries; whoever builds chooses their own.
const REGISTRY_HOSTS: [&str; 9] = [
    "index.crates.io",        // tidy:allow(hygiene): the list of what is refused
    "static.crates.io",       // tidy:allow(hygiene): the list of what is refused
    "registry.npmjs.org",     // tidy:allow(hygiene): the list of what is refused
    "registry.yarnpkg.com",   // tidy:allow(hygiene): the list of what is refused
    "files.pythonhosted.org", // tidy:allow(hygiene): the list of what is refused
    "pypi.org/simple",        // tidy:allow(hygiene): the list of what is refused
    "proxy.golang.org",       // tidy:allow(hygiene): the list of what is refused
    "deb.debian.org",         // tidy:allow(hygiene): the list of what is refused
    "registry.npmmirror.com", // tidy:allow(hygiene): the list of what is refused
];

/// Settings that point a package manager to a mirror, by file name.
const MIRROR_SETTINGS: [(&str, &str); 5] = [
    (".cargo/config.toml", "[source."),
    (".cargo/config.toml", "[registries"),
    (".cargo/config.toml", "replace-with"),
    (".npmrc", "registry"),
    ("pip.conf", "index-url"),
];

/// The one source that `Cargo.lock` names for a public package, whatever mirror served it.
const CARGO_SOURCE: &str = "\"registry+https://github.com/rust-lang/crates.io-index\"";

pub fn check(files: &[SourceFile]) -> Vec<Finding> {
    let mut findings = Vec::new();
    if !files.iter().any(|file| file.path == "Cargo.lock") {
        findings.push(Finding::error(
            CHECK,
            "Cargo.lock",
            1,
            "the lock file is missing",
            "run `cargo metadata` and add it: a program is shipped with the versions it was tested with",
        ));
    }
    for file in files {
        if file.path == "Cargo.lock" {
            findings.extend(cargo_lock(file));
        } else {
            findings.extend(lines(file));
        }
        // A manifest elsewhere (a fuzzing harness) is a workspace of its own.
        let member = file.path.starts_with("crates/") || file.path.starts_with("xtask/");
        if member && file.path.ends_with("/Cargo.toml") && !shares_lints(&file.text) {
            findings.push(Finding::error(
                CHECK,
                &file.path,
                1,
                "the crate leaves the workspace's lints out",
                "add `[lints]` with `workspace = true`",
            ));
        }
    }
    findings
}

fn shares_lints(manifest: &str) -> bool {
    let mut lines = manifest.lines().map(str::trim);
    lines.any(|line| line == "[lints]") && lines.next() == Some("workspace = true")
}

fn cargo_lock(file: &SourceFile) -> Vec<Finding> {
    numbered(file)
        .filter(|(_, line)| line.starts_with("source = ") && !line.ends_with(CARGO_SOURCE))
        .map(|(number, line)| {
            Finding::error(
                CHECK,
                &file.path,
                number,
                format!("a package from elsewhere: {line}"),
                "use a published version, or record a decision and add its source here",
            )
        })
        .collect()
}

fn lines(file: &SourceFile) -> Vec<Finding> {
    let lock = file.path.ends_with("-lock.json") || file.path.ends_with(".lock");
    let mut findings = Vec::new();
    for (number, line) in numbered(file) {
        if let Some(path) = private_path(line) {
            findings.push(Finding::error(
                CHECK,
                &file.path,
                number,
                format!("`{path}` exists on one machine only"),
                "write it relative to the root, or with a variable such as $HOME",
            ));
        }
        // A lock file of npm names the public host by its format; any other host is a mirror's.
        let host = REGISTRY_HOSTS.iter().find(|host| line.contains(**host));
        if let Some(host) = host.filter(|_| !lock) {
            findings.push(Finding::error(
                CHECK,
                &file.path,
                number,
                format!("the registry host `{host}`"),
                "leave the choice of registry to the builder's own settings",
            ));
        }
        if lock && host.is_none() && line.contains("\"resolved\": \"http") {
            findings.push(Finding::error(
                CHECK,
                &file.path,
                number,
                "a package resolved from a mirror",
                "make the lock file again with omit-lockfile-registry-resolved=true",
            ));
        }
        let mirror = MIRROR_SETTINGS
            .iter()
            .find(|(name, setting)| file.path.ends_with(name) && line.contains(setting));
        if let Some((_, setting)) = mirror {
            findings.push(Finding::error(
                CHECK,
                &file.path,
                number,
                format!("the setting `{setting}` chooses a mirror for everyone"),
                "keep it in your own home folder's settings",
            ));
        }
    }
    findings
}

fn numbered(file: &SourceFile) -> impl Iterator<Item = (usize, &str)> {
    file.text
        .lines()
        .enumerate()
        .map(|(index, line)| (index + 1, line))
}

/// A path that starts at one of the private roots: `/` + root + `/` + a name, not inside an address.
fn private_path(line: &str) -> Option<&str> {
    for (at, _) in line.match_indices('/') {
        let before = line[..at].chars().next_back();
        let starts = before.is_none_or(|c| {
            c.is_whitespace() || ['"', '\'', '`', '=', '(', ':', ',', '<', '['].contains(&c)
        });
        // `https://work/` has its host after the slashes, not a folder.
        if !starts || line[at + 1..].starts_with('/') {
            continue;
        }
        let rest = &line[at + 1..];
        let private = PRIVATE_ROOTS.iter().any(|root| {
            rest.strip_prefix(root)
                .and_then(|tail| tail.strip_prefix('/'))
                .is_some_and(|tail| tail.starts_with(|c: char| c.is_alphanumeric() || c == '.'))
        });
        if private {
            let length = rest
                .find(|c: char| !c.is_alphanumeric() && !['/', '.', '_', '-'].contains(&c))
                .unwrap_or(rest.len());
            return Some(&line[at..at + 1 + length]);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::super::testing::{file, shown};
    use super::*;

    fn found(path: &str, text: &str) -> String {
        shown(&check(&[file("Cargo.lock", ""), file(path, text)]))
    }

    /// Built, so that this file does not hold what it refuses.
    fn private(root: &str) -> String {
        format!("/{root}/ana/x")
    }

    #[test]
    fn private_paths_are_found() {
        for root in PRIVATE_ROOTS {
            let path = private(root);
            assert_eq!(
                found("a.md", &format!("see\nDIR={path} now")),
                format!("a.md:2 `{path}` exists on one machine only\n")
            );
        }
    }

    #[test]
    fn addresses_variables_and_relative_paths_are_left_alone() {
        for text in [
            "https://example.com/home/ana",
            "$HOME/.cache",
            "crates/root/x",
            "~/work/x",
            "GET /home HTTP/1.1",
            "the /root/ route",
        ] {
            assert_eq!(found("a.md", text), "", "in {text}");
        }
    }

    #[test]
    fn registry_hosts_are_found_outside_lock_files() {
        let host = REGISTRY_HOSTS[2];
        assert_eq!(
            found("a.sh", &format!("curl https://{host}/x")),
            format!("a.sh:1 the registry host `{host}`\n")
        );
        let line = format!("\"resolved\": \"https://{host}/x/-/x.tgz\"");
        assert_eq!(found("web/package-lock.json", &line), "");
        assert_eq!(
            found(
                "web/package-lock.json",
                "\"resolved\": \"https://mirror.example/x.tgz\""
            ),
            "web/package-lock.json:1 a package resolved from a mirror\n"
        );
    }

    #[test]
    fn a_mirror_for_everyone_is_found() {
        assert_eq!(
            found(
                ".cargo/config.toml",
                "[source.public]\nreplace-with = \"m\""
            ),
            ".cargo/config.toml:1 the setting `[source.` chooses a mirror for everyone\n\
             .cargo/config.toml:2 the setting `replace-with` chooses a mirror for everyone\n"
        );
    }

    #[test]
    fn a_crate_without_the_workspace_s_lints_is_found() {
        let good = "[package]\nname = \"a\"\n\n[lints]\nworkspace = true\n";
        assert_eq!(found("crates/a/Cargo.toml", good), "");
        assert_eq!(
            found("crates/a/Cargo.toml", "[package]\nname = \"a\"\n"),
            "crates/a/Cargo.toml:1 the crate leaves the workspace's lints out\n"
        );
        assert_eq!(found("Cargo.toml", "[workspace]\n"), "");
        assert_eq!(found("fuzz/Cargo.toml", "[workspace]\n"), "");
    }

    #[test]
    fn the_cargo_lock_is_there_and_names_one_source() {
        assert_eq!(
            shown(&check(&[])),
            "Cargo.lock:1 the lock file is missing\n"
        );
        let lock = format!("source = {CARGO_SOURCE}\nsource = \"git+https://example.com/x\"\n");
        assert_eq!(
            shown(&check(&[file("Cargo.lock", &lock)])),
            "Cargo.lock:2 a package from elsewhere: source = \"git+https://example.com/x\"\n"
        );
    }
}
