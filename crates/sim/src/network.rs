//! The network: receivers by host name, and a log of every request with what became of it.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;
use signalpost_core::attempt::{Exchange, Outcome, Timing};
use signalpost_core::limits::LANE_HOLD_MAX;
use signalpost_core::ports::{LocalBoxFuture, OutboundRequest, Transport};
use signalpost_core::time::Timestamp;

use crate::chance::Chance;
use crate::conduct::{FAULTS, Fate, Fault, LATER_FAULTS, Mood};
use crate::executor::Group;
use crate::facts::number_in;
use crate::ground::{Ground, Moment};
use crate::nodes::Rows;
use crate::options::NetworkOptions;

/// What some owners have sent along.
pub(crate) const OWN_HEADER: &str = "x-token";
/// Names under which test profiles send what the auditor goes by.
pub(crate) const WORKSPACE_HEADER: &str = "x-workspace";
pub(crate) const WEBHOOK_HEADER: &str = "x-webhook";
pub(crate) const DELIVERY_HEADER: &str = "x-delivery";
pub(crate) const EVENT_HEADER: &str = "x-event";
pub(crate) const SIGNATURE_HEADER: &str = "x-signature";

/// One request as the network saw it.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) process: u32,
    pub(crate) host: String,
    pub(crate) url: String,
    pub(crate) at: Moment,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Bytes,
    /// When the receiver had it, each time that it did.
    pub(crate) arrivals: Vec<Moment>,
    /// What the sender saw. `None` when it died waiting.
    pub(crate) ended: Option<Ended>,
    /// What the sender was given of the answer.
    pub(crate) answer: Bytes,
    /// Requests of this webhook that its process had in flight, this one included.
    pub(crate) abreast: usize,
    /// The same of all webhooks.
    pub(crate) in_flight: usize,
    /// Under which its process had the lane group, by place, where several nodes share the store.
    pub(crate) tenure: Option<usize>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Ended {
    pub(crate) at: Moment,
    pub(crate) outcome: Outcome,
    pub(crate) retry_after_ms: i64,
}

impl Sent {
    /// A header by name; empty when it is missing.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    /// The number of the event that its body carries.
    pub(crate) fn event_number(&self) -> Option<usize> {
        let body = String::from_utf8_lossy(&self.body);
        let data = body.split_once(",\"data\":").and_then(|(_, rest)| rest.strip_suffix('}'));
        data.and_then(|data| number_in(data.as_bytes()))
    }
}

pub(crate) struct Network {
    ground: Rc<Ground>,
    options: NetworkOptions,
    chance: RefCell<Chance>,
    moods: RefCell<BTreeMap<String, Mood>>,
    log: RefCell<Vec<Sent>>,
    /// By process and webhook.
    in_flight: RefCell<BTreeMap<(u32, String), usize>>,
    dead: RefCell<Vec<u32>>,
    /// By how much the wall clocks of processes are off, in milliseconds.
    walls: RefCell<BTreeMap<u32, i64>>,
    /// Of several nodes.
    rows: RefCell<Option<Arc<Rows>>>,
    sky: Cell<Sky>,
}

/// How it is everywhere at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sky {
    /// Each receiver as its mood is.
    Mixed,
    /// Every request hangs, whatever its receiver's mood.
    Stalled,
    /// Every request succeeds.
    Clear,
}

impl Network {
    pub(crate) fn new(ground: Rc<Ground>, seed: u64, options: NetworkOptions) -> Rc<Self> {
        Rc::new(Self {
            ground,
            options,
            chance: RefCell::new(Chance::new(seed, "network")),
            moods: RefCell::default(),
            log: RefCell::default(),
            in_flight: RefCell::default(),
            dead: RefCell::default(),
            walls: RefCell::default(),
            rows: RefCell::default(),
            sky: Cell::new(Sky::Mixed),
        })
    }

    pub(crate) fn set_mood(&self, host: &str, mood: Mood) {
        self.moods.borrow_mut().insert(host.to_owned(), mood);
    }

    /// From here on every request arrives and every receiver answers with success.
    pub(crate) fn heal(&self) {
        self.sky.set(Sky::Clear);
    }

    /// Everything hangs until [`Self::go_on`]. A world that is healed stays so.
    pub(crate) fn stall(&self) {
        if self.sky.get() == Sky::Mixed {
            self.sky.set(Sky::Stalled);
            self.ground.tally.count("network", "stall");
        }
    }

    pub(crate) fn go_on(&self) {
        if self.sky.get() == Sky::Stalled {
            self.sky.set(Sky::Mixed);
        }
    }

    /// Requests of this process that are still on their way may get lost with it.
    pub(crate) fn process_died(&self, process: u32) {
        self.dead.borrow_mut().push(process);
    }

    /// A process sees and says times by this clock.
    pub(crate) fn set_wall_clock(&self, process: u32, off_ms: i64) {
        self.walls.borrow_mut().insert(process, off_ms);
    }

    /// From here on whoever sends must have the lane group by these rows.
    pub(crate) fn ask_for_owners(&self, rows: Arc<Rows>) {
        *self.rows.borrow_mut() = Some(rows);
    }

    /// A moment as this process sees it.
    fn seen_by(&self, process: u32, at: Moment) -> Moment {
        let off_ms = self.walls.borrow().get(&process).copied().unwrap_or(0);
        Moment { wall: at.wall.plus_ms(off_ms), ..at }
    }

    pub(crate) fn log(&self) -> Vec<Sent> {
        self.log.borrow().clone()
    }

    /// Until when receivers want to be left alone, by what they have answered to processes that live. `None` when nobody has
    /// asked for it.
    pub(crate) fn held_until(&self) -> Option<Timestamp> {
        let most_ms = i64::try_from(LANE_HOLD_MAX.as_millis()).expect("minutes");
        let dead = self.dead.borrow();
        let until = |sent: &Sent| {
            let ended = sent.ended.filter(|_| !dead.contains(&sent.process))?;
            let is_busy = matches!(ended.outcome, Outcome::Status(429 | 503)) && ended.retry_after_ms > 0;
            is_busy.then(|| ended.at.wall.plus_ms(ended.retry_after_ms.min(most_ms)))
        };
        self.log.borrow().iter().filter_map(until).max()
    }

    /// Deliveries, each with its webhook, of which something was sent with this value in a header, oldest first.
    pub(crate) fn deliveries_of(&self, header: &str, value: &str) -> Vec<(String, String)> {
        let log = self.log.borrow();
        let sent = log.iter().filter(|sent| sent.header(header) == value);
        sent.map(|sent| (sent.header(DELIVERY_HEADER).to_owned(), sent.header(WEBHOOK_HEADER).to_owned()))
            .collect()
    }

    fn draw_fate(&self, host: &str, timeout_us: u64) -> Fate {
        let mut chance = self.chance.borrow_mut();
        let latency_us = self.options.latency_us_max;
        let mood = self.moods.borrow().get(host).copied().unwrap_or(Mood::Moody);
        let fault = match (self.sky.get(), mood) {
            (Sky::Clear, _) | (Sky::Mixed, Mood::Calm) => None,
            (Sky::Stalled, _) => Some(Fault::Hang),
            (Sky::Mixed, Mood::Down(fault)) => Some(fault),
            (Sky::Mixed, Mood::Moody) => match chance.weighted(&self.options.weights) {
                0 => None,
                place => FAULTS.iter().chain(&LATER_FAULTS).nth(place - 1).copied(),
            },
        };
        match fault {
            None => Fate::success(&mut chance, latency_us),
            Some(fault) => {
                self.ground.tally.count("network", fault.name());
                Fate::of(fault, &mut chance, latency_us, timeout_us)
            }
        }
    }

    /// Enters a request into the log.
    fn log_request(&self, process: u32, request: &OutboundRequest) -> usize {
        let mut headers: Vec<(String, String)> =
            request.headers.iter().map(|(name, value)| (name.to_string(), value.clone())).collect();
        let secret = request.secret_headers.iter();
        headers.extend(secret.map(|(name, value)| (name.to_string(), value.expose_text().to_owned())));
        let url = request.url.as_str().to_owned();
        let host = host_of(&url);
        let find =
            |name: &str| headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
        let webhook = find(WEBHOOK_HEADER).unwrap_or_default();
        let delivery = find(DELIVERY_HEADER).unwrap_or_default();
        let mut in_flight = self.in_flight.borrow_mut();
        let abreast = in_flight.entry((process, webhook)).or_default();
        *abreast += 1;
        let at = self.ground.note(format_args!("p{process} sends {delivery} to {url}, {abreast} abreast"));
        let tenure = self.rows.borrow().as_ref().and_then(|rows| rows.note_start(process, &delivery, at));
        let at = self.seen_by(process, at);
        let mut log = self.log.borrow_mut();
        let (body, abreast) = (request.body.clone(), *abreast);
        let in_flight = in_flight.range((process, String::new())..(process + 1, String::new()));
        let in_flight = in_flight.map(|(_, count)| count).sum();
        let (arrivals, answer) = (Vec::new(), Bytes::new());
        log.push(Sent {
            process,
            host,
            url,
            at,
            headers,
            body,
            arrivals,
            ended: None,
            answer,
            abreast,
            in_flight,
            tenure,
        });
        log.len() - 1
    }

    /// Lets a request arrive, unless its sender is dead by then and chance has it lost.
    fn deliver(self: &Rc<Self>, index: usize, arrives_us: u64) {
        let network = Rc::clone(self);
        let lost_with_sender = self.chance.borrow_mut().permille(500);
        self.ground.spawn(Group::WORLD, async move {
            network.ground.sleep_us(arrives_us).await;
            let process = network.log.borrow()[index].process;
            if lost_with_sender && network.dead.borrow().contains(&process) {
                return;
            }
            let at = network.ground.note(format_args!("request {index} arrives"));
            network.log.borrow_mut()[index].arrivals.push(at);
        });
    }

    fn end(&self, index: usize, fate: &Fate, outcome: Outcome) -> Exchange {
        let name = outcome.name();
        let at = self.ground.note(format_args!("request {index} ends: {name} {:?}", outcome.status()));
        let asked = fate.retry_after.filter(|_| outcome == fate.outcome);
        let retry_after_ms = asked.map_or(0, |wait| i64::try_from(wait.as_millis()).unwrap_or(i64::MAX));
        let answer = if outcome == fate.outcome { fate.answer.clone() } else { Bytes::new() };
        let mut log = self.log.borrow_mut();
        let sent = &mut log[index];
        let at = self.seen_by(sent.process, at);
        sent.ended = Some(Ended { at, outcome, retry_after_ms });
        sent.answer = answer.clone();
        let webhook = sent.header(WEBHOOK_HEADER).to_owned();
        if let Some(count) = self.in_flight.borrow_mut().get_mut(&(sent.process, webhook)) {
            *count -= 1;
        }
        let total_us = at.us - sent.at.us;
        let timing = Timing { first_byte_us: total_us, total_us, ..Timing::default() };
        let detail = if outcome.is_success() { String::new() } else { format!("The network says {name}.") };
        Exchange { outcome, detail, retry_after: asked, timing, answer }
    }
}

/// One core's way into the network.
pub(crate) struct SimTransport {
    pub(crate) network: Rc<Network>,
    pub(crate) process: u32,
}

impl Transport for SimTransport {
    fn send(&self, request: OutboundRequest) -> LocalBoxFuture<'static, Exchange> {
        let (network, process) = (Rc::clone(&self.network), self.process);
        Box::pin(async move {
            let timeout_us = u64::try_from(request.timeout.as_micros()).expect("a minute at most");
            let index = network.log_request(process, &request);
            let host = network.log.borrow()[index].host.clone();
            let fate = network.draw_fate(&host, timeout_us);
            for arrives_us in &fate.arrives_us {
                network.deliver(index, *arrives_us);
            }
            let (waits_us, outcome) = fate.seen_within(timeout_us);
            network.ground.sleep_us(waits_us).await;
            network.end(index, &fate, outcome)
        })
    }
}

/// The host name of a URL of this world: `http://<host>/<path>`.
pub(crate) fn host_of(url: &str) -> String {
    url.split('/').nth(2).unwrap_or_default().to_owned()
}
