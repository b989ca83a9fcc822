//! What the server costs: CPU per delivery, deliveries per second, latency, memory, start and size.
//!
//! Publishers and the receiver run in this process, the server in its own; only the server's process is read.
//! They share the machine's cores, so the rates are lower bounds and the CPU figures are what to compare.

mod load;
mod paced;
mod process;
mod report;
mod sink;

use std::path::Path;
use std::time::{Duration, Instant};

use load::{Load, Workspace};
use process::Process;
use report::{Latency, Report, Throughput};
use serde_json::json;
use signalpost_testkit::{Server, ServerOptions, wait_for};
use sink::Sink;

use crate::args::Args;
use crate::{Outcome, Task, release};

pub(crate) const TASK: Task = Task {
    name: "measure",
    summary: "measure what the release binary costs on this machine",
    help: "Usage: cargo xtask measure [options]

  --seconds N      time of publishing for each fan-out (default 10)
  --connections N  connections that publish (default 64)
  --bytes N        size of an event's data (default 512)
  --stored N       events that are published and delivered before anything is measured (default 0)
  --binary FILE    takes this binary instead of building one
  --json           prints the result as JSON

CPU is user and system time of the server's process from the first publish to the last delivery. Latency
is from the first byte of a publish call to the last byte at the receiver, one event at a time; at half of
saturation from the moment at which the event was to be sent. Nothing else should run on the machine.",
    run,
};

const STARTS: usize = 5;
const LATENCY_SAMPLES: usize = 500;
const FAN_OUTS: [usize; 2] = [1, 10];
const ARRIVE_WITHIN: Duration = Duration::from_secs(10);
/// Time without any delivery after which a measurement is given up.
const STALL: Duration = Duration::from_secs(30);

#[derive(Clone, Copy, Debug)]
struct Plan {
    seconds: u64,
    connections: usize,
    bytes: usize,
    stored: usize,
}

fn run(mut args: Args) -> Outcome {
    let plan = Plan {
        seconds: args.value_or("--seconds", 10)?,
        connections: args.value_or("--connections", 64)?,
        bytes: args.value_or("--bytes", 512)?,
        stored: args.value_or("--stored", 0)?,
    };
    let as_json = args.switch("--json");
    let binary = release::chosen(&mut args)?;
    args.finish()?;
    let report = measure(plan, &binary)?;
    if as_json {
        println!("{}", report.to_json())
    } else {
        println!("{report}")
    }
    Ok(())
}

fn measure(plan: Plan, binary: &Path) -> Result<Report, String> {
    let size =
        std::fs::metadata(binary).map_err(|error| format!("the binary cannot be looked at: {error}"))?;
    let options = ServerOptions::new(binary);
    let start_ms = start_times(&options)?;
    let server = Server::start(options, release::START_TIMEOUT)?;
    let process = Process::new(server.pid().ok_or("the server is not running")?)?;
    let idle_kib = process.memory_kib("VmRSS")?;
    let sink = Sink::start()?;
    if plan.stored > 0 {
        fill(&server, &sink, plan)?;
    }
    let latency = latency(&server, &sink, plan)?;
    let measured = FAN_OUTS.iter().map(|fan_out| throughput(&server, &process, &sink, plan, *fan_out));
    let throughput = measured.collect::<Result<Vec<_>, _>>()?;
    let half = throughput[0].per_second / 2.0;
    let latency_at_half = paced::latency(&workspace(&server, &sink, 1)?, &sink, plan, half)?;
    Ok(Report {
        binary_bytes: size.len(),
        start_ms,
        idle_kib,
        latency,
        latency_at_half,
        throughput,
        peak_kib: process.memory_kib("VmHWM")?,
        stored: plan.stored,
    })
}

/// The median time from starting the process to its being ready, on empty data, in milliseconds.
fn start_times(options: &ServerOptions) -> Result<f64, String> {
    let mut times = Vec::new();
    for _ in 0..STARTS {
        let mut server = Server::new(options.clone())?;
        let started = Instant::now();
        server.launch()?;
        server.wait_ready(release::START_TIMEOUT)?;
        times.push(started.elapsed());
    }
    times.sort_unstable();
    Ok(times[STARTS / 2].as_secs_f64() * 1_000.0)
}

/// A native workspace with webhooks at the sink.
fn workspace(server: &Server, sink: &Sink, webhooks: usize) -> Result<Workspace, String> {
    let mut operator = server.operator();
    let id = operator.create_workspace(&json!({"dialect": "native", "name": "measure"}))?;
    for number in 0..webhooks {
        operator.create_webhook(&id, &json!({"url": sink.url(&format!("/{number}"))}))?;
    }
    Ok(Workspace { address: server.operator_address(), key: server.operator_key().to_owned(), id })
}

/// Stores events and waits until they are delivered.
fn fill(server: &Server, sink: &Sink, plan: Plan) -> Outcome {
    let workspace = workspace(server, sink, 1)?;
    let before = sink.arrivals();
    load::fill(&workspace, plan.stored, plan.bytes)?;
    wait_for_arrivals(sink, before + plan.stored)
}

fn latency(server: &Server, sink: &Sink, plan: Plan) -> Result<Latency, String> {
    let workspace = workspace(server, sink, 1)?;
    let mut client = workspace.client();
    let request = workspace.request(plan.bytes);
    let mut samples = Vec::with_capacity(LATENCY_SAMPLES);
    for _ in 0..LATENCY_SAMPLES {
        let before = sink.arrivals();
        let started = Instant::now();
        load::publish_one(&mut client, &request)?;
        wait_for("the delivery", ARRIVE_WITHIN, || sink.arrivals() > before)?;
        samples.push(sink.last_arrival().saturating_duration_since(started));
    }
    Ok(Latency::of(samples))
}

fn throughput(
    server: &Server,
    process: &Process,
    sink: &Sink,
    plan: Plan,
    fan_out: usize,
) -> Result<Throughput, String> {
    let workspace = workspace(server, sink, fan_out)?;
    let (cpu_before, arrivals_before) = (process.cpu_us()?, sink.arrivals());
    let started = Instant::now();
    let load =
        Load { connections: plan.connections, bytes: plan.bytes, time: Duration::from_secs(plan.seconds) };
    let published = load.run(&workspace)?;
    wait_for_arrivals(sink, arrivals_before + published.accepted * fan_out)?;
    let deliveries = published.accepted * fan_out;
    Ok(Throughput {
        fan_out,
        deliveries,
        refused: published.refused,
        per_second: deliveries as f64 / (sink.last_arrival() - started).as_secs_f64(),
        cpu_us: (process.cpu_us()? - cpu_before) as f64 / deliveries as f64,
    })
}

/// Waits for a number of deliveries for as long as any arrive.
fn wait_for_arrivals(sink: &Sink, wanted: usize) -> Outcome {
    while sink.arrivals() < wanted {
        let now = sink.arrivals();
        let missing = format!("{} deliveries that are missing", wanted - now);
        wait_for(&missing, STALL, || sink.arrivals() > now)?;
    }
    Ok(())
}
