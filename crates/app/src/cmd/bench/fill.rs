//! Filling the store in batches, for what is to be there before anything is measured, or more than single calls could bring.

use std::cell::{Cell, RefCell};
use std::ops::Range;
use std::rc::Rc;

use tokio::task::JoinSet;

use super::calls::{Calls, Fate};
use super::client::Connection;
use super::clock::now_ns;
use super::load::{LATER, LATER_STATUSES, all_of};
use super::request::{self, Letterhead};
use crate::cmd::Failure;

/// Events of one batch while a store is filled: half of what a batch may hold, so that its commit delays nobody long.
const BATCH_EVENTS: u64 = 500;
const BATCH_CONNECTIONS: usize = 2;

/// Whether the server should get more while a store is filled; asked before each batch.
pub(super) trait Gate {
    async fn pass(&self, connection: &mut Connection, published: u64) -> Result<(), Failure>;
}

/// Publishes events in batches, to the routes in turn, as fast as the gate lets them.
pub(super) async fn fill(
    letterhead: &Letterhead,
    routes: Range<u32>,
    events: u64,
    gate: impl Gate + 'static,
    calls: &mut Calls,
) -> Result<(), Failure> {
    let shared = Rc::new((letterhead.clone(), RefCell::new(std::mem::take(calls)), Cell::new(0_u64), gate));
    let mut callers = JoinSet::new();
    for _ in 0..BATCH_CONNECTIONS {
        let (shared, routes) = (Rc::clone(&shared), routes.clone());
        callers.spawn_local(async move {
            let (letterhead, calls, begun, gate) = &*shared;
            let mut connection = Connection::new(letterhead.operator);
            let mut bytes = Vec::new();
            while begun.get() < events {
                let (first, count) = (begun.get(), BATCH_EVENTS.min(events - begun.get()));
                begun.set(first + count);
                gate.pass(&mut connection, first).await?;
                let turn = u32::try_from(first / BATCH_EVENTS % routes.len() as u64).expect("below 32 bits");
                let numbers =
                    begin_batch(&mut calls.borrow_mut(), letterhead, routes.start + turn, count, &mut bytes);
                send_batch(&mut connection, &bytes, numbers, calls).await?;
            }
            Ok(())
        });
    }
    let filled = all_of(callers).await;
    *calls = shared.1.take();
    filled
}

fn begin_batch(
    calls: &mut Calls,
    letterhead: &Letterhead,
    route: u32,
    count: u64,
    bytes: &mut Vec<u8>,
) -> Range<u64> {
    let now_ns = now_ns();
    let first = calls.next_number();
    for _ in 0..count {
        calls.begin(route, now_ns, now_ns);
    }
    let position = usize::try_from(route).expect("32 bits fit");
    letterhead.batch(&calls.routes[position], first..first + count, bytes);
    first..first + count
}

/// Sends a batch until it is taken; a batch is all or nothing, so one that was refused may be sent again.
async fn send_batch(
    connection: &mut Connection,
    bytes: &[u8],
    numbers: Range<u64>,
    calls: &RefCell<Calls>,
) -> Result<(), Failure> {
    loop {
        let answer =
            connection.exchange(bytes).await.map_err(|error| Failure::io("filling the store", error))?;
        if LATER_STATUSES.contains(&answer.status) {
            tokio::time::sleep(LATER).await;
            continue;
        }
        let receipts = if answer.status == 202 { request::receipts(answer.body) } else { None };
        let complete = receipts.filter(|receipts| receipts.len() as u64 == numbers.end - numbers.start);
        let receipts = complete.ok_or_else(|| {
            let text = String::from_utf8_lossy(answer.body);
            Failure::new(format!("a batch was answered with {}: {text}", answer.status))
        })?;
        let (now_ns, mut calls) = (now_ns(), calls.borrow_mut());
        for (number, receipt) in numbers.zip(receipts) {
            calls.end(number, Fate::Acknowledged(receipt), now_ns);
        }
        return Ok(());
    }
}
