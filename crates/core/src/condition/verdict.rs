//! Verdicts: what a condition says when not everything is known, and until when time alone cannot change it.
//!
//! Three answers (Kleene): yes, no, and "not without more". **Invariants:** a verdict that is told from a part
//! is the verdict over everything; with everything known it is what [`Condition::holds`] says; and nothing but
//! time changes it before `until`, counted in whole milliseconds.
//!
//! **Absent:** loading. Whoever gets no answer asks for more.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use crate::event::Event;
use crate::ids::{EventName, ObjectKind, SegmentId};
use crate::value::{self, FieldPath, Root, Value};

use super::{Condition, Did, Operand, Scene, Test, kind_beyond};

/// What a condition says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// Whether it holds; `None` when that cannot be told without what was not loaded.
    pub holds: Option<bool>,
    /// When time alone may change that at the earliest; `None` is never.
    pub until: Option<Timestamp>,
}

/// What is known beside the contact itself.
#[derive(Debug, Clone, Copy)]
pub enum Knows<'a> {
    /// All that the condition may ask for.
    All,
    /// Some of it.
    Part(Part<'a>),
}

/// What is known where not everything is.
#[derive(Debug, Clone, Copy)]
pub struct Part<'a> {
    /// Events whose history is at hand whole.
    pub history: &'a BTreeSet<EventName>,
    /// Kinds of objects of which all are at hand.
    pub kinds: &'a BTreeSet<ObjectKind>,
    /// Segments of which it is known how the contact stands to them.
    pub segments: &'a BTreeSet<SegmentId>,
    /// An event that is certainly part of the history.
    pub event: Option<&'a Event>,
    /// What may be another in a moment, and so is not known.
    pub changing: Option<&'a Changing>,
}

/// What may be another in a moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changing {
    /// Traits of the contact.
    pub traits: BTreeSet<Box<str>>,
    /// Memberships.
    pub segments: BTreeSet<SegmentId>,
}

impl<'a> Knows<'a> {
    /// Whether the history of a name is known whole.
    pub fn history(self, name: &EventName) -> bool {
        match self {
            Self::All => true,
            Self::Part(part) => part.history.contains(name),
        }
    }

    fn kind(self, kind: &ObjectKind) -> bool {
        match self {
            Self::All => true,
            Self::Part(part) => part.kinds.contains(kind),
        }
    }

    fn segment(self, id: &SegmentId) -> bool {
        match self {
            Self::All => true,
            Self::Part(part) => {
                part.segments.contains(id)
                    && part
                        .changing
                        .is_none_or(|changing| !changing.segments.contains(id))
            }
        }
    }

    fn field(self, path: &FieldPath) -> bool {
        match (self, path.root) {
            (Self::All, _) | (_, Root::Event) => true,
            // Another object that the subject names may not be at hand.
            (Self::Part(part), Root::Subject) => {
                kind_beyond(path).is_none_or(|kind| part.kinds.contains(&kind))
            }
            (Self::Part(part), Root::Contact) => part.changing.is_none_or(|changing| {
                let name = path.names.first();
                name.is_none_or(|name| !changing.traits.contains(name))
            }),
        }
    }

    /// The one event of a name that is known where its history is not.
    fn event(self, name: &EventName) -> Option<&'a Event> {
        match self {
            Self::All => None,
            Self::Part(part) => part.event.filter(|event| event.name == *name),
        }
    }
}

impl Verdict {
    /// It does not hold, and time changes nothing about it.
    pub(crate) const NEVER: Self = Self::always(false);
    /// It cannot be told.
    pub(crate) const UNKNOWN: Self = Self {
        holds: None,
        until: None,
    };

    const fn always(holds: bool) -> Self {
        Self {
            holds: Some(holds),
            until: None,
        }
    }

    fn negated(self) -> Self {
        Self {
            holds: self.holds.map(|holds| !holds),
            until: self.until,
        }
    }

    /// Every one holds. One that does not decides alone, and the last to change decides when.
    fn all(verdicts: impl Iterator<Item = Self>) -> Self {
        let mut whole = Self::always(true);
        for one in verdicts {
            whole = match (whole.holds, one.holds) {
                (Some(false), Some(false)) => Self {
                    holds: Some(false),
                    until: later(whole.until, one.until),
                },
                (Some(false), _) => whole,
                (_, Some(false)) => one,
                (None, _) | (_, None) => Self::UNKNOWN,
                (Some(true), Some(true)) => Self {
                    holds: Some(true),
                    until: sooner(whole.until, one.until),
                },
            };
        }
        whole
    }
}

/// The earlier moment; `None` is never.
fn sooner(left: Option<Timestamp>, right: Option<Timestamp>) -> Option<Timestamp> {
    [left, right].into_iter().flatten().min()
}

/// The later moment; `None` is never.
fn later(left: Option<Timestamp>, right: Option<Timestamp>) -> Option<Timestamp> {
    Some(left?.max(right?))
}

impl Condition {
    /// Whether the condition holds, as far as that is known, and until when.
    pub fn verdict(&self, scene: &Scene<'_>, knows: Knows<'_>) -> Verdict {
        match self {
            Self::All(list) => Verdict::all(list.iter().map(|one| one.verdict(scene, knows))),
            Self::Any(list) => {
                let none = list.iter().map(|one| one.verdict(scene, knows).negated());
                Verdict::all(none).negated()
            }
            Self::Not(inner) => inner.verdict(scene, knows).negated(),
            Self::Field { path, test } if knows.field(path) => Verdict {
                holds: Some(test.passes(scene.field(path), scene)),
                until: test.until(scene.field(path), scene),
            },
            Self::Field { .. } => Verdict::UNKNOWN,
            Self::Did(did) => did.verdict(scene, knows),
            Self::InSegment(id) if knows.segment(id) => Verdict::always(scene.is_member(id)),
            Self::InSegment(_) => Verdict::UNKNOWN,
            Self::Has { kind, filter } if knows.kind(kind) => {
                let lacks = scene.objects_of(kind).map(|object| {
                    let about = Scene {
                        subject: Some(object),
                        ..*scene
                    };
                    let found = filter.as_ref().map(|filter| filter.verdict(&about, knows));
                    found.unwrap_or(Verdict::always(true)).negated()
                });
                Verdict::all(lacks).negated()
            }
            Self::Has { .. } => Verdict::UNKNOWN,
            Self::Rfm(rfm) => rfm.verdict(scene, knows),
        }
    }

    /// Whether another event of a name can do nothing but let it come to hold (`up`), or nothing but let it
    /// cease to. What does not ask for the name is both.
    pub fn rises_with(&self, name: &EventName, up: bool) -> bool {
        match self {
            Self::All(list) | Self::Any(list) => list.iter().all(|one| one.rises_with(name, up)),
            Self::Not(inner) => inner.rises_with(name, !up),
            Self::Did(did) => did.rises_with(name, up),
            Self::Rfm(rfm) => rfm.event != *name,
            Self::Field { .. } | Self::InSegment(_) => true,
            Self::Has { filter, .. } => filter
                .as_ref()
                .is_none_or(|filter| filter.rises_with(name, up)),
        }
    }

    /// Whether an event counts for nothing that the condition asks, now and for ever: it is too old, or not such
    /// a one as is asked for.
    pub fn passes_over(&self, event: &Event, scene: &Scene<'_>) -> bool {
        let mut passes = true;
        self.visit(&mut |one| {
            passes &= match one {
                Self::Did(did) => did.passes_over(event, scene),
                Self::Rfm(rfm) => rfm.event != event.name,
                Self::All(_)
                | Self::Any(_)
                | Self::Not(_)
                | Self::Field { .. }
                | Self::InSegment(_)
                | Self::Has { .. } => true,
            };
        });
        passes
    }

    /// Whether where the contact lives may change what it says or when: it reads moments by its clock.
    pub fn reads_clock(&self) -> bool {
        let mut reads = false;
        self.visit(&mut |one| {
            reads |= match one {
                Self::Field { test, .. } => test.reads_clock(),
                Self::Did(did) => did.reads_clock(),
                Self::All(_)
                | Self::Any(_)
                | Self::Not(_)
                | Self::InSegment(_)
                | Self::Has { .. }
                | Self::Rfm(_) => false,
            };
        });
        reads
    }
}

impl Test {
    /// When time alone may change whether a field passes.
    fn until(&self, field: Option<&Value>, scene: &Scene<'_>) -> Option<Timestamp> {
        let field = field.filter(|value| !value.is_null())?;
        // Whether the operand's moment counts as past the field's once it reaches it, or once it passes it.
        let (operand, reaching) = match self {
            Self::Gt(operand) | Self::After(operand) => (operand, true),
            Self::Lte(operand) => (operand, true),
            Self::Gte(operand) => (operand, false),
            Self::Lt(operand) | Self::Before(operand) => (operand, false),
            Self::Eq(_)
            | Self::Ne(_)
            | Self::In(_)
            | Self::Contains(_)
            | Self::StartsWith(_)
            | Self::Exists(_) => return None,
        };
        let passed = |moment: Timestamp| {
            let least = SignedDuration::from_nanos(i64::from(reaching));
            moment.checked_sub(least).ok()
        };
        let (zone, calendar, now) = (scene.zone, scene.calendar, scene.now);
        match operand {
            Operand::Value(_) => None,
            Operand::Ago(delay) => {
                let moment = passed(value::moment(field, zone)?)?;
                delay.left_at(moment, now, zone, calendar)
            }
            Operand::In(delay) => {
                let moment = passed(value::moment(field, zone)?)?;
                delay.reached_at(moment, now, zone, calendar)
            }
        }
    }

    fn reads_clock(&self) -> bool {
        match self {
            Self::Gt(operand) | Self::Gte(operand) | Self::Lt(operand) | Self::Lte(operand) => {
                match operand {
                    Operand::Value(_) => false,
                    Operand::Ago(_) | Operand::In(_) => true,
                }
            }
            Self::Before(_) | Self::After(_) => true,
            Self::Eq(_)
            | Self::Ne(_)
            | Self::In(_)
            | Self::Contains(_)
            | Self::StartsWith(_)
            | Self::Exists(_) => false,
        }
    }
}

/// One event, and whether it counts.
#[derive(Clone, Copy)]
struct Deed {
    at: Timestamp,
    counts: Verdict,
}

/// Events of a name, newest first, and whether there may be more of them.
struct Deeds {
    list: Vec<Deed>,
    whole: bool,
}

/// How many of the newest events count, as one goes back through them.
#[derive(Default)]
struct Tally {
    counted: u32,
    unknown: u32,
    /// When any of them may begin or cease to count.
    until: Option<Timestamp>,
}

impl Tally {
    fn add(&mut self, deed: &Deed) {
        match deed.counts.holds {
            Some(true) => self.counted += 1,
            Some(false) => {}
            None => self.unknown += 1,
        }
        self.until = sooner(self.until, deed.counts.until);
    }

    /// Whether there are as many as asked for. A bound that is early: any of them may change it.
    fn suffices(&self, did: &Did, whole: bool) -> Verdict {
        let known = |holds| Verdict {
            holds: Some(holds),
            until: self.until,
        };
        let at_most = self.counted.saturating_add(self.unknown);
        if did.times_max.is_some_and(|most| self.counted > most)
            || (whole && at_most < did.times_min)
        {
            return known(false);
        }
        let no_more = did.times_max.is_none_or(|most| whole && at_most <= most);
        if self.counted >= did.times_min && no_more {
            return known(true);
        }
        Verdict::UNKNOWN
    }
}

impl Did {
    fn verdict(&self, scene: &Scene<'_>, knows: Knows<'_>) -> Verdict {
        // One event at most is known where the past is not: where it takes two to tell, nothing can be told.
        let takes_two = self.times_min > 1 && self.times_max.is_none_or(|most| most > 0);
        if takes_two && !knows.history(&self.event) {
            return Verdict::UNKNOWN;
        }
        // Past this many further ones change nothing.
        let enough = self.times_max.map_or(self.times_min, |most| {
            self.times_min.max(most.saturating_add(1))
        });
        let deeds = self.deeds(scene, knows, Some(enough));
        let least = deeds.at_least(self.times_min);
        match self.times_max {
            None => least,
            Some(most) => {
                let more = deeds.at_least(most.saturating_add(1));
                Verdict::all([least, more.negated()].into_iter())
            }
        }
    }

    /// The events, and which of them count; as many as are `enough`, if that many count.
    fn deeds(&self, scene: &Scene<'_>, knows: Knows<'_>, enough: Option<u32>) -> Deeds {
        let whole = knows.history(&self.event);
        let past = whole.then(|| scene.history.of(&self.event).rev());
        let one = (!whole).then(|| knows.event(&self.event)).flatten();
        let events = past.into_iter().flatten().chain(one);
        let then = self
            .then
            .as_ref()
            .map(|then| (then, then.deeds(scene, knows, None)));
        let mut followed = Tally::default();
        let mut ahead = then.iter().flat_map(|(_, deeds)| &deeds.list).peekable();
        let mut list = Vec::new();
        let mut counted = 0;
        let start = self.start(scene);
        for event in events {
            // R7: what a machine did is no deed of the contact.
            if event.by_machine() {
                continue;
            }
            if let Some(deed) = ahead.next_if(|deed| deed.at > event.at) {
                followed.add(deed);
                while let Some(deed) = ahead.next_if(|deed| deed.at > event.at) {
                    followed.add(deed);
                }
            }
            let window = self.window(start, event.at, scene);
            if window == Verdict::NEVER {
                continue;
            }
            let inner = Scene {
                event: Some(event),
                ..*scene
            };
            let filter = self
                .filter
                .iter()
                .map(|filter| filter.verdict(&inner, knows));
            let then = then
                .iter()
                .map(|(did, deeds)| followed.suffices(did, deeds.whole));
            let counts = Verdict::all(std::iter::once(window).chain(filter).chain(then));
            if counts == Verdict::NEVER {
                continue;
            }
            let at = event.at;
            list.push(Deed { at, counts });
            counted += u32::from(counts.holds == Some(true));
            if enough.is_some_and(|enough| counted >= enough) {
                break;
            }
        }
        Deeds { list, whole }
    }

    /// Where the time begins that is looked at.
    fn start(&self, scene: &Scene<'_>) -> Option<Timestamp> {
        let within = self.within.as_ref()?;
        Some(within.sub(scene.now, scene.zone, scene.calendar))
    }

    /// Whether an event of a moment lies in the time that is looked at, which begins at `start`.
    fn window(&self, start: Option<Timestamp>, at: Timestamp, scene: &Scene<'_>) -> Verdict {
        if at > scene.now {
            return Verdict {
                holds: Some(false),
                until: Some(at),
            };
        }
        match self.within.as_ref().zip(start) {
            None => Verdict::always(true),
            Some((delay, start)) => Verdict {
                holds: Some(start <= at),
                until: delay.left_from(start, at, scene.now, scene.zone, scene.calendar),
            },
        }
    }

    fn passes_over(&self, event: &Event, scene: &Scene<'_>) -> bool {
        let inner = Scene {
            event: Some(event),
            ..*scene
        };
        let mut link = Some(self);
        while let Some(did) = link {
            // What a filter asks of the contact or of the past may be another in time.
            let refuses = |filter: &Condition| {
                let mut asks_event_alone = true;
                filter.visit(&mut |one| {
                    asks_event_alone &= match one {
                        Condition::Field { path, .. } => path.root == Root::Event,
                        Condition::All(_) | Condition::Any(_) | Condition::Not(_) => true,
                        Condition::Did(_)
                        | Condition::InSegment(_)
                        | Condition::Has { .. }
                        | Condition::Rfm(_) => false,
                    };
                });
                asks_event_alone && filter.verdict(&inner, Knows::All) == Verdict::NEVER
            };
            let counts = did.event == event.name
                && did.window(did.start(scene), event.at, scene) != Verdict::NEVER
                && !did.filter.as_deref().is_some_and(refuses);
            if counts {
                return false;
            }
            link = did.then.as_deref();
        }
        true
    }

    fn rises_with(&self, name: &EventName, up: bool) -> bool {
        let mut links = Vec::new();
        let mut link = Some(self);
        while let Some(did) = link {
            links.push(did);
            link = did.then.as_deref();
        }
        // A filter that asks for the name itself may turn any way.
        let apart = |did: &&Self| {
            let filter = did.filter.as_ref();
            filter.is_none_or(|one| one.rises_with(name, true) && one.rises_with(name, false))
        };
        if !links.iter().all(apart) {
            return false;
        }
        if links.iter().all(|did| did.event != *name) {
            return true;
        }
        if up {
            links.iter().all(|did| did.times_max.is_none())
        } else {
            links.len() == 1 && self.times_min == 0 && self.times_max.is_some()
        }
    }

    fn reads_clock(&self) -> bool {
        let mut link = Some(self);
        while let Some(did) = link {
            if did.within.as_ref().is_some_and(|within| !within.is_exact()) {
                return true;
            }
            link = did.then.as_deref();
        }
        false
    }
}

impl Deeds {
    /// Whether at least so many count, and until when.
    fn at_least(&self, least: u32) -> Verdict {
        let of = |wanted: Option<bool>| {
            let fitting = self
                .list
                .iter()
                .filter(move |deed| deed.counts.holds == wanted);
            fitting.map(|deed| deed.counts.until)
        };
        let place = |rank: u32| usize::try_from(rank).unwrap_or(usize::MAX);
        if least == 0 {
            return Verdict::always(true);
        }
        let counted = of(Some(true)).count();
        if least == 1 && counted > 0 {
            let gone = of(Some(true)).map(|until| until.unwrap_or(Timestamp::MAX));
            return Verdict {
                holds: Some(true),
                until: gone.max().filter(|until| *until < Timestamp::MAX),
            };
        }
        if counted >= place(least) {
            // It holds until so many of them have gone that the rest are too few.
            let mut gone: Vec<Option<Timestamp>> = of(Some(true)).collect();
            gone.sort_by_key(|until| std::cmp::Reverse(until.unwrap_or(Timestamp::MAX)));
            return Verdict {
                holds: Some(true),
                until: gone.get(place(least - 1)).copied().flatten(),
            };
        }
        let missing = place(least) - counted;
        let unknown = of(None).count();
        if !self.whole || unknown >= missing {
            return Verdict::UNKNOWN;
        }
        let mut come: Vec<Timestamp> = of(Some(false)).flatten().collect();
        come.sort_unstable();
        Verdict {
            holds: Some(false),
            until: come.get(missing - unknown - 1).copied(),
        }
    }
}
