//! What a lane takes, keeps and gives back.

use super::*;
use signalpost_core::id::{DeliveryId, WebhookId, WorkspaceId};
use signalpost_core::limits::{LANE_LOOK_BACK_INTERVAL, LANE_PAGE_ROWS};
use signalpost_store::ledger::DueOrder;
use signalpost_store::testing::sample;

const NOW: Timestamp = Timestamp::from_ms(1_000_000);

fn due(event: i64, due_ms: i64) -> Due {
    Due {
        id: DeliveryId { event: EventId::from_raw(event), webhook: WebhookId::from_raw(1) },
        due_at: Timestamp::from_ms(due_ms),
        born: Sequence(event),
        steps: 0,
        tries: 0,
        order: None,
    }
}

const WELL: Classes = Classes { first: Class::Free, further: Class::Free };

/// Takes what is ready of a lane whose receiver answers well.
fn taken(lane: &mut Lane) -> impl Iterator<Item = Due> {
    std::iter::from_fn(|| lane.ready.pop(Class::Free, WELL)).map(|entry| entry.due)
}

fn ready_events(lane: &mut Lane) -> Vec<i64> {
    taken(lane).map(|due| due.id.event.raw()).collect()
}

fn rows(events: std::ops::Range<i64>) -> Vec<Due> {
    events.map(|event| due(event, event)).collect()
}

#[test]
fn a_delivery_is_taken_once() {
    let mut lane = Lane::new(NOW);
    lane.offer(due(1, 1), None, Payload::Keep);
    lane.offer(due(1, 1), None, Payload::Keep);
    lane.absorb_page(&[due(1, 1)], 10, NOW);
    assert_eq!(ready_events(&mut lane), [1]);
    lane.absorb_page(&[due(1, 1)], 10, NOW);
    assert_eq!(ready_events(&mut lane), [0i64; 0], "still known while it is in flight");
}

#[test]
fn a_row_that_was_settled_while_its_page_was_read_is_not_believed() {
    let mut lane = Lane::new(NOW);
    lane.offer(due(1, 1), None, Payload::Keep);
    ready_events(&mut lane);
    lane.hear_of(Timestamp::from_ms(2));
    let (limit, _) = lane.begin_page(NOW, LANE_PAGE_ROWS).expect("something is on disk");
    lane.settle(EventId::from_raw(1));
    lane.absorb_page(&[due(1, 1), due(2, 2)], limit, NOW);
    assert_eq!(ready_events(&mut lane), [2]);
}

#[test]
fn what_was_settled_while_it_was_looked_up_by_name_is_not_begun_anew() {
    let event = |n: i64| {
        let accepted = sample::event(WorkspaceId::from_raw(1), n, 1, &[]);
        Arc::new(Event {
            id: EventId::from_raw(n),
            workspace: WorkspaceId::from_raw(1),
            sequence: Sequence(n),
            content: accepted.content,
            targets: Vec::new(),
            accepted_at: Timestamp::from_ms(n),
            payload_removed_at: None,
        })
    };
    let mut lane = Lane::new(NOW);
    assert!(lane.keeps_up(NOW));
    lane.begin_look();
    lane.absorb_page(&[due(1, 1), due(2, 2)], 10, NOW);
    assert_eq!(ready_events(&mut lane), [1, 2]);
    lane.settle(EventId::from_raw(1));
    assert!(!lane.is_still() && !lane.only_waits(NOW), "it must not go before the answer comes");
    let found = [1, 2, 3].map(|n| (due(n, n), event(n)));
    lane.end_look(found.into(), Payload::Keep);
    assert_eq!(ready_events(&mut lane), [3], "the first has ended, the second is under way");
    lane.on_disk.expect(NOW);
    assert!(!lane.keeps_up(NOW), "a page finds it");
}

#[test]
fn what_does_not_fit_stays_on_disk_and_comes_back_in_order() {
    let full = i64::try_from(LANE_MEMORY_DELIVERIES_MAX).expect("small");
    let mut lane = Lane::new(NOW);
    for event in 1..=full + 500 {
        lane.offer(due(event, event), None, Payload::Keep);
    }
    assert_eq!(lane.held(), LANE_MEMORY_DELIVERIES_MAX);
    assert_eq!(lane.wake_at(Timestamp::default()), Some(Timestamp::from_ms(full + 1)));
    assert_eq!(lane.begin_page(NOW, LANE_PAGE_ROWS), None, "memory has enough to do");
    for event in ready_events(&mut lane) {
        lane.settle(EventId::from_raw(event));
    }
    let (limit, _) = lane.begin_page(NOW, LANE_PAGE_ROWS).expect("memory is empty");
    lane.offer(due(full + 501, full + 501), None, Payload::Keep);
    lane.absorb_page(&rows(full + 1..full + 1 + i64::try_from(limit).expect("small")), limit, NOW);
    let got = ready_events(&mut lane);
    assert_eq!(got.first(), Some(&(full + 501)), "committed while the page was read: memory had room");
    assert_eq!(got.len(), limit + 1);
    assert!(lane.wake_at(Timestamp::default()).is_some(), "the page was full, so more may follow");
}

/// Whatever has ended before would be gone through again.
#[test]
fn a_page_begins_where_the_one_before_has_ended() {
    let beginning = DueOrder::OLDEST_FIRST;
    let from = |ms| DueOrder::OldestFirst { from: Timestamp::from_ms(ms) };
    let page_rows = i64::try_from(LANE_PAGE_ROWS).expect("small");
    let mut lane = Lane::new(NOW);
    lane.hear_of(Timestamp::from_ms(1));
    assert_eq!(lane.begin_page(NOW, LANE_PAGE_ROWS), Some((LANE_PAGE_ROWS, beginning)));
    lane.absorb_page(&rows(1..page_rows + 1), LANE_PAGE_ROWS, NOW);
    assert_eq!(ready_events(&mut lane).len(), LANE_PAGE_ROWS);
    let last_is_named_again = Some((LANE_PAGE_ROWS + 1, from(page_rows)));
    assert_eq!(lane.begin_page(NOW, LANE_PAGE_ROWS), last_is_named_again);
    lane.fail_page(NOW);
    assert_eq!(
        lane.begin_page(NOW, LANE_PAGE_ROWS).map(|(_, order)| order),
        Some(beginning),
        "all of it is missing"
    );
    lane.absorb_page(&rows(page_rows..3 * page_rows), LANE_PAGE_ROWS, NOW);
    assert!(lane.begin_page(NOW, LANE_PAGE_ROWS).is_none(), "there is enough to do");
    ready_events(&mut lane);

    lane.decline(Timestamp::from_ms(7));
    let order = |lane: &mut Lane, now| lane.begin_page(now, LANE_PAGE_ROWS).expect("it is due").1;
    assert_eq!(order(&mut lane, NOW), from(7), "somebody has committed it late");
    lane.absorb_page(&[], LANE_PAGE_ROWS, NOW);
    let elsewhere = [800_000, 900_000].map(|ms| EventId::from_raw(ms << 22));
    lane.hear_of_events(&elsewhere, NOW);
    assert_eq!(order(&mut lane, NOW), from(798_000), "a clock that goes ahead makes ids that do");
    lane.absorb_page(&[], LANE_PAGE_ROWS, NOW);

    let later = NOW.plus_ms(i64::try_from(LANE_LOOK_BACK_INTERVAL.as_millis()).expect("minutes"));
    lane.decline(NOW);
    assert_eq!(order(&mut lane, later), beginning, "once in a while all is looked for");
    lane.absorb_page(&[], LANE_PAGE_ROWS, later);
    lane.decline(NOW);
    assert_eq!(order(&mut lane, later), from(NOW.as_ms()));
}

#[test]
fn waiting_retries_make_room_for_what_is_due_now() {
    let full = i64::try_from(LANE_MEMORY_DELIVERIES_MAX).expect("small");
    let mut lane = Lane::new(NOW);
    for event in 1..=full {
        lane.retry(due(event, NOW.as_ms() + 60_000 + event));
    }
    lane.offer(due(full + 1, NOW.as_ms()), None, Payload::Keep);
    assert_eq!(ready_events(&mut lane), [full + 1]);
    assert_eq!(lane.held(), LANE_MEMORY_DELIVERIES_MAX, "the last retry went back to disk");
    lane.ripen(NOW.plus_ms(60_001));
    assert_eq!(ready_events(&mut lane), [1]);
}

#[test]
fn what_made_room_while_a_page_was_read_is_not_taken_from_it() {
    let full = i64::try_from(LANE_MEMORY_DELIVERIES_MAX).expect("small");
    let mut lane = Lane::new(NOW);
    lane.hear_of(NOW);
    let (limit, _) = lane.begin_page(NOW, LANE_PAGE_ROWS).expect("something is on disk");
    for event in 1..=full {
        lane.retry(due(event, NOW.as_ms() + 60_000 + event));
    }
    lane.offer(due(full + 1, NOW.as_ms()), None, Payload::Keep);
    assert_eq!(ready_events(&mut lane), [full + 1]);
    lane.settle(EventId::from_raw(full + 1));
    lane.absorb_page(&[due(full, 1)], limit, NOW);
    assert_eq!(ready_events(&mut lane), [0i64; 0], "the row is older than the attempt that put it off");
    assert_eq!(lane.wake_at(NOW), Some(NOW.plus_ms(60_001)));
}

#[test]
fn a_cut_drops_what_was_born_before_it() {
    let mut lane = Lane::new(NOW);
    lane.offer(due(1, 1), None, Payload::Keep);
    lane.offer(due(3, 3), None, Payload::Keep);
    lane.retry(due(2, 2));
    lane.cut(Sequence(2));
    assert_eq!(ready_events(&mut lane), [3]);
    assert_eq!(lane.wake_at(Timestamp::default()), None);
    assert_eq!(lane.held(), 1);
}

fn again(event: i64, due_ms: i64, born: i64) -> Due {
    Due { born: Sequence(born), steps: 1, ..due(event, due_ms) }
}

fn ready_dues(lane: &mut Lane) -> Vec<Due> {
    taken(lane).collect()
}

#[test]
fn a_new_round_takes_the_place_of_one_that_has_not_started() {
    for heard in ["from the committer", "from a page"] {
        let mut lane = Lane::new(NOW);
        lane.offer(due(1, 1), None, Payload::Keep);
        lane.offer(due(2, 2), None, Payload::Keep);
        lane.retry(due(3, NOW.as_ms() + 50));
        let anew = [again(1, 9, 11), again(3, 9, 13)];
        match heard {
            "from a page" => lane.absorb_page(&anew, 10, NOW),
            _ => anew.into_iter().for_each(|due| lane.offer(due, None, Payload::Keep)),
        }
        // Rows that are older than what is known.
        lane.absorb_page(&[due(1, 1), due(3, NOW.as_ms() + 50)], 10, NOW);
        lane.ripen(NOW);
        assert_eq!(ready_dues(&mut lane), [anew[0], due(2, 2), anew[1]], "{heard}");
        assert_eq!((lane.held(), lane.wake_at(Timestamp::default())), (3, None), "{heard}");
    }
}

#[test]
fn a_new_round_is_found_on_disk_when_the_attempt_before_it_is_recorded() {
    for next in [None, Some(again(1, 500, 1))] {
        let mut lane = Lane::new(NOW);
        lane.offer(due(1, 1), None, Payload::Keep);
        ready_events(&mut lane);
        lane.offer(again(1, 9, 11), None, Payload::Keep);
        lane.absorb_page(&[again(1, 9, 11)], 10, NOW);
        assert_eq!(ready_events(&mut lane), [0i64; 0], "it is in flight");
        lane.end(due(1, 1), next);
        assert_eq!(lane.held(), 0, "{next:?}");
        let (limit, _) = lane.begin_page(NOW, LANE_PAGE_ROWS).expect("it is on disk");
        lane.absorb_page(&[again(1, 9, 11)], limit, NOW);
        assert_eq!(ready_dues(&mut lane), [again(1, 9, 11)], "{next:?}");
    }
}

#[test]
fn an_attempt_that_did_not_begin_gives_way_to_a_new_round() {
    let mut lane = Lane::new(NOW);
    lane.offer(due(1, 1), None, Payload::Keep);
    let entry = lane.ready.pop(Class::Free, WELL).expect("it is ready");
    lane.offer(again(1, 9, 11), None, Payload::Keep);
    lane.put_back(entry.due, event());
    assert_eq!(ready_events(&mut lane), [0i64; 0]);
    assert!(lane.begin_page(NOW, LANE_PAGE_ROWS).is_some(), "the new round is on disk");
}

fn event() -> Arc<Event> {
    let content = signalpost_store::testing::sample::event(WorkspaceId::from_raw(1), 1, 1, &[]).content;
    Arc::new(Event {
        id: EventId::from_raw(1),
        workspace: WorkspaceId::from_raw(1),
        sequence: Sequence(1),
        content,
        targets: Vec::new(),
        accepted_at: NOW,
        payload_removed_at: None,
    })
}

#[test]
fn news_of_what_is_known_causes_no_reading() {
    let mut lane = Lane::new(NOW);
    lane.offer(due(1, 7), None, Payload::Keep);
    lane.hear_of(Timestamp::from_ms(7));
    assert_eq!(lane.wake_at(Timestamp::default()), None);
    lane.hear_of(Timestamp::from_ms(6));
    assert_eq!(lane.wake_at(Timestamp::default()), Some(Timestamp::from_ms(6)));
}

#[test]
fn what_was_asked_for_once_more_keeps_nothing_else_on_disk() {
    let rows_a_page = i64::try_from(LANE_PAGE_ROWS).expect("small");
    let mut lane = Lane::new(NOW);
    for event in 1..=rows_a_page {
        lane.offer(again(event, event, event), None, Payload::Keep);
    }
    lane.hear_of(NOW);
    let (limit, _) = lane.begin_page(NOW, LANE_PAGE_ROWS).expect("it can wait");
    lane.absorb_page(&[due(9_001, 9_001)], limit, NOW);
    assert_eq!(ready_events(&mut lane)[..2], [9_001, 1], "it goes before all of them");
}
