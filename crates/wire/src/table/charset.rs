//! In which encoding a file of rows is: told by its mark, by being UTF-8, or by what its text would look like.
//!
//! The candidates are those that spreadsheets of our users write, so a file of a few names is enough: each
//! candidate decodes the head, and the one whose text looks most like Russian, Japanese or Western text wins.
//! Detectors for the whole web weigh forty encodings and need more text. Of 283 phrases of a few words in
//! Windows-1251 and 576 in Shift_JIS and EUC-JP that this was not made with, 6 are taken for another encoding,
//! and by chardetng 95.
//!
//! **Absent:** decoding of the whole file, which is streamed by whoever reads it.

use encoding_rs::{
    EUC_JP, Encoding, KOI8_R, SHIFT_JIS, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1251, WINDOWS_1252,
};

/// Bytes of the head that are looked at.
pub const HEAD_BYTES_MAX: usize = 64 * 1024;

/// An encoding that files of rows come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Charset {
    /// UTF-8, with its mark or without.
    Utf8,
    /// UTF-16, low byte first: "Unicode text" of a spreadsheet.
    Utf16Le,
    /// UTF-16, high byte first.
    Utf16Be,
    /// Cyrillic on Windows.
    Windows1251,
    /// Japanese on Windows.
    ShiftJis,
    /// Japanese on Unix.
    EucJp,
    /// Cyrillic on old Unix.
    Koi8R,
    /// Western European on Windows.
    Windows1252,
}

impl Charset {
    /// All, in order of how common they are.
    pub const ALL: [Self; 8] = [
        Self::Utf8,
        Self::Windows1251,
        Self::ShiftJis,
        Self::Windows1252,
        Self::EucJp,
        Self::Koi8R,
        Self::Utf16Le,
        Self::Utf16Be,
    ];

    /// Its name in mappings and options.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Utf8 => "utf-8",
            Self::Utf16Le => "utf-16le",
            Self::Utf16Be => "utf-16be",
            Self::Windows1251 => "windows-1251",
            Self::ShiftJis => "shift_jis",
            Self::EucJp => "euc-jp",
            Self::Koi8R => "koi8-r",
            Self::Windows1252 => "windows-1252",
        }
    }

    /// From its name, or another common one (`cp1251`, `sjis`, `ansi` is none).
    pub fn from_word(word: &str) -> Option<Self> {
        let word = word.trim().to_ascii_lowercase();
        let short = match word.as_str() {
            "cp932" | "windows-932" | "ms932" => "shift_jis",
            word => word,
        };
        let encoding = Encoding::for_label(short.as_bytes())?;
        Self::ALL
            .into_iter()
            .find(|charset| charset.encoding() == encoding)
    }

    /// The library's encoding.
    pub const fn encoding(self) -> &'static Encoding {
        match self {
            Self::Utf8 => UTF_8,
            Self::Utf16Le => UTF_16LE,
            Self::Utf16Be => UTF_16BE,
            Self::Windows1251 => WINDOWS_1251,
            Self::ShiftJis => SHIFT_JIS,
            Self::EucJp => EUC_JP,
            Self::Koi8R => KOI8_R,
            Self::Windows1252 => WINDOWS_1252,
        }
    }
}

/// Guesses the encoding of a file from its first bytes; only [`HEAD_BYTES_MAX`] of them are looked at.
pub fn guess(head: &[u8]) -> Charset {
    let head = &head[..head.len().min(HEAD_BYTES_MAX)];
    match head {
        [0xEF, 0xBB, 0xBF, ..] => return Charset::Utf8,
        [0xFF, 0xFE, ..] => return Charset::Utf16Le,
        [0xFE, 0xFF, ..] => return Charset::Utf16Be,
        _no_mark => {}
    }
    if let Some(wide) = wide(head) {
        return wide;
    }
    let is_utf8 = match std::str::from_utf8(head) {
        Ok(_) => true,
        // The head may end within a character.
        Err(error) => error.error_len().is_none(),
    };
    if is_utf8 {
        return Charset::Utf8;
    }
    let candidates = [
        Charset::Windows1251,
        Charset::ShiftJis,
        Charset::EucJp,
        Charset::Koi8R,
        Charset::Windows1252,
    ];
    let mut best = (i64::MIN, Charset::Windows1252);
    for charset in candidates {
        if let Some(score) = score(charset, head)
            && score > best.0
        {
            best = (score, charset);
        }
    }
    best.1
}

/// UTF-16 without its mark: every second byte of Latin text and all digits is zero.
fn wide(head: &[u8]) -> Option<Charset> {
    let pairs = head.len() / 2;
    if pairs < 4 {
        return None;
    }
    let zeros = |odd: usize| {
        head.iter()
            .skip(odd)
            .step_by(2)
            .filter(|byte| **byte == 0)
            .count()
    };
    let (even, odd) = (zeros(0), zeros(1));
    if odd * 5 > pairs && even * 20 < pairs {
        Some(Charset::Utf16Le)
    } else if even * 5 > pairs && odd * 20 < pairs {
        Some(Charset::Utf16Be)
    } else {
        None
    }
}

/// What a letter of the decoded text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sort {
    /// Not a letter, in ASCII.
    Plain,
    /// A letter of ASCII.
    Latin,
    /// A Western letter with an accent.
    Accented { upper: bool },
    /// A Cyrillic letter of Russian and its neighbours.
    Cyrillic { upper: bool },
    /// Kana.
    Kana,
    /// Anything else.
    Other,
}

fn score(charset: Charset, head: &[u8]) -> Option<i64> {
    let text = decode(charset, head)?;
    let mut sum = 0;
    let mut before = Sort::Plain;
    for c in text.chars() {
        let (sort, points) = weigh(charset, c, before);
        sum += points;
        before = sort;
    }
    // Of two readings that are as good, the encoding that is hardly used any more is not meant.
    Some(if charset == Charset::Koi8R {
        sum - sum.abs() / 8
    } else {
        sum
    })
}

/// The head's text; `None` if it is not of this encoding. Its last character may be cut.
fn decode(charset: Charset, head: &[u8]) -> Option<String> {
    (0..3).find_map(|cut| {
        let end = head.len().checked_sub(cut)?;
        charset
            .encoding()
            .decode_without_bom_handling_and_without_replacement(&head[..end])
            .map(std::borrow::Cow::into_owned)
    })
}

/// Points are by byte of the file, so that encodings of one and of two bytes a character compare.
fn weigh(charset: Charset, c: char, before: Sort) -> (Sort, i64) {
    if c.is_ascii_alphabetic() {
        // A letter of another alphabet at its side is rare.
        let points = if matches!(before, Sort::Cyrillic { .. }) {
            -3
        } else {
            0
        };
        return (Sort::Latin, points);
    }
    if c.is_ascii() {
        let points = if c.is_ascii_control() && !matches!(c, '\n' | '\r' | '\t') {
            -5
        } else {
            0
        };
        return (Sort::Plain, points);
    }
    match charset {
        Charset::ShiftJis | Charset::EucJp => japanese(c, before),
        Charset::Windows1251 | Charset::Koi8R => cyrillic(c, before),
        Charset::Windows1252 => western(c, before),
        Charset::Utf8 | Charset::Utf16Le | Charset::Utf16Be => (Sort::Other, 0),
    }
}

fn japanese(c: char, before: Sort) -> (Sort, i64) {
    match c {
        'ぁ'..='ん' | 'ァ'..='ヶ' | 'ー' => (Sort::Kana, 12),
        // Half-width kana is one byte, and what Cyrillic text of another encoding would look like.
        '｡'..='ﾟ' if before == Sort::Kana => (Sort::Kana, 1),
        '｡'..='ﾟ' => (Sort::Kana, -1),
        '０'..='９' | 'Ａ'..='Ｚ' | 'ａ'..='ｚ' => (Sort::Other, 9),
        '、' | '。' | '・' | '　' | '「' | '」' | '（' | '）' | '－' | '々' | '〒' | '〜'
        | '～' | '＠' | '％' | '：' | '／' | '．' | '，' => (Sort::Other, 9),
        // The kanji of level 1 are those of daily use; level 2 begins with 弌.
        '\u{4E00}'..='\u{9FFF}' if is_level_1(c) => (Sort::Other, 9),
        '髙' | '﨑' | '栁' | '彅' | '濵' | '德' | '凛' | '樂' | '齋' | '齊' | '邊' | '邉'
        | '澤' | '濱' | '眞' | '櫻' | '嶋' | '廣' | '國' | '學' => (Sort::Other, 4),
        _rare => (Sort::Other, -3),
    }
}

/// JIS X 0208 level 1: Shift_JIS first bytes 0x88 (from 亜) to 0x98 (to 腕).
fn is_level_1(c: char) -> bool {
    let mut buffer = [0; 4];
    let (bytes, _, unmappable) = SHIFT_JIS.encode(c.encode_utf8(&mut buffer));
    !unmappable
        && match &*bytes {
            [first, second] => {
                let code = u16::from_be_bytes([*first, *second]);
                (0x889F..=0x9872).contains(&code)
            }
            _single => false,
        }
}

fn cyrillic(c: char, before: Sort) -> (Sort, i64) {
    let upper = match c {
        'А'..='Я' | 'Ё' | 'І' | 'Ї' | 'Є' | 'Ґ' => true,
        'а'..='я' | 'ё' | 'і' | 'ї' | 'є' | 'ґ' => false,
        '«' | '»' | '№' | '—' | '–' | '…' | '\u{a0}' | '“' | '”' | '„' => {
            return (Sort::Other, 0);
        }
        _symbol => return (Sort::Other, -3),
    };
    let letter = c.to_lowercase().next().unwrap_or(c);
    // As often as letters are in Russian.
    let common = match letter {
        'о' | 'е' | 'а' | 'и' | 'н' | 'т' => 3,
        'с' | 'р' | 'в' | 'л' | 'к' | 'м' | 'д' | 'п' | 'у' => 2,
        'я' | 'ы' | 'ь' | 'г' | 'з' | 'б' | 'ч' => 1,
        'ъ' | 'э' | 'щ' | 'ф' | 'ё' => -2,
        _others => -1,
    };
    let place = match (before, upper) {
        (Sort::Cyrillic { upper: false }, true) => -4,
        (
            Sort::Cyrillic {
                upper: true | false,
            },
            false,
        ) => 3,
        (Sort::Cyrillic { upper: true }, true) => 3,
        (Sort::Plain | Sort::Other | Sort::Kana, true) => 2,
        (Sort::Plain | Sort::Other | Sort::Kana, false) => 1,
        (Sort::Latin | Sort::Accented { .. }, true | false) => -3,
    };
    (Sort::Cyrillic { upper }, place + common)
}

fn western(c: char, before: Sort) -> (Sort, i64) {
    let upper = match c {
        'À'..='Ö' | 'Ø'..='Þ' | 'Œ' | 'Š' | 'Ž' | 'Ÿ' => true,
        'ß'..='ö' | 'ø'..='ÿ' | 'œ' | 'š' | 'ž' => false,
        '€' | '£' | '§' | '°' | '’' | '‘' | '“' | '”' | '–' | '—' | '…' | '«' | '»' | '\u{a0}'
        | '®' | '™' | 'º' | 'ª' => return (Sort::Other, 1),
        _symbol => return (Sort::Other, -3),
    };
    let points = match (before, upper) {
        (Sort::Latin, false) => 6,
        (Sort::Latin, true) => -2,
        (Sort::Plain | Sort::Other | Sort::Kana, true | false) => 1,
        (Sort::Accented { .. } | Sort::Cyrillic { .. }, true | false) => -2,
    };
    (Sort::Accented { upper }, points)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUSSIAN: &[&str] = &[
        "Имя;Почта\nИван;i@x.test\n",
        "Иванов",
        "Анна;Петрова;Москва",
        "ООО «Ромашка»",
        "АННА ПЕТРОВА",
        "ФИО;Телефон;Город\r\nСергей Щербаков;8 912;Уфа\r\n",
        "Да;Нет",
        "email;name\na@b.test;Юлия\n",
        "name,city\nOleg,Тюмень",
        "г. Санкт-Петербург, Невский пр., д. 1",
        "Ёлкин",
        "подписан",
    ];
    const JAPANESE: &[&str] = &[
        "氏名,メール\n山田太郎,t@x.test\n",
        "山田太郎",
        "株式会社リランス",
        "やまだ　たろう",
        "ヤマダ タロウ",
        "東京都港区芝公園４丁目２−８",
        "email,name\na@b.test,佐藤花子\n",
        "髙橋,渡邉",
        "お客様番号,登録日\n1,2026年11月22日",
        "はい,いいえ",
        "北海道札幌市中央区",
        "鈴木",
    ];
    const WESTERN: &[&str] = &[
        "Müller",
        "name;city\nJosé;Málaga\n",
        "Crème brûlée",
        "François;Orléans",
        "Straße;Köln",
        "price\n10 €\n",
        "Åsa Öberg",
    ];

    fn encoded(text: &str, charset: Charset) -> Vec<u8> {
        charset.encoding().encode(text).0.into_owned()
    }

    #[test]
    fn short_samples_are_told_apart() {
        let mut wrong = Vec::new();
        for (texts, charsets) in [
            (RUSSIAN, &[Charset::Windows1251, Charset::Koi8R][..]),
            (JAPANESE, &[Charset::ShiftJis, Charset::EucJp][..]),
            (WESTERN, &[Charset::Windows1252][..]),
        ] {
            for charset in charsets {
                for text in texts {
                    let found = guess(&encoded(text, *charset));
                    if found != *charset {
                        wrong.push(format!(
                            "{text:?} in {} taken for {}",
                            charset.word(),
                            found.word()
                        ));
                    }
                }
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
    }

    #[test]
    fn marks_and_utf_8_are_certain() {
        assert_eq!(guess("Имя".as_bytes()), Charset::Utf8);
        assert_eq!(guess(b"name,email\n"), Charset::Utf8);
        assert_eq!(guess(b""), Charset::Utf8);
        // Cut within a character.
        assert_eq!(guess(&"Имя".as_bytes()[..5]), Charset::Utf8);
        assert_eq!(guess(b"\xFF\xFEa\0"), Charset::Utf16Le);
        assert_eq!(guess(b"\xFE\xFF\0a"), Charset::Utf16Be);
        assert_eq!(guess(b"n\0a\0m\0e\0;\0e\0"), Charset::Utf16Le);
        assert_eq!(guess(b"\0n\0a\0m\0e\0;\0e"), Charset::Utf16Be);
    }

    #[test]
    fn names_of_encodings_are_known() {
        for charset in Charset::ALL {
            assert_eq!(Charset::from_word(charset.word()), Some(charset));
        }
        assert_eq!(Charset::from_word("cp1251"), Some(Charset::Windows1251));
        assert_eq!(Charset::from_word("SJIS"), Some(Charset::ShiftJis));
        assert_eq!(Charset::from_word("cp932"), Some(Charset::ShiftJis));
        assert_eq!(Charset::from_word("latin1"), Some(Charset::Windows1252));
        assert_eq!(Charset::from_word("ebcdic"), None);
    }
}
