//! The flags of `signalpost bench`.

use std::path::PathBuf;

use clap::Args;

use super::plan::{Scenario, StoreKind};
use super::request::PAYLOAD_BYTES_MIN;

#[derive(Args, Debug)]
pub(crate) struct BenchArgs {
    /// What to run; may be given several times. Without it: idle, steady, fan-out.
    #[arg(long = "scenario", value_name = "NAME", value_enum)]
    pub(crate) scenarios: Vec<Scenario>,

    /// Tell what each scenario does, and stop.
    #[arg(long)]
    pub(crate) list: bool,

    /// Time of publishing in each part of a scenario, in seconds [default: 10, quick: 1].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub(crate) seconds: Option<u64>,

    /// Connections that publish [default: 64, quick: 8].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=4_096))]
    pub(crate) connections: Option<u64>,

    /// Size of an event's data in bytes.
    #[arg(long, value_name = "N", default_value_t = 512,
          value_parser = clap::value_parser!(u64).range(PAYLOAD_BYTES_MIN..=1_000_000))]
    pub(crate) payload_bytes: u64,

    /// Events per second of the timed part. Without it saturation is found first, and half of it taken.
    #[arg(long, value_name = "EVENTS/S")]
    pub(crate) rate: Option<f64>,

    /// Events that are published and delivered before anything is measured; goes with every scenario
    /// [default: 0; of `stored` 1,000,000].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(0..=50_000_000))]
    pub(crate) stored: Option<u64>,

    /// Webhooks of the scenario `webhooks`, rounded up to whole workspaces [default: 100,000, quick: 200].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=5_000_000))]
    pub(crate) webhooks: Option<u32>,

    /// Deliveries owed in the scenario `pending` [default: 1,000,000, quick: 2,000].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=50_000_000))]
    pub(crate) pending: Option<u64>,

    /// Where the data lies while it runs: a directory on the disk that is to be measured
    /// [default: the system's temporary directory].
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,

    /// Where the server keeps its data. `postgres` starts a PostgreSQL server for each scenario, whose CPU is shown beside
    /// ours; its programs must be installed.
    #[arg(long, value_name = "STORE", value_enum, default_value_t = StoreKind::Sqlite)]
    pub(crate) store: StoreKind,

    /// Servers on the one database, which share the publishers among them; their CPU is shown together. Goes with
    /// `--store postgres` and the scenarios `steady`, `fan-out` and `stranger`.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=8))]
    pub(crate) nodes: u8,

    /// Settings for the server, a file as of `serve --config`; its addresses and its data are the bench's own.
    #[arg(long, value_name = "FILE")]
    pub(crate) server_config: Option<PathBuf>,

    /// Write the report as JSON; `-` prints it instead of the tables.
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,

    /// Write the report as a picture.
    #[arg(long, value_name = "FILE")]
    pub(crate) svg: Option<PathBuf>,

    /// Keep the data.
    #[arg(long)]
    pub(crate) keep: bool,

    /// A small run of a few seconds that shows whether everything works, not what it costs.
    #[arg(long)]
    pub(crate) quick: bool,
}

pub(crate) const EXAMPLES: &str = "\
Reading the tables:
  CPU per delivery is user and system time of all the server's threads, from the first event until the housekeeping
  after the last delivery is done, divided by the deliveries. All three processes share the machine, so rates are
  lower bounds; CPU is what to compare. Leave the machine alone while it runs, and name a directory on the disk that
  you would use: every acknowledgement waits for it.

Examples:
  signalpost bench
  signalpost bench --scenario steady --scenario fan-out --stored 1000000 --dir /var/lib --json run.json --svg run.svg
  signalpost bench --scenario steady --rate 2000 --seconds 60
  signalpost bench --scenario pending --scenario webhooks
  signalpost bench --store postgres --scenario steady --scenario fan-out
  signalpost bench --store postgres --nodes 3 --scenario steady
  signalpost bench --quick";
