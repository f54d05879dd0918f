//! `relance journey backtest`: what a journey would have done over what really happened.

use std::collections::BTreeMap;
use std::io::{IsTerminal as _, Write as _};
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use relance_core::backtest::Report;
use relance_core::ids::JourneyId;
use relance_core::ledger::Reason;
use relance_core::time::{Calendar, Delay, Zone, date_of};
use relance_engine::clock::{Clock, SystemClock};

use crate::backtest::{self, Compared};

use super::target::{config_of, reader};
use super::{Done, Failure, print_line, read_text};

/// How often the progress is told.
const TELL_EVERY: Duration = Duration::from_millis(200);
/// Width of the bar of the busiest day.
const BAR_CHARS: u64 = 40;
/// Days that are shown one by one.
const DAYS_SHOWN: usize = 31;

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The journey's id.
    id: String,
    /// A draft to try in place of the version in force.
    #[arg(long)]
    file: Option<PathBuf>,
    /// How far back, such as 90d; or a moment.
    #[arg(long, default_value = "90d")]
    since: String,
    /// The data folder. A server may run on it: it is only read.
    #[arg(long, env = "RELANCE_DATA")]
    data: PathBuf,
    /// Prints JSON.
    #[arg(long)]
    json: bool,
}

pub fn run(args: Args) -> Done {
    let now = SystemClock.now();
    let since = moment(&args.since, now)?;
    if since >= now {
        let what = format!("--since {} is not in the past", args.since);
        return Err(Failure::Usage(what));
    }
    let reader = reader(&args.data)?;
    let config = config_of(&args.data)?;
    let id = JourneyId::from(args.id.as_str());
    let journey = match &args.file {
        Some(path) => {
            let text = read_text(path)?;
            relance_wire::journey::publish_with(&text, 1, &config.rfm.settings()).map_err(
                |problems| {
                    for problem in problems {
                        eprintln!("error: {}: {problem}", path.display());
                    }
                    Failure::Findings
                },
            )?
        }
        None => {
            let world = backtest::world_of(&reader, &config).map_err(Failure::cannot)?;
            let known = world.current(&id);
            let unknown =
                || Failure::Usage(format!("there is no journey {id} in force; give --file"));
            (**known.ok_or_else(unknown)?).clone()
        }
    };
    if journey.id != id {
        let what = format!("the file is the journey {}, not {id}", journey.id);
        return Err(Failure::Usage(what));
    }
    let mut bar = Bar::new();
    let compared = backtest::run(
        &reader,
        &config,
        Arc::new(journey),
        since,
        now,
        |done, total| {
            bar.tell(done, total);
            ControlFlow::Continue(())
        },
    )
    .map_err(Failure::cannot)?;
    bar.end();
    if args.json {
        return print_line(&backtest::value(&compared).to_string());
    }
    show(&compared)
}

fn moment(text: &str, now: Timestamp) -> Result<Timestamp, Failure> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(at);
    }
    let delay: Delay = text
        .parse()
        .map_err(|problem| Failure::Usage(format!("--since: {problem}")))?;
    Ok(delay.sub(now, &Zone::utc(), &Calendar::weekends_only()))
}

/// Progress on the terminal; nothing where nobody watches.
struct Bar {
    told: Option<Instant>,
    shown: bool,
}

impl Bar {
    fn new() -> Self {
        Self {
            told: None,
            shown: std::io::stderr().is_terminal(),
        }
    }

    fn tell(&mut self, done: u64, total: u64) {
        let recent = self.told.is_some_and(|told| told.elapsed() < TELL_EVERY);
        if !self.shown || recent {
            return;
        }
        self.told = Some(Instant::now());
        let percent = (done * 100).checked_div(total).unwrap_or(100);
        let full = (percent / 4) as usize;
        let line = format!("\r[{:<25}] {percent:>3} %  {done} events", "#".repeat(full));
        // A terminal that went away is no reason to stop.
        let _written = std::io::stderr().write_all(line.as_bytes());
    }

    fn end(&self) {
        if self.shown && self.told.is_some() {
            eprintln!();
        }
    }
}

/// A row of the comparison.
type Count<'a> = &'a dyn Fn(&Report) -> u64;
/// Rows of the comparison, one for each reason.
type Reasons = fn(&Report) -> &BTreeMap<Reason, u64>;

fn show(compared: &Compared) -> Done {
    let Compared { candidate, current } = compared;
    let column = |value: Count<'_>| {
        let beside = current
            .as_ref()
            .map(|current| format!("{:>12}", value(current)));
        format!("{:>12}{}", value(candidate), beside.unwrap_or_default())
    };
    if current.is_some() {
        print_line(&format!("{:<28}{:>12}{:>12}", "", "this text", "in force"))?;
    }
    let rows: [(&str, Count<'_>); 10] = [
        ("contacts", &|report| report.contacts),
        ("events", &|report| report.events),
        ("enrolled", &|report| report.enrolled),
        ("  in the control group", &|report| report.held_out),
        ("messages", &|report| report.messages),
        ("  asked for approval", &|report| report.asked),
        ("tasks", &|report| report.tasks),
        ("finished", &|report| report.finished),
        ("converted", &|report| report.converted),
        ("busiest day, messages", &|report| {
            report.days.values().copied().max().unwrap_or(0)
        }),
    ];
    for (name, value) in rows {
        print_line(&format!("{name:<28}{}", column(value)))?;
    }
    let maps: [(&str, Reasons); 4] = [
        ("not enrolled", |report| &report.not_enrolled),
        ("held", |report| &report.held),
        ("not sent", |report| &report.dropped),
        ("exited", |report| &report.exited),
    ];
    for (name, map) in maps {
        let mut reasons: Vec<Reason> = map(candidate).keys().copied().collect();
        reasons.extend(
            current
                .iter()
                .flat_map(|current| map(current).keys().copied()),
        );
        reasons.sort_unstable();
        reasons.dedup();
        for reason in reasons {
            let count = |report: &Report| map(report).get(&reason).copied().unwrap_or(0);
            print_line(&format!(
                "{:<28}{}",
                format!("{name}: {reason}"),
                column(&count)
            ))?;
        }
    }
    days(candidate)?;
    if !candidate.hit_most.is_empty() {
        print_line("contacts hit most")?;
        for (contact, messages) in candidate.hit_most.iter().take(5) {
            print_line(&format!("  {:<26}{messages:>12}", contact.to_string()))?;
        }
    }
    Ok(())
}

fn days(report: &Report) -> Done {
    let most = report.days.values().copied().max().unwrap_or(0);
    if most == 0 {
        return Ok(());
    }
    let more = report.days.len().saturating_sub(DAYS_SHOWN);
    print_line(&match more {
        0 => "messages a day".to_owned(),
        more => format!("messages a day ({more} earlier days are in --json)"),
    })?;
    for (day, count) in report.days.iter().skip(more) {
        let bar = "#".repeat((count * BAR_CHARS).div_ceil(most) as usize);
        print_line(&format!("  {}  {count:>8}  {bar}", date_of(*day)))?;
    }
    Ok(())
}
