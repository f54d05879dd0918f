//! Money that something brought, beside a control group that went without it: how much more came than the control
//! group says would have come anyway.
//!
//! The estimate of one stratum is the number of those who got it times the difference of the means. Its interval is
//! Welch's, with the degrees of freedom of Satterthwaite over all strata. Where few of a group paid, the deviation that
//! was seen says too little: it is at least that of a share a little nearer to the middle (Agresti and Coull).
//!
//! **Absent:** who belongs to which group, and how many are enough.

/// What was paid in one group.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Group {
    /// All of them, paid or not.
    pub count: u64,
    /// Those who paid.
    pub paid: u64,
    sum: f64,
    squares: f64,
}

impl Group {
    /// One more; nothing where it was not paid.
    pub fn add(&mut self, amount: Option<f64>) {
        self.count += 1;
        let Some(amount) = amount.filter(|amount| amount.is_finite()) else {
            return;
        };
        self.paid += 1;
        self.sum += amount;
        self.squares += amount * amount;
    }

    /// What all of them paid.
    pub fn sum(&self) -> f64 {
        self.sum
    }

    fn mean(&self) -> f64 {
        if self.count == 0 {
            0.0
        } else {
            self.sum / self.count as f64
        }
    }

    /// Of one of them; `usual` is what a payment usually amounts to.
    fn variance(&self, usual: f64) -> f64 {
        let count = self.count as f64;
        let seen = if self.count > 1 {
            (self.squares - self.sum * self.sum / count).max(0.0) / (count - 1.0)
        } else {
            0.0
        };
        let share = (self.paid as f64 + 2.0) / (count + 4.0);
        seen.max(share * (1.0 - share) * usual * usual)
    }
}

/// Those who got something, and those who went without it by lot.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Stratum {
    /// Who got it.
    pub treated: Group,
    /// Who did not.
    pub control: Group,
}

/// What was brought, and between which it lies at 95 %. It may be less than nothing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Brought {
    /// The estimate.
    pub amount: f64,
    /// Not less than this.
    pub low: f64,
    /// Not more than this.
    pub high: f64,
}

/// What was brought in all strata together; `None` where a group is empty or there is no stratum.
///
/// ```
/// use relance_stats::brought::{Stratum, brought};
///
/// let mut one = Stratum::default();
/// for n in 0..100 {
///     one.treated.add((n % 2 == 0).then_some(100.0));
///     one.control.add((n % 4 == 0).then_some(100.0));
/// }
/// // 50 of 100 paid, and 25 would have anyway.
/// let found = brought(&[one]).unwrap();
/// assert!((found.amount - 2_500.0).abs() < 1e-6 && found.low > 0.0 && found.high < 5_000.0);
/// ```
pub fn brought(strata: &[Stratum]) -> Option<Brought> {
    let (mut amount, mut variance, mut weight) = (0.0, 0.0, 0.0);
    for Stratum { treated, control } in strata {
        if treated.count == 0 || control.count == 0 {
            return None;
        }
        let count = treated.count as f64;
        amount += count * (treated.mean() - control.mean());
        let paid = treated.paid + control.paid;
        let usual = if paid == 0 {
            0.0
        } else {
            (treated.sum + control.sum) / paid as f64
        };
        for group in [treated, control] {
            let own = count * count * group.variance(usual) / group.count as f64;
            variance += own;
            weight += own * own / (group.count as f64 - 1.0).max(1.0);
        }
    }
    if strata.is_empty() {
        return None;
    }
    let freedom = if weight > 0.0 {
        variance * variance / weight
    } else {
        1.0
    };
    let reach = quantile(freedom) * variance.sqrt();
    Some(Brought {
        amount,
        low: amount - reach,
        high: amount + reach,
    })
}

/// The quantile of Student's distribution for an interval of 95 % (the expansion of Cornish and Fisher).
fn quantile(freedom: f64) -> f64 {
    const Z: f64 = 1.959_963_984_540_054;
    let v = freedom.max(2.0);
    let z3 = Z * Z * Z;
    let z5 = z3 * Z * Z;
    let z7 = z5 * Z * Z;
    Z + (z3 + Z) / (4.0 * v)
        + (5.0 * z5 + 16.0 * z3 + 3.0 * Z) / (96.0 * v * v)
        + (3.0 * z7 + 19.0 * z5 + 17.0 * z3 - 15.0 * Z) / (384.0 * v * v * v)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_the_tables() {
        for (freedom, expected) in [(5.0, 2.571), (10.0, 2.228), (30.0, 2.042), (1e9, 1.960)] {
            let own = quantile(freedom);
            assert!((own - expected).abs() < 0.01, "{freedom}: {own}");
        }
    }

    #[test]
    fn nothing_says_nothing() {
        assert_eq!(brought(&[]), None);
        let mut one = Stratum::default();
        one.treated.add(Some(5.0));
        assert_eq!(brought(&[one]), None);
    }

    #[test]
    fn a_control_group_of_which_nobody_paid_says_little() {
        let mut one = Stratum::default();
        for n in 0..30 {
            one.treated.add((n % 10 == 0).then_some(100.0));
            one.control.add(None);
        }
        let found = brought(&[one]).expect("measured");
        assert!((found.amount - 300.0).abs() < 1e-6);
        assert!(found.low < 0.0, "{found:?}");
    }

    /// Numbers that look random and are the same each time.
    struct Dice(u64);

    impl Dice {
        fn share(&mut self) -> f64 {
            // Knuth's; the upper bits are the good ones.
            self.0 = self
                .0
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (self.0 >> 11) as f64 / (1_u64 << 53) as f64
        }

        fn normal(&mut self) -> f64 {
            (0..12).map(|_| self.share()).sum::<f64>() - 6.0
        }

        fn group(&mut self, count: u64, share: f64) -> Group {
            let mut group = Group::default();
            for _ in 0..count {
                // Amounts of invoices: a few are many times the others.
                let amount = (0.8 * self.normal()).exp() * 1_000.0;
                group.add((self.share() < share).then_some(amount));
            }
            group
        }
    }

    #[test]
    fn the_interval_holds_the_truth_nineteen_times_of_twenty() {
        const ROUNDS: u32 = 2_000;
        let usual = (0.5_f64 * 0.8 * 0.8).exp() * 1_000.0;
        let mut dice = Dice(7);
        for (treated, control, own, other) in [
            (270, 30, 0.6, 0.45),
            (270, 30, 0.3, 0.3),
            (900, 100, 0.5, 0.4),
            (40, 40, 0.8, 0.7),
        ] {
            let truth = treated as f64 * (own - other) * usual;
            let mut held = 0;
            for _ in 0..ROUNDS {
                let one = Stratum {
                    treated: dice.group(treated, own),
                    control: dice.group(control, other),
                };
                let found = brought(&[one]).expect("measured");
                held += u32::from((found.low..=found.high).contains(&truth));
            }
            let share = f64::from(held) / f64::from(ROUNDS);
            eprintln!("{treated} and {control}: {share}");
            assert!(
                (0.92..=0.985).contains(&share),
                "{treated} and {control}: {share}"
            );
        }
    }
}
