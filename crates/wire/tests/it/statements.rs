//! Statements in each format as banks write them, and broken ones.

use relance_core::payment::{Amount, Payment};
use relance_wire::statement::{Format, Statement, StatementProblem, Why, parse};

fn file(name: &str) -> Vec<u8> {
    let path = format!("{}/tests/statements/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(path).expect("the example")
}

fn read(name: &str) -> Statement {
    parse(&file(name), name).unwrap_or_else(|problem| panic!("{name}: {problem}"))
}

fn line(payment: &Payment) -> String {
    format!(
        "{} {}{} {} | {} | {}{}",
        payment.booked,
        payment.amount,
        payment.currency,
        payment.payer.name,
        payment.payer.account,
        payment.text,
        if payment.is_reversal {
            " | taken back"
        } else {
            ""
        }
    )
}

fn told(statement: &Statement) -> Vec<String> {
    statement.payments().map(line).collect()
}

#[test]
fn camt_is_read_with_batches_returns_and_structured_references() {
    let statement = read("camt053.xml");
    assert_eq!(statement.format, Format::Camt053);
    let [part] = statement.parts.as_slice() else {
        panic!("one account");
    };
    assert_eq!(part.account, "DE89370400440532013000");
    assert_eq!(part.currency, "EUR");
    assert_eq!(part.is_balanced(), Some(true));
    assert_eq!(part.outgoing, 1);
    assert_eq!(
        told(&statement),
        [
            "2026-10-20 2380EUR Müller Maschinenbau GmbH & Co. KG | DE02120300000000202051 | Rechnung Nr. 2026-118 vom 01.10.2026",
            "2026-10-20 1250EUR NORTHWIND TRADERS LTD | GB33BUKB20201555555555 | ",
            "2026-10-20 980.4EUR Contoso GmbH |  | INV-2026/0043",
            "2026-10-20 -500EUR Schmidt Elektro GmbH |  | RE-NR. 2026-119 | taken back",
        ]
    );
    let first = &part.payments[0];
    assert_eq!(first.payer.tax_id, "DE123456789");
    assert_eq!(first.payer.bic, "BYLADEM1001");
    assert_eq!(first.end_to_end.as_deref(), Some("MM-2026-9001"));
    assert_eq!(
        part.payments[1].creditor_reference.as_deref(),
        Some("RF18539007547034")
    );
    assert_eq!(part.payments[2].end_to_end, None);

    // Within the day the same entries have the same keys.
    let early = read("camt052.xml");
    assert_eq!(early.format, Format::Camt052);
    let keys = |statement: &Statement| -> Vec<String> {
        statement.payments().map(|one| one.key.clone()).collect()
    };
    assert_eq!(keys(&early), keys(&statement));

    let swiss = read("camt054.xml");
    assert_eq!(swiss.format, Format::Camt054);
    let payment = swiss.payments().next().expect("one");
    assert_eq!(
        payment.creditor_reference.as_deref(),
        Some("210000000003139471430009017")
    );
    assert_eq!(payment.account, "CH4431999123000889012");
}

#[test]
fn mt940_is_read_in_its_dialects() {
    let german = read("mt940-german.sta");
    assert_eq!(german.format, Format::Mt940);
    assert_eq!(german.parts[0].account, "37040044/0532013000");
    assert_eq!(german.parts[0].is_balanced(), Some(true));
    assert_eq!(
        told(&german),
        [
            "2026-10-20 2380EUR Mueller Maschinenbau GmbH + Co. KG | DE02120300000000202051 | Rechnung Nr. 2026-118 vom 01.10.2026 Kd-Nr. 99812",
            "2026-10-20 119EUR SCHMIDT ELEKTRO GMBH | DE111 | RE-NR. 2026-119 DATUM 01.10.2026",
            "2026-10-20 -119EUR SCHMIDT ELEKTRO GMBH | DE111 | RE-NR. 2026-119 | taken back",
        ]
    );
    let first = german.payments().next().expect("one");
    assert_eq!(first.end_to_end.as_deref(), Some("MM-2026-9001"));

    let strokes = read("mt940-strokes.940");
    assert_eq!(strokes.parts[0].account, "NL69INGB0123456789EUR");
    assert_eq!(strokes.parts[0].is_balanced(), Some(true));
    assert_eq!(
        told(&strokes),
        [
            "2026-10-20 1250EUR NORTHWIND TRADERS LTD | GB33BUKB20201555555555 | INV-2026/0042 thank you"
        ]
    );

    let plain = read("mt940-plain.txt");
    assert_eq!(
        told(&plain),
        ["2026-10-20 980.4EUR  |  | Payment from CONTOSO GMBH INV-2026/0043 less charges"]
    );
}

#[test]
fn one_c_is_read_in_its_three_encodings() {
    let windows = read("1c-windows.txt");
    assert_eq!(windows.format, Format::OneC);
    let part = &windows.parts[0];
    assert_eq!(part.account, "40702810900000001234");
    assert_eq!(part.is_balanced(), Some(true));
    assert_eq!(part.outgoing, 1);
    assert_eq!(
        told(&windows),
        [
            "2026-10-20 12000RUB ООО \"Ромашка\" | 40702810400000005678 | Оплата по счету № 123 от 01.10.2026 за товар. В т.ч. НДС 20% - 2000-00",
            "2026-10-20 340500.5RUB АО \"Василёк\" | 40702810500000009999 | Оплата по счету СЧ-2026/77 от 01.10.2026 по договору № 123. Без НДС",
        ]
    );
    assert_eq!(part.payments[0].payer.tax_id, "7701234567");
    let keys =
        |name: &str| -> Vec<String> { read(name).payments().map(|one| one.key.clone()).collect() };
    assert_eq!(keys("1c-windows.txt"), keys("1c-utf8.txt"));
    assert_eq!(keys("1c-windows.txt"), keys("1c-dos.txt"));
}

#[test]
fn tables_are_read_in_four_languages() {
    for (name, expected) in [
        (
            "german.csv",
            &[
                "2026-10-20 2380EUR Müller Maschinenbau GmbH | DE02120300000000202051 | Rechnung Nr. 2026-118",
            ][..],
        ),
        (
            "japanese.csv",
            &[
                "2026-10-20 110000JPY ヤマダシヨウジ(カ 請求書２０２６－０４２ |  | 振込 ヤマダシヨウジ(カ 請求書２０２６－０４２",
                "2026-10-21 55000JPY サトウコウギヨウ(カ |  | 振込 サトウコウギヨウ(カ",
            ],
        ),
        (
            "russian.csv",
            &[
                "2026-10-19 12000 ООО \"Ромашка\" |  | Оплата по счету № 123 от 01.10.2026, в т.ч. НДС 20% - 2000-00",
            ],
        ),
        (
            "english.csv",
            &["2026-10-20 1250 Northwind Traders Ltd |  | INV-2026/0042"],
        ),
    ] {
        let statement = read(name);
        assert_eq!(statement.format, Format::Csv, "{name}");
        assert_eq!(told(&statement), expected, "{name}");
        assert_eq!(statement.outgoing(), 1, "{name}");
    }
}

#[test]
fn entries_that_are_alike_are_two_and_the_same_in_the_next_statement() {
    let table = "date;amount;payer;reference\n2026-10-20;10,00;Ana;fee\n2026-10-20;10,00;Ana;fee\n";
    let first = parse(table.as_bytes(), "a.csv").expect("reads");
    let longer = format!("{table}2026-10-21;10,00;Ana;fee\n");
    let second = parse(longer.as_bytes(), "b.csv").expect("reads");
    let keys = |statement: &Statement| -> Vec<String> {
        statement.payments().map(|one| one.key.clone()).collect()
    };
    let (first, second) = (keys(&first), keys(&second));
    assert_ne!(first[0], first[1]);
    assert_eq!(first[..2], second[..2]);
    assert_eq!(second.len(), 3);
}

fn problem(bytes: &[u8], name: &str) -> StatementProblem {
    parse(bytes, name).expect_err("is refused")
}

#[test]
fn what_is_broken_is_refused_with_its_line() {
    let xml = String::from_utf8(file("camt053.xml")).expect("a text");
    let entity = xml.replace("<Document", "<!DOCTYPE x [<!ENTITY a \"b\">]>\n<Document");
    assert_eq!(problem(entity.as_bytes(), "x.xml").why, Why::Doctype);
    let cut = &xml[..xml.len() / 2];
    assert!(problem(cut.as_bytes(), "x.xml").line > 30);
    let bad = xml.replacen("2380.00", "2380,00", 1);
    let bad = problem(bad.as_bytes(), "x.xml");
    assert_eq!((bad.line, bad.why.code()), (18, "not_an_amount"));
    let deep = format!("<Document><BkToCstmrStmt>{}", "<a>".repeat(100_000));
    assert_eq!(problem(deep.as_bytes(), "x.xml").why.code(), "too_deep");
    let other = problem(b"<Invoice><cbc><ID>1</ID></cbc></Invoice>", "x.xml");
    assert!(
        matches!(other.why, Why::OtherXml(_) | Why::Malformed),
        "{other}"
    );

    let german = String::from_utf8(file("mt940-german.sta")).expect("a text");
    let bad = german.replacen("CR2380,00", "XX2380,00", 1);
    let bad = problem(bad.as_bytes(), "x.sta");
    assert_eq!((bad.line, bad.why.code()), (5, "bad_line"));

    let utf8 = String::from_utf8(file("1c-utf8.txt")).expect("a text");
    let bad = utf8.replacen("Сумма=12000.00", "Сумма=много", 1);
    let bad = problem(bad.as_bytes(), "x.txt");
    assert_eq!((bad.line, bad.why.code()), (23, "not_an_amount"));
    let cut = utf8.split("КонецДокумента").next().expect("a head");
    assert_eq!(problem(cut.as_bytes(), "x.txt").why.code(), "cut");

    let table = problem("дата;сумма\nвчера2;5,00\n".as_bytes(), "x.csv");
    assert_eq!((table.line, table.why.code()), (2, "not_a_date"));
    assert_eq!(problem(b"a;b\n1;2\n", "x.csv").why, Why::NoHeader);
    assert_eq!(problem(b"  \n", "x.csv").why, Why::Empty);
    assert_eq!(problem(&[0, 1, 2, 3], "x.pdf").why, Why::Unknown);
}

#[test]
fn no_cut_or_changed_byte_makes_it_panic() {
    for name in [
        "camt053.xml",
        "mt940-german.sta",
        "mt940-strokes.940",
        "1c-windows.txt",
        "japanese.csv",
        "german.csv",
    ] {
        let whole = file(name);
        for at in 0..whole.len() {
            let _ = parse(&whole[..at], name);
            let mut changed = whole.clone();
            changed[at] ^= 0x15;
            if let Ok(read) = parse(&changed, name) {
                assert!(read.payments().all(|one| one.amount != Amount::ZERO));
            }
        }
    }
}

/// Tables in the forms of further banks, each with what came: day, amount, currency and payer.
const FORMS: &[(&str, &str, &[&str])] = &[
    (
        "a German bank with both forms of amounts",
        "Buchungstag;Wert;Umsatzart;Begünstigter / Auftraggeber;Verwendungszweck;IBAN / Kontonummer;BIC;Betrag;Soll;Haben;Währung\n20.10.2026;20.10.2026;SEPA-Überweisung;Beispiel AG;RE 2026-7;DE02120300000000202051;BYLADEM1001;1.190,00;;1.190,00;EUR\n21.10.2026;21.10.2026;Gebühr;;Kontoführung;;;-9,90;-9,90;;EUR\n",
        &["2026-10-20 1190 EUR Beispiel AG"],
    ),
    (
        "a bank of phones",
        "\"Booking Date\",\"Value Date\",\"Partner Name\",\"Partner Iban\",Type,\"Payment Reference\",\"Account Name\",\"Amount (EUR)\"\n2026-10-20,2026-10-20,\"Muster GmbH\",DE02120300000000202051,Income,\"Invoice 17\",Main,250.5\n",
        &["2026-10-20 250.5 EUR Muster GmbH"],
    ),
    (
        "rows that were never booked",
        "Type,Product,Started Date,Completed Date,Description,Amount,Fee,Currency,State,Balance\nTOPUP,Current,2026-10-20 10:00:00,2026-10-20 10:00:05,Payment from Acme,500.00,0.00,GBP,COMPLETED,900.00\nTOPUP,Current,2026-10-21 10:00:00,2026-10-21 10:00:05,Payment from Acme,500.00,0.00,GBP,REVERTED,900.00\n",
        &["2026-10-20 500 GBP "],
    ),
    (
        "days with dashes, the day first",
        "TransferWise ID,Date,Amount,Currency,Description,Payment Reference,Running Balance,Payer Name,Payee Name\nTRANSFER-1,20-10-2026,75.00,EUR,Received money,INV-9,100.00,Ana Ltd,\nTRANSFER-2,02-10-2026,-5.00,EUR,Sent money,,95.00,,Bo\n",
        &["2026-10-20 75 EUR Ana Ltd"],
    ),
    (
        "a Dutch bank that writes Af and Bij",
        "\"Datum\";\"Naam / Omschrijving\";\"Rekening\";\"Tegenrekening\";\"Code\";\"Af Bij\";\"Bedrag (EUR)\";\"Mutatiesoort\";\"Mededelingen\"\n\"20261020\";\"Jansen BV\";\"NL77INGB0574908765\";\"NL66ABNA0123456789\";\"OV\";\"Bij\";\"121,00\";\"Overschrijving\";\"Factuur 8\"\n\"20261021\";\"Winkel\";\"NL77INGB0574908765\";\"\";\"BA\";\"Af\";\"12,00\";\"Betaalautomaat\";\"\"\n",
        &["2026-10-20 121 EUR Jansen BV"],
    ),
    (
        "a Polish bank",
        "#Data operacji;#Opis operacji;#Rachunek;#Kwota;#Waluta\n2026-10-20;PRZELEW FV/7/2026;11114020040000300201355387;1 230,00;PLN\n",
        &["2026-10-20 1230 PLN "],
    ),
    (
        "French and Spanish",
        "Date opération;Date valeur;Libellé;Débit;Crédit\n20/10/2026;20/10/2026;VIR ACME FACTURE 7;;1 200,50\n21/10/2026;21/10/2026;FRAIS;-3,00;\n",
        &["2026-10-20 1200.5  "],
    ),
    (
        "days whose year has two digits, with a comma before the decimals",
        "Date,Operation Number,Label,Debit,Credit,Details\n01/04/20,OP 1,LABEL,\"-50,00\",,D\n02/04/20,OP 2,LABEL,,\"1300,00\",D\n",
        &["2020-04-02 1300  "],
    ),
    (
        "a payment service",
        "\"Date\",\"Time\",\"Time Zone\",\"Description\",\"Currency\",\"Gross\",\"Fee\",\"Net\",\"Balance\",\"Transaction ID\",\"Name\",\"Invoice ID\"\n\"9/14/2026\",\"10:00:00\",\"PDT\",\"General Payment\",\"USD\",\"84.00\",\"-4.25\",\"79.75\",\"79.75\",\"T1\",\"Partner\",\"INV-5\"\n",
        &["2026-09-14 84 USD Partner"],
    ),
    (
        "a Russian bank of cards and accounts",
        "\"Дата операции\";\"Дата платежа\";\"Статус\";\"Сумма операции\";\"Валюта операции\";\"Контрагент\";\"ИНН контрагента\";\"Описание\"\n\"20.10.2026 12:00:00\";\"20.10.2026\";\"OK\";\"15000,00\";\"RUB\";\"ООО Лютик\";\"7701234567\";\"Оплата по счёту 5\"\n\"20.10.2026 13:00:00\";\"\";\"FAILED\";\"700,00\";\"RUB\";\"\";\"\";\"\"\n",
        &["2026-10-20 15000 RUB ООО Лютик"],
    ),
    (
        "Japanese heads with other okurigana",
        "\"日付\",\"摘要\",\"摘要内容\",\"支払い金額\",\"預かり金額\",\"差引残高\"\n\"2026/10/20\",\"振込\",\"ヤマダシヨウジ（カ\",\"\",\"110,000\",\"1,110,000\"\n\"2026/10/21\",\"手数料\",\"\",\"440\",\"\",\"1,109,560\"\n",
        &["2026-10-20 110000 JPY ヤマダシヨウジ（カ"],
    ),
];

#[test]
fn tables_of_further_banks_say_what_came() {
    for (what, text, expected) in FORMS {
        let statement =
            parse(text.as_bytes(), "a.csv").unwrap_or_else(|problem| panic!("{what}: {problem}"));
        let found: Vec<String> = statement
            .payments()
            .map(|one| {
                format!(
                    "{} {} {} {}",
                    one.booked, one.amount, one.currency, one.payer.name
                )
            })
            .collect();
        assert_eq!(found, *expected, "{what}");
    }
}
