//! Planted faults, each of which the auditor must name: a simulator that sees nothing proves nothing.

use signalpost_sim::{Plant, SEEDS_MAX, hunt, run};

fn check(plant: Plant) {
    let Some(found) = hunt(plant, SEEDS_MAX) else {
        panic!("{plant:?} was not named by {:?} in {SEEDS_MAX} worlds", plant.finding())
    };
    assert!(found.clean.findings.is_empty(), "{}", found.clean);
}

/// Mistakes that break two promises: the one by which they are named, and one that has no other.
fn check_also(plant: Plant, words: &str) {
    let names = |seed| run(seed, plant).findings.iter().any(|finding| finding.contains(words));
    assert!((1..=SEEDS_MAX).any(names), "{plant:?} was not named by {words:?} in {SEEDS_MAX} worlds");
}

#[test]
fn two_requests_of_a_delivery_at_once_are_seen() {
    check_also(Plant::SendTwice, "are in flight together");
}

#[test]
fn a_delivery_that_is_sent_again_after_its_success_is_seen() {
    check_also(Plant::ForgetOutcome, "and sent again at");
}

#[test]
fn an_event_that_was_refused_and_is_sent_is_seen() {
    check_also(Plant::TellEarly, "was refused and is sent");
}

/// A test for each, and one that says that none was left out.
macro_rules! plants {
    ($($test:ident: $plant:ident;)*) => {
        $(#[test]
        fn $test() {
            check(Plant::$plant);
        })*

        #[test]
        fn every_plant_has_its_test() {
            assert_eq!(Plant::ALL, [$(Plant::$plant),*]);
        }
    };
}

plants! {
    a_forgotten_row_is_seen: ForgetRetryRow;
    a_lane_that_is_skipped_after_a_restart_is_seen: SkipLane;
    an_acknowledged_event_that_is_lost_is_seen: LoseAcknowledged;
    an_answer_before_the_sync_is_seen: AcknowledgeEarly;
    a_forgotten_outcome_is_seen: ForgetOutcome;
    an_outcome_that_a_stop_does_not_wait_for_is_seen: LoseOutcomesAtStop;
    a_forgotten_failure_is_seen: ForgetHealth;
    a_pause_without_failures_is_seen: HoldForNothing;
    an_end_while_its_webhook_is_paused_is_seen: GiveUpHeld;
    a_pending_event_that_retention_takes_is_seen: RemovePending;
    a_stale_webhook_is_seen: StaleLane;
    a_revoked_secret_is_seen: StaleSecrets;
    an_attempt_under_an_old_state_is_seen: StartLate;
    a_drop_where_a_pause_holds_is_seen: DropOnDisable;
    a_forgotten_cut_is_seen: ForgetCut;
    a_retry_too_many_is_seen: OneRetryTooMany;
    a_retry_too_early_is_seen: RetryEarly;
    a_wish_for_more_time_that_is_ignored_is_seen: IgnoreRetryAfter;
    an_ended_delivery_that_is_tried_again_is_seen: TryEndedAgain;
    a_bound_that_is_passed_is_seen: LeakRequests;
    a_sequence_out_of_order_is_seen: SwapSequences;
    a_subject_that_is_ignored_is_seen: IgnoreSubject;
    a_changed_event_id_is_seen: ChangeEventId;
    an_old_timestamp_is_seen: ReuseTimestamp;
    a_request_that_goes_out_twice_is_seen: SendTwice;
    a_damaged_signature_is_seen: DamageSignature;
    a_request_to_a_stranger_is_seen: WrongHost;
    a_blocked_address_that_counts_as_delivered_is_seen: BlockedAsDelivered;
    a_call_that_is_not_known_again_is_seen: ForgetCalls;
    a_last_event_that_is_forgotten_is_seen: ForgetFarewell;
    a_change_that_is_forgotten_is_seen: ForgetChanges;
    a_filter_that_is_not_asked_is_seen: IgnoreFilters;
    a_shared_key_that_was_ended_is_seen: StaleKey;
    an_event_that_is_missing_in_a_feed_is_seen: HideFromFeed;
    work_that_is_told_of_before_its_commit_is_seen: TellEarly;
    a_search_that_comes_too_late_is_seen: LookRarely;
    a_ceiling_of_requests_at_once_that_is_passed_is_seen: ForgetMaxInFlight;
    a_rate_that_is_passed_is_seen: ForgetRate;
    an_event_that_overtakes_another_of_its_key_is_seen: IgnoreOrder;
    a_key_that_is_not_blocked_is_seen: ForgetToBlock;
    a_lease_that_is_relied_on_for_too_long_is_seen: TrustForAges;
    an_outcome_from_behind_the_fence_is_seen: BlindFence;
    a_group_that_changes_hands_too_early_is_seen: GiveBusy;
    a_group_that_nobody_gives_is_seen: GiveNothing;
}
