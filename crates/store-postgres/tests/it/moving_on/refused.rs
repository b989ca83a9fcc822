//! What cannot be moved is said, by name, and nothing has happened then.

use signalpost_core::credential::CredentialHash;
use signalpost_core::workspace::Workspace;
use signalpost_store::Catalog;
use signalpost_store::catalog::EraseWorkspace;
use signalpost_store::testing::block_on::block_on;
use signalpost_store::testing::sample;
use signalpost_store_postgres::cells::{MoveError, Step};

use super::stage::{Cells, Serves, furnish};

fn assert_untouched(cells: &Cells) {
    for cell in [0, 1] {
        for table in ["cell_move", "moving", "moving_part", "moving_table"] {
            assert_eq!(
                cells.number(cell, &format!("SELECT count(*)::text FROM {{s}}.{table}")),
                0,
                "{table}"
            );
        }
    }
}

#[test]
fn a_user_of_a_workspace_that_stays_keeps_the_other_from_moving() {
    let cells = Cells::new();
    let (one, two) = (furnish(cells.source(), 1), furnish(cells.source(), 2));
    let user = sample::new_user(one, 70, CredentialHash([7; 32]));
    let id = user.user.id;
    block_on(cells.source().create_user(user)).expect("a user");
    block_on(cells.source().grant_right(sample::right(two, id, 75))).expect("a right");
    match cells.go(&["ws-1"]) {
        Err(MoveError::Shared { user, moving, staying }) => {
            assert_eq!((user.as_str(), moving.as_str(), staying.as_str()), ("user-70", "ws-1", "ws-2"));
        }
        other => panic!("{other:?}"),
    }
    assert_untouched(&cells);
    cells.go(&["ws-2", "ws-1"]).expect("both together");
    let rights = block_on(cells.target().list_rights(two)).expect("it reads");
    assert_eq!(rights.len(), 1);
    assert!(block_on(cells.target().session_by_hash(CredentialHash([7; 32]))).expect("it reads").is_some());
}

#[test]
fn what_is_not_there_or_is_there_already_is_refused() {
    let cells = Cells::new();
    furnish(cells.source(), 1);
    assert!(matches!(cells.go(&["ws-9"]), Err(MoveError::Unknown(id)) if id == "ws-9"));
    let erased = furnish(cells.source(), 3);
    block_on(cells.source().erase_workspace(EraseWorkspace { workspace: erased, at: sample::at(1) }))
        .expect("erased");
    assert!(matches!(cells.go(&["ws-3"]), Err(MoveError::Erased(id)) if id == "ws-3"));
    let same_name = Workspace { public_id: "ws-1".to_owned(), ..sample::workspace(77) };
    block_on(cells.target().create_workspace(same_name)).expect("it is made");
    match cells.go(&["ws-1"]) {
        Err(MoveError::Known { public_id, cell }) => {
            assert_eq!((public_id.as_str(), cell.as_str()), ("ws-1", "two"))
        }
        other => panic!("{other:?}"),
    }
    assert_untouched(&cells);
    assert_eq!(cells.serve("ws-1")[0], Serves::Yes);
}

/// Its name is but a stranger's there.
#[test]
fn a_name_that_was_erased_in_the_other_cell_is_refused() {
    let cells = Cells::new();
    furnish(cells.source(), 1);
    let stranger = Workspace { public_id: "ws-1".to_owned(), ..sample::workspace(77) };
    block_on(cells.target().create_workspace(stranger)).expect("it is made");
    let erase = EraseWorkspace { workspace: sample::workspace(77).id, at: sample::at(1) };
    block_on(cells.target().erase_workspace(erase)).expect("it is erased");
    assert!(matches!(cells.go(&["ws-1"]), Err(MoveError::Known { .. })));
}

#[test]
fn a_username_that_the_other_cell_has_is_refused_and_given_up() {
    let cells = Cells::new();
    let one = furnish(cells.source(), 1);
    block_on(cells.source().create_user(sample::new_user(one, 70, CredentialHash([7; 32])))).expect("a user");
    let there = furnish(cells.target(), 5);
    let mut user = sample::new_user(there, 90, CredentialHash([9; 32]));
    user.user.username = "user-70".to_owned();
    block_on(cells.target().create_user(user)).expect("another of this name");
    assert!(
        matches!(cells.go(&["ws-1"]), Err(MoveError::KnownUser { username, .. }) if username == "user-70")
    );
    block_on(cells.mover().give_up(&["ws-1".to_owned()])).expect("it is given up");
    assert_untouched(&cells);
    assert_eq!(cells.serve("ws-1"), [Serves::Yes, Serves::No]);
    let account = block_on(cells.target().account("native".to_owned(), "user-70".to_owned()));
    assert_eq!(account.expect("it reads").expect("it is still there").user.id, sample::user(90).id);
}

#[test]
fn a_workspace_is_in_one_move_at_a_time() {
    let cells = Cells::new();
    furnish(cells.source(), 1);
    furnish(cells.source(), 2);
    furnish(cells.source(), 3);
    cells.go_to(&["ws-1", "ws-2"], Step::Copying { table: "due", rows: 0 });
    for others in [&["ws-1"][..], &["ws-2"], &["ws-1", "ws-2", "ws-3"]] {
        match cells.go(others) {
            Err(MoveError::UnderWay { other, with, .. }) => {
                assert_eq!((other.as_str(), with.as_str()), ("two", "ws-1, ws-2"));
            }
            other => panic!("{other:?}"),
        }
    }
    cells.go(&["ws-2", "ws-1"]).expect("the same, in whatever order");
}
