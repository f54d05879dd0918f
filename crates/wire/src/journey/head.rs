//! The head of a journey in YAML: who may enter, what ends it, who must agree.

use relance_core::ids::EventName;
use relance_core::journey::{
    Approval, Approver, Deputy, Exit, Goal, Holdout, Lapse, Reentry, Unit,
};
use relance_core::time::Delay;
use relance_core::value::Root;

use crate::yaml::Node;

use super::read_where;
use super::reader::{Map, NAME_CHARS_MAX, Reader, nearest, shorten};

/// Keys of a goal.
pub const GOAL_KEYS: &[&str] = &["event", "where", "within"];
/// Keys of an exit.
pub const EXIT_KEYS: &[&str] = &["event", "where", "any"];
/// Keys of a holdout.
pub const HOLDOUT_KEYS: &[&str] = &["share", "by"];
/// Keys of an approval.
pub const APPROVAL_KEYS: &[&str] = &["by", "deputy", "deputy_after", "expires", "lapse"];
/// What becomes of a message that nobody answered for.
pub const LAPSES: &[(&str, Lapse)] = &[
    ("skip", Lapse::Skip),
    ("send", Lapse::Send),
    ("stop", Lapse::Stop),
    ("call", Lapse::Call),
];
/// What a share or variant sticks to.
pub const UNITS: &[(&str, Unit)] = &[("contact", Unit::Contact), ("account", Unit::Account)];
/// Exits of one journey.
pub const EXITS_MAX: usize = 32;
/// Priorities lie between this and its negative.
pub const PRIORITY_MAX: i16 = 1_000;
/// How long a conversion counts when the author does not say.
const GOAL_WITHIN_DEFAULT: Delay = Delay::days(30);
/// How long a question stands before the deputy may answer too, when the author does not say.
const DEPUTY_AFTER_DEFAULT: Delay = Delay::days(1);
/// Largest control group, in thousandths.
const HOLDOUT_PERMILLE_MAX: u16 = 900;

pub(super) fn read_reentry(reader: &mut Reader, node: &Node) -> Option<Reentry> {
    const WORDS: &str = "write once, once_per_subject, always or { after: 30d }";
    if node.pairs().is_some() {
        let map = reader.map(node, "reentry", &["after"])?;
        let after = reader.required(&map, "after", WORDS)?;
        return reader
            .parse::<Delay>(after, "reentry.after")
            .map(Reentry::After);
    }
    match node.text() {
        Some("once") => Some(Reentry::Once),
        Some("once_per_subject") => Some(Reentry::OncePerSubject),
        Some("always") => Some(Reentry::Always),
        Some(_) | None => {
            reader.problem("reentry", node.line, "not a re-entry rule", WORDS);
            None
        }
    }
}

pub(super) fn read_goal(reader: &mut Reader, node: &Node) -> Option<Goal> {
    let map = reader.map(node, "goal", GOAL_KEYS)?;
    let event = reader.required_name(&map, "event", "name the event that is a conversion");
    let filter = read_where(reader, &map, Root::Event);
    let within = reader.optional(&map, "within");
    Some(Goal {
        event: EventName::from(event?),
        filter: filter?,
        within: within.unwrap_or(GOAL_WITHIN_DEFAULT),
    })
}

pub(super) fn read_exits(reader: &mut Reader, head: &Map<'_>) -> Vec<Exit> {
    const REMEDY: &str = "join them with `any` in one `where`, or make journeys of them";
    let list = head
        .get("exit")
        .and_then(|node| reader.list_up_to(node, "exit", EXITS_MAX, REMEDY));
    let mut exits = Vec::new();
    for (at, node) in list.unwrap_or_default().iter().enumerate() {
        let Some(map) = reader.map(node, &format!("exit[{at}]"), EXIT_KEYS) else {
            continue;
        };
        let event = reader.required_name(&map, "event", "name the event that ends the run");
        let any = reader.flag(&map, "any");
        let filter = read_where(reader, &map, Root::Event);
        if let (Some(event), Some(filter)) = (event, filter) {
            let event = EventName::from(event);
            exits.push(Exit { event, filter, any });
        }
    }
    exits
}

/// `10%`, or `{ share: 10%, by: account }`.
pub(super) fn read_holdout(reader: &mut Reader, head: &Map<'_>) -> Option<Holdout> {
    let node = head.get("holdout")?;
    if node.pairs().is_none() {
        let permille = read_share(reader, node, "holdout")?;
        return Some(Holdout {
            permille,
            by: Unit::Contact,
        });
    }
    let map = reader.map(node, "holdout", HOLDOUT_KEYS)?;
    let by = read_unit(reader, &map);
    let share = reader.required(&map, "share", "say how many, for example 10%")?;
    let permille = read_share(reader, share, &map.child("share"))?;
    Some(Holdout { permille, by })
}

fn read_share(reader: &mut Reader, node: &Node, path: &str) -> Option<u16> {
    let permille = node
        .text()
        .and_then(|text| text.strip_suffix('%'))
        .and_then(|number| number.trim().parse::<f64>().ok())
        .map(|percent| percent * 10.0)
        .filter(|permille| (0.0..=f64::from(HOLDOUT_PERMILLE_MAX)).contains(permille));
    if permille.is_none() {
        let what = match node.text() {
            Some(text) => format!("{:?} is not a share", shorten(text)),
            None => format!("expected a share, found {}", node.kind()),
        };
        reader.problem(path, node.line, what, "write 0% to 90%, for example 10%");
    }
    // In range by the filter above.
    permille.map(|permille| permille.round() as u16)
}

/// `by: contact` or `by: account`.
pub(super) fn read_unit(reader: &mut Reader, map: &Map<'_>) -> Unit {
    read_word(reader, map, "by", UNITS).unwrap_or_default()
}

/// One word of a table, if the key is there.
pub(super) fn read_word<T: Copy>(
    reader: &mut Reader,
    map: &Map<'_>,
    key: &str,
    table: &[(&str, T)],
) -> Option<T> {
    let word = reader.name(map, key)?;
    let found = table.iter().find(|(known, _)| *known == word);
    if found.is_none() {
        let known: Vec<&str> = table.iter().map(|(known, _)| *known).collect();
        let remedy = match nearest(word, &known) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("write {}", known.join(", ")),
        };
        let what = format!("{:?} is not known here", shorten(word));
        reader.problem_at(map, key, what, remedy);
    }
    found.map(|(_, value)| *value)
}

/// What becomes of reminders to who is away until a day that is known: `wait` (the default) or `ignore`.
pub(super) fn read_away(reader: &mut Reader, head: &Map<'_>) -> bool {
    read_word(reader, head, "away", &[("wait", true), ("ignore", false)]).unwrap_or(true)
}

pub(super) fn read_priority(reader: &mut Reader, head: &Map<'_>) -> i16 {
    let Some(node) = head.get("priority") else {
        return 0;
    };
    let number = node.text().and_then(|text| text.parse::<i16>().ok());
    let number = number.filter(|number| (-PRIORITY_MAX..=PRIORITY_MAX).contains(number));
    if number.is_none() {
        let remedy = format!("write a whole number from -{PRIORITY_MAX} to {PRIORITY_MAX}");
        reader.problem_at(head, "priority", "not a priority", remedy);
    }
    number.unwrap_or_default()
}

/// `auto`, `owner`, `role:NAME`, or a map with more.
pub(super) fn read_approval(reader: &mut Reader, node: &Node, path: &str) -> Option<Approval> {
    if node.pairs().is_none() {
        return read_approver(reader, node, path).map(Approval::of);
    }
    let map = reader.map(node, path, APPROVAL_KEYS)?;
    let by = reader
        .required(&map, "by", "say who must agree: owner or role:head")
        .and_then(|node| read_approver(reader, node, &map.child("by")));
    let lapse = read_word(reader, &map, "lapse", LAPSES).unwrap_or_default();
    let expires = reader.optional::<Delay>(&map, "expires");
    let after = reader.optional::<Delay>(&map, "deputy_after");
    let deputy = map
        .get("deputy")
        .and_then(|node| read_approver(reader, node, &map.child("deputy")));
    if deputy == Some(Approver::Auto) {
        reader.problem_at(
            &map,
            "deputy",
            "a deputy is a person",
            "write owner or role:head",
        );
    }
    if map.get("deputy").is_none() && after.is_some() {
        reader.problem_at(
            &map,
            "deputy_after",
            "there is no deputy",
            "add `deputy: role:head`, or leave it out",
        );
    }
    let deputy = deputy.map(|who| Deputy {
        who,
        after: after.unwrap_or(DEPUTY_AFTER_DEFAULT),
    });
    if let (Some(deputy), Some(expires)) = (&deputy, expires)
        && deputy.after.nominal() >= expires.nominal()
    {
        let what = format!(
            "the question expires after {expires}, before the deputy is asked after {}",
            deputy.after
        );
        reader.problem_at(&map, "deputy", what, "write a shorter `deputy_after`");
    }
    let by = by?;
    if by == Approver::Auto && APPROVAL_KEYS[1..].iter().any(|key| map.get(key).is_some()) {
        let remedy = "write owner or role:head, or `approval: auto` alone";
        reader.problem_at(&map, "by", "with auto nobody is asked", remedy);
    }
    Some(Approval {
        by,
        deputy,
        expires,
        lapse,
    })
}

fn read_approver(reader: &mut Reader, node: &Node, path: &str) -> Option<Approver> {
    let approver = match node.text() {
        Some("auto") => Some(Approver::Auto),
        Some("owner") => Some(Approver::Owner),
        Some(text) => role(text).map(|role| Approver::Role(role.to_owned())),
        None => None,
    };
    if approver.is_none() {
        let remedy = "write auto, owner or role:head";
        reader.problem(path, node.line, "not an approval", remedy);
    }
    approver
}

/// The name in `role:NAME`.
pub(super) fn role(text: &str) -> Option<&str> {
    text.strip_prefix("role:")
        .map(str::trim)
        .filter(|role| !role.is_empty() && role.len() <= NAME_CHARS_MAX)
}
