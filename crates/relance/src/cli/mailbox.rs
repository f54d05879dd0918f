//! `relance mailbox`: connects, tries and removes mailboxes of a running server.
//!
//! A password is read from a file or from standard input, never from the command line, where others see it.

use std::io::Read as _;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::target::{Place, Server, Target};
use super::{Done, Failure, print_line};

/// Bytes of a password that is read.
const PASSWORD_BYTES_MAX: u64 = 4 * 1024;

/// Arguments of `list`.
#[derive(Debug, clap::Args)]
pub struct ListArgs {
    #[command(flatten)]
    target: Target,
    /// Prints JSON.
    #[arg(long)]
    json: bool,
}

/// Arguments of `remove`.
#[derive(Debug, clap::Args)]
pub struct OneArgs {
    /// The address of the mailbox.
    address: String,
    #[command(flatten)]
    target: Target,
}

/// Arguments of `add` and `check`.
#[derive(Debug, clap::Args)]
pub struct AddArgs {
    #[command(flatten)]
    one: OneArgs,
    /// Where it is read: `HOST`, or `HOST:PORT`; found by the address, when missing.
    #[arg(long)]
    imap: Option<String>,
    /// How it sends: `HOST`, or `HOST:PORT`; found by the address, when missing.
    #[arg(long)]
    smtp: Option<String>,
    /// Who logs in, where it is not the address.
    #[arg(long)]
    user: Option<String>,
    /// What recipients see beside the address.
    #[arg(long)]
    name: Option<String>,
    /// A file with the password; standard input without it.
    #[arg(long)]
    password_file: Option<PathBuf>,
}

/// Arguments of `forget`.
#[derive(Debug, clap::Args)]
pub struct ForgetArgs {
    #[command(flatten)]
    one: OneArgs,
    /// What becomes of the reminders that wait for it.
    #[arg(long, value_enum)]
    waiting: WaitingWord,
}

/// What becomes of reminders that wait for a removed mailbox.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum WaitingWord {
    /// They go on as if it had never been watched.
    GoOn,
    /// Those about what was sent from it are left out.
    LeaveOut,
}

fn server(target: &Target) -> Result<Server<'_>, Failure> {
    match target.place()? {
        Place::Server(server) => Ok(server),
        Place::Folder(_) => Err(Failure::Usage(
            "mailboxes are connected through a running server: --server http://... --token at_..."
                .to_owned(),
        )),
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("-")
}

pub fn list(args: ListArgs) -> Done {
    let told = server(&args.target)?.get("/api/v1/mailboxes")?;
    if args.json {
        return print_line(&told.to_string());
    }
    let rows = |list: &str| told[list].as_array().map_or(0, Vec::len);
    if rows("items") + rows("gone") == 0 {
        return print_line("no mailbox is connected; relance mailbox add ADDRESS connects one");
    }
    for one in told["items"].as_array().into_iter().flatten() {
        let failure = &one["failure"];
        let why = match failure.is_object() {
            true => format!("  {}: {}", text(&failure["code"]), text(&failure["text"])),
            false => String::new(),
        };
        let why = format!("{}{why}", held(one));
        print_line(&format!(
            "{}  {}  {}  {}{why}",
            text(&one["address"]),
            text(&one["origin"]),
            text(&one["state"]),
            text(&one["synced_at"]),
        ))?;
    }
    for one in told["gone"].as_array().into_iter().flatten() {
        print_line(&format!(
            "{}  -  removed  {}{}",
            text(&one["address"]),
            text(&one["synced_at"]),
            held(one),
        ))?;
    }
    Ok(())
}

/// How many reminders wait for a mailbox, where any do.
fn held(one: &Value) -> String {
    match one["waiting"].as_u64() {
        Some(0) | None => String::new(),
        Some(1) => "  1 reminder waits".to_owned(),
        Some(count) => format!("  {count} reminders wait"),
    }
}

/// A server as it is written: TLS from the first byte, or STARTTLS at the ports of old.
fn place(text: &str, port: u16) -> Result<Value, Failure> {
    let (host, port) = match text.rsplit_once(':') {
        None => (text, port),
        Some((host, port)) => {
            let port = port.parse();
            let port =
                port.map_err(|_| Failure::Usage(format!("{text:?}: write HOST or HOST:PORT")))?;
            (host, port)
        }
    };
    let tls = match port {
        143 | 587 | 25 => "starttls",
        _other => "implicit",
    };
    Ok(json!({ "host": host, "port": port, "tls": tls }))
}

fn password(args: &AddArgs) -> Result<String, Failure> {
    let mut read = String::new();
    match &args.password_file {
        Some(path) => {
            let file = std::fs::File::open(path).map_err(Failure::cannot)?;
            file.take(PASSWORD_BYTES_MAX)
                .read_to_string(&mut read)
                .map_err(Failure::cannot)?;
        }
        None => {
            eprintln!("Password (ends with the line):");
            std::io::stdin()
                .read_line(&mut read)
                .map_err(Failure::cannot)?;
        }
    }
    Ok(read.trim_end_matches(['\r', '\n']).to_owned())
}

/// What is asked for, with the servers that are found by the address.
fn wanted(args: &AddArgs, server: &Server<'_>) -> Result<Value, Failure> {
    let found = match &args.imap {
        Some(_) => Value::Null,
        None => server.post(
            "/api/v1/mailboxes/discover",
            &json!({ "address": args.one.address }),
        )?,
    };
    let imap = match &args.imap {
        Some(text) => place(text, 993)?,
        None => found["imap"].clone(),
    };
    if imap.is_null() {
        return Err(Failure::Usage(
            "its servers were not found; name them: --imap HOST --smtp HOST".to_owned(),
        ));
    }
    let smtp = match &args.smtp {
        Some(text) => place(text, 465)?,
        None => found["smtp"].clone(),
    };
    let user = args.user.clone().map_or(found["user"].clone(), Value::from);
    Ok(json!({ "imap": imap, "smtp": smtp, "user": user, "password": password(args)? }))
}

/// Tries a mailbox; `false` when it cannot be saved.
fn tried(server: &Server<'_>, address: &str, wanted: &Value) -> Result<bool, Failure> {
    let mut asked = wanted.clone();
    asked["address"] = json!(address);
    let told = server.post("/api/v1/mailboxes/check", &asked)?;
    for step in told["steps"].as_array().into_iter().flatten() {
        let (name, code) = (text(&step["step"]), text(&step["code"]));
        if step["ok"] == true {
            let more = step["text"].as_str().filter(|text| !text.is_empty());
            let more = more.map(|text| format!(": {text}")).unwrap_or_default();
            print_line(&format!("ok   {name}{more}"))?;
        } else {
            print_line(&format!("FAIL {name}: {code}: {}", text(&step["text"])))?;
        }
    }
    Ok(told["ok"] == true)
}

pub fn check(args: AddArgs) -> Done {
    let server = server(&args.one.target)?;
    let wanted = wanted(&args, &server)?;
    match tried(&server, &args.one.address, &wanted)? {
        true => Ok(()),
        false => Err(Failure::Findings),
    }
}

pub fn add(args: AddArgs) -> Done {
    let server = server(&args.one.target)?;
    let mut wanted = wanted(&args, &server)?;
    if !tried(&server, &args.one.address, &wanted)? {
        return Err(Failure::Findings);
    }
    wanted["name"] = json!(args.name);
    let path = format!("/api/v1/mailboxes/{}", args.one.address);
    let told = server.put(&path, &wanted)?;
    print_line(&format!("{}: connected", text(&told["address"])))
}

/// `sync`, `pause`, `resume`.
pub fn act(args: OneArgs, what: &str) -> Done {
    let server = server(&args.target)?;
    let path = format!("/api/v1/mailboxes/{}/{what}", args.address);
    server.post(&path, &json!({}))?;
    let done = match what {
        "sync" => "is read now",
        "pause" => "is paused; reminders that depend on it are held",
        _resume => "is read again",
    };
    print_line(&format!("{}: {done}", args.address))
}

pub fn forget(args: ForgetArgs) -> Done {
    let server = server(&args.one.target)?;
    let path = format!("/api/v1/mailboxes/{}/forget", args.one.address);
    let (word, done) = match args.waiting {
        WaitingWord::GoOn => ("go_on", "reminders that waited go on without it"),
        WaitingWord::LeaveOut => (
            "leave_out",
            "reminders about what was sent from it are left out",
        ),
    };
    server.post(&path, &json!({ "waiting": word }))?;
    print_line(&format!(
        "{}: forgotten; {done} within some minutes",
        args.one.address
    ))
}

pub fn remove(args: OneArgs) -> Done {
    let server = server(&args.target)?;
    let path = format!("/api/v1/mailboxes/{}", args.address);
    let told = server.delete(&path, &json!({}))?;
    let more = match told["revoke_url"].as_str() {
        Some(url) => format!("; take the leave back by hand: {url}"),
        None => String::new(),
    };
    print_line(&format!("{}: disconnected{more}", args.address))
}
