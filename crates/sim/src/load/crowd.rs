//! More in flight than a core has room for: events for many webhooks of one workspace, all at once, while everything hangs.

use std::rc::Rc;

use signalpost_core::ceilings::Ceilings;
use signalpost_core::limits::LANE_IN_FLIGHT_START;

use crate::facts::Wanted;
use crate::load::{manage, publish};
use crate::world::World;

/// Whose webhooks they are.
pub(super) const WORKSPACE: usize = 0;
/// As long as the most patient of senders waits.
const STALL_MS: u64 = 15_000;

/// Makes the crowd before the load begins.
pub(super) async fn settle_in(world: &Rc<World>, workspace: usize, webhooks: usize) {
    let mut chance = world.chance("crowd");
    for _ in 0..webhooks {
        let drawn = manage::draw_wanted(world, workspace, &mut chance);
        let ceilings = Ceilings::default();
        let wanted = Wanted { subject: None, filter: None, ceilings, ..drawn.for_all() };
        manage::create(world, workspace, wanted).await;
    }
}

pub(crate) async fn gather(world: Rc<World>) {
    let mut chance = world.chance("a moment for the crowd");
    world.ground.sleep_ms(chance.between(0, world.options.load_ms / 2)).await;
    if !world.is_loading() {
        return;
    }
    world.network.stall();
    world.ground.note(format_args!("the crowd hangs"));
    let numbers = publish::draw_events(&world, WORKSPACE, LANE_IN_FLIGHT_START, Some("crowd"), &mut chance);
    publish::send(&world, WORKSPACE, &numbers, None).await;
    world.ground.sleep_ms(STALL_MS).await;
    world.network.go_on();
}
