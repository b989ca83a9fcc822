//! A small filesystem runs full while events are published. New events are refused with a clear answer, everything that
//! was acknowledged is delivered and recorded all the same, and events are accepted again once there is room: first
//! because somebody frees some, then because retention does.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use signalpost_testkit::{Answer, Operator, Receiver, Request, Response, Server, ServerOptions, wait_for};

use crate::release::START_TIMEOUT;
use crate::{Outcome, release};

/// Size of the filesystem; of this a tenth is reserve, and the write-ahead log takes about as much again.
const DISK_MIB: u64 = 160;
/// What stands in the way at first, to be removed.
const FILLER_BYTES: usize = 32 * 1024 * 1024;
const PAYLOAD_BYTES: usize = 64 * 1024;
/// More than fit.
const EVENTS_MAX: u64 = DISK_MIB * 1024 * 1024 / PAYLOAD_BYTES as u64;
const PATIENCE: Duration = Duration::from_secs(60);
const RETRY_SCHEDULE_S: [u64; 3] = [1, 1, 1];
/// One event in so many is refused when it first comes, so that retries are recorded on the full disk too.
const REFUSE_ONE_IN: u64 = 5;

pub(super) fn run() -> Outcome {
    let mut scene = Scene::new()?;
    println!("a filesystem of {DISK_MIB} MiB, {} MiB of it taken by others", FILLER_BYTES >> 20);
    let first = scene.publish_until_refused()?;
    println!("{first} events were accepted until it was full");
    scene.starve()?;
    scene.expect_everything_but_growth()?;
    scene.expect_deliveries()?;
    scene.expect_refusal()?;

    fs::remove_file(scene.filler()).map_err(|error| format!("the filler cannot be removed: {error}"))?;
    scene.wait_for_room("somebody freed some")?;
    let second = scene.publish_until_refused()?;
    println!("{second} more after {} MiB were freed", FILLER_BYTES >> 20);
    scene.expect_deliveries()?;

    scene.keep_for_a_second()?;
    scene.wait_for_room("retention has removed old events")?;
    scene.publish()?;
    scene.expect_deliveries()?;
    println!("accepted again after retention");
    scene.expect_quiet_log()?;
    scene.end()
}

/// What was told and what has come, by the numbers of events.
#[derive(Default)]
struct Ledger {
    acknowledged: BTreeSet<u64>,
    refused: BTreeSet<u64>,
    arrived: BTreeSet<u64>,
    put_off: BTreeSet<u64>,
}

struct Scene {
    /// Before the server, which removes the folder in which it stands.
    _disk: Disk,
    server: Server,
    operator: Operator,
    workspace: String,
    ledger: Arc<Mutex<Ledger>>,
    next: u64,
    episodes: usize,
    _receiver: Receiver,
}

impl Scene {
    fn new() -> Result<Self, String> {
        let mut server = Server::new(ServerOptions::new(release::binary()?))?;
        let disk = Disk::mount(server.data())?;
        let filler = vec![b'x'; FILLER_BYTES];
        fs::write(disk.path.join("filler"), filler).map_err(|error| format!("no filler: {error}"))?;
        server.launch()?;
        server.wait_ready(START_TIMEOUT)?;
        let ledger = Arc::new(Mutex::new(Ledger::default()));
        let for_receiver = Arc::clone(&ledger);
        let receiver = Receiver::start(Arc::new(move |request| receive(&for_receiver, &request.json())));
        let receiver = receiver.map_err(|error| format!("no receiver: {error}"))?;
        let mut operator = server.operator();
        let policy = json!({"retry_schedule_s": RETRY_SCHEDULE_S});
        let workspace =
            operator.create_workspace(&json!({"dialect": "native", "name": "full", "policy": policy}))?;
        operator.create_webhook(&workspace, &json!({"url": receiver.url("/full")}))?;
        let (next, episodes) = (0, 0);
        Ok(Self { _disk: disk, server, operator, workspace, ledger, next, episodes, _receiver: receiver })
    }

    fn filler(&self) -> PathBuf {
        self.server.data().join("filler")
    }

    fn path(&self, rest: &str) -> String {
        format!("/v1/workspaces/{}{rest}", self.workspace)
    }

    /// Publishes one event and files the answer, which must be an acknowledgement or the refusal of a full disk.
    fn publish(&mut self) -> Result<Response, String> {
        self.next += 1;
        let number = self.next;
        let event = json!({"type": "disk.tested", "data": {"n": number, "pad": "x".repeat(PAYLOAD_BYTES)}});
        let response = self.operator.send(Request::new("POST", &self.path("/events")).json(&event))?;
        let mut ledger = lock(&self.ledger);
        match response.status {
            202 => drop(ledger.acknowledged.insert(number)),
            507 => drop(ledger.refused.insert(number)),
            status => return Err(format!("publishing was answered with {status}: {}", response.text())),
        }
        drop(ledger);
        Ok(response)
    }

    /// The number of events that were accepted before the first refusal.
    fn publish_until_refused(&mut self) -> Result<u64, String> {
        for accepted in 0..EVENTS_MAX {
            let response = self.publish()?;
            if response.status == 507 {
                self.episodes += 1;
                check_refusal(&response)?;
                return Ok(accepted);
            }
        }
        Err(format!("{EVENTS_MAX} events were accepted on a disk that cannot hold them"))
    }

    fn expect_refusal(&mut self) -> Outcome {
        let response = self.publish()?;
        if response.status == 507 { Ok(()) } else { Err("an event was accepted on a full disk".to_owned()) }
    }

    /// Reads, changes and deletions go on; what grows does not.
    fn expect_everything_but_growth(&mut self) -> Outcome {
        for path in
            [self.path("/events?limit=5"), self.path("/deliveries"), self.path(""), "/readyz".to_owned()]
        {
            self.expect(Request::new("GET", &path), 200)?;
        }
        let storage = self.operator.get("/v1/storage")?;
        if storage["full"] != true {
            return Err(format!("the store does not say that it is full: {storage}"));
        }
        self.expect(Request::new("PATCH", &self.path("")).json(&json!({"name": "still changed"})), 200)?;
        let webhook = json!({"url": "https://example.com/"});
        self.expect(Request::new("POST", &self.path("/webhooks")).json(&webhook), 507)
    }

    fn expect(&mut self, request: Request, status: u16) -> Outcome {
        let what = format!("{} {}", request.method, request.path);
        let response = self.operator.send(request)?;
        if response.status == status {
            return Ok(());
        }
        Err(format!("{what} was answered with {} on a full disk: {}", response.status, response.text()))
    }

    /// Everything acknowledged arrives, and its end is on record.
    fn expect_deliveries(&mut self) -> Outcome {
        let ledger = Arc::clone(&self.ledger);
        let all = || {
            let ledger = lock(&ledger);
            ledger.acknowledged.is_subset(&ledger.arrived)
        };
        wait_for("everything acknowledged to arrive", PATIENCE, all)
            .map_err(|error| format!("{error}\n{}", self.server.log_tail()))?;
        let path = self.path("/deliveries?status=pending&limit=1");
        let mut failure = None;
        wait_for("every delivery's end to be recorded", PATIENCE, || match self.operator.get(&path) {
            Ok(page) => page["data"].as_array().is_some_and(Vec::is_empty) && page["next_cursor"].is_null(),
            Err(error) => {
                failure = Some(error);
                true
            }
        })
        .map_err(|error| format!("{error}\n{}", self.server.log_tail()))?;
        failure.map_or(Ok(()), Err)?;
        let ledger = lock(&self.ledger);
        match ledger.arrived.iter().find(|number| ledger.refused.contains(number)) {
            Some(number) => Err(format!("event {number} was refused and arrived all the same")),
            None => Ok(()),
        }
    }

    /// Others take what is left, the reserve too: outcomes have to wait, and nothing is lost by that.
    fn starve(&mut self) -> Outcome {
        let redelivered = self.operator.get(&self.path("/deliveries?limit=20"))?;
        let greedy = self.server.data().join("greedy");
        let mut file = fs::File::create(&greedy).map_err(|error| format!("no greedy file: {error}"))?;
        while file.write_all(&[b'x'; 64 * 1024]).is_ok() {}
        let ids: Vec<&str> = redelivered["data"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|row| row["id"].as_str())
            .collect();
        for id in &ids {
            let redeliver = || Request::new("POST", &format!("/v1/deliveries/{id}/redeliver"));
            self.expect(redeliver(), 507)?;
            self.expect(redeliver().header("idempotency-key", id), 507)?;
        }
        self.expect_refusal()?;
        self.expect(Request::new("GET", &self.path("/events?limit=5")), 200)?;
        fs::remove_file(&greedy).map_err(|error| format!("the greedy file cannot be removed: {error}"))?;
        self.expect_deliveries()?;
        self.expect_refusal()
    }

    fn wait_for_room(&mut self, because: &str) -> Outcome {
        let mut failure = None;
        wait_for(&format!("events to be accepted, for {because}"), PATIENCE, || match self.publish() {
            Ok(response) => response.status == 202,
            Err(error) => {
                failure = Some(error);
                true
            }
        })
        .map_err(|error| format!("{error}\n{}", self.server.log_tail()))?;
        failure.map_or(Ok(()), Err)
    }

    fn keep_for_a_second(&mut self) -> Outcome {
        let policy = json!({"policy": {"event_retention_s": 1}});
        self.expect(Request::new("PATCH", &self.path("")).json(&policy), 200)
    }

    /// One line when the disk is full and one when it has room again, however many were refused.
    fn expect_quiet_log(&self) -> Outcome {
        let log = fs::read_to_string(self.server.log_path()).map_err(|error| format!("no log: {error}"))?;
        let count = |words: &str| log.lines().filter(|line| line.contains(words)).count();
        let (begun, ended) = (count("the disk is full"), count("the disk has room again"));
        if (begun, ended) != (self.episodes, self.episodes) {
            return Err(format!("{begun} lines say full and {ended} say room, in {} times", self.episodes));
        }
        let others = log.lines().filter(|line| line.contains("ERROR") && !line.contains("the disk is full"));
        match others.count() {
            0 => Ok(()),
            count => Err(format!("{count} other errors were logged:\n{}", self.server.log_tail())),
        }
    }

    /// Stops, looks whether the database is whole, and starts once more.
    fn end(mut self) -> Outcome {
        self.server.stop(PATIENCE)?;
        let mut check = Command::new(release::binary()?);
        let output = check.args(["db", "check", "--data"]).arg(self.server.data()).output();
        let output = output.map_err(|error| format!("db check cannot be started: {error}"))?;
        if !output.status.success() {
            return Err(format!("db check found: {}", String::from_utf8_lossy(&output.stdout)));
        }
        self.server.launch()?;
        self.server.wait_ready(START_TIMEOUT)?;
        self.server.kill()?;
        let ledger = lock(&self.ledger);
        println!(
            "{} acknowledged, {} refused, nothing lost",
            ledger.acknowledged.len(),
            ledger.refused.len()
        );
        Ok(())
    }
}

fn check_refusal(response: &Response) -> Outcome {
    let problem = response.json();
    let type_is = response.header("content-type") == Some("application/problem+json");
    let retry_after = response.header("retry-after").and_then(|text| text.parse::<u32>().ok());
    if type_is && problem["code"] == "storage_full" && retry_after.is_some_and(|seconds| seconds > 0) {
        return Ok(());
    }
    Err(format!("the refusal is not as documented: {:?} {}", response.headers, response.text()))
}

fn receive(ledger: &Mutex<Ledger>, body: &Value) -> Answer {
    let Some(number) = body["data"]["n"].as_u64() else { return Answer::status(400) };
    let mut ledger = lock(ledger);
    if number.is_multiple_of(REFUSE_ONE_IN) && ledger.put_off.insert(number) {
        return Answer::status(503);
    }
    ledger.arrived.insert(number);
    Answer::status(200)
}

fn lock(ledger: &Mutex<Ledger>) -> MutexGuard<'_, Ledger> {
    ledger.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A small filesystem in memory. Dropping it takes it away again.
struct Disk {
    path: PathBuf,
}

impl Disk {
    fn mount(path: PathBuf) -> Result<Self, String> {
        fs::create_dir_all(&path).map_err(|error| format!("{} cannot be made: {error}", path.display()))?;
        let options = format!("size={DISK_MIB}m,mode=0700");
        tool("mount", &["-t", "tmpfs", "-o", &options, "tmpfs"], &path).map_err(|error| {
            format!("{error}\nthis step mounts a small filesystem, which needs root (CAP_SYS_ADMIN)")
        })?;
        Ok(Self { path })
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily: whoever still has a file open keeps it until then.
        if let Err(error) = tool("umount", &["--lazy"], &self.path) {
            println!("{error}");
        }
    }
}

fn tool(name: &str, arguments: &[&str], path: &Path) -> Outcome {
    let output = Command::new(name).args(arguments).arg(path).output();
    let output = output.map_err(|error| format!("`{name}` cannot be started: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("`{name}` failed: {}", String::from_utf8_lossy(&output.stderr).trim()))
}
