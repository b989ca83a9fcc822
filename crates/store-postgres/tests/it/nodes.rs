//! Several nodes on one schema: who delivers for what, what becomes of late outcomes, and who hears of what.

mod ending;
mod joining;
mod settling;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_channel::oneshot;
use signalpost_core::attempt::Verdict;
use signalpost_core::delivery::Due;
use signalpost_core::id::{DeliveryId, WebhookId, WorkspaceId};
use signalpost_core::lane_group::LaneGroup;
use signalpost_core::limits::LANE_GROUPS;
use signalpost_core::ports::{BoxFuture, Clock};
use signalpost_core::principal::Principal;
use signalpost_core::time::Timestamp;
use signalpost_store::catalog::DeleteWebhook;
use signalpost_store::change::Change;
use signalpost_store::ledger::{DueLane, DueOrder, DuePage, Requeue, RequeueRule, Stored};
use signalpost_store::testing::block_on::block_on;
use signalpost_store::testing::sample;
use signalpost_store::{Catalog, CommitListener, Ledger};
use signalpost_store_postgres::{OpenOptions, PostgresStore};
use signalpost_testkit::wait_for;

use crate::faults::proxy::{Line, Proxy};
use crate::support::{Fresh, RealClock, ask, options, say, server_port, server_url};

const PATIENCE: Duration = Duration::from_secs(40);

/// What a node is told by others. What was taken away it has taken up when the test says so.
#[derive(Default)]
struct Ears {
    owed: Mutex<Vec<WebhookId>>,
    accepted: Mutex<Vec<DeliveryId>>,
    changed: Mutex<Vec<(Change, Option<oneshot::Sender<()>>)>>,
}

impl CommitListener for Ears {
    fn accepted(&self, _: Vec<Stored>) {}

    fn requeued(&self, _: Vec<Due>, _: WorkspaceId) {}

    fn released(&self, _: Due) {}

    fn owed(&self, lanes: Vec<DueLane>) {
        self.owed.lock().expect("nobody panics").extend(lanes.iter().map(|lane| lane.webhook));
    }

    fn accepted_elsewhere(&self, deliveries: &[DeliveryId]) {
        self.accepted.lock().expect("nobody panics").extend(deliveries);
    }

    fn changed(&self, changes: Vec<Change>) -> BoxFuture<'static, ()> {
        let mut taken_up = Vec::new();
        for change in changes {
            let mut done = None;
            if change.revokes() {
                let (tell, told) = oneshot::channel();
                done = Some(tell);
                taken_up.push(told);
            }
            self.changed.lock().expect("nobody panics").push((change, done));
        }
        Box::pin(async move {
            for done in taken_up {
                done.await.expect("the test says so");
            }
        })
    }
}

impl Ears {
    fn of(store: &PostgresStore) -> Arc<Self> {
        let ears = Arc::new(Self::default());
        store.listen(ears.clone());
        ears
    }

    fn has_heard(&self, change: Change) -> bool {
        self.changed.lock().expect("nobody panics").iter().any(|(heard, _)| *heard == change)
    }

    fn take_up(&self, change: Change) {
        let mut changed = self.changed.lock().expect("nobody panics");
        let told = changed.iter_mut().find(|(heard, done)| *heard == change && done.is_some());
        let done = told.and_then(|(_, done)| done.take()).expect("it was told and not taken up");
        done.send(()).expect("the store waits for it");
    }
}

/// Nodes in one schema, with a workspace that has many webhooks.
struct Stage {
    nodes: Vec<PostgresStore>,
    workspace: WorkspaceId,
    webhooks: Vec<WebhookId>,
    place: Fresh,
}

impl Stage {
    fn new(nodes: usize) -> Self {
        let place = Fresh::new();
        let nodes: Vec<PostgresStore> = (0..nodes).map(|_| place.try_open().expect("it opens")).collect();
        let workspace = sample::workspace(1);
        let id = workspace.id;
        block_on(nodes[0].create_workspace(workspace)).expect("a workspace");
        let webhooks: Vec<WebhookId> = (11..31).map(WebhookId::from_raw).collect();
        for webhook in &webhooks {
            block_on(nodes[0].create_webhook(sample::webhook(id, webhook.raw()).into())).expect("a webhook");
        }
        let stage = Self { nodes, workspace: id, webhooks, place };
        stage.wait_for_balance();
        stage
    }

    fn owned(&self, node: usize) -> BTreeSet<LaneGroup> {
        self.nodes[node].ownership().groups().map(|(group, _)| group).collect()
    }

    /// Until each group is some node's, and all have as many.
    fn wait_for_balance(&self) {
        let (least, nodes) = (LANE_GROUPS / self.nodes.len(), 0..self.nodes.len());
        let is_even = || {
            let owned: Vec<BTreeSet<LaneGroup>> = nodes.clone().map(|node| self.owned(node)).collect();
            owned.iter().all(|groups| groups.len() >= least)
                && owned.iter().map(BTreeSet::len).sum::<usize>() == LANE_GROUPS
        };
        wait_for("groups to be divided evenly", PATIENCE, is_even).expect("they are");
    }

    /// Until each node has said once more that it lives.
    fn wait_for_renewals(&self) {
        let renewals = || self.nodes.iter().map(|node| node.ownership().counts().renewals.get());
        let before: Vec<u64> = renewals().collect();
        let has_come = || renewals().zip(&before).all(|(now, before)| now > *before);
        wait_for("leases to be renewed", PATIENCE, has_come).expect("they are");
    }

    /// A webhook that this node delivers for.
    fn webhook_of(&self, node: usize) -> WebhookId {
        let owned = self.owned(node);
        let found = self.webhooks.iter().find(|webhook| owned.contains(&LaneGroup::of(**webhook)));
        *found.expect("there are many webhooks")
    }

    /// Publishes an event through one node.
    fn publish(&self, node: usize, event: i64, webhook: WebhookId) -> Due {
        let store = &self.nodes[node];
        let event_of_it = sample::event(self.workspace, event, self.version(), &[webhook]);
        block_on(store.accept(vec![event_of_it])).expect("it is accepted");
        let page = DuePage { webhook, limit: 10, order: DueOrder::OLDEST_FIRST };
        let owed = block_on(store.due_page(page)).expect("it reads");
        *owed.iter().find(|due| due.id.event.raw() == event).expect("it is owed")
    }

    /// Of the webhooks as they are now.
    fn version(&self) -> u64 {
        block_on(self.nodes[0].fan_out(self.workspace)).expect("it reads").expect("it exists").version
    }

    fn delete(&self, webhook: WebhookId) -> DeleteWebhook {
        let (at, by) = (Timestamp::from_ms(9_000), Principal::Operator);
        DeleteWebhook { workspace: self.workspace, webhook, at, by }
    }
}

#[test]
fn groups_are_divided_among_those_that_are_there() {
    let mut stage = Stage::new(3);
    let all: BTreeSet<LaneGroup> = (0..3).flat_map(|node| stage.owned(node)).collect();
    assert_eq!(all.len(), LANE_GROUPS, "no group is two nodes'");
    stage.nodes.pop();
    stage.wait_for_balance();
    stage.nodes.pop();
    stage.wait_for_balance();
    stage.nodes.push(stage.place.try_open().expect("it opens"));
    stage.wait_for_balance();
}

/// What is under way keeps its group: its outcome would be refused.
#[test]
fn whoever_retires_gives_up_what_nothing_is_under_way_of() {
    let stage = Stage::new(2);
    let ownership = stage.nodes[1].ownership();
    let kept = LaneGroup::of(stage.webhook_of(1));
    let under_way = ownership.begin(kept);
    ownership.retire();
    let all_but_one = || stage.owned(0).len() == LANE_GROUPS - 1;
    wait_for("the rest to go over", PATIENCE, all_but_one).expect("it does");
    assert!(!stage.owned(0).contains(&kept));
    drop(under_way);
    wait_for("the last to go over", PATIENCE, || stage.owned(0).len() == LANE_GROUPS).expect("it does");
}

#[test]
fn every_node_tells_who_is_there_and_who_has_what() {
    let stage = Stage::new(2);
    for (asked, store) in stage.nodes.iter().enumerate() {
        let cluster = block_on(store.cluster()).expect("it reads");
        let told: Vec<_> = cluster.nodes.iter().map(|one| (one.number, one.delivers, one.is_this)).collect();
        assert_eq!(told, [(0, true, asked == 0), (1, true, asked == 1)]);
        assert!(cluster.nodes.iter().all(|one| one.renewed_ms_ago.is_some_and(|ms| ms < 10_000)));
        assert!(cluster.groups.iter().map(|one| one.group).eq(LaneGroup::all()));
        for (number, node) in (0..).zip(0..2) {
            let owned = cluster.groups.iter().filter(|one| one.owner == Some(number));
            assert_eq!(owned.map(|one| one.group).collect::<BTreeSet<_>>(), stage.owned(node));
        }
    }
}

#[test]
fn a_node_counts_what_becomes_of_its_lease_and_of_its_groups() {
    let stage = Stage::new(2);
    let counts = |node: usize| {
        let ownership = stage.nodes[node].ownership();
        let counts = ownership.counts();
        let groups = (counts.groups_taken.get(), counts.groups_given.get());
        (groups, counts.losses.get(), counts.renewals.get())
    };
    let handed_over = || (counts(0).0, counts(1).0) == ((64, 32), (32, 0));
    wait_for("half of the groups to be counted", PATIENCE, handed_over).expect("they are");
    assert!(counts(0).2 > 1 && counts(1).2 > 0, "each begins with one");
    say(&format!("DELETE FROM {}.node WHERE number = 1", stage.place.schema));
    wait_for("the loss of a lease", PATIENCE, || counts(1).1 == 1).expect("it is noticed");
    assert_eq!(counts(0).1, 0);
}

#[test]
fn nodes_have_numbers_of_their_own_for_the_ids_that_they_make() {
    let mut stage = Stage::new(2);
    let numbers = |stage: &Stage| stage.nodes.iter().map(|node| node.ownership().node()).collect::<Vec<_>>();
    assert_eq!(numbers(&stage), [0, 1]);
    drop(stage.nodes.remove(0));
    stage.nodes.push(stage.place.try_open().expect("it opens"));
    assert_eq!(numbers(&stage), [1, 2], "whoever had a number may still use it for a while");
}

#[test]
fn what_was_begun_by_a_former_owner_is_not_recorded() {
    let mut stage = Stage::new(2);
    let webhook = stage.webhook_of(1);
    let due = stage.publish(0, 1_000, webhook);
    let begun = sample::finished(stage.workspace, due, Verdict::Delivered);
    let late = sample::begun_by(&stage.nodes[1], vec![begun]);
    drop(stage.nodes.pop());
    stage.wait_for_balance();
    let store = &stage.nodes[0];
    let own = stage.publish(0, 1_001, webhook);
    let own = sample::begun_by(store, vec![sample::finished(stage.workspace, own, Verdict::Delivered)]);
    // Beside one that is in order, which counts.
    let both: Vec<_> = late.into_iter().chain(own).collect();
    block_on(store.finish(both.into())).expect("it is answered");
    let page = DuePage { webhook, limit: 10, order: DueOrder::OLDEST_FIRST };
    assert_eq!(block_on(store.due_page(page)).expect("it reads"), [due], "one is owed as before");
    assert_eq!(store.ownership().counts().outcomes_fenced.get(), 1);
    let late = sample::finished(stage.workspace, due, Verdict::Delivered);
    block_on(store.finish(sample::begun_by(store, vec![late]).into())).expect("it is recorded");
    assert_eq!(block_on(store.due_page(page)).expect("it reads"), []);
}

#[test]
fn the_owner_hears_of_what_others_accept() {
    let stage = Stage::new(2);
    let (ears, own) = (Ears::of(&stage.nodes[1]), stage.webhook_of(1));
    stage.publish(0, 1_000, stage.webhook_of(0));
    let due = stage.publish(0, 1_001, own);
    let accepted = || ears.accepted.lock().expect("nobody panics").clone();
    wait_for("the bell", PATIENCE, || !accepted().is_empty()).expect("it rings");
    assert_eq!(accepted(), [due.id], "by name");
    let at = Timestamp::from_ms(60);
    let again = Requeue { workspace: stage.workspace, delivery: due.id, at, rule: RequeueRule::Any };
    block_on(stage.nodes[0].requeue(again)).expect("it is requeued");
    let owed = || ears.owed.lock().expect("nobody panics").clone();
    wait_for("the bell", PATIENCE, || !owed().is_empty()).expect("it rings");
    assert_eq!((owed(), accepted().len()), (vec![own], 1), "what is owed again is found on a page");
}

#[test]
fn what_is_taken_away_is_taken_away_on_all_nodes_when_it_is_answered() {
    let stage = Stage::new(3);
    let ears = [1, 2].map(|node| Ears::of(&stage.nodes[node]));
    let webhook = stage.webhook_of(1);
    let change = Change::Webhook { workspace: stage.workspace, webhook };
    let deleting = stage.nodes[0].delete_webhook(stage.delete(webhook));
    let deleting = std::thread::spawn(move || block_on(deleting));
    wait_for("all to be told", PATIENCE, || ears.iter().all(|ears| ears.has_heard(change)))
        .expect("they are");
    ears[0].take_up(change);
    assert!(!deleting.is_finished(), "one has not taken it up");
    ears[1].take_up(change);
    deleting.join().expect("nobody panics").expect("it is deleted");
}

/// What it relies on ends before others take it, and what it would record afterwards is refused.
#[test]
fn whoever_is_cut_off_relies_on_nothing_before_others_take_it() {
    let mut stage = Stage::new(1);
    let proxy = Proxy::before(server_port());
    let url = server_url().replace(&server_port().to_string(), &proxy.port().to_string());
    let url = format!("{url}?connect_timeout=1");
    let far = OpenOptions {
        answer_timeout: Duration::from_secs(2),
        ..options(&url, &stage.place.schema, &stage.place.threads)
    };
    stage.nodes.push(PostgresStore::open(far).expect("it opens"));
    stage.wait_for_balance();
    let webhook = stage.webhook_of(1);
    let due = stage.publish(0, 1_000, webhook);
    let begun = sample::finished(stage.workspace, due, Verdict::Delivered);
    let begun = sample::begun_by(&stage.nodes[1], vec![begun]);
    proxy.set(Line::Cut);
    let taken = || {
        let is_taken = stage.owned(0).len() == LANE_GROUPS;
        let ownership = stage.nodes[1].ownership();
        assert!(!is_taken || !ownership.is_trusted(RealClock.monotonic()), "both rely on it");
        is_taken
    };
    wait_for("the other to take all", PATIENCE, taken).expect("it does");
    proxy.set(Line::Whole);
    stage.wait_for_balance();
    block_on(stage.nodes[1].finish(begun.into())).expect("it is answered");
    let page = DuePage { webhook, limit: 10, order: DueOrder::OLDEST_FIRST };
    assert_eq!(block_on(stage.nodes[0].due_page(page)).expect("it reads"), [due], "it is owed as before");
}

/// The commit has come through, and nobody heard of it: as if the connection had been lost with its answer.
#[test]
fn what_a_lost_answer_has_made_ours_is_taken_up() {
    let stage = Stage::new(1);
    let ownership = stage.nodes[0].ownership();
    let group = LaneGroup::numbered(5).expect("there are more");
    let epoch = ownership.epoch_of(group);
    ownership.lose(group);
    wait_for("it to be taken up", PATIENCE, || ownership.epoch_of(group) == epoch).expect("it is");
}

/// Where telling it at once has failed.
#[test]
fn what_was_taken_up_is_told_until_it_is_known() {
    let stage = Stage::new(1);
    let seen = format!("SELECT seen::text FROM {}.node", stage.place.schema);
    let newest = format!("SELECT coalesce(max(n), 0)::text FROM {}.change", stage.place.schema);
    wait_for("all to be seen", PATIENCE, || ask(&seen) == ask(&newest)).expect("it is");
    say(&format!("UPDATE {}.node SET seen = 0", stage.place.schema));
    wait_for("it to be told again", PATIENCE, || ask(&seen) == ask(&newest)).expect("it is");
    assert_ne!(ask(&newest), ["0"]);
}

/// A node that was there a moment ago, and of which nothing is heard any more.
#[test]
fn whoever_is_silent_is_waited_for_until_its_lease_has_run_out() {
    let stage = Stage::new(1);
    let silent = "number = 7";
    say(&format!(
        "INSERT INTO {}.node (number, token, process, delivers, seen, renewed_at)
        VALUES (7, 7, '', true, 0, clock_timestamp())",
        stage.place.schema
    ));
    block_on(stage.nodes[0].delete_webhook(stage.delete(stage.webhooks[0]))).expect("it is deleted");
    let lives = format!(
        "SELECT 'it lives' FROM {}.node WHERE {silent} AND renewed_at > clock_timestamp() - interval '10 seconds'",
        stage.place.schema
    );
    assert!(ask(&lives).is_empty());
    let stands = format!("SELECT 'it stands' FROM {}.node WHERE {silent}", stage.place.schema);
    wait_for("its row to go", PATIENCE, || ask(&stands).is_empty()).expect("it goes");
}
