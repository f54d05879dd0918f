//! The running account: what happened, to whom, and why; a line each for people or for programs.

use std::collections::BTreeMap;
use std::io::{self, Write};

use jiff::Timestamp;
use relance_core::time::Zone;
use serde_json::{Map, Value, json};

/// How a line is coloured: what goes, what waits, what ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Something the company or a client did.
    Plain,
    /// A client reacted.
    Reaction,
    /// A message left.
    Sent,
    /// Something waits.
    Waits,
    /// Something ended or will not be.
    Ends,
    /// Work for a person.
    Work,
    /// Success.
    Success,
}

impl Tone {
    const fn code(self) -> &'static str {
        match self {
            Self::Plain => "\x1b[0m",
            Self::Reaction => "\x1b[36m",
            Self::Sent => "\x1b[34m",
            Self::Waits => "\x1b[33m",
            Self::Ends => "\x1b[31m",
            Self::Work => "\x1b[35m",
            Self::Success => "\x1b[32m",
        }
    }
}

/// One line.
pub struct Line<'a> {
    /// When.
    pub at: Timestamp,
    /// In whose zone it is shown.
    pub zone: &'a Zone,
    /// Whose desk, or the site.
    pub who: &'a str,
    /// What, a word.
    pub what: &'static str,
    /// Its colour.
    pub tone: Tone,
    /// The sentence.
    pub text: String,
    /// Why, where there is a reason.
    pub why: Option<String>,
    /// Further facts for programs.
    pub facts: Value,
}

/// What is counted.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Sums {
    /// Documents sent, by kind.
    pub documents: BTreeMap<&'static str, u32>,
    /// Of them, recognised as what they are.
    pub recognised: u32,
    /// Reminders sent, by template.
    pub reminders: BTreeMap<String, u32>,
    /// Other mails sent, by template.
    pub other_mails: BTreeMap<String, u32>,
    /// Messages held, by reason.
    pub held: BTreeMap<&'static str, u32>,
    /// Messages that did not go, by reason.
    pub not_sent: BTreeMap<&'static str, u32>,
    /// Runs that an event ended, by event.
    pub stopped: BTreeMap<String, u32>,
    /// Runs in the control group.
    pub control: u32,
    /// Tasks.
    pub tasks: u32,
    /// Goals reached, by event.
    pub conversions: BTreeMap<String, u32>,
}

/// Where the account goes.
pub struct Account {
    out: Box<dyn Write + Send>,
    json: bool,
    colour: bool,
    last_day: Option<jiff::civil::Date>,
    /// What is counted.
    pub sums: Sums,
}

/// Columns of the person's name.
const WHO_COLUMNS: usize = 12;
/// Columns of the word.
const WHAT_COLUMNS: usize = 9;

impl Account {
    /// An account for people, or (`json`) for programs.
    pub fn new(out: Box<dyn Write + Send>, json: bool, colour: bool) -> Self {
        Self {
            out,
            json,
            colour,
            last_day: None,
            sums: Sums::default(),
        }
    }

    /// Writes a line.
    pub fn tell(&mut self, line: &Line<'_>) -> io::Result<()> {
        if self.json {
            let mut object = Map::new();
            let at = line.zone.rfc3339(line.at).to_string();
            object.insert("at".to_owned(), Value::String(at));
            object.insert("what".to_owned(), line.what.into());
            object.insert("who".to_owned(), line.who.into());
            object.insert("text".to_owned(), line.text.as_str().into());
            if let Some(why) = &line.why {
                object.insert("why".to_owned(), why.as_str().into());
            }
            if let Value::Object(facts) = &line.facts {
                object.extend(
                    facts
                        .clone()
                        .into_iter()
                        .filter(|(_, value)| !value.is_null()),
                );
            }
            return writeln!(self.out, "{}", Value::Object(object));
        }
        let local = line.at.to_zoned(line.zone.time_zone().clone());
        if self.last_day.is_none_or(|day| day < local.date()) {
            self.last_day = Some(local.date());
            writeln!(
                self.out,
                "\n{}",
                self.dim(&local.strftime("%A %-d %B").to_string())
            )?;
        }
        let when = local.strftime("%H:%M %Z").to_string();
        let why = match &line.why {
            Some(why) => self.dim(&format!("  ({why})")),
            None => String::new(),
        };
        let what = padded(line.what, WHAT_COLUMNS);
        let what = if self.colour {
            format!("{}{what}\x1b[0m", line.tone.code())
        } else {
            what
        };
        let (when, who) = (padded(&when, 10), padded(line.who, WHO_COLUMNS));
        writeln!(
            self.out,
            "{} {who} {what} {}{why}",
            self.dim(&when),
            line.text
        )
    }

    fn dim(&self, text: &str) -> String {
        if self.colour {
            format!("\x1b[2m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }

    /// Writes what it came to.
    pub fn sum_up(&mut self) -> io::Result<()> {
        let sums = self.sums.clone();
        let all = |counts: &BTreeMap<String, u32>| counts.values().sum::<u32>();
        if self.json {
            let object = json!({
                "what": "summary",
                "documents": sums.documents,
                "recognised": sums.recognised,
                "reminders": all(&sums.reminders),
                "reminders_by_template": sums.reminders,
                "other_mails": sums.other_mails,
                "held": sums.held,
                "not_sent": sums.not_sent,
                "stopped": sums.stopped,
                "control_group": sums.control,
                "tasks": sums.tasks,
                "conversions": sums.conversions,
            });
            return writeln!(self.out, "{object}");
        }
        let rows = [
            row("Documents sent", &sums.documents),
            (
                "  recognised as such".to_owned(),
                sums.recognised,
                String::new(),
            ),
            row("Reminders sent", &sums.reminders),
            row("Other mails sent", &sums.other_mails),
            row("Held for a time", &sums.held),
            row("Not sent", &sums.not_sent),
            row("Stopped by a reaction", &sums.stopped),
            (
                "In the control group".to_owned(),
                sums.control,
                "get nothing, to compare with".to_owned(),
            ),
            ("Tasks for people".to_owned(), sums.tasks, String::new()),
            row("Conversions", &sums.conversions),
        ];
        writeln!(self.out)?;
        for (name, count, details) in rows {
            let line = format!("  {name:<24}{count:>4}   {}", self.dim(&details));
            writeln!(self.out, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

fn row<K: AsRef<str>>(name: &str, counts: &BTreeMap<K, u32>) -> (String, u32, String) {
    let details: Vec<String> = counts
        .iter()
        .map(|(what, count)| format!("{count} {}", what.as_ref().replace('_', " ")))
        .collect();
    (name.to_owned(), counts.values().sum(), details.join(", "))
}

/// A text, padded to columns of a terminal: a Chinese or Japanese character takes two.
fn padded(text: &str, columns: usize) -> String {
    let wide = |c: char| matches!(c as u32, 0x1100..=0x115f | 0x2e80..=0xa4cf | 0xac00..=0xd7a3 | 0xf900..=0xfaff | 0xfe30..=0xfe6f | 0xff00..=0xff60);
    let taken: usize = text.chars().map(|c| if wide(c) { 2 } else { 1 }).sum();
    format!("{text}{}", " ".repeat(columns.saturating_sub(taken)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_hold_in_every_script() {
        assert_eq!(padded("Emma", 6), "Emma  ");
        assert_eq!(padded("Анна", 6), "Анна  ");
        assert_eq!(padded("佐藤", 6), "佐藤  ");
        assert_eq!(padded("too long", 3), "too long");
    }
}
