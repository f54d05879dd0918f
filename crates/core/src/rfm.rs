//! Recency, frequency and money: how recent, how many and how dear a contact's orders are, each from 1 to 5.
//!
//! The bounds of the fifths are data, told from all contacts at once elsewhere; a score is one contact's place
//! among them. **Absent:** telling the bounds (`relance-stats`), and scores of whoever never ordered.

use jiff::{SignedDuration, Timestamp};

use crate::condition::{Knows, Scene, Verdict};
use crate::event::Event;
use crate::ids::EventName;

/// Scores go from 1 to this.
pub const SCORE_MAX: u8 = 5;
/// Event that is an order, where the workspace names no other.
pub const ORDER_EVENT_DEFAULT: &str = "Order Completed";
/// Properties of an order that hold its sum, the first that is there; where the workspace names no other.
pub const ORDER_SUM_DEFAULT: [&str; 3] = ["revenue", "total", "value"];

/// Where each fifth of the customers ends: values up to the first edge are of the first fifth.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RfmBounds {
    /// Whole days since the last order, ascending.
    pub recency_days: [f64; 4],
    /// Orders.
    pub orders: [f64; 4],
    /// Their sum.
    pub money: [f64; 4],
}

/// `rfm:` as a condition.
#[derive(Debug, Clone, PartialEq)]
pub struct Rfm {
    /// What an order is.
    pub event: EventName,
    /// The properties of it that may hold its sum, the first that is there counts.
    pub sum: Box<[Box<str>]>,
    /// How recent.
    pub recency: Option<Scores>,
    /// How many.
    pub frequency: Option<Scores>,
    /// How dear.
    pub monetary: Option<Scores>,
    /// A named group of scores.
    pub group: Option<RfmGroup>,
}

/// Scores from one to another, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scores {
    /// The lowest.
    pub least: u8,
    /// The highest.
    pub most: u8,
}

impl Scores {
    /// Whether a score is among them.
    pub fn contain(self, score: u8) -> bool {
        (self.least..=self.most).contains(&score)
    }
}

/// A named group of scores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RfmGroup {
    /// Buy often, much and lately.
    Champions,
    /// Buy often or much, and not long ago.
    Loyal,
    /// Recent, with a second order or a large one.
    Promising,
    /// Recent, with their first small orders.
    New,
    /// Neither recent nor gone, and few orders.
    NeedsAttention,
    /// Were good, and have stayed away.
    AtRisk,
    /// Were among the best, and have stayed away.
    CannotLose,
    /// Long away, and never bought much.
    Hibernating,
    /// Longest away, with the least.
    Lost,
}

impl RfmGroup {
    /// Every group, best first.
    pub const ALL: [Self; 9] = [
        Self::Champions,
        Self::Loyal,
        Self::Promising,
        Self::New,
        Self::NeedsAttention,
        Self::AtRisk,
        Self::CannotLose,
        Self::Hibernating,
        Self::Lost,
    ];

    /// The word in a segment's file.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Champions => "champions",
            Self::Loyal => "loyal",
            Self::Promising => "promising",
            Self::New => "new",
            Self::NeedsAttention => "needs_attention",
            Self::AtRisk => "at_risk",
            Self::CannotLose => "cannot_lose",
            Self::Hibernating => "hibernating",
            Self::Lost => "lost",
        }
    }

    /// The group of a word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|group| group.word() == word)
    }

    /// The group of three scores; scores out of range count as the nearest in it.
    pub fn of(recency: u8, frequency: u8, monetary: u8) -> Self {
        let place = |score: u8| usize::from(score.clamp(1, SCORE_MAX) - 1);
        GROUPS[place(recency)][place(frequency)][place(monetary)]
    }
}

/// Groups by recency, then frequency (a row each), then money (a column each), all from 1 to 5.
const GROUPS: [[[RfmGroup; 5]; 5]; 5] = {
    use RfmGroup::{
        AtRisk as R, CannotLose as X, Champions as C, Hibernating as H, Lost as O, Loyal as L,
        NeedsAttention as A, New as N, Promising as P,
    };
    [
        [
            [O, O, O, O, H],
            [O, O, O, H, H],
            [O, O, H, R, R],
            [H, H, R, X, X],
            [R, R, X, X, X],
        ],
        [
            [H, H, H, H, R],
            [H, H, H, R, R],
            [H, R, R, R, R],
            [R, R, R, R, X],
            [R, R, R, X, X],
        ],
        [
            [A, A, A, A, A],
            [A, A, A, A, A],
            [A, A, A, L, L],
            [A, A, L, L, L],
            [A, L, L, L, L],
        ],
        [
            [N, N, P, P, P],
            [P, P, P, P, P],
            [P, P, L, L, L],
            [L, L, L, L, C],
            [L, L, L, C, C],
        ],
        [
            [N, N, N, P, P],
            [N, N, P, P, P],
            [P, P, P, L, L],
            [L, L, L, C, C],
            [L, L, C, C, C],
        ],
    ]
};

impl RfmBounds {
    /// 5 for the most recent fifth.
    pub fn recency(&self, days: f64) -> u8 {
        SCORE_MAX - edges_below(&self.recency_days, days)
    }

    /// 5 for the fifth with the most orders.
    pub fn frequency(&self, orders: f64) -> u8 {
        1 + edges_below(&self.orders, orders)
    }

    /// 5 for the fifth that spent most.
    pub fn monetary(&self, money: f64) -> u8 {
        1 + edges_below(&self.money, money)
    }
}

fn edges_below(edges: &[f64; 4], value: f64) -> u8 {
    edges.iter().map(|edge| u8::from(value > *edge)).sum()
}

/// What a contact ordered, as of a moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Orders {
    /// The newest.
    pub last: Timestamp,
    /// How many.
    pub count: u32,
    /// Their sum.
    pub sum: f64,
}

const DAY: SignedDuration = SignedDuration::from_hours(24);

impl Orders {
    /// Whole days since the last order.
    pub fn days(&self, now: Timestamp) -> f64 {
        (now.duration_since(self.last).as_secs() / DAY.as_secs()) as f64
    }
}

impl Rfm {
    /// The sum of one order.
    pub fn sum_of(&self, order: &Event) -> f64 {
        let told = self.sum.iter().find_map(|name| {
            let value = order.properties.get(&**name)?;
            value
                .as_f64()
                .or_else(|| value.as_str()?.trim().parse().ok())
        });
        told.filter(|sum: &f64| sum.is_finite()).unwrap_or(0.0)
    }

    /// What was ordered up to `now`; `None` is nothing.
    pub fn orders<'e>(
        &self,
        events: impl Iterator<Item = &'e Event>,
        now: Timestamp,
    ) -> Option<Orders> {
        let mut orders: Option<Orders> = None;
        for event in events.filter(|event| event.at <= now && !event.by_machine()) {
            let sum = self.sum_of(event);
            orders = Some(match orders {
                None => Orders {
                    last: event.at,
                    count: 1,
                    sum,
                },
                Some(one) => Orders {
                    last: one.last.max(event.at),
                    count: one.count.saturating_add(1),
                    sum: one.sum + sum,
                },
            });
        }
        orders
    }

    /// Whether a contact's scores are as asked. Without bounds nobody has scores.
    pub(crate) fn verdict(&self, scene: &Scene<'_>, knows: Knows<'_>) -> Verdict {
        let Some(bounds) = scene.rfm else {
            return Verdict::NEVER;
        };
        if !knows.history(&self.event) {
            return Verdict::UNKNOWN;
        }
        let events = || scene.history.of(&self.event);
        let later = events().filter(|event| event.at > scene.now && !event.by_machine());
        let later = later.map(|event| event.at).min();
        let Some(orders) = self.orders(events(), scene.now) else {
            return Verdict {
                holds: Some(false),
                until: later,
            };
        };
        let days = orders.days(scene.now);
        let recency = bounds.recency(days);
        let frequency = bounds.frequency(f64::from(orders.count));
        let monetary = bounds.monetary(orders.sum);
        let fits = |asked: Option<Scores>, score| asked.is_none_or(|asked| asked.contain(score));
        let group = RfmGroup::of(recency, frequency, monetary);
        let holds = fits(self.recency, recency)
            && fits(self.frequency, frequency)
            && fits(self.monetary, monetary)
            && self.group.is_none_or(|asked| asked == group);
        Verdict {
            holds: Some(holds),
            until: [older_at(bounds, &orders, days), later]
                .into_iter()
                .flatten()
                .min(),
        }
    }
}

/// When whole days since the last order pass the next edge.
fn older_at(bounds: &RfmBounds, orders: &Orders, days: f64) -> Option<Timestamp> {
    /// Later than any contact lives.
    const DAYS_MAX: f64 = 100_000.0;
    let edge = bounds.recency_days.iter().copied();
    let edge = edge.filter(|edge| *edge >= days).fold(f64::MAX, f64::min);
    // In range by the comparison.
    let passed = (edge < DAYS_MAX).then(|| edge.floor() as i64 + 1)?;
    let after = SignedDuration::from_hours(24 * passed);
    orders.last.checked_add(after).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_fill_the_cube_and_get_no_worse_with_more() {
        let mut seen = std::collections::BTreeSet::new();
        for r in 1..=5 {
            for f in 1..=5 {
                for m in 1..=5 {
                    seen.insert(RfmGroup::of(r, f, m));
                }
            }
        }
        assert_eq!(seen.len(), RfmGroup::ALL.len());
        assert_eq!(RfmGroup::of(5, 5, 5), RfmGroup::Champions);
        assert_eq!(RfmGroup::of(5, 1, 1), RfmGroup::New);
        assert_eq!(RfmGroup::of(1, 5, 5), RfmGroup::CannotLose);
        assert_eq!(RfmGroup::of(1, 1, 1), RfmGroup::Lost);
        for group in RfmGroup::ALL {
            assert_eq!(RfmGroup::from_word(group.word()), Some(group));
        }
    }

    #[test]
    fn a_value_on_an_edge_is_of_the_lower_fifth() {
        let bounds = RfmBounds {
            recency_days: [10.0, 20.0, 30.0, 40.0],
            orders: [1.0, 1.0, 2.0, 4.0],
            money: [10.0, 20.0, 30.0, 40.0],
        };
        assert_eq!(
            [0.0, 10.0, 11.0, 41.0].map(|d| bounds.recency(d)),
            [5, 5, 4, 1]
        );
        assert_eq!(
            [1.0, 2.0, 3.0, 5.0].map(|n| bounds.frequency(n)),
            [1, 3, 4, 5]
        );
        assert_eq!([0.0, 10.0, 10.5].map(|m| bounds.monetary(m)), [1, 1, 2]);
    }
}
