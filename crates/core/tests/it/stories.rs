//! Every story of `tests/stories/`.

use crate::story::check;

macro_rules! stories {
    ($($name:ident),+ $(,)?) => {$(
        #[test]
        fn $name() {
            check(include_str!(concat!("../stories/", stringify!($name), ".txt")));
        }
    )+};
}

stories!(
    reminders, exits, gate, time, stickiness, outcomes, consent, versions, steps, entries,
    triggers, waits, splits, fallback, digest, priority, approvals, content, notify, chains,
    pauses, rules, traps, segments, accounts, tasks, documents, replies, loops,
);
