//! The generator: connections that publish, by a timetable (open loop) or as fast as they are answered (closed loop).

use std::cell::{Cell, RefCell};
use std::ops::Range;
use std::rc::Rc;
use std::time::Duration;

use signalpost_core::error::ErrorCode;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::calls::{Calls, Fate, Reason};
use super::client::{Answer, Connection};
use super::clock::{Alarm, NS_PER_S, now_ns};
use super::request::{self, Letterhead};
use super::schedule::Timetable;
use crate::cmd::Failure;

/// How long a publisher of a closed loop waits that was told to come back later.
pub(super) const LATER: Duration = Duration::from_millis(5);
/// Requests in a row without an answer, on one connection, after which the server is given up.
const UNANSWERED_MAX: u32 = 100;
/// Time after the timetable's end that publishing may take; what is left then is not sent.
const OVERTIME_NS: u64 = 60 * NS_PER_S;
/// Callers are told so by the server when they should come back.
pub(super) const LATER_STATUSES: [u16; 2] = [429, 503];
/// With which code the server refuses what it has no room for, by the status.
pub(super) const REFUSALS: [(u16, ErrorCode); 3] =
    [(429, ErrorCode::RateLimited), (503, ErrorCode::Unavailable), (507, ErrorCode::StorageFull)];

#[derive(Clone, Copy, Debug)]
pub(super) enum Pace {
    Timetable(Timetable),
    /// By a timetable too, and what was not sent by its end is never sent: for a load that nothing can keep up with.
    WhileItLasts(Timetable),
    /// Each connection sends its next event once the last one was answered, until a moment.
    Closed {
        until_ns: u64,
    },
    /// The same, until so many events were sent.
    Count(u64),
}

/// Events that are published at the same time, each stream over connections of its own: whoever publishes much keeps
/// nobody else waiting before the server is asked.
pub(super) struct Load {
    pub(super) letterhead: Letterhead,
    pub(super) streams: Vec<Stream>,
}

/// Whom to publish to, and how.
#[derive(Clone, Debug)]
pub(super) struct Stream {
    /// Events go to these routes of the book in turn.
    pub(super) routes: Range<u32>,
    pub(super) pace: Pace,
    pub(super) connections: usize,
}

struct Shift {
    letterhead: Letterhead,
    stream: Stream,
    calls: Rc<RefCell<Calls>>,
    /// Position of the next event in the timetable.
    next: Cell<u64>,
    /// Events that are due and not yet taken by a connection.
    tickets: Semaphore,
}

struct Turn {
    route: u32,
    due_ns: u64,
}

impl Load {
    /// Publishes and notes each call in the book. Must run inside a `LocalSet`.
    pub(super) async fn run(self, calls: &mut Calls) -> Result<(), Failure> {
        let Self { letterhead, streams } = self;
        let book = Rc::new(RefCell::new(std::mem::take(calls)));
        let mut shifts = JoinSet::new();
        for stream in streams {
            let (letterhead, calls) = (letterhead.clone(), Rc::clone(&book));
            let (next, tickets) = (Cell::new(0), Semaphore::new(0));
            let shift = Rc::new(Shift { letterhead, stream, calls, next, tickets });
            shifts.spawn_local(work(shift));
        }
        let published = all_of(shifts).await;
        *calls = book.take();
        published
    }
}

async fn work(shift: Rc<Shift>) -> Result<(), Failure> {
    let connections = shift.stream.connections;
    let mut callers = JoinSet::new();
    for publisher in 0..connections {
        callers.spawn_local(publish(Rc::clone(&shift), publisher));
    }
    let published = pace(&shift).await;
    // Whoever waits for a ticket gets one, sees that nothing is left, and ends.
    shift.tickets.add_permits(connections);
    published.and(all_of(callers).await)
}

/// Waits for all of them; the first failure counts.
pub(super) async fn all_of(mut callers: JoinSet<Result<(), Failure>>) -> Result<(), Failure> {
    let mut done = Ok(());
    while let Some(ended) = callers.join_next().await {
        done = done.and(ended.unwrap_or_else(|_| Err(Failure::new("a publisher broke"))));
    }
    done
}

/// Hands out a ticket for each event when it is due.
async fn pace(shift: &Shift) -> Result<(), Failure> {
    let Some((table, _)) = shift.stream.pace.table() else { return Ok(()) };
    let alarm = Alarm::new().map_err(|error| Failure::io("no timer", error))?;
    let mut released = 0;
    while released < table.events {
        let rung = alarm.wait_until(table.due_ns(released)).await;
        rung.map_err(|error| Failure::io("the timer broke", error))?;
        let due = table.due_by(now_ns()).max(released);
        shift.tickets.add_permits(usize::try_from(due - released).expect("events of one wake-up fit"));
        released = due;
    }
    Ok(())
}

impl Pace {
    /// The timetable, if it goes by one, and how long after its end what is late may be sent.
    const fn table(&self) -> Option<(Timetable, u64)> {
        match self {
            Self::Timetable(table) => Some((*table, OVERTIME_NS)),
            Self::WhileItLasts(table) => Some((*table, 0)),
            Self::Closed { .. } | Self::Count(_) => None,
        }
    }

    /// How long a publisher leaves the server alone that has refused it.
    fn patience(&self, come_again_s: Option<u64>) -> Duration {
        match self {
            // Others publish meanwhile what is due.
            Self::WhileItLasts(table) => {
                let left = Duration::from_nanos(table.end_ns().saturating_sub(now_ns()));
                come_again_s.map_or(LATER, Duration::from_secs).min(left)
            }
            Self::Timetable(_) => Duration::ZERO,
            Self::Closed { .. } | Self::Count(_) => LATER,
        }
    }
}

impl Shift {
    fn route(&self, position: u64) -> u32 {
        let Range { start, end } = self.stream.routes;
        start + u32::try_from(position % u64::from(end - start)).expect("below a number of 32 bits")
    }

    /// Waits for the next event that is to be sent; `None` when there is none left.
    async fn turn(&self) -> Option<Turn> {
        let position = self.next.get();
        match self.stream.pace {
            Pace::Closed { until_ns } => {
                let due_ns = now_ns();
                self.next.set(position + 1);
                (due_ns < until_ns).then(|| Turn { route: self.route(position), due_ns })
            }
            Pace::Count(events) => {
                self.next.set(position + 1);
                (position < events).then(|| Turn { route: self.route(position), due_ns: now_ns() })
            }
            Pace::Timetable(_) | Pace::WhileItLasts(_) => self.due_turn().await,
        }
    }

    async fn due_turn(&self) -> Option<Turn> {
        let (table, overtime_ns) = self.stream.pace.table()?;
        self.tickets.acquire().await.expect("the semaphore is never closed").forget();
        let position = self.next.get();
        if position >= table.events || now_ns() > table.end_ns() + overtime_ns {
            return None;
        }
        self.next.set(position + 1);
        Some(Turn { route: self.route(position), due_ns: table.due_ns(position) })
    }

    /// Writes the request of an event into `bytes` and its line into the book.
    fn begin(&self, turn: &Turn, bytes: &mut Vec<u8>) -> u64 {
        let mut calls = self.calls.borrow_mut();
        let number = calls.begin(turn.route, turn.due_ns, now_ns());
        let route = &calls.routes[usize::try_from(turn.route).expect("32 bits fit")];
        self.letterhead.event(route, number, bytes);
        number
    }
}

async fn publish(shift: Rc<Shift>, publisher: usize) -> Result<(), Failure> {
    let mut connection = Connection::new(shift.letterhead.operator_of(publisher));
    if let Pace::Timetable(_) = shift.stream.pace {
        // Whoever publishes at a steady rate connected long before: that is no part of what an event takes.
        connection.warm_up().await;
    }
    let (mut request, mut unanswered) = (Vec::new(), 0);
    while let Some(turn) = shift.turn().await {
        let number = shift.begin(&turn, &mut request);
        let (fate, come_again_s) = match connection.exchange(&request).await {
            Ok(answer) => (fate(&answer)?, answer.retry_after_s),
            Err(error) if unanswered == UNANSWERED_MAX => {
                return Err(Failure::io("the server does not answer any more", error));
            }
            Err(_) => {
                // The line in the book says already that its fate is unknown.
                unanswered += 1;
                tokio::time::sleep(LATER).await;
                continue;
            }
        };
        unanswered = 0;
        shift.calls.borrow_mut().end(number, fate, now_ns());
        if matches!(fate, Fate::Refused { .. }) {
            tokio::time::sleep(shift.stream.pace.patience(come_again_s)).await;
        }
    }
    Ok(())
}

fn fate(answer: &Answer<'_>) -> Result<Fate, Failure> {
    let Answer { status, retry_after_s, body } = *answer;
    if let Some((_, code)) = REFUSALS.into_iter().find(|(known, _)| *known == status) {
        let given = retry_after_s.is_some() && request::code_of(body).is_some_and(|said| said == code.name());
        return Ok(Fate::Refused { status, told: if given { Reason::Given } else { Reason::Missing } });
    }
    let receipt = if status == 202 { request::receipt(body) } else { None };
    receipt.map(Fate::Acknowledged).ok_or_else(|| {
        Failure::new(format!("publishing was answered with {status}: {}", String::from_utf8_lossy(body)))
    })
}

#[cfg(test)]
mod tests {
    use super::super::group::Group;
    use super::*;
    use signalpost_core::id::EventId;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};
    use tokio::task::LocalSet;

    #[test]
    fn an_answer_decides_the_fate() {
        let id = EventId::from_raw(9).to_public();
        let body = format!(r#"{{"id":"{id}","sequence":1,"deliveries":2}}"#);
        let receipt = request::Receipt { event: 9, deliveries: 2 };
        let of = |status, body: &str, retry_after_s| {
            fate(&Answer { status, retry_after_s, body: body.as_bytes() })
        };
        assert_eq!(of(202, &body, None).expect("understood"), Fate::Acknowledged(receipt));
        for (status, code) in [(429, "rate_limited"), (503, "unavailable"), (507, "storage_full")] {
            let problem = format!(r#"{{"status":{status},"code":"{code}"}}"#);
            let refused = |body: &str, retry_after_s| of(status, body, retry_after_s).expect("understood");
            let told = |told| Fate::Refused { status, told };
            assert_eq!(refused(&problem, Some(1)), told(Reason::Given));
            assert_eq!(refused(&problem, None), told(Reason::Missing), "when is not said");
            assert_eq!(refused(r#"{"code":"internal"}"#, Some(1)), told(Reason::Missing), "another code");
            assert_eq!(refused("", Some(1)), told(Reason::Missing));
        }
        assert!(of(202, "{}", None).is_err(), "an acknowledgement without a receipt");
        assert!(of(404, "", None).is_err());
    }

    const TARGETS: Range<u32> = 0..1;

    /// Publishes three events over one connection to a server that treats each request as `answer` says.
    async fn published_to(pace: Pace, answer: impl AsyncFn(u64, &mut TcpStream) + 'static) -> Calls {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let operator = listener.local_addr().expect("it is bound");
        tokio::task::spawn_local(async move {
            let mut requests = 0;
            loop {
                let (mut stream, _) = listener.accept().await.expect("our own caller");
                let mut buffer = Vec::new();
                // The end of a connection is one of the cases.
                while stream.read_buf(&mut buffer).await.is_ok_and(|read| read > 0) {
                    if buffer.ends_with(b"}}") {
                        buffer.clear();
                        answer(requests, &mut stream).await;
                        requests += 1;
                    }
                }
            }
        });
        let (workspace, event_type) = ("ws".to_owned(), "t".to_owned());
        let group = Group::Measured;
        let route = request::Route { workspace, event_type, targets: TARGETS, group };
        let mut calls = Calls { routes: vec![route], ..Calls::default() };
        let letterhead = Letterhead::new(operator, "key".to_owned(), 64);
        let load = Load { letterhead, streams: vec![Stream { routes: 0..1, pace, connections: 1 }] };
        load.run(&mut calls).await.expect("publishing goes on");
        calls
    }

    async fn acknowledge(stream: &mut TcpStream) {
        let body = format!(r#"{{"id":"{}","sequence":1,"deliveries":1}}"#, EventId::from_raw(9).to_public());
        let head = format!("HTTP/1.1 202 Accepted\r\ncontent-length: {}\r\n\r\n", body.len());
        stream.write_all((head + &body).as_bytes()).await.expect("the publisher listens");
    }

    fn three_events() -> Timetable {
        Timetable::new(now_ns(), 1_000.0, 0.003)
    }

    #[tokio::test(flavor = "current_thread")]
    async fn waiting_for_a_slow_answer_counts_from_the_timetable() {
        let table = three_events();
        let late_ns = table.end_ns() + 5_000_000;
        let answer = async move |request, stream: &mut TcpStream| {
            if request == 0 {
                Alarm::new().expect("a timer").wait_until(late_ns).await.expect("it rings");
            }
            acknowledge(stream).await;
        };
        let calls = LocalSet::new().run_until(published_to(Pace::Timetable(table), answer)).await;
        let due: Vec<u64> = calls.book.iter().map(|call| call.due_ns).collect();
        assert_eq!(due, [table.due_ns(0), table.due_ns(1), table.due_ns(2)]);
        for call in &calls.book {
            assert!(matches!(call.fate, Fate::Acknowledged(_)) && call.answered_ns >= late_ns, "{call:?}");
        }
        assert!(calls.book[2].sent_ns >= late_ns, "one connection sends one after the other");
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_request_without_an_answer_stays_unknown() {
        let answer = async |request, stream: &mut TcpStream| match request {
            1 => stream.shutdown().await.expect("an open connection"),
            _ => acknowledge(stream).await,
        };
        let calls = LocalSet::new().run_until(published_to(Pace::Timetable(three_events()), answer)).await;
        let sum = calls.sum(0..3);
        assert_eq!((sum.acknowledged, sum.unknown, sum.unknown_deliveries), (2, 1, 1));
        assert_eq!(calls.book[1].fate, Fate::Unknown);
    }
    #[tokio::test(flavor = "current_thread")]
    async fn what_is_late_is_left_out_while_it_lasts() {
        let table = three_events();
        let late_ns = table.end_ns() + 5_000_000;
        let answer = async move |_, stream: &mut TcpStream| {
            Alarm::new().expect("a timer").wait_until(late_ns).await.expect("it rings");
            acknowledge(stream).await;
        };
        let calls = LocalSet::new().run_until(published_to(Pace::WhileItLasts(table), answer)).await;
        assert_eq!(calls.book.len(), 1, "the timetable was over when the first was answered");
    }
}
