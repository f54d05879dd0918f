//! Awaited moments of two contacts that turn out to be one.

use relance_core::decide::Input;
use relance_core::event::Event;
use relance_core::ids::JourneyId;
use relance_core::touchpoint::Outcome;
use relance_core::value::{Fields, Value};

use super::life::Life;
use super::two;

#[test]
fn inactivity_of_the_one_is_counted_from_what_either_did_last() {
    let mut life = two("
journey back: inactive 7d event Visited
  reentry always
  email come-back
");
    life.pass("2026-03-02 10:00");
    life.tell("ana", "Visited", &[]);
    life.pass("2026-03-05 10:00");
    life.tell("bob", "Visited", &[]);
    life.merge("bob", "ana").unwrap();
    assert_eq!(life.of("bob").watches.len(), 1);
    let due_at = life.of("bob").watches[0].due_at;
    assert_eq!(
        due_at,
        life.moment("2026-03-09 10:00"),
        "the earlier, to look then"
    );
    life.seen();
    life.pass("2026-03-12 09:59");
    assert_eq!(life.seen(), [""; 0]);
    life.pass("2026-03-12 10:00");
    assert_eq!(
        life.seen(),
        [
            "bob enrolled back",
            "bob sent back come-back",
            "bob finished back"
        ]
    );
    life.pass("2026-06-12 10:00");
    assert_eq!(life.sent.len(), 1);
}

#[test]
fn a_broadcast_comes_once_a_day_to_the_one() {
    let mut life = Life::new(
        "
contact ana email=ana@client.test timezone=Asia/Tokyo
contact bob email=bob@client.test timezone=Europe/Lisbon
journey news: schedule daily at 09:00
  email news
",
    );
    life.pass("2026-03-02 00:00");
    for who in ["ana", "bob"] {
        life.happen(who, &Input::Arm(JourneyId::from("news")));
    }
    // Ana had today's in Tokyo; bob's day in Lisbon has not begun.
    life.pass("2026-03-02 05:00");
    assert_eq!(life.sent.len(), 1);
    life.merge("bob", "ana").unwrap();
    life.pass("2026-03-03 00:00");
    assert_eq!(life.sent.len(), 1, "not twice on one day");
    life.pass("2026-03-05 00:00");
    assert_eq!(life.sent.len(), 3, "and then daily, once");
}

#[test]
fn a_broadcast_to_a_list_comes_at_the_survivors_hour() {
    let mut life = Life::new(
        "
contact ana email=ana@client.test timezone=Asia/Tokyo
contact bob email=bob@client.test timezone=Europe/Lisbon
segment friends: listed
journey news: schedule daily at 09:00 for friends
  email news
",
    );
    life.pass("2026-03-02 00:00");
    let segment = "friends".into();
    let member = true;
    life.happen("ana", &Input::Segment { segment, member });
    life.merge("bob", "ana").unwrap();
    // Nine in Tokyo was three in Moscow; nine in Lisbon is noon there.
    life.pass("2026-03-02 11:59");
    assert_eq!(life.sent.len(), 0);
    life.pass("2026-03-02 12:00");
    assert_eq!(life.sent.len(), 1);
}

#[test]
fn a_day_that_the_survivor_lived_is_not_lived_again_for_the_absorbed() {
    let mut life = Life::new(
        "
contact ana email=ana@client.test timezone=Asia/Tokyo
contact bob email=bob@client.test timezone=Europe/Lisbon
journey news: schedule daily at 09:00
  email news
",
    );
    life.pass("2026-03-02 00:00");
    for who in ["ana", "bob"] {
        life.happen(who, &Input::Arm(JourneyId::from("news")));
    }
    life.pass("2026-03-02 05:00");
    life.merge("ana", "bob").unwrap();
    life.pass("2026-03-03 02:59");
    assert_eq!(life.sent.len(), 1);
    life.pass("2026-03-03 03:00");
    assert_eq!(life.sent.len(), 2);
}

#[test]
fn a_moment_that_is_due_at_the_merge_comes_once() {
    let mut life = two("
journey news: schedule daily at 09:00
  email news
");
    life.pass("2026-03-02 00:00");
    for who in ["ana", "bob"] {
        life.happen(who, &Input::Arm(JourneyId::from("news")));
    }
    life.pass("2026-03-02 08:59");
    // Both are due, and neither was looked at yet.
    life.now = life.moment("2026-03-02 09:01");
    life.merge("bob", "ana").unwrap();
    assert_eq!(life.sent.len(), 1);
    life.pass("2026-03-03 08:59");
    assert_eq!(life.sent.len(), 1);
}

#[test]
fn a_broadcast_that_the_one_was_sent_is_not_sent_from_the_others_queue() {
    let rules = "
contact ana email=ana@client.test
contact bob email=bob@client.test
cap 1 in 1
journey ping: on Ping
  reentry always
  email ping
journey news: schedule daily at 09:00
  email news
";
    let mut life = Life::new(rules);
    life.pass("2026-03-02 00:00");
    for who in ["ana", "bob"] {
        life.happen(who, &Input::Arm(JourneyId::from("news")));
    }
    life.pass("2026-03-02 08:00");
    life.tell("bob", "Ping", &[]);
    life.pass("2026-03-02 10:00");
    let held = &life.of("bob").touchpoints[0];
    assert_eq!(held.template.as_str(), "news");
    life.merge("bob", "ana").unwrap();
    life.pass("2026-03-04 08:00");
    let news = life
        .sent
        .iter()
        .filter(|sent| sent.touchpoint.template.as_str() == "news");
    let moments: Vec<_> = news.map(|sent| sent.at).collect();
    assert_eq!(
        moments,
        ["2026-03-02 09:00", "2026-03-03 09:00"].map(|at| life.moment(at))
    );
}

/// Found by random lives: of two broadcasts the other half was sent, only the last entry is known.
#[test]
fn a_broadcast_that_stands_in_the_queue_for_days_is_overtaken_by_later_ones() {
    let mut life = two("
journey news: schedule daily at 09:00
  email news
");
    life.by_hand = true;
    life.pass("2026-03-02 10:00");
    for who in ["ana", "bob"] {
        life.happen(who, &Input::Arm(JourneyId::from("news")));
    }
    life.pass("2026-03-03 10:00");
    life.settle("bob", Outcome::Accepted);
    life.pass("2026-03-04 10:00");
    life.settle("bob", Outcome::Accepted);
    // Bob had those of two days; that of the first is still in flight to ana, and comes back.
    life.settle("ana", Outcome::RefusedSoft("451".to_owned()));
    life.merge("bob", "ana").unwrap();
    let sent = life.sent.len();
    life.pass("2026-03-05 08:59");
    assert_eq!(life.sent.len(), sent);
}

/// Found by random lives: the one stands at the first day's broadcast, the other at the second day's.
#[test]
fn of_two_broadcasts_under_way_that_of_the_later_day_goes() {
    let mut life = two("
journey news: schedule daily at 09:00
  email news
");
    life.by_hand = true;
    life.pass("2026-03-02 10:00");
    for who in ["ana", "bob"] {
        life.happen(who, &Input::Arm(JourneyId::from("news")));
    }
    life.pass("2026-03-03 10:00");
    life.settle("ana", Outcome::Accepted);
    life.pass("2026-03-04 10:00");
    for who in ["ana", "bob"] {
        life.settle(who, Outcome::RefusedSoft("451".to_owned()));
    }
    life.merge("bob", "ana").unwrap();
    life.pass("2026-03-04 10:10");
    let last = &life.sent.last().unwrap().touchpoint;
    assert_eq!(last.created_at, life.moment("2026-03-04 09:00"));
    assert_eq!((last.attempts, last.id.contact), (2, life.id("bob")));
    assert_eq!(life.of("bob").touchpoints.len(), 1);
}

#[test]
fn a_date_follows_the_survivors_word_and_fills_a_gap() {
    let rules = "
contact ana email=ana@client.test
contact bob email=bob@client.test
journey party: date contact.birthday at 09:00 yearly
  email cake
";
    let sent_on = |of_bob: Option<&str>| {
        let mut life = Life::new(rules);
        life.pass("2026-03-02 10:00");
        let mut identify = |who: &str, birthday: &str| {
            let birthday = Value::String(birthday.to_owned());
            let traits = Fields::from_iter([("birthday".to_owned(), birthday)]);
            let event = Event::identify(traits, life.now);
            life.happen(who, &Input::Event(event.into()));
        };
        identify("ana", "1990-03-10");
        if let Some(birthday) = of_bob {
            identify("bob", birthday);
        }
        life.merge("bob", "ana").unwrap();
        life.pass("2026-12-31 10:00");
        let days = life
            .sent
            .iter()
            .map(|sent| sent.at.to_string()[..10].to_owned());
        days.collect::<Vec<_>>()
    };
    assert_eq!(sent_on(Some("1990-04-20")), ["2026-04-20"]);
    assert_eq!(sent_on(None), ["2026-03-10"]);
}

#[test]
fn a_wait_is_counted_in_the_zone_of_the_one() {
    let mut life = Life::new(
        "
zone Asia/Tokyo
contact ana email=ana@client.test
contact bob email=bob@client.test timezone=Europe/Lisbon
journey hello: on \"Signed Up\"
  wait until 09:00
  email hello
",
    );
    life.pass("2026-03-02 10:00");
    life.tell("ana", "Signed Up", &[]);
    life.merge("bob", "ana").unwrap();
    life.pass("2026-03-09 10:00");
    let moments: Vec<_> = life.sent.iter().map(|sent| sent.at.to_string()).collect();
    assert_eq!(moments, ["2026-03-02T09:00:00Z"]);
}
