//! A date as its reader writes it: `21 ноября 2026 г.`, `November 21, 2026`, `2026年11月21日`.
//!
//! Month names in Russian (in the genitive, as dates want), Japanese and English; any other
//! language gets the ISO date, which nobody misreads.
//!
//! **Absent:** the present moment, and relative words such as "tomorrow".

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

/// Bytes of a date given as text, and of a format.
const DATE_BYTES_MAX: usize = 64;

const RUSSIAN: [&str; 12] = [
    "января",
    "февраля",
    "марта",
    "апреля",
    "мая",
    "июня",
    "июля",
    "августа",
    "сентября",
    "октября",
    "ноября",
    "декабря",
];
const ENGLISH: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// A moment, or a day with or without a clock time. Moments are shown in the given zone.
pub(super) fn parse(text: &str, zone: &TimeZone) -> Option<DateTime> {
    let text = text.trim();
    if text.is_empty() || text.len() > DATE_BYTES_MAX {
        return None;
    }
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Some(moment.to_zoned(zone.clone()).datetime());
    }
    if let Ok(moment) = text.parse::<Zoned>() {
        return Some(moment.datetime());
    }
    if let Ok(clock) = text.parse::<DateTime>() {
        return Some(clock);
    }
    text.parse::<Date>().ok().map(|d| d.at(0, 0, 0, 0))
}

/// A moment given as seconds since 1970.
pub(super) fn from_seconds(seconds: i64, zone: &TimeZone) -> Option<DateTime> {
    let moment = Timestamp::from_second(seconds).ok()?;
    Some(moment.to_zoned(zone.clone()).datetime())
}

/// `long`, `short`, `day`, `month`, `time`, or a pattern with `%`; `None` when it is none of them.
pub(super) fn format(moment: DateTime, form: &str, language: &str) -> Option<String> {
    let (y, m, d) = (moment.year(), moment.month(), moment.day());
    let month = usize::from(m.unsigned_abs()).saturating_sub(1) % 12;
    let base = language.split('-').next().unwrap_or_default();
    Some(match (form, base) {
        ("long", "ru") => format!("{d} {} {y} г.", RUSSIAN[month]),
        ("long", "en") => format!("{} {d}, {y}", ENGLISH[month]),
        ("long", "ja") => format!("{y}年{m}月{d}日"),
        ("short", "ru") => format!("{d:02}.{m:02}.{y}"),
        ("short", "ja") => format!("{y}/{m:02}/{d:02}"),
        ("long" | "short", _) => format!("{y:04}-{m:02}-{d:02}"),
        ("day", "ru") => format!("{d} {}", RUSSIAN[month]),
        ("day", "en") => format!("{} {d}", ENGLISH[month]),
        ("day", "ja") => format!("{m}月{d}日"),
        ("day", _) => format!("{m:02}-{d:02}"),
        ("month", "ja") => format!("{m}月"),
        ("month", "ru") => RUSSIAN[month].to_owned(),
        ("month", _) => ENGLISH[month].to_owned(),
        ("time", _) => format!("{:02}:{:02}", moment.hour(), moment.minute()),
        (pattern, _) if pattern.contains('%') && pattern.len() <= DATE_BYTES_MAX => {
            return jiff::fmt::strtime::format(pattern, moment).ok();
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_written_as_read() {
        let day = parse("2026-11-01", &TimeZone::UTC).expect("a date");
        for (form, language, expected) in [
            ("long", "ru", "1 ноября 2026 г."),
            ("long", "en-gb", "November 1, 2026"),
            ("long", "ja", "2026年11月1日"),
            ("long", "fr", "2026-11-01"),
            ("short", "ru", "01.11.2026"),
            ("short", "en", "2026-11-01"),
            ("day", "ru", "1 ноября"),
            ("day", "ja", "11月1日"),
            ("%d.%m.%y", "en", "01.11.26"),
        ] {
            assert_eq!(format(day, form, language).as_deref(), Some(expected));
        }
    }

    #[test]
    fn moments_are_shown_in_the_readers_zone() {
        let zone = TimeZone::get("Asia/Tokyo").expect("bundled");
        let moment = parse("2026-11-21T20:30:00Z", &zone).expect("a moment");
        assert_eq!(
            format(moment, "long", "ja").as_deref(),
            Some("2026年11月22日")
        );
        assert_eq!(format(moment, "time", "ja").as_deref(), Some("05:30"));
        assert_eq!(from_seconds(1_795_293_000, &zone), Some(moment));
    }

    #[test]
    fn nonsense_is_refused() {
        for text in ["", "soon", "2026-13-45", &"1".repeat(100)] {
            assert_eq!(parse(text, &TimeZone::UTC), None, "{text}");
        }
        let day = parse("2026-11-01", &TimeZone::UTC).expect("a date");
        for form in ["", "wide", "%", "%Q%%%", &"%Y".repeat(100)] {
            assert_eq!(format(day, form, "en"), None, "{form}");
        }
        assert_eq!(from_seconds(i64::MAX, &TimeZone::UTC), None);
    }
}
