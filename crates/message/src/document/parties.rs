//! Who sells, who pays, and what the payment is to name: numbers with the tax office, the payer's name, the reference.
//!
//! A number is taken only when its check digit is right or its label says what it is; whose it is, the nearest party
//! named before it says, and without one it is the seller's. Sources: the Russian tax office's ИНН (order
//! ММВ-7-6/435), the Japanese 登録番号 (13 digits of a 法人番号 behind T), ISO 11649 (RF), the Swiss QR reference.
//! **Absent:** validation of EU VAT numbers beyond their form; words of any language, which are data.

use super::phrase::{Hit, longest};
use super::rules::{DocumentRules, MarkMeans};
use super::text::{Page, TokenKind};

/// Marks of one text looked at.
const MARKS_MAX: usize = 500;
/// Tokens between a label and its number.
const ID_TOKENS_MAX: usize = 10;
/// Characters of a payer's name.
const NAME_CHARS_MAX: usize = 120;
/// Characters of a reference: what a SEPA transfer carries.
const REFERENCE_CHARS_MAX: usize = 140;
/// Cells of a line looked at for what stands below a label.
const CELLS_MAX: usize = 100;
/// Lines below a label in which its text may begin.
const LINES_BELOW_MAX: usize = 2;
/// Digits of a Swiss QR reference.
const QR_DIGITS: usize = 27;
/// Countries whose VAT numbers begin with their letters.
const VAT_COUNTRIES: [&str; 31] = [
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "EL", "ES", "FI", "FR", "GB", "HR", "HU", "IE",
    "IT", "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK", "XI", "CH", "NO",
];

/// What one text says of the parties.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Parties {
    pub payer: Option<String>,
    pub payer_tax_id: Option<String>,
    pub seller_tax_id: Option<String>,
    pub bank_reference: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Seller,
    Payer,
}

/// Reads what a page says of the parties.
pub(crate) fn read(page: &Page, rules: &DocumentRules) -> Parties {
    let mut marks: Vec<Hit<usize>> = longest(rules.mark_phrases.find(page));
    marks.retain(|hit| !page.is_part_of_name(hit.first, hit.end));
    marks.truncate(MARKS_MAX);
    let mut found = Parties::default();
    let mut role = None;
    let mut last: Option<Role> = None;
    for (index, mark) in marks.iter().enumerate() {
        let means = rules.marks[mark.value].means;
        let next = marks.get(index + 1);
        let limit = next.map_or(page.tokens.len(), |next| next.first);
        match means {
            MarkMeans::Seller => role = Some(Role::Seller),
            MarkMeans::Neither => {}
            MarkMeans::Payer => {
                role = Some(Role::Payer);
                // "Покупатель (Заказчик): ...": the second word is the label.
                let again = next.is_some_and(|next| {
                    next.first <= mark.end + 1 && rules.marks[next.value].means == MarkMeans::Payer
                });
                if found.payer.is_none() && !again {
                    found.payer = name_behind(page, mark, limit);
                }
            }
            MarkMeans::PayerBefore => {
                if found.payer.is_none() {
                    found.payer = name_before(page, mark);
                }
            }
            MarkMeans::Inn => {
                if let Some(id) = inn(page, mark.end) {
                    last = put(&mut found, role, id);
                }
            }
            MarkMeans::Kpp => {
                let digits = digits_behind(page, mark.end, 9);
                let slot = match last {
                    Some(Role::Seller) => found.seller_tax_id.as_mut(),
                    Some(Role::Payer) => found.payer_tax_id.as_mut(),
                    None => None,
                };
                if let (Some(digits), Some(id)) = (digits, slot)
                    && !id.contains('/')
                {
                    id.push('/');
                    id.push_str(digits);
                }
            }
            MarkMeans::VatId => {
                if let Some(id) = vat_id(page, mark.end) {
                    last = put(&mut found, role, id);
                }
            }
            MarkMeans::Reference => {
                if found.bank_reference.is_none() {
                    found.bank_reference = reference_behind(page, mark, limit);
                }
            }
        }
    }
    // A 登録番号 is whoever issued the paper.
    if let Some(id) = qualified_issuer(page) {
        found.seller_tax_id.get_or_insert(id);
    }
    if let Some(reference) = creditor_reference(&page.text).or_else(|| qr_reference(page)) {
        found.bank_reference = Some(reference);
    }
    found
}

/// Gives a number to whom it belongs, if that party has none yet.
fn put(found: &mut Parties, role: Option<Role>, id: String) -> Option<Role> {
    let role = role.unwrap_or(Role::Seller);
    let slot = match role {
        Role::Seller => &mut found.seller_tax_id,
        Role::Payer => &mut found.payer_tax_id,
    };
    if slot.is_some() {
        return None;
    }
    *slot = Some(id);
    Some(role)
}

/// Where the text behind a label begins and ends: in its cell, else in the next, else in the cell below.
fn behind(page: &Page, mark: &Hit<usize>, limit: usize) -> Option<(usize, usize)> {
    let cell_index = page.tokens.get(mark.first)?.cell;
    let cell = page.cells[cell_index];
    let line = page.lines[cell.line];
    let solid = |(from, to): (usize, usize)| {
        let from =
            (from..to).find(|index| !matches!(page.word(*index), ":" | ")" | "(" | "." | "-"))?;
        (from < to).then_some((from, to))
    };
    let has_colon =
        (mark.end..cell.tokens.1.min(mark.end + 3)).any(|index| page.word(index) == ":");
    if let Some(region) = solid((mark.end, cell.tokens.1.min(limit))) {
        return has_colon.then_some(region);
    }
    // As many cells below: a table's head and its first row. A cell with a colon is a label itself.
    let count = line.1 - line.0;
    let below = |rows: &(usize, usize)| rows.0 < rows.1;
    let heads = count >= 2
        && (page.lines.iter().skip(cell.line + 1))
            .find(|rows| below(rows))
            .is_some_and(|rows| rows.1 - rows.0 == count);
    let next = page
        .cells
        .get(cell_index + 1)
        .filter(|_| cell_index + 1 < line.1);
    if let Some(next) = next
        && (!heads || has_colon)
        && page.word(next.tokens.1.wrapping_sub(1)) != ":"
    {
        return solid((next.tokens.0, next.tokens.1.min(limit.max(next.tokens.0))));
    }
    let under = page
        .lines
        .iter()
        .skip(cell.line + 1)
        .filter(|rows| below(rows))
        .take(LINES_BELOW_MAX)
        .find_map(|rows| {
            page.cells[rows.0..rows.1]
                .iter()
                .take(CELLS_MAX)
                .find(|under| {
                    under.columns.0 <= cell.columns.1 && under.columns.1 >= cell.columns.0
                })
        })?;
    solid((
        under.tokens.0,
        under.tokens.1.min(limit.max(under.tokens.0)),
    ))
}

fn slice(page: &Page, (from, to): (usize, usize)) -> Option<&str> {
    let first = page.tokens.get(from)?;
    let last = page.tokens.get(to.checked_sub(1)?)?;
    page.text.get(first.start..last.end)
}

fn name_behind(page: &Page, mark: &Hit<usize>, limit: usize) -> Option<String> {
    let region = behind(page, mark, limit)?;
    let text = slice(page, region)?;
    // An address stands behind a comma.
    let text = match text.find(", ") {
        Some(at) if text[..at].chars().filter(|c| c.is_alphabetic()).count() >= 3 => &text[..at],
        Some(_) | None => text,
    };
    name(text)
}

fn name_before(page: &Page, mark: &Hit<usize>) -> Option<String> {
    let cell_index = page.tokens.get(mark.first)?.cell;
    let cell = page.cells[cell_index];
    if cell.tokens.0 < mark.first {
        return name(slice(page, (cell.tokens.0, mark.first))?);
    }
    let line = page.lines[cell.line];
    let before = cell_index.checked_sub(1).filter(|index| *index >= line.0)?;
    name(slice(page, page.cells[before].tokens)?)
}

/// A name begins with a capital, a quote or a character without case, and is more than signs.
fn name(text: &str) -> Option<String> {
    let text = text
        .trim()
        .trim_end_matches([',', ';', ':', '.', '-', ' '])
        .trim_start_matches([':', '-', ' ', ')']);
    let first = text.chars().find(|c| c.is_alphanumeric())?;
    let letters = text.chars().filter(|c| c.is_alphabetic()).count();
    let digits = text.chars().filter(char::is_ascii_digit).count();
    let fits = !first.is_lowercase()
        && letters >= 2
        && digits < letters
        && text.chars().count() <= NAME_CHARS_MAX;
    fits.then(|| text.to_owned())
}

fn reference_behind(page: &Page, mark: &Hit<usize>, limit: usize) -> Option<String> {
    // What a reference names may be a mark itself ("счет №"), so only the cell ends it.
    let (from, to) = behind(page, mark, page.tokens.len().max(limit))?;
    let text = slice(page, (from, to))?.trim().trim_matches('"').trim();
    let fits =
        text.chars().any(|c| c.is_ascii_digit()) && text.chars().count() <= REFERENCE_CHARS_MAX;
    fits.then(|| text.trim_end_matches(['.', ';', ',']).to_owned())
}

/// Digits of this length among the next tokens.
fn digits_behind(page: &Page, from: usize, length: usize) -> Option<&str> {
    let line = page.tokens.get(from)?.line;
    (from..from + ID_TOKENS_MAX)
        .take_while(|index| {
            page.tokens
                .get(*index)
                .is_some_and(|token| token.line <= line + 1)
        })
        .find(|index| {
            let token = page.tokens[*index];
            token.kind == TokenKind::Digits && token.end - token.start == length
        })
        .map(|index| page.word(index))
}

/// `7707083893`, and with `/770701001` behind it where КПП is told so.
fn inn(page: &Page, from: usize) -> Option<String> {
    let id = [10, 12]
        .into_iter()
        .find_map(|length| digits_behind(page, from, length).filter(|digits| is_inn(digits)))?;
    let at = (from..from + ID_TOKENS_MAX).find(|index| page.word(*index) == id)?;
    let branch = page.word(at + 2);
    let has_branch =
        page.word(at + 1) == "/" && branch.len() == 9 && branch.bytes().all(|b| b.is_ascii_digit());
    Some(if has_branch {
        format!("{id}/{branch}")
    } else {
        id.to_owned()
    })
}

/// Whether the check digits of an ИНН are right.
pub(crate) fn is_inn(digits: &str) -> bool {
    let d: Vec<u32> = digits
        .bytes()
        .map(|b| u32::from(b.wrapping_sub(b'0')))
        .collect();
    if d.iter().any(|digit| *digit > 9) || d.iter().all(|digit| *digit == 0) {
        return false;
    }
    let check = |weights: &[u32]| {
        let sum: u32 = weights.iter().zip(&d).map(|(w, digit)| w * digit).sum();
        sum % 11 % 10
    };
    match d.len() {
        10 => check(&[2, 4, 10, 3, 5, 9, 4, 6, 8]) == d[9],
        12 => {
            check(&[7, 2, 4, 10, 3, 5, 9, 4, 6, 8]) == d[10]
                && check(&[3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8]) == d[11]
        }
        _ => false,
    }
}

/// A VAT number behind its label: two letters of a country and 8 to 12 signs, or an American EIN.
fn vat_id(page: &Page, from: usize) -> Option<String> {
    let start = (from..from + ID_TOKENS_MAX).find_map(|index| {
        let token = page.tokens.get(index)?;
        let low = page.word(index);
        let country = low
            .get(..2)
            .filter(|_| low.len() <= 4)
            .map(str::to_uppercase);
        let is_country = country.is_some_and(|country| VAT_COUNTRIES.contains(&country.as_str()));
        let is_ein = token.kind == TokenKind::Digits
            && low.len() == 2
            && page.word(index + 1) == "-"
            && page.word(index + 2).len() == 7;
        (is_country || is_ein).then_some(token.start)
    })?;
    let rest = page.text.get(start..)?;
    if rest.starts_with(|c: char| c.is_ascii_digit()) {
        return rest.get(..10).map(str::to_owned);
    }
    let country = rest.get(..2)?.to_uppercase();
    let mut compact = String::new();
    let mut chars = rest[2..].chars().peekable();
    while let Some(c) = chars.next() {
        let digits = compact.chars().filter(char::is_ascii_digit).count();
        let is_letter_of_id = c.is_ascii_alphabetic()
            && (compact.len() < 2
                || country == "NL" && c.eq_ignore_ascii_case(&'b') && digits == 9
                || matches!(country.as_str(), "IE" | "ES" | "CY") && digits >= 7);
        if c.is_ascii_digit() || is_letter_of_id {
            compact.push(c.to_ascii_uppercase());
        } else if !(matches!(c, ' ' | '.' | '-') && chars.peek().is_some_and(char::is_ascii_digit))
        {
            break;
        }
        if compact.len() >= 12 {
            break;
        }
    }
    let digits = compact.chars().filter(char::is_ascii_digit).count();
    (compact.len() >= 8 && digits >= 7).then(|| format!("{country}{compact}"))
}

/// `T1234567890123` with a right check digit, also with hyphens or spaces between.
fn qualified_issuer(page: &Page) -> Option<String> {
    for index in 0..page.tokens.len() {
        if page.word(index) != "t" || !page.joined(index) {
            continue;
        }
        let mut digits = String::new();
        let mut at = index + 1;
        while digits.len() < 13 {
            let Some(token) = page.tokens.get(at) else {
                break;
            };
            match token.kind {
                TokenKind::Digits => digits.push_str(page.word(at)),
                TokenKind::Sign if page.word(at) == "-" => {}
                TokenKind::Sign | TokenKind::Word => break,
            }
            at += 1;
        }
        if is_corporate_number(&digits) {
            return Some(format!("T{digits}"));
        }
    }
    None
}

/// Whether the first of 13 digits is the check digit of the other twelve.
pub(crate) fn is_corporate_number(digits: &str) -> bool {
    if digits.len() != 13 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return false;
    }
    let sum: u32 = digits
        .bytes()
        .skip(1)
        .rev()
        .enumerate()
        .map(|(place, digit)| u32::from(digit - b'0') * if place % 2 == 0 { 1 } else { 2 })
        .sum();
    u32::from(digits.as_bytes()[0] - b'0') == 9 - sum % 9
}

/// `RF18 5390 0754 7034`: ISO 11649, whose remainder by 97 is 1.
pub(crate) fn creditor_reference(text: &str) -> Option<String> {
    for (at, _) in text.match_indices("RF") {
        if text[..at].ends_with(|c: char| c.is_alphanumeric()) {
            continue;
        }
        let mut compact = String::new();
        let mut best = None;
        let mut chars = text[at..].chars().peekable();
        while let Some(c) = chars.next() {
            if c.is_ascii_digit() || c.is_ascii_uppercase() {
                compact.push(c);
            } else if c != ' ' || compact.len() < 4 {
                break;
            }
            if compact.len() > 25 {
                break;
            }
            let ends = chars
                .peek()
                .is_none_or(|next| !next.is_ascii_alphanumeric());
            if ends && compact.len() >= 6 && is_creditor_reference(&compact) {
                best = Some(compact.clone());
            }
        }
        if best.is_some() {
            return best;
        }
    }
    None
}

fn is_creditor_reference(compact: &str) -> bool {
    let Some((head, tail)) = compact.split_at_checked(4) else {
        return false;
    };
    if !head.starts_with("RF") || !head[2..].bytes().all(|b| b.is_ascii_digit()) {
        return false;
    }
    let mut rest = 0_u32;
    for c in tail.chars().chain(head.chars()) {
        let Some(value) = c.to_digit(36) else {
            return false;
        };
        rest = if value > 9 {
            rest * 100 + value
        } else {
            rest * 10 + value
        };
        rest %= 97;
    }
    rest == 1
}

/// `21 00000 00003 13947 14300 09017`: 27 digits, the last a check digit.
fn qr_reference(page: &Page) -> Option<String> {
    for cell in &page.cells {
        let mut digits = String::new();
        for index in cell.tokens.0..cell.tokens.1 {
            let token = page.tokens[index];
            if token.kind == TokenKind::Digits {
                digits.push_str(page.word(index));
            } else {
                if is_qr_reference(&digits) {
                    return Some(digits);
                }
                digits.clear();
            }
            if digits.len() > QR_DIGITS {
                break;
            }
        }
        if is_qr_reference(&digits) {
            return Some(digits);
        }
    }
    None
}

fn is_qr_reference(digits: &str) -> bool {
    /// Carries of the recursive modulo 10.
    const CARRY: [u8; 10] = [0, 9, 4, 6, 8, 2, 7, 1, 3, 5];
    if digits.len() != QR_DIGITS || !digits.bytes().any(|b| b != b'0') {
        return false;
    }
    let mut carry = 0_u8;
    for digit in digits.bytes().take(QR_DIGITS - 1) {
        carry = CARRY[usize::from((carry + (digit - b'0')) % 10)];
    }
    digits.as_bytes()[QR_DIGITS - 1] - b'0' == (10 - carry) % 10
}

#[cfg(test)]
mod tests {
    use super::super::rules::tests::SHIPPED;
    use super::*;

    fn parties(text: &str) -> Parties {
        let rules = DocumentRules::from_toml(SHIPPED).unwrap();
        read(&Page::new(text), &rules)
    }

    #[test]
    fn check_digits() {
        assert!(is_inn("7707083893"));
        assert!(!is_inn("7707083894"));
        assert!(is_inn("500100732259"));
        assert!(!is_inn("0000000000"));
        assert!(is_corporate_number("7000012050002"));
        assert!(!is_corporate_number("7000012050003"));
        assert_eq!(
            creditor_reference("Ref: RF18 5390 0754 7034 until 5.11.").as_deref(),
            Some("RF18539007547034")
        );
        assert_eq!(creditor_reference("RF19 5390 0754 7034"), None);
        assert!(is_qr_reference("210000000003139471430009017"));
        assert!(!is_qr_reference("210000000003139471430009018"));
    }

    #[test]
    fn a_russian_bill() {
        let found = parties(
            "Поставщик:   ООО «Вектор», ИНН 7707083893, КПП 770701001, Москва\n\
             Покупатель (Заказчик):   АО «Заря», ИНН 5003052454, КПП 500301001, г. Видное\n\
             Назначение платежа: Оплата по счету № 15 от 03.11.2026",
        );
        assert_eq!(found.payer.as_deref(), Some("АО \"Заря\""));
        assert_eq!(found.seller_tax_id.as_deref(), Some("7707083893/770701001"));
        assert_eq!(found.payer_tax_id.as_deref(), Some("5003052454/500301001"));
        assert_eq!(
            found.bank_reference.as_deref(),
            Some("Оплата по счету № 15 от 03.11.2026")
        );
        let joined = parties("ИНН/КПП: 7707083893/770701001");
        assert_eq!(
            joined.seller_tax_id.as_deref(),
            Some("7707083893/770701001")
        );
    }

    #[test]
    fn papers_of_other_countries() {
        let found = parties(
            "Muster GmbH  USt-IdNr.: DE 123 456 789\nBill to:\nAcme Ltd\n12 High Street\nVAT ID: GB123456789\n\
             Verwendungszweck: RE-2026-118\n",
        );
        assert_eq!(found.payer.as_deref(), Some("Acme Ltd"));
        assert_eq!(found.seller_tax_id.as_deref(), Some("DE123456789"));
        assert_eq!(found.payer_tax_id.as_deref(), Some("GB123456789"));
        assert_eq!(found.bank_reference.as_deref(), Some("RE-2026-118"));

        let found = parties(
            "株式会社山田商事 御中\n\n請求書\n登録番号：Ｔ７０００－０１２０－５０００２\n合計 ¥110,000",
        );
        assert_eq!(found.payer.as_deref(), Some("株式会社山田商事"));
        assert_eq!(found.seller_tax_id.as_deref(), Some("T7000012050002"));
    }

    #[test]
    fn prose_names_nobody() {
        let found =
            parties("Заказчик обязуется оплатить счет в течение 5 дней. Покупатель согласен.");
        assert_eq!(found, Parties::default());
    }
}
