//! What befalls the world: receivers go down and come back, everything hangs, the store fails, disks run full, clocks jump
//! and drift.

use std::rc::Rc;

use crate::conduct::Mood;
use crate::executor::Group;
use crate::load::{deaths, spells};
use crate::trouble::Outage;
use crate::world::World;

/// How often the engine's counters are looked at.
const GAUGE_PAUSE_MS: u64 = 700;
/// The same when the load is over.
const QUIET_GAUGE_PAUSE_MS: u64 = 20_000;
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
    if let Some(mean_ms) = world.options.full_disk_pause_ms {
        world.ground.spawn(Group::WORLD, full_disks(Rc::clone(world), mean_ms));
    }
    if let Some(mean_ms) = world.options.network.stall_pause_ms {
        world.ground.spawn(Group::WORLD, stalls(Rc::clone(world), mean_ms));
    }
    if let Some(most_permille) = world.options.drift_permille {
        world.ground.spawn(Group::WORLD, drifts(Rc::clone(world), most_permille));
    }
    for node in 0..world.options.nodes.count {
        if let Some(mean_ms) = world.options.nodes.freeze_pause_ms {
            world.work(spells::freezes(Rc::clone(world), node, mean_ms));
        }
        if let Some(mean_ms) = world.options.nodes.cut_pause_ms {
            world.work(spells::cuts(Rc::clone(world), node, mean_ms));
        }
    }
    if let Some(life_ms) = world.options.process.life_ms {
        for node in 0..world.options.nodes.count {
            world.work(deaths::of_node(Rc::clone(world), node, life_ms));
        }
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
            _ => Mood::Down(*chance.pick(&world.options.network.moods)),
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

/// Now there is room for what must be kept alone, now for nothing at all.
async fn full_disks(world: Rc<World>, mean_ms: u64) {
    let mut chance = world.chance("full disks");
    loop {
        world.ground.sleep_us(chance.around(mean_ms * 1_000)).await;
        if !world.is_loading() {
            return;
        }
        let outage = if chance.permille(700) { Outage::DiskFull } else { Outage::NoRoom };
        world.ground.note(format_args!("the disk: {outage:?}"));
        world.trouble.set_outage(outage);
        world.ground.sleep_us(chance.around(8_000_000)).await;
        world.trouble.set_outage(Outage::None);
        world.ground.note(format_args!("the disk has room again"));
    }
}

/// For as long as the most patient of senders waits, and longer.
async fn stalls(world: Rc<World>, mean_ms: u64) {
    let mut chance = world.chance("stalls");
    loop {
        world.ground.sleep_us(chance.around(mean_ms * 1_000)).await;
        if !world.is_loading() {
            return;
        }
        world.ground.note(format_args!("everything hangs"));
        world.network.stall();
        world.ground.sleep_us(chance.around(20_000_000)).await;
        world.network.go_on();
        world.ground.note(format_args!("nothing hangs any more"));
    }
}

/// As it runs when the load ends, the wall clock goes on to the end.
async fn drifts(world: Rc<World>, most_permille: i64) {
    let mut chance = world.chance("drifts");
    while world.is_loading() {
        let (permille, kind) = match chance.index(5) {
            0 => (0, "runs true"),
            1 | 2 => (most_permille, "runs fast"),
            _ => (-most_permille, "runs slow"),
        };
        world.ground.clock.drift_wall(permille);
        world.ground.tally.count("clock", kind);
        world.ground.note(format_args!("the wall clock {kind}, by {permille} thousandths"));
        world.ground.sleep_us(chance.around(world.options.load_ms * 250)).await;
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
        world.ground.tally.count("clock", "jump");
        let at = world.ground.note(format_args!("the wall clock jumps by {by_ms} ms"));
        world.facts.borrow_mut().jumps.push(at);
    }
}

async fn gauges(world: Rc<World>) {
    loop {
        world.processes.check_gauges();
        let pause_ms = if world.is_loading() { GAUGE_PAUSE_MS } else { QUIET_GAUGE_PAUSE_MS };
        world.ground.sleep_ms(pause_ms).await;
    }
}
