//! What befalls the world: receivers go down and come back, the store fails, clocks jump, processes die.

use std::rc::Rc;

use crate::conduct::{FAULTS, Mood};
use crate::executor::Group;
use crate::trouble::Outage;
use crate::world::World;

/// How often the engine's counters are looked at.
const GAUGE_PAUSE_MS: u64 = 700;
/// The wall clock never strays further than this from where it began.
const STRAY_MS_MAX: i64 = 4 * 3_600 * 1_000;

pub(crate) fn start(world: &Rc<World>) {
    if let Some(mean_ms) = world.options.mood_ms {
        for host in hosts(world) {
            world.ground.spawn(Group::WORLD, moods(Rc::clone(world), host, mean_ms));
        }
    }
    if let Some(mean_ms) = world.options.outage_pause_ms {
        world.ground.spawn(Group::WORLD, outages(Rc::clone(world), mean_ms));
    }
    if let Some(jump_ms_max) = world.options.jump_ms_max {
        world.ground.spawn(Group::WORLD, jumps(Rc::clone(world), jump_ms_max));
    }
    if let Some(life_ms) = world.options.process.life_ms {
        world.work(deaths(Rc::clone(world), life_ms));
    }
    world.ground.spawn(Group::WORLD, gauges(Rc::clone(world)));
}

fn hosts(world: &World) -> Vec<String> {
    world.facts.borrow().workspaces.iter().flat_map(|workspace| workspace.hosts.clone()).collect()
}

async fn moods(world: Rc<World>, host: String, mean_ms: u64) {
    let mut chance = world.chance(&format!("mood of {host}"));
    while world.is_loading() {
        let mood = match chance.weighted(&[2, 2, 3]) {
            0 => Mood::Calm,
            1 => Mood::Moody,
            _ => Mood::Down(*chance.pick(&FAULTS)),
        };
        world.ground.note(format_args!("{host} is {mood:?}"));
        world.network.set_mood(&host, mood);
        world.ground.sleep_us(chance.around(mean_ms * 1_000)).await;
    }
}

async fn outages(world: Rc<World>, mean_ms: u64) {
    let mut chance = world.chance("outages");
    loop {
        world.ground.sleep_us(chance.around(mean_ms * 1_000)).await;
        if !world.is_loading() {
            return;
        }
        let outage = if chance.permille(500) { Outage::Writes } else { Outage::Everything };
        world.ground.note(format_args!("the store is out: {outage:?}"));
        world.trouble.set_outage(outage);
        world.ground.sleep_us(chance.around(4_000_000)).await;
        world.trouble.set_outage(Outage::None);
        world.ground.note(format_args!("the store is back"));
    }
}

async fn jumps(world: Rc<World>, jump_ms_max: u64) {
    let mut chance = world.chance("jumps");
    let mut stray_ms = 0i64;
    for _ in 0..4 {
        let quarter_us = world.options.load_ms * 250;
        world.ground.sleep_us(chance.between(1, quarter_us)).await;
        if !world.is_loading() {
            return;
        }
        let length_ms = i64::try_from(chance.between(1, jump_ms_max)).expect("hours");
        let by_ms = if chance.permille(500) { length_ms } else { -length_ms };
        if (stray_ms + by_ms).abs() > STRAY_MS_MAX {
            continue;
        }
        stray_ms += by_ms;
        world.ground.clock.jump_wall(by_ms);
        let at = world.ground.note(format_args!("the wall clock jumps by {by_ms} ms"));
        world.facts.borrow_mut().jumps.push(at);
    }
}

/// Ends processes and starts the next, each time after a life of its own.
async fn deaths(world: Rc<World>, life_ms: u64) {
    let mut chance = world.chance("deaths");
    let options = world.options.process.clone();
    let life_ms = life_ms.max(world.options.load_ms / 40);
    loop {
        world.ground.sleep_us(chance.around(life_ms * 1_000)).await;
        if !world.is_loading() {
            return;
        }
        if chance.permille(options.graceful_permille) {
            world.processes.stop().await;
        } else {
            world.processes.let_run(chance.between(0, 30)).await;
            world.processes.kill();
        }
        world.ground.sleep_us(chance.around(options.down_ms * 1_000)).await;
        world.processes.start();
    }
}

async fn gauges(world: Rc<World>) {
    loop {
        world.processes.check_gauges();
        world.ground.sleep_ms(GAUGE_PAUSE_MS).await;
    }
}
