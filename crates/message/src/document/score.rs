//! The decision: evidence for and against is summed, by weights that are data.
//!
//! Each attachment is a candidate, and so is the body. A candidate's kind is the one with the most
//! evidence; a paper of another kind (a receipt, a contract) that scores as high takes the candidate
//! out. The best candidate over the threshold is the document.

mod file;
mod near;

use jiff::civil::Date;
use rust_decimal::Decimal;

use self::file::NamedFile;
use super::amount::by_script;
use super::date::When;
use super::fields::{self, Fields, Ranked, term_end};
use super::number;
use super::parties::Parties;
use super::phrase::longest;
use super::rules::{DocumentRules, LabelField, PaperKind, SignalPlace, folded};
use super::text::{Page, file_stem};
use super::{
    ATTACHMENTS_MAX, AttachmentText, DocumentInput, DocumentKind, Evidence, FoundDocument, Place,
    einvoice,
};

pub(super) use near::near;
pub use near::{Lack, Near};

/// Lines at the top of a text where its title stands.
const TITLE_LINES: usize = 14;
/// Tokens before a title's word in its cell: "Tax invoice", "御 請求書".
const TITLE_LEAD_TOKENS: usize = 4;
/// Tokens of a title's cell.
const TITLE_TOKENS_MAX: usize = 24;
/// Letters in a file's name that is a number alone: `F2026-19`.
const NAME_LETTERS_MAX: usize = 4;
/// Part of a title's weight lost with each line above it.
const TITLE_FADE: f64 = 0.03;
/// Part of its weight a second title of another kind keeps.
const SECOND_TITLE: f64 = 0.5;
/// Steepness of the confidence over the score's distance from the threshold.
const CONFIDENCE_SLOPE: f64 = 0.5;
/// Confidence of an e-invoice.
const CONFIDENCE_EXACT: f64 = 0.99;
/// Weight of an e-invoice: no other evidence is needed.
const WEIGHT_EXACT: f64 = 100.0;
/// An amount from this rank up stands on a label of a total.
const RANK_TOTAL: u8 = 40;
/// From this rank a number in a text beats the one in the file's name.
const RANK_NAME: u8 = 30;
/// From this rank a total has its tax in it.
const RANK_WITH_TAX: u8 = 70;
/// No tax is a larger share of its total.
const SHARE_MAX: Decimal = Decimal::from_parts(3, 0, 0, false, 1);
/// From this rank an attachment's own amount beats any in the body.
const RANK_OWN: u8 = 50;

pub(super) fn find(input: &DocumentInput<'_>, rules: &DocumentRules) -> Option<FoundDocument> {
    let attachments = &input.attachments[..input.attachments.len().min(ATTACHMENTS_MAX)];
    if let Some(found) = attachments.iter().find_map(exact) {
        return Some(found);
    }
    let mail = Mail::read(input, rules, attachments);
    let mut best: Option<(f64, FoundDocument)> = None;
    for attachment in attachments {
        let found = mail.attachment(attachment);
        best = better(best, found);
    }
    best = better(best, mail.body_itself());
    best.map(|(_, found)| found)
}

/// A mail read as a document of a kind, whatever it looks like: the attachment that gives most fields, else the body.
pub(super) fn read_as(
    input: &DocumentInput<'_>,
    kind: DocumentKind,
    rule: &str,
    rules: &DocumentRules,
) -> FoundDocument {
    let attachments = &input.attachments[..input.attachments.len().min(ATTACHMENTS_MAX)];
    let said = Evidence {
        rule: rule.to_owned(),
        place: Place::Rule,
        weight: WEIGHT_EXACT,
    };
    if let Some(mut found) = attachments.iter().find_map(exact) {
        found.kind = kind;
        found.evidence.insert(0, said);
        return found;
    }
    let mail = Mail::read(input, rules, attachments);
    let mut best: Option<(usize, Fields, Page, &AttachmentText<'_>)> = None;
    for attachment in attachments {
        if mail.ending_weight(attachment).is_none() {
            continue;
        }
        let page = Page::new(attachment.text.unwrap_or_default());
        let fields = fields::read(&page, rules, Some(kind));
        let told = usize::from(fields.number.is_some())
            + usize::from(fields.amount.is_some())
            + usize::from(fields.due.is_some());
        if best.as_ref().is_none_or(|(most, ..)| told > *most) {
            best = Some((told, fields, page, attachment));
        }
    }
    let body = fields::read(&mail.body, rules, Some(kind));
    let subject = fields::read(&mail.subject, rules, Some(kind));
    let mut sum = Sum::default();
    sum.evidence.push(said);
    sum.score = WEIGHT_EXACT;
    match best {
        Some((_, fields, page, attachment)) => {
            let name = Page::new(&file_stem(attachment.name));
            let by_name = mail.number_in_name(&name, kind);
            let script = by_script(&page, &rules.money).or(by_script(&mail.body, &rules.money));
            mail.assemble(
                kind,
                sum,
                [fields, subject, body],
                by_name,
                script,
                Some(attachment.name),
            )
        }
        None => {
            let script = by_script(&mail.body, &rules.money);
            mail.assemble(
                kind,
                sum,
                [body, subject, Fields::default()],
                None,
                script,
                None,
            )
        }
    }
}

fn better(
    a: Option<(f64, FoundDocument)>,
    b: Option<(f64, FoundDocument)>,
) -> Option<(f64, FoundDocument)> {
    match (a, b) {
        (Some(a), Some(b)) => Some(if b.0 > a.0 { b } else { a }),
        (a, b) => a.or(b),
    }
}

/// An e-invoice in XML, which says all by itself.
fn exact(attachment: &AttachmentText<'_>) -> Option<FoundDocument> {
    let text = attachment
        .text
        .filter(|text| einvoice::looks_like_xml(text))?;
    let read = einvoice::read(text).ok()?;
    let kind = match read.kind {
        einvoice::EInvoiceKind::Invoice => DocumentKind::Invoice,
        einvoice::EInvoiceKind::Offer => DocumentKind::Offer,
        einvoice::EInvoiceKind::CreditNote => return None,
    };
    Some(FoundDocument {
        kind,
        number: read.number,
        amount: read.amount,
        currency: read.currency,
        issued: read.issued,
        due: read.due,
        valid_until: read.valid_until,
        vat: read.vat,
        vat_rates: read.vat_rates,
        net: read.net,
        payer: read.payer,
        payer_tax_id: read.payer_tax_id,
        seller_tax_id: read.seller_tax_id,
        bank_reference: read.bank_reference,
        attachment: Some(attachment.name.to_owned()),
        confidence: CONFIDENCE_EXACT,
        evidence: vec![Evidence {
            rule: "einvoice".to_owned(),
            place: Place::Xml,
            weight: WEIGHT_EXACT,
        }],
    })
}

/// The strongest words of each kind in one place: weight and rule.
#[derive(Clone, Debug, Default)]
struct Named {
    invoice: Option<(f64, String)>,
    offer: Option<(f64, String)>,
    other: Option<(f64, String)>,
}

impl Named {
    /// Words of a page; `title_only` counts those that stand as a title at its top.
    fn read(page: &Page, rules: &DocumentRules, title_only: bool) -> Self {
        let mut named = Self::default();
        let mut lines_seen: Vec<usize> = page.cells.iter().map(|cell| cell.line).collect();
        lines_seen.dedup();
        let last_title_line = lines_seen.get(TITLE_LINES).copied().unwrap_or(usize::MAX);
        let first_line = lines_seen.first().copied();
        let mut first_title: Option<PaperKind> = None;
        let elsewhere = numbers_of_others(page, rules);
        for hit in longest(rules.word_phrases.find(page)) {
            let word = &rules.words[hit.value];
            // "Contract No. 5" in an invoice names the contract it is for, not this paper.
            let leads = hit.first == page.cells[page.tokens[hit.first].cell].tokens.0
                && Some(page.tokens[hit.first].line) == first_line;
            let at = elsewhere.partition_point(|(first, _)| *first <= hit.first);
            if !leads
                && at
                    .checked_sub(1)
                    .is_some_and(|index| hit.end <= elsewhere[index].1)
            {
                continue;
            }
            let mut weight = word.weight;
            if title_only {
                let token = page.tokens[hit.first];
                let cell = page.cells[token.cell];
                let lead = hit.first - cell.tokens.0;
                let length = cell.tokens.1 - cell.tokens.0;
                if token.line >= last_title_line
                    || lead > TITLE_LEAD_TOKENS
                    || length > TITLE_TOKENS_MAX
                {
                    continue;
                }
                let above = lines_seen.partition_point(|line| *line < token.line);
                weight *= 1.0 - TITLE_FADE * above as f64;
                // The first name is the title; a later one of another kind is what the paper speaks of.
                if *first_title.get_or_insert(word.kind) != word.kind {
                    weight *= SECOND_TITLE;
                }
            }
            let slot = match word.kind {
                PaperKind::Invoice => &mut named.invoice,
                PaperKind::Offer => &mut named.offer,
                PaperKind::Other => &mut named.other,
            };
            if slot.as_ref().is_none_or(|(before, _)| *before < weight) {
                *slot = Some((weight, word.id.clone()));
            }
        }
        named
    }

    fn of(&self, kind: PaperKind) -> Option<&(f64, String)> {
        match kind {
            PaperKind::Invoice => self.invoice.as_ref(),
            PaperKind::Offer => self.offer.as_ref(),
            PaperKind::Other => self.other.as_ref(),
        }
    }
}

/// Tokens of labels that name other things' numbers.
fn numbers_of_others(page: &Page, rules: &DocumentRules) -> Vec<(usize, usize)> {
    longest(rules.label_phrases.find(page))
        .into_iter()
        .filter(|hit| rules.labels[hit.value].field == LabelField::Other)
        .map(|hit| (hit.first, hit.end))
        .collect()
}

/// Evidence for one kind of one candidate.
#[derive(Default)]
struct Sum {
    score: f64,
    evidence: Vec<Evidence>,
}

impl Sum {
    fn add(&mut self, rule: &str, place: Place, weight: f64) {
        self.score += weight;
        self.evidence.push(Evidence {
            rule: rule.to_owned(),
            place,
            weight,
        });
    }

    fn add_named(&mut self, named: &Named, kind: PaperKind, place: Place, factor: f64) {
        if let Some((weight, rule)) = named.of(kind) {
            self.add(rule, place, weight * factor);
        }
    }
}

/// The mail around the candidates, read once.
struct Mail<'a> {
    rules: &'a DocumentRules,
    sent_on: Option<Date>,
    subject: Page,
    body: Page,
    subject_named: Named,
    body_named: Named,
    body_titled: Named,
    is_reply: bool,
    /// Signals that fired: rule, place, weight.
    signals: Vec<(usize, Place)>,
}

impl<'a> Mail<'a> {
    fn read(
        input: &DocumentInput<'_>,
        rules: &'a DocumentRules,
        attachments: &[AttachmentText<'_>],
    ) -> Self {
        let (subject_text, is_reply) = without_prefixes(input.subject, rules);
        let subject = Page::new(&subject_text.replace(['\n', '\r'], " "));
        let body = Page::new(input.text);
        let mut mail = Self {
            rules,
            sent_on: input.sent_on,
            subject_named: Named::read(&subject, rules, false),
            body_named: Named::read(&body, rules, false),
            body_titled: Named::read(&body, rules, true),
            subject,
            body,
            is_reply,
            signals: Vec::new(),
        };
        let has_paper = attachments
            .iter()
            .any(|attachment| mail.ending_weight(attachment).is_some());
        for (page, place) in [(&mail.subject, Place::Subject), (&mail.body, Place::Body)] {
            for hit in longest(rules.signal_phrases.find(page)) {
                let signal = &rules.signals[hit.value];
                let here = match signal.place {
                    SignalPlace::Anywhere => true,
                    SignalPlace::Subject => place == Place::Subject,
                    SignalPlace::Body => place == Place::Body,
                };
                if here
                    && (has_paper || !signal.with_attachment)
                    && !mail.signals.iter().any(|(seen, _)| *seen == hit.value)
                {
                    mail.signals.push((hit.value, place));
                }
            }
        }
        mail
    }

    fn ending_weight(&self, attachment: &AttachmentText<'_>) -> Option<f64> {
        let ending = attachment
            .name
            .rsplit_once('.')
            .map(|(_, ending)| ending.to_lowercase())
            .unwrap_or_default();
        let fits = |endings: &[String]| {
            endings
                .iter()
                .any(|e| *e == ending || attachment.content_type.ends_with(&format!("/{e}")))
        };
        self.rules
            .endings
            .iter()
            .find(|rule| fits(&rule.endings))
            .map(|rule| rule.weight)
    }

    /// What the mail around says for a kind.
    fn around(&self, kind: PaperKind, sum: &mut Sum) {
        let weights = &self.rules.weights;
        let factor = if self.is_reply {
            weights.subject_of_reply
        } else {
            weights.subject
        };
        sum.add_named(&self.subject_named, kind, Place::Subject, factor);
        sum.add_named(&self.body_named, kind, Place::Body, weights.body);
    }

    /// Signals for and against; those against weigh less on a file that names itself.
    fn signs(&self, named_itself: bool, sum: &mut Sum) {
        for (index, place) in &self.signals {
            let signal = &self.rules.signals[*index];
            // The subject of an answer is the other side's: "Re: Request for quotation" may bring the quotation.
            if self.is_reply && *place == Place::Subject && signal.weight < 0.0 {
                continue;
            }
            let factor = if signal.weight < 0.0 && named_itself {
                self.rules.weights.contrary_to_named
            } else {
                1.0
            };
            sum.add(&signal.id, *place, signal.weight * factor);
        }
    }

    fn attachment(&self, attachment: &AttachmentText<'_>) -> Option<(f64, FoundDocument)> {
        let ending = self.ending_weight(attachment)?;
        let weights = &self.rules.weights;
        let file = NamedFile::read(attachment, self.rules);
        let mut best: Option<(f64, DocumentKind, Sum, Fields)> = None;
        for (paper, kind) in [
            (PaperKind::Invoice, DocumentKind::Invoice),
            (PaperKind::Offer, DocumentKind::Offer),
        ] {
            let mut sum = file.sum(paper, self.rules);
            let named_itself = file.names_itself(paper);
            let is_other = file.sum(PaperKind::Other, self.rules).score > sum.score;
            // A readable text that never names the kind is not of it.
            let is_silent = sum.score <= 0.0 && !file.page.tokens.is_empty();
            if is_other || is_silent {
                continue;
            }
            self.around(paper, &mut sum);
            if sum.score <= 0.0 {
                continue;
            }
            sum.add("ending", Place::AttachmentName, ending);
            let fields = fields::read(&file.page, self.rules, Some(kind));
            self.add_fields(&fields, kind, Place::AttachmentText, &mut sum);
            self.signs(named_itself, &mut sum);
            if sum.score >= weights.threshold
                && best.as_ref().is_none_or(|(score, ..)| sum.score > *score)
            {
                best = Some((sum.score, kind, sum, fields));
            }
        }
        let (score, kind, sum, fields) = best?;
        let body = fields::read(&self.body, self.rules, Some(kind));
        let subject = fields::read(&self.subject, self.rules, Some(kind));
        let by_name = self.number_in_name(&file.name, kind);
        let script =
            by_script(&file.page, &self.rules.money).or(by_script(&self.body, &self.rules.money));
        Some((
            score,
            self.assemble(
                kind,
                sum,
                [fields, subject, body],
                by_name,
                script,
                Some(attachment.name),
            ),
        ))
    }

    fn body_itself(&self) -> Option<(f64, FoundDocument)> {
        let weights = &self.rules.weights;
        let mut best: Option<(f64, DocumentKind, Sum, Fields, Fields)> = None;
        for (paper, kind) in [
            (PaperKind::Invoice, DocumentKind::Invoice),
            (PaperKind::Offer, DocumentKind::Offer),
        ] {
            let mut sum = Sum::default();
            let mut other = Sum::default();
            self.around(paper, &mut sum);
            self.around(PaperKind::Other, &mut other);
            sum.add_named(&self.body_titled, paper, Place::Body, weights.body_title);
            other.add_named(
                &self.body_titled,
                PaperKind::Other,
                Place::Body,
                weights.body_title,
            );
            if sum.score <= other.score {
                continue;
            }
            let fields = fields::read(&self.body, self.rules, Some(kind));
            let subject = fields::read(&self.subject, self.rules, Some(kind));
            let has_total = fields
                .amount
                .as_ref()
                .is_some_and(|amount| amount.rank >= RANK_TOTAL);
            let has_number = fields.number.is_some() || subject.number.is_some();
            if fields.amount.is_none() || !(has_number || has_total) {
                continue;
            }
            self.add_fields(&fields, kind, Place::Body, &mut sum);
            if fields.number.is_none() {
                self.add_fields(&subject, kind, Place::Subject, &mut sum);
            }
            if self.is_reply {
                sum.add(
                    "reply_without_paper",
                    Place::Subject,
                    weights.reply_without_paper,
                );
            }
            self.signs(false, &mut sum);
            if sum.score >= weights.threshold
                && best.as_ref().is_none_or(|(score, ..)| sum.score > *score)
            {
                best = Some((sum.score, kind, sum, fields, subject));
            }
        }
        let (score, kind, sum, fields, subject) = best?;
        let script = by_script(&self.body, &self.rules.money);
        Some((
            score,
            self.assemble(
                kind,
                sum,
                [fields, subject, Fields::default()],
                None,
                script,
                None,
            ),
        ))
    }

    fn add_fields(&self, fields: &Fields, kind: DocumentKind, place: Place, sum: &mut Sum) {
        let weights = &self.rules.weights;
        if let Some(number) = fields
            .number
            .as_ref()
            .filter(|_| fields.number_kind.is_none_or(|named| named == kind))
        {
            sum.add(&number.rule, place, weights.number);
        }
        if let Some(amount) = fields
            .amount
            .as_ref()
            .filter(|amount| amount.rank >= RANK_TOTAL)
        {
            sum.add(&amount.rule, place, weights.amount);
        }
        let due = fields
            .due
            .as_ref()
            .map(|due| &due.rule)
            .or(fields.term.as_ref().map(|term| &term.rule));
        if let Some(rule) = due.filter(|_| kind == DocumentKind::Invoice) {
            sum.add(rule, place, weights.due);
        }
    }

    /// `Счет_12-А_от_01.02.2026`, `INV-2026-0042`: behind a word of the kind, or a name that is a number.
    fn number_in_name(&self, name: &Page, kind: DocumentKind) -> Option<String> {
        let fields = fields::read(name, self.rules, Some(kind));
        if let Some(number) = fields.number {
            return Some(number.value);
        }
        let words = longest(self.rules.word_phrases.find(name));
        let behind = words.iter().find_map(|hit| {
            let word = &self.rules.words[hit.value];
            let same = matches!(
                (word.kind, kind),
                (PaperKind::Invoice, DocumentKind::Invoice)
                    | (PaperKind::Offer, DocumentKind::Offer)
            );
            // `INV-2026-0042`: the word is part of the number.
            let glued = name.joined(hit.end - 1) && hit.end == hit.first + 1;
            let from = if glued && name.word(hit.end) == "-" {
                hit.first
            } else {
                hit.end
            };
            same.then(|| number::read(name, from, name.tokens.len()))
                .flatten()
        });
        let alone = || {
            number::read(name, 0, name.tokens.len()).filter(|hit| {
                hit.start == 0
                    && hit.end == name.text.trim_end().len()
                    && hit.text.contains('-')
                    && hit.text.chars().filter(|c| c.is_alphabetic()).count() <= NAME_LETTERS_MAX
                    && hit.text.contains(char::is_alphabetic)
            })
        };
        behind
            .or_else(alone)
            .filter(|hit| {
                hit.text.chars().filter(char::is_ascii_digit).count() >= 2
                    && !is_dated(hit, name, self.rules)
            })
            .map(|hit| hit.text)
    }

    /// Puts together what the sources say: the first that knows a field well gives it.
    fn assemble(
        &self,
        kind: DocumentKind,
        mut sum: Sum,
        sources: [Fields; 3],
        by_name: Option<String>,
        script: Option<&str>,
        attachment: Option<&str>,
    ) -> FoundDocument {
        let number = best_ranked(sources.iter().map(|fields| fields.number.as_ref()));
        // A file's name is surer than a number that no label of the paper's own stands before.
        let number = match (number, by_name) {
            (Some(number), Some(by_name)) if number.rank < RANK_NAME => Some(by_name),
            (Some(number), _) => Some(number.value.clone()),
            (None, by_name) => by_name,
        };
        let ranked_amount = sources
            .iter()
            .find_map(|fields| {
                fields
                    .amount
                    .as_ref()
                    .filter(|amount| amount.rank >= RANK_OWN)
            })
            .or_else(|| best_ranked(sources.iter().map(|fields| fields.amount.as_ref())));
        let tax = Tax::of(
            &sources,
            ranked_amount.map(|amount| (amount.value.0, amount.rank)),
        );
        let (amount, currency): (Option<Decimal>, Option<String>) = match ranked_amount {
            Some(Ranked {
                value: (value, currency),
                ..
            }) => (Some(*value), currency.clone()),
            None => (None, None),
        };
        let currency = currency.or_else(|| {
            amount?;
            sources
                .iter()
                .find_map(|fields| fields.currency.clone())
                .or_else(|| script.map(str::to_owned))
        });
        let issued = best_ranked(sources.iter().map(|fields| fields.issued.as_ref()))
            .map(|issued| issued.value);
        let from = issued.or(self.sent_on);
        let day = |when: &Ranked<When>| when.value.on_or_after(from);
        let due = sources.iter().find_map(|fields| {
            fields
                .due
                .as_ref()
                .and_then(day)
                .or_else(|| term_end(from?, fields.term.as_ref()?.value))
        });
        let valid_until = sources
            .iter()
            .find_map(|fields| fields.valid_until.as_ref().and_then(day));
        let (due, valid_until) = match kind {
            DocumentKind::Invoice => (due.or(valid_until), None),
            DocumentKind::Offer => (None, valid_until),
        };
        let distance = sum.score - self.rules.weights.threshold;
        let party = |of: fn(&Parties) -> &Option<String>| {
            sources
                .iter()
                .find_map(|fields| of(&fields.parties).clone())
        };
        sum.evidence
            .sort_by(|a, b| b.weight.abs().total_cmp(&a.weight.abs()));
        FoundDocument {
            kind,
            number,
            amount,
            currency,
            issued,
            due,
            valid_until,
            vat: tax.vat,
            vat_rates: tax.rates,
            net: tax.net,
            payer: party(|parties| &parties.payer),
            payer_tax_id: party(|parties| &parties.payer_tax_id),
            seller_tax_id: party(|parties| &parties.seller_tax_id),
            bank_reference: party(|parties| &parties.bank_reference),
            attachment: attachment.map(str::to_owned),
            confidence: CONFIDENCE_EXACT / (1.0 + (-distance * CONFIDENCE_SLOPE).exp()),
            evidence: sum.evidence,
        }
    }
}

/// Tax in a total, as far as what is named fits together.
#[derive(Default)]
struct Tax {
    vat: Option<Decimal>,
    net: Option<Decimal>,
    rates: Vec<Decimal>,
}

impl Tax {
    /// Of the first text that names any, beside the total and its rank.
    fn of(sources: &[Fields], total: Option<(Decimal, u8)>) -> Self {
        let named = |fields: &&Fields| {
            !fields.vats.is_empty() || !fields.vat_rates.is_empty() || fields.net.is_some()
        };
        let (Some(fields), Some((total, rank))) = (sources.iter().find(named), total) else {
            return Self::default();
        };
        let sum: Decimal = fields.vats.iter().copied().sum();
        let left = fields
            .net
            .map(|net| total - net)
            .filter(|left| left.is_sign_positive() && !left.is_zero());
        let most = fields.vats.iter().copied().max();
        // Tax that is named counts where it fits; of several rates the sum may.
        let vat = match (left, most) {
            (Some(left), Some(_)) if fields.vats.contains(&left) || sum == left => Some(left),
            (_, Some(most)) => Some(most),
            (_, None) => None,
        };
        let vat = vat.filter(|vat| *vat < total * SHARE_MAX);
        let net = match (fields.net, vat) {
            (Some(net), Some(vat)) if net + vat == total => Some(net),
            // A subtotal may be before a discount, or have its tax in it.
            (Some(net), None) if net < total => Some(net),
            (_, Some(vat)) if rank >= RANK_WITH_TAX => Some(total - vat),
            (_, _) => None,
        };
        Self {
            vat,
            net,
            rates: fields.vat_rates.clone(),
        }
    }
}

fn is_dated(hit: &number::NumberHit, name: &Page, rules: &DocumentRules) -> bool {
    let first = name.token_at(hit.start);
    super::date::find(name, &rules.months, false)
        .iter()
        .any(|date| date.first == first)
}

fn best_ranked<'f, T>(
    candidates: impl Iterator<Item = Option<&'f Ranked<T>>>,
) -> Option<&'f Ranked<T>> {
    candidates
        .flatten()
        .fold(None, |best: Option<&Ranked<T>>, next| match best {
            Some(before) if before.rank >= next.rank => Some(before),
            Some(_) | None => Some(next),
        })
}

/// The subject without `Re:`, `Fwd:`, `Отв:`, and whether it had one that answers.
fn without_prefixes(subject: &str, rules: &DocumentRules) -> (String, bool) {
    let mut rest = subject.trim();
    let mut is_reply = false;
    'again: loop {
        let low = folded(rest);
        for prefix in &rules.reply_prefixes {
            if low.starts_with(prefix.as_str()) {
                is_reply = true;
                rest = rest
                    .chars()
                    .count()
                    .checked_sub(prefix.chars().count())
                    .map_or("", |left| {
                        let skip = rest.chars().count() - left;
                        rest.char_indices()
                            .nth(skip)
                            .map_or("", |(at, _)| &rest[at..])
                    });
                rest = rest.trim_start();
                continue 'again;
            }
        }
        return (rest.to_owned(), is_reply);
    }
}
