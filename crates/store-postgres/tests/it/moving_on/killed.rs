//! A move that is killed goes on where it was, or is given up.

use std::ops::ControlFlow;

use signalpost_core::id::WorkspaceId;
use signalpost_core::principal::Principal;
use signalpost_store::catalog::DeleteWebhook;
use signalpost_store::testing::block_on::block_on;
use signalpost_store::testing::sample;
use signalpost_store::{Catalog, Ledger};
use signalpost_store_postgres::PostgresStore;
use signalpost_store_postgres::cells::{MoveError, Step};

use super::stage::{Cells, Serves, due, furnish, owned, publish};

/// Killed before each of its steps in turn; every process begins anew each time.
#[test]
fn a_move_that_is_killed_at_any_step_goes_on() {
    let mut cells = Cells::new();
    furnish(cells.source(), 1);
    cells.tidy();
    let rows = cells.rows(0, &[1]);
    let (mut last, mut kills) = (None, 0);
    loop {
        let mut is_first = true;
        // A step that leaves something is not asked for again, so each run takes one more of them.
        let moved = cells.go_while(&["ws-1"], |step| {
            let leaves_nothing = matches!(step, Step::Comparing { .. } | Step::Rehearsing);
            if leaves_nothing || std::mem::replace(&mut is_first, false) {
                last = Some(step);
                return ControlFlow::Continue(());
            }
            ControlFlow::Break(())
        });
        let served = cells.serve("ws-1");
        assert!(
            matches!(
                served,
                [Serves::Yes, Serves::No]
                    | [Serves::NotNow, Serves::No | Serves::Yes]
                    | [Serves::No, Serves::Yes]
            ),
            "{served:?} after {last:?}"
        );
        match moved {
            Ok(_) => break,
            Err(MoveError::Stopped) => kills += 1,
            Err(other) => panic!("{other} after {last:?}"),
        }
        cells.open_anew();
    }
    assert!(kills > 10, "{kills}");
    cells.tidy();
    assert_eq!(cells.rows(1, &[1]), rows);
    assert_eq!(cells.serve("ws-1"), [Serves::No, Serves::Yes]);
}

#[test]
fn a_move_is_given_up_at_any_step_before_the_source_has_left() {
    let steps = [
        Step::Marking,
        Step::Draining,
        Step::Copying { table: "user", rows: 0 },
        Step::Copying { table: "due", rows: 3 },
        Step::Copying { table: "figure", rows: 6 },
        Step::Comparing { table: "cut" },
        Step::Rehearsing,
        Step::Leaving,
    ];
    let mut cells = Cells::new();
    let workspace = furnish(cells.source(), 1);
    cut_off(cells.source(), workspace);
    for step in steps {
        cells.tidy();
        let rows = cells.rows(0, &[1]);
        for table in ["cut", "dropped", "event_key", "feed", "due", "attempt", "figure"] {
            assert!(rows.iter().any(|(name, rows)| *name == table && !rows.is_empty()), "{table} has rows");
        }
        cells.go_to(&["ws-1"], step);
        cells.open_anew();
        block_on(cells.mover().give_up(&owned(&["ws-1"]))).expect("it is given up");
        cells.tidy();
        assert_eq!(cells.rows(0, &[1]), rows, "{step:?}");
        for (table, rows) in cells.rows(1, &[1]) {
            assert_eq!(rows, Vec::<String>::new(), "{table} after {step:?}");
        }
        for table in [
            "message",
            "due",
            "attempt",
            "cut",
            "feed",
            "event_key",
            "dropped",
            "figure",
            "moving",
            "moving_part",
        ] {
            assert_eq!(cells.number(1, &format!("SELECT count(*)::text FROM {{s}}.{table}")), 0, "{table}");
        }
        assert_eq!(cells.serve("ws-1"), [Serves::Yes, Serves::No], "{step:?}");
        assert_eq!(due(cells.source(), 12).len(), 7, "{step:?}");
    }
    publish(cells.source(), workspace, 1_900, &[11]).expect("it is served");
    cells.go(&["ws-1"]).expect("it is moved in the end");
}

/// A webhook that was deleted with a delivery pending, and an event that its producer calls by a name: rows of the tables that are
/// empty otherwise.
fn cut_off(store: &PostgresStore, workspace: WorkspaceId) {
    let webhook = sample::webhook(workspace, 13);
    let id = webhook.id;
    block_on(store.create_webhook(webhook.into())).expect("a webhook");
    let version = block_on(store.fan_out(workspace)).expect("it reads").expect("it is there").version;
    let mut event = sample::event(workspace, 1_800, version, &[id]);
    event.content.producer_id = Some("p1".to_owned());
    block_on(store.accept(vec![event])).expect("accepted");
    let delete = DeleteWebhook { workspace, webhook: id, at: sample::at(1_800), by: Principal::Operator };
    block_on(store.delete_webhook(delete)).expect("it is deleted");
}

#[test]
fn a_move_whose_source_has_left_is_not_given_up() {
    let cells = Cells::new();
    furnish(cells.source(), 1);
    cells.go_to(&["ws-1"], Step::Showing);
    let refused = block_on(cells.mover().give_up(&owned(&["ws-1"]))).expect_err("it has left");
    assert!(matches!(refused, MoveError::Left(_)), "{refused}");
    cells.go(&["ws-1"]).expect("it goes on");
    assert_eq!(cells.serve("ws-1"), [Serves::No, Serves::Yes]);
    let refused = block_on(cells.mover().give_up(&owned(&["ws-1"]))).expect_err("there is none");
    assert!(matches!(refused, MoveError::NotMoving(_)), "{refused}");
}
