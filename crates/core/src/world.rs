//! What is the same for every contact: published journeys, policy, templates' facts, mailboxes.
//!
//! Journeys are found by what may begin them (see `triggers`), so that what happens costs nothing for
//! journeys that it does not concern.

mod concerns;
mod needs;
mod segments;
mod triggers;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use jiff::Timestamp;

use crate::account::{ACCOUNT, Account, hears_of_accounts};
use crate::condition::Asks;
use crate::consent::DoubleOptIn;
use crate::contact::Contact;
use crate::decide::Input;
use crate::enrollment::{Enrollment, EnrollmentState};
use crate::ids::{
    EventName, ItemId, JourneyId, ListId, MailboxId, ObjectKind, SegmentId, StepKey, TemplateId,
};
use crate::journey::{Arm, Journey, Landing, Moves, StepIx, Unit, route};
use crate::policy::{GivenUp, Policy, TemplateFacts};
use crate::rfm::RfmBounds;
use crate::segment::Segment;
use crate::time::{Calendar, Zone};
use crate::value::Value;

use concerns::Concerns;
pub use needs::Needs;
use segments::Segments;
pub use segments::{Place, Queue, Touched};
use triggers::{Outlet, Triggers, outlets};

/// The configuration that decisions are made under.
#[derive(Debug, Clone)]
pub struct World {
    /// The workspace's rules.
    pub policy: Policy,
    /// Where the owner of an address must confirm a sign-up.
    pub double_opt_in: DoubleOptIn,
    /// What the gate must know of templates.
    pub templates: BTreeMap<TemplateId, TemplateFacts>,
    /// Calendars by id, for contacts that name one in the trait `calendar`.
    pub calendars: BTreeMap<String, Arc<Calendar>>,
    /// When each watched mailbox was last read whole.
    pub synced: BTreeMap<MailboxId, Timestamp>,
    /// Mailboxes that were watched and that nobody will read again; none of them is in `synced`.
    pub forgotten: BTreeMap<MailboxId, GivenUp>,
    /// Items of content lists, in the order in which they are sent.
    pub lists: BTreeMap<ListId, Arc<[ItemId]>>,
    /// Ways that steps go instead of deciding, by the words of [`Way`](crate::journey::Way): for previews
    /// only, always empty elsewhere.
    pub choices: BTreeMap<StepKey, String>,
    /// Seed of shares and variants: the same for ever in one workspace (R5).
    pub salt: u64,
    /// Kinds of objects that journeys are about: what events tell of them is kept.
    pub kinds: BTreeSet<ObjectKind>,
    /// Where the fifths of all customers end, for conditions on recency, frequency and money.
    pub rfm: Option<RfmBounds>,
    versions: BTreeMap<JourneyId, BTreeMap<u32, Version>>,
    current: BTreeMap<JourneyId, Arc<Journey>>,
    paused: BTreeSet<JourneyId>,
    segments: Segments,
    triggers: Triggers,
    concerns: Concerns,
    /// Whether any version of a journey hears what becomes of accounts.
    hears_of_accounts: bool,
}

/// The traits that [`World::zone_of`] and [`World::calendar_of`] read.
const PLACE_TRAITS: [&str; 4] = ["timezone", "account", "calendar", "country"];

/// A published version, and how runs on older ones come to it.
#[derive(Debug, Clone)]
struct Version {
    journey: Arc<Journey>,
    moves: Moves,
    outlets: Vec<Outlet>,
    /// What a run may look back over.
    asks: Asks,
    /// Where runs go over to from each step, once somebody has asked: it takes all versions to tell.
    routes: Vec<OnceLock<Route>>,
}

/// The version that a run comes to, and how.
type Route = Option<(u32, Landing)>;

impl World {
    /// A world without journeys.
    pub fn new(policy: Policy, salt: u64) -> Self {
        Self {
            policy,
            double_opt_in: DoubleOptIn::default(),
            templates: BTreeMap::new(),
            calendars: BTreeMap::new(),
            synced: BTreeMap::new(),
            forgotten: BTreeMap::new(),
            lists: BTreeMap::new(),
            choices: BTreeMap::new(),
            salt,
            kinds: BTreeSet::new(),
            rfm: None,
            versions: BTreeMap::new(),
            current: BTreeMap::new(),
            paused: BTreeSet::new(),
            segments: Segments::default(),
            triggers: Triggers::default(),
            concerns: Concerns::default(),
            hears_of_accounts: false,
        }
    }

    /// Adds a version of a journey. New runs begin on the version that was added with `current`;
    /// others are kept for the runs that stand on them, and for the runs that pass through them.
    pub fn add_journey(&mut self, journey: Arc<Journey>, moves: Moves, current: bool) {
        self.kinds.extend(journey.subject.clone());
        self.concerns.add(&journey);
        self.hears_of_accounts |= hears_of_accounts(&journey);
        if moves != Moves::Pin {
            self.concerns.moves_to(&journey.id, journey.version);
        }
        let version = Version {
            outlets: outlets(&journey),
            asks: journey.asks(),
            journey: journey.clone(),
            moves,
            routes: Vec::new(),
        };
        let versions = self.versions.entry(journey.id.clone()).or_default();
        versions.insert(journey.version, version);
        for (number, version) in versions {
            let is_asked = self.concerns.may_move(&journey.id, *number);
            let steps = version.journey.steps.len();
            version.routes = vec![OnceLock::new(); if is_asked { steps } else { 0 }];
        }
        // What events tell of objects is kept for whoever looks through them.
        self.kinds.extend(journey.asks().kinds);
        if current {
            self.retire(&journey.id);
            self.triggers.add(&journey);
            self.current.insert(journey.id.clone(), journey);
        }
    }

    /// Lets no new run of a journey begin; runs under way go on.
    pub fn retire(&mut self, id: &JourneyId) {
        if self.current.remove(id).is_some() {
            self.triggers.remove(id);
        }
    }

    /// Lets a journey stand still, or go on.
    pub fn set_paused(&mut self, id: &JourneyId, paused: bool) {
        if paused {
            self.paused.insert(id.clone());
        } else {
            self.paused.remove(id);
        }
    }

    /// Lets these journeys stand still, and no others; gives those that stood still before.
    pub fn set_all_paused(&mut self, paused: BTreeSet<JourneyId>) -> BTreeSet<JourneyId> {
        std::mem::replace(&mut self.paused, paused)
    }

    /// Puts a segment in force, in place of an older definition.
    pub fn add_segment(&mut self, segment: Arc<Segment>) {
        // What events tell of objects is kept for whoever looks through them.
        if let Some(condition) = segment.condition() {
            let mut asks = Asks::default();
            condition.asks(&mut asks);
            self.kinds.append(&mut asks.kinds);
        }
        self.segments.add(segment);
    }

    /// Takes a segment out of force: nobody belongs to it.
    pub fn remove_segment(&mut self, id: &SegmentId) {
        self.segments.remove(id);
    }

    /// The segments in force, by id.
    pub fn segments(&self) -> impl Iterator<Item = &Arc<Segment>> {
        self.segments.all()
    }

    /// A segment in force.
    pub fn segment(&self, id: &SegmentId) -> Option<&Arc<Segment>> {
        self.segments.get(id)
    }

    /// The segments whose conditions ask for recency, frequency or money: they are told anew when
    /// [`World::rfm`] is another.
    pub fn segments_by_scores(&self) -> impl Iterator<Item = &SegmentId> {
        self.segments.by_scores()
    }

    /// The segments that may be told anew when these are, themselves included, in the order of telling.
    pub fn segments_with(&self, ids: &[SegmentId]) -> Vec<SegmentId> {
        let mut gone = BTreeSet::new();
        let mut places = Vec::new();
        for id in ids {
            match self.segments.place(id) {
                Some(place) => places.push(place),
                None => {
                    places.extend(self.segments.by_segment(id));
                    gone.insert(id.clone());
                }
            }
        }
        let closed = self.segments.close(places.into_iter());
        let kept = closed.iter().filter_map(|place| self.segments.at(*place));
        let kept = kept.map(|kept| kept.segment.id.clone());
        gone.into_iter().chain(kept).collect()
    }

    /// Whether anything but memberships may follow when these are told for everyone: a trait that is set, a
    /// journey that hears of it, a broadcast. Then runs, watches and earlier entries are asked for too.
    pub fn has_consequences(&self, ids: &[SegmentId]) -> bool {
        self.segments_with(ids).iter().any(|id| {
            let segment = self.segment(id);
            segment.is_some_and(|one| one.sets.is_some() || one.announce)
                || !self.scheduled(Some(id)).is_empty()
        })
    }

    /// Whether a journey stands still: nothing of it begins, goes on or leaves.
    pub fn is_paused(&self, id: &JourneyId) -> bool {
        self.paused.contains(id)
    }

    /// A version of a journey.
    pub fn journey(&self, id: &JourneyId, version: u32) -> Option<&Arc<Journey>> {
        Some(&self.versions.get(id)?.get(&version)?.journey)
    }

    /// Versions of a journey above one, oldest first, with how runs come to them.
    pub fn versions_above(
        &self,
        id: &JourneyId,
        version: u32,
    ) -> impl Iterator<Item = (&Arc<Journey>, &Moves)> {
        self.versions
            .get(id)
            .into_iter()
            .flat_map(move |versions| versions.range(version.saturating_add(1)..))
            .map(|(_, version)| (&version.journey, &version.moves))
    }

    /// Where a run in flight goes over to: a newer version that takes it, and how it comes to stand there.
    pub fn migration_of(&self, run: &Enrollment) -> Option<(&Arc<Journey>, Landing)> {
        // Asked of every run at every input, and the answer is nearly always no.
        if !self.concerns.may_move(&run.journey, run.version) {
            return None;
        }
        let step = run.step()?;
        let version = self.versions.get(&run.journey)?.get(&run.version)?;
        let Some(StepIx(ix)) = version.journey.find(step) else {
            return self.route_of(run, step);
        };
        let own = |(journey, landing): (&Arc<Journey>, Landing)| (journey.version, landing);
        let known = version.routes.get(usize::from(ix))?;
        let (to, landing) = known
            .get_or_init(|| self.route_of(run, step).map(own))
            .as_ref()?;
        Some((self.journey(&run.journey, *to)?, landing.clone()))
    }

    fn route_of(&self, run: &Enrollment, step: &StepKey) -> Option<(&Arc<Journey>, Landing)> {
        let from = self.journey(&run.journey, run.version)?;
        let above = self.versions_above(&run.journey, run.version);
        let older = |version| {
            let versions = self.versions.get(&run.journey).into_iter();
            let below = versions.flat_map(|versions| versions.range(..version));
            below.map(|(_, version)| &version.journey).collect()
        };
        route(from, step, above, older)
    }

    /// Journeys of which a run may be ended, converted or answered by an event of this name.
    pub fn turned_by(&self, event: &EventName) -> &BTreeSet<JourneyId> {
        self.concerns.by_event(event)
    }

    /// Whether a run may be waiting for a condition, which anything may make true.
    pub fn awaits_condition(&self, run: &Enrollment) -> bool {
        matches!(run.state, EnrollmentState::Listening { .. })
            && self.concerns.awaits_condition(&run.journey)
    }

    /// Whether a run may move in any turn, whatever its input: to another version, by a condition that holds
    /// now, or because its wait is counted anew from more than the contact's own fields.
    pub fn may_stir(&self, run: &Enrollment) -> bool {
        let recounts = || {
            matches!(run.state, EnrollmentState::Waiting { .. })
                && self.concerns.recounts(&run.journey)
        };
        self.awaits_condition(run) || recounts() || self.migration_of(run).is_some()
    }

    /// What a step of a version may have been called when a run stood at it on an older version.
    pub fn earlier_keys(&self, id: &JourneyId, version: u32, key: &StepKey) -> BTreeSet<StepKey> {
        let mut keys = BTreeSet::from([key.clone()]);
        let versions = self.versions.get(id).into_iter();
        for (_, version) in versions.flat_map(|versions| versions.range(..=version).rev()) {
            let Moves::Map(table) = &version.moves else {
                continue;
            };
            let comes_here = |to: &Option<StepKey>| to.as_ref().is_some_and(|to| keys.contains(to));
            let renamed = table.iter().filter(|(_, to)| comes_here(to));
            let renamed: Vec<StepKey> = renamed.map(|(old, _)| old.clone()).collect();
            keys.extend(renamed);
        }
        keys
    }

    /// The newest known version of a journey.
    pub fn newest(&self, id: &JourneyId) -> Option<&Arc<Journey>> {
        let (_, version) = self.versions.get(id)?.last_key_value()?;
        Some(&version.journey)
    }

    /// The version of a journey that new runs begin on; `None` for one that is retired.
    pub fn current(&self, id: &JourneyId) -> Option<&Arc<Journey>> {
        self.current.get(id)
    }

    /// All journeys that new runs begin on, by id.
    pub fn all_current(&self) -> impl Iterator<Item = &Arc<Journey>> {
        self.current.values()
    }

    /// Journeys that an event may begin.
    pub fn triggered_by(&self, event: &EventName) -> &[Arc<Journey>] {
        self.triggers.by_event(event)
    }

    /// Journeys that a change of membership may begin.
    pub fn triggered_by_segment(&self, segment: &SegmentId, member: bool) -> &[Arc<Journey>] {
        self.triggers.by_segment(segment, member)
    }

    /// Journeys that a change of a trait (`None`) or of a field of an object may begin.
    pub fn triggered_by_change(&self, kind: Option<&ObjectKind>, name: &str) -> &[Arc<Journey>] {
        self.triggers.by_change(kind, name)
    }

    /// Journeys that begin at a date which a trait (`None`) or a field of an object holds.
    pub fn dated_by(&self, kind: Option<&ObjectKind>, name: &str) -> &[Arc<Journey>] {
        self.triggers.by_date(kind, name)
    }

    /// Journeys on a schedule: for everyone (`None`), or for members of a segment.
    pub fn scheduled(&self, segment: Option<&SegmentId>) -> &[Arc<Journey>] {
        self.triggers.by_schedule(segment)
    }

    /// Journeys that begin when such an event stays away.
    pub fn inactive_by<'a>(&'a self, event: &EventName) -> impl Iterator<Item = &'a Arc<Journey>> {
        self.triggers.by_inactivity(event)
    }

    /// A contact's zone: its trait `timezone`, else its account's, else the workspace's.
    pub fn zone_of(&self, contact: &Contact) -> Zone {
        self.zone_by(contact, contact.told(ACCOUNT))
    }

    /// A contact's calendar: its trait `calendar`, else that of its `country`, else its account's by the same
    /// traits, else the workspace's.
    pub fn calendar_of(&self, contact: &Contact) -> Arc<Calendar> {
        self.calendar_by(contact, contact.told(ACCOUNT))
    }

    /// A contact's zone if this were known of its account.
    pub(crate) fn zone_by(&self, contact: &Contact, account: Option<&Value>) -> Zone {
        let of_account = || account?.get("timezone")?.as_str();
        contact
            .text("timezone")
            .or_else(of_account)
            .and_then(|name| Zone::parse(name).ok())
            .unwrap_or_else(|| self.policy.zone.clone())
    }

    /// A contact's calendar if this were known of its account.
    pub(crate) fn calendar_by(&self, contact: &Contact, account: Option<&Value>) -> Arc<Calendar> {
        let names = ["calendar", "country"].into_iter();
        let of_account = |name: &str| account?.get(name)?.as_str();
        names
            .clone()
            .filter_map(|name| contact.text(name))
            .chain(names.filter_map(of_account))
            .find_map(|id| self.calendars.get(&id.to_lowercase()))
            .unwrap_or(&self.policy.calendar)
            .clone()
    }

    /// Whether contacts must hear that their account is another: a segment or a journey asks for accounts, or
    /// days are counted otherwise for runs that wait.
    pub fn hears_of_account(&self, account: &Account, before: &Value) -> bool {
        self.hears_of_accounts
            || !self.segments.by_trait(ACCOUNT).is_empty()
            || (!self.versions.is_empty() && account.moved_from(before))
    }

    /// Whether an input may bring a contact into another zone or under another calendar: its event tells so,
    /// or steps of journeys set it.
    pub fn may_relocate(&self, input: &Input) -> bool {
        let told = match input {
            Input::Event(event) => event.traits.as_ref(),
            Input::Account | Input::Reconsider(_) => return true,
            Input::Echo(_)
            | Input::Timer(_)
            | Input::Claim(_)
            | Input::Settle { .. }
            | Input::Approve { .. }
            | Input::Suppress { .. }
            | Input::Consent { .. }
            | Input::Confirm(_)
            | Input::Prefer(_)
            | Input::Lift(_)
            | Input::Segment { .. }
            | Input::Assess(_)
            | Input::Enroll { .. }
            | Input::Arm(_)
            | Input::Resume { .. }
            | Input::End(_)
            | Input::Task(_)
            | Input::Erase => None,
        };
        self.concerns.relocates()
            || told.is_some_and(|traits| PLACE_TRAITS.iter().any(|name| traits.contains_key(*name)))
    }

    /// The index of segments.
    pub(crate) fn segment_index(&self) -> &Segments {
        &self.segments
    }

    fn outlets_of(&self, journey: &Journey) -> &[Outlet] {
        self.versions
            .get(&journey.id)
            .and_then(|versions| versions.get(&journey.version))
            .map_or(&[], |version| version.outlets.as_slice())
    }

    /// Whether a contact falls into the share of `permille` thousandths that `experiment` sets aside:
    /// the same answer for ever, on every node (R5).
    pub fn in_share(&self, contact: &Contact, experiment: &str, by: Unit, permille: u16) -> bool {
        permille > 0 && self.draw(contact, experiment, by) % 1_000 < u64::from(permille)
    }

    /// The arm of a split that a contact goes: the same for ever, on every node (R5). `None` when no arm
    /// has a weight.
    pub fn arm_of<'a, W>(
        &self,
        contact: &Contact,
        experiment: &str,
        by: Unit,
        arms: &'a [Arm<W>],
    ) -> Option<&'a Arm<W>> {
        let total: u64 = arms.iter().map(|arm| u64::from(arm.weight)).sum();
        let mut left = self.draw(contact, experiment, by).checked_rem(total)?;
        arms.iter().find(|arm| {
            let mine = left < u64::from(arm.weight);
            left = left.saturating_sub(u64::from(arm.weight));
            mine
        })
    }

    /// A number that belongs to a contact, or to its account, in an experiment.
    fn draw(&self, contact: &Contact, experiment: &str, by: Unit) -> u64 {
        let mut hasher = xxhash_rust::xxh3::Xxh3::with_seed(self.salt);
        let account = match by {
            Unit::Account => contact.account_id(),
            Unit::Contact => None,
        };
        match account {
            Some(id) => hasher.update(id.as_str().as_bytes()),
            None => hasher.update(&contact.id.0.to_le_bytes()),
        }
        hasher.update(experiment.as_bytes());
        hasher.digest()
    }

    /// The name of a split's experiment.
    pub fn experiment_of(journey: &JourneyId, step: &str, named: Option<&str>) -> String {
        match named {
            Some(name) => format!("experiment:{name}"),
            None => format!("{journey}/{step}"),
        }
    }
}
