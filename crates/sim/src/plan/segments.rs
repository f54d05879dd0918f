//! Segments, and what becomes of their definitions in a life.

use std::sync::Arc;

use relance_core::condition::{Condition, Did, Operand, Test};
use relance_core::segment::{Rule, Segment};
use relance_core::value::{FieldPath, Root, Value};

use super::words::{delay, did, field, is};
use crate::rng::Rng;

/// The segment that others ask for.
pub const REGULARS: &str = "regulars";
/// Segments of a life, each after those it asks for.
pub const SEGMENTS: [&str; 4] = [REGULARS, "asleep", "sleepy-regulars", "grade-b"];

/// A definition of a segment; each time another may come.
pub fn segment(rng: &mut Rng, id: &str) -> Arc<Segment> {
    let within = rng.pick(&[Some("1d"), Some("3d"), Some("36h"), Some("1mo"), None]);
    let regulars = || Condition::InSegment(REGULARS.into());
    let condition = match id {
        REGULARS => match rng.between(0, 2) {
            0 => did("Visited", rng.between(1, 3) as u32, within),
            1 => Condition::Any(vec![
                did("Order Completed", 1, within),
                is("contact.plan", "pro"),
            ]),
            _last => Condition::All(vec![
                did("Visited", 1, within),
                Condition::Not(Box::new(did("Order Completed", 2, Some("2d")))),
            ]),
        },
        "asleep" => match rng.between(0, 1) {
            0 => Condition::Not(Box::new(did("Visited", 1, Some("2d")))),
            _last => visited_then_left(),
        },
        "sleepy-regulars" => {
            let asleep = Condition::InSegment("asleep".into());
            match rng.between(0, 1) {
                0 => Condition::All(vec![regulars(), asleep]),
                _last => Condition::Not(Box::new(Condition::Any(vec![regulars(), asleep]))),
            }
        }
        _grade => match rng.between(0, 1) {
            0 => renewed(rng),
            _last => Condition::All(vec![regulars(), renewed(rng)]),
        },
    };
    let sets = id
        .starts_with("grade")
        .then(|| ("grade".into(), Value::from("B")));
    Arc::new(Segment {
        id: id.into(),
        name: id.to_owned(),
        rule: Rule::When(condition),
        sets,
        announce: rng.chance(300),
    })
}

/// Two events, the one after the other, and at most twice.
fn visited_then_left() -> Condition {
    let left = Did {
        event: "Left".into(),
        times_min: 1,
        times_max: None,
        within: None,
        filter: None,
        then: None,
    };
    Condition::Did(Did {
        event: "Visited".into(),
        times_min: 1,
        times_max: Some(2),
        within: Some(delay("5d")),
        filter: None,
        then: Some(Box::new(left)),
    })
}

/// A date of the contact's is near.
fn renewed(rng: &mut Rng) -> Condition {
    let path = field("contact.renewal");
    debug_assert_eq!(path.root, Root::Contact);
    let near = |test: fn(Operand) -> Test, path: FieldPath, operand| Condition::Field {
        path,
        test: test(operand),
    };
    let ahead = rng.pick(&["3d", "1w"]);
    Condition::All(vec![
        near(Test::After, path.clone(), Operand::Ago(delay("2d"))),
        near(Test::Before, path, Operand::In(delay(ahead))),
    ])
}
