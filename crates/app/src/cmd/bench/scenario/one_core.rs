//! Ten webhooks that all fall to one delivery core, against ten that are spread.

use std::ops::Range;

use signalpost_core::id::DeliveryId;
use signalpost_engine::core_of;

use super::super::load::Pace;
use super::super::phase::Timed;
use super::super::report::Fact;
use super::super::rig::Rig;
use super::super::tenants::Tenants;
use super::{Found, closed};
use crate::cmd::Failure;

const WEBHOOKS: usize = 10;
/// Made for each core, so that ten of one core are among them: one in some millions of runs has too few.
const MADE_FOR_EACH_CORE: usize = 40;

pub(super) async fn run(rig: &mut Rig<'_>, found: &mut Found) -> Result<(), Failure> {
    let cores = rig.server_process().cpu()?.threads_named("core-");
    found.fact("delivery cores", cores as f64, "");
    let count = u32::try_from(MADE_FOR_EACH_CORE * cores.max(1)).expect("some hundreds");
    let made = rig.add(Tenants::single(count)).await?;
    // The number that decides where a webhook falls stands in its deliveries' ids.
    let first = rig.measure("first of each", made.clone(), Pace::Count(u64::from(count))).await?;
    found.phases.push((first, Timed::No));
    let mut core_of_each = Vec::new();
    for route in made.clone() {
        core_of_each.push(core(rig, route, cores).await?);
    }
    let spread = copy(rig, made.start, &spread(&core_of_each, cores)?);
    let together = copy(rig, made.start, &together(&core_of_each)?);
    let spread = rig.measure("spread", spread, closed(rig.plan)).await?;
    let together = rig.measure("on one core", together, closed(rig.plan)).await?;
    let ratio = together.deliveries_per_s() / spread.deliveries_per_s();
    found.facts.push(Fact::new("deliveries/s on one core, of spread", ratio * 100.0, "%"));
    found.phases.extend([(spread, Timed::No), (together, Timed::No)]);
    Ok(())
}

/// The core of a route's webhook.
async fn core(rig: &mut Rig<'_>, route: u32, cores: usize) -> Result<usize, Failure> {
    let workspace = &rig.calls.routes[usize::try_from(route).expect("32 bits fit")].workspace;
    let path = format!("/v1/workspaces/{workspace}/deliveries?limit=1");
    let page = rig.control.get(&rig.letterhead, &path).await?;
    let delivery = page["data"][0]["id"].as_str().and_then(DeliveryId::from_public);
    let delivery = delivery.ok_or_else(|| Failure::new(format!("a list without a delivery: {page}")))?;
    Ok(core_of(delivery.webhook, cores))
}

/// The same routes once more, side by side in the book.
fn copy(rig: &mut Rig<'_>, start: u32, chosen: &[usize]) -> Range<u32> {
    let position = |count: usize| u32::try_from(count).expect("some hundreds");
    let routes = &mut rig.calls.routes;
    let first = position(routes.len());
    for own in chosen {
        let route = routes[usize::try_from(start).expect("32 bits fit") + own].clone();
        routes.push(route);
    }
    first..position(routes.len())
}

/// Positions of ten webhooks of the first one's core.
fn together(core_of_each: &[usize]) -> Result<Vec<usize>, Failure> {
    let of_one = |position: &usize| core_of_each.first() == core_of_each.get(*position);
    enough((0..core_of_each.len()).filter(of_one).take(WEBHOOKS).collect())
}

/// Positions of ten webhooks that fall to all cores in turn.
fn spread(core_of_each: &[usize], cores: usize) -> Result<Vec<usize>, Failure> {
    let mut per_core: Vec<Vec<usize>> = vec![Vec::new(); cores];
    for (position, core) in core_of_each.iter().enumerate() {
        per_core[*core].push(position);
    }
    let turn = |number: usize| per_core[number % cores].get(number / cores).copied();
    enough((0..WEBHOOKS).filter_map(turn).collect())
}

fn enough(chosen: Vec<usize>) -> Result<Vec<usize>, Failure> {
    if chosen.len() == WEBHOOKS {
        return Ok(chosen);
    }
    Err(Failure::new(format!("only {} webhooks of {WEBHOOKS} fall where they should", chosen.len())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn webhooks_are_chosen_by_their_core() {
        let core_of_each: Vec<usize> = (0..60).map(|own| own % 7 % 3).collect();
        let one = together(&core_of_each).expect("there are enough");
        assert!(one.len() == WEBHOOKS && one.iter().all(|own| core_of_each[*own] == 0), "{one:?}");
        let mut all = spread(&core_of_each, 3).expect("there are enough");
        let cores: Vec<usize> = all.iter().map(|own| core_of_each[*own]).collect();
        assert_eq!(cores, [0, 1, 2, 0, 1, 2, 0, 1, 2, 0]);
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), WEBHOOKS, "each of them once");
    }

    #[test]
    fn too_few_are_refused() {
        assert!(together(&[1; 9]).is_err());
        assert!(spread(&[0; 60], 2).is_err(), "nothing falls to the other core");
        assert!(spread(&[0; 10], 1).is_ok(), "one core has them all");
    }
}
