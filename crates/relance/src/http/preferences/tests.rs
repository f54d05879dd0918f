//! Tests of what stands beside.

use super::*;

#[test]
fn every_language_has_all_words() {
    for language in LANGUAGES {
        let (found, words) = words_of(language).expect(language);
        assert_eq!(found, language);
        assert_eq!(words.language_names.len(), LANGUAGES.len());
        for text in [&words.intro, &words.confirm_question] {
            assert!(text.contains("{name}"), "{text}");
        }
        for text in [&words.per_week, &words.per_month, &words.pause_days] {
            assert!(text.contains("{n}"), "{text}");
        }
    }
    assert_eq!(words_of("de").map(|(found, _)| found), Some("en"));
    assert_eq!(words_of("").map(|(found, _)| found), Some("en"));
}

#[test]
fn a_window_is_read_from_days_and_hours() {
    let read = |days: &[&str], from: &'static str, to: &'static str| {
        let ticked = |name: &str, value: &str| name == "day" && days.contains(&value);
        let field = |name: &str| Some(if name == "from" { from } else { to });
        window(&ticked, &field).map(|window| window.map(|window| window.to_string()))
    };
    let all: Vec<&str> = DAYS.iter().map(|(day, _)| *day).collect();
    assert_eq!(read(&all, "00:00", "00:00"), Some(None));
    assert_eq!(read(&all, "", ""), Some(None));
    let evenings = read(&["mon", "tue"], "18:00", "22:30").flatten();
    assert_eq!(evenings.as_deref(), Some("mon,tue 18:00-22:30"));
    assert_eq!(read(&[], "09:00", "18:00"), None);
    assert_eq!(read(&["mon"], "9", "<script>"), None);
}
