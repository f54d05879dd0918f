//! What the columns of a table probably mean: by their heads, in three languages, or by what stands below.
//!
//! A suggestion is a proposal to a person: [`Why`] says what it rests on. The words stand in
//! `assets/import/columns.toml`.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use relance_core::consent::About;
use relance_core::contact::Channel;

use super::COLUMNS_MAX;
use super::column::{Field, Kind, Target};
use super::value::{DateOrder, Decimal, narrow, number, when, yes_no};
use crate::address;

const COLUMNS: &str = include_str!("../../../../assets/import/columns.toml");

/// Characters of a trait's name.
pub const TRAIT_CHARS_MAX: usize = 64;
/// A column is of a sort when so many of its cells are, in hundredths.
const SHARE_MIN: usize = 80;

/// What a suggestion rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// The head is a known word.
    Head,
    /// The head holds a known word.
    PartOfHead,
    /// The values look like it.
    Values,
    /// Nothing: it becomes a trait under its own name.
    Name,
}

impl Why {
    /// A stable word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Head => "head",
            Self::PartOfHead => "part_of_head",
            Self::Values => "values",
            Self::Name => "name",
        }
    }
}

/// What one column probably means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suggestion {
    /// What it would become.
    pub target: Target,
    /// Why.
    pub why: Why,
}

/// What a cell looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// Nothing there.
    Empty,
    /// An e-mail address.
    Email,
    /// A telephone number.
    Phone,
    /// A day.
    Date,
    /// A day and a time.
    Moment,
    /// A number.
    Number,
    /// Yes or no.
    YesNo,
    /// Words.
    Words,
}

impl Look {
    /// Whether a head would not look so.
    pub const fn is_data(self) -> bool {
        match self {
            Self::Email | Self::Phone | Self::Date | Self::Moment | Self::Number => true,
            Self::Empty | Self::YesNo | Self::Words => false,
        }
    }
}

/// What a cell looks like.
pub fn look(text: &str) -> Look {
    let text = text.trim();
    if text.is_empty() {
        return Look::Empty;
    }
    if text.len() > 200 {
        return Look::Words;
    }
    if address::looks_like(text) {
        return Look::Email;
    }
    let is_bare = text
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'.');
    let is_date = !is_bare || text.matches('.').count() == 2;
    match when(text, DateOrder::DayFirst).or_else(|_| when(text, DateOrder::MonthFirst)) {
        Ok(_) if is_date && text.contains(':') => return Look::Moment,
        Ok(_) if is_date => return Look::Date,
        Ok(_) | Err(_) => {}
    }
    if is_phone(text) {
        return Look::Phone;
    }
    if yes_no(text).is_ok() {
        return Look::YesNo;
    }
    if number(text, Decimal::Comma).is_ok() || number(text, Decimal::Point).is_ok() {
        return Look::Number;
    }
    Look::Words
}

/// Ten digits or more, written as telephone numbers are.
fn is_phone(text: &str) -> bool {
    let text = narrow(text);
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    (10..=15).contains(&digits)
        && text.chars().all(|c| {
            c.is_ascii_digit() || matches!(c, '+' | '-' | '(' | ')' | ' ' | '\u{a0}' | '‐' | '−')
        })
        && text.starts_with(['+', '(', '8', '7', '0'])
}

struct Word {
    text: String,
    target: Target,
    /// Written without blanks between words, so it may stand anywhere in a head.
    is_joined: bool,
}

static WORDS: LazyLock<Vec<Word>> = LazyLock::new(|| read_words(COLUMNS));

fn read_words(text: &str) -> Vec<Word> {
    let mut words = Vec::new();
    let Ok(sections) = text.parse::<toml::Table>() else {
        return words;
    };
    for (name, languages) in &sections {
        let Some(target) = target_of(name) else {
            continue;
        };
        for (language, list) in languages.as_table().into_iter().flatten() {
            for word in list
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(toml::Value::as_str)
            {
                words.push(Word {
                    text: plain(word),
                    target: target.clone(),
                    is_joined: language == "ja" && !word.is_ascii(),
                });
            }
        }
    }
    // The longest first: "first name" before "name".
    words.sort_by_key(|word| std::cmp::Reverse(word.text.chars().count()));
    words
}

fn target_of(section: &str) -> Option<Target> {
    if let Some(channel) = section.strip_prefix("consent_") {
        let channel = Channel::from_word(channel)?;
        return Some(Target::Consent(About::Channel(channel)));
    }
    Field::from_word(section).map(Target::Field)
}

/// A head in lower case, its signs as single blanks, Japanese double width as ordinary.
fn plain(head: &str) -> String {
    let mut text = String::new();
    let mut blank = true;
    for c in narrow(head).chars().flat_map(char::to_lowercase).take(200) {
        let c = if c == 'ё' { 'е' } else { c };
        if c.is_alphanumeric() || c == 'ー' {
            text.push(c);
            blank = false;
        } else if !blank {
            text.push(' ');
            blank = true;
        }
    }
    text.truncate(text.trim_end().len());
    text
}

/// Whether a head is a word of the catalogue.
pub fn known_header(head: &str) -> bool {
    by_head(&plain(head)).is_some_and(|(_, why)| why == Why::Head)
}

fn by_head(head: &str) -> Option<(Target, Why)> {
    if head.is_empty() {
        return None;
    }
    if let Some(word) = WORDS.iter().find(|word| word.text == head) {
        return Some((word.target.clone(), Why::Head));
    }
    let padded = format!(" {head} ");
    let holds = |word: &&Word| {
        if word.is_joined {
            // One character stands in too many words.
            word.text.chars().count() > 1 && head.contains(word.text.as_str())
        } else {
            word.text.chars().count() > 2 && padded.contains(&format!(" {} ", word.text))
        }
    };
    WORDS
        .iter()
        .find(holds)
        .map(|word| (word.target.clone(), Why::PartOfHead))
}

/// The name of a trait for a column: letters, digits and `_`, in lower case.
pub fn trait_name(head: &str, at: usize) -> String {
    let name: String = plain(head)
        .replace(' ', "_")
        .chars()
        .take(TRAIT_CHARS_MAX)
        .collect();
    if name.is_empty() {
        format!("column_{}", at + 1)
    } else {
        name
    }
}

/// What each column probably means. A field is given to one column only: the one that is most like it.
pub fn suggest(heads: &[String], samples: &[Vec<String>]) -> Vec<Suggestion> {
    let heads: Vec<String> = heads
        .iter()
        .take(COLUMNS_MAX)
        .map(|head| plain(head))
        .collect();
    let looks: Vec<Option<Look>> = (0..heads.len()).map(|at| look_of(samples, at)).collect();
    let mut found: Vec<Option<Suggestion>> = vec![None; heads.len()];
    let mut taken: BTreeSet<Target> = BTreeSet::new();
    // Heads that are words come before heads that hold them, and these before values.
    for wanted in [Why::Head, Why::PartOfHead, Why::Values] {
        for (at, head) in heads.iter().enumerate() {
            if found[at].is_some() {
                continue;
            }
            let guess = match wanted {
                Why::Values => looks[at]
                    .and_then(by_look)
                    .map(|target| (target, Why::Values)),
                Why::Head | Why::PartOfHead | Why::Name => {
                    by_head(head).filter(|(_, why)| *why == wanted)
                }
            };
            if let Some((target, why)) = guess
                && fits(&target, looks[at])
                && taken.insert(target.clone())
            {
                found[at] = Some(Suggestion { target, why });
            }
        }
    }
    let mut names: BTreeSet<String> = Field::ALL
        .iter()
        .map(|field| field.word().to_owned())
        .collect();
    found
        .into_iter()
        .enumerate()
        .map(|(at, suggestion)| {
            suggestion.unwrap_or_else(|| {
                let kind = match looks[at] {
                    Some(Look::Date) => Kind::Date,
                    Some(Look::Moment) => Kind::Moment,
                    Some(Look::Number) => Kind::Number,
                    Some(Look::YesNo) => Kind::YesNo,
                    Some(Look::Empty | Look::Email | Look::Phone | Look::Words) | None => {
                        Kind::Text
                    }
                };
                let name = unused(&mut names, trait_name(&heads[at], at));
                Suggestion {
                    target: Target::Trait { name, kind },
                    why: Why::Name,
                }
            })
        })
        .collect()
}

fn unused(names: &mut BTreeSet<String>, name: String) -> String {
    let mut candidate = name.clone();
    let mut number = 2;
    while !names.insert(candidate.clone()) {
        candidate = format!("{name}_{number}");
        number += 1;
    }
    candidate
}

/// What most cells of a column look like; `None` when they differ or there are none.
fn look_of(samples: &[Vec<String>], at: usize) -> Option<Look> {
    let mut counts: Vec<(Look, usize)> = Vec::new();
    let mut filled = 0;
    for row in samples {
        let look = row.get(at).map_or(Look::Empty, |cell| look(cell));
        if look == Look::Empty {
            continue;
        }
        filled += 1;
        match counts.iter_mut().find(|(known, _)| *known == look) {
            Some((_, count)) => *count += 1,
            None => counts.push((look, 1)),
        }
    }
    // Zeros and ones among numbers are numbers, and bare days among moments are moments.
    for (weak, strong) in [(Look::YesNo, Look::Number), (Look::Date, Look::Moment)] {
        let has =
            |counts: &[(Look, usize)], look| counts.iter().position(|(known, _)| *known == look);
        if let (Some(from), Some(to)) = (has(&counts, weak), has(&counts, strong)) {
            counts[to].1 += counts[from].1;
        }
    }
    let (look, count) = counts.into_iter().max_by_key(|(_, count)| *count)?;
    (count * 100 >= filled * SHARE_MIN).then_some(look)
}

fn by_look(look: Look) -> Option<Target> {
    match look {
        Look::Email => Some(Target::Field(Field::Email)),
        Look::Phone => Some(Target::Field(Field::Phone)),
        Look::Empty | Look::Date | Look::Moment | Look::Number | Look::YesNo | Look::Words => None,
    }
}

/// Whether the values speak against what the head says: a column "contact" of addresses is no name.
fn fits(target: &Target, look: Option<Look>) -> bool {
    let Some(look) = look else { return true };
    match target {
        Target::Field(Field::Email) => look == Look::Email || look == Look::Words,
        Target::Field(Field::Phone) => look != Look::Email && look != Look::Words,
        Target::Field(Field::UserId) => look != Look::Email && look != Look::Date,
        Target::Field(Field::Birthday | Field::CreatedAt) => {
            matches!(look, Look::Date | Look::Moment | Look::Number)
        }
        Target::Field(Field::Owner) => look == Look::Email || look == Look::Words,
        Target::Field(
            Field::FirstName
            | Field::LastName
            | Field::Name
            | Field::Company
            | Field::Timezone
            | Field::Language
            | Field::Country
            | Field::Tags,
        ) => look == Look::Words || look == Look::YesNo,
        Target::Consent(_) => !look.is_data() || look == Look::Number,
        Target::Trait { .. } | Target::Skip => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(heads: &[&str], rows: &[&[&str]]) -> Vec<String> {
        let owned = |row: &[&str]| {
            row.iter()
                .map(|cell| (*cell).to_owned())
                .collect::<Vec<_>>()
        };
        let rows: Vec<Vec<String>> = rows.iter().map(|row| owned(row)).collect();
        suggest(&owned(heads), &rows)
            .into_iter()
            .map(|one| match one.target {
                Target::Skip => "-".to_owned(),
                Target::Field(field) => field.word().to_owned(),
                Target::Trait { name, kind } => format!("{name}:{}", kind.word()),
                Target::Consent(About::Channel(channel)) => format!("consent {}", channel.word()),
                Target::Consent(About::Topic(topic)) => format!("topic {topic}"),
            })
            .collect()
    }

    #[test]
    fn every_word_of_the_catalogue_is_read() {
        assert!(WORDS.len() > 200, "{}", WORDS.len());
        for word in &*WORDS {
            assert_eq!(plain(&word.text), word.text);
            assert!(known_header(&word.text), "{}", word.text);
        }
        let sections = COLUMNS.parse::<toml::Table>().unwrap();
        for (name, section) in &sections {
            assert!(target_of(name).is_some(), "{name}");
            assert_eq!(
                section.as_table().unwrap().len(),
                3,
                "{name} lacks a language"
            );
        }
        for field in Field::ALL {
            assert!(sections.contains_key(field.word()), "{}", field.word());
        }
    }

    #[test]
    fn heads_in_three_languages() {
        assert_eq!(
            table(
                &[
                    "Customer ID",
                    "First Name",
                    "Last Name",
                    "E-mail Address",
                    "Phone (mobile)",
                    "Accepts Marketing",
                    "Total Spent"
                ],
                &[&[
                    "7",
                    "Ana",
                    "Lee",
                    "a@b.test",
                    "+14155552671",
                    "yes",
                    "12.50"
                ]]
            ),
            [
                "user_id",
                "first_name",
                "last_name",
                "email",
                "phone",
                "consent email",
                "total_spent:number"
            ]
        );
        assert_eq!(
            table(
                &[
                    "ФИО",
                    "Эл. почта",
                    "Телефон",
                    "Дата рождения",
                    "Менеджер",
                    "Сумма заказов",
                    "Комментарий"
                ],
                &[&[
                    "Анна П.",
                    "a@b.test",
                    "8 912 345-67-89",
                    "02.03.1990",
                    "m@b.test",
                    "1 200,50",
                    "нет звонков"
                ]]
            ),
            [
                "name",
                "email",
                "phone",
                "birthday",
                "owner",
                "сумма_заказов:number",
                "комментарий:text"
            ]
        );
        assert_eq!(
            table(
                &[
                    "会員番号",
                    "姓",
                    "名",
                    "会社名",
                    "メールアドレス（必須）",
                    "電話番号",
                    "生年月日",
                    "メルマガ",
                    "備考"
                ],
                &[&[
                    "A1",
                    "山田",
                    "太郎",
                    "(株)山田",
                    "t@x.test",
                    "090-1234-5678",
                    "1990年1月2日",
                    "希望する",
                    ""
                ]]
            ),
            [
                "user_id",
                "last_name",
                "first_name",
                "company",
                "email",
                "phone",
                "birthday",
                "consent email",
                "備考:text"
            ]
        );
    }

    #[test]
    fn values_speak_where_heads_do_not() {
        assert_eq!(
            table(
                &["A", "B", "C", "D", "contact", ""],
                &[
                    &[
                        "a@b.test",
                        "+7 912 345-67-89",
                        "2026-01-02",
                        "1",
                        "x@y.test",
                        "1"
                    ],
                    &[
                        "c@b.test",
                        "+7 912 345-67-88",
                        "2026-01-03",
                        "12",
                        "z@y.test",
                        "0"
                    ],
                ]
            ),
            [
                "email",
                "phone",
                "c:date",
                "d:number",
                "contact:text",
                "column_6:yes_no"
            ]
        );
    }

    #[test]
    fn names_of_traits_are_unique() {
        assert_eq!(
            table(
                &["Note", "note", "E-mail", "Email"],
                &[&["one", "two", "a@b.test", "c@b.test"]]
            ),
            ["note:text", "note_2:text", "email", "email_2:text"]
        );
    }
}
