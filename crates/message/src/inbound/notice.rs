//! Free-form bounces: what mail systems say in prose, from qmail to the great mail services.
//!
//! Two questions, both answered by rules: is this a mail system speaking (sender, null return
//! path, subject, phrases), and which addresses does it name, each with the words beside it.

use super::bounce::{self, Action, Bounce, BouncedRecipient, original_id};
use super::delivery_status::is_address;
use super::smtp_reply::{self, BounceReason};
use super::{InboundRules, RECIPIENTS_MAX, head, head_of};
use crate::mail::{Mail, TextSource};

/// Weight of evidence from which a message counts as a bounce.
const EVIDENCE_MIN: u32 = 4;
/// Most weight that marks bring which are not a mail system's alone.
const WEAK_MARKS_MAX: u32 = 3;
/// Weight from which the author counts as a mail system.
const MACHINE_MIN: u32 = 4;
/// Most bytes taken as the words about one recipient of several.
const PASSAGE_BYTES_MAX: usize = 1_200;
/// Most bytes of the notice taken as the words about its only recipient.
const NOTICE_BYTES_MAX: usize = 4_000;
/// Most lines with an address that are looked at.
const ADDRESS_LINES_MAX: usize = 300;
/// Longest such line, in bytes.
const ADDRESS_LINE_BYTES_MAX: usize = 1_000;
/// Most lines of a quoted original searched for its Message-ID.
const ORIGINAL_LINES_MAX: usize = 400;

/// The part of a body that the mail system wrote, and the addresses it names.
pub(super) struct Notice<'a> {
    mail: &'a Mail,
    rules: &'a InboundRules,
    text: &'a str,
    /// What follows: the original message, when it is quoted.
    rest: &'a str,
    hits: Vec<Hit>,
}

struct Hit {
    address: String,
    /// Where the words about it start and end in the notice.
    start: usize,
    end: usize,
}

pub(super) fn find(mail: &Mail, rules: &InboundRules) -> Option<Bounce> {
    let action = evidence(mail, rules)?;
    let notice = Notice::read(mail, rules);
    let mut recipients: Vec<BouncedRecipient> = Vec::new();
    // What the notice says outside the passages is about the recipient only when it is the one.
    let context = if notice.hits.len() == 1 {
        head_of(notice.text, NOTICE_BYTES_MAX)
    } else {
        ""
    };
    for hit in &notice.hits {
        let said = words(notice.passage_at(hit), context, rules);
        let verdict = bounce::judge(rules, action, None, said, context);
        bounce::add(
            &mut recipients,
            BouncedRecipient {
                recipient: hit.address.clone(),
                ..verdict
            },
        );
    }
    let weaker = failed_header(mail).into_iter().chain(
        // The last resort, only when nothing names a recipient.
        (recipients.is_empty())
            .then(|| notice.echoed().or_else(|| notice.addressee_of_original()))
            .flatten(),
    );
    let whole = head_of(notice.text, NOTICE_BYTES_MAX);
    for address in weaker {
        let verdict = bounce::judge(rules, action, None, whole, "");
        bounce::add(
            &mut recipients,
            BouncedRecipient {
                recipient: address,
                ..verdict
            },
        );
    }
    Bounce::new(recipients, original_id(mail))
}

/// The narrowest words that say why: the address's own line, its passage, the whole notice.
fn words<'a>(passage: &'a str, context: &'a str, rules: &InboundRules) -> &'a str {
    let says = |text: &str| {
        let status = smtp_reply::best_status(text);
        smtp_reply::reason(rules, None, status, text) != BounceReason::Unknown
    };
    let line = passage.split('\n').next().unwrap_or(passage);
    if says(line) {
        line
    } else if context.is_empty() || says(passage) {
        passage
    } else {
        context
    }
}

/// Whether a mail system wrote this.
pub(super) fn is_machine(mail: &Mail, rules: &InboundRules) -> bool {
    machine_weight(mail, rules) >= MACHINE_MIN
}

/// Whether subject or body say that something failed.
pub(super) fn speaks_of_failure(mail: &Mail, rules: &InboundRules) -> bool {
    rules
        .bounce
        .subject_failed
        .is_match(&mail.subject.to_lowercase())
        || rules
            .bounce
            .body_failed
            .is_match(&head(&mail.text).to_lowercase())
}

/// How much speaks for a mail system as the author.
fn machine_weight(mail: &Mail, rules: &InboundRules) -> u32 {
    let sender = &rules.bounce.sender;
    let mut machine = 0;
    match mail.author() {
        Some(from) => {
            let spoken = format!("{} <{}>", from.name, from.email).to_lowercase();
            machine += 4 * u32::from(sender.is_match(&spoken));
        }
        // `From: <>` names nobody on purpose.
        None => machine += 4 * u32::from(mail.header("from").is_some()),
    }
    if let Some(path) = &mail.return_path {
        machine += 2 * u32::from(path.is_empty());
        machine += 4 * u32::from(sender.is_match(&path.to_lowercase()));
    }
    if mail.header("x-failed-recipients").is_some() {
        machine += 4;
    }
    let report = mail.content_type == "multipart/report"
        && mail
            .report_type
            .as_deref()
            .is_none_or(|kind| kind == "delivery-status");
    machine += 4 * u32::from(report);
    let auto = mail
        .header("auto-submitted")
        .is_some_and(|value| !value.to_ascii_lowercase().starts_with("no"));
    machine + u32::from(auto)
}

/// Whether a mail system says that something failed or waits.
fn evidence(mail: &Mail, rules: &InboundRules) -> Option<Action> {
    let machine = machine_weight(mail, rules);
    let subject = mail.subject.to_lowercase();
    let absence = rules.auto.subject.is_match(&subject);
    let rules = &rules.bounce;
    let subject_failed = rules.subject_failed.is_match(&subject);
    let subject_delayed = rules.subject_delayed.is_match(&subject);
    // A null return path and `Auto-Submitted` are also what an absence notice has.
    let declared = machine > WEAK_MARKS_MAX;
    if !declared && !subject_failed && !subject_delayed {
        return None;
    }
    // A person who answers may quote a bounce: that is a thread with a human author.
    if machine == 0 && !(mail.in_reply_to.is_empty() && mail.references.is_empty()) {
        return None;
    }
    let body = head(&mail.text).to_lowercase();
    let body_failed = rules.body_failed.is_match(&body);
    let body_delayed = rules.body_delayed.is_match(&body);
    // Without any mark of a machine, subject and body must both say it.
    let said = 2 * u32::from(subject_failed || subject_delayed)
        + 2 * u32::from(body_failed || body_delayed);
    if said == 0 || machine + said < EVIDENCE_MIN || (absence && !subject_failed) {
        return None;
    }
    let delayed = subject_delayed || (body_delayed && !body_failed && !subject_failed);
    Some(if delayed {
        Action::Delayed
    } else {
        Action::Failed
    })
}

impl<'a> Notice<'a> {
    pub fn read(mail: &'a Mail, rules: &'a InboundRules) -> Notice<'a> {
        let whole = head(&mail.text);
        let lower = whole.to_lowercase();
        // Offsets agree as long as lower-casing keeps the length, as it does but for a few letters.
        let start = (lower.len() == whole.len())
            .then(|| rules.bounce.original.earliest(&lower))
            .flatten()
            .filter(|start| whole.is_char_boundary(*start));
        let (text, rest) = match start {
            // A marker in the first line has nothing before it: the notice follows instead.
            Some(start) if !whole[..start].trim().is_empty() => whole.split_at(start),
            _ => (whole, ""),
        };
        let mut notice = Notice {
            mail,
            rules,
            text,
            rest,
            hits: Vec::new(),
        };
        notice.hits = notice.named();
        // A relay may have quoted another system's notice as the original.
        if notice.hits.is_empty()
            && !notice.rest.is_empty()
            && rules
                .bounce
                .body_failed
                .is_match(&notice.rest.to_lowercase())
        {
            notice.text = notice.rest;
            notice.rest = "";
            notice.hits = notice.named();
        }
        notice
    }

    /// Addresses named by the surest tier of patterns that names any.
    fn named(&self) -> Vec<Hit> {
        let ours = self.own_addresses();
        let lines = self.address_lines();
        let mut found: Vec<Hit> = Vec::new();
        // Addresses named again, and where.
        let mut mentions: Vec<(usize, String)> = Vec::new();
        for tier in 0..self.rules.bounce.recipients.len() {
            self.tier(tier, &lines, &mut |address, start| {
                let known = found.iter().any(|hit| hit.address == address);
                if known && mentions.len() < ADDRESS_LINES_MAX {
                    mentions.push((start, address.clone()));
                }
                // The story of an address named again goes on.
                if known
                    || ours.contains(&address.to_lowercase())
                    || self
                        .rules
                        .bounce
                        .recipient_not
                        .is_match(&address.to_lowercase())
                    || found.len() >= RECIPIENTS_MAX
                {
                    return;
                }
                found.push(Hit {
                    address,
                    start,
                    end: self.text.len(),
                });
            });
            if !found.is_empty() {
                break;
            }
        }
        found.sort_by_key(|hit| hit.start);
        mentions.extend(found.iter().map(|hit| (hit.start, hit.address.clone())));
        mentions.sort();
        // A story ends where another address is named, be it again: some notices come in two languages.
        for hit in &mut found {
            let from = mentions.partition_point(|(at, _)| *at <= hit.start);
            if let Some((next, _)) = mentions[from..]
                .iter()
                .find(|(_, address)| *address != hit.address)
            {
                hit.end = *next;
            }
        }
        found
    }

    /// Lines with an `@`: start of the line before, of the line itself, and its end.
    fn address_lines(&self) -> Vec<(usize, usize, usize)> {
        let mut lines = Vec::new();
        let (mut before, mut start) = (0, 0);
        for line in self.text.split_inclusive('\n') {
            let end = start + line.len();
            if line.contains('@')
                && line.len() <= ADDRESS_LINE_BYTES_MAX
                && lines.len() < ADDRESS_LINES_MAX
            {
                let before = if start - before <= ADDRESS_LINE_BYTES_MAX {
                    before
                } else {
                    start
                };
                lines.push((before, start, end));
            }
            before = start;
            start = end;
        }
        lines
    }

    /// Calls `each` with the addresses a tier finds and their offsets.
    fn tier(
        &self,
        tier: usize,
        lines: &[(usize, usize, usize)],
        each: &mut dyn FnMut(String, usize),
    ) {
        // Sentences run over line ends; the surer forms keep to one line.
        let folds = tier >= 2;
        for pattern in &self.rules.bounce.recipients[tier] {
            for &(before, start, end) in lines {
                let from = if folds { before } else { start };
                for captures in pattern.captures_iter(&self.text[from..end]) {
                    let Some(matched) = captures.name("addr") else {
                        continue;
                    };
                    let at = from + matched.start();
                    let address = clean(matched.as_str());
                    if at >= start && is_address(&address) {
                        each(address, at);
                    }
                }
            }
        }
    }

    /// Addresses of the bounce's own header: the original author's and the reporter's.
    fn own_addresses(&self) -> Vec<String> {
        self.mail
            .to
            .iter()
            .chain(&self.mail.from)
            .map(|address| address.email.to_lowercase())
            .collect()
    }

    /// A first-tier address that is also one of the header's: someone wrote to himself.
    fn echoed(&self) -> Option<String> {
        let ours = self.own_addresses();
        let mut found = None;
        self.tier(0, &self.address_lines(), &mut |address, _| {
            if found.is_none() && ours.contains(&address.to_lowercase()) {
                found = Some(address);
            }
        });
        found
    }

    fn passage_at(&self, hit: &Hit) -> &'a str {
        head_of(&self.text[hit.start..hit.end], PASSAGE_BYTES_MAX)
    }

    /// What is said about `address`: its passage among several, else the whole notice.
    pub fn passage(&self, address: &str) -> &'a str {
        if self.mail.text_source == TextSource::None {
            return "";
        }
        let own = self
            .hits
            .iter()
            .find(|hit| hit.address.eq_ignore_ascii_case(address));
        match (own, self.hits.len()) {
            (Some(hit), 2..) => self.passage_at(hit),
            (None, 2..) => "",
            (_, 0 | 1) => head_of(self.text, NOTICE_BYTES_MAX),
        }
    }

    /// The recipient, when notice or header name exactly one.
    pub fn lone_recipient(&self) -> Option<String> {
        let mut addresses = failed_header(self.mail);
        if addresses.is_empty() {
            addresses = self.hits.iter().map(|hit| hit.address.clone()).collect();
        }
        addresses.dedup();
        if addresses.len() == 1 {
            return addresses.pop();
        }
        self.addressee_of_original()
    }

    /// The one address the enclosed or quoted message was written to.
    fn addressee_of_original(&self) -> Option<String> {
        match bounce::original(self.mail) {
            Some(nested) => match nested.to.as_slice() {
                [only] if is_address(&only.email) => Some(only.email.clone()),
                _ => None,
            },
            None => original_field(self.rest, "to:").filter(|to| is_address(to)),
        }
    }

    /// The fields of a report (RFC 3464) that lost its MIME structure on the way.
    pub fn flat_report(&self) -> Option<&'a str> {
        let lower = self.text.to_ascii_lowercase();
        let start = lower.find("\nfinal-recipient:")? + 1;
        // The field group may begin some lines earlier.
        let start = self.text[..start].rfind("\n\n").map_or(start, |at| at + 2);
        Some(&self.text[start..])
    }
}

fn clean(address: &str) -> String {
    let address = address
        .trim_matches(['<', '>', '"', '\'', '(', ')', '[', ']', ',', ';', ':'])
        .trim_end_matches('.');
    let address = address.strip_suffix("=20").unwrap_or(address);
    let address = match address.get(..5) {
        Some(start) if start.eq_ignore_ascii_case("smtp=") => &address[5..],
        _ => address,
    };
    match address.rsplit_once('@') {
        Some((local, domain)) => format!("{local}@{}", domain.to_lowercase()),
        None => address.to_owned(),
    }
}

/// Exim's `X-Failed-Recipients`.
fn failed_header(mail: &Mail) -> Vec<String> {
    mail.headers
        .all("x-failed-recipients")
        .flat_map(|value| value.split([',', ' ', '\t']))
        .map(clean)
        .filter(|address| is_address(address))
        .take(RECIPIENTS_MAX)
        .collect()
}

/// The Message-ID of an original that is quoted in the text.
pub(super) fn quoted_message_id(mail: &Mail) -> Option<String> {
    original_field(&mail.text, "message-id:")
}

/// First `name` field in the text: the bracketed value, else its first word.
fn original_field(text: &str, name: &str) -> Option<String> {
    let mut lines = text.lines().take(ORIGINAL_LINES_MAX);
    while let Some(line) = lines.next() {
        let line = line.trim_start_matches([' ', '\t', '>']);
        let matches = line
            .get(..name.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(name));
        if !matches {
            continue;
        }
        let mut value = line[name.len()..].trim().to_owned();
        if value.is_empty()
            && let Some(next) = lines.next()
        {
            value = next.trim().to_owned();
        }
        if let (Some(open), Some(close)) = (value.find('<'), value.rfind('>'))
            && open < close
        {
            return Some(value[open + 1..close].trim().to_owned());
        }
        let word = value.split_whitespace().next()?;
        return word.contains('@').then(|| word.to_owned());
    }
    None
}
