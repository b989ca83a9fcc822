//! Webhooks that keep an order by key, and the keys of events.

use std::rc::Rc;

use signalpost_core::order::{OnExhausted, OrderRule};

use crate::facts::{Life, Scope, Wanted};
use crate::load::manage;
use crate::world::World;

/// Few, so that events meet under them.
const KEYS: u64 = 3;
const KEYED_PERMILLE: u64 = 600;

/// For good: what was accepted under another rule would have to be told apart. From a stream of its own, so that a world
/// without order does not depend on it.
pub(super) fn draw(world: &World, number: u64) -> OrderRule {
    let mut chance = world.chance(&format!("order {number}"));
    let by_key = chance.permille(world.options.ordered_permille);
    let on_exhausted = *chance.pick(&OnExhausted::ALL);
    OrderRule { by_key, on_exhausted }
}

/// Gives keys to some of these events, which nobody has published yet.
pub(super) fn give_keys(world: &World, numbers: &[usize]) {
    if world.options.ordered_permille == 0 {
        return;
    }
    let mut facts = world.facts.borrow_mut();
    for number in numbers {
        let mut chance = world.chance(&format!("key of {number}"));
        let key = chance.permille(KEYED_PERMILLE).then(|| format!("key {}", chance.between(1, KEYS)));
        facts.events[*number].ordering_key = key;
    }
}

/// Nothing blocks a key from here on.
pub(crate) async fn unblock_all(world: &Rc<World>) {
    let webhooks = world.facts.borrow().webhooks.len();
    for index in 0..webhooks {
        let last = world.facts.borrow().webhooks[index].wanted_last().expect("it was made").clone();
        if last.life != Life::Deleted && last.order.blocks() {
            let order = OrderRule { on_exhausted: OnExhausted::Skip, ..last.order };
            manage::change(world, index, Wanted { order, ..last }, Scope::Properties).await;
        }
    }
}
