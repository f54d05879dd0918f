//! Values as people write them.

use super::*;

#[test]
fn dates_are_read_in_the_ways_people_write_them() {
    for (text, expected) in [
        ("2026-11-22", "2026-11-22"),
        ("2026-1-2", "2026-01-02"),
        ("22.11.2026", "2026-11-22"),
        ("2.1.2026 10:30", "2026-01-02"),
        ("2026/11/22", "2026-11-22"),
        ("2026.11.22", "2026-11-22"),
        ("22/11/2026", "2026-11-22"),
        ("05/05/2026", "2026-05-05"),
        ("2026年11月22日", "2026-11-22"),
        ("２０２６年１１月２２日", "2026-11-22"),
        ("令和8年11月22日", "2026-11-22"),
        ("平成元年1月8日", "1989-01-08"),
        ("2026-11-22T23:30:00+03:00", "2026-11-22"),
        ("46348", "2026-11-22"),
        ("46348.75", "2026-11-22"),
    ] {
        assert_eq!(
            date(text, DateOrder::Certain),
            Ok(expected.into()),
            "{text}"
        );
    }
    assert_eq!(
        date("03/04/2026", DateOrder::MonthFirst),
        Ok("2026-03-04".into())
    );
    assert_eq!(
        date("03/04/2026", DateOrder::DayFirst),
        Ok("2026-04-03".into())
    );
    for (text, problem) in [
        ("03/04/2026", ValueProblem::DateOrder),
        ("04/23/2026", ValueProblem::DateOrder),
        ("3.4.26", ValueProblem::ShortYear),
        ("31.02.2026", ValueProblem::NotADate),
        ("2026-13-01", ValueProblem::NotADate),
        ("1-2/2026", ValueProblem::NotADate),
        ("tomorrow", ValueProblem::NotADate),
        ("2026年", ValueProblem::NotADate),
        ("7", ValueProblem::NotADate),
        ("9999999999999999999999", ValueProblem::NotADate),
        ("22.11.2026 morning", ValueProblem::NotADate),
    ] {
        assert_eq!(date(text, DateOrder::Certain), Err(problem), "{text}");
    }
}

#[test]
fn moments_are_of_a_zone_unless_they_say() {
    let moscow = Zone::parse("Europe/Moscow").unwrap();
    for (text, expected) in [
        ("2026-11-22 10:30", "2026-11-22T07:30:00Z"),
        ("2026-11-22T10:30:15", "2026-11-22T07:30:15Z"),
        ("22.11.2026 10:30:00", "2026-11-22T07:30:00Z"),
        ("22.11.2026", "2026-11-21T21:00:00Z"),
        ("2026-11-22T10:30:00Z", "2026-11-22T10:30:00Z"),
        ("2026-11-22 10:30:00+09:00", "2026-11-22T01:30:00Z"),
        ("2026年11月22日 9時05分", "2026-11-22T06:05:00Z"),
        ("2026/11/22 1:05 PM", "2026-11-22T10:05:00Z"),
        ("46348.5", "2026-11-22T09:00:00Z"),
    ] {
        assert_eq!(
            moment(text, DateOrder::Certain, &moscow),
            Ok(expected.into()),
            "{text}"
        );
    }
}

#[test]
fn serials_are_those_of_spreadsheets() {
    let text = |serial| serial_text(serial).unwrap_or_default();
    assert_eq!(text(1.0), "1900-01-01");
    assert_eq!(text(59.0), "1900-02-28");
    assert_eq!(text(60.0), "");
    assert_eq!(text(61.0), "1900-03-01");
    assert_eq!(text(46_348.5), "2026-11-22 12:00:00");
    assert_eq!(text(2_958_465.999_999_9), "");
    assert_eq!(text(f64::NAN), "");
}

#[test]
fn numbers_are_read_where_they_are_certain() {
    for (text, expected) in [
        ("12", Value::from(12)),
        ("-1 234 567,50", Value::from(-1_234_567.5)),
        ("1\u{a0}234", Value::from(1234)),
        ("1,234.5", Value::from(1234.5)),
        ("1.234,5", Value::from(1234.5)),
        ("1,234,567", Value::from(1_234_567)),
        ("1.234.567", Value::from(1_234_567)),
        ("12,5", Value::from(12.5)),
        ("0,125", Value::from(0.125)),
        ("1234,567", Value::from(1234.567)),
        ("1.234", Value::from(1.234)),
        ("１２３", Value::from(123)),
        ("¥1,200,000", Value::from(1_200_000)),
        ("1 500 руб.", Value::from(1500)),
        ("+7", Value::from(7)),
        ("007", Value::from(7)),
        ("1'234.50", Value::from(1234.5)),
    ] {
        assert_eq!(number(text, Decimal::Certain), Ok(expected), "{text}");
    }
    assert_eq!(number("1,234", Decimal::Comma), Ok(Value::from(1.234)));
    assert_eq!(number("1,234", Decimal::Point), Ok(Value::from(1234)));
    assert_eq!(number("1.234", Decimal::Comma), Ok(Value::from(1234)));
    for (text, problem) in [
        ("1,234", ValueProblem::Decimal),
        ("", ValueProblem::NotANumber),
        ("12 34", ValueProblem::NotANumber),
        ("1,2,3", ValueProblem::NotANumber),
        ("1.2.3", ValueProblem::NotANumber),
        ("12a", ValueProblem::NotANumber),
        ("=1+1", ValueProblem::NotANumber),
        ("--5", ValueProblem::NotANumber),
        ("1234567890123456", ValueProblem::TooManyDigits),
    ] {
        assert_eq!(number(text, Decimal::Certain), Err(problem), "{text}");
    }
}

#[test]
fn yes_and_no_have_many_words() {
    for word in ["Yes", "да", "はい", "○", "1", "TRUE"] {
        assert_eq!(yes_no(word), Ok(true), "{word}");
    }
    for word in ["no", "Нет", "いいえ", "×", "0"] {
        assert_eq!(yes_no(word), Ok(false), "{word}");
    }
    assert_eq!(yes_no("maybe"), Err(ValueProblem::NotYesNo));
    assert_eq!(wanted("Отписан"), Ok(false));
    assert_eq!(wanted("希望する"), Ok(true));
    assert_eq!(wanted("yes"), Ok(true));
}

#[test]
fn lists_are_cut_at_their_strongest_mark() {
    assert_eq!(list("a, b,,c"), Ok(Value::from(vec!["a", "b", "c"])));
    assert_eq!(list("a, b; c"), Ok(Value::from(vec!["a, b", "c"])));
    assert_eq!(list("東京、大阪"), Ok(Value::from(vec!["東京", "大阪"])));
    assert_eq!(list(&"a,".repeat(101)), Err(ValueProblem::TooManyItems));
}
