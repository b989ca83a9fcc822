//! What is asked of a workspace while it moves, and what becomes of attempts that were in flight.

use std::ops::ControlFlow;
use std::time::Duration;

use signalpost_core::attempt::Verdict;
use signalpost_core::credential::CredentialHash;
use signalpost_core::id::WebhookId;
use signalpost_core::principal::Principal;
use signalpost_store::catalog::{DeleteWebhook, EraseWorkspace, UpdateWorkspace};
use signalpost_store::ledger::DueLanes;
use signalpost_store::testing::block_on::block_on;
use signalpost_store::testing::sample;
use signalpost_store::{Catalog, Ledger, Named, Replays, StoreError};
use signalpost_store_postgres::cells::Step;

use super::stage::{Cells, Serves, due, furnish, publish};
use crate::support::ask;

fn is_moving<T: std::fmt::Debug>(answer: Result<T, StoreError>) -> bool {
    matches!(answer, Err(StoreError::Moving))
}

/// From the mark on nothing is accepted, changed or begun, and all of it is read; whoever else is there notices nothing.
#[test]
fn nothing_is_accepted_and_all_is_read_while_a_workspace_moves() {
    let cells = Cells::new();
    let (moving, other) = (furnish(cells.source(), 1), furnish(cells.source(), 2));
    let (user, key) = (CredentialHash([7; 32]), CredentialHash([8; 32]));
    let source = cells.source();
    block_on(source.create_user(sample::new_user(moving, 70, user))).expect("a user");
    block_on(source.create_operator_key(sample::operator_key(Some(moving), 80), key)).expect("a key");
    let version = block_on(source.fan_out(moving)).expect("it reads").expect("it is there").version;
    let mut steps = 0;
    cells
        .go_while(&["ws-1"], |step| {
            if matches!(step, Step::Expecting | Step::Marking | Step::Showing | Step::Confirming) {
                return ControlFlow::Continue(());
            }
            steps += 1;
            let n = 5_000 + steps;
            let event = sample::event(moving, n, version, &[]);
            assert!(is_moving(block_on(source.accept(vec![event]))), "{step:?}");
            publish(source, other, 9_000 + steps, &[21]).expect("another is served");
            let webhook = sample::webhook(moving, 400 + steps);
            assert!(is_moving(block_on(source.create_webhook(webhook.into()))), "{step:?}");
            let id = WebhookId::from_raw(12);
            let delete =
                DeleteWebhook { workspace: moving, webhook: id, at: sample::at(n), by: Principal::Operator };
            assert!(is_moving(block_on(source.delete_webhook(delete))));
            let update = UpdateWorkspace {
                workspace: moving,
                name: Some("x".to_owned()),
                features: None,
                policy: Default::default(),
            };
            assert!(is_moving(block_on(source.update_workspace(update))));
            assert!(is_moving(block_on(
                source.erase_workspace(EraseWorkspace { workspace: moving, at: sample::at(n) })
            )));
            assert!(is_moving(block_on(source.create_replay(sample::replay(moving, 600 + steps, id)))));
            assert!(is_moving(block_on(source.revoke_operator_key(sample::operator_key(None, 80).id))));
            let session = sample::session(sample::user(70).id, n);
            assert!(is_moving(block_on(source.open_session(session, CredentialHash([9; 32])))));
            assert!(is_moving(block_on(source.grant_right(sample::right(
                other,
                sample::user(70).id,
                700 + steps
            )))));
            assert!(block_on(source.lane(id)).expect("it reads").is_none(), "nothing is begun");
            assert!(due(source, 12).is_empty());
            let lanes = block_on(source.due_lanes(DueLanes { after: None, limit: 100 })).expect("it reads");
            assert!(lanes.iter().all(|lane| [21, 22].contains(&lane.webhook.raw())), "{lanes:?}");
            assert_eq!(cells.serve("ws-1"), [Serves::Yes, Serves::No], "it is read: {step:?}");
            assert!(block_on(source.session_by_hash(user)).expect("it reads").is_some());
            let taken = sample::workspace(99);
            let taken = signalpost_core::workspace::Workspace { public_id: "ws-1".to_owned(), ..taken };
            let taken = block_on(cells.target().create_workspace(taken));
            assert!(matches!(taken, Err(StoreError::Taken("workspace id"))), "{taken:?}");
            ControlFlow::Continue(())
        })
        .expect("it is moved");
    assert!(steps > 20, "{steps}");
}

/// Between the two cells nobody serves, and whoever asks is told to ask again.
#[test]
fn nobody_is_told_that_a_workspace_is_not_there() {
    let cells = Cells::new();
    let moving = furnish(cells.source(), 1);
    let (credential, user) = (CredentialHash([6; 32]), CredentialHash([7; 32]));
    let source = cells.source();
    block_on(source.create_credential(sample::credential(moving, 60), credential)).expect("a credential");
    block_on(source.create_user(sample::new_user(moving, 70, user))).expect("a user");
    cells.go_to(&["ws-1"], Step::Showing);
    assert_eq!(cells.serve("ws-1"), [Serves::NotNow, Serves::No]);
    assert!(is_moving(block_on(source.fan_out(moving))));
    assert!(is_moving(block_on(source.credential_by_hash(credential))));
    assert!(is_moving(block_on(source.session_by_hash(user))));
    assert!(is_moving(block_on(source.account("native".to_owned(), "user-70".to_owned()))));
    let named = Named::Webhook { dialect: "native".to_owned(), public_id: "wh-11".to_owned() };
    assert!(is_moving(block_on(source.owner_of(named))));
    assert!(block_on(source.credential_by_hash(CredentialHash([1; 32]))).expect("nobody has it").is_none());
    cells.go_to(&["ws-1"], Step::Confirming);
    assert_eq!(cells.serve("ws-1"), [Serves::NotNow, Serves::Yes]);
    assert!(block_on(cells.target().credential_by_hash(credential)).expect("it reads").is_some());
    cells.go(&["ws-1"]).expect("it is moved");
    assert_eq!(cells.serve("ws-1"), [Serves::No, Serves::Yes]);
    assert!(block_on(source.credential_by_hash(credential)).expect("it reads").is_none());
}

/// What ends before copying begins is recorded, and moves along. What ends later is refused, and is owed in the other cell.
#[test]
fn outcomes_count_until_copying_begins() {
    let cells = Cells::new();
    let moving = furnish(cells.source(), 1);
    let other = furnish(cells.source(), 2);
    let (mut in_flight, others) = (due(cells.source(), 12), due(cells.source(), 22));
    assert_eq!(in_flight.len(), 7);
    let record = |workspace, due: &signalpost_core::delivery::Due| {
        let ended = vec![sample::finished(workspace, *due, Verdict::Delivered)];
        let ended = sample::begun_by(cells.source(), ended);
        block_on(cells.source().finish(ended.into())).expect("it is answered");
    };
    let (early, late) = (in_flight.remove(0), in_flight.remove(0));
    cells.go_to(&["ws-1"], Step::Draining);
    record(moving, &early);
    cells.go_to(&["ws-1"], Step::Copying { table: "attempt", rows: 0 });
    record(moving, &late);
    record(other, &others[0]);
    cells.go(&["ws-1"]).expect("it is moved");
    let owed: Vec<_> = due(cells.target(), 12).into_iter().map(|due| due.id).collect();
    assert!(!owed.contains(&early.id) && owed.contains(&late.id) && owed.len() == 6, "{owed:?}");
    let attempts =
        ask(&format!("SELECT count(*)::text FROM {}.attempt WHERE webhook = 12", cells.places[1].schema));
    assert_eq!(attempts, ["1"]);
    assert_eq!(due(cells.source(), 22).len(), 6);
}

/// Each takes a connection of its own, so the mover has had time for all that it does without waiting.
const LOOKS: usize = 50;

/// It ends as soon as nothing that is due is left, and not after the longest time.
#[test]
fn attempts_in_flight_are_waited_for() {
    let mut cells = Cells::new();
    let moving = furnish(cells.source(), 1);
    let in_flight = due(cells.source(), 12);
    cells.longest_attempt = Duration::from_secs(3_600);
    cells.go_to(&["ws-1"], Step::Draining);
    std::thread::scope(|scope| {
        let going = scope.spawn(|| cells.go(&["ws-1"]).expect("it is moved"));
        // However often one looks.
        for _ in 0..LOOKS {
            assert_eq!(cells.phase(), ["refusing"], "it waits");
        }
        let ended = in_flight.iter().map(|due| sample::finished(moving, *due, Verdict::Delivered));
        let ended = sample::begun_by(cells.source(), ended.collect());
        block_on(cells.source().finish(ended.into())).expect("recorded");
        going.join().expect("no panic");
    });
    assert!(due(cells.target(), 12).is_empty());
    let attempts =
        ask(&format!("SELECT count(*)::text FROM {}.attempt WHERE webhook = 12", cells.places[1].schema));
    assert_eq!(attempts, ["7"], "all of them were recorded");
}
