//! CAMT.053 (and .052, .054) of ISO 20022, of any version from 2 on, in one streaming pass.
//!
//! Only what is booked counts. An entry of several transactions is as many payments where each has its amount and they
//! sum to the entry; else it is one. **Absent:** validation against a schema; document type definitions and entities of
//! one's own (refused). Source: the message definition reports of ISO 20022 and the German DFÜ agreement, annex 3.

use jiff::civil::Date;
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use relance_core::payment::Amount;

use super::remittance::Gathered;
use super::text;
use super::{ACCOUNTS_MAX, ENTRIES_MAX, Format, Part, Statement, StatementProblem, Why, shown};

/// Deepest nesting; the format needs sixteen levels.
pub const DEPTH_MAX: usize = 40;
/// Values of one entry, its transactions aside, and of one transaction.
pub const FIELDS_MAX: usize = 2_000;
/// Bytes of one value.
const VALUE_BYTES_MAX: usize = 8 * 1024;
/// The first bytes of the text, of which the line of a place is counted.
const DATES: &str = "write 2026-10-01";

/// A value with its path below the element that it is gathered for.
struct Field {
    path: String,
    text: String,
    currency: String,
    line: u64,
}

#[derive(Default)]
struct Fields(Vec<Field>);

impl Fields {
    fn all(&self, path: &str) -> impl Iterator<Item = &Field> {
        self.0.iter().filter(move |field| field.path == path)
    }

    fn first(&self, paths: &[&str]) -> Option<&Field> {
        paths
            .iter()
            .find_map(|path| self.0.iter().find(|field| field.path == *path))
    }

    fn text(&self, paths: &[&str]) -> String {
        self.first(paths)
            .map(|field| field.text.clone())
            .unwrap_or_default()
    }

    fn joined(&self, path: &str) -> String {
        let all: Vec<&str> = self.all(path).map(|field| field.text.as_str()).collect();
        all.join(" ")
    }

    fn date(&self, field: &'static str, paths: &[&str]) -> Result<Option<Date>, StatementProblem> {
        let Some(found) = self.first(paths) else {
            return Ok(None);
        };
        let read = found.text.get(..10).and_then(|text| text.parse().ok());
        let problem = || {
            let text = shown(&found.text);
            Why::NotADate {
                field,
                text,
                remedy: DATES,
            }
            .at(found.line)
        };
        read.map(Some).ok_or_else(problem)
    }

    fn amount(
        &self,
        field: &'static str,
        paths: &[&str],
    ) -> Result<Option<(Amount, String)>, StatementProblem> {
        let Some(found) = self.first(paths) else {
            return Ok(None);
        };
        let problem = || {
            let text = shown(&found.text);
            Why::NotAnAmount { field, text }.at(found.line)
        };
        let amount = Amount::parse(&found.text).filter(|amount| !amount.is_negative());
        let amount = amount.ok_or_else(problem)?;
        Ok(Some((amount, text::currency(&found.currency))))
    }

    fn is(&self, path: &str, word: &str) -> bool {
        self.all(path).any(|field| field.text == word)
    }
}

/// Elements that values are gathered for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scope {
    Part,
    Balance,
    Entry,
    Transaction,
}

struct Open {
    name: String,
    scope: Option<Scope>,
    text: String,
    currency: String,
    has_children: bool,
}

#[derive(Default)]
struct Walk {
    open: Vec<Open>,
    format: Option<Format>,
    parts: Vec<Part>,
    part: Fields,
    balance: Fields,
    entry: Fields,
    transaction: Fields,
    transactions: Vec<Fields>,
    /// Entries of the part, until its account is known whole.
    entries: usize,
    entry_line: u64,
    line: u64,
}

pub(super) fn read(text: &str) -> Result<Statement, StatementProblem> {
    let text = text.trim_start_matches('\u{feff}').trim_start();
    let mut reader = Reader::from_str(text);
    let mut walk = Walk {
        line: 1,
        ..Walk::default()
    };
    let mut counted = 0;
    loop {
        let event = reader
            .read_event()
            .map_err(|_| Why::Malformed.at(walk.line))?;
        let at = usize::try_from(reader.buffer_position()).unwrap_or(text.len());
        let at = at.min(text.len());
        let lines = text.as_bytes()[counted..at]
            .iter()
            .filter(|byte| **byte == b'\n')
            .count();
        match event {
            Event::Start(start) => walk.open(&start)?,
            Event::Empty(start) => {
                walk.open(&start)?;
                walk.close()?;
            }
            Event::End(_) => walk.close()?,
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
            Event::DocType(_) => return Err(Why::Doctype.at(walk.line)),
            Event::Eof => break,
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
        }
        walk.line += lines as u64;
        counted = at;
    }
    if !walk.open.is_empty() {
        return Err(Why::Cut("the XML").at(walk.line));
    }
    let Some(format) = walk.format else {
        return Err(Why::Malformed.at(walk.line));
    };
    Ok(Statement {
        format,
        parts: walk.parts,
    })
}

impl Walk {
    fn scope(&self) -> Option<(usize, Scope)> {
        let scopes = self.open.iter().enumerate().rev();
        scopes
            .into_iter()
            .find_map(|(at, one)| Some((at, one.scope?)))
    }

    fn open(&mut self, start: &BytesStart<'_>) -> Result<(), StatementProblem> {
        if self.open.len() == DEPTH_MAX {
            return Err(Why::TooDeep.at(self.line));
        }
        let name = start.local_name();
        let name: &str = name.as_ref();
        if let Some(last) = self.open.last_mut() {
            last.has_children = true;
        }
        self.find_format(name)?;
        let scope = match (self.scope().map(|(_, scope)| scope), name) {
            (None, "Stmt" | "Rpt" | "Ntfctn") => {
                if self.parts.len() == ACCOUNTS_MAX {
                    return Err(Why::TooManyAccounts.at(self.line));
                }
                self.parts.push(Part::default());
                self.part = Fields::default();
                Some(Scope::Part)
            }
            (Some(Scope::Part), "Bal") => {
                self.balance = Fields::default();
                Some(Scope::Balance)
            }
            (Some(Scope::Part), "Ntry") => {
                self.entries += 1;
                if self.entries > ENTRIES_MAX {
                    return Err(Why::TooManyEntries.at(self.line));
                }
                self.entry = Fields::default();
                self.transactions.clear();
                self.entry_line = self.line;
                Some(Scope::Entry)
            }
            (Some(Scope::Entry), "TxDtls") => {
                // Transactions count as entries do.
                self.entries += usize::from(!self.transactions.is_empty());
                if self.entries > ENTRIES_MAX {
                    return Err(Why::TooManyEntries.at(self.line));
                }
                self.transaction = Fields::default();
                Some(Scope::Transaction)
            }
            (_, _) => None,
        };
        let mut currency = String::new();
        for attribute in start.attributes().take(8) {
            let attribute = attribute.map_err(|_| Why::Malformed.at(self.line))?;
            if attribute.key.local_name().as_ref() == "Ccy" {
                currency = attribute.value.chars().take(8).collect();
            }
        }
        self.open.push(Open {
            name: name.to_owned(),
            scope,
            text: String::new(),
            currency,
            has_children: false,
        });
        Ok(())
    }

    /// The root, or what stands in `Document`, says which message it is.
    fn find_format(&mut self, name: &str) -> Result<(), StatementProblem> {
        if self.format.is_some() {
            return Ok(());
        }
        self.format = match name {
            "BkToCstmrStmt" => Some(Format::Camt053),
            "BkToCstmrAcctRpt" => Some(Format::Camt052),
            "BkToCstmrDbtCdtNtfctn" => Some(Format::Camt054),
            _other if self.open.len() < 3 => None,
            other => return Err(Why::OtherXml(shown(other)).at(self.line)),
        };
        Ok(())
    }

    fn push(&mut self, text: &str) {
        if let Some(last) = self.open.last_mut()
            && last.text.len() + text.len() <= VALUE_BYTES_MAX
        {
            last.text.push_str(text);
        }
    }

    fn close(&mut self) -> Result<(), StatementProblem> {
        let scope = self.scope();
        let Some(closed) = self.open.pop() else {
            return Err(Why::Malformed.at(self.line));
        };
        if let Some(scope) = closed.scope {
            return self.end(scope);
        }
        let Some((at, scope)) = scope else {
            return Ok(());
        };
        let value = closed.text.trim();
        if closed.has_children || value.is_empty() {
            return Ok(());
        }
        let mut path = String::new();
        for one in &self.open[at + 1..] {
            path.push_str(&one.name);
            path.push('/');
        }
        path.push_str(&closed.name);
        let fields = match scope {
            Scope::Part => &mut self.part,
            Scope::Balance => &mut self.balance,
            Scope::Entry => &mut self.entry,
            Scope::Transaction => &mut self.transaction,
        };
        if fields.0.len() == FIELDS_MAX {
            return Err(Why::TooManyFields.at(self.line));
        }
        fields.0.push(Field {
            path,
            text: value.to_owned(),
            currency: closed.currency,
            line: self.line,
        });
        Ok(())
    }

    fn end(&mut self, scope: Scope) -> Result<(), StatementProblem> {
        match scope {
            Scope::Part => self.end_part(),
            Scope::Balance => self.end_balance(),
            Scope::Entry => self.end_entry(),
            Scope::Transaction => {
                let transaction = std::mem::take(&mut self.transaction);
                self.transactions.push(transaction);
                Ok(())
            }
        }
    }

    fn end_part(&mut self) -> Result<(), StatementProblem> {
        let fields = std::mem::take(&mut self.part);
        let from = fields.date("FrDtTm", &["FrToDt/FrDtTm", "FrToDt/FrDt"])?;
        let to = fields.date("ToDtTm", &["FrToDt/ToDtTm", "FrToDt/ToDt"])?;
        let account = own_account(&fields);
        let Some(part) = self.parts.last_mut() else {
            return Ok(());
        };
        part.from = from;
        part.to = to;
        if part.currency.is_empty() {
            part.currency = text::currency(&fields.text(&["Acct/Ccy"]));
        }
        // The account stands before the entries, but nothing holds a bank to that.
        for payment in &mut part.payments {
            payment.account.clone_from(&account);
        }
        part.account = account;
        Ok(())
    }

    fn end_balance(&mut self) -> Result<(), StatementProblem> {
        let fields = std::mem::take(&mut self.balance);
        let Some((amount, currency)) = fields.amount("Bal/Amt", &["Amt"])? else {
            return Ok(());
        };
        let amount = if fields.is("CdtDbtInd", "DBIT") {
            -amount
        } else {
            amount
        };
        let Some(part) = self.parts.last_mut() else {
            return Ok(());
        };
        match fields.text(&["Tp/CdOrPrtry/Cd"]).as_str() {
            "OPBD" | "PRCD" => {
                part.opening = part.opening.or(Some(amount));
                part.currency = currency;
            }
            "CLBD" => part.closing = Some(amount),
            _other => {}
        }
        Ok(())
    }

    fn end_entry(&mut self) -> Result<(), StatementProblem> {
        let fields = std::mem::take(&mut self.entry);
        let transactions = std::mem::take(&mut self.transactions);
        let status = fields.text(&["Sts/Cd", "Sts"]);
        if !status.is_empty() && status != "BOOK" {
            return Ok(());
        }
        let line = self.entry_line;
        let (amount, currency) = fields
            .amount("Ntry/Amt", &["Amt"])?
            .ok_or_else(|| Why::Missing("Ntry/Amt").at(line))?;
        let booked = fields
            .date(
                "BookgDt",
                &["BookgDt/Dt", "BookgDt/DtTm", "ValDt/Dt", "ValDt/DtTm"],
            )?
            .ok_or_else(|| Why::Missing("BookgDt").at(line))?;
        let is_debit = fields.is("CdtDbtInd", "DBIT");
        let is_reversal = fields.is("RvslInd", "true") || fields.is("RvslInd", "1");
        let signed = |amount: Amount, is_debit: bool| if is_debit { -amount } else { amount };
        let whole = Gathered {
            key: fields.text(&["AcctSvcrRef"]),
            booked: Some(booked),
            amount: signed(amount, is_debit),
            currency,
            text: fields.joined("AddtlNtryInf"),
            is_reversal,
            ..Gathered::default()
        };
        let singles = singles(&whole, &transactions, is_debit)?;
        let all = match singles {
            Some(all) => all,
            None => vec![gathered(&whole, &transactions)],
        };
        let Some(part) = self.parts.last_mut() else {
            return Ok(());
        };
        part.sum = part.sum + whole.amount;
        for one in all {
            if one.is_kept() {
                part.payments.push(one.payment(booked, ""));
            } else {
                part.outgoing += 1;
            }
        }
        Ok(())
    }
}

fn own_account(fields: &Fields) -> String {
    text::account(&fields.text(&["Acct/Id/IBAN", "Acct/Id/Othr/Id", "Acct/Id/PrtryAcct/Id"]))
}

/// The transactions as payments of their own, where each has its amount and they sum to the entry.
fn singles(
    whole: &Gathered,
    transactions: &[Fields],
    is_debit: bool,
) -> Result<Option<Vec<Gathered>>, StatementProblem> {
    if let [only] = transactions {
        let mut one = of_transaction(whole, only);
        one.amount = whole.amount;
        return Ok(Some(vec![one]));
    }
    if transactions.is_empty() {
        return Ok(None);
    }
    let mut all = Vec::with_capacity(transactions.len());
    let mut sum = Amount::ZERO;
    for (at, fields) in transactions.iter().enumerate() {
        let paths = ["Amt", "AmtDtls/TxAmt/Amt", "AmtDtls/InstdAmt/Amt"];
        let Some((amount, currency)) = fields.amount("TxDtls/Amt", &paths)? else {
            return Ok(None);
        };
        if !currency.is_empty() && !whole.currency.is_empty() && currency != whole.currency {
            return Ok(None);
        }
        let mut one = of_transaction(whole, fields);
        let debit = match fields.text(&["CdtDbtInd"]).as_str() {
            "DBIT" => true,
            "CRDT" => false,
            _other => is_debit,
        };
        one.amount = if debit { -amount } else { amount };
        sum = sum + one.amount;
        if one.key == whole.key && !one.key.is_empty() {
            // One reference of the bank for the whole batch.
            let own = fields.text(&["Refs/TxId", "Refs/EndToEndId", "Refs/InstrId"]);
            one.key = format!("{}/{own}/{at}", whole.key);
        }
        all.push(one);
    }
    Ok((sum == whole.amount).then_some(all))
}

/// Several transactions without amounts: one payment that says what all of them say.
fn gathered(whole: &Gathered, transactions: &[Fields]) -> Gathered {
    let mut one = whole.clone();
    let Some(first) = transactions.first() else {
        return one;
    };
    one = of_transaction(whole, first);
    one.amount = whole.amount;
    for fields in transactions.iter().skip(1).take(100) {
        let next = of_transaction(whole, fields);
        one.text.push(' ');
        one.text.push_str(&next.text);
        if next.account != one.account {
            one.account.clear();
            one.tax_id.clear();
        }
    }
    one
}

fn of_transaction(whole: &Gathered, fields: &Fields) -> Gathered {
    let mut one = whole.clone();
    let reference = fields.text(&["Refs/AcctSvcrRef"]);
    if !reference.is_empty() {
        one.key = reference;
    }
    let party = |inner: &str| {
        ["Dbtr", "UltmtDbtr"]
            .into_iter()
            .flat_map(|who| {
                [
                    format!("RltdPties/{who}/{inner}"),
                    format!("RltdPties/{who}/Pty/{inner}"),
                ]
            })
            .find_map(|path| fields.first(&[path.as_str()]))
            .map(|field| field.text.clone())
            .unwrap_or_default()
    };
    one.name = party("Nm");
    one.tax_id = party("Id/OrgId/Othr/Id");
    if one.tax_id.is_empty() {
        one.tax_id = party("Id/PrvtId/Othr/Id");
    }
    one.account = fields.text(&[
        "RltdPties/DbtrAcct/Id/IBAN",
        "RltdPties/DbtrAcct/Id/Othr/Id",
        "RltdPties/DbtrAcct/Id/PrtryAcct/Id",
    ]);
    one.bic = fields.text(&[
        "RltdAgts/DbtrAgt/FinInstnId/BIC",
        "RltdAgts/DbtrAgt/FinInstnId/BICFI",
        "RltdAgts/DbtrAgt/FinInstnId/ClrSysMmbId/MmbId",
    ]);
    one.end_to_end = fields.text(&["Refs/EndToEndId"]);
    one.creditor_reference = fields.text(&["RmtInf/Strd/CdtrRefInf/Ref"]);
    let mut said = fields.joined("RmtInf/Ustrd");
    for path in ["RmtInf/Strd/RfrdDocInf/Nb", "RmtInf/Strd/AddtlRmtInf"] {
        for field in fields.all(path) {
            if !said.contains(&field.text) {
                // A document's number in a field of its own is an invoice's.
                let word = if path.ends_with("Nb") { "invoice " } else { "" };
                said.push_str(&format!(" {word}{}", field.text));
            }
        }
    }
    if said.trim().is_empty() {
        said = fields.joined("AddtlTxInf");
    }
    if !said.trim().is_empty() {
        one.text = said;
    }
    // A direct debit or a transfer that came back says why.
    if one.amount.is_negative()
        && fields
            .0
            .iter()
            .any(|field| field.path.starts_with("RtrInf/"))
    {
        one.is_reversal = true;
    }
    one
}
