//! `cargo xtask demo`: builds the server and starts `relance demo`.
//!
//! The debug build is the default: a newcomer waits for the compiler far longer than for the
//! demonstration, which is bounded by its virtual clock. `--release` builds what would be shipped.

use std::process::Stdio;

use crate::{Failure, process};

pub fn run(args: &[String]) -> Result<(), Failure> {
    let (release, passed_on) = split(args);
    if let Err(why) = build_interface() {
        eprintln!("==> the web interface is not built, the rest goes on: {why}");
    }
    let mut cargo = process::cargo();
    cargo.args(["run", "--package", "relance", "--bin", "relance"]);
    if release {
        cargo.arg("--release");
    }
    cargo.args(["--", "demo"]).args(passed_on);
    // The demonstration is the one child that a person may talk to.
    cargo.stdin(Stdio::inherit());
    println!("==> {}", process::shown(&cargo));
    process::run(&mut cargo).map_err(Failure::Findings)
}

/// What the program serves to browsers: the last build of `web/`, made anew.
fn build_interface() -> Result<(), String> {
    let mut script = process::command("sh");
    script.args(["scripts/install-web-deps.sh", "build"]);
    for mut command in [script, process::npm("build")] {
        println!("==> {}", process::shown(&command));
        process::run(&mut command)?;
    }
    Ok(())
}

/// `--release` before a `--` is ours; everything else belongs to `relance demo`.
fn split(args: &[String]) -> (bool, Vec<&String>) {
    let own = args.iter().position(|a| a == "--").unwrap_or(args.len());
    let release = args[..own].iter().any(|a| a == "--release");
    let mut passed_on: Vec<&String> = args[..own].iter().filter(|a| *a != "--release").collect();
    passed_on.extend(args[own..].iter().skip(1));
    (release, passed_on)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, release: bool, passed_on: &str) {
        let args: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        let (got_release, got) = split(&args);
        let got: Vec<&str> = got.iter().map(|a| a.as_str()).collect();
        assert_eq!(
            (got_release, got.join(" ").as_str()),
            (release, passed_on),
            "{line}"
        );
    }

    #[test]
    fn own_flags_are_taken_and_the_rest_is_passed_on() {
        check("", false, "");
        check("--release --speed 3600", true, "--speed 3600");
        check("--speed 3600 --release", true, "--speed 3600");
        check("-- --release", false, "--release");
    }
}
