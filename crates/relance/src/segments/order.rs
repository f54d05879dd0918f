//! `[rfm]` of `relance.toml`: which event is an order, and where its sum stands.

use relance_wire::segments::Settings;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::config::{ConfigProblem, field};

/// Characters of a name.
const NAME_CHARS_MAX: usize = 256;
/// Properties that may hold the sum.
const AMOUNTS_MAX: usize = 10;

/// What an order is, for recency, frequency and money.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RfmConfig {
    /// The event that is an order.
    pub event: Option<String>,
    /// Its property that holds the sum; of several, the first that is there.
    pub amount: Option<Amount>,
}

/// One property, or several.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum Amount {
    /// `"total"`
    One(String),
    /// `["revenue", "total"]`
    Several(Vec<String>),
}

impl Amount {
    fn names(&self) -> &[String] {
        match self {
            Self::One(name) => std::slice::from_ref(name),
            Self::Several(names) => names,
        }
    }
}

impl RfmConfig {
    /// Whether an order can be told by it.
    pub fn check(&self) -> Result<(), ConfigProblem> {
        let is_name = |name: &String| {
            let chars = name.chars().count();
            (1..=NAME_CHARS_MAX).contains(&chars) && name.trim() == name
        };
        if self.event.as_ref().is_some_and(|event| !is_name(event)) {
            let what = format!(
                "no name of an event; write 1 to {NAME_CHARS_MAX} characters, such as \"Order Completed\""
            );
            return Err(field("rfm.event", what));
        }
        let Some(amount) = &self.amount else {
            return Ok(());
        };
        let names = amount.names();
        if names.is_empty() || names.len() > AMOUNTS_MAX || !names.iter().all(is_name) {
            let what = format!(
                "name 1 to {AMOUNTS_MAX} properties of the order, such as \"total\" or [\"revenue\", \"total\"]"
            );
            return Err(field("rfm.amount", what));
        }
        Ok(())
    }

    /// The same, as definitions are read by it.
    pub fn settings(&self) -> Settings {
        let usual = Settings::default();
        let names = self.amount.as_ref().map(|amount| {
            let names = amount.names().iter();
            names.map(|name| name.as_str().into()).collect()
        });
        Settings {
            order_event: self.event.as_deref().map_or(usual.order_event, Into::into),
            order_sum: names.unwrap_or(usual.order_sum),
            ..Settings::default()
        }
    }

    /// The same, as the API gives it out, and as the bounds remember what they were told by.
    pub fn value(&self) -> Value {
        let settings = self.settings();
        json!({ "event": settings.order_event.as_str(), "amount": settings.order_sum })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn an_order_is_what_the_configuration_says() {
        let read = |text: &str| Config::parse(text).expect("reads").rfm;
        let usual = json!({ "event": "Order Completed", "amount": ["revenue", "total", "value"] });
        assert_eq!(read("").value(), usual);
        let own = read("[rfm]\nevent = \"Invoice Paid\"\namount = \"sum\"\n");
        assert_eq!(
            own.value(),
            json!({ "event": "Invoice Paid", "amount": ["sum"] })
        );
        assert!(own.check().is_ok());
        for (text, named) in [
            ("event = \"\"", "rfm.event"),
            ("event = \" Order\"", "rfm.event"),
            ("amount = []", "rfm.amount"),
            ("amount = [\"total\", \"\"]", "rfm.amount"),
        ] {
            let problem = read(&format!("[rfm]\n{text}\n")).check().expect_err(text);
            assert!(problem.to_string().contains(named), "{problem}");
        }
        let unknown = Config::parse("[rfm]\nevnt = \"x\"\n").expect_err("refused");
        assert!(unknown.to_string().contains("evnt"), "{unknown}");
    }
}
