//! Callers who race for the last free places, for a delete, and against deliveries in flight.

use std::sync::Barrier;
use std::time::{Duration, Instant};

use serde_json::json;
use signalpost_testkit::{Answer, Response, ScriptedReceiver, Server, wait_for};

use super::{PARTNER, PUBLIC, Side, Tenant};
use crate::{PATIENCE, start};

const CALLERS: usize = 20;
/// What an account, and an install, holds at most.
const WEBHOOKS_MAX: usize = 10;

/// The answers of so many callers who begin at the same moment.
fn at_once(call: impl Fn() -> Response + Sync) -> Vec<Response> {
    let together = Barrier::new(CALLERS);
    let caller = || {
        together.wait();
        call()
    };
    std::thread::scope(|scope| {
        let callers: Vec<_> = (0..CALLERS).map(|_| scope.spawn(caller)).collect();
        callers.into_iter().map(|caller| caller.join().unwrap()).collect()
    })
}

fn having(answers: &[Response], status: u16) -> Vec<&Response> {
    answers.iter().filter(|answer| answer.status == status).collect()
}

fn told(answers: &[Response]) -> Vec<(u16, String)> {
    answers.iter().map(|answer| (answer.status, answer.text())).collect()
}

#[test]
fn twenty_creates_at_once_make_ten_webhooks() {
    let mut server = start(&[]);
    let mut made = Vec::new();
    for side in [&PUBLIC, &PARTNER] {
        let tenant = Tenant::new(&server, side, &json!({}));
        let answers = at_once(|| tenant.create("https://example.com/hook"));
        assert_eq!(having(&answers, 201).len(), WEBHOOKS_MAX, "{:?}", told(&answers));
        let refused = having(&answers, 409);
        assert_eq!(refused.len(), CALLERS - WEBHOOKS_MAX, "{:?}", told(&answers));
        assert!(refused.iter().all(|answer| answer.json()["code"] == "CONFLICT"), "{:?}", told(&answers));
        assert_eq!(tenant.list().len(), WEBHOOKS_MAX);
        made.push((side, tenant.workspace, tenant.token));
    }

    server.kill().unwrap();
    server.launch().unwrap();
    server.wait_ready(PATIENCE).unwrap();
    for (side, workspace, token) in made {
        let tenant = Tenant { server: &server, side, workspace, token };
        assert_eq!(tenant.list().len(), WEBHOOKS_MAX);
        assert_eq!(tenant.create("https://example.com/hook").status, 409);
        let id = tenant.list()[3]["id"].as_str().unwrap().to_owned();
        assert_eq!(tenant.delete(&id).status, 200);
        let answers = at_once(|| tenant.create("https://example.com/hook"));
        assert_eq!(having(&answers, 201).len(), 1, "one place was free: {:?}", told(&answers));
    }
}

#[test]
fn of_twenty_deletes_at_once_one_deletes() {
    let server = start(&[]);
    for side in [&PUBLIC, &PARTNER] {
        let tenant = Tenant::new(&server, side, &json!({}));
        let id = tenant.create_one("https://example.com/hook");
        let answers = at_once(|| tenant.delete(&id));
        let done = having(&answers, 200);
        assert_eq!(done.len(), 1, "{:?}", told(&answers));
        assert_eq!((&done[0].json()["deleted"], &done[0].json()[side.one]["id"]), (&json!(true), &json!(id)));
        assert_eq!(having(&answers, 404).len(), CALLERS - 1, "{:?}", told(&answers));
        assert!(tenant.list().is_empty());
    }
}

/// How long the receiver takes, so that a webhook's attempts are still in flight when it is deleted.
const ANSWERS_AFTER: Duration = Duration::from_millis(3_000);
/// From the start of an attempt to its arrival, on a machine with other work. Whatever starts after the attempts in
/// flight have ended, arrives later than that.
const ARRIVES_WITHIN: Duration = Duration::from_millis(2_500);
const WEBHOOKS: usize = 8;
const EVENTS: usize = 40;

#[test]
fn nothing_starts_after_a_delete_that_races_deliveries_in_flight() {
    let (server, receiver) = (start(&[]), ScriptedReceiver::start().unwrap());
    for side in [&PUBLIC, &PARTNER] {
        let tenant = Tenant::new(&server, side, &json!({"retry_schedule_s": [1, 1]}));
        let path = |number: usize| format!("/{}/{number}", side.dialect);
        let create = |number| {
            // Some answers end an attempt well, and some leave a retry owed.
            let status = if number % 2 == 0 { 200 } else { 500 };
            receiver.answer_always(&path(number), Answer::status(status).after(ANSWERS_AFTER));
            tenant.create_one(&receiver.url(&path(number)))
        };
        let ids: Vec<String> = (0..WEBHOOKS).map(create).collect();
        tenant.publish(EVENTS);
        let delete = |number: usize| {
            let seen = || receiver.requests(&path(number)).len() > number;
            wait_for("the first deliveries", PATIENCE, seen).unwrap();
            let answer = tenant.delete(&ids[number]);
            assert_eq!((answer.status, &answer.json()["deleted"]), (200, &json!(true)), "{}", answer.text());
            Instant::now()
        };
        let delete = &delete;
        let answered: Vec<Instant> = std::thread::scope(|scope| {
            let callers: Vec<_> = (0..WEBHOOKS).map(|number| scope.spawn(move || delete(number))).collect();
            callers.into_iter().map(|caller| caller.join().unwrap()).collect()
        });
        wait_for_what_would_have_come(&server, &receiver, side);
        for (number, answered) in answered.into_iter().enumerate() {
            let requests = receiver.requests(&path(number));
            assert!(requests.len() < EVENTS, "something was pending when {number} was deleted");
            let late = requests.iter().filter(|request| request.received_at > answered + ARRIVES_WITHIN);
            assert_eq!(late.count(), 0, "attempts after the delete of {number} was answered");
        }
        assert!(tenant.list().is_empty());
    }
}

/// A delivery of another tenant that takes as long as those in flight and is then tried again, twice. What the others
/// would have started after theirs ended has started by then.
fn wait_for_what_would_have_come(server: &Server, receiver: &ScriptedReceiver, side: &'static Side) {
    let path = format!("/{}/canary", side.dialect);
    receiver.answer_always(&path, Answer::status(500).after(ANSWERS_AFTER));
    let canary = Tenant::new(server, side, &json!({"retry_schedule_s": [1, 1]}));
    canary.create_one(&receiver.url(&path));
    canary.publish(1);
    receiver.wait_for(&path, 2, PATIENCE).unwrap();
}
