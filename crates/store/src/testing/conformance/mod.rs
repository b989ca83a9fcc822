//! The conformance suite: one case for each sentence of the contract, for every backend the same.
//!
//! A backend's tests say `signalpost_store::conformance_suite!(MyHarness::new());` and get one `#[test]` a case,
//! each with a harness of its own.

pub mod accept;
pub mod acts;
pub mod closing;
pub mod cluster;
pub mod credentials;
pub mod dedupe;
pub mod due;
pub mod durability;
pub mod feed;
pub mod finish;
mod harness;
pub mod health;
pub mod isolation;
mod kit;
pub mod listener;
pub mod names;
pub mod once;
pub mod operator_accounts;
pub mod operator_keys;
pub mod operator_sessions;
pub mod order;
pub mod pause;
pub mod portal_sessions;
pub mod reads;
pub mod remembered;
mod replay_kit;
pub mod replay_steps;
pub mod replays;
pub mod requeue;
pub mod retention;
pub mod retention_bytes;
pub mod rollups;
pub mod secrets;
pub mod signing_keys;
pub mod users;
pub mod vault;
pub mod webhooks;
pub mod workspaces;

pub use harness::Harness;

/// Writes a `#[test]` for each case of the suite. The argument is evaluated once a case and must give a
/// [`Harness`] whose store is empty.
#[macro_export]
macro_rules! conformance_suite {
    ($harness:expr) => {
        $crate::conformance_suite! { @tests $harness;
            accept [
                an_event_is_kept_as_given
                the_answer_tells_id_place_and_deliveries
                sequences_grow_in_each_workspace_by_itself
                each_target_is_owed_the_event_at_once
                targets_chosen_before_a_change_are_refused
                a_call_is_accepted_as_a_whole_or_not_at_all
                a_late_event_takes_its_place_by_id
                a_large_call_is_taken
                the_highest_id_is_the_highest_ever_stored
            ]
            acts [
                an_act_is_on_record_before_anybody_knows_what_came_of_it
                what_came_of_an_act_is_said_once
                acts_are_listed_newest_first_with_filters
                an_act_is_found_however_many_are_to_be_looked_at
                upkeep_forgets_acts_of_long_ago
            ]
            closing [
                a_closed_workspace_owes_its_last_event_and_nothing_else
                the_last_event_has_its_whole_schedule
                disabling_ends_the_last_delivery
                an_earlier_attempt_that_disables_ends_the_last_delivery
                a_workspace_whose_last_event_nobody_wants_is_erased_at_once
                a_closing_chosen_before_a_change_is_refused
                a_closing_outlives_a_restart
            ]
            cluster [
                a_node_by_itself_has_every_group
                a_node_by_itself_waits_for_nobody
            ]
            credentials [
                a_credential_is_kept_as_given
                a_credential_needs_a_workspace_and_a_hash_of_its_own
                credentials_are_listed_oldest_first
                a_revoked_credential_is_gone
            ]
            dedupe [
                a_repeated_event_gets_the_first_answer
                an_id_used_for_another_event_refuses_the_whole_call
                an_id_may_repeat_within_a_call
                an_id_may_be_used_again_when_it_is_old
                an_id_belongs_to_its_workspace
                a_label_identifies_nothing
                a_repeated_event_needs_the_current_version_too
                upkeep_forgets_no_event_by_its_id
                upkeep_keeps_young_ids
            ]
            due [
                a_page_is_ordered_by_time_and_then_event
                lanes_are_listed_by_id_with_their_earliest_time
                what_a_cut_has_ended_is_owed_no_more
                what_came_after_a_cut_is_owed
                every_cut_stands_at_the_moment_it_was_made
                upkeep_and_probes_change_nothing_to_be_seen
            ]
            health [
                a_probe_counts_as_no_try
                a_release_ends_a_pause_and_may_skip_what_was_held
                the_first_success_may_skip_what_was_held
                a_change_brings_the_next_probe_forward
                a_last_event_is_not_held
            ]
            durability [
                everything_outlives_a_close
                everything_outlives_an_end_without_a_close
                numbers_go_on_where_they_were
                the_highest_id_outlives_what_carried_it
                taken_names_stay_taken
                identities_and_outcomes_are_remembered
                nobody_listens_after_a_restart_and_nothing_is_lost
                a_closed_store_is_unavailable
            ]
            feed [
                a_feed_is_read_in_order_of_the_sequence
                an_event_that_comes_late_by_id_is_not_passed_over
                other_types_are_passed_over
                a_page_ends_with_the_data_that_fills_it
                a_sparse_type_reaches_the_end_of_a_long_feed
                what_retention_removes_expires_the_cursor
                a_removed_payload_expires_the_cursor
                a_feed_begins_where_nothing_has_expired
                a_feed_belongs_to_its_workspace
                a_feed_outlives_a_restart
            ]
            finish [
                an_ended_delivery_is_owed_no_more
                a_retry_is_owed_in_the_same_round
                an_attempt_is_kept_as_given
                several_outcomes_are_recorded_in_one_call
                a_recorded_attempt_is_skipped_as_a_whole
                health_changes_as_told
                what_a_receiver_bears_is_kept_as_told
                an_attempt_can_disable_its_webhook
                a_disabled_webhook_is_not_disabled_again
                an_attempt_that_ends_after_a_cut_is_not_retried
                an_attempt_that_ends_after_a_delete_is_recorded
            ]
            isolation [
                a_stranger_reads_nothing
                a_stranger_changes_nothing
            ]
            listener [
                the_listener_hears_of_events_before_their_publisher
                the_listener_hears_only_of_what_was_stored
                the_listener_hears_of_requeues
                the_last_listener_takes_the_place_of_the_others
            ]
            names [
                numbers_begin_at_one_for_each_counter
                callers_at_the_same_time_get_numbers_of_their_own
                numbers_go_on_after_a_restart
                a_number_that_a_workspace_has_is_passed_over
                a_long_run_of_taken_numbers_is_passed_over
                a_webhook_is_found_by_its_id_alone
                what_has_ended_is_not_found_by_its_id_alone
                a_name_with_a_nul_is_nobodys
            ]
            once [
                each_effect_happens_once
                another_request_under_the_same_name_is_refused
                a_call_belongs_to_its_workspace
                a_refusal_leaves_the_call_unused
                events_are_accepted_once
                an_accepted_call_is_answered_whatever_has_changed
                the_producers_ids_keep_their_meaning_within_a_call
                a_call_may_be_made_again_when_it_is_old
                retention_removes_old_calls_and_keeps_young_ones
                the_oldest_calls_go_for_the_bytes_of_the_store
                calls_go_with_their_workspace
                a_call_outlives_a_restart
                calls_at_the_same_time_have_one_effect
            ]
            operator_accounts [
                an_account_is_kept_as_given_under_a_name_of_its_own
                a_session_is_opened_by_the_password_that_the_account_has
                an_account_that_changes_or_goes_takes_its_sessions_along
                operator_accounts_have_a_bound
            ]
            operator_keys [
                an_operator_key_is_kept_as_given
                an_operator_key_needs_a_hash_of_its_own_and_a_living_workspace
                operator_keys_are_listed_oldest_first_in_pages
                a_revoked_operator_key_is_gone
                a_rotated_key_ends_and_has_a_successor
                a_rotation_that_cannot_be_changes_nothing
                erasing_a_workspace_ends_the_keys_bound_to_it
                operator_keys_have_a_bound_for_each_binding
                an_expired_operator_key_makes_room_for_a_new_one
                upkeep_forgets_operator_keys_that_expired_long_ago
            ]
            operator_sessions [
                a_session_has_the_rights_of_its_opener
                a_session_needs_an_opener_and_a_hash_of_its_own
                sessions_are_listed_newest_first_while_they_are_good
                a_session_that_was_ended_is_gone
                a_session_ends_with_the_key_that_opened_it
                erasing_a_workspace_ends_the_sessions_bound_to_it
                of_too_many_sessions_of_one_opener_the_oldest_ends
                upkeep_removes_sessions_that_have_expired
            ]
            order [
                the_first_of_each_key_is_owed_and_the_others_are_held
                order_is_kept_where_it_is_asked_for
                a_retry_holds_its_key_and_a_failure_lets_it_go
                a_failure_blocks_its_key_until_it_is_made_good
                a_rule_that_blocks_no_more_lets_all_keys_go
                a_cut_ends_what_is_held_and_what_blocks
                what_is_sent_once_more_before_its_end_keeps_its_place
                an_event_that_blocks_its_key_is_kept
            ]
            pause [
                what_is_pending_outlives_a_pause
                lanes_are_found_behind_paused_ones
                a_pause_can_come_to_an_end_with_a_cut
                what_is_off_is_not_paused
                retention_keeps_what_a_pause_holds
                a_pause_outlives_a_restart
            ]
            portal_sessions [
                a_portal_session_is_kept_as_given
                a_portal_session_needs_a_living_workspace_and_a_hash_of_its_own
                a_portal_session_that_was_ended_is_gone
                ending_all_portal_sessions_keeps_earlier_links_from_opening_more
                ending_all_portal_sessions_at_an_earlier_instant_opens_no_link_again
                erasing_a_workspace_ends_its_portal_sessions
                of_too_many_portal_sessions_of_one_workspace_the_oldest_ends
                upkeep_removes_portal_sessions_that_have_expired
            ]
            reads [
                an_event_is_found_by_either_id
                events_for_sending_leave_out_what_does_not_exist
                deliveries_are_unattempted_until_anything_becomes_of_them
                events_are_listed_newest_first_with_filters
                deliveries_are_listed_newest_first_with_filters
                a_summary_tells_what_a_list_needs
                a_delivery_exists_for_each_target_of_an_event
                a_sparse_filter_reaches_the_end_of_a_long_list
            ]
            remembered [
                a_webhook_is_settled_where_it_last_changed
                what_decides_nothing_leaves_a_webhook_settled
                health_settles_a_webhook_that_it_switches_off
                a_webhook_is_made_and_settled_where_its_workspace_stands
                a_deleted_webhook_leaves_who_deleted_it
                webhooks_are_remembered_newest_first
                what_is_remembered_outlives_a_restart
            ]
            replay_steps [
                a_step_owes_what_failed_and_passes_over_the_rest
                a_step_is_done_once
                all_that_ended_may_be_sent_again
                another_webhook_gets_what_was_not_meant_for_it
                a_step_takes_what_is_left_to_its_target
                what_was_not_asked_for_again_takes_no_room
                a_replay_waits_while_its_target_is_off
            ]
            replays [
                a_replay_is_kept_as_given
                a_replay_needs_a_workspace_and_both_webhooks
                a_workspace_has_so_many_replays_and_no_more
                a_plan_grows_with_each_look_and_is_frozen_then
                commands_lead_where_they_can
                a_replay_ends_with_its_webhooks
                upkeep_ends_what_nobody_has_started_and_forgets_what_ended_long_ago
                replays_go_with_their_workspace
                a_replay_outlives_a_restart
            ]
            requeue [
                an_ended_delivery_gets_a_fresh_round
                a_pending_delivery_is_not_requeued
                nothing_is_requeued_for_a_webhook_that_is_off
                what_does_not_exist_is_not_requeued
                cuts_before_a_requeue_do_not_touch_it
                a_requeue_outlives_an_attempt_of_the_round_before
                a_pending_delivery_may_begin_anew
                a_round_that_was_not_begun_is_answered_as_it_is
                rounds_may_be_overtaken_one_after_the_other
                an_attempt_that_was_overtaken_changes_the_health
                what_is_requeued_while_a_webhook_is_off_waits
                what_is_lost_is_requeued_in_one_call
                what_has_no_payload_any_more_is_not_requeued
                retention_knows_the_round_that_counts
            ]
            retention [
                an_old_event_goes_with_all_that_belongs_to_it
                an_event_stays_while_something_of_it_is_pending
                what_a_cut_has_ended_is_not_pending
                a_payload_may_go_before_its_record
                a_workspace_has_ages_of_its_own
                a_workspace_that_keeps_everything_is_touched_by_its_own_rules_only
                a_young_event_ends_the_walk_and_one_from_the_future_does_not
                an_event_that_comes_late_is_not_passed_over
                an_outcome_for_an_event_that_is_gone_is_skipped
                lists_go_on_without_what_is_gone
                an_erased_workspace_leaves_nothing_behind
                what_was_removed_stays_removed
                without_rules_nothing_goes
            ]
            retention_bytes [
                the_oldest_events_go_for_the_bytes_of_a_workspace
                the_oldest_events_go_for_the_bytes_of_the_store
                usage_counts_what_is_there
            ]
            rollups [
                figures_add_up_row_by_row
                figures_are_listed_oldest_first_within_bounds
                figures_go_with_their_workspace
                upkeep_removes_figures_by_their_age
                upkeep_removes_many_figures_in_steps
                webhooks_that_failed_most_come_first
                of_each_hour_those_that_failed_most_are_looked_at
            ]
            secrets [
                a_rotation_keeps_the_replaced_secret_until_it_expires
                too_many_previous_secrets_are_refused
                previous_secrets_are_revoked_at_once
                expired_secrets_are_wiped_by_upkeep_and_by_any_change
                headers_are_merged_where_they_are_stored
                a_login_changes_part_by_part
                a_login_and_a_header_exclude_one_another_where_they_are_stored
                metadata_is_merged_where_it_is_stored
            ]
            signing_keys [
                a_signing_key_is_kept_as_given
                a_signing_key_needs_a_workspace_and_an_id_never_used_in_it
                no_more_signing_keys_are_made_than_permitted
                a_deleted_signing_key_is_none_wherever_it_is_referred_to
                a_webhook_refers_only_to_living_keys_of_its_workspace
                a_signing_key_is_found_by_its_id_alone
                a_signing_key_is_sealed_anew_in_its_place
                erasing_a_workspace_ends_its_signing_keys
                the_last_event_of_a_workspace_is_signed_as_ever
            ]
            users [
                a_user_is_kept_as_given
                a_user_needs_a_workspace_and_names_of_its_own
                a_user_may_have_rights_on_many_workspaces
                a_user_goes_with_the_last_right
                ids_of_users_who_are_gone_are_not_given_out_again
                a_login_ends_the_session_before
                erasing_a_workspace_ends_the_rights_on_it
                many_users_go_with_their_workspace
                rights_have_a_bound_for_each_workspace_and_an_expired_one_makes_room
                rights_of_a_user_have_a_bound
                upkeep_forgets_expired_sessions_and_rights_that_expired_long_ago
                upkeep_forgets_many_of_them_in_steps
            ]
            vault [
                the_key_check_is_kept_as_given
                every_sealed_value_is_found_page_by_page
                all_that_a_webhook_keeps_sealed_is_found_and_replaced
                a_value_is_replaced_only_where_the_old_one_stands
            ]
            webhooks [
                a_webhook_is_kept_as_given
                a_webhook_needs_a_workspace_and_an_id_never_used_in_it
                no_more_webhooks_are_made_than_permitted
                a_workspace_has_so_many_filters_and_no_more
                a_deleted_webhook_is_told_as_it_was
                webhooks_are_listed_newest_first_with_filters
                an_update_changes_only_what_it_names
                what_is_missing_cannot_be_changed
                switching_off_and_on
                only_a_living_webhook_is_found
                fan_out_gives_active_webhooks_oldest_first
                the_version_grows_with_every_change
            ]
            workspaces [
                a_workspace_is_kept_as_given
                a_public_id_of_a_workspace_is_taken_for_ever
                workspaces_are_listed_oldest_first_in_pages
                an_update_changes_only_what_it_names
                no_catalog_verb_finds_an_erased_workspace
                no_ledger_verb_finds_an_erased_workspace
                an_outcome_for_an_erased_workspace_is_taken
                erasing_leaves_other_workspaces_alone
            ]
        }
    };
    (@tests $harness:expr; $($group:ident [$($case:ident)*])*) => {$(
        mod $group {
            use super::*;

            $(#[test]
            fn $case() {
                $crate::testing::block_on::block_on($crate::testing::conformance::$group::$case(&$harness));
            })*
        }
    )*};
}

#[cfg(test)]
mod tests;
