//! What another node has accepted and told by name.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use signalpost_core::id::{DeliveryId, WebhookId};
use signalpost_core::profile::PauseRule;
use signalpost_store::testing::faulty::{Call, Fault, FaultyStore};
use signalpost_store::testing::memory::MemoryStore;

use crate::rig::{Rig, delivered};

/// A rig with a webhook, another node on its store, and what the store is asked.
struct Stage {
    rig: Rig,
    store: Arc<FaultyStore<MemoryStore>>,
    asked: Arc<Mutex<BTreeMap<&'static str, usize>>>,
}

impl Stage {
    fn new(fault: impl FnMut(Call) -> Fault + Send + 'static) -> Self {
        let asked = Arc::new(Mutex::new(BTreeMap::new()));
        let (counted, fault) = (Arc::clone(&asked), Mutex::new(fault));
        let plan = move |call: Call| {
            *counted.lock().expect("nobody panics").entry(call.verb).or_default() += 1;
            fault.lock().expect("nobody panics")(call)
        };
        let store = Arc::new(FaultyStore::new(MemoryStore::new(), Box::new(plan)));
        let mut rig = Rig::new_on(PauseRule::Drops, Arc::clone(&store) as _);
        rig.webhook();
        Self { rig, store, asked }
    }

    /// Publishes on the other node, which does not tell of it yet.
    fn publish_elsewhere(&mut self, events: usize) -> Vec<DeliveryId> {
        let before = self.rig.deliveries().len();
        self.store.inner().elsewhere(|| self.rig.publish(events));
        let mut all = self.rig.deliveries();
        all.truncate(all.len() - before);
        all.into_iter().rev().map(|delivery| delivery.id).collect()
    }

    fn tell(&mut self, deliveries: &[DeliveryId]) {
        self.store.inner().tell_accepted_elsewhere(deliveries);
        self.rig.settle();
    }

    fn asked(&self, verb: &str) -> usize {
        self.asked.lock().expect("nobody panics").get(verb).copied().unwrap_or(0)
    }
}

#[test]
fn what_is_told_by_name_is_sent_once_and_without_a_page() {
    let mut stage = Stage::new(|_call| Fault::Pass);
    stage.rig.receiver.status.set(Some(204));
    let told = stage.publish_elsewhere(3);
    assert_eq!(stage.rig.receiver.requests(), 0, "nobody has heard of it");
    let unknown = DeliveryId { event: told[0].event, webhook: WebhookId::from_raw(7) };
    stage.tell(&[&told[..], &[unknown]].concat());
    assert_eq!((stage.rig.receiver.requests(), stage.rig.count(delivered)), (3, 3));
    assert_eq!((stage.asked("unattempted"), stage.asked("due_page")), (1, 0), "all at once");
    stage.tell(&told);
    stage.rig.advance_s(60);
    assert_eq!(stage.rig.receiver.requests(), 3, "it was told late");
}

#[test]
fn what_could_not_be_looked_up_is_found_on_a_page_a_second_later() {
    let mut failing = true;
    let mut stage = Stage::new(move |call| match call.verb {
        "unattempted" if std::mem::take(&mut failing) => Fault::Before,
        _ => Fault::Pass,
    });
    stage.rig.receiver.status.set(Some(204));
    let told = stage.publish_elsewhere(2);
    stage.tell(&told);
    assert_eq!(stage.rig.receiver.requests(), 0);
    stage.rig.advance_s(1);
    assert_eq!((stage.rig.receiver.requests(), stage.rig.count(delivered)), (2, 2));
}

/// What is under way already is not looked up again, and a retry keeps its time.
#[test]
fn what_is_known_is_not_looked_up() {
    let mut stage = Stage::new(|_call| Fault::Pass);
    let told = stage.publish_elsewhere(1);
    stage.tell(&told);
    assert_eq!((stage.rig.receiver.requests(), stage.asked("unattempted")), (1, 1));
    stage.tell(&told);
    stage.rig.receiver.answer(500);
    stage.rig.settle();
    stage.tell(&told);
    assert_eq!((stage.rig.receiver.requests(), stage.asked("unattempted")), (1, 1));
}
