//! Russian papers in XML: the УПД of the tax office (files ON_NSCHFDOPPR..., formats 5.01 and 5.03), whose values are
//! attributes, and the счёт of CommerceML 2.
//!
//! **Absent:** signatures, lines of goods, papers of other kinds: a счёт-фактура alone, an order, an act.

use jiff::civil::Date;

use super::einvoice::{Fields, decimal, iso_date, set, set_some};

/// Bytes of a party's name.
const NAME_BYTES_MAX: usize = 250;

/// A party that is being read.
#[derive(Default)]
pub(super) struct Party {
    name: Option<String>,
    tax_id: Option<String>,
    branch: Option<String>,
}

impl Party {
    /// The number with the tax office, with that of the branch behind a stroke: ИНН/КПП.
    fn tax_id(&mut self) -> Option<String> {
        let id = self.tax_id.take()?;
        Some(match self.branch.take() {
            Some(branch) => format!("{id}/{branch}"),
            None => id,
        })
    }
}

impl Fields {
    /// An attribute, or (with an empty `name`) the text of an element that closes.
    pub(super) fn take_upd(&mut self, path: &str, name: &str, value: &str, party: &mut Party) {
        let Some(path) = path.strip_prefix("/Документ") else {
            return;
        };
        match (path, name) {
            // A счёт-фактура alone is no paper to pay by: СЧФ; with the act of delivery it is.
            ("", "Функция") => self.is_bill = matches!(value, "СЧФДОП" | "ДОП"),
            ("/СвСчФакт", "НомерСчФ" | "НомерДок") => {
                set(&mut self.number, value.to_owned())
            }
            ("/СвСчФакт", "ДатаСчФ" | "ДатаДок") => {
                set_some(&mut self.issued, russian_date(value))
            }
            ("/СвСчФакт" | "/СвСчФакт/ДенИзм", "КодОКВ") => {
                set_some(&mut self.currency, currency_of_number(value));
            }
            ("/ТаблСчФакт/ВсегоОпл", "СтТовУчНалВсего") => {
                set_some(&mut self.total, decimal(value).map(|amount| (amount, None)));
            }
            ("/ТаблСчФакт/ВсегоОпл", "СтТовБезНДСВсего") => {
                set_some(&mut self.net, decimal(value))
            }
            ("/ТаблСчФакт/ВсегоОпл/СумНалВсего/СумНал", "") => {
                set_some(&mut self.vat, decimal(value));
            }
            ("/ТаблСчФакт/СведТов", "НалСт") => {
                self.rate(value.trim_end_matches('%'))
            }
            ("/СвСчФакт/СвПрод" | "/СвСчФакт/СвПокуп", _) => {}
            (path, name) => {
                let (rest, is_seller) = match path.strip_prefix("/СвСчФакт/СвПрод/ИдСв")
                {
                    Some(rest) => (rest, true),
                    None => match path.strip_prefix("/СвСчФакт/СвПокуп/ИдСв") {
                        Some(rest) => (rest, false),
                        None => return,
                    },
                };
                self.take_upd_party(rest, name, value, is_seller, party);
            }
        }
    }

    fn take_upd_party(
        &mut self,
        path: &str,
        name: &str,
        value: &str,
        is_seller: bool,
        party: &mut Party,
    ) {
        match (path, name) {
            ("/СвЮЛУч" | "/СвОрг/СвЮЛ" | "/СвЮЛ", "НаимОрг") if !is_seller =>
            {
                set(&mut self.payer, cut(value));
            }
            (_, "ИННЮЛ" | "ИННФЛ") => {
                party.tax_id = Some(value.to_owned());
                // КПП may stand before it; where it stands behind, it is added then.
                let id = party.tax_id();
                let slot = if is_seller {
                    &mut self.seller_tax_id
                } else {
                    &mut self.payer_tax_id
                };
                set_some(slot, id);
            }
            (_, "КПП") => {
                let slot = if is_seller {
                    &mut self.seller_tax_id
                } else {
                    &mut self.payer_tax_id
                };
                match slot {
                    Some(id) if !id.contains('/') => {
                        id.push('/');
                        id.push_str(&cut(value));
                    }
                    Some(_) => {}
                    None => party.branch = Some(cut(value)),
                }
            }
            ("/СвИП/ФИО" | "/СвФЛ/ФИО" | "/СвФЛУч/ФИО", "Фамилия" | "Имя" | "Отчество")
                if !is_seller =>
            {
                let known = self.payer.take().unwrap_or_default();
                self.payer = Some(cut(format!("{known} {value}").trim()));
            }
            _ => {}
        }
    }

    /// The text of an element of CommerceML that closes.
    pub(super) fn take_commerceml(&mut self, path: &str, value: &str, party: &mut Party) {
        let Some(path) = path.strip_prefix("/Документ") else {
            return;
        };
        match path {
            "/ХозОперация" => {
                let low = value.to_lowercase().replace('ё', "е");
                self.is_bill |= low.starts_with("счет") && !low.contains("фактура");
            }
            "/Номер" => set(&mut self.number, value.to_owned()),
            "/Дата" => set_some(&mut self.issued, russian_date(value)),
            "/СрокПлатежа" => set_some(&mut self.due, russian_date(value)),
            "/Валюта" => set_some(&mut self.currency, currency_of_name(value)),
            "/Сумма" => {
                set_some(&mut self.total, decimal(value).map(|amount| (amount, None)));
            }
            "/Налоги/Налог/Сумма" => set_some(&mut self.vat, decimal(value)),
            "/Налоги/Налог/Ставка" => self.rate(value.trim_end_matches('%')),
            "/Контрагенты/Контрагент/Наименование"
            | "/Контрагенты/Контрагент/ПолноеНаименование" =>
            {
                set(&mut party.name, cut(value));
            }
            "/Контрагенты/Контрагент/ИНН" => {
                party.tax_id = Some(value.to_owned())
            }
            "/Контрагенты/Контрагент/КПП" => {
                party.branch = Some(value.to_owned())
            }
            "/Контрагенты/Контрагент/Роль" => {
                let id = party.tax_id();
                let name = party.name.take();
                match value.to_lowercase().as_str() {
                    "покупатель" | "плательщик" => {
                        set_some(&mut self.payer, name);
                        set_some(&mut self.payer_tax_id, id);
                    }
                    "продавец" | "поставщик" => {
                        set_some(&mut self.seller_tax_id, id)
                    }
                    _other_role => {}
                }
            }
            _ => {}
        }
    }
}

fn cut(value: &str) -> String {
    value[..value.floor_char_boundary(NAME_BYTES_MAX)].to_owned()
}

/// `12.03.2026`, or ISO.
fn russian_date(value: &str) -> Option<Date> {
    let mut parts = value.get(..10)?.split('.');
    let (Some(day), Some(month), Some(year)) = (parts.next(), parts.next(), parts.next()) else {
        return iso_date(value);
    };
    Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok()
}

/// ISO 4217 by its number.
fn currency_of_number(number: &str) -> Option<String> {
    let code = match number {
        "643" | "810" => "RUB",
        "840" => "USD",
        "978" => "EUR",
        "156" => "CNY",
        "398" => "KZT",
        "933" => "BYN",
        "392" => "JPY",
        "826" => "GBP",
        "756" => "CHF",
        "784" => "AED",
        "949" => "TRY",
        _ => return None,
    };
    Some(code.to_owned())
}

fn currency_of_name(name: &str) -> Option<String> {
    let low = name.to_lowercase();
    if low.starts_with("руб") || low == "rur" {
        return Some("RUB".to_owned());
    }
    currency_of_number(name).or_else(|| {
        (name.len() == 3 && name.bytes().all(|b| b.is_ascii_alphabetic()))
            .then(|| name.to_ascii_uppercase())
    })
}

#[cfg(test)]
mod tests {
    use super::super::einvoice::{EInvoiceKind, EInvoiceProblem, decode, read, read_bytes};
    use jiff::civil::date;
    use rust_decimal::Decimal;

    const UPD_501: &str = r#"<?xml version="1.0" encoding="windows-1251"?>
<Файл ИдФайл="ON_NSCHFDOPPR_2BM-7701_2BM-7702_20261103_1" ВерсФорм="5.01" ВерсПрог="1С">
 <Документ КНД="1115131" Функция="СЧФДОП" ДатаИнфПр="03.11.2026">
  <СвСчФакт НомерСчФ="УТ-118" ДатаСчФ="03.11.2026" КодОКВ="643">
   <СвПрод><ИдСв><СвЮЛУч НаимОрг="ООО &quot;Вектор&quot;" ИННЮЛ="7707083893" КПП="770701001"/></ИдСв></СвПрод>
   <СвПокуп><ИдСв><СвЮЛУч НаимОрг="АО &quot;Заря&quot;" ИННЮЛ="5003052454" КПП="500301001"/></ИдСв></СвПокуп>
  </СвСчФакт>
  <ТаблСчФакт>
   <СведТов НомСтр="1" НаимТов="Насос" НалСт="20%" СтТовУчНал="120000.00"/>
   <ВсегоОпл СтТовБезНДСВсего="100000.00" СтТовУчНалВсего="120000.00"><СумНалВсего><СумНал>20000.00</СумНал></СумНалВсего></ВсегоОпл>
  </ТаблСчФакт>
 </Документ>
</Файл>"#;

    #[test]
    fn upd_by_attributes_in_its_own_encoding() {
        let (bytes, _, failed) = encoding_rs::WINDOWS_1251.encode(UPD_501);
        assert!(!failed);
        let found = read_bytes(&bytes).unwrap();
        assert_eq!(found.kind, EInvoiceKind::Invoice);
        assert_eq!(found.number.as_deref(), Some("УТ-118"));
        assert_eq!(found.issued, Some(date(2026, 11, 3)));
        assert_eq!(found.currency.as_deref(), Some("RUB"));
        assert_eq!(found.amount, Some(Decimal::from(120_000)));
        assert_eq!(found.net, Some(Decimal::from(100_000)));
        assert_eq!(found.vat, Some(Decimal::from(20_000)));
        assert_eq!(found.vat_rates, [Decimal::from(20)]);
        assert_eq!(found.payer.as_deref(), Some("АО \"Заря\""));
        assert_eq!(found.payer_tax_id.as_deref(), Some("5003052454/500301001"));
        assert_eq!(found.seller_tax_id.as_deref(), Some("7707083893/770701001"));
    }

    #[test]
    fn upd_of_the_newer_format() {
        let text = UPD_501
            .replace("5.01", "5.03")
            .replace("НомерСчФ", "НомерДок")
            .replace("ДатаСчФ", "ДатаДок")
            .replace(
                " КодОКВ=\"643\">",
                "><ДенИзм КодОКВ=\"643\" НаимОКВ=\"Российский рубль\"/>",
            );
        let found = read(&decode(text.replace("windows-1251", "UTF-8").as_bytes())).unwrap();
        assert_eq!(found.number.as_deref(), Some("УТ-118"));
        assert_eq!(found.currency.as_deref(), Some("RUB"));
        // The счёт-фактура alone goes to the tax office, and nobody pays by it.
        let alone = text.replace("СЧФДОП", "СЧФ");
        assert!(matches!(
            read(&alone),
            Err(EInvoiceProblem::NotAnEInvoice { .. })
        ));
    }

    #[test]
    fn bill_of_commerceml() {
        let text = r#"<?xml version="1.0" encoding="UTF-8"?><КоммерческаяИнформация ВерсияСхемы="2.05"><Документ>
<Номер>СЧ-77</Номер><Дата>2026-11-02</Дата><ХозОперация>Счет на оплату</ХозОперация><Валюта>руб</Валюта><Сумма>5400.50</Сумма>
<Контрагенты><Контрагент><Наименование>Заря</Наименование><ИНН>5003052454</ИНН><КПП>500301001</КПП><Роль>Покупатель</Роль></Контрагент></Контрагенты>
<Налоги><Налог><Наименование>НДС</Наименование><Сумма>900.08</Сумма></Налог></Налоги></Документ></КоммерческаяИнформация>"#;
        let found = read(text).unwrap();
        assert_eq!(found.number.as_deref(), Some("СЧ-77"));
        assert_eq!(found.amount, Some(Decimal::new(54005, 1)));
        assert_eq!(found.currency.as_deref(), Some("RUB"));
        assert_eq!(found.payer.as_deref(), Some("Заря"));
        assert_eq!(found.payer_tax_id.as_deref(), Some("5003052454/500301001"));
        let order = text.replace("Счет на оплату", "Заказ товара");
        assert!(read(&order).is_err());
    }
}
