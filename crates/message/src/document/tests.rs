//! The whole recognition on small mails; accuracy over many is measured in `tests/it/documents.rs`.

use jiff::civil::date;

use super::*;

fn rules() -> DocumentRules {
    DocumentRules::from_toml(rules::tests::SHIPPED).unwrap()
}

fn mail(subject: &str, text: &str, attachments: &[(&str, Option<&str>)]) -> Option<FoundDocument> {
    let attachments: Vec<AttachmentText<'_>> = attachments
        .iter()
        .map(|(name, text)| AttachmentText {
            name,
            content_type: "application/pdf",
            text: *text,
        })
        .collect();
    find(
        &DocumentInput {
            subject,
            text,
            attachments: &attachments,
            sent_on: Some(date(2026, 3, 10)),
        },
        &rules(),
    )
}

#[test]
fn russian_invoice_of_the_usual_kind() {
    let text = "Счёт на оплату № 1234-А от 12 марта 2026 г.\n\nПоставщик: ООО \"Ромашка\", ИНН 7701234567\n\
        №  Товары  Кол-во  Цена  Сумма\n1  Насос  2  500 000,00  1 000 000,00\n\
        Итого:  1 000 000,00\nВ том числе НДС:  166 666,67\nВсего к оплате:  1 234 567,89 руб.\n\
        Оплатить не позднее 20.03.2026";
    let found = mail(
        "Счет от Ромашки",
        "Во вложении счет.",
        &[("scan.pdf", Some(text))],
    )
    .unwrap();
    assert_eq!(found.kind, DocumentKind::Invoice);
    assert_eq!(found.number.as_deref(), Some("1234-А"));
    assert_eq!(found.amount, Some(Decimal::new(123_456_789, 2)));
    assert_eq!(found.currency.as_deref(), Some("RUB"));
    assert_eq!(found.issued, Some(date(2026, 3, 12)));
    assert_eq!(found.due, Some(date(2026, 3, 20)));
    assert_eq!(found.attachment.as_deref(), Some("scan.pdf"));
}

#[test]
fn japanese_invoice_in_full_width() {
    let text = "請求書\n請求書番号：２０２６－０３１\n発行日：令和8年3月12日\nお支払期限：2026年4月30日\n\
        小計　112,233円\n消費税　11,223円\n合計金額　¥123,456（税込）";
    let found = mail(
        "請求書送付の件",
        "添付の通りお送りいたします。",
        &[("請求書.pdf", Some(text))],
    )
    .unwrap();
    assert_eq!(found.number.as_deref(), Some("2026-031"));
    assert_eq!(found.amount, Some(Decimal::from(123_456)));
    assert_eq!(found.currency.as_deref(), Some("JPY"));
    assert_eq!(found.issued, Some(date(2026, 3, 12)));
    assert_eq!(found.due, Some(date(2026, 4, 30)));
}

#[test]
fn the_body_itself_may_be_the_document() {
    let found = mail(
        "Invoice INV-2026-0042 from Acme",
        "Hello,\n\nAmount due: $1,234.50\nInvoice date: March 2, 2026\nTerms: net 30\n\nPay online: https://pay.example/1",
        &[],
    )
    .unwrap();
    assert_eq!(found.number.as_deref(), Some("INV-2026-0042"));
    assert_eq!(found.amount, Some(Decimal::new(12345, 1)));
    assert_eq!(found.due, Some(date(2026, 4, 1)));
    assert_eq!(found.attachment, None);
    assert!(!found.evidence.is_empty());
}

#[test]
fn mentions_receipts_and_requests_are_no_documents() {
    assert_eq!(
        mail(
            "Lunch?",
            "By the way, did you see the invoice they sent?",
            &[]
        ),
        None
    );
    assert_eq!(
        mail(
            "Payment received",
            "We have received your payment of $10.00 for invoice INV-7.",
            &[("receipt.pdf", None)]
        ),
        None
    );
    assert_eq!(
        mail(
            "Запрос КП",
            "Просим выслать коммерческое предложение.",
            &[("Запрос КП.docx", None)]
        ),
        None
    );
    assert_eq!(
        mail(
            "Счет-фактура",
            "Во вложении.",
            &[("Счет-фактура 12.pdf", None)]
        ),
        None
    );
    assert_eq!(mail("", "", &[]), None);
}

#[test]
fn json_has_the_promised_shape() {
    let mut found = mail("Invoice INV-2026-0042", "Amount due: $1,234.50", &[]).unwrap();
    let json = serde_json::to_value(&found).unwrap();
    assert_eq!(json["kind"], "invoice");
    assert_eq!(json["number"], "INV-2026-0042");
    assert_eq!(json["amount"].to_string(), "1234.5");
    assert_eq!(json["currency"], "USD");
    assert!(json["due"].is_null());
    found.amount = Some(Decimal::from(123_456));
    found.due = Some(date(2026, 4, 1));
    let json = serde_json::to_value(&found).unwrap();
    assert_eq!(json["amount"].to_string(), "123456");
    assert_eq!(json["due"], "2026-04-01");
}

#[test]
fn an_e_invoice_beats_its_pdf() {
    let xml = r#"<Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2"><ID>X-1</ID></Invoice>"#;
    let found = mail(
        "Invoice 5",
        "attached",
        &[
            ("Invoice 5.pdf", Some("Invoice 5")),
            ("Invoice 5.pdf", Some(xml)),
        ],
    );
    assert_eq!(found.unwrap().number.as_deref(), Some("X-1"));
    let note = xml.replace("Invoice", "CreditNote");
    assert_eq!(
        mail("Credit note", "attached", &[("note.xml", Some(&note))]),
        None
    );
}

/// Layouts of accounting programs, as their PDFs come out of the reader.
#[test]
fn labels_of_programs_find_their_values() {
    let read = |text: &str| mail("", "", &[("document.pdf", Some(text))]).unwrap();
    let found = read(
        "TAX INVOICE\n# INV-000231\n\nBalance Due    ₹2,832.00\n#    Item    Qty    Amount\n1    Rolls    12    2,832.00",
    );
    assert_eq!(found.number.as_deref(), Some("INV-000231"));
    let found = read(
        "Tax Invoice\nInvoice No.      Dated\nGST/26-27/089    11-May-26\nTotal    ₹ 1,18,000.00",
    );
    assert_eq!(found.number.as_deref(), Some("GST/26-27/089"));
    assert_eq!(found.issued, Some(date(2026, 5, 11)));
    let found = read(
        "INVOICE\nDocument Number / Date    9000451223 / 04/15/2026\nPurchase Order No.    4500017788\nFinal Amount    $14,875.60",
    );
    assert_eq!(found.number.as_deref(), Some("9000451223"));
    let found = read(
        "請求書\n小計    消費税    請求金額\n230,000円    23,000円    253,000円\n請求書番号  K-52",
    );
    assert_eq!(found.amount, Some(Decimal::from(253_000)));
    let found = read("Rechnung    R100234\nDatum    02.10.2026\nZu zahlender Betrag    71,40 €");
    assert_eq!(found.number.as_deref(), Some("R100234"));
}

#[test]
fn a_day_for_a_discount_is_not_the_day_to_pay() {
    let due = |terms: &str| {
        let text = format!(
            "Rechnung Nr. 2026-17\nRechnungsdatum 05.06.2026\nRechnungsbetrag 119,00 €\n{terms}"
        );
        mail("", "", &[("document.pdf", Some(&text))]).unwrap().due
    };
    let expected = Some(date(2026, 7, 5));
    assert_eq!(due("Zahlung: 8 Tage 2 % Skonto, 30 Tage netto."), expected);
    assert_eq!(
        due(
            "Bei Zahlung innerhalb von 8 Tagen gewähren wir 2 % Skonto. Zahlbar innerhalb von 30 Tagen."
        ),
        expected
    );
    assert_eq!(due("Zahlbar bis 05.07.2026 ohne Abzug."), expected);
    assert_eq!(due("Payment: 2% discount within 10 days, net 30"), expected);
}
