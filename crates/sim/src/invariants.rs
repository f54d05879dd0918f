//! What must be true of every life, as functions over its history, named as sentences.
//!
//! Each returns an example for every breach. They judge by what people and servers did, and by what was
//! committed; never by the engine's own opinion.

mod answers;
mod messages;
mod reminders;
mod segments;
mod selves;
mod stage;
mod standstill;
mod storage;
mod touchpoints;
mod versions;

use crate::history::History;

/// One invariant.
pub type Invariant = fn(&History) -> Vec<String>;

/// All of them.
pub const ALL: &[(&str, Invariant)] = &[
    (
        "no_reminder_leaves_after_a_reply",
        reminders::no_reminder_leaves_after_a_reply,
    ),
    (
        "no_reminder_leaves_before_the_return_date",
        answers::no_reminder_leaves_before_the_return_date,
    ),
    (
        "no_reminder_leaves_after_a_manual_follow_up_of_the_same_step",
        answers::no_reminder_leaves_after_a_manual_follow_up_of_the_same_step,
    ),
    (
        "holdout_receives_nothing",
        reminders::holdout_receives_nothing,
    ),
    (
        "suppressed_contact_is_never_sent",
        reminders::suppressed_contact_is_never_sent,
    ),
    (
        "unsubscribed_contact_is_never_sent",
        reminders::unsubscribed_contact_is_never_sent,
    ),
    (
        "no_send_without_required_approval",
        reminders::no_send_without_required_approval,
    ),
    (
        "caps_hold_over_civil_days",
        reminders::caps_hold_over_civil_days,
    ),
    (
        "ended_run_claims_nothing",
        reminders::ended_run_claims_nothing,
    ),
    (
        "touchpoint_settles_at_most_once",
        touchpoints::touchpoint_settles_at_most_once,
    ),
    (
        "no_message_reaches_the_wire_twice",
        touchpoints::no_message_reaches_the_wire_twice,
    ),
    (
        "timer_fires_never_early_and_once",
        touchpoints::timer_fires_never_early_and_once,
    ),
    ("every_touchpoint_ends", touchpoints::every_touchpoint_ends),
    (
        "ledger_explains_every_touchpoint",
        touchpoints::ledger_explains_every_touchpoint,
    ),
    ("no_run_loses_its_step", touchpoints::no_run_loses_its_step),
    (
        "nothing_acknowledged_is_lost",
        storage::nothing_acknowledged_is_lost,
    ),
    (
        "same_event_twice_changes_nothing",
        storage::same_event_twice_changes_nothing,
    ),
    (
        "store_holds_what_was_decided",
        storage::store_holds_what_was_decided,
    ),
    (
        "nothing_leaves_while_its_journey_is_paused",
        standstill::nothing_leaves_while_its_journey_is_paused,
    ),
    (
        "standing_runs_go_on_after_resume",
        standstill::standing_runs_go_on_after_resume,
    ),
    (
        "every_sweep_comes_to_every_contact",
        standstill::every_sweep_comes_to_every_contact,
    ),
    (
        "a_quiet_workspace_sends_nothing",
        standstill::a_quiet_workspace_sends_nothing,
    ),
    (
        "what_a_release_leaves_out_is_never_sent",
        standstill::what_a_release_leaves_out_is_never_sent,
    ),
    (
        "no_run_is_lost_when_versions_change",
        versions::no_run_is_lost_when_versions_change,
    ),
    (
        "schedule_fires_once_a_local_day",
        versions::schedule_fires_once_a_local_day,
    ),
    ("variant_never_changes", messages::variant_never_changes),
    (
        "content_item_is_never_sent_twice",
        messages::content_item_is_never_sent_twice,
    ),
    (
        "a_digest_carries_each_subject_once",
        messages::a_digest_carries_each_subject_once,
    ),
    (
        "capped_contact_gets_no_more_than_the_cap",
        messages::capped_contact_gets_no_more_than_the_cap,
    ),
    ("notification_goes_once", messages::notification_goes_once),
    (
        "approval_lapses_as_chosen",
        messages::approval_lapses_as_chosen,
    ),
    (
        "fallback_only_when_not_reached",
        messages::fallback_only_when_not_reached,
    ),
    (
        "global_holdout_receives_nothing",
        messages::global_holdout_receives_nothing,
    ),
    (
        "nobody_is_disturbed_in_quiet_hours",
        messages::nobody_is_disturbed_in_quiet_hours,
    ),
    (
        "membership_is_what_the_definition_says",
        segments::membership_is_what_the_definition_says,
    ),
    (
        "a_merge_keeps_the_stricter_answer",
        selves::a_merge_keeps_the_stricter_answer,
    ),
    (
        "nothing_happens_to_an_absorbed_contact",
        selves::nothing_happens_to_an_absorbed_contact,
    ),
    (
        "a_merged_contact_runs_no_journey_twice",
        selves::a_merged_contact_runs_no_journey_twice,
    ),
    (
        "names_go_over_and_come_back",
        selves::names_go_over_and_come_back,
    ),
    (
        "nobody_is_written_to_before_they_confirm",
        selves::nobody_is_written_to_before_they_confirm,
    ),
    (
        "a_wish_for_silence_is_heard",
        selves::a_wish_for_silence_is_heard,
    ),
    (
        "an_erased_person_does_not_come_back",
        selves::an_erased_person_does_not_come_back,
    ),
];

/// Examples of breaches shown for one invariant.
const EXAMPLES_MAX: usize = 3;

/// Checks all; returns what does not hold.
pub fn check(history: &History) -> Vec<String> {
    ALL.iter()
        .flat_map(|(name, invariant)| {
            invariant(history)
                .into_iter()
                .take(EXAMPLES_MAX)
                .map(move |example| format!("{name}: {example}"))
        })
        .collect()
}
