//! Rule R5 as properties: shares and ways are drawn by weight, the same for ever, and apart from each other.

use std::sync::Arc;

use proptest::prelude::*;
use relance_core::account::Account;
use relance_core::contact::Contact;
use relance_core::ids::ContactId;
use relance_core::journey::{Arm, Unit};
use relance_core::world::World;

use crate::story::world::StoryWorld;

/// Contacts of one draw: enough that a share of one in a hundred shows.
const CONTACTS: u64 = 4_000;
/// How many standard deviations a fair draw may lie beside its mean: one in two million does not.
const SIGMAS: f64 = 5.0;

fn world(salt: u64) -> World {
    let mut world = StoryWorld::read(&[]).world;
    world.salt = salt;
    world
}

fn contact(id: u64, account: Option<&str>) -> Contact {
    let mut contact = Contact::new(ContactId(id), jiff::Timestamp::UNIX_EPOCH);
    if let Some(id) = account {
        contact.account = Some(Arc::new(Account::unknown(id.into())));
    }
    contact
}

fn arms(weights: &[u32]) -> Vec<Arm<()>> {
    let arm = |(at, weight): (usize, &u32)| Arm {
        variant: format!("{at}").as_str().into(),
        weight: *weight,
        then: (),
    };
    weights.iter().enumerate().map(arm).collect()
}

/// Whether `count` of `all` is what a fair draw with this share gives.
fn is_fair(count: u64, all: u64, share: f64) -> bool {
    let (count, all) = (count as f64, all as f64);
    let deviation = (all * share * (1.0 - share)).sqrt();
    (count - all * share).abs() <= SIGMAS * deviation + 1.0
}

/// The correlation of two marks over all contacts, in standard deviations of what chance gives.
fn correlation(marks: &[(bool, bool)]) -> f64 {
    let count = |which: fn(&(bool, bool)) -> bool| marks.iter().filter(|m| which(m)).count() as f64;
    let all = marks.len() as f64;
    let (a, b, both) = (count(|m| m.0), count(|m| m.1), count(|m| m.0 && m.1));
    let spread = (a * (all - a) * b * (all - b)).sqrt();
    if spread == 0.0 {
        return 0.0;
    }
    (both * all - a * b) / spread * all.sqrt()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn arms_are_drawn_by_their_weights(
        salt: u64,
        experiment in "[a-z]{1,12}(/[0-9.a-z]{1,8})?",
        weights in prop::collection::vec(0u32..=1_000, 2..=6),
        from in 0u64..1_000_000,
    ) {
        prop_assume!(weights.iter().any(|weight| *weight > 0));
        let (world, arms) = (world(salt), arms(&weights));
        let mut counts = vec![0u64; weights.len()];
        for id in from..from + CONTACTS {
            let arm = world.arm_of(&contact(id, None), &experiment, Unit::Contact, &arms).unwrap();
            counts[arm.variant.as_str().parse::<usize>().unwrap()] += 1;
        }
        let total: u32 = weights.iter().sum();
        for (weight, count) in weights.iter().zip(&counts) {
            let share = f64::from(*weight) / f64::from(total);
            prop_assert!(is_fair(*count, CONTACTS, share), "{counts:?} by {weights:?}");
            prop_assert!(*weight > 0 || *count == 0, "an arm without weight was gone");
        }
    }

    #[test]
    fn a_control_group_has_its_share_and_only_grows_with_it(
        salt: u64,
        journey in "[a-z-]{1,12}",
        permille in 0u16..=1_000,
        more in 0u16..=1_000,
    ) {
        let world = world(salt);
        let mut held = 0;
        for id in 1..=CONTACTS {
            let contact = contact(id, None);
            let is_held = world.in_share(&contact, &journey, Unit::Contact, permille);
            held += u64::from(is_held);
            let wider = world.in_share(&contact, &journey, Unit::Contact, permille.max(more));
            prop_assert!(!is_held || wider, "a larger group must hold the smaller");
        }
        prop_assert!(is_fair(held, CONTACTS, f64::from(permille) / 1_000.0), "{held} by {permille}");
    }

    #[test]
    fn nothing_but_the_contact_and_the_experiment_decides(
        salt: u64,
        id: u64,
        experiment in "[a-z]{1,12}",
        weights in prop::collection::vec(1u32..=100, 2..=6),
        city in "[a-z]{0,8}",
    ) {
        let (plain, arms) = (world(salt), arms(&weights));
        let mut other = StoryWorld::read(&[
            "journey more: on Ping",
            "  split",
            "    arm A 1",
            "    arm B 1",
        ]).world;
        other.salt = salt;
        let before = contact(id, None);
        let mut after = contact(id, None);
        after.traits.insert("city".to_owned(), city.into());
        after.enrollments = 7;
        after.erased = true;
        let arm = |world: &World, who| world.arm_of(who, &experiment, Unit::Contact, &arms).cloned();
        prop_assert_eq!(arm(&plain, &before), arm(&other, &after));
        let share = |world: &World, who| world.in_share(who, &experiment, Unit::Contact, 500);
        prop_assert_eq!(share(&plain, &before), share(&other, &after));
    }

    #[test]
    fn contacts_of_an_account_go_the_same_way_and_those_without_by_themselves(
        salt: u64,
        account in "[a-z0-9]{1,12}",
        experiment in "[a-z]{1,12}",
    ) {
        let (world, arms) = (world(salt), arms(&[1, 1]));
        let way = |who: &Contact, by| world.arm_of(who, &experiment, by, &arms).unwrap().variant.clone();
        let first = way(&contact(1, Some(&account)), Unit::Account);
        for id in 2..200 {
            let colleague = contact(id, Some(&account));
            prop_assert_eq!(&way(&colleague, Unit::Account), &first);
            let alone = contact(id, None);
            prop_assert_eq!(way(&alone, Unit::Account), way(&alone, Unit::Contact));
        }
    }

    #[test]
    fn accounts_are_drawn_fairly_as_well(salt: u64, experiment in "[a-z]{1,12}") {
        let world = world(salt);
        let held = (0..CONTACTS).filter(|at| {
            let who = contact(1, Some(&format!("company-{at}")));
            world.in_share(&who, &experiment, Unit::Account, 300)
        });
        prop_assert!(is_fair(held.count() as u64, CONTACTS, 0.3));
    }

    #[test]
    fn a_control_group_says_nothing_of_a_split_nor_one_experiment_of_another(
        salt: u64,
        journey in "[a-z-]{1,12}",
        step in "[1-9](\\.then\\.[1-9])?",
        name in "[a-z]{1,12}",
    ) {
        let (world, arms) = (world(salt), arms(&[1, 1]));
        let id = journey.as_str().into();
        let own = World::experiment_of(&id, &step, None);
        let named = World::experiment_of(&id, &step, Some(&name));
        let mut with_holdout = Vec::new();
        let mut with_global = Vec::new();
        let mut with_other = Vec::new();
        for id in 1..=CONTACTS {
            let contact = contact(id, None);
            let is_a = |experiment: &str| {
                let arm = world.arm_of(&contact, experiment, Unit::Contact, &arms);
                arm.unwrap().variant.as_str() == "0"
            };
            let held = |name: &str| world.in_share(&contact, name, Unit::Contact, 500);
            with_holdout.push((is_a(&own), held(&journey)));
            with_global.push((is_a(&own), held("*")));
            with_other.push((is_a(&own), is_a(&named)));
        }
        for marks in [with_holdout, with_global, with_other] {
            let found = correlation(&marks);
            prop_assert!(found.abs() <= SIGMAS, "{found} standard deviations");
        }
    }

    #[test]
    fn two_workspaces_draw_apart(one: u64, other: u64, experiment in "[a-z]{1,12}") {
        prop_assume!(one != other);
        let (one, other) = (world(one), world(other));
        let marks: Vec<_> = (1..=CONTACTS)
            .map(|id| {
                let contact = contact(id, None);
                let held = |world: &World| world.in_share(&contact, &experiment, Unit::Contact, 500);
                (held(&one), held(&other))
            })
            .collect();
        prop_assert!(correlation(&marks).abs() <= SIGMAS);
    }
}

#[test]
fn the_draw_is_the_same_for_ever() {
    // These lie in databases: another answer would move people from one group to the other.
    let (world, arms) = (world(42), arms(&[1, 1, 1]));
    let ways: String = (1..=24)
        .map(|id| {
            let arm = world.arm_of(&contact(id, None), "hello/1", Unit::Contact, &arms);
            arm.unwrap().variant.to_string()
        })
        .collect();
    insta::assert_snapshot!(ways, @"022002121110100200020001");
}
