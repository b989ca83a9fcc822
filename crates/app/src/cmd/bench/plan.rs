//! What a run does, after the command line has been read.

use std::path::PathBuf;

use clap::ValueEnum;
use serde_json::{Value, json};

use super::args::BenchArgs;
use super::postgres;
use super::server::Afterwards;
use crate::cmd::Failure;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Scenario {
    Idle,
    Steady,
    FanOut,
    Stored,
    Webhooks,
    Pending,
    Noisy,
    Burst,
    Overload,
    Storm,
    HalfFailing,
    OneCore,
    Outage,
    Stranger,
}

/// Where the server that is measured keeps its data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum StoreKind {
    Sqlite,
    Postgres,
}

/// A run with its defaults filled in.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) scenarios: Vec<Scenario>,
    pub(super) seconds: f64,
    pub(super) connections: usize,
    pub(super) payload_bytes: u64,
    /// Events per second of the paced part, when it is not to be found.
    pub(super) rate: Option<f64>,
    /// Events stored and delivered before anything is measured; `None` leaves it to the scenario.
    pub(super) stored: Option<u64>,
    /// What the scenario `stored` does without being told.
    pub(super) stored_usual: u64,
    pub(super) webhooks: u32,
    pub(super) pending: u64,
    pub(super) starts: usize,
    /// How often scenarios that compare go through what they compare.
    pub(super) rounds: usize,
    pub(super) store: StoreKind,
    /// Servers on the one store.
    pub(super) nodes: u8,
    pub(super) server_config: Option<PathBuf>,
    pub(super) directory: PathBuf,
    pub(super) afterwards: Afterwards,
}

const USUAL: [Scenario; 3] = [Scenario::Idle, Scenario::Steady, Scenario::FanOut];
/// Publishing connections of the targets that we hold ourselves to.
const CONNECTIONS: usize = 64;
const SECONDS: u64 = 10;
const STORED: u64 = 1_000_000;
const PENDING: u64 = 1_000_000;
const WEBHOOKS: u32 = 100_000;
const STARTS: usize = 5;
const ROUNDS: usize = 5;

impl Scenario {
    pub(super) const ALL: [Self; 14] = [
        Self::Idle,
        Self::Steady,
        Self::FanOut,
        Self::Stored,
        Self::Webhooks,
        Self::Pending,
        Self::Noisy,
        Self::Burst,
        Self::Overload,
        Self::Storm,
        Self::HalfFailing,
        Self::OneCore,
        Self::Outage,
        Self::Stranger,
    ];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Steady => "steady",
            Self::FanOut => "fan-out",
            Self::Stored => "stored",
            Self::Webhooks => "webhooks",
            Self::Pending => "pending",
            Self::Noisy => "noisy",
            Self::Burst => "burst",
            Self::Overload => "overload",
            Self::Storm => "storm",
            Self::HalfFailing => "half-failing",
            Self::OneCore => "one-core",
            Self::Outage => "outage",
            Self::Stranger => "stranger",
        }
    }

    pub(super) const fn what(self) -> &'static str {
        match self {
            Self::Idle => {
                "start to ready on empty data, memory at rest, latency at 20 events/s (--rate changes that)"
            }
            Self::Steady => "one webhook gets every event: saturation, then half of it (or --rate)",
            Self::FanOut => "ten webhooks get every event: saturation, then half of it (or --rate)",
            Self::Stored => "steady, after a million events (--stored) were published and delivered",
            Self::Webhooks => {
                "100,000 webhooks (--webhooks), 50 a workspace, each with a type of its own: one event each, then saturation"
            }
            Self::Pending => {
                "a million deliveries (--pending) owed while the receiver holds, kill -9, restart, drain"
            }
            Self::Noisy => {
                "ten workspaces at 500 events/s (--rate) alone; beside a neighbour with as many that answers; beside one whose \
                 receiver hangs for 20 s; beside one whose answers drip; five rounds, of which the medians count"
            }
            Self::Burst => {
                "eleven workspaces at 50 events/s each (--rate: ten of them together); then one publishes 100 times as much; \
                 five rounds, of which the medians count"
            }
            Self::Overload => {
                "saturation, a quarter of it (--rate), twice of it for as long by more publishers than the server has connections \
                 for, and the quarter again until all is as before"
            }
            Self::Storm => {
                "deliveries that failed come due again at once, 2,000 for each second, while first attempts go on as fast as \
                 they can"
            }
            Self::HalfFailing => {
                "twenty webhooks, each half at 500 events/s (--rate): all answer, then one half answers with 500"
            }
            Self::OneCore => {
                "ten webhooks that fall to one delivery core against ten that are spread: saturation of both"
            }
            Self::Outage => {
                "ten webhooks at 500 events/s (--rate) while nobody can connect to the receiver; then it is back"
            }
            Self::Stranger => {
                "one webhook gets every event, as fast as it can, while somebody else's write transaction stays open on the database \
                 for ten times --seconds; then it ends (--store postgres)"
            }
        }
    }
}

impl Plan {
    pub(super) fn new(args: &BenchArgs) -> Result<Self, Failure> {
        let quick = |normal: u64, quick: u64| if args.quick { quick } else { normal };
        let number =
            |given: Option<u64>, normal: u64, small: u64| given.unwrap_or_else(|| quick(normal, small));
        let narrow = |number: u64| usize::try_from(number).expect("the command line bounds it");
        if args.rate.is_some_and(|rate| !(0.1..=1e6).contains(&rate)) {
            return Err(Failure::new("--rate must be between 0.1 and 1,000,000 events per second"));
        }
        let mut scenarios = args.scenarios.clone();
        if scenarios.is_empty() {
            scenarios.extend(USUAL);
        }
        if args.store != StoreKind::Postgres && scenarios.contains(&Scenario::Stranger) {
            return Err(Failure::new("the scenario stranger goes with --store postgres"));
        }
        let can_share = |scenario: &Scenario| {
            matches!(scenario, Scenario::Steady | Scenario::FanOut | Scenario::Stranger)
        };
        if args.nodes > 1 && (args.store != StoreKind::Postgres || !scenarios.iter().all(can_share)) {
            return Err(Failure::new(
                "--nodes goes with --store postgres and the scenarios steady, fan-out and stranger",
            ));
        }
        Ok(Self {
            scenarios,
            seconds: number(args.seconds, SECONDS, 1) as f64,
            connections: narrow(number(args.connections, CONNECTIONS as u64, 8)),
            payload_bytes: args.payload_bytes,
            rate: args.rate,
            stored: args.stored,
            stored_usual: quick(STORED, 2_000),
            webhooks: args.webhooks.unwrap_or(if args.quick { 200 } else { WEBHOOKS }),
            pending: number(args.pending, PENDING, 2_000),
            starts: narrow(quick(STARTS as u64, 1)),
            rounds: narrow(quick(ROUNDS as u64, 1)),
            store: args.store,
            nodes: args.nodes,
            server_config: args.server_config.clone(),
            directory: args.dir.clone().unwrap_or_else(std::env::temp_dir),
            afterwards: if args.keep { Afterwards::Keep } else { Afterwards::Remove },
        })
    }

    /// Events to be stored before a scenario is measured.
    pub(super) fn stored_before(&self, scenario: Scenario) -> u64 {
        self.stored.unwrap_or(if scenario == Scenario::Stored { self.stored_usual } else { 0 })
    }

    pub(super) fn to_json(&self) -> Value {
        json!({
            "seconds": self.seconds,
            "connections": self.connections,
            "payload_bytes": self.payload_bytes,
            "rate_events_per_s": self.rate,
            "stored_events": self.stored,
            "webhooks": self.webhooks,
            "pending_deliveries": self.pending,
            "server_config": self.server_config.as_ref().map(|file| file.display().to_string()),
            "store": match self.store {
                StoreKind::Sqlite => json!({"kind": "sqlite", "synchronous": "FULL"}),
                StoreKind::Postgres => json!({"kind": "postgres", "settings": postgres::SETTINGS}),
            },
            "nodes": self.nodes,
            "signatures_verified": "every delivery",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{Cli, Command};
    use clap::Parser;

    fn plan(line: &str) -> Result<Plan, Failure> {
        let words = ["signalpost", "bench"].into_iter().chain(line.split_whitespace());
        match Cli::try_parse_from(words).expect("a line that is understood").command {
            Command::Bench(args) => Plan::new(&args),
            other => panic!("{other:?} is not a bench"),
        }
    }

    #[test]
    fn names_are_those_of_the_command_line() {
        for scenario in Scenario::ALL {
            let value = scenario.to_possible_value().expect("none is hidden");
            assert_eq!(value.get_name(), scenario.name());
        }
    }

    #[test]
    fn what_is_not_said_has_a_default() {
        let usual = plan("").expect("a plan");
        assert_eq!((usual.scenarios.as_slice(), usual.connections), (USUAL.as_slice(), 64));
        assert_eq!(usual.stored_before(Scenario::Steady), 0);
        assert_eq!(usual.stored_before(Scenario::Stored), STORED);
        let both = plan("--scenario fan-out --stored 7 --seconds 3").expect("a plan");
        assert_eq!((both.stored_before(Scenario::FanOut), both.seconds), (7, 3.0));
        let quick = plan("--quick --scenario stored --connections 3").expect("a plan");
        assert_eq!(
            (quick.seconds, quick.connections, quick.stored_before(Scenario::Stored)),
            (1.0, 3, 2_000)
        );
        assert!(plan("--rate 0").is_err());
        assert!(plan("--scenario stranger").is_err() && plan("--scenario stranger --store postgres").is_ok());
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for line in ["--scenario fly", "--payload-bytes 1", "--seconds 0", "--connections 0", "--pending 0"] {
            let words = ["signalpost", "bench"].into_iter().chain(line.split_whitespace());
            assert!(Cli::try_parse_from(words).is_err(), "{line}");
        }
    }
}
