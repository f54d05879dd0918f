//! The project's own commands, run as `cargo xtask COMMAND`.
//!
//! `test` is the one command that installs what the tests need and passes all of them; `tidy` checks
//! what neither the compiler nor clippy can see; `demo` builds the server and starts its demonstration.
//!
//! **Absent:** any dependency on our own crates, and any heavy one: this program is compiled before
//! anything else and must be ready in seconds.

use std::process::ExitCode;

mod demo;
mod process;
mod test;
mod tidy;

/// Exit code for findings or a failed stage.
const EXIT_FINDINGS: u8 = 1;
/// Exit code for a wrong command line.
const EXIT_USAGE: u8 = 2;

const USAGE: &str = "\
usage: cargo xtask COMMAND

commands:
  test [--quick]          install what the tests need and pass all tests, cheapest first;
                          --quick leaves out the tests that need real daemons, and their installation
  tidy                    check arrows between crates, file sizes, words, SQL, purity, paths, links
  demo [--release] [ARG]  build the server and start its demonstration; ARGs go to `relance demo`
";

/// What a command ended with; each maps to one exit code.
pub enum Failure {
    /// The command ran and found something wrong; the text says what and what to do.
    Findings(String),
    /// The command line was wrong; the text says how.
    Usage(String),
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let (command, rest) = match args.split_first() {
        Some((command, rest)) => (command.as_str(), rest),
        None => ("", &[][..]),
    };
    let result = match command {
        "test" => test::run(rest),
        "tidy" => tidy::run(rest),
        "demo" => demo::run(rest),
        "help" | "--help" | "-h" => {
            print!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        "" => Err(Failure::Usage("no command given".to_owned())),
        other => Err(Failure::Usage(format!("unknown command `{other}`"))),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Findings(text)) => {
            eprintln!("xtask: {text}");
            ExitCode::from(EXIT_FINDINGS)
        }
        Err(Failure::Usage(text)) => {
            eprintln!("xtask: {text}\n\n{USAGE}");
            ExitCode::from(EXIT_USAGE)
        }
    }
}
