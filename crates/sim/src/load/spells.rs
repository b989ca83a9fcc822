//! What befalls one node of several while the others go on.

use std::rc::Rc;

use crate::world::World;

/// Shorter than a lease, about as long, and much longer.
const FREEZES_MS: [u64; 4] = [1_000, 9_500, 14_000, 35_000];
const CUTS_MS: [u64; 4] = [2_000, 9_500, 16_000, 40_000];
/// How often it is noted that outcomes wait meanwhile.
const NOTE_MS: u64 = 1_000;

/// Processes of the node stand still for a while.
pub(crate) async fn freezes(world: Rc<World>, node: u16, mean_ms: u64) {
    let mut chance = world.chance(&format!("freezes of node {node}"));
    loop {
        world.ground.sleep_us(chance.around(mean_ms * 1_000)).await;
        if !world.is_loading() {
            return;
        }
        let length_ms = *chance.pick(&FREEZES_MS);
        let Some(process) = world.processes.freeze(node) else { continue };
        world.ground.tally.count("node", "stands still");
        hinder(&world, length_ms).await;
        world.processes.go_on(process);
    }
}

/// The node cannot reach the store for a while.
pub(crate) async fn cuts(world: Rc<World>, node: u16, mean_ms: u64) {
    let mut chance = world.chance(&format!("cuts of node {node}"));
    loop {
        world.ground.sleep_us(chance.around(mean_ms * 1_000)).await;
        if !world.is_loading() {
            return;
        }
        let length_ms = *chance.pick(&CUTS_MS);
        world.ground.tally.count("node", "cut off from the store");
        world.processes.cut_off(node);
        hinder(&world, length_ms).await;
        world.processes.reach_again(node);
    }
}

async fn hinder(world: &World, length_ms: u64) {
    let mut left_ms = length_ms;
    while left_ms > 0 {
        world.trouble.note_hindrance(world.ground.clock.now_us());
        let step_ms = left_ms.min(NOTE_MS);
        world.ground.sleep_ms(step_ms).await;
        left_ms -= step_ms;
    }
    world.trouble.note_hindrance(world.ground.clock.now_us());
}
