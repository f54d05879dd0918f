//! What is known and allowed of two contacts, as of one.
//!
//! Where the two differ in facts, the survivor's stand; where they differ in what is allowed, the stricter
//! stands (R7). **Absent:** runs, messages, moments.

use std::collections::{BTreeMap, BTreeSet};

use crate::consent::{CONFIRMATIONS_MAX, ConsentRecord};
use crate::contact::{
    Channel, Consent, Contact, SEEN_MAX, SENDS_MAX, SuppressionReason, TRAITS_MAX,
};
use crate::decide::MAILS_ANSWERED_MAX;
use crate::ids::ItemId;
use crate::preferences::{Frequency, Preferences};
use crate::subject::{OBJECT_FIELDS_MAX, Object, merge_fields};
use crate::value::{Fields, Value};
use crate::world::World;

/// Lays what is known of `theirs` under what is known of `ours`.
pub(super) fn unite(world: &World, ours: &mut Contact, theirs: &Contact) {
    // Before the traits: which addresses stay decides which consents go over.
    unite_consents(world, ours, theirs);
    fill(&mut ours.traits, &theirs.traits, TRAITS_MAX);
    if ours.account.is_none() {
        ours.account = theirs.account.clone();
        ours.account_heard = theirs.account_heard;
    }
    for (channel, reason) in &theirs.suppressed {
        let own = ours.suppressed.entry(*channel).or_insert(*reason);
        if strictness(*reason) > strictness(*own) {
            *own = *reason;
        }
    }
    unite_preferences(ours, theirs);
    ours.created_at = ours.created_at.min(theirs.created_at);
    ours.mailboxes.extend(theirs.mailboxes.iter().cloned());
    ours.sends.extend(theirs.sends.iter().cloned());
    ours.sends.sort_by_key(|mark| mark.at);
    let surplus = ours.sends.len().saturating_sub(SENDS_MAX);
    ours.sends.drain(..surplus);
    let other = theirs.mails_answered.iter();
    ours.mails_answered.extend(other.copied());
    ours.mails_answered.sort_by_key(|mark| mark.at);
    let surplus = ours.mails_answered.len().saturating_sub(MAILS_ANSWERED_MAX);
    ours.mails_answered.drain(..surplus);
    for (list, items) in &theirs.seen {
        let own = ours.seen.entry(list.clone()).or_default();
        *own = united_items(own, items);
    }
}

/// Takes from a contact what another has now: whatever reaches it by an old name finds no address and
/// nothing personal. What it forbade stays forbidden.
pub(super) fn strip(contact: &mut Contact) {
    contact.traits.clear();
    contact.account = None;
    contact.mailboxes.clear();
    contact.sends.clear();
    contact.mails_answered.clear();
    contact.seen.clear();
    contact.asked_at.clear();
    contact.preferences = Preferences::default();
}

/// A denial on either side stands. A grant stands where the other side said nothing: who said nothing did
/// not refuse, and a yes that was given before the sign-up must not be lost by it.
///
/// A topic that needs a grant is stricter, for there silence is a refusal: such a yes was given with the
/// addresses at hand, and does not go over to other ones that the survivor keeps in their place.
fn unite_consents(world: &World, ours: &mut Contact, theirs: &Contact) {
    let readdressed = Channel::ALL.into_iter().any(|channel| {
        let both = ours.address(channel).zip(theirs.address(channel));
        both.is_some_and(|(own, other)| own.to_lowercase() != other.to_lowercase())
    });
    unite_answers(&mut ours.channel_consents, &theirs.channel_consents, |_| {
        true
    });
    unite_answers(&mut ours.topic_consents, &theirs.topic_consents, |topic| {
        !readdressed || !world.policy.opt_in_topics.contains(topic)
    });
}

/// What was only asked for is less than a yes, and more than nothing said; its record goes over with it.
fn unite_answers<K: Ord + Clone>(
    ours: &mut BTreeMap<K, ConsentRecord>,
    theirs: &BTreeMap<K, ConsentRecord>,
    goes_over: impl Fn(&K) -> bool,
) {
    for (what, record) in theirs {
        let own = ours.get(what).map(|own| own.answer);
        let stands = match record.answer {
            Consent::Denied => own != Some(Consent::Denied),
            Consent::Granted => own.is_none() && goes_over(what),
            Consent::Pending => own.is_none_or(|own| own == Consent::Granted),
        };
        if stands {
            ours.insert(what.clone(), record.clone());
        }
    }
}

/// Of two wishes of one sort the stricter stands; hours and days are the survivor's, if it told any.
fn unite_preferences(ours: &mut Contact, theirs: &Contact) {
    let other = &theirs.preferences;
    let own = &mut ours.preferences;
    own.paused_until = own.paused_until.max(other.paused_until);
    // In thousandths of a message a day, so that a week's and a month's compare.
    let pace = |most: &Frequency| u32::from(most.most()) * 1_000 / u32::from(most.per().days());
    own.frequency = own
        .frequency
        .into_iter()
        .chain(other.frequency)
        .min_by_key(pace);
    own.window = own.window.take().or_else(|| other.window.clone());
    ours.asked_at.extend(theirs.asked_at.iter().copied());
    ours.asked_at.sort_unstable();
    let surplus = ours
        .asked_at
        .len()
        .saturating_sub(usize::from(CONFIRMATIONS_MAX));
    ours.asked_at.drain(..surplus);
}

/// A wish of the recipient weighs more than one of ours, and that more than an address that does not work:
/// only the last lets a run try another way.
pub(super) fn strictness(reason: SuppressionReason) -> u8 {
    match reason {
        SuppressionReason::HardBounce => 0,
        SuppressionReason::Manual => 1,
        SuppressionReason::Complaint => 2,
    }
}

/// Items that either was sent, oldest first. When they are was not noted, so the newest of both are kept
/// alike.
fn united_items(ours: &[ItemId], theirs: &[ItemId]) -> Vec<ItemId> {
    let mut known = BTreeSet::new();
    let mut items = Vec::new();
    for back in 1..=ours.len().max(theirs.len()) {
        for list in [ours, theirs] {
            if let Some(item) = list.len().checked_sub(back).and_then(|at| list.get(at))
                && known.insert(item)
            {
                items.push(item.clone());
            }
        }
    }
    items.truncate(SEEN_MAX);
    items.reverse();
    items
}

/// One object that was told of to both: what was told last is true, the rest is filled in.
pub(super) fn united_object(ours: &Object, theirs: &Object) -> Object {
    let (newer, older) = match theirs.updated_at > ours.updated_at {
        true => (theirs, ours),
        false => (ours, theirs),
    };
    let mut one = newer.clone();
    one.created_at = ours.created_at.min(theirs.created_at);
    fill(&mut one.fields, &older.fields, OBJECT_FIELDS_MAX);
    one
}

/// Names whose value is not what it was on one of the two sides.
pub(super) fn differing(now: &Fields, ours: &Fields, theirs: &Fields) -> Fields {
    now.iter()
        .filter(|(name, value)| {
            ours.get(*name) != Some(*value) || theirs.get(*name) != Some(*value)
        })
        .map(|(name, _)| (name.clone(), Value::Null))
        .collect()
}

fn fill(fields: &mut Fields, from: &Fields, most: usize) {
    let missing = from.iter().filter(|(name, _)| !fields.contains_key(*name));
    let missing: Fields = missing
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    merge_fields(fields, &missing, most);
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet as Set;
    use std::sync::Arc;

    use jiff::{SignedDuration, Timestamp};
    use serde_json::json;

    use super::*;
    use crate::contact::SendMark;
    use crate::ids::{ContactId, ListId, Topic};
    use crate::journey::Holdout;
    use crate::policy::{Policy, ServiceExemption};
    use crate::time::{Calendar, Zone};

    const DAY: SignedDuration = SignedDuration::from_hours(24);

    fn world() -> World {
        let policy = Policy {
            zone: Zone::utc(),
            calendar: Arc::new(Calendar::weekends_only()),
            quiet_hours: BTreeMap::new(),
            caps: Vec::new(),
            opt_in_topics: std::iter::once(Topic::from("news")).collect(),
            internal_domains: Set::new(),
            freemail_domains: Set::new(),
            trait_types: crate::typed::TraitTypes::new(),
            approval_expiry: "3d".parse().unwrap(),
            service: ServiceExemption::ALL,
            holdout: Holdout::default(),
        };
        World::new(policy, 1)
    }

    fn contact(id: u64, traits: Value) -> Contact {
        let mut contact = Contact::new(ContactId(id), Timestamp::UNIX_EPOCH + DAY * id as i32);
        contact.traits = traits.as_object().unwrap().clone();
        contact
    }

    fn united(mut ours: Contact, theirs: &Contact) -> Contact {
        unite(&world(), &mut ours, theirs);
        ours
    }

    #[test]
    fn the_survivors_facts_stand_and_gaps_are_filled() {
        let ours = contact(2, json!({"email": "a@x", "plan": "pro"}));
        let theirs = contact(1, json!({"email": "b@x", "phone": "+7"}));
        let one = united(ours, &theirs);
        assert_eq!(
            Value::Object(one.traits),
            json!({"email": "a@x", "plan": "pro", "phone": "+7"})
        );
        assert_eq!(
            one.created_at, theirs.created_at,
            "seen first is first seen"
        );
    }

    #[test]
    fn traits_stop_at_their_limit_and_the_survivors_go_first() {
        let many = |prefix: &str| {
            let pairs = (0..TRAITS_MAX - 1).map(|n| (format!("{prefix}{n:03}"), json!(n)));
            Value::Object(pairs.collect())
        };
        let one = united(contact(1, many("a")), &contact(2, many("b")));
        assert_eq!(one.traits.len(), TRAITS_MAX);
        assert_eq!(
            one.traits
                .keys()
                .filter(|name| name.starts_with('a'))
                .count(),
            TRAITS_MAX - 1
        );
    }

    #[test]
    fn a_denial_on_either_side_stands_and_a_grant_fills_a_gap() {
        let mut ours = contact(1, json!({}));
        let mut theirs = contact(2, json!({}));
        let (tips, jobs) = (Topic::from("tips"), Topic::from("jobs"));
        ours.topic_consents
            .insert(tips.clone(), Consent::Granted.into());
        theirs
            .topic_consents
            .insert(tips.clone(), Consent::Denied.into());
        theirs
            .topic_consents
            .insert(jobs.clone(), Consent::Granted.into());
        ours.channel_consents
            .insert(Channel::Sms, Consent::Denied.into());
        theirs
            .channel_consents
            .insert(Channel::Sms, Consent::Granted.into());
        let one = united(ours, &theirs);
        assert_eq!(one.topic_consents[&tips], Consent::Denied);
        assert_eq!(one.topic_consents[&jobs], Consent::Granted);
        assert_eq!(one.channel_consents[&Channel::Sms], Consent::Denied);
    }

    #[test]
    fn an_opt_in_goes_over_with_its_address_but_not_to_another_one() {
        let news = Topic::from("news");
        let carried = |ours: Value, theirs: Value| {
            let mut theirs = contact(2, theirs);
            theirs
                .topic_consents
                .insert(news.clone(), Consent::Granted.into());
            united(contact(1, ours), &theirs)
                .topic_consents
                .contains_key(&news)
        };
        assert!(
            carried(json!({}), json!({"email": "a@x"})),
            "it brings its address"
        );
        assert!(
            carried(json!({"email": "A@x"}), json!({"email": "a@x"})),
            "the same one"
        );
        assert!(
            carried(json!({"email": "a@x"}), json!({})),
            "given before the sign-up"
        );
        assert!(
            !carried(json!({"email": "b@x"}), json!({"email": "a@x"})),
            "to another one"
        );
    }

    #[test]
    fn of_two_suppressions_the_stricter_reason_stands() {
        let mut ours = contact(1, json!({}));
        let mut theirs = contact(2, json!({}));
        ours.suppressed
            .insert(Channel::Email, SuppressionReason::HardBounce);
        theirs
            .suppressed
            .insert(Channel::Email, SuppressionReason::Complaint);
        theirs
            .suppressed
            .insert(Channel::Sms, SuppressionReason::Manual);
        let one = united(ours, &theirs);
        assert_eq!(
            one.suppressed[&Channel::Email],
            SuppressionReason::Complaint
        );
        assert_eq!(one.suppressed[&Channel::Sms], SuppressionReason::Manual);
    }

    #[test]
    fn sends_lie_in_order_and_the_newest_are_kept() {
        let mark = |n: i32| SendMark {
            at: Timestamp::UNIX_EPOCH + DAY * n,
            channel: Channel::Email,
            topic: None,
        };
        let most = i32::try_from(SENDS_MAX).unwrap();
        let mut ours = contact(1, json!({}));
        let mut theirs = contact(2, json!({}));
        ours.sends = (0..most).map(|n| mark(2 * n)).collect();
        theirs.sends = (0..most).map(|n| mark(2 * n + 1)).collect();
        let one = united(ours, &theirs);
        let days: Vec<_> = (most..2 * most).map(|n| mark(n).at).collect();
        assert_eq!(
            one.sends.iter().map(|mark| mark.at).collect::<Vec<_>>(),
            days
        );
    }

    #[test]
    fn seen_items_are_united_and_the_newest_of_both_are_kept() {
        let list = ListId::from("lessons");
        let items = |prefix: &str, n: usize| -> Vec<ItemId> {
            (0..n)
                .map(|n| ItemId::from(format!("{prefix}{n}")))
                .collect()
        };
        let mut ours = contact(1, json!({}));
        let mut theirs = contact(2, json!({}));
        ours.seen.insert(list.clone(), items("a", 2));
        theirs
            .seen
            .insert(list.clone(), [items("a", 1), items("b", 2)].concat());
        let one = united(ours.clone(), &theirs);
        let words: Vec<_> = one.seen[&list].iter().map(ItemId::as_str).collect();
        assert_eq!(words, ["b0", "a0", "b1", "a1"]);

        ours.seen.insert(list.clone(), items("a", SEEN_MAX));
        theirs.seen.insert(list.clone(), items("b", SEEN_MAX));
        let one = united(ours, &theirs);
        assert_eq!(one.seen[&list].len(), SEEN_MAX);
        for newest in ["a", "b"].map(|prefix| items(prefix, SEEN_MAX).pop().unwrap()) {
            assert!(one.seen[&list].contains(&newest), "{newest}");
        }
    }

    #[test]
    fn what_was_told_last_of_an_object_is_true() {
        let object = |n: i32, fields: Value| {
            let subject = crate::ids::SubjectRef {
                kind: "document".into(),
                id: "d1".into(),
            };
            let mut object = Object::new(subject, Timestamp::UNIX_EPOCH + DAY * n);
            object.fields = fields.as_object().unwrap().clone();
            object
        };
        let older = object(1, json!({"stage": "sent", "amount": 5}));
        let newer = object(2, json!({"stage": "paid"}));
        for one in [united_object(&older, &newer), united_object(&newer, &older)] {
            assert_eq!(
                Value::Object(one.fields),
                json!({"stage": "paid", "amount": 5})
            );
            assert_eq!(
                (one.created_at, one.updated_at),
                (older.created_at, newer.updated_at)
            );
        }
    }

    #[test]
    fn what_is_left_has_no_address_and_keeps_its_refusals() {
        let mut left = contact(1, json!({"email": "a@x"}));
        left.channel_consents
            .insert(Channel::Email, Consent::Denied.into());
        left.suppressed
            .insert(Channel::Sms, SuppressionReason::Manual);
        strip(&mut left);
        assert!(
            Channel::ALL
                .into_iter()
                .all(|channel| left.address(channel).is_none())
        );
        assert_eq!((left.channel_consents.len(), left.suppressed.len()), (1, 1));
    }
}
