//! Fields of one text: labels are found, then the value that belongs to each.
//!
//! A value stands behind its label in the same cell, else in the next cells of the line, else in the
//! cell below. Of several labels of one field the highest rank wins; labels of other things
//! (an order's number, a subtotal) take their values away from ours.
//! **Absent:** any decision whether the text is a document; that is [`super::find`].

use std::collections::BTreeSet;

use jiff::ToSpan;
use jiff::civil::{Date, Weekday};
use rust_decimal::Decimal;

use super::DocumentKind;
use super::amount::{self, Money};
use super::date::{self, DateHit, When};
use super::number::{self, NumberHit};
use super::parties::{self, Parties};
use super::phrase::{Hit, longest};
use super::rules::{AmountPart, DocumentRules, LabelField, TermUnit};
use super::text::Page;

/// Labels of one text looked at; a long price list has some hundreds.
const LABELS_MAX: usize = 3000;
/// Mere names of the paper passed over while looking for the next label.
const STOPS_MAX: usize = 32;
/// Cells of one line looked at for a value below or a table's head.
const CELLS_MAX: usize = 100;
/// Lines below a label in which its value is looked for.
const LINES_BELOW_MAX: usize = 2;
/// Columns by which a value below may stand aside of its label.
const COLUMNS_ASIDE_MAX: usize = 3;
/// Columns by which cells of one column of a table may lie apart.
const COLUMNS_OF_A_ROW_MAX: i64 = 20;
/// Tokens between a label and its date in prose.
const DATE_TOKENS_MAX: usize = 14;
/// Tokens between a label and its amount in prose.
const AMOUNT_TOKENS_MAX: usize = 24;
/// Tokens between a number and the date that belongs to it.
const NUMBER_DATE_TOKENS_MAX: usize = 4;
/// From this rank a label's amount may be a bare number, and stand below it.
const RANK_SURE: u8 = 60;
/// Rank lost by an amount that nothing but its label marks as money.
const RANK_LOSS_BARE: u8 = 35;
/// Rank of an amount that no label names.
const RANK_UNLABELLED: u8 = 5;
/// Rank of a date next to the number: "№ 5 от 12.03.2026".
const RANK_DATE_BY_NUMBER: u8 = 80;
/// Lines at the top where a bare date is the date of issue.
const TITLE_LINES: usize = 15;
/// Taxes and rates of one text kept.
const VATS_MAX: usize = 8;
/// Tokens from a tax's name on in which its rate stands.
const RATE_TOKENS_MAX: usize = 12;
/// Digits of a number that stands in a cell of its own beside a mere title.
const NEXT_CELL_DIGITS_MIN: usize = 3;
/// Tokens looked at on either side of a day or a term for words about a discount.
const CLAUSE_TOKENS_MAX: usize = 16;
/// No value added tax is higher, in percent.
const RATE_MAX: u32 = 30;
/// Longest payment term, in its unit.
const TERM_MAX: u32 = 400;

/// A value with the rank of its label and the label's rule.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Ranked<T> {
    pub value: T,
    pub rank: u8,
    pub rule: String,
}

/// What one text holds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fields {
    pub number: Option<Ranked<String>>,
    /// The kind that the number's label names.
    pub number_kind: Option<DocumentKind>,
    pub amount: Option<Ranked<(Decimal, Option<String>)>>,
    pub currency: Option<String>,
    pub issued: Option<Ranked<Date>>,
    pub due: Option<Ranked<When>>,
    pub term: Option<Ranked<(TermUnit, u32)>>,
    pub valid_until: Option<Ranked<When>>,
    /// Taxes that are named, each amount once.
    pub vats: Vec<Decimal>,
    /// Rates of tax, each once.
    pub vat_rates: Vec<Decimal>,
    /// The total without tax.
    pub net: Option<Decimal>,
    pub parties: Parties,
}

/// A range of tokens where a value may stand.
type Region = (usize, usize);

struct Reader<'a> {
    page: &'a Page,
    rules: &'a DocumentRules,
    labels: Vec<Hit<usize>>,
    dates: Vec<DateHit>,
    money: Vec<Money>,
    kind: Option<DocumentKind>,
    month_first: bool,
}

/// Reads all fields. `kind` prefers labels of that kind and leaves those of the other.
pub(crate) fn read(page: &Page, rules: &DocumentRules, kind: Option<DocumentKind>) -> Fields {
    let order_unknown = date::find(page, &rules.months, false);
    let mut money = amount::find(page, &rules.money, &order_unknown);
    amount::settle_signs(page, &rules.money, &mut money);
    let currency = amount::prevailing(page, &rules.money, &money);
    let month_first = currency.is_some_and(|index| rules.money.currencies[index].month_first);
    let dates = if month_first {
        date::find(page, &rules.months, true)
    } else {
        order_unknown
    };
    let mut labels = rules.label_phrases.find(page);
    // A label that runs over cells is two labels; it must not hide the one it starts with.
    labels.retain(|hit| {
        let rule = &rules.labels[hit.value];
        let cell = page.tokens[hit.first].cell;
        let is_other = matches!(rule.field, LabelField::Other | LabelField::OtherAmount);
        cell == page.tokens[hit.end - 1].cell
            && !page.is_part_of_name(hit.first, hit.end)
            && !(is_other && page.begins_identifier(hit.end))
            && (!rule.begins_cell || page.cells[cell].tokens.0 == hit.first)
    });
    let mut labels = longest(labels);
    labels.truncate(LABELS_MAX);
    let reader = Reader {
        page,
        rules,
        labels,
        dates,
        money,
        kind,
        month_first,
    };
    let mut fields = Fields {
        currency: currency.map(|index| rules.money.currencies[index].code.clone()),
        ..Fields::default()
    };
    reader.numbers(&mut fields);
    reader.amounts(&mut fields);
    reader.dates(&mut fields);
    reader.terms(&mut fields);
    reader.parts(&mut fields);
    fields.parties = parties::read(page, rules);
    fields
}

impl Reader<'_> {
    fn fits(&self, kind: Option<DocumentKind>) -> bool {
        kind.is_none() || self.kind.is_none() || kind == self.kind
    }

    fn blank(&self, (from, to): Region) -> bool {
        (from..to).all(|index| {
            self.page
                .word(index)
                .chars()
                .all(|c| !c.is_alphanumeric() && c != '¥' && c != '$')
        })
    }

    fn label_in(&self, from: usize, to: usize) -> Option<&Hit<usize>> {
        let at = self.labels.partition_point(|label| label.first < from);
        self.labels.get(at).filter(|label| label.first < to)
    }

    /// The next label that takes what follows for itself; the paper's mere name does not:
    /// "to pay by this invoice: 100".
    fn stop_in(&self, from: usize, to: usize) -> Option<&Hit<usize>> {
        let at = self.labels.partition_point(|label| label.first < from);
        self.labels[at..]
            .iter()
            .take_while(|label| label.first < to)
            .take(STOPS_MAX)
            .find(|label| {
                let rule = &self.rules.labels[label.value];
                rule.field != LabelField::Number || rule.rank >= RANK_SURE
            })
    }

    /// Where the label's value may stand, nearest first; `below` allows the lines below.
    fn regions(&self, label: &Hit<usize>, below: bool) -> Vec<Region> {
        let page = self.page;
        let cell_index = page.tokens[label.first].cell;
        let cell = page.cells[cell_index];
        let line = page.lines[cell.line];
        let end = self
            .stop_in(label.end, cell.tokens.1)
            .map_or(cell.tokens.1, |next| next.first);
        let mut regions = vec![(label.end, end)];
        if end < cell.tokens.1
            && !self.is_joint(label.end, cell.tokens.1)
            && !self.is_qualified(end, cell.tokens.1)
        {
            return regions;
        }
        let after = (page
            .cells
            .get(cell_index + 1)
            .filter(|_| cell_index + 1 < line.1))
        .map(|next| {
            let last = page.cells[line.1 - 1].tokens.1;
            let stop = self
                .stop_in(next.tokens.0, last)
                .map_or(last, |label| label.first);
            (next.tokens.0, stop)
        });
        if let Some(region) = after.filter(|(from, to)| from < to) {
            regions.push(region);
        }
        if below && self.blank(regions[0]) || self.is_joint(label.end, cell.tokens.1) {
            regions.extend(self.below(cell_index));
        }
        regions
    }

    /// Whether a cell ends with words that say what is in a total: "Total, EUR incl. VAT".
    fn is_qualified(&self, stop: usize, to: usize) -> bool {
        let page = self.page;
        let before = (stop.saturating_sub(2)..stop)
            .rev()
            .find(|index| page.word(*index) != ".");
        let tax = self.label_in(stop, to).is_some_and(|label| {
            self.rules.labels[label.value].part == Some(AmountPart::Vat)
                && self.blank((label.end, to))
        });
        tax && before.is_some_and(|index| {
            let word = page.word(index);
            self.rules.with_words.iter().any(|with| with == word)
        })
    }

    /// Whether a cell goes on with "/" and another label: "Number / Date" stands before "15 / 12.03.2026".
    fn is_joint(&self, from: usize, to: usize) -> bool {
        let page = self.page;
        let next = (from..to).find(|index| !matches!(page.word(*index), "." | ":"));
        let Some(sign) = next.filter(|index| matches!(page.word(*index), "/" | "&")) else {
            return false;
        };
        self.label_in(sign + 1, to)
            .is_some_and(|second| second.first == sign + 1 && self.blank((second.end, to)))
    }

    /// The first cell under a cell, unless it is a label itself.
    fn below(&self, cell_index: usize) -> Option<Region> {
        let page = self.page;
        let cell = page.cells[cell_index];
        let own = page.lines[cell.line];
        let alone = own.1 - own.0 == 1;
        let lines = page
            .lines
            .iter()
            .skip(cell.line + 1)
            .filter(|(first, end)| first < end)
            .take(LINES_BELOW_MAX);
        for (first, end) in lines {
            let here = &page.cells[*first..*end];
            let beside = (cell_index - own.0, own.1 - own.0);
            // A line of as many cells is the next row of the same table.
            let ordinal = (beside.1 >= 2 && end - first == beside.1)
                .then(|| here.get(beside.0))
                .flatten()
                .filter(|under| overlap(under.columns, cell.columns) >= -COLUMNS_OF_A_ROW_MAX);
            let under = ordinal.or_else(|| {
                here.iter()
                    .take(CELLS_MAX)
                    .filter(|under| {
                        alone && end - first == 1
                            || under.columns.0 < cell.columns.1 + COLUMNS_ASIDE_MAX
                                && under.columns.1 + COLUMNS_ASIDE_MAX > cell.columns.0
                    })
                    // Of several the one that lies under most of the label.
                    .min_by_key(|under| std::cmp::Reverse(overlap(under.columns, cell.columns)))
            });
            if let Some(under) = under {
                let (from, to) = under.tokens;
                let stop = self.label_in(from, to).map_or(to, |label| label.first);
                return (from < stop).then_some((from, stop));
            }
        }
        None
    }

    /// Whether a label fills its cell in a line with other labels.
    fn is_table_head(&self, label: &Hit<usize>) -> bool {
        let cell = self.page.cells[self.page.tokens[label.first].cell];
        let (first, end) = self.page.lines[cell.line];
        let fills = cell.tokens == (label.first, label.end);
        let others = self.page.cells[first..end]
            .iter()
            .take(CELLS_MAX)
            .filter(|other| self.label_in(other.tokens.0, other.tokens.1).is_some());
        fills && others.count() >= 2
    }

    fn numbers(&self, fields: &mut Fields) {
        let mut best: Option<(u8, NumberHit, usize)> = None;
        for label in &self.labels {
            let rule = &self.rules.labels[label.value];
            if rule.field != LabelField::Number || !self.fits(rule.kind) {
                continue;
            }
            if best.as_ref().is_some_and(|(rank, ..)| *rank >= rule.rank) {
                continue;
            }
            let regions = self.regions(label, true);
            for (index, (from, to)) in regions.iter().copied().enumerate() {
                // A sign that stands alone at the head of a table names a column of counts.
                if rule.begins_cell && index > 0 {
                    break;
                }
                let Some(mut hit) = number::read(self.page, from, to) else {
                    continue;
                };
                hit.marked |= rule.begins_cell;
                // Below a mere title only a number sign or a table's head makes it a number.
                let sure = index == 0
                    || rule.rank >= RANK_SURE
                    || hit.marked
                    || self.is_table_head(label)
                    || self.fills_neighbour(label, &hit);
                if sure && self.is_number(&hit, rule.rank) {
                    best = Some((rule.rank, hit, label.value));
                    break;
                }
            }
        }
        let Some((rank, hit, index)) = best else {
            return;
        };
        let token = self.page.token_at(hit.end);
        let beside = self.dates.iter().find(|date| {
            date.first >= token
                && date.first <= token + NUMBER_DATE_TOKENS_MAX
                && self.page.tokens[date.first].cell
                    == self.page.tokens[token.saturating_sub(1)].cell
        });
        if let Some(date) = beside
            && let Some(day) = date.when.day()
            && !self
                .labels
                .iter()
                .any(|label| (token..date.first).contains(&label.first))
        {
            fields.issued = Some(Ranked {
                value: day,
                rank: RANK_DATE_BY_NUMBER,
                rule: self.rules.labels[index].id.clone(),
            });
        }
        fields.number_kind = self.rules.labels[index].kind;
        fields.number = Some(Ranked {
            value: hit.text,
            rank,
            rule: self.rules.labels[index].id.clone(),
        });
    }

    /// Whether a number of some length and nothing else fills the cell right of a label, or the line below it.
    fn fills_neighbour(&self, label: &Hit<usize>, hit: &NumberHit) -> bool {
        let page = self.page;
        let own = page.tokens[label.first].cell;
        let Some(token) = page.tokens.get(page.token_at(hit.start)) else {
            return false;
        };
        let cell = page.cells[token.cell];
        let fills = page.tokens[cell.tokens.0].start == hit.start && cell.end == hit.end;
        let digits = hit.text.chars().filter(char::is_ascii_digit).count();
        let place = if cell.line == page.cells[own].line {
            token.cell == own + 1
        } else {
            // Below, only what no amount, telephone or postal code looks like.
            let line = page.lines[cell.line];
            line.1 - line.0 == 1 && hit.text.contains(char::is_alphabetic) && hit.text.contains('-')
        };
        fills && place && digits >= NEXT_CELL_DIGITS_MIN
    }

    /// A title's number must look like one; behind a plain label anything with a digit does.
    fn is_number(&self, hit: &NumberHit, rank: u8) -> bool {
        let first = self.page.token_at(hit.start);
        let date = self
            .dates
            .binary_search_by_key(&first, |date| date.first)
            .ok()
            .map(|index| &self.dates[index]);
        if date.is_some_and(|date| self.page.tokens[date.end - 1].end >= hit.end) && rank < 90 {
            return false;
        }
        let at = self.money.partition_point(|money| money.end <= hit.start);
        let money = self.money.get(at).filter(|money| money.start <= hit.start);
        if money.is_some_and(|money| money.currency.is_some() || money.formed && !hit.marked) {
            return false;
        }
        let digits = hit.text.chars().filter(char::is_ascii_digit).count();
        rank >= RANK_SURE
            || hit.marked
            || digits >= 3 && !is_year(&hit.text)
            || digits < hit.text.chars().count() && digits >= 2
    }

    fn amounts(&self, fields: &mut Fields) {
        let mut best: Option<(u8, Money, usize)> = None;
        for label in &self.labels {
            let rule = &self.rules.labels[label.value];
            if rule.field != LabelField::Amount || !self.fits(rule.kind) {
                continue;
            }
            for (from, to) in self.regions(label, rule.rank >= 80) {
                let to = to.min(from + AMOUNT_TOKENS_MAX);
                let Some(money) = self.largest(from, to, rule.rank >= RANK_SURE) else {
                    continue;
                };
                let rank = if money.is_marked() {
                    rule.rank
                } else {
                    rule.rank.saturating_sub(RANK_LOSS_BARE)
                };
                if best
                    .as_ref()
                    .is_none_or(|(before, most, _)| (rank, money.value) > (*before, most.value))
                {
                    best = Some((rank, money, label.value));
                }
                break;
            }
        }
        let (rank, money, rule) = match best {
            Some((rank, money, index)) => (rank, money, self.rules.labels[index].id.clone()),
            None => match self.unlabelled() {
                Some(money) => (RANK_UNLABELLED, money, "unlabelled".to_owned()),
                None => return,
            },
        };
        let currency = money
            .currency
            .map(|index| self.rules.money.currencies[index].code.clone())
            .or_else(|| fields.currency.clone());
        fields.amount = Some(Ranked {
            value: (money.value, currency),
            rank,
            rule,
        });
    }

    /// The largest amount within tokens; of several, those with a currency or decimals count.
    fn largest(&self, from: usize, to: usize, bare_too: bool) -> Option<Money> {
        let (first, last) = (
            self.page.tokens.get(from)?.start,
            self.page.tokens.get(to.checked_sub(1)?)?.end,
        );
        let at = self.money.partition_point(|money| money.end <= first);
        let here = self.money[at..]
            .iter()
            .take_while(|money| money.start < last);
        let all: Vec<&Money> = here
            .filter(|money| money.is_marked() || bare_too && !money.counted)
            .collect();
        let with_currency = all.iter().any(|money| money.currency.is_some());
        let with_mark = all.iter().any(|money| money.is_marked());
        all.into_iter()
            .filter(|money| {
                if with_currency {
                    money.currency.is_some()
                } else {
                    money.is_marked() || !with_mark
                }
            })
            .max_by(|a, b| a.value.cmp(&b.value))
            .copied()
    }

    /// The only amount with a currency that no label takes away.
    fn unlabelled(&self) -> Option<Money> {
        let mut found: Option<Money> = None;
        for money in self.money.iter().filter(|money| money.currency.is_some()) {
            let token = self.page.token_at(money.start);
            if self.is_taken(token) {
                continue;
            }
            match found {
                Some(before) if before.value != money.value => return None,
                Some(_) => {}
                None => found = Some(*money),
            }
        }
        found
    }

    /// Whether the nearest label before a token in its cell is one of other things.
    fn is_taken(&self, token: usize) -> bool {
        let Some(cell) = self.page.tokens.get(token).map(|token| token.cell) else {
            return true;
        };
        let at = self.labels.partition_point(|label| label.first < token);
        let Some(label) = at.checked_sub(1).and_then(|index| self.labels.get(index)) else {
            return false;
        };
        self.page.tokens[label.first].cell == cell
            && matches!(
                self.rules.labels[label.value].field,
                LabelField::OtherAmount | LabelField::Other
            )
    }

    /// Tax and what is left without it.
    fn parts(&self, fields: &mut Fields) {
        for label in &self.labels {
            let Some(part) = self.rules.labels[label.value].part else {
                continue;
            };
            let regions = self.regions(label, false);
            if part == AmountPart::Vat {
                let end = regions.last().map_or(label.end, |(_, to)| *to);
                self.rates(label.first, end, &mut fields.vat_rates);
            }
            let found = regions.iter().find_map(|(from, to)| {
                self.largest(*from, (*to).min(from + AMOUNT_TOKENS_MAX), false)
            });
            let Some(value) = found.map(|money| money.value) else {
                continue;
            };
            match part {
                AmountPart::Vat => {
                    if fields.vats.len() < VATS_MAX && !fields.vats.contains(&value) {
                        fields.vats.push(value);
                    }
                }
                AmountPart::Net => fields.net = fields.net.max(Some(value)),
            }
        }
    }

    /// `20%` among tokens.
    fn rates(&self, from: usize, to: usize, rates: &mut Vec<Decimal>) {
        for at in from..to.min(from + RATE_TOKENS_MAX) {
            let is_digits = self.page.word(at).bytes().all(|b| b.is_ascii_digit());
            if !is_digits || self.page.word(at + 1) != "%" {
                continue;
            }
            let rate = self.page.word(at).parse::<u32>().ok();
            if let Some(rate) = rate
                .filter(|rate| (1..=RATE_MAX).contains(rate))
                .map(Decimal::from)
                && rates.len() < VATS_MAX
                && !rates.contains(&rate)
            {
                rates.push(rate);
            }
        }
    }

    fn date_in(&self, (from, to): Region) -> Option<&DateHit> {
        let at = self.dates.partition_point(|date| date.first < from);
        self.dates
            .get(at)
            .filter(|date| date.first < to.min(from + DATE_TOKENS_MAX))
    }

    fn dates(&self, fields: &mut Fields) {
        let mut taken: BTreeSet<usize> = BTreeSet::new();
        for label in &self.labels {
            let rule = &self.rules.labels[label.value];
            if !matches!(
                rule.field,
                LabelField::Issued | LabelField::Due | LabelField::ValidUntil | LabelField::Other
            ) || !self.fits(rule.kind)
            {
                continue;
            }
            let regions = self.regions(label, true);
            let ranked = |when: When| {
                Some(Ranked {
                    value: when,
                    rank: rule.rank,
                    rule: rule.id.clone(),
                })
            };
            let found = regions
                .iter()
                .find_map(|region| self.date_in(*region))
                .filter(|date| rule.field != LabelField::Due || !self.is_of_discount(date.first));
            let Some(date) = found else {
                if rule.field == LabelField::Due
                    && fields.due.is_none()
                    && let Some(when) = regions.iter().find_map(|(from, to)| {
                        date::short(self.page, *from, *to, self.month_first).or_else(|| {
                            date::day_only(self.page, *from, *to, &self.rules.day_words)
                        })
                    })
                {
                    fields.due = ranked(when);
                }
                continue;
            };
            match rule.field {
                LabelField::Issued => {
                    if let Some(day) = date.when.day()
                        && fields
                            .issued
                            .as_ref()
                            .is_none_or(|before| before.rank < rule.rank)
                    {
                        fields.issued = Some(Ranked {
                            value: day,
                            rank: rule.rank,
                            rule: rule.id.clone(),
                        });
                    }
                }
                LabelField::Due => {
                    if fields
                        .due
                        .as_ref()
                        .is_none_or(|before| before.rank < rule.rank)
                    {
                        fields.due = ranked(date.when);
                    }
                }
                LabelField::ValidUntil => {
                    if fields.valid_until.is_none() {
                        fields.valid_until = ranked(date.when);
                    }
                }
                LabelField::Other
                | LabelField::Number
                | LabelField::Amount
                | LabelField::OtherAmount => {}
            }
            taken.insert(date.first);
        }
        if fields.issued.is_none() {
            let bare = self
                .dates
                .iter()
                .filter(|date| !taken.contains(&date.first))
                .find_map(|date| {
                    (self.page.tokens[date.first].line < TITLE_LINES)
                        .then(|| date.when.day())
                        .flatten()
                });
            fields.issued = bare.map(|value| Ranked {
                value,
                rank: RANK_UNLABELLED,
                rule: "unlabelled".to_owned(),
            });
        }
    }

    /// Whether the clause around a token speaks of a discount for paying early: "8 days 2 %, 30 days net".
    fn is_of_discount(&self, token: usize) -> bool {
        let page = self.page;
        let ends = |index: usize| {
            let word = page.word(index);
            matches!(word, "," | ";" | "!" | "?" | "。" | "、")
                || word == "." && !page.joined(index)
        };
        let line = page.tokens.get(token).map(|token| token.line);
        let here = |index: &usize| page.tokens.get(*index).map(|token| token.line) == line;
        let behind = (token..token + CLAUSE_TOKENS_MAX)
            .take_while(here)
            .take_while(|index| !ends(*index));
        let before = (token.saturating_sub(CLAUSE_TOKENS_MAX)..token)
            .rev()
            .take_while(here)
            .take_while(|index| !ends(*index));
        let mut around = behind.chain(before);
        around.any(|index| {
            let word = page.word(index);
            self.rules
                .discount_words
                .iter()
                .any(|stem| word.starts_with(stem.as_str()))
        })
    }

    fn terms(&self, fields: &mut Fields) {
        let payment = self.rules.payment_phrases.find(self.page);
        let lines: BTreeSet<usize> = payment
            .iter()
            .map(|word| self.page.tokens[word.first].line)
            .collect();
        for hit in longest(self.rules.term_phrases.find(self.page)) {
            let term = &self.rules.terms[hit.value];
            let line = self.page.tokens[hit.first].line;
            let beside = lines.contains(&line)
                || line
                    .checked_sub(1)
                    .is_some_and(|above| lines.contains(&above));
            if term.near_payment && !beside || self.is_of_discount(hit.first) {
                continue;
            }
            let Some(count) = hit.number.or(term.count).filter(|count| *count <= TERM_MAX) else {
                continue;
            };
            fields.term = Some(Ranked {
                value: (term.unit, count),
                rank: RANK_SURE,
                rule: term.id.clone(),
            });
            return;
        }
    }
}

/// Columns that two stretches share, less those between them.
fn overlap(a: (usize, usize), b: (usize, usize)) -> i64 {
    let (from, to) = (a.0.max(b.0), a.1.min(b.1));
    i64::try_from(to).unwrap_or(i64::MAX) - i64::try_from(from).unwrap_or(i64::MAX)
}

fn is_year(text: &str) -> bool {
    text.len() == 4 && (text.starts_with("19") || text.starts_with("20"))
}

/// The day a payment term ends, counted from the date of issue.
pub(crate) fn term_end(issued: Date, (unit, count): (TermUnit, u32)) -> Option<Date> {
    let steps = i64::from(count);
    match unit {
        TermUnit::Days => issued.checked_add(steps.days()).ok(),
        TermUnit::Weeks => issued.checked_add(steps.weeks()).ok(),
        TermUnit::Months => issued.checked_add(steps.months()).ok(),
        TermUnit::EndOfMonth => Some(issued.checked_add(steps.months()).ok()?.last_of_month()),
        TermUnit::WorkingDays => {
            let mut day = issued;
            let mut left = count;
            while left > 0 {
                day = day.tomorrow().ok()?;
                if !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday) {
                    left -= 1;
                }
            }
            Some(day)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn terms_end() {
        let friday = date(2026, 3, 13);
        assert_eq!(
            term_end(friday, (TermUnit::Days, 30)),
            Some(date(2026, 4, 12))
        );
        assert_eq!(
            term_end(friday, (TermUnit::WorkingDays, 5)),
            Some(date(2026, 3, 20))
        );
        assert_eq!(
            term_end(date(2026, 1, 31), (TermUnit::EndOfMonth, 1)),
            Some(date(2026, 2, 28))
        );
        assert_eq!(
            term_end(date(2026, 1, 31), (TermUnit::Months, 1)),
            Some(date(2026, 2, 28))
        );
        assert_eq!(term_end(Date::MAX, (TermUnit::Days, 1)), None);
    }
}
