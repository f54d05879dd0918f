//! Rules as data: `assets/rules/bounces.toml` and `replies.toml`, compiled once.
//!
//! All problems of both files are reported together, each with its place. Patterns are bounded in
//! number and length, and compiled to automata that run in linear time.

use std::collections::BTreeMap;

use regex::{Regex, RegexBuilder};
use serde::Deserialize;

use super::auto_reply::AutoReplyReason;
use super::intent::{Intent, IntentRule};
use super::phrases::{PATTERN_BYTES_MAX, Phrases, Scope};
use super::said_date::{DayKind, DayRule};
use super::smtp_reply::BounceReason;

/// Largest compiled automaton of one pattern, in bytes.
const AUTOMATON_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Why rules were refused: every problem, each with its file and key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("rules cannot be used: {}", problems.join("; "))]
pub struct RulesProblem {
    pub problems: Vec<String>,
}

/// The compiled rules of [`super::classify`]; build once and share.
#[derive(Debug, Clone)]
pub struct InboundRules {
    pub(super) bounce: BounceRules,
    pub(super) auto: AutoReplyRules,
    pub(super) reply: ReplyRules,
    pub(super) number: NumberRules,
    pub(super) intents: Vec<IntentRule>,
    pub(super) days: Vec<DayRule>,
}

/// Rules of `replies.toml` for numbers of documents.
#[derive(Debug, Clone)]
pub(super) struct NumberRules {
    /// What stands right before a number.
    pub words: Phrases,
    /// What looks like one and is another thing.
    pub not: Phrases,
}

/// Rules of `bounces.toml`.
#[derive(Debug, Clone)]
pub(super) struct BounceRules {
    pub sender: Phrases,
    pub subject_failed: Phrases,
    pub subject_delayed: Phrases,
    pub body_failed: Phrases,
    pub body_delayed: Phrases,
    /// Lines after which the original message is quoted.
    pub original: Phrases,
    /// Patterns with a group `addr`, from the surest to the weakest tier.
    pub recipients: Vec<Vec<Regex>>,
    pub recipient_not: Phrases,
    pub reasons: Phrases,
    pub reason_of: Vec<BounceReason>,
    pub status: BTreeMap<String, BounceReason>,
    /// The refusal came before any recipient was named.
    pub stage_mail: Phrases,
    /// The refusal answered the recipient's name, whatever was sent meanwhile.
    pub stage_recipient: Phrases,
    /// The refusal came after the recipient had been taken.
    pub stage_data: Phrases,
    /// It was tried until time ran out.
    pub gave_up: Phrases,
}

/// Rules of `replies.toml` for automatic answers.
#[derive(Debug, Clone)]
pub(super) struct AutoReplyRules {
    pub subject: Phrases,
    pub subject_reason: Vec<AutoReplyReason>,
    pub body: Phrases,
    pub body_reason: Vec<AutoReplyReason>,
    pub machine_sender: Phrases,
    pub until: Vec<Regex>,
    /// The day named is the last of the absence.
    pub last_day: Phrases,
    pub months: BTreeMap<String, i8>,
}

/// Rules of `replies.toml` for the text of a person's reply.
#[derive(Debug, Clone)]
pub(super) struct ReplyRules {
    /// A line, or lines joined, that introduces the quoted message by date and author.
    pub intro: Phrases,
    /// A line that introduces it by the author alone.
    pub intro_name: Phrases,
    /// A line that separates the reply from the quoted message.
    pub separator: Phrases,
    /// A field line of a quoted header block; `from` fields open one.
    pub header_from: Phrases,
    pub header_any: Phrases,
    /// A line that opens a signature to the end of the reply.
    pub signature: Phrases,
    /// How a paragraph begins that a mail server added: nothing behind it is the author's.
    pub footer: Phrases,
    /// A closing formula: a signature when few short lines follow.
    pub closing: Phrases,
    pub subject_reply: Phrases,
    pub html_marks: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BounceFile {
    format: String,
    sender: Vec<String>,
    subject: FailedDelayed,
    body: FailedDelayed,
    original: Vec<String>,
    recipient: RecipientTable,
    reason: Vec<ReasonTable>,
    status: BTreeMap<String, String>,
    stage: StageTable,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StageTable {
    mail: Vec<String>,
    recipient: Vec<String>,
    data: Vec<String>,
    gave_up: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FailedDelayed {
    failed: Vec<String>,
    delayed: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RecipientTable {
    address: String,
    tiers: Vec<Vec<String>>,
    not: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReasonTable {
    name: String,
    patterns: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReplyFile {
    format: String,
    auto_reply: AutoReplyTable,
    until: UntilTable,
    reply: ReplyTable,
    absence: AbsenceTable,
    number: NumberTable,
    intent: Vec<IntentTable>,
    day: Vec<DayTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AbsenceTable {
    last_day: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NumberTable {
    words: Vec<String>,
    not: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct IntentTable {
    name: String,
    weight: u8,
    patterns: Vec<String>,
    not: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DayTable {
    kind: String,
    days: Option<i32>,
    patterns: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AutoReplyTable {
    subject: Vec<ReasonTable>,
    body: Vec<ReasonTable>,
    machine_sender: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UntilTable {
    patterns: Vec<String>,
    months: BTreeMap<String, i8>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReplyTable {
    intro: Vec<String>,
    intro_name: Vec<String>,
    separator: Vec<String>,
    header_from: Vec<String>,
    header_any: Vec<String>,
    signature: Vec<String>,
    #[serde(default)]
    footer: Vec<String>,
    closing: Vec<String>,
    subject_reply: Vec<String>,
    html_marks: Vec<String>,
}

impl InboundRules {
    /// Compiles both files. `bounces` has `format = "bounce-rules/1"`, `replies` has
    /// `format = "reply-rules/1"`.
    pub fn from_toml(bounces: &str, replies: &str) -> Result<InboundRules, RulesProblem> {
        let mut problems = Vec::new();
        let bounce = parse::<BounceFile>(bounces, "bounces", &mut problems);
        let reply = parse::<ReplyFile>(replies, "replies", &mut problems);
        let (Some(bounce), Some(reply)) = (bounce, reply) else {
            return Err(RulesProblem { problems });
        };
        expect_format(&bounce.format, "bounce-rules/1", &mut problems);
        expect_format(&reply.format, "reply-rules/1", &mut problems);
        let mut compiler = Compiler { problems };
        let rules = InboundRules {
            bounce: compiler.bounce(bounce),
            auto: compiler.auto(reply.auto_reply, reply.until, &reply.absence),
            reply: compiler.reply(reply.reply),
            number: compiler.number(&reply.number),
            intents: compiler.intents(&reply.intent),
            days: compiler.days(&reply.day),
        };
        if compiler.problems.is_empty() {
            Ok(rules)
        } else {
            Err(RulesProblem {
                problems: compiler.problems,
            })
        }
    }
}

fn parse<T: for<'a> Deserialize<'a>>(
    text: &str,
    file: &str,
    problems: &mut Vec<String>,
) -> Option<T> {
    match toml::from_str(text) {
        Ok(parsed) => Some(parsed),
        Err(error) => {
            problems.push(format!("{file}: {}", error.to_string().trim()));
            None
        }
    }
}

fn expect_format(found: &str, expected: &str, problems: &mut Vec<String>) {
    if found != expected {
        problems.push(format!("format is `{found}`, write `{expected}`"));
    }
}

struct Compiler {
    problems: Vec<String>,
}

impl Compiler {
    fn bounce(&mut self, file: BounceFile) -> BounceRules {
        let mut reasons = Vec::new();
        let mut reason_of = Vec::new();
        for table in &file.reason {
            let Some(reason) = self.bounce_reason(&table.name) else {
                continue;
            };
            for pattern in &table.patterns {
                reasons.push(pattern.clone());
                reason_of.push(reason);
            }
        }
        let status = file
            .status
            .iter()
            .filter_map(|(code, name)| Some((code.clone(), self.bounce_reason(name)?)))
            .collect();
        let address = &file.recipient.address;
        let recipients = file
            .recipient
            .tiers
            .iter()
            .map(|tier| {
                tier.iter()
                    .filter_map(|pattern| {
                        let pattern = pattern.replace("{addr}", &format!("(?P<addr>{address})"));
                        self.one("recipient.tiers", &pattern)
                    })
                    .collect()
            })
            .collect();
        BounceRules {
            sender: self.line("sender", &file.sender),
            subject_failed: self.line("subject.failed", &file.subject.failed),
            subject_delayed: self.line("subject.delayed", &file.subject.delayed),
            body_failed: self.text("body.failed", &file.body.failed),
            body_delayed: self.text("body.delayed", &file.body.delayed),
            original: self.text("original", &file.original),
            recipients,
            recipient_not: self.line("recipient.not", &file.recipient.not),
            reasons: self.text("reason", &reasons),
            reason_of,
            status,
            stage_mail: self.text("stage.mail", &file.stage.mail),
            stage_recipient: self.text("stage.recipient", &file.stage.recipient),
            stage_data: self.text("stage.data", &file.stage.data),
            gave_up: self.text("stage.gave_up", &file.stage.gave_up),
        }
    }

    fn bounce_reason(&mut self, name: &str) -> Option<BounceReason> {
        let reason = BounceReason::from_name(name);
        if reason.is_none() {
            self.problems.push(format!(
                "reason `{name}` is unknown, use one of the documented names"
            ));
        }
        reason
    }

    fn number(&mut self, table: &NumberTable) -> NumberRules {
        NumberRules {
            words: self.line("number.words", &table.words),
            not: self.line("number.not", &table.not),
        }
    }

    /// In the order in which they count: where several are found, the first one's.
    fn intents(&mut self, tables: &[IntentTable]) -> Vec<IntentRule> {
        let mut rules = Vec::new();
        for table in tables {
            let Some(intent) = Intent::from_name(&table.name).filter(|one| *one != Intent::Other)
            else {
                self.problems
                    .push(format!("intent `{}` is unknown", table.name));
                continue;
            };
            let key = format!("intent {}", table.name);
            rules.push(IntentRule {
                intent,
                weight: table.weight,
                patterns: self.text(&key, &table.patterns),
                not: self.text(&format!("{key}.not"), &table.not),
            });
        }
        rules.sort_by_key(|rule| rule.intent);
        rules
    }

    fn days(&mut self, tables: &[DayTable]) -> Vec<DayRule> {
        let mut rules = Vec::new();
        for table in tables {
            let Some(kind) = DayKind::from_name(&table.kind, table.days) else {
                self.problems
                    .push(format!("day kind `{}` is unknown", table.kind));
                continue;
            };
            let patterns = table.patterns.iter();
            let patterns = patterns.filter_map(|pattern| self.one("day.patterns", pattern));
            rules.push(DayRule {
                kind,
                patterns: patterns.collect(),
            });
        }
        rules
    }

    fn auto(
        &mut self,
        table: AutoReplyTable,
        until: UntilTable,
        absence: &AbsenceTable,
    ) -> AutoReplyRules {
        let (subjects, subject_reason) = self.auto_reasons(&table.subject);
        let (bodies, body_reason) = self.auto_reasons(&table.body);
        AutoReplyRules {
            subject: self.line("auto_reply.subject", &subjects),
            subject_reason,
            body: self.text("auto_reply.body", &bodies),
            body_reason,
            machine_sender: self.line("auto_reply.machine_sender", &table.machine_sender),
            until: until
                .patterns
                .iter()
                .filter_map(|pattern| self.one("until.patterns", pattern))
                .collect(),
            months: until.months,
            last_day: self.text("absence.last_day", &absence.last_day),
        }
    }

    fn auto_reasons(&mut self, tables: &[ReasonTable]) -> (Vec<String>, Vec<AutoReplyReason>) {
        let mut patterns = Vec::new();
        let mut reasons = Vec::new();
        for table in tables {
            let Some(reason) = AutoReplyReason::from_name(&table.name) else {
                self.problems
                    .push(format!("auto-reply reason `{}` is unknown", table.name));
                continue;
            };
            for pattern in &table.patterns {
                patterns.push(pattern.clone());
                reasons.push(reason);
            }
        }
        (patterns, reasons)
    }

    fn reply(&mut self, table: ReplyTable) -> ReplyRules {
        ReplyRules {
            intro: self.line("reply.intro", &table.intro),
            intro_name: self.line("reply.intro_name", &table.intro_name),
            separator: self.line("reply.separator", &table.separator),
            header_from: self.line("reply.header_from", &table.header_from),
            header_any: self.line("reply.header_any", &table.header_any),
            signature: self.line("reply.signature", &table.signature),
            footer: self.line("reply.footer", &table.footer),
            closing: self.line("reply.closing", &table.closing),
            subject_reply: self.line("reply.subject_reply", &table.subject_reply),
            html_marks: table
                .html_marks
                .iter()
                .map(|mark| mark.to_lowercase())
                .collect(),
        }
    }

    fn text(&mut self, key: &str, patterns: &[String]) -> Phrases {
        Phrases::new(key, patterns, Scope::Text, &mut self.problems)
    }

    fn line(&mut self, key: &str, patterns: &[String]) -> Phrases {
        Phrases::new(key, patterns, Scope::Line, &mut self.problems)
    }

    /// A pattern whose groups are asked for.
    fn one(&mut self, key: &str, pattern: &str) -> Option<Regex> {
        if pattern.len() > PATTERN_BYTES_MAX {
            self.problems.push(format!(
                "{key} has a pattern over {PATTERN_BYTES_MAX} bytes, shorten it"
            ));
            return None;
        }
        RegexBuilder::new(pattern)
            .case_insensitive(true)
            .multi_line(true)
            .size_limit(AUTOMATON_BYTES_MAX)
            .build()
            .map_err(|error| self.problems.push(format!("{key}: {error}")))
            .ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shipped_pattern_compiles() {
        let rules = InboundRules::from_toml(
            include_str!("../../../../assets/rules/bounces.toml"),
            include_str!("../../../../assets/rules/replies.toml"),
        )
        .expect("the shipped rules are accepted");
        let (bounce, auto, reply) = (&rules.bounce, &rules.auto, &rules.reply);
        for rule in &rules.intents {
            assert!(rule.patterns.all_compile() && rule.not.all_compile());
        }
        assert!(rules.number.words.all_compile() && rules.number.not.all_compile());
        for list in [
            &bounce.sender,
            &bounce.subject_failed,
            &bounce.subject_delayed,
            &bounce.body_failed,
            &bounce.body_delayed,
            &bounce.original,
            &bounce.recipient_not,
            &bounce.reasons,
            &bounce.stage_mail,
            &bounce.stage_recipient,
            &bounce.stage_data,
            &bounce.gave_up,
            &auto.subject,
            &auto.body,
            &auto.machine_sender,
            &reply.intro,
            &reply.intro_name,
            &reply.separator,
            &reply.header_from,
            &reply.header_any,
            &reply.signature,
            &reply.footer,
            &reply.closing,
            &reply.subject_reply,
        ] {
            assert!(list.all_compile());
        }
    }
}
