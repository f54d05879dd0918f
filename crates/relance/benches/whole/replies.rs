//! A client answers: from the moment the mail server has taken the reply until the run is ended, committed and visible.
//!
//! A private Dovecot takes replies by LMTP and tells the program by IDLE; the end of each run is looked for in the
//! database every two milliseconds. The bound is a bare client that idles on the same inbox: what it is told, and when, is
//! the mail server's own share.

use std::collections::{BTreeMap, HashMap};
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use relance_channels::imap::{FolderName, ImapAccount, Login, MailSession, Tls};

use crate::bare::sql;
use crate::daemon::dovecot::Dovecot;
use crate::daemon::smtp::Talk;
use crate::daemon::{PASSWORD, User};
use crate::figures::{Figure, quantile, say};
use crate::load::nanos;
use crate::mailboxes::{WORKSPACE, configured, reading};
use crate::server::Server;
use crate::{Failure, Options, seed};

const ANNA: &str = "anna@shop.test";
const JOURNEY: &str = "\
format: journey/1
id: offer
name: Offer without a reply
subject: document
trigger:
  event: Document Sent
  where: { subject.kind: offer }
reentry: once_per_subject
exit:
  - { event: Replied }
steps:
  - wait: 30d
  - set: { contact.silent: true }
";
/// Replies that come now and then.
const SEVERAL: u64 = 300;
const SEVERAL_GAP: Duration = Duration::from_millis(200);
/// A thousand in a minute.
const MANY: u64 = 1_000;
const MANY_GAP: Duration = Duration::from_millis(60);
/// How often the end of a run is looked for.
const LOOK_AGAIN: Duration = Duration::from_millis(2);
const PATIENCE: Duration = Duration::from_secs(120);

fn client(n: u64) -> String {
    format!("buyer-{n}@client-{n}.test")
}

fn offer(n: u64) -> String {
    format!(
        "From: Anna <{ANNA}>\r\nTo: <{}>\r\nSubject: Commercial offer No. KP-{n}\r\nMessage-ID: <offer-{n}@shop.test>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n\
         Dear customer,\r\n\r\nas agreed, here is our commercial offer No. KP-{n} for two pumps with delivery.\r\n\r\nTotal: 120,000.00 EUR\r\n\r\nKind regards,\r\nAnna\r\n",
        client(n)
    )
}

fn reply(n: u64) -> String {
    format!(
        "From: <{}>\r\nTo: <{ANNA}>\r\nSubject: Re: Commercial offer No. KP-{n}\r\nMessage-ID: <reply-{n}@client-{n}.test>\r\nIn-Reply-To: <offer-{n}@shop.test>\r\nReferences: <offer-{n}@shop.test>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n\
         Thank you, we take both pumps.\r\n\r\nOn Monday Anna wrote:\r\n> as agreed, here is our commercial offer No. KP-{n}\r\n> Total: 120,000.00 EUR\r\n",
        client(n)
    )
}

/// When what happened, by number, in nanoseconds.
type Moments = Arc<Mutex<HashMap<i64, u64>>>;

fn note(moments: &Moments, key: i64) {
    let mut moments = moments.lock().unwrap_or_else(PoisonError::into_inner);
    moments.entry(key).or_insert_with(nanos);
}

/// Notes when runs end, by contact.
fn watch_runs(
    data: &Path,
    moments: Moments,
    over: Arc<AtomicBool>,
) -> Result<JoinHandle<Option<String>>, Failure> {
    let connection = reading(data)?;
    let mut last: i64 = connection.query_row(sql("line_last")?, [], |row| row.get(0))?;
    let after = sql("lines_after")?;
    Ok(std::thread::spawn(move || {
        while !over.load(Ordering::Acquire) {
            let looked = (|| -> rusqlite::Result<()> {
                let mut statement = connection.prepare_cached(after)?;
                let mut rows = statement.query([last])?;
                while let Some(row) = rows.next()? {
                    last = row.get(0)?;
                    if row.get::<_, String>(2)? == "exited" {
                        note(&moments, row.get(1)?);
                    }
                }
                Ok(())
            })();
            if let Err(error) = looked {
                return Some(error.to_string());
            }
            std::thread::sleep(LOOK_AGAIN);
        }
        None
    }))
}

/// Idles as a bare client does, and notes when it is told of how many messages.
fn watch_inbox(port: u16, moments: Moments) -> Result<TcpStream, Failure> {
    let stream = TcpStream::connect(("127.0.0.1", port))?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut writer = stream.try_clone()?;
    let mut until = |wanted: &str| -> Result<(), Failure> {
        let mut line = String::new();
        while !line.starts_with(wanted) {
            line.clear();
            if reader.read_line(&mut line)? == 0 {
                return Err("the bare client was sent away".into());
            }
        }
        Ok(())
    };
    until("* OK")?;
    write!(writer, "a LOGIN {ANNA} {PASSWORD}\r\n")?;
    until("a OK")?;
    write!(writer, "b EXAMINE INBOX\r\n")?;
    until("b OK")?;
    write!(writer, "c IDLE\r\n")?;
    until("+")?;
    std::thread::spawn(move || {
        for line in reader.lines().map_while(Result::ok) {
            let count = line.strip_prefix("* ");
            let count = count.and_then(|rest| rest.strip_suffix(" EXISTS"));
            if let Some(count) = count.and_then(|count| count.parse().ok()) {
                note(&moments, count);
            }
        }
    });
    Ok(stream)
}

fn wait(what: &str, mut look: impl FnMut() -> Result<bool, Failure>) -> Result<(), Failure> {
    let began = Instant::now();
    while !look()? {
        if began.elapsed() > PATIENCE {
            return Err(format!("in vain for {what}").into());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

fn count(data: &Path, name: &str) -> Result<u64, Failure> {
    let found = reading(data)?.query_row(sql(name)?, [0], |row| row.get::<_, Option<i64>>(0))?;
    Ok(found.map_or(0, i64::cast_unsigned))
}

/// Files offers as a mail program does, on one connection.
fn file_offers(dovecot: &Dovecot, numbers: std::ops::Range<u64>) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let login = Login::password(ANNA, PASSWORD);
    let account = ImapAccount::new("127.0.0.1", dovecot.imap_port(), Tls::None, login);
    runtime.block_on(async {
        let mut session = MailSession::connect(&account).await?;
        let sent = FolderName::from_text("Sent");
        for n in numbers {
            session.append(&sent, offer(n).as_bytes()).await?;
        }
        session.logout().await;
        Ok(())
    })
}

/// Latencies in microseconds, sorted: ours and the bare client's.
struct Found {
    ours: Vec<u64>,
    bare: Vec<u64>,
}

struct Place<'a> {
    dovecot: &'a Dovecot,
    contacts: &'a BTreeMap<u64, i64>,
    ended: &'a Moments,
    told: &'a Moments,
}

/// Delivers replies, one after another in an open loop, and waits for the end of each one's run.
fn replies(
    place: &Place<'_>,
    numbers: std::ops::Range<u64>,
    gap: Duration,
) -> Result<Found, Failure> {
    let began = Instant::now();
    let mut taken = Vec::new();
    for n in numbers.clone() {
        let due = gap * u32::try_from(n - numbers.start)?;
        std::thread::sleep(due.saturating_sub(began.elapsed()));
        let mut talk = Talk::start(place.dovecot.lmtp_port(), "LHLO")?;
        talk.send(&client(n), &[ANNA], reply(n).as_bytes(), true)?;
        taken.push((n, nanos()));
    }
    let locked = |moments: &Moments| {
        moments
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    };
    wait("the end of all runs", || {
        let ended = locked(place.ended);
        Ok(taken.iter().all(|(n, _)| {
            place
                .contacts
                .get(n)
                .is_some_and(|contact| ended.contains_key(contact))
        }))
    })?;
    // The n-th reply is told of with any count that is not smaller.
    let (ended, told) = (locked(place.ended), locked(place.told));
    let told: BTreeMap<i64, u64> = told.into_iter().collect();
    let mut found = Found {
        ours: Vec::new(),
        bare: Vec::new(),
    };
    for (n, at) in taken {
        let contact = place.contacts.get(&n).ok_or("no contact")?;
        let end = ended.get(contact).ok_or("no end")?;
        found.ours.push(end.saturating_sub(at) / 1_000);
        if let Some((_, bare)) = told.range(n.cast_signed() + 1..).next() {
            found.bare.push(bare.saturating_sub(at) / 1_000);
        }
    }
    found.ours.sort_unstable();
    found.bare.sort_unstable();
    Ok(found)
}

#[derive(Default)]
struct Figures {
    ours: [Figure; 3],
    bare: [Figure; 3],
}

impl Figures {
    fn push(&mut self, found: &Found) {
        for (figures, sorted) in [(&mut self.ours, &found.ours), (&mut self.bare, &found.bare)] {
            for (figure, permille) in figures.iter_mut().zip([500, 990, 1_000]) {
                figure.push(quantile(sorted, permille) as f64 / 1e3);
            }
        }
    }

    fn say(&self, what: &str) {
        println!("{what}");
        for (word, figures) in [("ended", &self.ours), ("a bare client is told", &self.bare)] {
            for (figure, part) in figures.iter().zip(["p50", "p99", "worst"]) {
                say(&format!("  {word}, {part}, ms"), figure);
            }
        }
    }
}

fn round(dovecot: &Dovecot, several: &mut Figures, many: &mut Figures) -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    let config = format!("{WORKSPACE}{}", configured(dovecot, ANNA));
    seed::workspace(&data, &config)?;
    seed::apply(&data, &[JOURNEY.to_owned()], &Default::default())?;
    let server = Server::start(&data)?;
    wait("the first reading", || {
        Ok(count(&data, "mailboxes_read")? > 0)
    })?;
    let all = SEVERAL + MANY;
    file_offers(dovecot, 0..all)?;
    wait("all runs", || Ok(count(&data, "runs_live")? == all))?;
    let mut contacts = BTreeMap::new();
    {
        let connection = reading(&data)?;
        let mut statement = connection.prepare(sql("contact_of")?)?;
        for n in 0..all {
            let contact: i64 = statement.query_row([client(n)], |row| row.get(0))?;
            contacts.insert(n, contact);
        }
    }
    let (ended, told) = (Moments::default(), Moments::default());
    let over = Arc::new(AtomicBool::new(false));
    let runs = watch_runs(&data, ended.clone(), over.clone())?;
    let inbox = watch_inbox(dovecot.imap_port(), told.clone())?;
    let place = Place {
        dovecot,
        contacts: &contacts,
        ended: &ended,
        told: &told,
    };
    several.push(&replies(&place, 0..SEVERAL, SEVERAL_GAP)?);
    many.push(&replies(&place, SEVERAL..all, MANY_GAP)?);
    over.store(true, Ordering::Release);
    let failed = runs.join().map_err(|_| "the watching thread is gone")?;
    inbox.shutdown(std::net::Shutdown::Both)?;
    if let Some(failed) = failed {
        return Err(failed.into());
    }
    let left = count(&data, "runs_live")?;
    if left > 0 || dovecot.seen(ANNA, "INBOX") > 0 {
        return Err(format!("{left} runs did not end, or mail was marked as read").into());
    }
    server.stop()
}

pub fn run(options: &Options) -> Result<(), Failure> {
    for storage in ["sdbox", "Maildir"] {
        let (mut several, mut many) = (Figures::default(), Figures::default());
        for _ in 0..options.rounds {
            let users = [User::new(ANNA)];
            let dovecot = match storage {
                "sdbox" => Dovecot::start_indexed(&users),
                _maildir => Dovecot::start(&users),
            };
            let dovecot = dovecot.ok_or("dovecot is not installed")?;
            dovecot.prepare(ANNA);
            round(&dovecot, &mut several, &mut many)?;
        }
        println!("mail stored as {storage}");
        several.say(&format!("{SEVERAL} replies, one each {SEVERAL_GAP:?}"));
        many.say(&format!("{MANY} replies, one each {MANY_GAP:?}"));
    }
    Ok(())
}
