//! One run from its seed to its report.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt;
use std::rc::Rc;

use sha2::{Digest, Sha256};

use crate::audit::{Evidence, audit};
use crate::executor::Stuck;
use crate::network::{DELIVERY_HEADER, Sent};
use crate::nodes::by_stint;
use crate::options::Company;
use crate::plant::Plant;
use crate::process::HowEnded;
use crate::shelf::Keeps;
use crate::tally::Counts;
use crate::world::World;

/// What came of a seed.
#[derive(Clone, Debug)]
pub struct Report {
    pub seed: u64,
    /// The drawn configuration.
    pub options: String,
    /// One line for everything that happened, in order.
    pub history: Vec<String>,
    /// SHA-256 of the history.
    pub digest: [u8; 32],
    /// What must not be; empty when all is well.
    pub findings: Vec<String>,
    /// Virtual time that passed.
    pub simulated_us: u64,
    pub events: usize,
    pub requests: usize,
    /// Requests whose delivery its receiver had got before.
    pub duplicates: usize,
    /// The most requests that one process had in flight.
    pub in_flight_most: usize,
    pub processes: u32,
    pub kills: usize,
    /// What was done to the world, by kind; kinds that did not occur included.
    pub faults: Counts,
}

/// Runs the world of a seed, with a planted fault or none.
pub fn run(seed: u64, plant: Plant) -> Report {
    run_on(seed, plant, Keeps::Drawn)
}

/// The same with its data where it is wanted.
pub fn run_on(seed: u64, plant: Plant, keeps: Keeps) -> Report {
    run_world(seed, &World::new(seed, plant, keeps, Company::Drawn))
}

/// The world of a seed with nothing planted and one node, however many the seed draws.
pub fn run_alone(seed: u64) -> Report {
    run_world(seed, &World::new(seed, Plant::Nothing, Keeps::Drawn, Company::Alone))
}

fn run_world(seed: u64, world: &Rc<World>) -> Report {
    let lists = Rc::new(RefCell::new(None));
    let (runner, slot) = (Rc::clone(world), Rc::clone(&lists));
    let ended = world.ground.executor.run(world.options.longest_us(), async move {
        let taken = runner.run().await;
        *slot.borrow_mut() = Some(taken);
    });
    let sent = world.network.log();
    let mut findings = world.processes.findings();
    if let Err(stuck) = ended {
        findings.push(describe(stuck).to_owned());
    }
    findings.extend(world.facts.borrow().findings.iter().cloned());
    findings.extend(world.trouble.commits.findings());
    findings.extend(world.processes.nodes.iter().flat_map(|nodes| nodes.rows.findings()));
    if let Some(lists) = lists.borrow().as_ref() {
        let (facts, ends) = (world.facts.borrow(), world.processes.ends());
        let tenures = world.processes.nodes.as_ref().map(|nodes| nodes.rows.tenures());
        let (sent, ends) = by_stint(&sent, &ends, &tenures.unwrap_or_default());
        findings.extend(audit(&Evidence::new(&facts, &sent, lists, &ends, world)));
    }
    let history = world.ground.take_history();
    let report = Report {
        seed,
        options: format!("{:?}", world.options),
        digest: Sha256::digest(history.join("\n")).into(),
        history,
        findings,
        simulated_us: world.ground.clock.now_us(),
        events: world.facts.borrow().events.len(),
        requests: sent.len(),
        duplicates: duplicates(&sent),
        in_flight_most: sent.iter().map(|sent| sent.in_flight).max().unwrap_or(0),
        processes: world.processes.count(),
        kills: world.processes.ends().iter().filter(|end| end.how == HowEnded::Killed).count(),
        faults: world.ground.tally.counts(),
    };
    world.ground.executor.clear();
    report
}

/// Arrivals beyond the first of each delivery.
fn duplicates(sent: &[Sent]) -> usize {
    let arrived = sent.iter().flat_map(|sent| sent.arrivals.iter().map(|_| sent.header(DELIVERY_HEADER)));
    let deliveries: BTreeSet<&str> = arrived.clone().collect();
    arrived.count() - deliveries.len()
}

const fn describe(stuck: Stuck) -> &'static str {
    match stuck {
        Stuck::Idle => "the run stands still: nothing can run and nobody waits for an instant",
        Stuck::Endless => "the run goes on for days",
        Stuck::Spinning => "something runs on and on while time stands still",
    }
}

impl fmt::Display for Report {
    /// Everything that is needed to look at a finding, without the history.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "seed {}: {} findings", self.seed, self.findings.len())?;
        writeln!(
            f,
            "  {} events, {} requests, {} processes, {} of them killed, {} s simulated",
            self.events,
            self.requests,
            self.processes,
            self.kills,
            self.simulated_us / 1_000_000
        )?;
        writeln!(f, "  {}", self.options)?;
        self.findings.iter().try_for_each(|finding| writeln!(f, "  - {finding}"))
    }
}
