use jiff::civil::date;

use super::*;

/// Weekdays off per calendar and year, from the published lists and not from our rules. RU 2028 rests on the law alone:
/// Unity Day falls on a Saturday and moves to Monday.
const WEEKDAYS_OFF: &str = "
ru 2024 01-01 01-02 01-03 01-04 01-05 01-08 02-23 03-08 04-29 04-30 05-01 05-09 05-10 06-12 11-04 12-30 12-31
ru 2025 01-01 01-02 01-03 01-06 01-07 01-08 05-01 05-02 05-08 05-09 06-12 06-13 11-03 11-04 12-31
ru 2026 01-01 01-02 01-05 01-06 01-07 01-08 01-09 02-23 03-09 05-01 05-11 06-12 11-04 12-31
ru 2027 01-01 01-04 01-05 01-06 01-07 01-08 02-22 02-23 03-08 05-03 05-10 06-14 11-04 11-05 12-31
ru 2028 01-03 01-04 01-05 01-06 01-07 02-23 03-08 05-01 05-09 06-12 11-06
jp 2024 01-01 01-08 02-12 02-23 03-20 04-29 05-03 05-06 07-15 08-12 09-16 09-23 10-14 11-04
jp 2025 01-01 01-13 02-11 02-24 03-20 04-29 05-05 05-06 07-21 08-11 09-15 09-23 10-13 11-03 11-24
jp 2026 01-01 01-12 02-11 02-23 03-20 04-29 05-04 05-05 05-06 07-20 08-11 09-21 09-22 09-23 10-12 11-03 11-23
jp 2027 01-01 01-11 02-11 02-23 03-22 04-29 05-03 05-04 05-05 07-19 08-11 09-20 09-23 10-11 11-03 11-23
jp 2028 01-10 02-11 02-23 03-20 05-03 05-04 05-05 07-17 08-11 09-18 09-22 10-09 11-03 11-23
de 2024 01-01 03-29 04-01 05-01 05-09 05-20 10-03 12-25 12-26
de 2025 01-01 04-18 04-21 05-01 05-29 06-09 10-03 12-25 12-26
de 2026 01-01 04-03 04-06 05-01 05-14 05-25 12-25
de 2027 01-01 03-26 03-29 05-06 05-17
de 2028 04-14 04-17 05-01 05-25 06-05 10-03 12-25 12-26
us 2024 01-01 01-15 02-19 05-27 06-19 07-04 09-02 10-14 11-11 11-28 12-25
us 2025 01-01 01-20 02-17 05-26 06-19 07-04 09-01 10-13 11-11 11-27 12-25
us 2026 01-01 01-19 02-16 05-25 06-19 07-03 09-07 10-12 11-11 11-26 12-25
us 2027 01-01 01-18 02-15 05-31 06-18 07-05 09-06 10-11 11-11 11-25 12-24 12-31
us 2028 01-17 02-21 05-29 06-19 07-04 09-04 10-09 11-10 11-23 12-25
gb 2024 01-01 03-29 04-01 05-06 05-27 08-26 12-25 12-26
gb 2025 01-01 04-18 04-21 05-05 05-26 08-25 12-25 12-26
gb 2026 01-01 04-03 04-06 05-04 05-25 08-31 12-25 12-28
gb 2027 01-01 03-26 03-29 05-03 05-31 08-30 12-27 12-28
gb 2028 01-03 04-14 04-17 05-01 05-29 08-28 12-25 12-26
";

fn dates_of(year: i16) -> impl Iterator<Item = Date> {
    (day_number(date(year, 1, 1))..=day_number(date(year, 12, 31))).map(date_of)
}

#[test]
fn the_built_in_calendars_give_the_published_days_off() {
    for line in WEEKDAYS_OFF.lines().filter(|line| !line.is_empty()) {
        let mut words = line.split(' ');
        let calendar = built_in(words.next().unwrap()).unwrap();
        let year = words.next().unwrap().parse().unwrap();
        let off: Vec<String> = dates_of(year)
            .filter(|date| {
                Weekdays::MON_FRI.contains(date.weekday()) && !calendar.is_working(*date)
            })
            .map(|date| MonthDay::from(date).to_string())
            .collect();
        assert_eq!(off, words.collect::<Vec<_>>(), "{} {year}", calendar.id());
    }
}

#[test]
fn the_russian_production_calendar_has_its_working_saturdays_and_its_norm_of_days() {
    let ru = built_in("ru").unwrap();
    let working_weekend: Vec<Date> = (2024..=2027)
        .flat_map(dates_of)
        .filter(|date| Weekdays::SAT_SUN.contains(date.weekday()) && ru.is_working(*date))
        .collect();
    let expected = [
        date(2024, 4, 27),
        date(2024, 11, 2),
        date(2024, 12, 28),
        date(2025, 11, 1),
        date(2027, 2, 20),
    ];
    assert_eq!(working_weekend, expected);
    let norm = |year| dates_of(year).filter(|date| ru.is_working(*date)).count();
    assert_eq!([norm(2024), norm(2025), norm(2026)], [248, 247, 247]);
    assert_eq!(
        ru.holiday(date(2024, 5, 10)),
        Some("Day off moved from 2024-01-06")
    );
    assert_eq!(
        ru.holiday(date(2026, 3, 9)),
        Some("International Women's Day (substitute day)")
    );
}

#[test]
fn years_not_yet_certain_are_not_covered() {
    let covered = |id: &str| -> Vec<i16> {
        let calendar = built_in(id).unwrap();
        (2023..=2029)
            .filter(|year| calendar.covers(*year))
            .collect()
    };
    assert_eq!(covered("ru"), [2024, 2025, 2026]);
    assert_eq!(covered("jp"), [2024, 2025, 2026, 2027]);
    for id in ["de", "us", "gb"] {
        assert_eq!(covered(id), [2024, 2025, 2026, 2027, 2028]);
    }
    // Beyond them the fixed holidays still hold.
    assert!(!built_in("ru").unwrap().is_working(date(2031, 1, 2)));
    assert!(!built_in("de").unwrap().is_working(date(2030, 10, 3)));
}

#[test]
fn every_built_in_calendar_is_found_by_its_id() {
    assert_eq!(
        built_in_ids().collect::<Vec<_>>(),
        ["de", "gb", "jp", "jp-business", "ru", "us"]
    );
    for id in built_in_ids() {
        assert_eq!(built_in(id).unwrap().id(), id);
    }
    assert_eq!(built_in("xx"), None);
}

#[test]
fn japanese_companies_are_closed_round_new_year() {
    let (jp, business) = (built_in("jp").unwrap(), built_in("jp-business").unwrap());
    for day in [(2026, 12, 29), (2026, 12, 30), (2026, 12, 31), (2029, 1, 3)] {
        let day = date(day.0, day.1, day.2);
        assert!(jp.is_working(day) && !business.is_working(day), "{day}");
    }
    assert!(business.is_working(date(2026, 12, 28)) && business.is_working(date(2027, 1, 4)));
    // All the rest is as in Japan.
    let mut day = date(2024, 1, 4);
    while day < date(2028, 12, 29) {
        let closed = matches!((day.month(), day.day()), (12, 29..) | (1, ..=3));
        assert!(
            closed || jp.is_working(day) == business.is_working(day),
            "{day}"
        );
        day = day.tomorrow().unwrap();
    }
}

#[test]
fn a_company_begins_from_a_calendar_and_adds_its_own_days() {
    let own = |rest: &str| {
        parse(&format!(
            "format = \"calendar/1\"\nid = \"ours\"\nname = \"Ours\"\n{rest}"
        ))
    };
    let text = "base = \"de\"\n[[closed]]\nname = \"Works holiday\"\ndates = [\"2026-08-03\", \"2026-08-04\"]";
    let ours = own(text).unwrap();
    assert_eq!(ours.holiday(date(2026, 8, 3)), Some("Works holiday"));
    assert_eq!(ours.holiday(date(2026, 10, 3)), Some("German Unity Day"));
    assert!(ours.is_working(date(2026, 8, 5)));
    // Closed on a Sunday is made up for by no other day, and moves no holiday on.
    let closed = "base = \"jp\"\n[[closed]]\nname = \"x\"\nfixed = [\"05-06\"]";
    let ours = own(closed).unwrap();
    let substitute = Some("Constitution Memorial Day (substitute day)");
    assert_eq!(ours.holiday(date(2026, 5, 6)), substitute);
    assert!(ours.is_working(date(2026, 5, 7)));
    for (rest, told) in [
        ("", "weekend is missing"),
        ("base = \"xx\"", "none of de, gb, jp, jp-business, ru, us"),
        (
            "base = \"de\"\n[[closed]]\nname = \"x\"\nfixed = [\"01-02\"]\nobserved = \"nearest-weekday\"",
            "leave out observed",
        ),
    ] {
        let problem = own(rest).unwrap_err().to_string();
        assert!(problem.contains(told), "{problem}");
    }
}

#[test]
fn holidays_have_names() {
    let jp = built_in("jp").unwrap();
    assert_eq!(jp.holiday(date(2026, 9, 22)), Some("Citizens' Holiday"));
    assert_eq!(
        jp.holiday(date(2026, 5, 6)),
        Some("Constitution Memorial Day (substitute day)")
    );
    assert_eq!(jp.holiday(date(2026, 9, 24)), None);
    let gb = built_in("gb").unwrap();
    assert_eq!(
        gb.holiday(date(2027, 12, 27)),
        Some("Christmas Day (substitute day)")
    );
    assert_eq!(
        gb.holiday(date(2027, 12, 28)),
        Some("Boxing Day (substitute day)")
    );
    assert_eq!(
        built_in("us").unwrap().holiday(date(2027, 12, 31)),
        Some("New Year's Day (substitute day)")
    );
}

#[test]
fn easter_falls_on_its_known_dates() {
    for (year, month, day) in [
        (1818, 3, 22),
        (1943, 4, 25),
        (1961, 4, 2),
        (2000, 4, 23),
        (2008, 3, 23),
        (2019, 4, 21),
        (2024, 3, 31),
        (2025, 4, 20),
        (2026, 4, 5),
        (2027, 3, 28),
        (2028, 4, 16),
        (2038, 4, 25),
    ] {
        assert_eq!(easter(year), date(year, month, day));
    }
}

#[test]
fn a_refusal_says_where_and_what_to_write() {
    const HEAD: &str = "format = \"calendar/1\"\nid = \"x\"\nname = \"X\"\nweekend = \"sat,sun\"\nyears = { first = 2025, last = 2026 }\n";
    let said = |text: &str| parse(text).unwrap_err().to_string();
    let with = |rule: &str| said(&format!("{HEAD}[[holiday]]\nname = \"H\"\n{rule}"));
    assert!(parse(HEAD).is_ok());
    assert!(said("").contains("missing field"));
    assert!(said("format = \"calendar/2\"").contains("calendar/1"));
    let unknown = said(&format!("{HEAD}\nhollidays = []\n"));
    assert!(
        unknown.starts_with("calendar file, line 7: unknown field `hollidays`"),
        "{unknown}"
    );
    assert!(with("").contains("exactly one of fixed, nth, easter, dates"));
    assert!(with("easter = 1\nfixed = [\"01-01\"]").contains("exactly one of"));
    assert!(
        with("fixed = [\"02-30\"]")
            .contains("\"02-30\" is not a date; write month and day as 02-23")
    );
    assert!(with("dates = [\"2026-02-30\"]").contains("write year, month and day as 2026-02-23"));
    assert!(with("dates = [\"2026-02-20T10:00\"]").contains("is not a date"));
    assert!(
        with("dates = [\"2036-02-20\"]").contains("2036-02-20 lies outside the years 2025 to 2026")
    );
    let moved = said(&format!(
        "{HEAD}[[moved]]\nfrom = \"2026-01-03\"\nto = \"2027-01-04\"\n"
    ));
    assert!(
        moved.contains("2027-01-04 lies outside the years"),
        "{moved}"
    );
    assert!(with("nth = { n = 5, weekday = \"mon\", month = 1 }").contains("n from 1 to 4"));
    assert!(with("nth = { n = 1, weekday = \"mon\", month = 13 }").contains("month from 1 to 12"));
    assert!(with("nth = { n = 1, weekday = \"monday\", month = 1 }").contains("unknown variant"));
    assert!(with("easter = 300").contains("within 100 days"));
    assert!(
        with(&format!("fixed = [{}]", "\"01-01\",".repeat(100)))
            .contains("more than 64 fixed dates")
    );
    assert!(said(&HEAD.replace("sat,sun", "mon-sun")).contains("at least one working day"));
    assert!(said(&HEAD.replace("sat,sun", "weekend")).contains("write sat,sun"));
    assert!(said(&HEAD.replace("2026", "9999")).contains("1900 to 2999"));
    assert!(said(&HEAD.replace("\"X\"", "\"\"")).contains("1 to 100 characters"));
    assert_eq!(
        parse(&"#".repeat(CALENDAR_BYTES_MAX + 1)),
        Err(CalendarProblem::TooLarge)
    );
}

#[test]
fn a_hostile_file_is_refused_quickly() {
    let mut text = "format = \"calendar/1\"\nid = \"x\"\nname = \"X\"\nweekend = \"sat,sun\"\nyears = { first = 1900, last = 2099 }\n".to_owned();
    for rule in 0..1_000 {
        text.push_str(&format!(
            "[[holiday]]\nname = \"{rule}\"\neaster = {}\n",
            rule % 90
        ));
    }
    assert_eq!(
        parse(&text),
        Err(CalendarProblem::TooMany {
            what: "holidays",
            limit: HOLIDAYS_MAX
        })
    );
}
