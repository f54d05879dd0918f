//! The filters, tests and functions a template may use: the engine's harmless ones, and our own.
//!
//! | filter | example | gives |
//! | --- | --- | --- |
//! | `default` | `contact.name \| default("friend")` | the fallback for missing, null and empty |
//! | `money` | `subject.amount \| money(subject.currency)` | `125 000 ₽` |
//! | `date` | `subject.due \| date("day")` | `21 ноября` |
//! | `plural` | `n \| plural("счёт", "счёта", "счетов")` | the right form |
//! | `total` | `subjects \| total("amount")` | the sum of a field, by currency: `125 000 ₽, $99.50` |
//! | `nl2br` | `subject.note \| nl2br` | line breaks kept in HTML |
//! | `truncate` | `event.text \| truncate(80)` | cut at a word |
//!
//! A value these cannot read is shown as it is, and an empty one stays empty: a message with a
//! plain number is better than none. **Absent:** filters that need a clock, chance, or files.

use jiff::tz::TimeZone;
use minijinja::value::{Kwargs, Rest, Value};
use minijinja::{
    AutoEscape, Environment, Error, ErrorKind, State, UndefinedBehavior, filters as own, tests,
};
use rust_decimal::Decimal;

use super::engine::{HTML_BYTES_MAX, ITEMS_MAX, bounded, within};
use super::{money, when};

/// Currencies of one sum.
const CURRENCIES_MAX: usize = 20;
/// Characters `truncate` may be asked to keep.
const TRUNCATE_CHARS_MAX: usize = 10_000;

/// Every filter there is; a test compares this with what [`add`] adds.
pub(super) const FILTERS: [&str; 36] = [
    "default",
    "d",
    "money",
    "date",
    "plural",
    "total",
    "nl2br",
    "truncate",
    "safe",
    "escape",
    "e",
    "lower",
    "upper",
    "title",
    "capitalize",
    "trim",
    "urlencode",
    "round",
    "abs",
    "int",
    "float",
    "string",
    "replace",
    "length",
    "count",
    "first",
    "last",
    "join",
    "reverse",
    "list",
    "sort",
    "unique",
    "sum",
    "items",
    "min",
    "max",
];
/// Every test there is (`x is defined`).
pub(super) const TESTS: [&str; 13] = [
    "defined",
    "undefined",
    "none",
    "number",
    "string",
    "odd",
    "even",
    "divisibleby",
    "startingwith",
    "endingwith",
    "eq",
    "ne",
    "in",
];

pub(super) fn add(env: &mut Environment<'static>, language: &str) {
    add_ours(env, language);
    add_text_filters(env);
    add_list_filters(env);
    add_tests(env);
    env.add_function("range", range);
}

fn add_ours(env: &mut Environment<'static>, language: &str) {
    for name in ["default", "d"] {
        env.add_filter(name, |value: &Value, other: Option<Value>| {
            if is_blank(value) {
                other.unwrap_or_else(|| Value::from(""))
            } else {
                value.clone()
            }
        });
    }
    let own_language = language.to_owned();
    env.add_filter(
        "money",
        move |state: &State, value: &Value, currency: &Value, language: Option<&str>| {
            if is_missing(state, value)? {
                return Ok(Value::from(""));
            }
            let language = language.unwrap_or(&own_language);
            let currency = if is_missing(state, currency)? {
                ""
            } else {
                currency.as_str().unwrap_or_default()
            };
            Ok(
                match money::format(&value.to_string(), currency, language) {
                    Some(text) => Value::from(text),
                    None => value.clone(),
                },
            )
        },
    );
    let own_language = language.to_owned();
    env.add_filter(
        "date",
        move |state: &State, value: &Value, form: Option<&str>, language: Option<&str>| {
            date(state, value, form, language.unwrap_or(&own_language))
        },
    );
    env.add_filter("plural", plural);
    let own_language = language.to_owned();
    env.add_filter(
        "total",
        move |value: &Value, field: Option<&str>, language: Option<&str>| {
            total(
                value,
                field.unwrap_or("amount"),
                language.unwrap_or(&own_language),
            )
        },
    );
    env.add_filter("nl2br", nl2br);
    env.add_filter("truncate", truncate);
}

fn add_text_filters(env: &mut Environment<'static>) {
    env.add_filter("safe", own::safe);
    env.add_filter("escape", own::escape);
    env.add_filter("e", own::escape);
    env.add_filter("lower", own::lower);
    env.add_filter("upper", own::upper);
    env.add_filter("title", own::title);
    env.add_filter("capitalize", own::capitalize);
    env.add_filter("trim", own::trim);
    env.add_filter("urlencode", own::urlencode);
    env.add_filter("round", own::round);
    env.add_filter("abs", own::abs);
    env.add_filter("int", own::int);
    env.add_filter("float", own::float);
    env.add_filter("string", own::string);
    env.add_filter("replace", |value: &str, from: &str, to: &str| {
        bounded(&Value::from(value))?;
        let hits = if from.is_empty() {
            value.len() + 1
        } else {
            value.matches(from).count()
        };
        within(
            hits.saturating_mul(to.len()).saturating_add(value.len()),
            HTML_BYTES_MAX,
        )?;
        Ok::<String, Error>(value.replace(from, to))
    });
}

fn add_list_filters(env: &mut Environment<'static>) {
    for name in ["length", "count"] {
        env.add_filter(name, |value: &Value| value.len().unwrap_or_default());
    }
    env.add_filter("first", own::first);
    env.add_filter("last", |value: Value| {
        bounded(&value)?;
        own::last(value)
    });
    env.add_filter("join", |value: &Value, joiner: Option<&str>| {
        join(value, joiner.unwrap_or_default())
    });
    env.add_filter("reverse", |value: &Value| {
        bounded(value)?;
        own::reverse(value)
    });
    env.add_filter("list", |state: &State, value: Value| {
        bounded(&value)?;
        own::list(state, value)
    });
    env.add_filter("sort", |state: &State, value: Value, options: Kwargs| {
        bounded(&value)?;
        own::sort(state, value, options)
    });
    env.add_filter("unique", |state: &State, value: Value, options: Kwargs| {
        bounded(&value)?;
        own::unique(state, value, options)
    });
    env.add_filter(
        "sum",
        |state: &State, value: Value, attribute: Option<&str>, options: Kwargs| {
            bounded(&value)?;
            own::sum(state, value, attribute, None, options)
        },
    );
    env.add_filter("items", |value: &Value| {
        bounded(value)?;
        own::items(value)
    });
    env.add_filter("min", |state: &State, value: Value, options: Kwargs| {
        bounded(&value)?;
        own::min(state, value, options)
    });
    env.add_filter("max", |state: &State, value: Value, options: Kwargs| {
        bounded(&value)?;
        own::max(state, value, options)
    });
}

fn add_tests(env: &mut Environment<'static>) {
    env.add_test("defined", tests::is_defined);
    env.add_test("undefined", tests::is_undefined);
    env.add_test("none", tests::is_none);
    env.add_test("number", tests::is_number);
    env.add_test("string", tests::is_string);
    env.add_test("odd", tests::is_odd);
    env.add_test("even", tests::is_even);
    // The engine's own divides by zero.
    env.add_test("divisibleby", |value: i64, by: i64| {
        by != 0 && value.checked_rem(by) == Some(0)
    });
    env.add_test("startingwith", tests::is_startingwith);
    env.add_test("endingwith", tests::is_endingwith);
    env.add_test("eq", tests::is_eq);
    env.add_test("ne", tests::is_ne);
    env.add_test("in", tests::is_in);
}

/// Missing, null, or only white space.
fn is_blank(value: &Value) -> bool {
    value.is_undefined()
        || value.is_none()
        || value.as_str().is_some_and(|text| text.trim().is_empty())
}

/// Like [`is_blank`], but a check of a template wants to hear of a variable that does not exist.
fn is_missing(state: &State, value: &Value) -> Result<bool, Error> {
    if value.is_undefined() && state.undefined_behavior() == UndefinedBehavior::SemiStrict {
        return Err(Error::from(ErrorKind::UndefinedError));
    }
    Ok(is_blank(value))
}

fn date(state: &State, value: &Value, form: Option<&str>, language: &str) -> Result<Value, Error> {
    if is_missing(state, value)? {
        return Ok(Value::from(""));
    }
    let zone = contact_zone(state);
    let moment = match (value.as_str(), i64::try_from(value.clone())) {
        (Some(text), _) => when::parse(text, &zone),
        (None, Ok(seconds)) => when::from_seconds(seconds, &zone),
        (None, Err(_)) => None,
    };
    let text = moment.and_then(|m| when::format(m, form.unwrap_or("long"), language));
    Ok(text.map_or_else(|| value.clone(), Value::from))
}

/// `contact.timezone`, or `contact.traits.timezone`, or UTC.
fn contact_zone(state: &State) -> TimeZone {
    let zone_in = |value: &Value| {
        let name = value.get_attr("timezone").ok()?;
        TimeZone::get(name.as_str()?).ok()
    };
    state
        .lookup("contact")
        .and_then(|contact| {
            zone_in(&contact).or_else(|| zone_in(&contact.get_attr("traits").ok()?))
        })
        .unwrap_or(TimeZone::UTC)
}

/// Three forms follow the East Slavic rule, two the English one, one never changes (Japanese).
fn plural(count: &Value, forms: Rest<Value>) -> Result<Value, Error> {
    // Given as a list, or one by one.
    let forms: Vec<Value> = match forms.as_slice() {
        [list] if list.as_object().is_some() => {
            bounded(list)?;
            list.try_iter()?.collect()
        }
        several => several.to_vec(),
    };
    let whole = i64::try_from(count.clone())
        .ok()
        .or_else(|| count.as_str()?.trim().parse().ok());
    let n = whole.map(i64::unsigned_abs);
    let at = match (forms.len(), n) {
        (1, _) => 0,
        (2, Some(1)) => 0,
        // "2.5 invoices", and numbers that cannot be read.
        (2, _) => 1,
        // Fractions take the genitive singular: "2,5 счёта".
        (3, None) => 1,
        (3, Some(n)) => match (n % 10, n % 100) {
            (1, hundred) if hundred != 11 => 0,
            (2..=4, hundred) if !(12..=14).contains(&hundred) => 1,
            _ => 2,
        },
        _ => {
            return Err(Error::new(
                ErrorKind::MissingArgument,
                "plural takes one, two or three forms",
            ));
        }
    };
    Ok(forms[at].clone())
}

/// The sum of a field over a list, for each `currency` that its members name, in the order in which they
/// come. A member whose field is no number is left out.
fn total(value: &Value, field: &str, language: &str) -> Result<Value, Error> {
    bounded(value)?;
    if is_blank(value) {
        return Ok(Value::from(""));
    }
    let mut sums: Vec<(String, Decimal)> = Vec::new();
    for member in value.try_iter()? {
        let amount = member.get_attr(field).unwrap_or_default();
        let Some(amount) = money::parse(&amount.to_string()) else {
            continue;
        };
        let currency = member.get_attr("currency").unwrap_or_default();
        let currency = currency.as_str().unwrap_or_default().trim();
        let currency = currency.to_ascii_uppercase();
        if let Some((_, sum)) = sums.iter_mut().find(|(own, _)| *own == currency) {
            *sum = sum.saturating_add(amount);
            continue;
        }
        within(sums.len(), CURRENCIES_MAX)?;
        sums.push((currency, amount));
    }
    let written: Vec<String> = sums
        .iter()
        .filter_map(|(currency, sum)| money::format(&sum.to_string(), currency, language))
        .collect();
    Ok(Value::from(written.join(", ")))
}

/// In HTML: escaped, with `<br>` for line breaks. In text: unchanged.
fn nl2br(state: &State, value: &Value) -> Result<Value, Error> {
    bounded(value)?;
    if is_missing(state, value)? {
        return Ok(Value::from(""));
    }
    if matches!(state.auto_escape(), AutoEscape::None) {
        return Ok(value.clone());
    }
    let text = value.to_string();
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    for c in text.replace("\r\n", "\n").chars() {
        match c {
            '\n' => out.push_str("<br>\n"),
            '&' if !value.is_safe() => out.push_str("&amp;"),
            '<' if !value.is_safe() => out.push_str("&lt;"),
            '>' if !value.is_safe() => out.push_str("&gt;"),
            '"' if !value.is_safe() => out.push_str("&quot;"),
            '\'' if !value.is_safe() => out.push_str("&#x27;"),
            other => out.push(other),
        }
    }
    Ok(Value::from_safe_string(out))
}

/// At most `length` characters, cut at a word when there is one in the last half.
fn truncate(
    state: &State,
    value: &Value,
    length: Option<usize>,
    end: Option<&str>,
) -> Result<Value, Error> {
    bounded(value)?;
    let length = length.unwrap_or(100).min(TRUNCATE_CHARS_MAX);
    let end = end.unwrap_or("…");
    if is_missing(state, value)? {
        return Ok(Value::from(""));
    }
    let text = value.to_string();
    if text.chars().count() <= length {
        return Ok(value.clone());
    }
    let keep = length.saturating_sub(end.chars().count());
    let cut = text
        .char_indices()
        .nth(keep)
        .map_or(text.len(), |(at, _)| at);
    let head = &text[..cut];
    let head = match head.rfind(char::is_whitespace) {
        Some(space) if space >= head.len() / 2 => &head[..space],
        Some(_) | None => head,
    };
    let head = head.trim_end_matches(|c: char| c.is_whitespace() || c == ',');
    Ok(Value::from(format!("{head}{end}")))
}

fn join(value: &Value, joiner: &str) -> Result<Value, Error> {
    bounded(value)?;
    let mut out = String::new();
    for (i, item) in value.try_iter()?.enumerate() {
        if i > 0 {
            out.push_str(joiner);
        }
        match item.as_str() {
            Some(text) => out.push_str(text),
            None if is_blank(&item) => {}
            None => out.push_str(&item.to_string()),
        }
        within(out.len(), HTML_BYTES_MAX)?;
    }
    Ok(Value::from(out))
}

fn range(from: i64, to: Option<i64>) -> Result<Value, Error> {
    let (from, to) = match to {
        Some(to) => (from, to),
        None => (0, from),
    };
    let count = to.saturating_sub(from).max(0);
    within(usize::try_from(count).unwrap_or(usize::MAX), ITEMS_MAX)?;
    Ok(Value::from_iter(from..to))
}

#[cfg(test)]
mod tests_of_filters {
    use super::super::engine::{environment, render_part};
    use super::super::problem::TemplatePart;
    use super::*;
    use minijinja::context;

    fn check(language: &str, part: TemplatePart, source: &str, context: Value, expected: &str) {
        let mut env = environment(language);
        env.add_template_owned(part.name(), source.to_owned())
            .expect("compiles");
        let got = render_part(&env, part, &context).expect("renders");
        assert_eq!(got.as_deref(), Some(expected), "{source}");
    }

    #[test]
    fn defaults_cover_missing_null_and_empty() {
        let context = context! { a => "", b => Value::from(()), c => "  ", d => 0 };
        check(
            "en",
            TemplatePart::Text,
            "{{ a | default('1') }}{{ b | d('2') }}{{ c | d('3') }}{{ x.y | d('4') }}{{ d | d(5) }}",
            context,
            "12340",
        );
    }

    #[test]
    fn money_and_dates_speak_the_templates_language() {
        let context = context! {
            contact => context! { timezone => "Europe/Moscow" },
            amount => "125000.00", f => 99.5, due => "2026-11-21T22:00:00Z", odd => "ask us",
        };
        check(
            "ru",
            TemplatePart::Text,
            "{{ amount | money('RUB') }}, {{ f | money('USD', 'en') }}, {{ odd | money('RUB') }}, \
             {{ due | date }}, {{ due | date('day', 'ja') }}, {{ due | date('time') }}, {{ odd | date }}\
             {{ none | money('RUB') }}{{ missing | date }}",
            context,
            "125\u{a0}000\u{a0}₽, $99.50, ask us, 22 ноября 2026 г., 11月22日, 01:00, ask us",
        );
    }

    #[test]
    fn a_total_is_summed_by_currency() {
        let invoice = |amount: Value, currency: &str| context! { amount, currency };
        let subjects = vec![
            invoice(Value::from(120_000.0), "RUB"),
            invoice(Value::from("99.50"), "usd"),
            invoice(Value::from("soon"), "EUR"),
            invoice(Value::from(0.1), "RUB"),
            invoice(Value::from(0.2), "RUB"),
            context! { currency => "RUB" },
        ];
        check(
            "ru",
            TemplatePart::Text,
            "{{ subjects | total('amount') }}|{{ subjects | total('amount', 'en') }}|\
             {{ [] | total }}{{ none | total }}|{{ [{'sum': 5}] | total('sum') }}",
            context! { subjects },
            "120\u{a0}000,30\u{a0}₽, 99,50\u{a0}$|120,000.30\u{a0}₽, $99.50||5",
        );
    }

    #[test]
    fn plural_knows_russian() {
        let source = "{{ n | plural('счёт', 'счёта', 'счетов') }}";
        for (n, expected) in [
            (1, "счёт"),
            (2, "счёта"),
            (5, "счетов"),
            (11, "счетов"),
            (14, "счетов"),
            (21, "счёт"),
            (112, "счетов"),
            (0, "счетов"),
            (-3, "счёта"),
        ] {
            check("ru", TemplatePart::Text, source, context! { n }, expected);
        }
        check(
            "en",
            TemplatePart::Text,
            "{{ 1 | plural('day', 'days') }} {{ 2 | plural(['day', 'days']) }} {{ 9 | plural('日') }} \
             {{ 2.5 | plural('счёт', 'счёта', 'счетов') }} {{ '21' | plural('день','дня','дней') }}",
            context! {},
            "day days 日 счёта день",
        );
    }

    #[test]
    fn nl2br_escapes_in_html_and_is_silent_in_text() {
        let context = context! { note => "a<b>\r\nc \"d\"" };
        check(
            "en",
            TemplatePart::Html,
            "{{ note | nl2br }}",
            context.clone(),
            "a&lt;b&gt;<br>\nc &quot;d&quot;",
        );
        check(
            "en",
            TemplatePart::Text,
            "{{ note | nl2br }}",
            context,
            "a<b>\r\nc \"d\"",
        );
    }

    #[test]
    fn truncate_cuts_at_words_and_characters() {
        let context = context! { a => "Поставка насосов и клапанов", b => "請求書のお支払い期限" };
        check(
            "ru",
            TemplatePart::Text,
            "{{ a | truncate(18) }}|{{ b | truncate(5) }}|{{ a | truncate }}|{{ x | truncate(3) }}",
            context,
            "Поставка насосов…|請求書の…|Поставка насосов и клапанов|",
        );
    }

    #[test]
    fn lists_work() {
        let context = context! { items => vec![context! { n => 2 }, context! { n => 1 }] };
        check(
            "en",
            TemplatePart::Text,
            "{{ items | length }} {{ items | sum('n') }} {{ ['a', 'b'] | join(', ') }} \
             {{ items | sort(attribute='n') | first }}",
            context,
            "2 3 a, b {'n': 1}",
        );
    }

    #[test]
    fn the_lists_of_names_are_true() {
        let env = environment("en");
        for name in FILTERS {
            assert!(
                env.compile_expression_owned(format!("'a' | {name}"))
                    .is_ok()
            );
            let outcome = env.render_str(&format!("{{{{ 'a' | {name} }}}}"), ());
            let unknown = outcome.is_err_and(|e| e.kind() == ErrorKind::UnknownFilter);
            assert!(!unknown, "{name}");
        }
        for name in TESTS {
            let outcome = env.render_str(&format!("{{{{ 'a' is {name}('a') }}}}"), ());
            let unknown = outcome.is_err_and(|e| e.kind() == ErrorKind::UnknownTest);
            assert!(!unknown, "{name}");
        }
    }

    #[test]
    fn replace_cannot_explode() {
        let mut env = environment("en");
        env.add_template_owned(
            TemplatePart::Text.name(),
            "{{ ('x' * 100000) | replace('x', 'y' * 100000) }}".to_owned(),
        )
        .expect("compiles");
        assert!(render_part(&env, TemplatePart::Text, &context! {}).is_err());
    }
}
