//! The engine's numbers as Prometheus text (exposition format 0.0.4), names with their units.

use std::fmt::Write as _;

use signalpost_core::cell::CellNumber;
use signalpost_engine::cells::Cells;
use signalpost_engine::metrics::{BUCKET_BOUNDS_US, Counter, Gauge, Histogram, Metrics};
use signalpost_engine::{Engine, LeaseCounts};

const PREFIX: &str = "signalpost_";

pub(super) fn render(cells: &Cells) -> String {
    let mut text = Text::default();
    text.head("build_info", "gauge", "What runs here.");
    text.sample("build_info", concat!("{version=\"", env!("CARGO_PKG_VERSION"), "\"}"), 1);
    for cell in cells.all() {
        text.cell = cell.number;
        of_one(&mut text, &cell.engine);
    }
    text.families.into_iter().map(|family| family.text).collect()
}

fn of_one(text: &mut Text, engine: &Engine) {
    let metrics = engine.metrics();
    counters(text, metrics);
    storage(text, metrics);
    cluster(text, engine);
    text.gauge("attempts_in_flight", "Requests to receivers under way.", &metrics.attempts_in_flight);
    let help = "Deliveries that delivery cores hold in memory, in flight included.";
    text.gauge("deliveries_in_memory", help, &metrics.deliveries_in_memory);
    text.gauge("replays_busy", "Replays that are being planned or run.", &metrics.replays_busy);
    text.gauge("lanes_in_memory", "Webhooks with a lane in memory.", &metrics.lanes_in_memory);
    text.histogram("attempt_duration_seconds", "How long attempts took.", &metrics.attempt_duration);
    let help = "From an event's acceptance to its delivery's success, but for those that were sent again or held by a pause.";
    text.histogram("delivery_latency_seconds", help, &metrics.delivery_latency);
}

fn counters(text: &mut Text, metrics: &Metrics) {
    let plain: [(&str, &str, &Counter); 16] = [
        ("events_accepted_total", "Events stored.", &metrics.events_accepted),
        ("events_repeated_total", "Events known already by their producer's id.", &metrics.events_repeated),
        ("deliveries_created_total", "Deliveries owed for accepted events.", &metrics.deliveries_created),
        (
            "filtered_out_total",
            "Deliveries that were not made: the webhook's filter did not want the event.",
            &metrics.filtered_out,
        ),
        (
            "filter_failures_total",
            "Deliveries that were not made: the webhook's filter could not decide.",
            &metrics.filter_failures,
        ),
        (
            "filter_evaluations_total",
            "Evaluations of filters, one for each event and text of a filter.",
            &metrics.filter_evaluations,
        ),
        ("retries_scheduled_total", "Attempts that failed and will be repeated.", &metrics.retries_scheduled),
        (
            "webhooks_paused_total",
            "Pauses of webhooks by the engine: their receivers had only failed for long.",
            &metrics.webhooks_paused,
        ),
        (
            "webhooks_recovered_total",
            "Pauses by the engine that a success has ended.",
            &metrics.webhooks_recovered,
        ),
        (
            "lanes_moved_total",
            "Webhooks whose queue a delivery core has given to another that had less to do.",
            &metrics.lanes_moved,
        ),
        (
            "figures_left_out_total",
            "Events, attempts and dropped deliveries that the figures of a workspace or a webhook do without: there were too many.",
            &metrics.figures_left_out,
        ),
        (
            "record_failures_total",
            "Commits of outcomes that failed and were repeated.",
            &metrics.record_failures,
        ),
        (
            "deliveries_replayed_total",
            "Deliveries that replays have owed once more, or to another webhook.",
            &metrics.deliveries_replayed,
        ),
        ("events_removed_total", "Events that retention has removed.", &metrics.events_removed),
        (
            "payloads_removed_total",
            "Payloads that retention has removed of events that stayed.",
            &metrics.payloads_removed,
        ),
        (
            "callers_turned_away_total",
            "Requests that were refused because all connections were taken.",
            &metrics.callers_turned_away,
        ),
    ];
    for (name, help, counter) in plain {
        text.head(name, "counter", help);
        text.sample(name, "", counter.get());
    }
    text.head("deliveries_ended_total", "counter", "Deliveries that came to an end by an attempt.");
    text.sample("deliveries_ended_total", "{status=\"delivered\"}", metrics.deliveries_delivered.get());
    text.sample("deliveries_ended_total", "{status=\"failed\"}", metrics.deliveries_failed.get());
    text.head("logins_total", "counter", "Logins by a password, by what came of them.");
    for (result, counter) in [
        ("opened", &metrics.logins),
        ("refused", &metrics.logins_refused),
        ("throttled", &metrics.logins_throttled),
    ] {
        text.sample("logins_total", &format!("{{result=\"{result}\"}}"), counter.get());
    }
    text.head(
        "worker_seconds_total",
        "counter",
        "Time that attempts took of delivery cores, as they are shared by it.",
    );
    for (class, us) in [("first", &metrics.first_worker_us), ("again", &metrics.again_worker_us)] {
        text.sample("worker_seconds_total", &format!("{{class=\"{class}\"}}"), us.get() as f64 / 1e6);
    }
    text.head("attempts_total", "counter", "Attempts by the class of their outcome.");
    for (class, count) in metrics.attempts() {
        text.sample("attempts_total", &format!("{{outcome=\"{class}\"}}"), count);
    }
}

/// As the engine saw it last, a minute ago at most.
fn storage(text: &mut Text, metrics: &Metrics) {
    let storage = &metrics.storage;
    let gauges: [(&str, &str, &Gauge); 8] = [
        ("database_bytes", "Size of the database.", &storage.database_bytes),
        ("database_free_bytes", "Free inside the database, to be used again.", &storage.database_free_bytes),
        ("wal_bytes", "Written ahead and not yet folded into the database.", &storage.wal_bytes),
        ("disk_free_bytes", "Free on the database's filesystem.", &storage.disk_free_bytes),
        ("disk_total_bytes", "Size of the database's filesystem.", &storage.disk_total_bytes),
        ("events_stored", "Events of all workspaces.", &storage.events),
        ("idempotency_bytes", "Answers kept for idempotency keys.", &storage.answers_bytes),
        ("storage_full", "1 while new events are refused for want of room.", &storage.full),
    ];
    for (name, help, gauge) in gauges {
        text.gauge(name, help, gauge);
    }
    let (name, help) =
        ("idempotency_forgotten_total", "Answers that went before their 24 hours to make room.");
    text.head(name, "counter", help);
    text.sample(name, "", storage.answers_forgotten.get());
}

/// What this node is among those that share the store, and how far behind it is.
fn cluster(text: &mut Text, engine: &Engine) {
    let ownership = engine.ownership();
    let owned = u64::try_from(ownership.groups().count()).unwrap_or(u64::MAX);
    let trusted = u64::from(engine.trusts_its_lease());
    for (name, help, value) in [
        ("node_number", "Number of this process among those on the store.", u64::from(ownership.node())),
        ("lane_groups_owned", "Lane groups that this node delivers for.", owned),
        ("lease_trusted", "1 while this node may rely on its lease; else it starts nothing.", trusted),
    ] {
        text.head(name, "gauge", help);
        text.sample(name, "", value);
    }
    lease(text, ownership.counts());
    let help = "Age of the oldest delivery that is due, by lane group of this node, as of its last look.";
    text.head("oldest_due_seconds", "gauge", help);
    for (group, _) in ownership.groups() {
        let ms = engine.metrics().oldest_due.ms(group).unwrap_or(0);
        let labels = format!("{{group=\"{}\"}}", group.number());
        text.sample("oldest_due_seconds", &labels, ms as f64 / 1e3);
    }
}

/// On a store of its own a node has no lease, and none of it ever changes.
fn lease(text: &mut Text, counts: &LeaseCounts) {
    let fenced = "Outcomes refused because other nodes had the lane groups by then.";
    for (name, help, count) in [
        ("lease_renewals_total", "Renewals of this node's lease.", &counts.renewals),
        ("lease_losses_total", "Leases of this node that ran out before they were renewed.", &counts.losses),
        ("outcomes_fenced_total", fenced, &counts.outcomes_fenced),
        ("lane_groups_taken_total", "Lane groups that this node has taken.", &counts.groups_taken),
        ("lane_groups_given_total", "Lane groups given up for other nodes.", &counts.groups_given),
    ] {
        text.head(name, "counter", help);
        text.sample(name, "", count.get());
    }
}

/// What was written so far. Samples of one family stand together, whichever cell they are of.
#[derive(Default)]
struct Text {
    families: Vec<Family>,
    /// Of the family that samples are of.
    place: usize,
    /// Whose they are, where there are several.
    cell: Option<CellNumber>,
}

struct Family {
    name: String,
    text: String,
}

impl Text {
    fn head(&mut self, name: &str, kind: &str, help: &str) {
        if let Some(place) = self.families.iter().position(|family| family.name == name) {
            self.place = place;
            return;
        }
        let text = format!("# HELP {PREFIX}{name} {help}\n# TYPE {PREFIX}{name} {kind}\n");
        self.place = self.families.len();
        self.families.push(Family { name: name.to_owned(), text });
    }

    fn sample(&mut self, name: &str, labels: &str, value: impl std::fmt::Display) {
        let text = &mut self.families[self.place].text;
        let written = match (self.cell, labels.strip_prefix('{')) {
            (None, _) => writeln!(text, "{PREFIX}{name}{labels} {value}"),
            (Some(cell), None) => writeln!(text, "{PREFIX}{name}{{cell=\"{cell}\"}} {value}"),
            (Some(cell), Some(labels)) => writeln!(text, "{PREFIX}{name}{{cell=\"{cell}\",{labels} {value}"),
        };
        written.expect("writing to a string does not fail");
    }

    fn gauge(&mut self, name: &str, help: &str, gauge: &Gauge) {
        self.head(name, "gauge", help);
        self.sample(name, "", gauge.get());
    }

    fn histogram(&mut self, name: &str, help: &str, histogram: &Histogram) {
        self.head(name, "histogram", help);
        let seconds = |us: u64| us as f64 / 1e6;
        let bounds = BUCKET_BOUNDS_US.iter().map(|us| seconds(*us).to_string()).chain(["+Inf".to_owned()]);
        let mut count = 0;
        for (bound, values) in bounds.zip(histogram.buckets()) {
            count += values;
            self.sample(&format!("{name}_bucket"), &format!("{{le=\"{bound}\"}}"), count);
        }
        self.sample(&format!("{name}_sum"), "", seconds(histogram.sum_us()));
        self.sample(&format!("{name}_count"), "", count);
    }
}
