//! Cases as statements have them, and what must hold of any.

use jiff::civil::date;
use proptest::prelude::*;

use super::super::{Payer, PaymentId};
use super::*;

fn amount(text: &str) -> Amount {
    Amount::parse(text).expect("an amount")
}

fn payment(sum: &str, currency: &str, payer: &str, text: &str) -> Payment {
    Payment {
        key: format!("{sum}{text}"),
        booked: date(2026, 10, 20),
        amount: amount(sum),
        currency: currency.to_owned(),
        payer: Payer {
            name: payer.to_owned(),
            ..Payer::default()
        },
        text: text.to_owned(),
        creditor_reference: None,
        end_to_end: None,
        is_reversal: false,
        account: String::new(),
    }
}

fn invoice(id: &str, number: &str, open: &str, currency: &str, client: &str) -> Candidate {
    Candidate {
        contact: ContactId(client.bytes().map(u64::from).sum()),
        document: id.into(),
        number: number.to_owned(),
        open: Some(amount(open)),
        currency: currency.to_owned(),
        issued: Some(date(2026, 10, 1)),
        due: Some(date(2026, 10, 15)),
        reference: String::new(),
        is_paid: false,
        client: Client {
            names: vec![client.to_owned()],
            ..Client::default()
        },
    }
}

fn told(judgement: &Judgement) -> String {
    let share = |share: &Share| format!("{}={}", share.number, share.amount);
    match &judgement.verdict {
        Verdict::Exact(one) => format!("exact {}", share(one)),
        Verdict::Part { share: one, left } => format!("part {} left {left}", share(one)),
        Verdict::Over { share: one, rest } => format!("over {} rest {rest}", share(one)),
        Verdict::Joint(all) => {
            let mut all: Vec<String> = all.iter().map(share).collect();
            all.sort();
            format!("joint {}", all.join(" "))
        }
        Verdict::Unclear => "unclear".to_owned(),
        Verdict::None => "none".to_owned(),
    }
}

/// The books of one seller.
fn books() -> Vec<Candidate> {
    vec![
        invoice("r1", "123", "12000", "RUB", "ООО Ромашка"),
        invoice("r2", "124", "5000", "RUB", "ООО Ромашка"),
        invoice("r3", "СЧ-2026/77", "340500.50", "RUB", "АО Василёк"),
        invoice("r4", "12", "7000", "RUB", "ИП Ёлкин Семён Петрович"),
        invoice(
            "e1",
            "INV-2026/0042",
            "1250",
            "EUR",
            "Northwind Traders Ltd",
        ),
        invoice("e2", "INV-2026/0043", "980.40", "EUR", "Contoso GmbH"),
        invoice("e3", "INV-2026/0044", "1250", "USD", "Fabrikam Inc"),
        invoice(
            "d1",
            "2026-118",
            "2380",
            "EUR",
            "Müller Maschinenbau GmbH & Co. KG",
        ),
        invoice("d2", "2026-119", "119", "EUR", "Schmidt Elektro GmbH"),
        invoice("j1", "2026-042", "110000", "JPY", "株式会社山田商事"),
        invoice("j2", "R-0881", "55000", "JPY", "佐藤工業株式会社"),
    ]
}

#[test]
fn payments_as_banks_write_them() {
    let cases = [
        // Russian.
        (
            "12000",
            "RUB",
            "ООО \"РОМАШКА\"",
            "Оплата по счету № 123 от 01.10.2026 за товар. В т.ч. НДС 20% - 2000-00",
            "exact 123=12000",
        ),
        (
            "12000",
            "RUB",
            "ООО РОМАШКА",
            "оплата по сч.123 от 1.10.26, НДС не облагается",
            "exact 123=12000",
        ),
        (
            "5000",
            "RUB",
            "ООО РОМАШКА",
            "Оплата по счету 123. В том числе НДС 833-33",
            "part 123=5000 left 7000",
        ),
        (
            "13000",
            "RUB",
            "ООО РОМАШКА",
            "Счет №123",
            "over 123=12000 rest 1000",
        ),
        (
            "17000",
            "RUB",
            "ООО РОМАШКА",
            "По счетам № 123, 124 от 01.10.2026 в т.ч. НДС 20%",
            "joint 123=12000 124=5000",
        ),
        (
            "17000",
            "RUB",
            "ООО РОМАШКА",
            "Оплата счетов 123 и 124",
            "joint 123=12000 124=5000",
        ),
        (
            "16000",
            "RUB",
            "ООО РОМАШКА",
            "Оплата счетов 123 и 124",
            "unclear",
        ),
        (
            "340500.50",
            "RUB",
            "АО \"ВАСИЛЁК\"",
            "Оплата по счету СЧ-2026/77 от 01.10.2026 по договору № 123",
            "exact СЧ-2026/77=340500.5",
        ),
        (
            "340500.50",
            "RUB",
            "АО ВАСИЛЕК",
            "сч 2026 77",
            "exact СЧ-2026/77=340500.5",
        ),
        (
            "7000",
            "RUB",
            "ИП ЁЛКИН СЕМЁН ПЕТРОВИЧ",
            "за услуги по счёту 12",
            "exact 12=7000",
        ),
        (
            "7000",
            "RUB",
            "ООО ДРУГОЕ",
            "оплата за 12 месяцев",
            "unclear",
        ),
        ("7000", "RUB", "ООО ДРУГОЕ", "аренда помещения", "none"),
        ("7001", "RUB", "ООО ДРУГОЕ", "аренда помещения", "none"),
        (
            "12000",
            "RUB",
            "ООО РОМАШКА",
            "Оплата по договору № 45 от 01.02.2026",
            "exact 123=12000",
        ),
        (
            "12000",
            "RUB",
            "ООО РОМАШКА",
            "Оплата по счету № 999",
            "unclear",
        ),
        // English.
        (
            "1250",
            "EUR",
            "NORTHWIND TRADERS LTD",
            "INV-2026/0042",
            "exact INV-2026/0042=1250",
        ),
        (
            "1250",
            "EUR",
            "NORTHWIND TRADERS",
            "payment inv 2026 0042 thank you",
            "exact INV-2026/0042=1250",
        ),
        (
            "1250",
            "EUR",
            "Some Holding BV",
            "on behalf of Northwind: Invoice INV-2026/0042",
            "exact INV-2026/0042=1250",
        ),
        (
            "1250",
            "USD",
            "NORTHWIND TRADERS LTD",
            "INV-2026/0042",
            "unclear",
        ),
        (
            "1250",
            "EUR",
            "NORTHWIND TRADERS LTD",
            "invoice 42",
            "exact INV-2026/0042=1250",
        ),
        (
            "1200",
            "EUR",
            "NORTHWIND TRADERS LTD",
            "invoice 42",
            "unclear",
        ),
        (
            "2230.40",
            "EUR",
            "Some Holding BV",
            "INV-2026/0042, INV-2026/0043",
            "joint INV-2026/0042=1250 INV-2026/0043=980.4",
        ),
        (
            "1250",
            "EUR",
            "NORTHWIND TRADERS LTD",
            "thank you",
            "exact INV-2026/0042=1250",
        ),
        (
            "980",
            "EUR",
            "CONTOSO GMBH",
            "INV-2026/0043 less charges",
            "part INV-2026/0043=980 left 0.4",
        ),
        // German.
        (
            "2380",
            "EUR",
            "MUELLER MASCHINENBAU GMBH",
            "Rechnung Nr. 2026-118 vom 01.10.2026 KD-NR 99812",
            "exact 2026-118=2380",
        ),
        (
            "2380",
            "EUR",
            "Müller Maschinenbau",
            "RG 2026/118 inkl. 19% MwSt 380,00",
            "exact 2026-118=2380",
        ),
        (
            "1190",
            "EUR",
            "Müller Maschinenbau",
            "Anzahlung Rechnung 2026-118",
            "part 2026-118=1190 left 1190",
        ),
        (
            "119",
            "EUR",
            "SCHMIDT ELEKTRO GMBH",
            "RE-NR. 2026-119 DATUM 01.10.2026",
            "exact 2026-119=119",
        ),
        ("119", "EUR", "Petra Krause", "Miete Oktober", "none"),
        // Japanese.
        (
            "110000",
            "JPY",
            "ヤマダシヨウジ（カ",
            "請求書番号 2026-042",
            "exact 2026-042=110000",
        ),
        (
            "110000",
            "JPY",
            "株式会社山田商事",
            "ご請求書２０２６－０４２分　１０月",
            "exact 2026-042=110000",
        ),
        (
            "110000",
            "JPY",
            "（株）山田商事",
            "",
            "exact 2026-042=110000",
        ),
        (
            "55000",
            "JPY",
            "サトウコウギヨウ（カ",
            "請求書R-0881 消費税5000円",
            "exact R-0881=55000",
        ),
        (
            "50000",
            "JPY",
            "サトウコウギヨウ（カ",
            "請求書R-0881",
            "part R-0881=50000 left 5000",
        ),
        ("55000", "JPY", "サトウコウギヨウ（カ", "", "unclear"),
    ];
    let mut wrong = Vec::new();
    for (sum, currency, payer, text, expected) in cases {
        let judgement = judge(&payment(sum, currency, payer, text), &books());
        if told(&judgement) != expected {
            wrong.push(format!(
                "{sum} {payer} {text:?}: {} instead of {expected}",
                told(&judgement)
            ));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_payer_that_is_known_needs_no_number() {
    let mut books = books();
    for one in &mut books[..2] {
        one.client.tax_ids = vec!["7701234567".to_owned()];
    }
    let mut paid = payment("17000", "RUB", "РОМАШКА", "Оплата задолженности");
    paid.payer.tax_id = "7701234567".to_owned();
    assert_eq!(told(&judge(&paid, &books)), "joint 123=12000 124=5000");
    // Another one's tax id beside a number of theirs: a person must look.
    let mut other = payment("12000", "RUB", "РОМАШКА", "счет 123");
    other.payer.tax_id = "7709999999".to_owned();
    let judgement = judge(&other, &books);
    assert_eq!(told(&judgement), "unclear");
    assert!(judgement.ranked[0].reasons.contains(&Reason::OtherPayer));
    // Two sets of one sum: a person must look.
    let mut third = books[1].clone();
    third.document = "r9".into();
    third.number = "125".to_owned();
    books.push(third);
    assert_eq!(told(&judge(&paid, &books)), "unclear");
}

#[test]
fn references_that_prove_themselves_are_enough() {
    let mut books = books();
    books[4].reference = "RF18 5390 0754 7034".to_owned();
    let paid = payment("1250", "EUR", "Somebody", "Zahlung RF18539007547034");
    assert_eq!(told(&judge(&paid, &books)), "exact INV-2026/0042=1250");
    let mut paid = payment("1250", "EUR", "Somebody", "");
    paid.creditor_reference = Some("RF18539007547034".to_owned());
    assert_eq!(told(&judge(&paid, &books)), "exact INV-2026/0042=1250");
    assert!(lookup_keys(&paid).contains("539007547034"));
}

#[test]
fn a_number_of_several_years_is_told_by_payer_and_amount() {
    let mut books = books();
    books.push(invoice("old", "123", "900", "RUB", "ООО Лютик"));
    let paid = payment("12000", "RUB", "ООО Ромашка", "счет 123");
    assert_eq!(told(&judge(&paid, &books)), "exact 123=12000");
    let paid = payment("900", "RUB", "ООО ЛЮТИК", "счет 123");
    assert_eq!(told(&judge(&paid, &books)), "exact 123=900");
    let paid = payment("500", "RUB", "Кто-то", "счет 123");
    assert_eq!(told(&judge(&paid, &books)), "unclear");
}

#[test]
fn what_is_paid_is_not_paid_twice() {
    let mut books = books();
    books[0].is_paid = true;
    books[0].open = Some(Amount::ZERO);
    let paid = payment("12000", "RUB", "ООО Ромашка", "счет 123");
    let judgement = judge(&paid, &books);
    assert_eq!(told(&judgement), "unclear");
    assert!(judgement.ranked[0].reasons.contains(&Reason::PaidAlready));
}

#[test]
fn a_return_finds_what_it_takes_back() {
    let mut first = payment("1250", "EUR", "Northwind", "INV-2026/0042");
    first.end_to_end = Some("E2E-1".to_owned());
    let mut second = first.clone();
    second.end_to_end = Some("E2E-2".to_owned());
    let earlier = |key: &str, payment: &Payment| Earlier {
        id: PaymentId::derive(key),
        payment: payment.clone(),
    };
    let mut back = payment("-1250", "EUR", "", "RETURN");
    back.is_reversal = true;
    back.end_to_end = Some("E2E-2".to_owned());
    let all = [earlier("a", &first), earlier("b", &second)];
    assert_eq!(reversed(&back, &all), Some(PaymentId::derive("b")));
    back.end_to_end = None;
    assert_eq!(reversed(&back, &all), None);
    back.payer.name = "NORTHWIND".to_owned();
    assert_eq!(reversed(&back, &all), None, "two of them");
    assert_eq!(reversed(&back, &all[..1]), Some(PaymentId::derive("a")));
    back.booked = date(2026, 10, 19);
    assert_eq!(reversed(&back, &all[..1]), None, "before it came");
}

#[test]
fn ids_read_back() {
    let id = PaymentId::derive("a key");
    assert_eq!(id.to_string().parse(), Ok(id));
    assert!(
        "pay_+0112233445566778899aabbccddeef"
            .parse::<PaymentId>()
            .is_err()
    );
}

proptest! {
    /// Whatever is written, money is put to documents at most once, and never more than is open.
    #[test]
    fn shares_never_exceed_the_money(
        units in -50_000_i64..400_000,
        text in "(счет|invoice|№|請求書|и|,| |123|124|12|42|2026-118|INV-2026/004[2-4]|НДС 20%){0,8}",
        payer in prop::sample::select(vec!["ООО Ромашка", "Northwind Traders", "Müller", "山田商事", ""]),
        currency in prop::sample::select(vec!["RUB", "EUR", "JPY", ""]),
    ) {
        let paid = payment(&units.to_string(), currency, payer, &text);
        let mut books = books();
        let judgement = judge(&paid, &books);
        let (shares, rest) = match &judgement.verdict {
            Verdict::Exact(one) => (vec![one.clone()], Amount::ZERO),
            Verdict::Part { share, left } => {
                prop_assert!(left.is_positive());
                (vec![share.clone()], Amount::ZERO)
            }
            Verdict::Over { share, rest } => {
                prop_assert!(rest.is_positive());
                (vec![share.clone()], *rest)
            }
            Verdict::Joint(all) => {
                prop_assert!(all.len() > 1);
                (all.clone(), Amount::ZERO)
            }
            Verdict::Unclear | Verdict::None => return Ok(()),
        };
        let sum: Amount = shares.iter().map(|one| one.amount).sum();
        prop_assert_eq!(sum + rest, paid.amount);
        let documents: BTreeSet<_> = shares.iter().map(|one| &one.document).collect();
        prop_assert_eq!(documents.len(), shares.len());
        for share in &shares {
            let of = books.iter().find(|one| one.document == share.document).expect("one of them");
            prop_assert!(share.amount <= of.open.expect("known"));
            prop_assert!(of.currency == currency || currency.is_empty());
        }
        // The order in which they are found changes nothing.
        books.reverse();
        prop_assert_eq!(told(&judge(&paid, &books)), told(&judgement));
    }

    /// An exact payment of a telling number is found whatever stands around it.
    #[test]
    fn a_telling_number_is_always_found(before in "[a-zа-я ,.]{0,30}", after in "[a-zа-я ,]{0,30}") {
        let paid = payment("980.40", "EUR", "", &format!("{before} INV-2026/0043 {after}"));
        prop_assert_eq!(told(&judge(&paid, &books())), "exact INV-2026/0043=980.4");
    }
}
