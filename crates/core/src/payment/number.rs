//! Which document numbers a payer's free text names.
//!
//! People write `Счёт № 123 от 01.10.2026`, `inv 2026 0042`, `請求書番号 2026-042`; beside it stand dates, sums,
//! tax, contracts and accounts, which are numbers too. What is found is a list of *places* of the text, each with the
//! keys that its number may be kept under, and whether a word beside it says that an invoice is meant.
//!
//! **Absent:** whether a document of that number exists.

use std::collections::BTreeSet;

use jiff::civil::Date;

/// Characters of a text that are looked at; banks carry some hundreds.
pub const TEXT_CHARS_MAX: usize = 2_000;
/// Numbers of a text that are told.
pub const PLACES_MAX: usize = 60;
/// Letters and digits of a number.
pub const KEY_CHARS_MAX: usize = 40;
/// Ordinary words between the word for an invoice and its number: "invoice for services no 12".
const WORDS_BETWEEN_MAX: usize = 2;

/// Words that say that the number beside them is an invoice's.
const INVOICE: &[&str] = &[
    "счет",
    "счета",
    "счету",
    "счетам",
    "счетов",
    "сч",
    "счф",
    "сф",
    "инвойс",
    "инвойсу",
    "накладная",
    "накладной",
    "упд",
    "invoice",
    "invoices",
    "inv",
    "bill",
    "bills",
    "rechnung",
    "rechnungen",
    "rechnungsnr",
    "rechnungsnummer",
    "rechn",
    "rg",
    "rgnr",
    "rnr",
    "re",
    "renr",
    "faktura",
    "facture",
    "factura",
    "fattura",
    "請求書",
    "請求書番号",
    "請求番号",
    "ご請求書",
    "御請求書",
    "請求",
    "請求書代",
    "請求書分",
];
/// Words that only lead on to the number.
const NEUTRAL: &[&str] = &[
    "№",
    "no",
    "nr",
    "n",
    "nº",
    "num",
    "number",
    "nummer",
    "номер",
    "ном",
    "от",
    "of",
    "from",
    "dated",
    "vom",
    "date",
    "по",
    "за",
    "for",
    "für",
    "на",
    "番号",
    "の",
    "договору-счету",
];
/// Signs and words that alone say that a number follows.
const SIGNS: &[&str] = &["№", "nr", "nº", "番号", "номер"];
/// Words whose number is something else.
const OTHER: &[&str] = &[
    "договор",
    "договору",
    "договора",
    "дог",
    "контракт",
    "контракту",
    "контракта",
    "contract",
    "vertrag",
    "order",
    "bestellung",
    "auftrag",
    "заказ",
    "заказу",
    "заказа",
    "po",
    "kundennummer",
    "kundennr",
    "kdnr",
    "kd",
    "customer",
    "client",
    "инн",
    "кпп",
    "бик",
    "огрн",
    "уин",
    "кбк",
    "октмо",
    "iban",
    "bic",
    "konto",
    "kto",
    "blz",
    "account",
    "acct",
    "телефон",
    "тел",
    "tel",
    "phone",
    "mandat",
    "mandatsref",
    "mref",
    "cred",
    "акт",
    "акту",
    "契約",
    "注文",
    "顧客番号",
    "お客様番号",
    "口座",
    "電話",
];
/// Words whose number is money.
const MONEY: &[&str] = &[
    "ндс",
    "сумма",
    "сумму",
    "сумме",
    "налог",
    "vat",
    "tax",
    "mwst",
    "ust",
    "mehrwertsteuer",
    "umsatzsteuer",
    "iva",
    "tva",
    "sum",
    "amount",
    "betrag",
    "total",
    "summe",
    "消費税",
    "税",
    "金額",
    "合計",
];
/// Words beside money; they do not end it.
const CURRENCY: &[&str] = &[
    "руб",
    "р",
    "рублей",
    "коп",
    "rub",
    "rur",
    "eur",
    "euro",
    "usd",
    "gbp",
    "chf",
    "jpy",
    "円",
    "税込",
    "税抜",
];
/// Words that join two numbers of one sort.
const LIST: &[&str] = &[
    "и",
    "and",
    "und",
    "et",
    "と",
    "及び",
    "および",
    "а",
    "также",
];
/// Words that take money's meaning away: "без НДС 2026-12".
const WITHOUT: &[&str] = &["без", "without", "ohne", "excl"];

/// A number of the text, as one of the forms that it may be kept in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mention {
    /// Letters and digits, in lower case.
    pub key: String,
    /// Which number of the text; several forms have one place.
    pub place: usize,
    /// A word beside it says that it is an invoice's.
    pub is_named: bool,
    /// A word beside it says that it is something else's.
    pub is_other: bool,
}

/// What numbers a text names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Numbers {
    /// All forms, in order of their places.
    pub mentions: Vec<Mention>,
    /// Dates beside them.
    pub dates: BTreeSet<Date>,
}

impl Numbers {
    /// Places that a word says an invoice of.
    pub fn named(&self) -> BTreeSet<usize> {
        let named = self.mentions.iter().filter(|one| one.is_named);
        named.map(|one| one.place).collect()
    }

    /// The keys by which documents are looked up, with and without zeroes before them.
    pub fn keys(&self) -> BTreeSet<String> {
        let all = self.mentions.iter().filter(|one| !one.is_other);
        all.flat_map(|one| {
            let short = one.key.trim_start_matches('0');
            [one.key.clone(), short.to_owned()]
        })
        .filter(|key| !key.is_empty())
        .collect()
    }
}

/// A text in one spelling: signs of double width as ordinary ones, lower case, `ё` as `е`.
pub(crate) fn plain(text: &str) -> String {
    let narrow = |c: char| match c {
        '\u{3000}' | '\u{a0}' | '\u{202f}' => ' ',
        '－' | '−' | '–' | '—' | '‐' | '‑' | 'ｰ' => '-',
        '＃' | '#' => '№',
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(u32::from(c) - 0xFF01 + 0x21).unwrap_or(c),
        c => c,
    };
    let text: String = text.chars().map(narrow).collect();
    text.to_lowercase().replace('ё', "е").replace('\u{301}', "")
}

/// The form in which numbers are compared: letters and digits alone, in lower case, and of letters that Cyrillic
/// and Latin share the Latin one.
pub fn key(number: &str) -> String {
    let same = |c: char| match c {
        'а' => 'a',
        'в' => 'b',
        'е' => 'e',
        'к' => 'k',
        'м' => 'm',
        'н' => 'h',
        'о' => 'o',
        'р' => 'p',
        'с' => 'c',
        'т' => 't',
        'у' => 'y',
        'х' => 'x',
        c => c,
    };
    let head: String = number.chars().take(4 * KEY_CHARS_MAX).collect();
    plain(&head)
        .chars()
        .filter(|c| c.is_alphanumeric())
        .take(KEY_CHARS_MAX)
        .map(same)
        .collect()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Letters,
    Digits,
    Mixed,
    /// Ideographs and kana, which stand beside digits without a blank.
    Signs,
}

/// What stands before a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Gap {
    /// Nothing.
    None,
    /// One sign that numbers are written with.
    Tight(char),
    /// Blanks.
    Blank,
    /// A sign that lists are written with.
    List,
    /// A comma between digits.
    Comma,
    /// A percent sign, a bracket, a colon.
    Other,
}

#[derive(Debug)]
struct Token {
    text: String,
    class: Class,
    gap: Gap,
    is_percent: bool,
}

impl Token {
    fn is(&self, words: &[&str]) -> bool {
        words.contains(&self.text.as_str())
    }

    fn has_digits(&self) -> bool {
        matches!(self.class, Class::Digits | Class::Mixed)
    }
}

fn class_of(c: char) -> Option<Class> {
    match c {
        '0'..='9' => Some(Class::Digits),
        '々' | 'ぁ'..='ヿ' | '\u{4E00}'..='\u{9FFF}' => Some(Class::Signs),
        c if c.is_alphabetic() => Some(Class::Letters),
        _neither => None,
    }
}

fn gap_of(between: &str) -> Gap {
    let mut chars = between.chars();
    match (chars.next(), chars.next()) {
        (None, _) => Gap::None,
        (Some(c @ ('-' | '/' | '.' | '_' | '\\')), None) => Gap::Tight(c),
        (Some(','), None) => Gap::Comma,
        _several => {
            let signs = between.trim();
            if signs.is_empty() {
                Gap::Blank
            } else if matches!(signs, "," | ";" | "&" | "+" | "、" | "・") {
                Gap::List
            } else {
                Gap::Other
            }
        }
    }
}

fn tokens(text: &str) -> Vec<Token> {
    let mut all: Vec<Token> = Vec::new();
    let mut between = String::new();
    for c in text.chars() {
        let is_sign = c == '№';
        let class = if is_sign {
            Some(Class::Letters)
        } else {
            class_of(c)
        };
        let Some(class) = class else {
            if c == '%'
                && between.is_empty()
                && let Some(last) = all.last_mut()
            {
                last.is_percent = true;
            }
            between.push(c);
            continue;
        };
        if let Some(last) = all.last_mut()
            && between.is_empty()
            && !is_sign
            && last.text != "№"
            && (last.class == Class::Signs) == (class == Class::Signs)
        {
            last.text.push(c);
            if last.class != class {
                last.class = Class::Mixed;
            }
            continue;
        }
        all.push(Token {
            text: c.to_string(),
            class,
            gap: gap_of(&between),
            is_percent: false,
        });
        between.clear();
    }
    all
}

/// A date of three numbers, as it is written here and there.
fn date(group: &[Token]) -> Option<Date> {
    let [first, second, third] = group else {
        return None;
    };
    let number = |token: &Token| -> Option<i16> {
        (token.class == Class::Digits && token.text.len() <= 4)
            .then(|| token.text.parse().ok())
            .flatten()
    };
    let (a, b, c) = (number(first)?, number(second)?, number(third)?);
    let short = |number: i16| i8::try_from(number).ok();
    let sign = match second.gap {
        Gap::Tight(sign) => sign,
        Gap::None | Gap::Blank | Gap::List | Gap::Comma | Gap::Other => return None,
    };
    let of = |year: i16, month: i16, day: i16| Date::new(year, short(month)?, short(day)?).ok();
    if first.text.len() == 4 {
        return of(a, b, c);
    }
    let year = match third.text.len() {
        4 => c,
        2 => 2000 + c,
        _other => return None,
    };
    if !(1990..=2100).contains(&year) || first.text.len() > 2 || second.text.len() > 2 {
        return None;
    }
    // Day first, but for what can only be month first.
    let day_first = of(year, b, a);
    if sign == '/' {
        day_first.or_else(|| of(year, a, b))
    } else {
        day_first
    }
}

/// Whether a group is money by its look: `1000-00`, `1000,00`, `234.56`.
fn is_money(group: &[Token]) -> bool {
    match group {
        [whole, part] => {
            let both = whole.class == Class::Digits && part.class == Class::Digits;
            let fits = match part.gap {
                Gap::Tight('.') | Gap::Comma => part.text.len() == 2,
                Gap::Tight('-' | '=') => part.text == "00",
                Gap::Tight(_) | Gap::None | Gap::Blank | Gap::List | Gap::Other => false,
            };
            both && fits && whole.text.len() <= 12
        }
        _other => false,
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Context {
    Nothing,
    Invoice { words: usize },
    Other { words: usize },
    Money,
}

impl Context {
    fn next_word(self) -> Self {
        match self {
            Self::Invoice { words } if words < WORDS_BETWEEN_MAX => {
                Self::Invoice { words: words + 1 }
            }
            Self::Other { words } if words < WORDS_BETWEEN_MAX => Self::Other { words: words + 1 },
            Self::Invoice { .. } | Self::Other { .. } | Self::Money | Self::Nothing => {
                Self::Nothing
            }
        }
    }

    fn of_word(self, word: &Token, before: Option<&Token>) -> Self {
        if word.is(INVOICE) {
            Self::Invoice { words: 0 }
        } else if word.is(OTHER) {
            Self::Other { words: 0 }
        } else if word.is(MONEY) {
            if before.is_some_and(|before| before.is(WITHOUT)) {
                Self::Nothing
            } else {
                Self::Money
            }
        } else if word.is(SIGNS) && self == Self::Nothing {
            Self::Invoice { words: 0 }
        } else if word.is(NEUTRAL) || word.is(LIST) || word.is(CURRENCY) {
            self
        } else if let Some(inner) = signs_within(word) {
            inner
        } else {
            self.next_word()
        }
    }
}

/// Words of ideographs run together: `御請求書番号`, `9月分請求書`.
fn signs_within(word: &Token) -> Option<Context> {
    if word.class != Class::Signs {
        return None;
    }
    let has = |words: &[&str]| {
        words
            .iter()
            .filter(|one| one.chars().count() > 1)
            .any(|one| word.text.contains(one))
    };
    if has(OTHER) {
        Some(Context::Other { words: 0 })
    } else if has(MONEY) {
        Some(Context::Money)
    } else if has(INVOICE) {
        Some(Context::Invoice { words: 0 })
    } else {
        None
    }
}

/// Finds the numbers of a text.
pub fn numbers(text: &str) -> Numbers {
    let head: String = text.chars().take(TEXT_CHARS_MAX).collect();
    let tokens = tokens(&plain(&head));
    let mut found = Numbers::default();
    let mut context = Context::Nothing;
    // The number before was an invoice's, and what stands between may be a list.
    let mut list = false;
    let mut place = 0;
    let mut at = 0;
    while at < tokens.len() {
        let end = group_end(&tokens, at);
        let group = &tokens[at..end];
        if !group.iter().any(Token::has_digits) {
            let word = &tokens[at];
            let before = at.checked_sub(1).and_then(|at| tokens.get(at));
            list &= word.is(LIST) || word.is(NEUTRAL) || word.is(INVOICE);
            context = context.of_word(word, before);
            at += 1;
            continue;
        }
        if let Some((used, date)) = japanese_date(&tokens, at) {
            found.dates.extend(date);
            at += used;
            continue;
        }
        if let Some(date) = date(group) {
            found.dates.insert(date);
            at = end;
            continue;
        }
        let next = tokens.get(end);
        let of_money = is_money(group)
            || group.iter().any(|token| token.is_percent)
            || (group.iter().all(|one| one.class == Class::Digits)
                && next.is_some_and(|next| next.is(CURRENCY) && next.gap != Gap::List))
            || (context == Context::Money && group.iter().all(|one| one.class == Class::Digits));
        if of_money || place == PLACES_MAX {
            at = end;
            continue;
        }
        // Words at its head are words: `сч.123`, `rechnung-nr.4711`.
        let mut heads = 0;
        for token in group {
            if token.has_digits() || heads + 1 == group.len() {
                break;
            }
            context = context.of_word(token, None);
            heads += 1;
        }
        let joined = list && matches!(tokens[at].gap, Gap::List | Gap::Comma | Gap::Blank);
        let is_named = matches!(context, Context::Invoice { .. }) || joined;
        let is_other = matches!(context, Context::Other { .. }) && !joined;
        let mut forms = BTreeSet::new();
        forms.insert(joined_text(group));
        let known = |token: &Token| token.is(INVOICE) || token.is(NEUTRAL);
        let bare = group
            .iter()
            .take(heads)
            .take_while(|one| known(one))
            .count();
        forms.insert(joined_text(&group[bare..]));
        // A word for an invoice grown together with its number: `inv0042`, `сч123`.
        forms.extend(without_word(&group[bare]));
        let before = at.checked_sub(1).and_then(|at| tokens.get(at));
        let after_end = match next {
            Some(next) if next.gap == Gap::Blank => group_end(&tokens, end),
            Some(_) | None => end,
        };
        let after = &tokens[end..after_end];
        let after_fits = after.iter().any(Token::has_digits) && date(after).is_none();
        if let Some(word) = before.filter(|word| {
            word.class == Class::Letters && matches!(tokens[at].gap, Gap::Blank | Gap::None)
        }) {
            let first = format!("{}{}", word.text, joined_text(group));
            if after_fits {
                forms.insert(format!("{first}{}", joined_text(after)));
            }
            forms.insert(first);
        }
        if after_fits {
            forms.insert(joined_text(group) + &joined_text(after));
        }
        for form in forms {
            let key = key(&form);
            let fits = form.chars().count() <= KEY_CHARS_MAX;
            if fits && key.bytes().any(|byte| byte.is_ascii_digit()) {
                found.mentions.push(Mention {
                    key,
                    place,
                    is_named,
                    is_other,
                });
            }
        }
        place += 1;
        list = is_named;
        context = Context::Nothing;
        at = end;
    }
    found
}

fn joined_text(group: &[Token]) -> String {
    let all = group.iter().map(|token| token.text.as_str());
    all.filter(|text| *text != "№").collect()
}

/// The number behind a word that it grew together with.
fn without_word(token: &Token) -> Option<String> {
    let digits = token.text.find(|c: char| c.is_ascii_digit())?;
    let (word, rest) = token.text.split_at(digits);
    (INVOICE.contains(&word) || NEUTRAL.contains(&word)).then(|| rest.to_owned())
}

/// Where the tokens end that are written as one number.
fn group_end(tokens: &[Token], at: usize) -> usize {
    let mut end = at + 1;
    while let Some(next) = tokens.get(end) {
        let last = &tokens[end - 1];
        let digits = last.class == Class::Digits && next.class == Class::Digits;
        let goes_on = match next.gap {
            Gap::Tight(_) => true,
            // Money of two digits; what is longer is a list.
            Gap::Comma => digits && next.text.len() == 2 && end == at + 1,
            Gap::None | Gap::Blank | Gap::List | Gap::Other => false,
        };
        let same_alphabet = last.class != Class::Signs && next.class != Class::Signs;
        if !goes_on || !same_alphabet {
            break;
        }
        end += 1;
    }
    end
}

/// `2026年10月1日`, or a part of it: how many tokens, and the date where it is whole.
fn japanese_date(tokens: &[Token], at: usize) -> Option<(usize, Option<Date>)> {
    let number = |at: usize, marks: &[char]| -> Option<i16> {
        let (token, mark) = (tokens.get(at)?, tokens.get(at + 1)?);
        let fits =
            token.class == Class::Digits && mark.gap == Gap::None && mark.text.starts_with(marks);
        fits.then(|| token.text.parse().ok()).flatten()
    };
    if let Some(year) = number(at, &['年']) {
        let month = number(at + 2, &['月']);
        let day = number(at + 4, &['日']);
        return Some(match (month, day) {
            (Some(month), Some(day)) => {
                let part = |number: i16| i8::try_from(number).ok();
                let date = part(month)
                    .zip(part(day))
                    .and_then(|(month, day)| Date::new(year, month, day).ok());
                (5, date)
            }
            (Some(_), None) => (3, None),
            (None, _) => (1, None),
        });
    }
    // The word behind it may go on: `10月分請求書`.
    number(at, &['月', '日']).map(|_| (1, None))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The forms of each number that a word names.
    fn named(text: &str) -> Vec<BTreeSet<String>> {
        let found = numbers(text);
        let of_place = |place: usize| -> BTreeSet<String> {
            let forms = found.mentions.iter().filter(|one| one.place == place);
            forms.map(|one| one.key.clone()).collect()
        };
        found.named().into_iter().map(of_place).collect()
    }

    #[test]
    fn numbers_beside_a_word_are_named() {
        for (text, expected) in [
            (
                "Оплата по счёту № 123 от 01.10.2026, в т.ч. НДС 20% - 1000-00",
                &["123"][..],
            ),
            ("Оплата по счету 77 от 1.9.2026 за услуги. Без НДС", &["77"]),
            ("сч.№45 от 03.10.26", &["45"]),
            ("Счет на оплату № 1017", &["1017"]),
            (
                "по счетам №101, 102 и 105 от 01.10.2026",
                &["101", "102", "105"],
            ),
            ("Invoice INV-2026/0042", &["inv20260042"]),
            ("payment for invoice no. 4711", &["4711"]),
            ("Rechnung Nr. 2026-118 vom 03.10.2026", &["2026118"]),
            ("RECHNUNGSNR: 4711 KD-NR: 12345", &["4711"]),
            ("RE 2026-118", &["2026118"]),
            ("請求書番号 2026-042", &["2026042"]),
            ("請求書２０２６－０４２　９月分", &["2026042"]),
            ("2026年10月1日付請求書No.88", &["88"]),
            ("Оплата по договору № 45 от 01.02.2026", &[]),
            ("в том числе НДС 20% 1000.00 руб", &[]),
            ("Kundennummer 998877", &[]),
            ("Сумма 12000-00", &[]),
        ] {
            let found = named(text);
            let fits = found.len() == expected.len()
                && found
                    .iter()
                    .zip(expected)
                    .all(|(forms, one)| forms.contains(*one));
            assert!(fits, "{text}: {found:?} instead of {expected:?}");
        }
    }

    #[test]
    fn numbers_without_a_word_are_told_in_the_forms_they_may_have() {
        let keys = numbers("inv 2026 0042").keys();
        assert!(keys.contains("inv20260042"), "{keys:?}");
        let keys = numbers("Aluguel ABC-77/3 thanks").keys();
        assert!(keys.contains("abc773"), "{keys:?}");
        let keys = numbers("оплата 000123").keys();
        assert!(keys.contains("123"), "{keys:?}");
        assert_eq!(numbers("НДС 20% - 1000-00").keys(), BTreeSet::new());
        assert_eq!(
            numbers("от 01.10.2026 und 2026-10-02, 10/03/2026, 2026年10月4日")
                .dates
                .len(),
            4
        );
    }

    #[test]
    fn lookalikes_are_one_letter() {
        assert_eq!(key("СЧ-12/А"), key("cЧ-12/a"));
        assert_eq!(key("№ 00-１２"), "0012");
    }

    proptest! {
        #[test]
        fn any_text_is_read_in_bounds(text in "\\PC{0,400}") {
            let found = numbers(&text);
            for one in &found.mentions {
                prop_assert!(one.place < PLACES_MAX);
                prop_assert!(one.key.chars().count() <= KEY_CHARS_MAX);
            }
        }

        #[test]
        fn a_named_number_is_found_in_any_dress(number in 100_u32..9_999_999, before in "[а-я ]{0,20}", double in any::<bool>()) {
            let digits: String = if double {
                number.to_string().chars().map(|c| char::from_u32(u32::from(c) + 0xFEE0).expect("a digit")).collect()
            } else {
                number.to_string()
            };
            let found = numbers(&format!("{before} счет № {digits} от 01.10.2026"));
            prop_assert!(found.mentions.iter().any(|one| one.is_named && one.key == number.to_string()));
        }
    }
}
