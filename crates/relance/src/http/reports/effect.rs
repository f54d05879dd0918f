//! What follow-ups brought in money beside what they cost.
//!
//! Documents that a journey follows are compared with those that its control group holds out, by journey and kind, so
//! that like is compared with like: all that began a run, whether or not a reminder came to leave, since the lot was
//! drawn then. Where a control group is too small nothing is said but how many are wanted.
//!
//! **Absent:** offers, which bring no money themselves: their invoices do.

use std::collections::BTreeMap;

use relance_stats::brought::{Brought, Stratum, brought};
use relance_store::read::ListedDocument;
use relance_store::registry::{AMOUNT_PARTS, DocumentState, decimal};
use relance_wire::api::feed::{SalesBrought, SalesEffect, SalesRoi};

use crate::config::CostsConfig;

/// Documents of a control group, at least: of fewer the interval does not hold what it promises.
pub(super) const HELD_OUT_MIN: u64 = 30;
/// Documents that are followed, at least.
pub(super) const FOLLOWED_MIN: u64 = 30;

/// What was counted of one currency.
#[derive(Debug, Clone, Default)]
pub(super) struct Followed {
    /// By journey and kind.
    strata: BTreeMap<(i64, String), Stratum>,
    /// Messages that left before payment.
    pub(super) reminders: u64,
}

impl Followed {
    pub(super) fn add(&mut self, one: &ListedDocument) {
        self.reminders += u64::from(one.reminders);
        if one.followed == 0 || one.kind == "offer" || one.state == DocumentState::Withdrawn {
            return;
        }
        let is_paid = one.state == DocumentState::Paid;
        let amount = one
            .amount
            .map_or(0.0, |parts| parts as f64 / AMOUNT_PARTS as f64);
        let stratum = self
            .strata
            .entry((one.followed, one.kind.clone()))
            .or_default();
        let group = if one.held_out {
            &mut stratum.control
        } else {
            &mut stratum.treated
        };
        group.add(is_paid.then_some(amount));
    }

    /// All of it beside what it cost.
    pub(super) fn shown(&self, currency: &str, cost: Option<f64>) -> SalesEffect {
        let all = self.strata.values();
        let (followed, held_out) = all.fold((0, 0), |(followed, held_out), one| {
            (followed + one.treated.count, held_out + one.control.count)
        });
        let is_enough =
            |one: &&Stratum| one.control.count >= HELD_OUT_MIN && one.treated.count >= FOLLOWED_MIN;
        let measured: Vec<Stratum> = self.strata.values().filter(is_enough).copied().collect();
        let found = brought(&measured);
        let (missing, wanted) = self.missing(measured.len());
        SalesEffect {
            currency: currency.to_owned(),
            followed,
            held_out,
            brought: found.map(|found| SalesBrought {
                amount: money(found.amount),
                low: money(found.low),
                high: money(found.high),
                measured: measured.iter().map(|one| one.treated.count).sum(),
            }),
            missing: missing.map(str::to_owned),
            wanted,
            reminders: self.reminders,
            cost: cost.map(money),
            roi: roi(found, cost),
        }
    }

    /// Why not all of it is measured, and how many documents the largest control group wants.
    fn missing(&self, measured: usize) -> (Option<&'static str>, Option<u64>) {
        if self.strata.is_empty() {
            return (Some("no_journey"), None);
        }
        if measured == self.strata.len() {
            return (None, None);
        }
        let short = |one: &&Stratum| one.control.count < HELD_OUT_MIN;
        let nearest = self.strata.values().filter(short);
        match nearest.map(|one| one.control.count).max() {
            Some(0) if measured == 0 => (Some("no_control_group"), None),
            Some(nearest) => (Some("few_held_out"), Some(HELD_OUT_MIN - nearest)),
            None => (Some("few_followed"), None),
        }
    }
}

fn roi(found: Option<Brought>, cost: Option<f64>) -> Option<SalesRoi> {
    let (found, cost) = (found?, cost.filter(|cost| *cost > 0.0)?);
    let of = |amount: f64| (amount / cost * 100.0).round() / 100.0;
    Some(SalesRoi {
        value: of(found.amount),
        low: of(found.low),
        high: of(found.high),
    })
}

/// An estimate as a decimal number; what is finer than a hundredth says nothing.
fn money(amount: f64) -> String {
    let hundredths = (amount * 100.0).round();
    // As far as amounts go, many times over; a cast keeps to the bounds.
    decimal(hundredths as i128 * i128::from(AMOUNT_PARTS / 100))
}

/// What reminders cost, without the program's own price.
pub(super) fn cost_of_reminders(costs: &CostsConfig, reminders: u64) -> f64 {
    costs.of_reminder() * reminders as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stratum(followed: u64, held_out: u64) -> Stratum {
        let mut one = Stratum::default();
        for n in 0..followed {
            one.treated.add((n % 2 == 0).then_some(100.0));
        }
        for n in 0..held_out {
            one.control.add((n % 4 == 0).then_some(100.0));
        }
        one
    }

    fn followed(strata: &[(i64, Stratum)]) -> Followed {
        let strata = strata.iter();
        Followed {
            strata: strata
                .map(|(journey, one)| ((*journey, "invoice".to_owned()), *one))
                .collect(),
            reminders: 10,
        }
    }

    #[test]
    fn what_was_brought_is_set_against_what_it_cost() {
        let shown = followed(&[(1, stratum(400, 40))]).shown("EUR", Some(500.0));
        let brought = shown.brought.expect("measured");
        // 200 of 400 paid 100 each; a quarter would have anyway.
        assert_eq!((brought.amount.as_str(), brought.measured), ("10000", 400));
        assert_eq!((shown.missing, shown.cost.as_deref()), (None, Some("500")));
        let roi = shown.roi.expect("both are known");
        assert!((roi.value - 20.0).abs() < 1e-9 && roi.low < 20.0 && roi.high > 20.0);
    }

    #[test]
    fn too_few_say_nothing_but_how_many_are_wanted() {
        let of = |strata: &[(i64, Stratum)]| followed(strata).shown("EUR", None);
        let none = of(&[]);
        assert_eq!(none.missing.as_deref(), Some("no_journey"));
        let few = of(&[(1, stratum(400, 12)), (2, stratum(400, 3))]);
        assert_eq!(few.brought, None);
        assert_eq!(
            (few.missing.as_deref(), few.wanted),
            (Some("few_held_out"), Some(18))
        );
        assert_eq!((few.followed, few.held_out), (800, 15));
        let silent = of(&[(1, stratum(400, 0))]);
        assert_eq!(silent.missing.as_deref(), Some("no_control_group"));
        let few = of(&[(1, stratum(5, 40))]);
        assert_eq!(few.missing.as_deref(), Some("few_followed"));
        // A part of them is measured, and it is said that the rest is not.
        let part = of(&[(1, stratum(400, 40)), (2, stratum(400, 3))]);
        assert_eq!(part.brought.expect("measured").measured, 400);
        assert_eq!(part.missing.as_deref(), Some("few_held_out"));
        assert_eq!(part.roi, None, "nobody said what it costs");
    }
}
