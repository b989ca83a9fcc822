//! How processes end, and that the next one starts: asked to, killed at any instant, or killed at an await drawn among
//! all to which their tasks come, while they start, serve or stop.

use std::rc::Rc;

use crate::chance::Chance;
use crate::world::World;

/// Polls of its tasks after which a process is killed that starts, stops, or serves: from the first on.
const POLLS_STARTING_MAX: u64 = 120;
const POLLS_STOPPING_MAX: u64 = 60;
const POLLS_SERVING_MAX: u64 = 4_000;
/// Starts in a row that do not get far.
const FALSE_STARTS_MAX: u64 = 2;
/// A process that has so little to do that its fuse does not burn down lives on after this.
const PATIENCE_MS: u64 = 20_000;
const LOOK_MS: u64 = 20;

/// Ends the processes of a node and starts the next, each time after a life of its own.
pub(crate) async fn of_node(world: Rc<World>, node: u16, life_ms: u64) {
    let mut chance = match node {
        0 => world.chance("deaths"),
        _ => world.chance(&format!("deaths of node {node}")),
    };
    let mut fuses = world.chance(&format!("fuses of node {node}"));
    let options = world.options.process.clone();
    let life_ms = life_ms.max(world.options.load_ms / 40);
    loop {
        world.ground.sleep_us(chance.around(life_ms * 1_000)).await;
        if !world.is_loading() {
            return;
        }
        let by_fuse = options.fuse_permille > 0 && fuses.permille(options.fuse_permille);
        if chance.permille(options.graceful_permille) {
            if by_fuse {
                let polls = fuses.between(1, POLLS_STOPPING_MAX);
                world.processes.light_fuse(node, polls, "killed while stopping");
            }
            world.processes.stop(node).await;
            world.processes.put_out_fuse(node);
        } else if by_fuse {
            let polls = fuses.between(1, POLLS_SERVING_MAX);
            world.processes.light_fuse(node, polls, "killed at an await");
            wait_for_end(&world, node).await;
        } else {
            world.processes.let_run(chance.between(0, 30)).await;
            world.processes.kill(node);
            world.ground.tally.count("process", "killed at an instant");
        }
        world.ground.sleep_us(chance.around(options.down_ms * 1_000)).await;
        if !world.processes.is_running(node) {
            world.processes.start(node);
        }
        if by_fuse {
            start_again(&world, node, &mut fuses).await;
        }
    }
}

/// Has the process that was just started killed before it gets far, and the one after it, as often as chance wants.
async fn start_again(world: &Rc<World>, node: u16, fuses: &mut Chance) {
    for _ in 0..fuses.between(0, FALSE_STARTS_MAX) {
        world.processes.light_fuse(node, fuses.between(1, POLLS_STARTING_MAX), "killed while starting");
        wait_for_end(world, node).await;
        if !world.processes.is_running(node) {
            world.processes.start(node);
        }
    }
}

async fn wait_for_end(world: &World, node: u16) {
    let mut waited_ms = 0;
    while world.processes.is_running(node) && waited_ms < PATIENCE_MS {
        world.ground.sleep_ms(LOOK_MS).await;
        waited_ms += LOOK_MS;
    }
    world.processes.put_out_fuse(node);
}
