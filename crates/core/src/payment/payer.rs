//! Whether a bank's name of a payer and a client's name are those of one company.
//!
//! Banks write names in capitals, cut, with legal forms before or behind, and in Japan in half-width kana. Names
//! are alike by their words; where two names share no alphabet nothing can be told, and nothing is.
//!
//! **Absent:** transliteration: `Romashka` and `Ромашка` may be one company or two.

use std::collections::BTreeSet;

/// Words of a name that are compared.
const WORDS_MAX: usize = 12;
/// Characters of a name that are looked at.
const CHARS_MAX: usize = 300;
/// Letters of a word that tells a company from another.
const TELLING_CHARS_MIN: usize = 4;
/// Of an ideographic name two signs are as much.
const TELLING_SIGNS_MIN: usize = 2;

/// How companies call what they are; a name is not told by it.
const FORMS: &[&str] = &[
    "ооо",
    "оао",
    "зао",
    "пао",
    "ао",
    "нао",
    "ип",
    "чп",
    "тоо",
    "нко",
    "ано",
    "фгуп",
    "муп",
    "гуп",
    "индивидуальный",
    "предприниматель",
    "общество",
    "ограниченной",
    "ответственностью",
    "с",
    "акционерное",
    "публичное",
    "закрытое",
    "открытое",
    "компания",
    "фирма",
    "филиал",
    "в",
    "г",
    "gmbh",
    "mbh",
    "co",
    "kg",
    "kgaa",
    "ag",
    "ug",
    "gbr",
    "ohg",
    "ek",
    "ev",
    "se",
    "und",
    "haftungsbeschraenkt",
    "haftungsbeschränkt",
    "ltd",
    "limited",
    "llc",
    "llp",
    "inc",
    "corp",
    "corporation",
    "company",
    "plc",
    "the",
    "sa",
    "sas",
    "sarl",
    "srl",
    "spa",
    "bv",
    "nv",
    "oy",
    "ab",
    "as",
    "aps",
    "and",
    "kk",
    "mr",
    "mrs",
    "ms",
    "herr",
    "frau",
    "firma",
];
/// The same, written without a blank before or behind.
const JAPANESE_FORMS: &[&str] = &[
    "株式会社",
    "有限会社",
    "合同会社",
    "合資会社",
    "一般社団法人",
    "一般財団法人",
    "(株)",
    "(有)",
    "(同)",
    "㈱",
    "㈲",
    "カ)",
    "(カ",
    "ユ)",
    "(ユ",
    "ド)",
    "(ド",
    "カブシキガイシャ",
];

/// What comparing two names tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Likeness {
    /// Their words are those of two.
    Unlike,
    /// Nothing can be told.
    Unknown,
    /// One is part of the other.
    Alike,
    /// Their words are the same.
    Same,
}

/// The alphabet of a word, as far as comparing needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Script {
    Latin,
    Cyrillic,
    Kana,
    Ideographs,
    Other,
}

fn script(word: &str) -> Script {
    let of = |c: char| match c {
        'a'..='z' | 'à'..='ÿ' | 'ā'..='ž' => Some(Script::Latin),
        'а'..='я' | 'ё' | 'і' | 'ї' | 'є' | 'ґ' => Some(Script::Cyrillic),
        'ぁ'..='ヿ' => Some(Script::Kana),
        '\u{4E00}'..='\u{9FFF}' => Some(Script::Ideographs),
        _no_letter => None,
    };
    let mut found = None;
    for script in word.chars().filter_map(of) {
        // A name of both is read by its ideographs.
        if script == Script::Ideographs || found.is_none() {
            found = Some(script);
        }
    }
    found.unwrap_or(Script::Other)
}

/// The words that tell a name.
fn words(name: &str) -> BTreeSet<String> {
    let head: String = name.chars().take(CHARS_MAX).collect();
    let mut text = super::number::plain(&head);
    for form in JAPANESE_FORMS {
        if text.contains(form) {
            text = text.replace(form, " ");
        }
    }
    text.split(|c: char| !c.is_alphanumeric() && c != 'ー')
        .filter(|word| !word.is_empty() && !FORMS.contains(word))
        .take(WORDS_MAX)
        .map(str::to_owned)
        .collect()
}

fn tells(word: &str) -> bool {
    let chars = word.chars().count();
    match script(word) {
        Script::Ideographs => chars >= TELLING_SIGNS_MIN,
        Script::Latin | Script::Cyrillic | Script::Kana => chars >= TELLING_CHARS_MIN,
        Script::Other => false,
    }
}

/// Compares a payer's name with a client's.
pub fn likeness(payer: &str, client: &str) -> Likeness {
    let (payer, client) = (words(payer), words(client));
    if payer.is_empty() || client.is_empty() {
        return Likeness::Unknown;
    }
    let telling = |words: &BTreeSet<String>| words.iter().any(|word| tells(word));
    if payer == client {
        return if telling(&payer) {
            Likeness::Same
        } else {
            Likeness::Alike
        };
    }
    if payer.intersection(&client).any(|word| tells(word)) {
        return Likeness::Alike;
    }
    // A bank cuts long names within a word.
    let cut = |one: &BTreeSet<String>, other: &BTreeSet<String>| {
        let long = |word: &&String| word.chars().count() >= 2 * TELLING_CHARS_MIN;
        one.iter()
            .filter(long)
            .any(|word| other.iter().any(|whole| whole.starts_with(word.as_str())))
    };
    if cut(&payer, &client) || cut(&client, &payer) {
        return Likeness::Alike;
    }
    let scripts = |words: &BTreeSet<String>| -> BTreeSet<Script> {
        let all = words.iter().filter(|word| tells(word));
        all.map(|word| script(word)).collect()
    };
    let (payer, client) = (scripts(&payer), scripts(&client));
    if payer.intersection(&client).next().is_none() {
        return Likeness::Unknown;
    }
    Likeness::Unlike
}

/// An account number or tax id as it is compared: letters and digits alone.
pub fn plain_id(text: &str) -> String {
    text.chars()
        .filter(|c| c.is_ascii_alphanumeric())
        .take(64)
        .map(|c| c.to_ascii_uppercase())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_one_company_are_told() {
        for (payer, client, expected) in [
            ("ООО \"РОМАШКА\"", "Ромашка", Likeness::Same),
            (
                "Общество с ограниченной ответственностью «Ромашка»",
                "ООО Ромашка",
                Likeness::Same,
            ),
            ("ИП Ёлкин Семён Петрович", "Семен Елкин", Likeness::Alike),
            (
                "MUELLER MASCHINENBAU GMBH + CO KG",
                "Mueller Maschinenbau",
                Likeness::Same,
            ),
            (
                "Müller Maschinenbau GmbH",
                "MÜLLER MASCHINENBAU",
                Likeness::Same,
            ),
            (
                "Northwind Traders Ltd",
                "Northwind Traders Limited",
                Likeness::Same,
            ),
            (
                "NORTHWIND TRADERS INTERNATI",
                "Northwind Traders International",
                Likeness::Alike,
            ),
            ("株式会社山田商事", "山田商事", Likeness::Same),
            ("ヤマダシヨウジ（カ", "山田商事", Likeness::Unknown),
            (
                "カ）ヤマダショウジ",
                "株式会社ヤマダショウジ",
                Likeness::Same,
            ),
            ("Romashka LLC", "ООО Ромашка", Likeness::Unknown),
            ("ООО Василёк", "ООО Ромашка", Likeness::Unlike),
            ("Contoso Ltd", "Northwind Traders", Likeness::Unlike),
            ("", "Northwind", Likeness::Unknown),
            ("ООО", "ООО Ромашка", Likeness::Unknown),
        ] {
            assert_eq!(likeness(payer, client), expected, "{payer} / {client}");
            assert_eq!(likeness(client, payer), expected, "{client} / {payer}");
        }
    }
}
