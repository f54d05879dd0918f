//! How many contacts would belong to segments: told of everyone where that is quick, else of a sample.
//!
//! Each contact is decided about by the same core that keeps the segments, in memory; nothing is written. A
//! first sample tells how long everyone would take. What is estimated says so, with the interval that holds the true
//! number in 95 of 100 cases.
//!
//! Where only the moments of events count, what everyone did is read from the log's columns at once, as a build of
//! the segment does, instead of looked up contact by contact; the sample is larger then, for the same time.
//!
//! **Invariant:** the answer comes after a few seconds at most, however many contacts there are.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use relance_core::condition::Condition;
use relance_core::contact::Contact;
use relance_core::decide::{Input, decide};
use relance_core::ids::{ContactId, SegmentId};
use relance_core::{Snapshot, World};
use relance_store::read::{PAGE_ROWS_MAX, ReadError, Reader, Scanner};
use serde::{Deserialize, Serialize};

/// Contacts of which everyone is looked at without asking how long it takes.
const EXACT_CONTACTS: u64 = 2_000;
/// Contacts of the first sample.
const SAMPLE_FIRST: usize = 1_000;
/// Contacts of the whole sample.
const SAMPLE_MAX: usize = 8_000;
/// The same where what contacts did was gathered before.
const SAMPLE_GATHERED_MAX: usize = 50_000;
/// How long gathering what contacts did may take.
const GATHER_MAX: Duration = Duration::from_millis(2_000);
/// How long it may take to look at everyone, as far as the first sample tells.
const EXACT_PLANNED_MAX: Duration = Duration::from_millis(2_500);
/// After this, looking at everyone is given up for a sample.
const EXACT_MAX: Duration = Duration::from_millis(4_000);
/// After this the sample is as large as it is.
const SAMPLE_TIME_MAX: Duration = Duration::from_millis(2_000);
/// Contacts of a segment that are shown.
pub const SHOWN_MAX: usize = 100;
/// The normal distribution's bound for 95 of 100.
const Z: f64 = 1.96;

/// A number, exact or estimated.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Estimate {
    /// The number, or what it probably is.
    pub count: u64,
    /// It is hardly less.
    pub low: u64,
    /// It is hardly more.
    pub high: u64,
    /// Whether everyone was looked at.
    pub exact: bool,
}

impl Estimate {
    /// A number that is known.
    pub const fn exactly(count: u64) -> Self {
        Self {
            count,
            low: count,
            high: count,
            exact: true,
        }
    }

    /// What `hits` among `looked` say of `total`: Wilson's interval, narrowed as the sample comes near everyone.
    pub fn of(hits: u64, looked: u64, total: u64) -> Self {
        if looked >= total {
            return Self::exactly(hits);
        }
        if looked == 0 {
            return Self {
                count: 0,
                low: 0,
                high: total,
                exact: false,
            };
        }
        let (n, all) = (looked as f64, total as f64);
        let share = hits as f64 / n;
        // A sample without repetition tells more than one with it.
        let n = n * (all - 1.0).max(1.0) / (all - n).max(1.0);
        let square = Z * Z;
        let middle = (share + square / (2.0 * n)) / (1.0 + square / n);
        let half =
            Z / (1.0 + square / n) * (share * (1.0 - share) / n + square / (4.0 * n * n)).sqrt();
        let rest = total - looked;
        let whole = |share: f64| (share.clamp(0.0, 1.0) * all).round() as u64;
        let count = whole(share);
        Self {
            count,
            low: whole(middle - half).max(hits).min(count),
            high: whole(middle + half).min(hits + rest).max(count),
            exact: false,
        }
    }
}

impl std::fmt::Display for Estimate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.exact {
            write!(f, "{}", self.count)
        } else {
            write!(f, "about {} ({} to {})", self.count, self.low, self.high)
        }
    }
}

/// What was found of one segment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Share {
    /// Members once the definition is in force.
    pub after: Estimate,
    /// Of these, contacts that are none now.
    pub entering: Estimate,
    /// Members now that would be none.
    pub leaving: Estimate,
    /// Some who would be members.
    pub shown: Vec<Contact>,
}

/// What was found of segments.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Counted {
    /// Contacts that were looked at.
    pub looked: u64,
    /// Contacts there are.
    pub total: u64,
    /// By segment.
    pub shares: BTreeMap<SegmentId, Share>,
    /// How long it took.
    pub took: Duration,
}

/// Counts who would belong to `segments`, each after those that it asks about, as `world` defines them.
pub fn count(
    reader: &Reader,
    world: &World,
    segments: &[SegmentId],
    shown: usize,
    now: Timestamp,
) -> Result<Counted, ReadError> {
    let begun = Instant::now();
    let input = Input::Assess(segments.into());
    let nobody = Snapshot::new(Contact::new(ContactId(0), now));
    let mut needs = nobody.needs(world, &input).whole();
    needs.entries.clear();
    let mut scanner = reader.scanner(needs)?;
    let totals = reader.totals()?;
    let Some((first, last)) = reader.contact_bounds()? else {
        return Ok(told(&Tally::new(segments, shown), 0, begun.elapsed()));
    };
    let all = totals.contacts.max(1);
    if all > EXACT_CONTACTS && is_bare(world, segments) {
        scanner.gather(&|| begun.elapsed() >= GATHER_MAX)?;
    }
    let counting = Counting {
        scanner: &scanner,
        world,
        segments,
        shown,
        input: &input,
        now,
    };
    if all <= EXACT_CONTACTS
        && let Some(tally) = counting.everyone(first, begun + EXACT_MAX)?
    {
        return Ok(told(&tally, tally.looked, begun.elapsed()));
    }
    let mut sample = Tally::new(segments, shown);
    let mut picks = Picks::new(first, last);
    let sampling = Instant::now();
    let until = sampling + SAMPLE_TIME_MAX;
    counting.sample(&mut picks, SAMPLE_FIRST, until, &mut sample)?;
    let each = sampling.elapsed().as_secs_f64() / (sample.looked.max(1) as f64);
    let everyone = each * all as f64;
    // Of those that were left out nothing is gathered: they would take longer.
    if scanner.halvings().unwrap_or(0) == 0
        && everyone <= EXACT_PLANNED_MAX.as_secs_f64()
        && let Some(tally) = counting.everyone(first, begun + EXACT_MAX)?
    {
        return Ok(told(&tally, tally.looked, begun.elapsed()));
    }
    let most = match scanner.halvings() {
        Some(_) => SAMPLE_GATHERED_MAX,
        None => SAMPLE_MAX,
    };
    counting.sample(&mut picks, most, until, &mut sample)?;
    Ok(told(&sample, all.max(sample.looked), begun.elapsed()))
}

/// Whether segments, and those that are told with them, ask of events only when they happened.
fn is_bare(world: &World, segments: &[SegmentId]) -> bool {
    let told = world.segments_with(segments);
    let segments = told.iter().filter_map(|id| world.segment(id));
    segments
        .filter_map(|segment| segment.condition())
        .all(|condition| {
            let mut is_bare = true;
            condition.visit(&mut |one| match one {
                Condition::Rfm(_) => is_bare = false,
                Condition::Did(did) => {
                    let mut next = Some(did);
                    while let Some(did) = next {
                        is_bare &= did.filter.is_none();
                        next = did.then.as_deref();
                    }
                }
                Condition::All(_)
                | Condition::Any(_)
                | Condition::Not(_)
                | Condition::Field { .. }
                | Condition::InSegment(_)
                | Condition::Has { .. } => {}
            });
            is_bare
        })
}

fn told(tally: &Tally<'_>, total: u64, took: Duration) -> Counted {
    let shares = tally.segments.iter().zip(&tally.hits).map(|(id, hits)| {
        let of = |hits: u64| Estimate::of(hits, tally.looked, total);
        let share = Share {
            after: of(hits.after),
            entering: of(hits.entering),
            leaving: of(hits.leaving),
            shown: hits.shown.clone(),
        };
        (id.clone(), share)
    });
    Counted {
        looked: tally.looked,
        total,
        shares: shares.collect(),
        took,
    }
}

/// What was counted so far.
struct Tally<'a> {
    segments: &'a [SegmentId],
    hits: Vec<Hits>,
    looked: u64,
    shown_max: usize,
}

#[derive(Debug, Clone, Default)]
struct Hits {
    after: u64,
    entering: u64,
    leaving: u64,
    shown: Vec<Contact>,
}

impl<'a> Tally<'a> {
    fn new(segments: &'a [SegmentId], shown: usize) -> Self {
        Self {
            segments,
            hits: vec![Hits::default(); segments.len()],
            looked: 0,
            shown_max: shown.min(SHOWN_MAX),
        }
    }
}

struct Counting<'a> {
    scanner: &'a Scanner<'a>,
    world: &'a World,
    segments: &'a [SegmentId],
    shown: usize,
    input: &'a Input,
    now: Timestamp,
}

impl<'a> Counting<'a> {
    /// Everyone, in order; `None` when that takes too long.
    fn everyone(&self, first: ContactId, until: Instant) -> Result<Option<Tally<'a>>, ReadError> {
        let mut tally = Tally::new(self.segments, self.shown);
        let mut from = first;
        loop {
            let page = self.scanner.page(from, PAGE_ROWS_MAX)?;
            let is_last = page.len() < PAGE_ROWS_MAX;
            if let Some(last) = page.last() {
                from = ContactId(last.contact.id.0 + 1);
            }
            for snapshot in page {
                self.look(snapshot, &mut tally);
            }
            if is_last {
                return Ok(Some(tally));
            }
            if Instant::now() >= until {
                return Ok(None);
            }
        }
    }

    /// Contacts from all over, until there are `most` of them or time is up.
    fn sample(
        &self,
        picks: &mut Picks,
        most: usize,
        until: Instant,
        tally: &mut Tally<'_>,
    ) -> Result<(), ReadError> {
        let halvings = self.scanner.halvings();
        // Places between contacts lead to ones that were seen, and halvings past others: they are not looked for
        // without end.
        let tries = (most * 2).saturating_mul(1 << halvings.unwrap_or(0).min(20));
        for _ in 0..tries {
            if tally.looked as usize >= most || Instant::now() >= until {
                break;
            }
            let Some(place) = picks.next() else { break };
            let found = match halvings {
                None => self.scanner.page(place, 1)?.pop(),
                Some(_) if !self.scanner.has(place) || picks.seen.contains(&place) => None,
                Some(_) => self.scanner.one(place)?,
            };
            let Some(snapshot) = found else {
                continue;
            };
            if picks.seen.insert(snapshot.contact.id) {
                self.look(snapshot, tally);
            }
        }
        Ok(())
    }

    fn look(&self, mut snapshot: Snapshot, tally: &mut Tally<'_>) {
        let member = |snapshot: &Snapshot, id: &SegmentId| {
            let standing = snapshot.memberships.get(id);
            standing.is_some_and(|standing| standing.member)
        };
        let before: Vec<bool> = self
            .segments
            .iter()
            .map(|id| member(&snapshot, id))
            .collect();
        decide(self.world, &mut snapshot, self.input, self.now);
        tally.looked += 1;
        let shown_max = tally.shown_max as u64;
        for ((id, hits), before) in self.segments.iter().zip(&mut tally.hits).zip(before) {
            let after = member(&snapshot, id);
            hits.after += u64::from(after);
            hits.entering += u64::from(after && !before);
            hits.leaving += u64::from(before && !after);
            if !after || shown_max == 0 {
                continue;
            }
            // Each member has the same chance to be shown, wherever it lies.
            let place = mixed(hits.after) % hits.after;
            if hits.after <= shown_max {
                hits.shown.push(snapshot.contact.clone());
            } else if place < shown_max {
                hits.shown[place as usize] = snapshot.contact.clone();
            }
        }
    }
}

/// Places to look for contacts at, spread over all of them, the same for the same workspace.
struct Picks {
    first: u64,
    width: u64,
    drawn: u64,
    seen: BTreeSet<ContactId>,
}

impl Picks {
    fn new(first: ContactId, last: ContactId) -> Self {
        Self {
            first: first.0,
            width: last.0.saturating_sub(first.0) + 1,
            drawn: 0,
            seen: BTreeSet::new(),
        }
    }

    fn next(&mut self) -> Option<ContactId> {
        self.drawn += 1;
        let place = mixed(self.drawn).checked_rem(self.width)?;
        Some(ContactId(self.first + place))
    }
}

/// A number that tells nothing of the one it comes from (splitmix64).
fn mixed(number: u64) -> u64 {
    let mut z = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_estimate_holds_the_truth_and_never_more_than_there_is() {
        assert_eq!(Estimate::of(7, 20, 20), Estimate::exactly(7));
        let none = Estimate::of(0, 1_000, 1_000_000);
        assert_eq!((none.count, none.low), (0, 0));
        assert!((2_000..6_000).contains(&none.high), "{none}");
        let half = Estimate::of(500, 1_000, 1_000_000);
        assert_eq!(half.count, 500_000);
        assert!(half.low > 465_000 && half.high < 535_000, "{half}");
        let nearly = Estimate::of(500, 999, 1_000);
        assert!(nearly.low >= 500 && nearly.high <= 501, "{nearly}");
        assert_eq!(Estimate::of(0, 0, 9).high, 9);
    }

    #[test]
    fn of_a_hundred_samples_few_miss_the_truth() {
        let (total, looked) = (200_000_u64, 2_000);
        let mut missed = 0;
        for round in 0..100_u64 {
            let hits = (0..looked)
                .filter(|n| mixed(round * 1_000_003 + n) % 100 < 7)
                .count();
            let estimate = Estimate::of(hits as u64, looked, total);
            let truth = total * 7 / 100;
            missed += u64::from(!(estimate.low..=estimate.high).contains(&truth));
        }
        assert!(missed <= 11, "{missed} of 100");
    }
}
