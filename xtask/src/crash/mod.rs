//! Kills the server at random moments while events are published, and holds it to its word: what was
//! acknowledged arrives, and twice only what was in flight at a kill.

mod ledger;
mod publish;
mod tally;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use ledger::Ledger;
use publish::{Load, Publishers};
use serde_json::json;
use signalpost_testkit::{HttpClient, Receiver, Request, Rng, Server, ServerOptions, wait_for};
use tally::{Outage, Report};

use crate::args::Args;
use crate::signature::Scheme;
use crate::{Outcome, Task, release};

pub(crate) const TASK: Task = Task {
    name: "crash",
    summary: "kill -9 the server under load, and count what was lost",
    help: "Usage: cargo xtask crash [options]

  --cycles N       kills and restarts (default 20)
  --rate N         events published per second, whatever the server does (default 400)
  --connections N  connections that publish (default 8)
  --seed N         repeats the moments of an earlier run (default: from the clock; it is printed)
  --binary FILE    takes this binary instead of building one
  --json           prints the result as JSON

Fails when an acknowledged event did not arrive, when an event that was not in flight at a kill arrived
twice, when a signature is wrong, or when a sequence number was handed out twice.",
    run: run_task,
};

/// The longest life of a process; some end before they are ready, which tests recovery from recovery.
const LIFE_MS_MAX: u64 = 1_500;
/// Time without any arrival after which what is missing counts as lost.
const DRAIN_STALL: Duration = Duration::from_secs(30);
const SETTLE: Duration = Duration::from_secs(60);
/// Seconds until a failed attempt is tried again.
const RETRY_SCHEDULE_S: [u64; 8] = [1; 8];

/// How hard, and how often.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) cycles: u32,
    pub(crate) rate_per_s: u32,
    pub(crate) connections: u32,
    pub(crate) seed: u64,
}

fn run_task(mut args: Args) -> Outcome {
    let plan = Plan {
        cycles: args.value_or("--cycles", 20)?,
        rate_per_s: args.value_or("--rate", 400)?,
        connections: args.value_or("--connections", 8)?,
        seed: args.value_or("--seed", seed_from_clock())?,
    };
    let as_json = args.switch("--json");
    let binary = release::chosen(&mut args)?;
    args.finish()?;
    if plan.rate_per_s == 0 || plan.connections == 0 {
        return Err("--rate and --connections are at least 1".to_owned());
    }
    let report = run(plan, &binary)?;
    if as_json {
        println!("{}", report.to_json())
    } else {
        println!("{report}")
    }
    report.verdict()
}

/// A seed that no two runs share.
pub(crate) fn seed_from_clock() -> u64 {
    let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since_epoch.as_nanos() & u128::from(u64::MAX >> 1)).unwrap_or_default()
}

/// Runs all cycles, waits until nothing is owed any more, and counts.
pub(crate) fn run(plan: Plan, binary: &Path) -> Result<Report, String> {
    println!("{} cycles at {} events/s, seed {}", plan.cycles, plan.rate_per_s, plan.seed);
    let ledger = Arc::new(Ledger::default());
    let for_receiver = Arc::clone(&ledger);
    let receiver = Receiver::start(Arc::new(move |request| for_receiver.receive(&request)));
    let receiver = receiver.map_err(|error| format!("no receiver: {error}"))?;
    let mut server = Server::start(ServerOptions::new(binary), release::START_TIMEOUT)?;
    let workspaces = prepare(&server, &receiver, &ledger)?;

    let key = server.operator_key().to_owned();
    let load = Load { operator: server.operator_address(), key, workspaces: workspaces.clone() };
    let publishers = Publishers::start(&load, plan.connections, plan.rate_per_s);
    let outages = cycle(&mut server, plan)?;
    server.launch()?;
    server.wait_ready(release::START_TIMEOUT)?;
    let published = publishers.finish()?;

    drain(&ledger, &published)?;
    for workspace in &workspaces {
        settle(&server, workspace)?;
    }
    Ok(tally::tally(&published, &ledger.receipts(), &outages))
}

/// Two workspaces with a webhook each: one by a dialect's public API, one native. Their place in the list is
/// the number of their lane, which is also the path at the receiver.
fn prepare(server: &Server, receiver: &Receiver, ledger: &Ledger) -> Result<Vec<String>, String> {
    let policy = json!({"retry_schedule_s": RETRY_SCHEDULE_S, "timeout_ms": 5_000});
    let mut operator = server.operator();

    let foreign = json!({"dialect": "sigmamind", "name": "crash", "policy": policy});
    let foreign = operator.create_workspace(&foreign)?;
    let api_key = operator.create_credential(&foreign)?;
    let webhook = json!({
        "name": "crash", "agentId": publish::SUBJECT, "url": receiver.url("/0"), "events": [publish::TYPES[0]],
    });
    let request = Request::new("POST", "/v1/webhooks").header("x-api-key", &api_key).json(&webhook);
    let mut public = HttpClient::new(server.public(), Duration::from_secs(10));
    let answer =
        public.send(&request).map_err(|error| format!("the public side does not answer: {error}"))?;
    let secret = answer.json()["secret"].as_str().map(str::to_owned);
    let secret = secret.ok_or_else(|| format!("no webhook: {} {}", answer.status, answer.text()))?;
    ledger.add_lane(Scheme::hex_of_body("x-sigmamind-signature"), secret);

    let native = json!({"dialect": "native", "name": "crash", "policy": policy});
    let native = operator.create_workspace(&native)?;
    let webhook = json!({"url": receiver.url("/1"), "events": [publish::TYPES[1]]});
    let (_, secret) = operator.create_webhook(&native, &webhook)?;
    ledger.add_lane(Scheme::standard_webhooks(), secret);
    Ok(vec![foreign, native])
}

/// Kills and launches. Ends with the server dead.
fn cycle(server: &mut Server, plan: Plan) -> Result<Vec<Outage>, String> {
    let mut rng = Rng::new(plan.seed);
    let mut outages: Vec<Outage> = Vec::new();
    for number in 0..plan.cycles {
        if number > 0 {
            server.launch()?;
            if let Some(outage) = outages.last_mut() {
                outage.launched_at = Instant::now();
            }
        }
        // The random moment is what is tested; there is no condition to wait for.
        std::thread::sleep(Duration::from_millis(rng.below(LIFE_MS_MAX)));
        let killed_at = Instant::now();
        server.kill()?;
        outages.push(Outage { killed_at, launched_at: Instant::now() });
    }
    Ok(outages)
}

/// Waits until every acknowledged event has arrived, or nothing arrives any more.
fn drain(ledger: &Ledger, published: &publish::Published) -> Result<(), String> {
    let mut missing = usize::MAX;
    loop {
        let now_missing = published.acknowledged.iter().filter(|event| !ledger.has(event.key)).count();
        if now_missing == 0 || now_missing == missing {
            return Ok(());
        }
        missing = now_missing;
        let arrivals = ledger.arrivals();
        // A stall is no error here: what is missing is counted and told as lost.
        drop(wait_for("a further arrival", DRAIN_STALL, || ledger.arrivals() > arrivals));
    }
}

/// Waits until a workspace is owed nothing, so that late duplicates are counted too.
fn settle(server: &Server, workspace: &str) -> Result<(), String> {
    let mut operator = server.operator();
    let path = format!("/v1/workspaces/{workspace}/deliveries?status=pending&limit=1");
    let mut failure = None;
    wait_for("all deliveries to end", SETTLE, || match operator.get(&path) {
        Ok(page) => page["data"].as_array().is_some_and(Vec::is_empty) && page["next_cursor"].is_null(),
        Err(error) => {
            failure = Some(error);
            true
        }
    })?;
    failure.map_or(Ok(()), Err)
}
