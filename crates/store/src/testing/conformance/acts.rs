//! What operators have done: on record before it is done, and with what came of it.

use signalpost_core::act::{Act, ActResult, Action, Actor, ActorId, Surface};
use signalpost_core::id::{ActId, OperatorAccountId, OperatorKeyId};
use signalpost_core::limits::{ACT_REMEMBERED_MS, LIST_SCAN_ROWS_MAX};

use super::Harness;
use super::kit::{Kit, refusal};
use crate::desk::{ActPage, ListActs};
use crate::testing::refusal::Refusal;
use crate::testing::sample;
use crate::testing::snapshot::all_acts;

const DONE: ActResult = ActResult::Done { status: 204 };

async fn begin(kit: &Kit, act: Act) -> Act {
    kit.begin_act(act.clone()).await.expect("it is on record");
    act
}

async fn all(kit: &Kit) -> Vec<Act> {
    all_acts(&**kit, ListActs { limit: 9, ..ListActs::default() }).await.expect("it reads")
}

async fn ids(kit: &Kit, params: ListActs) -> (Vec<i64>, Option<i64>) {
    let ActPage { rows, next } = kit.list_acts(params).await.expect("it reads");
    (rows.iter().map(|act| act.id.raw()).collect(), next.map(ActId::raw))
}

pub async fn an_act_is_on_record_before_anybody_knows_what_came_of_it(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let whole = begin(&kit, sample::act(31)).await;
    let (id, username) = (OperatorAccountId::from_raw(8), "ann".to_owned());
    let bare = Act {
        by: Actor::Account { id, username },
        workspace: None,
        surface: Surface::Api,
        address: Some("2001:db8::1".parse().expect("an address")),
        detail: String::new(),
        ..sample::act(32)
    };
    begin(&kit, bare.clone()).await;
    let root = Act { by: Actor::Root, address: None, surface: Surface::Portal, ..sample::act(33) };
    // Whatever the caller says of what came of it.
    begin(&kit, Act { result: DONE, ..root.clone() }).await;
    let nameless = Actor::Key { id: OperatorKeyId::from_raw(9), name: None };
    let nameless = begin(&kit, Act { by: nameless, ..sample::act(34) }).await;
    let expected = [nameless, root, bare, whole];
    assert_eq!(all(&kit).await, expected);
    assert_eq!(kit.highest_id(), 34);
    let kit = kit.reopen(harness).await;
    assert_eq!((all(&kit).await, kit.highest_id()), (expected.to_vec(), 34));
}

pub async fn what_came_of_an_act_is_said_once(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (done, refused) = (begin(&kit, sample::act(31)).await, begin(&kit, sample::act(32)).await);
    let pending = begin(&kit, sample::act(33)).await;
    kit.end_act(done.id, DONE).await.expect("it is pending");
    kit.end_act(refused.id, ActResult::Refused { status: 403 }).await.expect("it is pending");
    let refused = Act { result: ActResult::Refused { status: 403 }, ..refused };
    let expected = [pending, refused, Act { result: DONE, ..done.clone() }];
    assert_eq!(all(&kit).await, expected);
    kit.end_act(done.id, DONE).await.expect("the same once more");
    for other in [ActResult::Pending, ActResult::Done { status: 200 }, ActResult::Refused { status: 204 }] {
        assert_eq!(refusal(kit.end_act(done.id, other).await), Refusal::WrongState);
    }
    let nothing = kit.end_act(ActId::from_raw(9), DONE).await;
    assert_eq!(refusal(nothing), Refusal::Missing("act"));
    assert_eq!(all(&kit).await, expected);
}

pub async fn acts_are_listed_newest_first_with_filters(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let key = Actor::Key { id: OperatorKeyId::from_raw(9), name: None };
    for (n, by, action, workspace) in [
        (31, Actor::Root, "webhook.delete", Some("ws-1")),
        (34, key.clone(), "webhook.delete", Some("ws-2")),
        (32, key.clone(), "webhook.secret.rotate", None),
        (33, Actor::Root, "webhooks.list", Some("ws-1")),
    ] {
        let (action, workspace) = (Action::named(action), workspace.map(str::to_owned));
        begin(&kit, Act { by, action, workspace, ..sample::act(n) }).await;
    }
    let any = || ListActs { limit: 9, ..ListActs::default() };
    let in_workspace = |id: &str| Some(id.to_owned());
    for (params, expected, next) in [
        (any(), &[34, 33, 32, 31][..], None),
        (ListActs { limit: 2, ..any() }, &[34, 33], Some(33)),
        (ListActs { limit: 2, before: Some(ActId::from_raw(33)), ..any() }, &[32, 31], None),
        (ListActs { workspace: in_workspace("ws-1"), ..any() }, &[33, 31], None),
        (ListActs { workspace: in_workspace("ws-3"), ..any() }, &[], None),
        (ListActs { by: Some(key.id()), limit: 1, ..any() }, &[34], Some(34)),
        (ListActs { by: Some(ActorId::Root), ..any() }, &[33, 31], None),
        (ListActs { action: Some("webhook".to_owned()), ..any() }, &[34, 32, 31], None),
        (ListActs { action: Some("webhook.delete".to_owned()), by: Some(key.id()), ..any() }, &[34], None),
    ] {
        assert_eq!(ids(&kit, params.clone()).await, (expected.to_vec(), next), "{params:?}");
    }
}

pub async fn an_act_is_found_however_many_are_to_be_looked_at(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let count = i64::try_from(LIST_SCAN_ROWS_MAX).expect("small") + 10;
    let wanted = Act { workspace: Some("ws-2".to_owned()), ..sample::act(31) };
    // All are called before the first is waited for, so that a store may put them into one commit.
    let others = (100..100 + count).map(sample::act);
    let calls: Vec<_> = others.chain([wanted.clone()]).map(|act| kit.begin_act(act)).collect();
    for call in calls {
        call.await.expect("it is on record");
    }
    let params = ListActs { workspace: wanted.workspace.clone(), limit: 9, ..ListActs::default() };
    assert_eq!(all_acts(&*kit, params).await.expect("it reads"), [wanted]);
}

pub async fn upkeep_forgets_acts_of_long_ago(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    for n in [31, 32] {
        begin(&kit, sample::act(n)).await;
    }
    kit.tidy_up(30 + ACT_REMEMBERED_MS).await;
    assert_eq!(all(&kit).await.len(), 2, "not before their time");
    kit.tidy_up(31 + ACT_REMEMBERED_MS).await;
    assert_eq!(all(&kit).await, [sample::act(32)]);
    kit.tidy_up(99 + ACT_REMEMBERED_MS).await;
    let kit = kit.reopen(harness).await;
    assert_eq!((all(&kit).await, kit.highest_id()), (Vec::new(), 32), "an id is never given out again");
}
