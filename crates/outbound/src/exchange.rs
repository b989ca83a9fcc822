//! One request and its answer, from an idle connection or a fresh one, to the record of what happened.

use std::cell::Cell;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::{Either, select};
use futures_util::poll;
use http::header::{CONTENT_LENGTH, LOCATION, RETRY_AFTER, TRANSFER_ENCODING};
use http::{HeaderMap, Response, StatusCode};
use hyper::body::Incoming;
use signalpost_core::attempt::{Exchange, Failure, Outcome, Timing};
use signalpost_core::ports::{BoxFuture, Clock, OutboundRequest};
use signalpost_core::time::Monotonic;

use crate::answer::{Answer, BodyEnd, Success};
use crate::client::Shared;
use crate::connect;
use crate::connection::Connection;
use crate::outcome::{Answered, Fault, Phase};
use crate::request;
use crate::retry_after;

/// Time that a body may take once its headers have come: the status is known, the rest is for display.
const BODY_TIME_MAX: Duration = Duration::from_secs(5);
/// Characters of a redirect's target that are shown.
const LOCATION_CHARS_MAX: usize = 200;

/// Sends `request` and says what happened. Ends within its timeout.
pub(crate) async fn run(shared: Rc<Shared>, request: OutboundRequest) -> Exchange {
    let course = Course::start(Arc::clone(&shared.clock));
    let mut deadline = shared.clock.sleep(request.timeout);
    let headed = {
        let waiting = pin!(headers(&shared, &request, &course));
        match select(waiting, &mut deadline).await {
            Either::Left((headed, _)) => headed,
            Either::Right(((), _)) => Err(Fault::timeout(course.phase.get(), request.timeout)),
        }
    };
    match headed {
        Ok((connection, response)) => {
            settle(&shared, &request, &course, connection, response, deadline).await
        }
        Err(fault) => Exchange {
            outcome: Outcome::Failed(fault.failure),
            detail: fault.detail,
            retry_after: None,
            timing: course.end(),
            answer: Bytes::new(),
        },
    }
}

/// Where an exchange is and where its time went.
pub(crate) struct Course {
    clock: Arc<dyn Clock>,
    started: Monotonic,
    phase: Cell<Phase>,
    phase_began: Cell<Monotonic>,
    timing: Cell<Timing>,
}

impl Course {
    fn start(clock: Arc<dyn Clock>) -> Self {
        let started = clock.monotonic();
        Self {
            clock,
            started,
            phase: Cell::new(Phase::Waiting),
            phase_began: Cell::new(started),
            timing: Cell::new(Timing::default()),
        }
    }

    /// Ends the phase before and begins this one.
    pub(crate) fn enter(&self, phase: Phase) {
        let now = self.clock.monotonic();
        self.note_connecting(now);
        self.phase.set(phase);
        self.phase_began.set(now);
    }

    /// Notes that the answer's headers have come.
    fn headed(&self) -> Monotonic {
        let now = self.clock.monotonic();
        let mut timing = self.timing.get();
        timing.first_byte_us = now.us_since(self.phase_began.get());
        self.timing.set(timing);
        now
    }

    fn end(&self) -> Timing {
        let now = self.clock.monotonic();
        self.note_connecting(now);
        let mut timing = self.timing.get();
        timing.total_us = now.us_since(self.started);
        timing
    }

    /// Time spent waiting counts only when an answer comes; that of the other phases counts however they end.
    fn note_connecting(&self, now: Monotonic) {
        let mut timing = self.timing.get();
        let us = now.us_since(self.phase_began.get());
        match self.phase.get() {
            Phase::Resolving => timing.dns_us = us,
            Phase::Connecting => timing.connect_us = us,
            Phase::TlsHandshake => timing.tls_us = us,
            Phase::Waiting => {}
        }
        self.timing.set(timing);
    }
}

/// Gets an answer's headers: from an idle connection, or from a fresh one when there is none or it was dead.
///
/// A connection that closes before any byte of an answer was most likely closed while it was idle, so the
/// request is sent once more at once. A receiver that did take it sees the same id twice.
async fn headers(
    shared: &Rc<Shared>,
    request: &OutboundRequest,
    course: &Course,
) -> Result<(Connection, Response<Incoming>), Fault> {
    let message = request::build(request)?;
    let Some(idle) = shared.take_idle(request.url.origin(), course.started) else {
        return on_fresh(shared, request, message, course).await;
    };
    match on(idle, request, message).await {
        Ok(headed) => Ok(headed),
        Err(lost) if lost.was == Was::Unheard => {
            tracing::debug!(
                origin = request.url.origin(),
                "an idle connection was dead; a fresh one is made"
            );
            on_fresh(shared, request, request::build(request)?, course).await
        }
        Err(lost) => Err(lost.fault),
    }
}

async fn on_fresh(
    shared: &Rc<Shared>,
    request: &OutboundRequest,
    message: http::Request<http_body_util::Full<Bytes>>,
    course: &Course,
) -> Result<(Connection, Response<Incoming>), Fault> {
    let fresh = connect::open(shared, &request.url, course).await?;
    on(fresh, request, message).await.map_err(|lost| lost.fault)
}

struct Lost {
    fault: Fault,
    was: Was,
}

/// What became of a request without an answer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Was {
    /// The connection closed before any byte of an answer, or before the request was written at all.
    Unheard,
    Refused,
}

async fn on(
    mut connection: Connection,
    request: &OutboundRequest,
    message: http::Request<http_body_util::Full<Bytes>>,
) -> Result<(Connection, Response<Incoming>), Lost> {
    connection.aim(&request.url).map_err(|fault| Lost { fault, was: Was::Refused })?;
    match connection.exchange(message).await {
        Ok(response) if response.status() == StatusCode::SWITCHING_PROTOCOLS => {
            let detail = "The receiver switched to another protocol (101), which was not asked for.";
            Err(Lost { fault: Fault::new(Failure::Protocol, detail), was: Was::Refused })
        }
        Ok(response) => Ok((connection, response)),
        Err((error, answered)) => {
            let fault = Fault::http(&error, answered);
            let closed = answered == Answered::Nothing && fault.failure == Failure::Reset;
            let was = if closed || error.is_canceled() { Was::Unheard } else { Was::Refused };
            Err(Lost { fault, was })
        }
    }
}

/// The status is known: reads the body within bounds and keeps the connection if it can be kept.
async fn settle(
    shared: &Rc<Shared>,
    request: &OutboundRequest,
    course: &Course,
    connection: Connection,
    response: Response<Incoming>,
    deadline: BoxFuture<'static, ()>,
) -> Exchange {
    let headed_at = course.headed();
    let (head, mut body) = response.into_parts();
    let success = if head.status.is_success() { Success::Yes } else { Success::No };
    let mut answer = Answer::new(success, &head.headers);
    let left = request.timeout.saturating_sub(Duration::from_micros(headed_at.us_since(course.started)));
    let end = read_body(shared, &mut answer, &mut body, left, deadline).await;
    if end == BodyEnd::Complete && has_one_framing(&head.headers) {
        shared.keep_idle(request.url.origin(), connection);
    }
    let retry_after =
        head.headers.get(RETRY_AFTER).and_then(|value| retry_after::parse(value, shared.clock.now()));
    Exchange {
        outcome: Outcome::Status(head.status.as_u16()),
        detail: redirect_detail(head.status, &head.headers),
        retry_after,
        timing: course.end(),
        answer: answer.into_bytes(),
    }
}

/// Two headers that say where a body ends are a sign that somebody wants two readers to disagree (RFC 9112 section 6.3):
/// whatever follows on that connection, no request of ours does.
fn has_one_framing(headers: &HeaderMap) -> bool {
    !(headers.contains_key(TRANSFER_ENCODING) && headers.contains_key(CONTENT_LENGTH))
}

async fn read_body(
    shared: &Shared,
    answer: &mut Answer,
    body: &mut Incoming,
    left: Duration,
    deadline: BoxFuture<'static, ()>,
) -> BodyEnd {
    let mut reading = pin!(answer.read(body));
    // Most bodies are short and there already: no second timer for them.
    if let Poll::Ready(end) = poll!(reading.as_mut()) {
        return end;
    }
    let limit = if left > BODY_TIME_MAX { shared.clock.sleep(BODY_TIME_MAX) } else { deadline };
    match select(reading, limit).await {
        Either::Left((end, _)) => end,
        Either::Right(((), _)) => BodyEnd::Cut,
    }
}

/// Redirects are never followed; where one pointed helps its owner to mend the URL.
fn redirect_detail(status: StatusCode, headers: &HeaderMap) -> String {
    if !status.is_redirection() {
        return String::new();
    }
    match headers.get(LOCATION).and_then(|value| value.to_str().ok()) {
        Some(location) => {
            let shown: String = location.chars().take(LOCATION_CHARS_MAX).collect();
            format!("Redirects are not followed; this one pointed to {shown}")
        }
        None => "Redirects are not followed.".to_owned(),
    }
}
