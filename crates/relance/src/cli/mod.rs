//! The command line. `--json` prints data for programs on standard output; everything for people goes to
//! standard error. Exit codes: 0 done, 1 findings, 2 usage.

mod apply;
mod backtest;
mod classify;
mod consent;
mod contacts;
mod demo;
mod doctor;
mod explain;
mod identity;
mod init;
mod key;
mod library;
mod life;
mod mailbox;
mod payments;
mod preview;
mod release;
mod render;
mod segment;
mod serve;
mod settings;
mod store;
mod target;
mod user;

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
    /// Moves a workspace from its file to a PostgreSQL server.
    #[command(subcommand)]
    Store(StoreCommand),
    /// Checks, applies and previews journeys.
    #[command(subcommand)]
    Journey(JourneyCommand),
    /// Checks, counts and explains segments, and keeps lists.
    #[command(subcommand)]
    Segment(SegmentCommand),
    /// Keeps contacts; takes them from files, and writes lists to files.
    #[command(subcommand)]
    Contacts(ContactsCommand),
    /// Takes bank statements, and puts what came to invoices.
    #[command(subcommand)]
    Payments(PaymentsCommand),
    /// Keeps the list of addresses that must not be written to.
    #[command(subcommand)]
    Suppressions(SuppressionsCommand),
    /// Reads mail.
    #[command(subcommand)]
    Mail(MailCommand),
    /// Renders a template.
    Render(render::Args),
    /// Connects, tries and removes mailboxes of a running server.
    #[command(subcommand)]
    Mailbox(MailboxCommand),
    /// Shows and changes settings, as the interface does.
    #[command(subcommand)]
    Settings(SettingsCommand),
    /// Keeps those who log in.
    #[command(subcommand)]
    User(UserCommand),
    /// Keeps write keys and API tokens.
    #[command(subcommand)]
    Key(KeyCommand),
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
    /// Lists the ready-made journeys, or writes one as a folder to change and apply.
    Library(library::Args),
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
enum PaymentsCommand {
    /// Takes bank statements; what is known already changes nothing.
    Import(payments::ImportArgs),
    /// Lists statements that were taken in: who, when, and what became of their payments.
    Statements(payments::StatementsArgs),
    /// Takes a wrong statement back, with all that followed from it.
    Undo(payments::UndoArgs),
}

#[derive(Debug, Subcommand)]
enum StoreCommand {
    /// Moves a stopped workspace, whole; called again, it goes on where it was broken off.
    Move(store::MoveArgs),
}

#[derive(Debug, Subcommand)]
enum SegmentCommand {
    /// Says what is wrong with definitions, all at once.
    Check(segment::CheckArgs),
    /// Says who belongs to a segment, or would belong to a draft; nothing is written.
    Count(segment::CountArgs),
    /// Lists segments with their members and states.
    List(segment::ListArgs),
    /// Lists members.
    Members(segment::MembersArgs),
    /// Puts contacts into a list.
    Add(segment::ChangeArgs),
    /// Takes contacts out of a list.
    Remove(segment::ChangeArgs),
    /// Says which parts of a segment's condition hold for a contact, and until when.
    Why(segment::WhyArgs),
    /// Shows the bounds of recency, frequency and money, or tells them anew.
    Rfm(segment::RfmArgs),
}

#[derive(Debug, Subcommand)]
enum ContactsCommand {
    /// Takes contacts from a CSV file or a workbook; --dry-run shows what would change.
    Import(Box<contacts::ImportArgs>),
    /// Writes contacts, or another list, as CSV, XLSX or JSON lines.
    Export(contacts::ExportArgs),
    /// Prints all that is held on a person, as one JSON object.
    Held(consent::PersonArgs),
    /// Forgets a person, and prints what was removed.
    Erase(consent::PersonArgs),
    /// Makes one contact of two.
    Merge(identity::MergeArgs),
    /// Undoes a merge, within a day.
    Unmerge(identity::UnmergeArgs),
    /// Lists contacts that may be one.
    Duplicates(identity::DuplicatesArgs),
}

#[derive(Debug, Subcommand)]
enum SuppressionsCommand {
    /// Adds the entries of a file of one column.
    Import(consent::ImportArgs),
    /// Writes the list as a file of one column.
    Export(consent::ExportArgs),
    /// Adds entries.
    Add(consent::ChangeArgs),
    /// Removes entries: contacts with these addresses may be reached again.
    Remove(consent::ChangeArgs),
}

#[derive(Debug, Subcommand)]
enum MailCommand {
    /// Says what mails are: replies, auto-replies, bounces, complaints, documents.
    Classify(classify::Args),
}

#[derive(Debug, Subcommand)]
enum MailboxCommand {
    /// Lists mailboxes, and how they fare.
    List(mailbox::ListArgs),
    /// Tries a mailbox, and connects it.
    Add(mailbox::AddArgs),
    /// Tries a mailbox; nothing is saved.
    Check(mailbox::AddArgs),
    /// Asks for a mailbox to be read now.
    Sync(mailbox::OneArgs),
    /// Puts a mailbox to rest: it is not read, and its reminders are held.
    Pause(mailbox::OneArgs),
    /// Wakes a mailbox: it is read from where reading ended.
    Resume(mailbox::OneArgs),
    /// Disconnects a mailbox.
    Remove(mailbox::OneArgs),
    /// Says that a removed mailbox will not be read again, and what becomes of the reminders that wait for it.
    Forget(mailbox::ForgetArgs),
}

#[derive(Debug, Subcommand)]
enum SettingsCommand {
    /// Lists the sections, and whose word each is: the file's, or what was changed here.
    List(settings::ListArgs),
    /// Prints what a section says, without secrets.
    Show(settings::OneArgs),
    /// Changes a section to the JSON that is given, from a file or standard input.
    Set(settings::SetArgs),
    /// Takes back what was changed of a section: relance.toml counts again.
    Reset(settings::OneArgs),
}

#[derive(Debug, Subcommand)]
enum UserCommand {
    /// Makes a user, and prints the link by which they choose a password.
    Add(user::AddArgs),
    /// Lists users.
    List(user::Common),
    /// Makes a user something else.
    Role(user::RoleArgs),
    /// Removes a user.
    Remove(user::OneArgs),
    /// Prints a link by which a user signs in once, without a password; also beside a running server.
    Link(user::FolderArgs),
    /// Sets a user's password, read from standard input, on a stopped workspace.
    Password(user::FolderArgs),
}

#[derive(Debug, Subcommand)]
enum KeyCommand {
    /// Makes a key and prints it, this once.
    Add(key::AddArgs),
    /// Lists keys, without themselves.
    List(key::ListArgs),
    /// Removes a key: whoever has it is refused.
    Remove(key::RemoveArgs),
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
        Command::Journey(JourneyCommand::Library(args)) => library::run(args),
        Command::Journey(JourneyCommand::Pause(args)) => life::run(args, "pause"),
        Command::Journey(JourneyCommand::Resume(args)) => life::resume(args),
        Command::Journey(JourneyCommand::Retire(args)) => life::run(args, "retire"),
        Command::Journey(JourneyCommand::Archive(args)) => life::run(args, "archive"),
        Command::Journey(JourneyCommand::Preview(args)) => preview::run(args),
        Command::Store(StoreCommand::Move(args)) => store::run(args),
        Command::Segment(SegmentCommand::Check(args)) => segment::check(args),
        Command::Segment(SegmentCommand::Count(args)) => segment::count(args),
        Command::Segment(SegmentCommand::List(args)) => segment::list(args),
        Command::Segment(SegmentCommand::Members(args)) => segment::members(args),
        Command::Segment(SegmentCommand::Add(args)) => segment::add(args),
        Command::Segment(SegmentCommand::Remove(args)) => segment::remove(args),
        Command::Segment(SegmentCommand::Why(args)) => segment::why(args),
        Command::Segment(SegmentCommand::Rfm(args)) => segment::rfm(args),
        Command::Contacts(ContactsCommand::Merge(args)) => identity::merge(args),
        Command::Contacts(ContactsCommand::Unmerge(args)) => identity::unmerge(args),
        Command::Contacts(ContactsCommand::Duplicates(args)) => identity::duplicates(args),
        Command::Contacts(ContactsCommand::Import(args)) => contacts::import(*args),
        Command::Contacts(ContactsCommand::Export(args)) => contacts::export(args),
        Command::Contacts(ContactsCommand::Held(args)) => consent::held(args),
        Command::Contacts(ContactsCommand::Erase(args)) => consent::erase(args),
        Command::Payments(PaymentsCommand::Import(args)) => payments::import(&args),
        Command::Payments(PaymentsCommand::Statements(args)) => payments::statements(&args),
        Command::Payments(PaymentsCommand::Undo(args)) => payments::undo(&args),
        Command::Suppressions(SuppressionsCommand::Import(args)) => consent::import(args),
        Command::Suppressions(SuppressionsCommand::Export(args)) => consent::export(args),
        Command::Suppressions(SuppressionsCommand::Add(args)) => consent::add(args),
        Command::Suppressions(SuppressionsCommand::Remove(args)) => consent::remove(args),
        Command::Mail(MailCommand::Classify(args)) => classify::run(args),
        Command::Render(args) => render::run(args),
        Command::Mailbox(MailboxCommand::List(args)) => mailbox::list(args),
        Command::Mailbox(MailboxCommand::Add(args)) => mailbox::add(args),
        Command::Mailbox(MailboxCommand::Check(args)) => mailbox::check(args),
        Command::Mailbox(MailboxCommand::Sync(args)) => mailbox::act(args, "sync"),
        Command::Mailbox(MailboxCommand::Pause(args)) => mailbox::act(args, "pause"),
        Command::Mailbox(MailboxCommand::Resume(args)) => mailbox::act(args, "resume"),
        Command::Mailbox(MailboxCommand::Remove(args)) => mailbox::remove(args),
        Command::Mailbox(MailboxCommand::Forget(args)) => mailbox::forget(args),
        Command::Settings(SettingsCommand::List(args)) => settings::list(args),
        Command::Settings(SettingsCommand::Show(args)) => settings::show(args),
        Command::Settings(SettingsCommand::Set(args)) => settings::set(args),
        Command::Settings(SettingsCommand::Reset(args)) => settings::reset(args),
        Command::User(UserCommand::Add(args)) => user::add(args),
        Command::User(UserCommand::List(args)) => user::list(args),
        Command::User(UserCommand::Role(args)) => user::role(args),
        Command::User(UserCommand::Remove(args)) => user::remove(args),
        Command::User(UserCommand::Link(args)) => user::link(args),
        Command::User(UserCommand::Password(args)) => user::password(args),
        Command::Key(KeyCommand::Add(args)) => key::add(args),
        Command::Key(KeyCommand::List(args)) => key::list(args),
        Command::Key(KeyCommand::Remove(args)) => key::remove(args),
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
