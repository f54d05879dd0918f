//! The command line. `--json` prints data for programs on standard output; everything for people goes to
//! standard error. Exit codes: 0 done, 1 findings, 2 usage.

mod apply;
mod backtest;
mod classify;
mod demo;
mod doctor;
mod explain;
mod init;
mod life;
mod preview;
mod release;
mod render;
mod serve;
mod target;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Follow-ups that stop the moment the person reacts.
#[derive(Debug, Parser)]
#[command(name = "relance", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs the server.
    Serve(serve::Args),
    /// Plays some weeks of a fictional company in fast motion; nothing is sent.
    Demo(demo::Args),
    /// Creates a workspace and prints its keys.
    Init(init::Args),
    /// Checks that a workspace can do its work: configuration, database, mailboxes, mail servers.
    Doctor(doctor::Args),
    /// Says why something was sent to a contact, or was not.
    Explain(explain::Args),
    /// Lets a copied or restored workspace send again.
    Release(release::Args),
    /// Checks, applies and previews journeys.
    #[command(subcommand)]
    Journey(JourneyCommand),
    /// Reads mail.
    #[command(subcommand)]
    Mail(MailCommand),
    /// Renders a template.
    Render(render::Args),
    /// Reads a PDF in a process of its own.
    #[command(name = crate::examine::PDF_SUBCOMMAND, hide = true)]
    PdfText,
}

#[derive(Debug, Subcommand)]
enum JourneyCommand {
    /// Says what is wrong with journeys and templates, all at once.
    Check(apply::CheckArgs),
    /// Says what `apply` would change, and for how many runs; changes nothing.
    Plan(apply::Args),
    /// Publishes journeys, templates and content lists: all of them, or none.
    Apply(apply::Args),
    /// Says what a journey would have done over what really happened; nothing is sent.
    Backtest(backtest::Args),
    /// Writes what is in force as a folder that `apply` finds unchanged.
    Export(apply::ExportArgs),
    /// Lets a journey stand still: nothing of it begins, goes on or leaves.
    Pause(life::Args),
    /// Lets a paused journey go on.
    Resume(life::ResumeArgs),
    /// Lets no new run begin; those under way go on.
    Retire(life::Args),
    /// Lets no new run begin, and ends those under way.
    Archive(life::Args),
    /// Runs journeys on a virtual clock; nothing is sent.
    Preview(preview::Args),
}

#[derive(Debug, Subcommand)]
enum MailCommand {
    /// Says what mails are: replies, auto-replies, bounces, complaints, documents.
    Classify(classify::Args),
}

/// How a command ended.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// It found something wrong; the findings are printed.
    #[error("")]
    Findings,
    /// It could not do its work.
    #[error("{0}")]
    Cannot(String),
    /// It was called wrongly.
    #[error("{0}")]
    Usage(String),
}

impl Failure {
    fn cannot(error: impl ToString) -> Self {
        Self::Cannot(error.to_string())
    }
}

type Done = Result<(), Failure>;

/// Runs the program.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are no errors.
            let code = if error.use_stderr() { 2 } else { 0 };
            // Nothing can be done about a closed terminal.
            let _printed = error.print();
            return ExitCode::from(code);
        }
    };
    let done = match cli.command {
        Command::PdfText => return crate::examine::pdf_process(),
        Command::Serve(args) => serve::run(args),
        Command::Demo(args) => demo::run(args),
        Command::Init(args) => init::run(args),
        Command::Doctor(args) => doctor::run(args),
        Command::Explain(args) => explain::run(args),
        Command::Release(args) => release::run(args),
        Command::Journey(JourneyCommand::Check(args)) => apply::check(args),
        Command::Journey(JourneyCommand::Plan(args)) => apply::plan(args),
        Command::Journey(JourneyCommand::Apply(args)) => apply::run(args),
        Command::Journey(JourneyCommand::Backtest(args)) => backtest::run(args),
        Command::Journey(JourneyCommand::Export(args)) => apply::export(args),
        Command::Journey(JourneyCommand::Pause(args)) => life::run(args, "pause"),
        Command::Journey(JourneyCommand::Resume(args)) => life::resume(args),
        Command::Journey(JourneyCommand::Retire(args)) => life::run(args, "retire"),
        Command::Journey(JourneyCommand::Archive(args)) => life::run(args, "archive"),
        Command::Journey(JourneyCommand::Preview(args)) => preview::run(args),
        Command::Mail(MailCommand::Classify(args)) => classify::run(args),
        Command::Render(args) => render::run(args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Findings) => ExitCode::from(1),
        Err(Failure::Cannot(text)) => {
            eprintln!("relance: {text}");
            ExitCode::from(1)
        }
        Err(Failure::Usage(text)) => {
            eprintln!("relance: {text}");
            ExitCode::from(2)
        }
    }
}

/// Reads a text file, naming it when it cannot be read.
fn read_text(path: &PathBuf) -> Result<String, Failure> {
    std::fs::read_to_string(path)
        .map_err(|error| Failure::Usage(format!("cannot read {}: {error}", path.display())))
}

/// Prints a line of data; a reader that went away ends the command quietly.
fn print_line(line: &str) -> Done {
    use std::io::Write as _;
    writeln!(std::io::stdout().lock(), "{line}").map_err(|_| Failure::Findings)
}
