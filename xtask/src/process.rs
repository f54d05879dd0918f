//! Child processes, started so that every stage sees the same build environment.
//!
//! A child's output goes straight to the terminal, so its own closing summary stays visible.
//!
//! **Invariant:** never changes `RUSTFLAGS` or a profile: two stages that differ in them would each
//! build every dependency again.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Variables that `cargo run` sets for this program and that must not reach the cargo it starts:
/// build scripts that watch them (ring's does) would run again under `cargo xtask` and again outside it.
const CARGO_RUN_VARIABLE_PREFIXES: [&str; 5] = [
    "CARGO_PKG_",
    "CARGO_MANIFEST_",
    "CARGO_BIN_",
    "CARGO_CRATE_",
    "CARGO_PRIMARY_",
];

/// The workspace's root: the folder above this crate.
pub fn root() -> PathBuf {
    // Cargo says where the project is that it runs us for: several may share one build cache.
    let manifest =
        std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    let manifest = Path::new(&manifest);
    manifest
        .parent()
        .map_or_else(|| manifest.to_path_buf(), Path::to_path_buf)
}

/// The cargo that started us, so that a `+toolchain` choice holds for every stage.
pub fn cargo() -> Command {
    command(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// The compiler beside that cargo.
pub fn rustc() -> OsString {
    std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into())
}

/// A script of `web/package.json`.
pub fn npm(script: &str) -> Command {
    let mut command = command("npm");
    command.args(["--prefix", "web", "run", script]);
    command
}

/// What a build left beside this program, which was built with it: `relance`, `examples`.
pub fn built(name: &str) -> PathBuf {
    let own = std::env::current_exe().unwrap_or_default();
    own.parent().unwrap_or(Path::new("target/debug")).join(name)
}

/// A command in the workspace's root, without stdin and without what `cargo run` added.
pub fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(root()).stdin(Stdio::null());
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(set_by_cargo_run) {
            command.env_remove(&name);
        }
    }
    command
}

fn set_by_cargo_run(name: &str) -> bool {
    CARGO_RUN_VARIABLE_PREFIXES
        .iter()
        .any(|prefix| name.starts_with(prefix))
}

/// The command as a person would type it.
pub fn shown(command: &Command) -> String {
    let mut words: Vec<String> = command
        .get_envs()
        .filter_map(|(name, value)| {
            value.map(|v| format!("{}={}", name.to_string_lossy(), v.to_string_lossy()))
        })
        .collect();
    let program = Path::new(command.get_program());
    words.push(
        program
            .file_name()
            .unwrap_or(program.as_os_str())
            .to_string_lossy()
            .into_owned(),
    );
    words.extend(
        command
            .get_args()
            .map(|arg| arg.to_string_lossy().into_owned()),
    );
    words.join(" ")
}

/// What the program prints, if it can be started and succeeds; its complaints are not shown.
pub fn output(command: &mut Command) -> Option<String> {
    let output = command.stderr(Stdio::null()).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then_some(text)
}

/// Runs to the end with output inherited. The error is one sentence.
pub fn run(command: &mut Command) -> Result<(), String> {
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("`{}` ended with {status}", shown(command))),
        Err(error) => Err(format!(
            "`{}` could not be started: {error}",
            shown(command)
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_of_cargo_run_are_recognised_and_the_builder_s_own_are_kept() {
        assert!(set_by_cargo_run("CARGO_PKG_NAME"));
        assert!(set_by_cargo_run("CARGO_MANIFEST_DIR"));
        assert!(!set_by_cargo_run("CARGO_TARGET_DIR"));
        assert!(!set_by_cargo_run("CARGO_HOME"));
        assert!(!set_by_cargo_run("CARGO"));
        assert!(!set_by_cargo_run("RUSTFLAGS"));
    }

    #[test]
    fn a_command_is_shown_as_typed() {
        let mut doc = Command::new("/toolchain/bin/cargo");
        doc.args(["doc", "--no-deps"])
            .env("RUSTDOCFLAGS", "-Dwarnings");
        doc.env_remove("CARGO_PKG_NAME");
        assert_eq!(shown(&doc), "RUSTDOCFLAGS=-Dwarnings cargo doc --no-deps");
    }
}
