//! Statements by name, read from `sql/`.
//!
//! A file is a sequence of `-- name: NAME`, comment lines that say what the statement promises and what
//! its parameters are, and the statement. Each dialect's writer has its own names, listed by [`Sql`] and
//! [`PgSql`]; pages have one implementation, so [`ReadSql`] lists the names of both.
//!
//! **Absent:** building statements from pieces. What is asked is written down.

use std::collections::BTreeMap;

/// A set of SQL files that does not fit the program.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SqlProblem {
    /// A statement that the program uses is in no file.
    #[error("the statement {0:?} is missing from the SQL files")]
    Missing(&'static str),
    /// A statement that nobody uses.
    #[error("the statement {0:?} is in the SQL files but not in use")]
    Unused(String),
    /// Two statements have one name.
    #[error("the statement {0:?} occurs twice in the SQL files")]
    Twice(String),
}

/// Splits a file into named statements, without their comments.
fn statements(file: &'static str) -> impl Iterator<Item = (&'static str, &'static str)> {
    const MARK: &str = "-- name:";
    file.split(MARK).skip(1).map(|part| {
        let (name, mut rest) = part.split_once('\n').unwrap_or((part, ""));
        while let Some(comment) = rest.trim_start().strip_prefix("--") {
            rest = comment.split_once('\n').map_or("", |(_, after)| after);
        }
        (name.trim(), rest.trim().trim_end_matches(';'))
    })
}

/// Declares the statements in use.
macro_rules! in_use {
    ($(#[$doc:meta])* $set:ident { $($name:ident),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone)]
        pub(crate) struct $set { $(pub(crate) $name: &'static str),+ }

        impl $set {
            /// Reads the files of one dialect.
            pub(crate) fn load(files: &[&'static str]) -> Result<Self, SqlProblem> {
                let mut found = BTreeMap::new();
                for (name, text) in files.iter().flat_map(|file| statements(file)) {
                    if found.insert(name, text).is_some() {
                        return Err(SqlProblem::Twice(name.to_owned()));
                    }
                }
                let sql = Self {
                    $($name: found.remove(stringify!($name)).ok_or(SqlProblem::Missing(stringify!($name)))?),+
                };
                match found.into_keys().next() {
                    Some(name) => Err(SqlProblem::Unused(name.to_owned())),
                    None => Ok(sql),
                }
            }

            /// All of them, for the test that prepares each.
            #[cfg(test)]
            pub(crate) fn all(&self) -> Vec<(&'static str, &'static str)> {
                vec![$((stringify!($name), self.$name)),+]
            }
        }
    };
}

in_use! {
    /// The writer's statements, by name.
    Sql {
    contact_last, contact_put, contact_get, contact_next, contact_range,
    account_get, account_put, account_join, account_leave, account_contacts,
    telling_begin, telling_list, telling_put, telling_settle, telling_end,
    identity_get, identity_bind, domain_add, domain_contacts, object_contacts,
    event_head_get, event_head_put, event_append, event_get, event_last_at,
    event_day_put,
    event_after, event_between, mark_get, mark_put, seal_put, seal_replace, seal_next, seal_last,
    enrollment_before, enrollment_put, enrollment_step, enrollment_live, enrollment_running,
    entry_put, entry_list,
    touchpoint_before, touchpoint_put, touchpoint_open, touchpoint_waiting,
    watch_put, watch_drop, watch_list,
    object_put, object_get, object_list, task_put,
    timer_arm, timer_disarm, timer_due, timer_next,
    outbox_put, outbox_drop, outbox_ready, outbox_next,
    in_flight_put, in_flight_drop, in_flight_list,
    ledger_head_get, ledger_head_put, ledger_append,
    counter_add, total_add, live_run_add, standing_add,
    thread_put, thread_find,
    seen_append, seen_forget, seen_load,
    journey_get, journey_put, journey_retire_others, journey_retire,
    journey_wanted, journey_versions, journey_pause, journey_go_on, journey_paused_list,
    segment_list, segment_number, segment_add, segment_define, segment_count,
    member_get, member_put, member_drop, member_next, member_range,
    asset_list, asset_put, asset_drop, audit_put, audit_forget,
    payment_put, payment_share_drop, payment_share_put, payment_book_turn, statement_put, forget_payments, forget_payment, forget_payment_share,
    mailbox_list, mailbox_put,
    identity_list, identity_move, identity_return, domain_drop,
    object_keys, object_move, object_copy, object_drop_all, entry_move, member_lists,
    merged_put, merged_get, merged_drop, merged_settle, doubt_put, doubt_drop,
    consent_add, suppression_put, suppression_drop, suppression_get,
    erased_add, erased_any, erased_get, erased_drop, forget_identities, forget_identity, forget_domains, forget_touchpoints,
    forget_touchpoint, forget_enrollments, forget_enrollment, forget_watches, forget_entries,
    forget_objects, forget_tasks, forget_consents, forget_threads, forget_members, forget_contact,
    forget_event_heads, forget_event_head, forget_event, forget_lines, forget_line, forget_ledger_heads,
    forget_merges, forget_doubts,
    profile_get, registry_page, profile_put, profile_drop, word_put, word_drop, document_put, document_follow,
    document_bodies, task_follow, task_change, task_face, task_bodies, quarter_add, quarter_drop,
    doing_put, doing_drop, doing_move, doing_follow, doing_forget, run_bodies, message_bodies,
    feed_add, feed_drop, event_name_add,
    }
}

in_use! {
    /// The pages' statements, by name.
    ReadSql {
        contact_page, contact_one, contact_of_identity, identity_page,
        enrollment_page, enrollment_one,
        touchpoint_soonest, touchpoint_newest, touchpoint_one, touchpoint_of_contact,
        thread_of_mail, object_page, object_one, object_of_contact,
        task_page, task_of_contact,
        event_of_contact,
        ledger_of_contact, ledger_of_run, ledger_newest,
        counter_days, total_all, journey_all, journey_versions_of, journey_paused_all, standing_of, asset_all, asset_one, mailbox_all,
        audit_newest, audit_of_who, audit_of_object,
        payment_newest, payment_of_state, payment_one, payment_known, payment_count, payment_of_amount, payment_by_mark,
        payment_book_get, payment_share_sums, payment_of_statement, statement_newest, statement_of_ids,
        invoice_of_number, invoice_of_amount, contact_of_word,
        history_from, history_last, history_walk,
        database_identity, nodes_beside,
        overdue_timers, overdue_timer_last, overdue_messages, overdue_message_last,
        doubt_page, merged_one,
        segment_all, segment_one, member_edge, member_page, member_of_contact, member_of_numbers,
        identity_range, contact_from, event_tail, event_heads, event_chains,
        event_name_contacts,
        consent_page, suppression_page, suppression_one, erased_page,
        account_page, account_by_id, account_by_name, account_one, account_list, account_contact_page,
        document_by_issued_up, document_by_issued_down, document_by_due_up, document_by_due_down,
        document_by_amount_up, document_by_amount_down, document_by_updated_up, document_by_updated_down,
        document_by_number_up, document_by_number_down, document_by_client_up, document_by_client_down,
        document_by_owner_up, document_by_owner_down, document_of_owner_by_issued_up,
        document_of_owner_by_issued_down, document_of_owner_by_due_up, document_of_owner_by_due_down,
        document_of_owner_by_amount_up, document_of_owner_by_amount_down, document_of_owner_by_updated_up,
        document_of_owner_by_updated_down, document_by_next_up, document_by_next_down,
        document_of_owner_by_next_up, document_of_owner_by_next_down, document_numbered, document_of_contact_page, document_one,
        document_sum_all, document_sum_of, registry_behind, quarter_all, profile_one, profile_by_name_up,
        profile_by_name_down, profile_of_owner_by_name_up, profile_of_owner_by_name_down, profile_of_owner_up,
        profile_of_owner_down, contact_up, contact_down, name_word_range, member_up, member_down, member_one,
        event_seen, feed_all, feed_of_owner, feed_since, ledger_one, event_one, event_name_all, object_kind_next, task_one, task_list, task_newest, task_by_state_up, task_by_state_down,
        task_of_assignee_up, task_of_assignee_down,
    }
}

in_use! {
    /// The statements of the writer in PostgreSQL, by name: each for many rows, so that a batch takes few
    /// round trips.
    PgSql {
        contact_block, contact_insert, contact_put, contact_get, contact_next, contact_scan,
        account_lock, account_get, account_put, account_join, account_leave, account_contacts,
        telling_begin, telling_list, telling_put, telling_settle, telling_end,
        identity_get, identity_bind, domain_add, domain_contacts, object_contacts,
        event_block, event_append, event_head_put, event_day_put, event_history, event_last_at,
        enrollment_put, enrollment_live, enrollment_running,
        entry_put, entry_list,
        touchpoint_put, touchpoint_open, touchpoint_waiting,
        watch_put, watch_drop, watch_list,
        object_put, object_get, object_list, task_put,
        timer_arm, timer_disarm, timer_due, timer_next,
        outbox_ready, outbox_next, in_flight_list,
        ledger_block, ledger_append,
        counter_add, total_add, live_run_add, standing_add, segment_count,
        thread_put, thread_find,
        seen_append, seen_begin, seen_bytes, seen_lock, seen_next, seen_empty_0, seen_empty_1, seen_empty_2,
        journey_get, journey_put, journey_retire_others, journey_retire,
        journey_wanted, journey_versions, journey_pause, journey_go_on, journey_paused_list,
        segment_list, segment_number, segment_add, segment_define,
        member_get, member_put, member_drop, member_next,
        asset_list, asset_put, asset_drop, audit_put, audit_forget,
        payment_put, payment_share_drop, payment_share_put, payment_book_turn, statement_put, forget_payments, forget_payment, forget_payment_share,
        mailbox_list, mailbox_put,
        sole_take, share_take, sole_fence, node_fence, node_lock, node_dead, node_remove, node_shards,
        node_join, node_renew, node_count, node_configured, node_leave,
        identity_list, identity_move, identity_return, domain_drop, object_keys, object_move, object_copy,
        object_drop_all, entry_move, member_lists, merged_put, merged_get, merged_drop, merged_settle,
        doubt_put, doubt_drop,
        consent_add, suppression_put, suppression_drop, suppression_get, erased_add, erased_any, erased_get, erased_drop,
        forget_identities, forget_identity, forget_touchpoints, forget_enrollments, forget_watches,
        forget_members, forget_entries, forget_objects, forget_tasks, forget_consents, forget_threads,
        forget_merges, forget_events, forget_heads, forget_heads_dropped, forget_lines, forget_contact,
        lease_free_of, lease_adopt, lease_held, lease_give, lease_take, lease_want, lease_take_wanted,
        lease_got, lease_give_wanted, news, news_add, intake_put, intake_take, orphaned_list,
        profile_put, document_put, document_bodies, task_change, task_face, task_bodies, registry_next,
        registry_page, registry_put, registry_drop, quarter_add, quarter_drop,
        doing_put, doing_drop, doing_move, doing_follow, doing_forget, run_bodies, message_bodies,
        feed_add, feed_drop, event_name_add,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_splits_into_statements_without_comments() {
        let file = "-- licence\n\n-- name: one\n-- Promise.\n-- ?1 a.\nSELECT 1;\n\n-- name: two\nSELECT\n2;\n";
        let all: Vec<_> = statements(file).collect();
        assert_eq!(all, [("one", "SELECT 1"), ("two", "SELECT\n2")]);
    }

    #[test]
    fn a_missing_statement_is_named() {
        let problem = Sql::load(&["-- name: other\nSELECT 1;"]).unwrap_err();
        assert_eq!(problem, SqlProblem::Missing("contact_last"));
    }
}
