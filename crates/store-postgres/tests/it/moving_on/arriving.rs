//! Everything arrives, row by row, and goes on as if nothing had happened.

use signalpost_store::testing::block_on::block_on;
use signalpost_store::testing::differential::show;
use signalpost_store::testing::sample;
use signalpost_store::testing::snapshot::Snapshot;
use signalpost_store::{Catalog, Ledger};
use signalpost_store_postgres::cells::Step;

use super::stage::{Cells, Serves, count, due, furnish, living, publish};
use crate::support::Fresh;

/// Long random sequences of verbs.
#[test]
fn all_of_a_workspace_arrives() {
    let mut rows_moved = 0;
    for seed in 0..30 {
        if rows_moved > 500 {
            return;
        }
        let places = [Fresh::new(), Fresh::new()];
        show(seed, 150, &places[0], &mut |_| {}).expect("like the model");
        let cells = Cells::at(places);
        cells.tidy();
        let (ids, public_ids): (Vec<i64>, Vec<String>) = living(cells.source()).into_iter().unzip();
        if ids.is_empty() {
            continue;
        }
        let snapshots = |store| {
            let of = |id: &i64| {
                block_on(Snapshot::of_workspace(store, signalpost_core::id::WorkspaceId::from_raw(*id)))
                    .expect("it reads")
            };
            ids.iter().map(of).collect::<Vec<_>>()
        };
        let (rows, shown) = (cells.rows(0, &ids), snapshots(cells.source()));
        let moved =
            cells.go(&public_ids.iter().map(String::as_str).collect::<Vec<_>>()).expect("it is moved");
        cells.tidy();
        for (before, after) in rows.iter().zip(cells.rows(1, &ids)) {
            assert_eq!(*before, after, "seed {seed}");
        }
        for (before, after) in shown.iter().zip(snapshots(cells.target())) {
            assert_eq!(before.difference(&after), None, "seed {seed}");
        }
        rows_moved += moved.tables.iter().map(|(_, sum)| sum.rows).sum::<u64>();
        cells.remove_rest();
        let left = cells.rows(0, &ids);
        let left: Vec<_> =
            left.iter().filter(|(_, rows)| !rows.is_empty()).map(|(table, _)| *table).collect();
        assert_eq!(left, ["workspace", "place"], "seed {seed}: only its name is left");
        for table in ["moving", "moving_part", "moving_table", "cell_move", "rest"] {
            for cell in [0, 1] {
                assert_eq!(
                    cells.number(cell, &format!("SELECT count(*)::text FROM {{s}}.{table}")),
                    0,
                    "{table}"
                );
            }
        }
    }
    panic!("there was too little to move: {rows_moved}");
}

#[test]
fn what_is_owed_and_published_goes_on_in_the_other_cell() {
    let cells = Cells::new();
    let (moved, stays) = (furnish(cells.source(), 1), furnish(cells.source(), 2));
    let stays_rows = cells.rows(0, &[2]);
    cells.go(&["ws-1"]).expect("it is moved");
    assert_eq!(cells.serve("ws-1"), [Serves::No, Serves::Yes]);
    assert_eq!(cells.serve("ws-2"), [Serves::Yes, Serves::No]);
    assert_eq!((due(cells.source(), 12).len(), due(cells.target(), 12).len()), (0, 7));
    publish(cells.target(), moved, 1_500, &[11]).expect("accepted");
    let feed = block_on(cells.target().usage(moved)).expect("it reads").expect("it is there");
    assert_eq!(feed.events, 8);
    publish(cells.source(), stays, 2_500, &[21]).expect("accepted");
    assert!(publish(cells.source(), moved, 1_501, &[11]).is_err());
    cells.remove_rest();
    assert_eq!(cells.rows(0, &[2]).len(), stays_rows.len());
    assert_eq!(due(cells.source(), 22).len(), 7, "nothing of another was touched");
}

/// Cores store what they have counted whenever they come to it, and upkeep removes what is old.
#[test]
fn figures_arrive_and_may_change_while_they_are_copied() {
    let cells = Cells::new();
    let workspace = furnish(cells.source(), 1);
    let rows = |cell| {
        let all = cells.rows(cell, &[1]);
        all.into_iter().find(|(table, _)| *table == "figure").expect("it is one of them").1
    };
    let before = rows(0);
    assert_eq!(before.len(), 9);
    cells.go_to(&["ws-1"], Step::Comparing { table: "user" });
    count(cells.source(), workspace, &[11]);
    assert_ne!(rows(0), before);
    cells.go(&["ws-1"]).expect("it is moved");
    assert_eq!(rows(1), before);
}

/// Its name alone is left in the cell that it comes back to.
#[test]
fn a_workspace_comes_back() {
    let cells = Cells::new();
    let workspace = furnish(cells.source(), 1);
    block_on(cells.source().create_user(sample::new_user(
        workspace,
        70,
        signalpost_core::credential::CredentialHash([7; 32]),
    )))
    .expect("a user");
    cells.tidy();
    let rows = cells.rows(0, &[1]);
    cells.go(&["ws-1"]).expect("it is moved");
    let mut tell = |_| std::ops::ControlFlow::Continue(());
    let early = block_on(cells.back().run(&["ws-1".to_owned()], &mut tell)).expect_err("something is left");
    assert!(early.to_string().contains("is still being removed"), "{early}");
    cells.remove_rest();
    block_on(cells.back().run(&["ws-1".to_owned()], &mut tell)).expect("it is moved back");
    cells.tidy();
    assert_eq!(cells.serve("ws-1"), [Serves::Yes, Serves::No]);
    assert_eq!(cells.rows(0, &[1]), rows);
}
