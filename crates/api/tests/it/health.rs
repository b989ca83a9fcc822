//! Health and metrics: open, cheap, and true.

use std::sync::atomic::Ordering;

use http::Method;
use serde_json::json;
use signalpost_core::lane_group::LaneGroup;
use signalpost_core::time::Monotonic;
use signalpost_store::Ledger;
use signalpost_store::testing::block_on::block_on;

use crate::app::App;

fn ready(app: &App) -> u16 {
    app.operator_stranger(Method::GET, "/readyz").send().status.as_u16()
}

#[test]
fn readiness_follows_the_store_at_most_every_quarter_second() {
    let app = App::new();
    assert_eq!(app.operator_stranger(Method::GET, "/livez").send().expect(200).text(), "ok");
    assert_eq!(ready(&app), 200);
    block_on(app.store.close()).unwrap();
    assert_eq!(ready(&app), 200, "the last result still holds");
    app.clock.advance_ms(250);
    assert_eq!(ready(&app), 503);
    let problem = app.operator_stranger(Method::GET, "/readyz").send();
    assert_eq!(problem.expect(503).header("retry-after"), "1");
    assert_eq!(problem.text_at("/code"), "unavailable");
    app.operator_stranger(Method::GET, "/livez").send().expect(200);
}

#[test]
fn who_is_not_ready_says_why() {
    let why = |app: &App| {
        app.clock.advance_ms(250);
        app.operator_stranger(Method::GET, "/readyz").send().expect(503).text_at("/detail")
    };
    let app = App::new();
    let ownership = app.store.ownership();
    LaneGroup::all().for_each(|group| ownership.lose(group));
    assert_eq!(ready(&app), 200, "the one node of this store delivers");
    block_on(app.store.close()).unwrap();
    assert_eq!(why(&app), "the store cannot commit right now");
    ownership.trust_until(Monotonic::from_us(0));
    assert_eq!(why(&app), "this node's lease on the database has run out and is not renewed yet");
}

#[test]
fn a_clock_that_steps_back_does_not_make_an_old_result_young() {
    let app = App::new();
    assert_eq!(ready(&app), 200);
    block_on(app.store.close()).unwrap();
    app.clock.advance_ms(-10_000);
    assert_eq!(ready(&app), 503);
}

#[test]
fn a_stopping_process_is_not_ready_but_lives_and_works() {
    let app = App::new();
    app.draining.store(true, Ordering::Relaxed);
    assert_eq!(ready(&app), 503);
    app.operator_stranger(Method::GET, "/livez").send().expect(200);
    app.workspace("native");
}

#[test]
fn metrics_count_and_have_well_formed_lines() {
    let app = App::new();
    let id = app.workspace("native");
    app.publish(&id, &json!({"type": "a", "id": "x", "data": 1}));
    app.publish(&id, &json!({"type": "a", "id": "x", "data": 1}));
    let answer = app.operator_stranger(Method::GET, "/metrics").send();
    assert_eq!(answer.expect(200).header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    let text = answer.text();
    for line in [
        "signalpost_events_accepted_total 1",
        "signalpost_events_repeated_total 1",
        "signalpost_worker_seconds_total{class=\"again\"} 0",
        "signalpost_attempts_total{outcome=\"2xx\"} 0",
        "signalpost_deliveries_ended_total{status=\"failed\"} 0",
        "signalpost_attempt_duration_seconds_bucket{le=\"0.0005\"} 0",
        "signalpost_attempt_duration_seconds_bucket{le=\"300\"} 0",
        "signalpost_attempt_duration_seconds_bucket{le=\"+Inf\"} 0",
        "signalpost_delivery_latency_seconds_count 0",
        "signalpost_node_number 0",
        "signalpost_lane_groups_owned 64",
        "signalpost_lease_trusted 1",
        "signalpost_lease_renewals_total 0",
        "signalpost_lease_losses_total 0",
        "signalpost_outcomes_fenced_total 0",
        "signalpost_lane_groups_taken_total 0",
        "signalpost_lane_groups_given_total 0",
        "signalpost_oldest_due_seconds{group=\"63\"} 0",
    ] {
        assert!(text.lines().any(|have| have == line), "{line} is not in\n{text}");
    }
    for sample in text.lines().filter(|line| !line.starts_with('#')) {
        let (name, value) = sample.rsplit_once(' ').unwrap();
        assert!(value.parse::<f64>().is_ok(), "{sample}");
        let family = name.split('{').next().unwrap();
        let family = ["_bucket", "_sum", "_count"]
            .iter()
            .find_map(|suffix| family.strip_suffix(suffix))
            .unwrap_or(family);
        assert!(text.contains(&format!("# TYPE {family} ")), "{sample} has no type");
    }
}
