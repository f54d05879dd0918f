//! The text a person wrote, without what they quote and without their signature.
//!
//! Reads lines once. What introduces a quotation is data: introductions ("On ... wrote:"),
//! separators, header blocks, signatures, closing formulas, marks of HTML. Answers written between
//! quoted lines are kept.

use jiff::civil::Date;
use serde::Serialize;

use super::intent::{self, Intent, Percent};
use super::{InboundRules, rules::ReplyRules};
use crate::mail::{Mail, TextSource, html};

/// Most characters kept of what is quoted.
pub const QUOTED_CHARS_MAX: usize = 1_000;
/// Most lines read of a body.
const LINES_MAX: usize = 20_000;
/// Most lines an introduction may be folded into.
const INTRO_LINES_MAX: usize = 4;
/// Longest introduction, in bytes.
const INTRO_BYTES_MAX: usize = 500;
/// Longest line that is a date alone at the beginning of an introduction, in characters.
const INTRO_BEGIN_CHARS_MAX: usize = 40;
/// Lines in which a quoted header block shows itself.
const HEADER_BLOCK_LINES: usize = 8;
/// Fields that make a header block.
const HEADER_FIELDS_MIN: usize = 3;
/// Most lines of a signature after a closing formula.
const CLOSING_LINES_MAX: usize = 10;
/// Longest piece a mail program breaks off a quoted line, in characters.
const BROKEN_LINE_MAX: usize = 30;
/// What a name as a signature stands behind. Not a hyphen: the corpora's own labels count "-Name" among the text.
const STROKES: [char; 4] = ['–', '—', '/', '~'];
/// Words of a name behind a stroke.
const NAME_WORDS_MAX: usize = 4;
/// Bytes of a line by which the footer of a mail server is known.
const FOOTER_BYTES_MAX: usize = 240;
/// Longest line of a signature, in characters.
const SIGNATURE_LINE_MAX: usize = 90;

/// A person's message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reply {
    /// Without the quoted part and the signature.
    pub text: String,
    /// Whether it declares itself an answer, by its thread or its subject.
    pub answer: bool,
    /// Message-IDs it answers, the nearest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub in_reply_to: Vec<String>,
    /// What it wants, as far as that is plain.
    pub intent: Intent,
    /// By when: of a promise to pay and of a "later"; never before the day of the mail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub intent_date: Option<Date>,
    /// How sure that is.
    pub intent_confidence: Percent,
    /// What it quotes, cut short.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub quoted: String,
}

pub(super) fn read(mail: &Mail, rules: &InboundRules) -> Reply {
    let in_reply_to: Vec<String> = mail.answers().into_iter().map(str::to_owned).collect();
    let text = own_text(mail, rules);
    let reading = intent::read(mail, &text, rules);
    Reply {
        answer: !in_reply_to.is_empty()
            || rules
                .reply
                .subject_reply
                .is_match(&mail.subject.to_lowercase()),
        quoted: quoted(&mail.text, &text),
        text,
        in_reply_to,
        intent: reading.intent,
        intent_date: reading.date,
        intent_confidence: reading.sure,
    }
}

/// The beginning of what a mail has beside its author's own words: the first lines that are none of them.
fn quoted(whole: &str, own: &str) -> String {
    let own: std::collections::BTreeSet<&str> = own.lines().map(str::trim).collect();
    let mut quoted = String::new();
    let mut chars = 0;
    for line in whole.lines().take(LINES_MAX) {
        let line = line.trim().trim_start_matches(['>', ' ']);
        if line.is_empty() || own.contains(line) {
            continue;
        }
        if !quoted.is_empty() {
            quoted.push('\n');
            chars += 1;
        }
        for ch in line.chars().take(QUOTED_CHARS_MAX.saturating_sub(chars)) {
            quoted.push(ch);
            chars += 1;
        }
        if chars >= QUOTED_CHARS_MAX {
            break;
        }
    }
    quoted
}

/// The author's own words of a mail.
pub(super) fn own_text(mail: &Mail, rules: &InboundRules) -> String {
    if mail.text_source == TextSource::Html
        && let Some(source) = &mail.html
    {
        let converted = html::to_text(source, &rules.reply.html_marks);
        let before = converted
            .quote_at
            .map(|at| &converted.text[..at])
            .filter(|before| !before.trim().is_empty());
        return strip(before.unwrap_or(&converted.text), &rules.reply);
    }
    strip(&mail.text, &rules.reply)
}

/// A body as lines, each also in lower case for the rules.
struct Lines<'a> {
    text: Vec<&'a str>,
    lower: Vec<String>,
}

impl<'a> Lines<'a> {
    fn new(text: &'a str) -> Lines<'a> {
        let text: Vec<&str> = text.lines().take(LINES_MAX).map(str::trim_end).collect();
        // Longer lines are prose: no rule speaks of them.
        let lower = text
            .iter()
            .map(|line| {
                let line = line.trim_start();
                if line.len() > INTRO_BYTES_MAX {
                    String::new()
                } else {
                    line.to_lowercase()
                }
            })
            .collect();
        Lines { text, lower }
    }

    /// Whether line `at` is marked as quoted.
    fn quoted(&self, at: usize) -> bool {
        self.text
            .get(at)
            .is_some_and(|line| line.trim_start().starts_with('>'))
    }

    /// Whether the next line that says anything is marked as quoted.
    fn quoted_from(&self, at: usize) -> bool {
        let end = (at + 4).min(self.text.len());
        (at..end)
            .find(|&at| !self.text[at].is_empty())
            .is_some_and(|at| self.quoted(at))
    }
}

/// Removes quotation and signature from plain text.
pub(super) fn strip(text: &str, rules: &ReplyRules) -> String {
    let lines = Lines::new(text);
    // Indices of own lines; `None` stands for what was cut out between them.
    let mut kept: Vec<Option<usize>> = Vec::new();
    // Where the run of own words after the last quotation starts.
    let mut run = 0;
    let mut at = 0;
    while at < lines.text.len() {
        if lines.quoted(at) {
            close_run(&lines, &mut kept, run, rules);
            kept.push(None);
            at = after_quotation(&lines, at);
            run = kept.len();
            continue;
        }
        if let Some(next) = introduction(&lines, at, rules) {
            // With marks, only marked lines are quoted; without, all the rest is.
            if lines.quoted_from(next) {
                at = next;
                continue;
            }
            break;
        }
        let lower = &lines.lower[at];
        if rules.separator.is_match(lower) || header_block(&lines, at, rules) {
            break;
        }
        kept.push(Some(at));
        at += 1;
    }
    close_run(&lines, &mut kept, run, rules);
    let line = |kept: &Option<usize>| kept.map_or("", |at| lines.text[at]);
    while kept.last().is_some_and(|last| is_rule(line(last))) {
        kept.pop();
    }
    let kept = kept.iter().map(line);
    let mut out = String::with_capacity(text.len().min(8 * 1024));
    let mut blank = 0;
    for line in kept {
        if line.trim().is_empty() {
            blank += 1;
            continue;
        }
        if !out.is_empty() {
            out.push_str(if blank > 0 { "\n\n" } else { "\n" });
        }
        blank = 0;
        out.push_str(line);
    }
    out.trim().to_owned()
}

/// Empty, or drawn of dashes and the like.
fn is_rule(line: &str) -> bool {
    line.trim()
        .chars()
        .all(|ch| matches!(ch, '-' | '_' | '=' | '*' | '~' | '—' | '–'))
}

/// Index after the quoted lines; a line broken by a mail program between two of them is theirs.
fn after_quotation(lines: &Lines<'_>, mut at: usize) -> usize {
    loop {
        while lines.quoted(at) {
            at += 1;
        }
        let broken = lines.text.get(at).is_some_and(|line| {
            let line = line.trim();
            !line.is_empty() && line.chars().count() < BROKEN_LINE_MAX && !line.contains("  ")
        });
        // The quoted line before must be as long as lines that get broken are.
        let long = at > 0 && lines.text[at - 1].chars().count() >= 2 * BROKEN_LINE_MAX;
        if broken && long && lines.quoted(at + 1) {
            at += 1;
        } else {
            return at;
        }
    }
}

/// "/John", "— Иван": a name behind a stroke, as the last line of a message.
fn is_signed_name(line: &str) -> bool {
    let Some(name) = line.trim().strip_prefix(STROKES) else {
        return false;
    };
    let words: Vec<&str> = name.split_whitespace().collect();
    let is_plain = |word: &&str| {
        word.chars()
            .all(|c| c.is_alphabetic() || matches!(c, '-' | '\'' | '.'))
    };
    let begins = |word: &&str| word.chars().next().is_some_and(char::is_uppercase);
    (1..=NAME_WORDS_MAX).contains(&words.len())
        && words.iter().all(is_plain)
        && begins(&words[0])
        && words.iter().filter(|word| begins(word)).count() * 2 >= words.len()
}

/// Whether an introduction starts at this line; the index after it.
fn introduction(lines: &Lines<'_>, at: usize, rules: &ReplyRules) -> Option<usize> {
    let mut joined = String::new();
    let last = (at + INTRO_LINES_MAX).min(lines.text.len());
    for line in at..last {
        let lower = lines.lower[line].as_str();
        let quoted = lower.starts_with('>') && lower.len() > 2;
        if lower.is_empty() || quoted || joined.len() + lower.len() > INTRO_BYTES_MAX {
            return None;
        }
        if !joined.is_empty() {
            joined.push(' ');
        }
        joined.push_str(lower);
        let end = line + 1;
        if !may_end_introduction(lines, end, lower) {
            continue;
        }
        if line == at && rules.intro_name.is_match(lower) {
            return Some(end);
        }
        if rules.intro.is_match(&joined) {
            // A later start that reads as an introduction too leaves this line to the reply.
            // But "On 21 November 2014," above "at 10:18, John wrote:" is its beginning.
            let begins = lines.lower[at].ends_with(',')
                && lines.lower[at].chars().count() <= INTRO_BEGIN_CHARS_MAX
                && lines.lower[at].contains(|c: char| c.is_ascii_digit());
            let later = !begins
                && (at + 1..end).any(|start| {
                    let rest = lines.lower[start..end].join(" ");
                    rules.intro.is_match(&rest)
                });
            return (!later).then_some(end);
        }
    }
    None
}

fn may_end_introduction(lines: &Lines<'_>, end: usize, lower: &str) -> bool {
    lower.ends_with([':', '：', '-', '>']) || lower.ends_with("wrote") || lines.quoted_from(end)
}

/// Whether a quoted message's header fields start here.
fn header_block(lines: &Lines<'_>, at: usize, rules: &ReplyRules) -> bool {
    let field = |at: usize| {
        let lower = lines.lower[at].as_str();
        if !lower.contains([':', '：']) {
            return None;
        }
        // Bold made text: `*From:* Ann`.
        let lower = lower.replace('*', "");
        let is_field = rules.header_any.is_match(&lower);
        is_field.then(|| rules.header_from.is_match(&lower))
    };
    if field(at).is_none() {
        return false;
    }
    let last = (at + HEADER_BLOCK_LINES).min(lines.text.len());
    let fields: Vec<bool> = (at..last).filter_map(field).collect();
    fields.len() >= HEADER_FIELDS_MIN && fields.contains(&true)
}

/// Cuts the signature off the run of own words that starts at `run`.
fn close_run(lines: &Lines<'_>, kept: &mut Vec<Option<usize>>, run: usize, rules: &ReplyRules) {
    let short = |at: usize| lines.text[at].chars().count() <= SIGNATURE_LINE_MAX;
    let is_signature = |kept: &Option<usize>| {
        kept.is_some_and(|at| short(at) && rules.signature.is_match(&lines.lower[at]))
    };
    if let Some(found) = kept[run..].iter().position(is_signature) {
        kept.truncate(run + found);
    }
    let says = |kept: &Option<usize>| kept.is_some_and(|at| !lines.text[at].is_empty());
    let is_footer = |kept: &Option<usize>| {
        kept.is_some_and(|at| {
            let start = super::head_of(lines.text[at].trim_start(), FOOTER_BYTES_MAX);
            rules.footer.is_match(&start.to_lowercase())
        })
    };
    // A message that is nothing but a footer stays as it is.
    if let Some(found) = kept[run..].iter().position(is_footer)
        && kept[run..run + found].iter().any(says)
    {
        kept.truncate(run + found);
    }
    // The last line is a name behind a stroke, and no other line begins with one: no list.
    if let Some(last) = kept[run..].iter().rposition(says) {
        let is_name = kept[run + last].is_some_and(|at| is_signed_name(lines.text[at]));
        let before = &kept[run..run + last];
        let is_list = before
            .iter()
            .flatten()
            .any(|at| lines.text[*at].starts_with(STROKES));
        if is_name && before.iter().any(says) && !is_list {
            kept.truncate(run + last);
        }
    }
    // A closing formula counts when nothing but a name and its like follows.
    let mut following = 0;
    let mut cut = None;
    for index in (run..kept.len()).rev() {
        let Some(at) = kept[index].filter(|at| !lines.text[*at].is_empty()) else {
            continue;
        };
        if !short(at) || following > CLOSING_LINES_MAX {
            break;
        }
        if rules.closing.is_match(&lines.lower[at]) {
            cut = Some(index);
        }
        following += 1;
    }
    if let Some(cut) = cut {
        // A message that is nothing but greetings stays as it is.
        if kept[run..cut].iter().any(says) {
            kept.truncate(cut);
        }
    }
}
