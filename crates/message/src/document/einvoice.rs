//! E-invoices: the exact answer when a mail carries UBL or CII (Factur-X, ZUGFeRD, XRechnung, PINT), a Russian
//! УПД (ON_NSCHFDOPPR, 5.01 and 5.03) or a счёт of CommerceML.
//!
//! Reads number, dates, amounts, currency and parties by their paths in one streaming pass.
//! **Absent:** document type definitions and entities of one's own (both refused), validation against
//! a schema, line items. Sources: EN 16931-1; OASIS UBL 2.x; UN/CEFACT CII D16B and ZUGFeRD 1.0; orders ММВ-7-15/820
//! and ЕД-7-26/970 of the Russian tax office; CommerceML 2 (see `russian`).

use std::borrow::Cow;

use jiff::civil::Date;
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use rust_decimal::Decimal;

/// Largest XML read; the corpora's largest real invoice is a hundred times smaller.
pub const EINVOICE_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Deepest nesting followed; CII needs nine levels.
pub const EINVOICE_DEPTH_MAX: usize = 64;
/// Longest field value kept, in bytes.
const VALUE_BYTES_MAX: usize = 256;
/// Bytes in which an XML declaration is looked for.
const DECLARATION_BYTES: usize = 200;
/// Rates of tax kept.
const RATES_MAX: usize = 8;

/// What the XML says it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EInvoiceKind {
    Invoice,
    /// UBL `Quotation`.
    Offer,
    /// Money back: recognised, and never a document to remind of.
    CreditNote,
}

/// The fields of an e-invoice; an absent field was absent or unreadable in the XML.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EInvoice {
    pub kind: EInvoiceKind,
    pub number: Option<String>,
    pub issued: Option<Date>,
    pub due: Option<Date>,
    pub valid_until: Option<Date>,
    /// What is left to pay; the total with tax when the XML names no payable amount.
    pub amount: Option<Decimal>,
    /// ISO 4217.
    pub currency: Option<String>,
    /// Value added tax in the amount.
    pub vat: Option<Decimal>,
    /// Its rates in percent, each once.
    pub vat_rates: Vec<Decimal>,
    /// The total without tax.
    pub net: Option<Decimal>,
    /// The buyer's name.
    pub payer: Option<String>,
    /// The buyer's number with the tax office.
    pub payer_tax_id: Option<String>,
    /// The seller's.
    pub seller_tax_id: Option<String>,
    /// What the payment is to name.
    pub bank_reference: Option<String>,
}

/// Why no e-invoice was read.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum EInvoiceProblem {
    #[error("xml of {bytes} bytes is larger than {EINVOICE_BYTES_MAX}: send a smaller attachment")]
    TooLarge { bytes: usize },
    #[error("xml is nested deeper than {EINVOICE_DEPTH_MAX} levels")]
    TooDeep,
    #[error("xml has a document type definition, which is refused: send it without")]
    DoctypeRefused,
    #[error("xml root `{root}` is neither ubl, cii, a russian upd nor commerceml")]
    NotAnEInvoice { root: String },
    #[error("xml is not well-formed at byte {at}")]
    Malformed { at: u64 },
}

/// Whether the first bytes look like XML at all; cheap, for choosing a reader.
pub fn looks_like_xml(text: &str) -> bool {
    let head = text.trim_start_matches('\u{feff}').trim_start();
    head.starts_with("<?xml")
        || (head.starts_with('<')
            && head
                .get(..DECLARATION_BYTES.min(head.len()))
                .is_some_and(|h| h.contains("xmlns")))
}

/// Reads bytes in UTF-8, UTF-16 (by its mark) or the encoding of the XML declaration.
pub fn read_bytes(bytes: &[u8]) -> Result<EInvoice, EInvoiceProblem> {
    if bytes.len() > EINVOICE_BYTES_MAX {
        return Err(EInvoiceProblem::TooLarge { bytes: bytes.len() });
    }
    read(&decode(bytes))
}

/// Decodes XML bytes to text: byte order mark first, then the declaration, else UTF-8.
pub fn decode(bytes: &[u8]) -> Cow<'_, str> {
    let encoding = encoding_rs::Encoding::for_bom(bytes)
        .map(|(encoding, _)| encoding)
        .or_else(|| {
            let head = &bytes[..bytes.len().min(DECLARATION_BYTES)];
            let head = String::from_utf8_lossy(head);
            let name = head.strip_prefix("<?xml")?.split("encoding=").nth(1)?;
            let quote = name.chars().next().filter(|c| matches!(c, '"' | '\''))?;
            encoding_rs::Encoding::for_label(name[1..].split(quote).next()?.as_bytes())
        });
    encoding.unwrap_or(encoding_rs::UTF_8).decode(bytes).0
}

/// Reads an e-invoice from text that is already decoded.
pub fn read(text: &str) -> Result<EInvoice, EInvoiceProblem> {
    if text.len() > EINVOICE_BYTES_MAX {
        return Err(EInvoiceProblem::TooLarge { bytes: text.len() });
    }
    let mut reader = Reader::from_str(text.trim_start_matches('\u{feff}').trim_start());
    let mut walk = Walk::default();
    loop {
        let at = reader.buffer_position();
        let event = reader
            .read_event()
            .map_err(|_| EInvoiceProblem::Malformed { at })?;
        match event {
            Event::Start(start) => walk.open(&start)?,
            Event::Empty(start) => {
                walk.open(&start)?;
                walk.close();
            }
            Event::End(_) => walk.close(),
            Event::Text(text) => walk.push(&text.xml10_content()),
            Event::CData(data) => walk.push(&data.into_inner()),
            Event::GeneralRef(reference) => {
                if let Ok(Some(c)) = reference.resolve_char_ref() {
                    walk.push(c.encode_utf8(&mut [0; 4]));
                } else if let Some(c) =
                    quick_xml::escape::resolve_predefined_entity(&reference.into_inner())
                {
                    walk.push(c);
                }
            }
            Event::DocType(_) => return Err(EInvoiceProblem::DoctypeRefused),
            Event::Eof => break,
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
        }
    }
    if !walk.path.is_empty() {
        return Err(EInvoiceProblem::Malformed {
            at: reader.buffer_position(),
        });
    }
    walk.finish()
}

/// Which vocabulary the root element chose.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Vocabulary {
    Ubl,
    Cii,
    /// The Russian УПД.
    Upd,
    CommerceMl,
}

#[derive(Default)]
struct Walk {
    /// Local names from below the root, joined by `/`.
    path: String,
    /// Where each open element's name starts in `path`.
    starts: Vec<usize>,
    root: String,
    vocabulary: Option<Vocabulary>,
    value: String,
    value_currency: Option<String>,
    fields: Fields,
    party: super::russian::Party,
}

#[derive(Default)]
pub(super) struct Fields {
    pub(super) number: Option<String>,
    pub(super) type_code: Option<String>,
    pub(super) currency: Option<String>,
    pub(super) issued: Option<Date>,
    pub(super) due: Option<Date>,
    due_by_means: Option<Date>,
    valid_until: Option<Date>,
    payable: Option<(Decimal, Option<String>)>,
    pub(super) total: Option<(Decimal, Option<String>)>,
    pub(super) vat: Option<Decimal>,
    pub(super) vat_rates: Vec<Decimal>,
    pub(super) net: Option<Decimal>,
    pub(super) payer: Option<String>,
    pub(super) payer_tax_id: Option<String>,
    pub(super) seller_tax_id: Option<String>,
    pub(super) bank_reference: Option<String>,
    /// The registered name, where no other is told.
    payer_registered: Option<String>,
    /// Whether a Russian paper is one to pay by; see [`super::russian`].
    pub(super) is_bill: bool,
}

impl Walk {
    fn open(&mut self, start: &BytesStart<'_>) -> Result<(), EInvoiceProblem> {
        if self.starts.len() >= EINVOICE_DEPTH_MAX {
            return Err(EInvoiceProblem::TooDeep);
        }
        let name = start.local_name();
        let name: &str = name.as_ref();
        if self.starts.is_empty() && self.root.is_empty() {
            self.vocabulary = Some(vocabulary(name, start)?);
            self.root = name.to_owned();
        }
        self.starts.push(self.path.len());
        self.path.push('/');
        self.path.push_str(name);
        self.value.clear();
        self.value_currency = start
            .try_get_attribute("currencyID")
            .ok()
            .flatten()
            .map(|attribute| attribute.value.chars().take(VALUE_BYTES_MAX).collect());
        let inner = self.path.get(1 + self.root.len()..).unwrap_or_default();
        if self.vocabulary == Some(Vocabulary::Upd) {
            for attribute in start.attributes().with_checks(false).flatten() {
                let Ok(value) = attribute.normalized_value(quick_xml::XmlVersion::Implicit1_0)
                else {
                    continue;
                };
                if value.len() <= VALUE_BYTES_MAX {
                    let name: &str = attribute.key.as_ref();
                    self.fields
                        .take_upd(inner, name, value.trim(), &mut self.party);
                }
            }
        }
        Ok(())
    }

    fn push(&mut self, text: &str) {
        if self.value.len() + text.len() <= VALUE_BYTES_MAX {
            self.value.push_str(text);
        }
    }

    fn close(&mut self) {
        let inner = self.path.get(1 + self.root.len()..).unwrap_or_default();
        let value = self.value.trim();
        if !value.is_empty() {
            match self.vocabulary {
                Some(Vocabulary::Ubl) => {
                    self.fields
                        .take_ubl(inner, value, self.value_currency.take())
                }
                Some(Vocabulary::Cii) => {
                    self.fields
                        .take_cii(inner, value, self.value_currency.take())
                }
                Some(Vocabulary::Upd) => {
                    self.fields.take_upd(inner, "", value, &mut self.party);
                }
                Some(Vocabulary::CommerceMl) => {
                    self.fields.take_commerceml(inner, value, &mut self.party);
                }
                None => {}
            }
        }
        self.value.clear();
        if let Some(start) = self.starts.pop() {
            self.path.truncate(start);
        }
    }

    fn finish(self) -> Result<EInvoice, EInvoiceProblem> {
        let fields = self.fields;
        if self.vocabulary.is_none() {
            return Err(EInvoiceProblem::NotAnEInvoice { root: self.root });
        }
        if matches!(
            self.vocabulary,
            Some(Vocabulary::Upd | Vocabulary::CommerceMl)
        ) && !fields.is_bill
        {
            return Err(EInvoiceProblem::NotAnEInvoice { root: self.root });
        }
        let kind = match self.root.as_str() {
            "Quotation" => EInvoiceKind::Offer,
            "CreditNote" => EInvoiceKind::CreditNote,
            _ if fields.type_code.as_deref().is_some_and(is_credit_note) => {
                EInvoiceKind::CreditNote
            }
            _ => EInvoiceKind::Invoice,
        };
        let money = fields.payable.or(fields.total);
        Ok(EInvoice {
            kind,
            number: fields.number,
            issued: fields.issued,
            due: fields.due.or(fields.due_by_means),
            valid_until: fields.valid_until,
            currency: fields
                .currency
                .or_else(|| money.as_ref().and_then(|(_, currency)| currency.clone())),
            amount: money.map(|(amount, _)| amount),
            vat: fields.vat,
            vat_rates: fields.vat_rates,
            net: fields.net,
            payer: fields.payer.or(fields.payer_registered),
            payer_tax_id: fields.payer_tax_id,
            seller_tax_id: fields.seller_tax_id,
            bank_reference: fields.bank_reference,
        })
    }
}

fn vocabulary(name: &str, root: &BytesStart<'_>) -> Result<Vocabulary, EInvoiceProblem> {
    let declares = |prefix: &str| {
        root.attributes()
            .flatten()
            .any(|a| a.value.starts_with(prefix))
    };
    match name {
        "Invoice" | "CreditNote" | "Quotation"
            if declares("urn:oasis:names:specification:ubl:schema:xsd:") =>
        {
            Ok(Vocabulary::Ubl)
        }
        "CrossIndustryInvoice" | "CrossIndustryDocument" => Ok(Vocabulary::Cii),
        "Файл" => Ok(Vocabulary::Upd),
        "КоммерческаяИнформация" => Ok(Vocabulary::CommerceMl),
        _ => Err(EInvoiceProblem::NotAnEInvoice {
            root: name.chars().take(VALUE_BYTES_MAX).collect(),
        }),
    }
}

/// UNTDID 1001 codes of papers that give money back (EN 16931-1, BT-3).
fn is_credit_note(code: &str) -> bool {
    matches!(
        code,
        "81" | "83" | "261" | "262" | "296" | "308" | "381" | "396" | "420" | "458" | "532"
    )
}

impl Fields {
    fn take_ubl(&mut self, path: &str, value: &str, currency: Option<String>) {
        match path {
            "/ID" => set(&mut self.number, value.to_owned()),
            "/IssueDate" => set_some(&mut self.issued, iso_date(value)),
            "/DueDate" => set_some(&mut self.due, iso_date(value)),
            "/PaymentMeans/PaymentDueDate" | "/PaymentTerms/PaymentDueDate" => {
                set_some(&mut self.due_by_means, iso_date(value));
            }
            "/ValidityPeriod/EndDate" => set_some(&mut self.valid_until, iso_date(value)),
            "/InvoiceTypeCode" => set(&mut self.type_code, value.to_owned()),
            "/DocumentCurrencyCode" => set_some(&mut self.currency, currency_code(value)),
            "/PricingCurrencyCode" if self.currency.is_none() => {
                self.currency = currency_code(value)
            }
            "/LegalMonetaryTotal/PayableAmount" | "/QuotedMonetaryTotal/PayableAmount" => {
                set_some(&mut self.payable, amount(value, currency));
            }
            "/LegalMonetaryTotal/TaxInclusiveAmount"
            | "/QuotedMonetaryTotal/TaxInclusiveAmount" => {
                set_some(&mut self.total, amount(value, currency));
            }
            "/LegalMonetaryTotal/TaxExclusiveAmount"
            | "/QuotedMonetaryTotal/TaxExclusiveAmount" => {
                set_some(&mut self.net, decimal(value));
            }
            // A second total is in the currency of the tax office.
            "/TaxTotal/TaxAmount" => set_some(&mut self.vat, decimal(value)),
            "/TaxTotal/TaxSubtotal/TaxCategory/Percent" => self.rate(value),
            "/AccountingCustomerParty/Party/PartyName/Name" => {
                set(&mut self.payer, value.to_owned());
            }
            "/AccountingCustomerParty/Party/PartyLegalEntity/RegistrationName" => {
                set(&mut self.payer_registered, value.to_owned());
            }
            "/AccountingCustomerParty/Party/PartyTaxScheme/CompanyID" => {
                set(&mut self.payer_tax_id, value.to_owned());
            }
            "/AccountingSupplierParty/Party/PartyTaxScheme/CompanyID" => {
                set(&mut self.seller_tax_id, value.to_owned());
            }
            "/PaymentMeans/PaymentID" => set(&mut self.bank_reference, value.to_owned()),
            _ => {}
        }
    }

    pub(super) fn rate(&mut self, value: &str) {
        if let Some(rate) = decimal(value).filter(|rate| !rate.is_zero())
            && self.vat_rates.len() < RATES_MAX
            && !self.vat_rates.contains(&rate)
        {
            self.vat_rates.push(rate);
        }
    }

    fn take_cii(&mut self, path: &str, value: &str, currency: Option<String>) {
        // ZUGFeRD 1.0 names the same places differently.
        let path = path
            .trim_start_matches("/SupplyChainTradeTransaction/ApplicableHeaderTradeSettlement")
            .trim_start_matches(
                "/SpecifiedSupplyChainTradeTransaction/ApplicableSupplyChainTradeSettlement",
            );
        match path {
            "/ExchangedDocument/ID" | "/HeaderExchangedDocument/ID" => {
                set(&mut self.number, value.to_owned())
            }
            "/ExchangedDocument/TypeCode" | "/HeaderExchangedDocument/TypeCode" => {
                set(&mut self.type_code, value.to_owned());
            }
            "/ExchangedDocument/IssueDateTime/DateTimeString"
            | "/HeaderExchangedDocument/IssueDateTime/DateTimeString" => {
                set_some(&mut self.issued, compact_date(value));
            }
            "/InvoiceCurrencyCode" => set_some(&mut self.currency, currency_code(value)),
            "/SpecifiedTradePaymentTerms/DueDateDateTime/DateTimeString" => {
                set_some(&mut self.due, compact_date(value));
            }
            "/SpecifiedTradeSettlementHeaderMonetarySummation/DuePayableAmount"
            | "/SpecifiedTradeSettlementMonetarySummation/DuePayableAmount" => {
                set_some(&mut self.payable, amount(value, currency));
            }
            "/SpecifiedTradeSettlementHeaderMonetarySummation/GrandTotalAmount"
            | "/SpecifiedTradeSettlementMonetarySummation/GrandTotalAmount" => {
                set_some(&mut self.total, amount(value, currency));
            }
            "/SpecifiedTradeSettlementHeaderMonetarySummation/TaxBasisTotalAmount"
            | "/SpecifiedTradeSettlementMonetarySummation/TaxBasisTotalAmount" => {
                set_some(&mut self.net, decimal(value));
            }
            "/SpecifiedTradeSettlementHeaderMonetarySummation/TaxTotalAmount"
            | "/SpecifiedTradeSettlementMonetarySummation/TaxTotalAmount" => {
                set_some(&mut self.vat, decimal(value));
            }
            "/ApplicableTradeTax/RateApplicablePercent"
            | "/ApplicableTradeTax/ApplicablePercent" => self.rate(value),
            "/PaymentReference" => set(&mut self.bank_reference, value.to_owned()),
            _ => self.take_cii_party(path, value),
        }
    }

    fn take_cii_party(&mut self, path: &str, value: &str) {
        let path = path
            .trim_start_matches("/SupplyChainTradeTransaction/ApplicableHeaderTradeAgreement")
            .trim_start_matches(
                "/SpecifiedSupplyChainTradeTransaction/ApplicableSupplyChainTradeAgreement",
            );
        match path {
            "/BuyerTradeParty/Name" => set(&mut self.payer, value.to_owned()),
            "/BuyerTradeParty/SpecifiedTaxRegistration/ID" => {
                set(&mut self.payer_tax_id, value.to_owned());
            }
            "/SellerTradeParty/SpecifiedTaxRegistration/ID" => {
                set(&mut self.seller_tax_id, value.to_owned());
            }
            _ => {}
        }
    }
}

/// The first value wins: later ones belong to repeated groups.
pub(super) fn set<T>(slot: &mut Option<T>, value: T) {
    slot.get_or_insert(value);
}

pub(super) fn set_some<T>(slot: &mut Option<T>, value: Option<T>) {
    if slot.is_none() {
        *slot = value;
    }
}

/// `2026-03-12`, with a zone (`2026-03-12+03:00`) or time ignored.
pub(super) fn iso_date(value: &str) -> Option<Date> {
    value.get(..10)?.parse().ok()
}

/// UNTDID 2379 format 102 (`20260312`), or ISO where a sender erred.
fn compact_date(value: &str) -> Option<Date> {
    if value.len() >= 10 && value.contains('-') {
        return iso_date(value);
    }
    let year = value.get(..4)?.parse().ok()?;
    let month = value.get(4..6)?.parse().ok()?;
    let day = value.get(6..8)?.parse().ok()?;
    Date::new(year, month, day).ok()
}

fn currency_code(value: &str) -> Option<String> {
    (value.len() == 3 && value.bytes().all(|b| b.is_ascii_alphabetic()))
        .then(|| value.to_ascii_uppercase())
}

pub(super) fn decimal(value: &str) -> Option<Decimal> {
    let value = Decimal::from_str_exact(value.trim_start_matches('+')).ok()?;
    Some(value.normalize())
}

fn amount(value: &str, currency: Option<String>) -> Option<(Decimal, Option<String>)> {
    let amount = Decimal::from_str_exact(value.trim_start_matches('+')).ok()?;
    Some((
        amount.normalize(),
        currency.as_deref().and_then(currency_code),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const UBL: &str = r#"<?xml version="1.0"?><u:Invoice xmlns:u="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2"
        xmlns:b="c"><b:ID>A&amp;1</b:ID><b:IssueDate>2026-03-12</b:IssueDate><b:DueDate>2026-04-11</b:DueDate>
        <b:DocumentCurrencyCode>EUR</b:DocumentCurrencyCode><x><b:ID>no</b:ID></x>
        <c:LegalMonetaryTotal xmlns:c="d"><b:TaxInclusiveAmount currencyID="EUR">20</b:TaxInclusiveAmount>
        <b:PayableAmount currencyID="EUR">12.50</b:PayableAmount></c:LegalMonetaryTotal></u:Invoice>"#;

    #[test]
    fn ubl_by_paths() {
        let found = read(UBL).unwrap();
        assert_eq!(found.number.as_deref(), Some("A&1"));
        assert_eq!(found.issued, Some(jiff::civil::date(2026, 3, 12)));
        assert_eq!(found.due, Some(jiff::civil::date(2026, 4, 11)));
        assert_eq!(found.amount, Some(Decimal::new(125, 1)));
        assert_eq!(found.currency.as_deref(), Some("EUR"));
        assert_eq!(found.kind, EInvoiceKind::Invoice);
    }

    #[test]
    fn ubl_quotation_is_an_offer() {
        let text = r#"<Quotation xmlns="urn:oasis:names:specification:ubl:schema:xsd:Quotation-2"><ID>Q-7</ID>
            <ValidityPeriod><EndDate>2026-05-01</EndDate></ValidityPeriod>
            <QuotedMonetaryTotal><PayableAmount currencyID="SEK">10</PayableAmount></QuotedMonetaryTotal></Quotation>"#;
        let found = read(text).unwrap();
        assert_eq!(found.kind, EInvoiceKind::Offer);
        assert_eq!(found.currency.as_deref(), Some("SEK"));
        assert_eq!(found.valid_until, Some(jiff::civil::date(2026, 5, 1)));
    }

    #[test]
    fn doctype_foreign_roots_and_depth_are_refused() {
        let bomb = "<!DOCTYPE a [<!ENTITY b \"bb\">]><a>&b;</a>";
        assert_eq!(read(bomb), Err(EInvoiceProblem::DoctypeRefused));
        assert!(matches!(
            read("<html><body/></html>"),
            Err(EInvoiceProblem::NotAnEInvoice { .. })
        ));
        let deep = format!(
            "<CrossIndustryInvoice>{}",
            "<a>".repeat(EINVOICE_DEPTH_MAX + 1)
        );
        assert_eq!(read(&deep), Err(EInvoiceProblem::TooDeep));
        assert!(matches!(
            read("<CrossIndustryInvoice><a>"),
            Err(EInvoiceProblem::Malformed { .. })
        ));
    }

    #[test]
    fn utf16_and_declared_encodings_are_decoded() {
        let mut bytes = vec![0xff, 0xfe];
        bytes.extend(UBL.encode_utf16().flat_map(u16::to_le_bytes));
        assert_eq!(read_bytes(&bytes).unwrap().number.as_deref(), Some("A&1"));
        let latin = UBL
            .replace("?>", " encoding='windows-1251'?>")
            .replace("A&amp;1", "Ж1");
        let bytes = encoding_rs::WINDOWS_1251.encode(&latin).0;
        assert_eq!(read_bytes(&bytes).unwrap().number.as_deref(), Some("Ж1"));
    }
}
