//! The receivers' side of the ledger: every webhook with all that was done to it, every arrival, and the answers, some of
//! them bad.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use signalpost_testkit::{Answer, Ending, Recorded};

use super::book::fingerprint;
use super::events::{AGENTS, NATIVE, PARTNER, Wants, is_doomed};
use super::heartbeat;
use super::stopwatch::{Ms, Span, Stopwatch};
use crate::signature::Scheme;

/// Receivers take their time, each event another one; what is in flight at a kill is never nothing.
const DELAYS_MS: u32 = 20;
/// Longer than an attempt may last.
const HANG: Duration = Duration::from_millis(2_600);
/// A body that never comes to its end, behind a head that says 200.
const STAND_STILL: Duration = Duration::from_millis(700);
pub(super) const RETRY_AFTER_S: u32 = 2;
/// Deliveries that came before the answer which tells their secret; they are verified once it is known.
const WAITING_MAX: usize = 200;

/// How a receiver answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Temper {
    Steady,
    /// Fails some attempts, and some events always; goes away at times.
    Failing,
}

/// What became of an arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reply {
    Taken,
    /// 200, and a body that does not come to its end.
    TakenSlowly,
    ServerError,
    /// 503 with `Retry-After`.
    Unavailable,
    /// 429 with `Retry-After`.
    TooMany,
    /// No answer before the attempt's time was over.
    Hung,
    /// The connection was closed instead of an answer.
    CutOff,
    /// Not one of ours.
    Strange,
}

impl Reply {
    pub(super) const fn is_taken(self) -> bool {
        matches!(self, Self::Taken | Self::TakenSlowly)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Signed {
    Well,
    Badly,
    /// The secret never came to be known: the answer that told it was lost.
    Unverified,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Arrival {
    pub(super) hook: u16,
    pub(super) number: u32,
    pub(super) at: Ms,
    /// Until the answer was written.
    pub(super) busy_ms: u16,
    pub(super) reply: Reply,
    pub(super) signed: Signed,
    /// The signed timestamp against true time, where there is one.
    pub(super) skew_ms: Option<i32>,
    /// What the delivery calls its event, as a fingerprint, or its number where that is the name.
    pub(super) wire_id: u64,
}

impl Arrival {
    /// From its last byte to the answer's.
    pub(super) fn exchange(&self) -> Span {
        Span::new(self.at, self.at + Ms::from(self.busy_ms))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Active,
    /// Off, and what is pending is dropped.
    Off,
    /// Off, and what is pending waits.
    Held,
    Deleted,
}

/// Something that was done to a webhook. Between the question and the answer nobody knows its state.
#[derive(Clone, Copy, Debug)]
pub(super) struct Change {
    pub(super) to: State,
    pub(super) asked: Ms,
    pub(super) answered: Option<Ms>,
}

#[derive(Clone, Debug)]
pub(super) struct Hook {
    pub(super) workspace: usize,
    pub(super) wants: Wants,
    pub(super) temper: Temper,
    /// The server's id, once it is known.
    pub(super) id: Option<String>,
    pub(super) changes: Vec<Change>,
    secret: Option<Arc<str>>,
    /// Arrivals whose secret is not known yet, with their places.
    waiting: Vec<(usize, Recorded)>,
}

pub(super) struct Ledger {
    pub(super) stopwatch: Stopwatch,
    seed: u64,
    pages: Mutex<Pages>,
}

#[derive(Default)]
struct Pages {
    hooks: Vec<Hook>,
    arrivals: Vec<Arrival>,
    /// How often an event came that a receiver refuses at first.
    tries: HashMap<(u16, u32), u32>,
}

impl Ledger {
    pub(super) fn new(seed: u64) -> Self {
        Self { stopwatch: Stopwatch::start(), seed, pages: Mutex::default() }
    }

    /// A new webhook that is not created yet; returns its number, which is also its path.
    pub(super) fn add_hook(&self, workspace: usize, wants: Wants, temper: Temper) -> u16 {
        let mut pages = self.pages();
        let (id, secret) = (None, None);
        pages.hooks.push(Hook {
            workspace,
            wants,
            temper,
            id,
            changes: Vec::new(),
            secret,
            waiting: Vec::new(),
        });
        u16::try_from(pages.hooks.len() - 1).expect("a run has some thousand webhooks at most")
    }

    /// Notes that a change is being asked for; returns its place for [`Self::answered`].
    pub(super) fn asked(&self, hook: u16, to: State) -> usize {
        let asked = self.stopwatch.now();
        let changes = &mut self.pages().hooks[usize::from(hook)].changes;
        changes.push(Change { to, asked, answered: None });
        changes.len() - 1
    }

    pub(super) fn answered(&self, hook: u16, change: usize) {
        let now = self.stopwatch.now();
        self.pages().hooks[usize::from(hook)].changes[change].answered = Some(now);
    }

    pub(super) fn set_id(&self, hook: u16, id: &str) {
        self.pages().hooks[usize::from(hook)].id = Some(id.to_owned());
    }

    /// Makes a secret known, and verifies what came before.
    pub(super) fn set_secret(&self, hook: u16, secret: &str) {
        let mut pages = self.pages();
        let known = &mut pages.hooks[usize::from(hook)];
        known.secret = Some(Arc::from(secret));
        let (workspace, waiting) = (known.workspace, std::mem::take(&mut known.waiting));
        for (place, request) in waiting {
            pages.arrivals[place].signed = verify(workspace, Some(secret), &request);
        }
    }

    /// Decides the answer to a delivery and writes both down.
    pub(super) fn receive(&self, request: Recorded) -> Answer {
        if request.path == heartbeat::PATH {
            // It waits for its turn as a delivery does.
            drop(self.pages());
            return Answer::status(200);
        }
        let at = self.stopwatch.at(request.received_at);
        let body = request.json();
        let hook = request.path.strip_prefix("/h").and_then(|text| text.parse::<u16>().ok());
        let known = hook.and_then(|hook| {
            let pages = self.pages();
            let known = pages.hooks.get(usize::from(hook))?;
            Some((hook, known.workspace, known.temper, known.secret.clone()))
        });
        let number = body["data"]["number"].as_u64().and_then(|number| u32::try_from(number).ok());
        let (Some((hook, workspace, temper, secret)), Some(number)) = (known, number) else {
            self.pages().arrivals.push(strange(at));
            return Answer::status(400);
        };
        let signed = verify(workspace, secret.as_deref(), &request);
        let stamp_s = stamp_of(workspace, &request);
        let skew = stamp_s.map(|stamp_s| {
            let skew_ms = (stamp_s * 1_000).saturating_sub(self.stopwatch.wall_ms(at));
            i32::try_from(skew_ms).unwrap_or(if skew_ms < 0 { i32::MIN } else { i32::MAX })
        });
        let wire_id = wire_id(workspace, &request, &body);
        let mut pages = self.pages();
        let reply = pages.reply(self.seed, temper, hook, number);
        let (answer, busy) = answer_of(reply, Duration::from_millis(u64::from(number % DELAYS_MS)));
        let busy_ms = u16::try_from(busy.as_millis()).unwrap_or(u16::MAX);
        let skew_ms = skew;
        pages.arrivals.push(Arrival { hook, number, at, busy_ms, reply, signed, skew_ms, wire_id });
        if signed == Signed::Unverified {
            let place = pages.arrivals.len() - 1;
            let waiting = &mut pages.hooks[usize::from(hook)].waiting;
            if waiting.len() < WAITING_MAX {
                waiting.push((place, request));
            }
        }
        answer
    }

    pub(super) fn hooks(&self) -> Vec<Hook> {
        self.pages().hooks.clone()
    }

    /// Takes all arrivals out, once nothing comes any more.
    pub(super) fn take_arrivals(&self) -> Vec<Arrival> {
        std::mem::take(&mut self.pages().arrivals)
    }

    /// Number of arrivals so far.
    pub(super) fn arrivals(&self) -> usize {
        self.pages().arrivals.len()
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pages {
    fn reply(&mut self, seed: u64, temper: Temper, hook: u16, number: u32) -> Reply {
        if temper == Temper::Steady {
            return Reply::Taken;
        }
        if is_doomed(number) {
            return Reply::ServerError;
        }
        let mut draw = signalpost_testkit::Rng::new(seed ^ u64::from(hook) << 40 ^ u64::from(number));
        let failures = match draw.below(100) {
            0..3 => 2,
            3..15 => 1,
            15..17 => return Reply::TakenSlowly,
            _ => return Reply::Taken,
        };
        let tries = self.tries.entry((hook, number)).or_default();
        *tries += 1;
        if *tries > failures {
            return Reply::Taken;
        }
        // Those that ask for patience are few: each stops its webhook for as long as it asks for.
        match draw.below(40) {
            0..30 => Reply::ServerError,
            30 => Reply::Unavailable,
            31 => Reply::TooMany,
            32..36 => Reply::Hung,
            _ => Reply::CutOff,
        }
    }
}

/// The answer, and how long it takes until its last byte.
fn answer_of(reply: Reply, delay: Duration) -> (Answer, Duration) {
    let later = |status| Answer::status(status).header("retry-after", &RETRY_AFTER_S.to_string());
    let answer = match reply {
        Reply::Taken => Answer::status(200),
        Reply::TakenSlowly => {
            let answer = Answer::status(200).body(b"much to say").ending(Ending::StandStill(STAND_STILL));
            return (answer.after(delay), delay + STAND_STILL);
        }
        Reply::ServerError => Answer::status(500).body(b"no"),
        Reply::Unavailable => later(503),
        Reply::TooMany => later(429),
        Reply::Hung => return (Answer::status(200).after(HANG), HANG),
        Reply::CutOff => Answer::status(200).ending(Ending::CloseUnanswered),
        Reply::Strange => Answer::status(400),
    };
    (answer.after(delay), delay)
}

const fn strange(at: Ms) -> Arrival {
    Arrival {
        hook: u16::MAX,
        number: u32::MAX,
        at,
        busy_ms: 0,
        reply: Reply::Strange,
        signed: Signed::Badly,
        skew_ms: None,
        wire_id: 0,
    }
}

fn scheme(workspace: usize) -> Scheme {
    match workspace {
        NATIVE => Scheme::standard_webhooks(),
        AGENTS => Scheme::hex_of_body("x-sigmamind-signature"),
        _ => Scheme {
            value: "t={t},v1={signature}".to_owned(),
            content: "{t}.{body}".to_owned(),
            ..Scheme::hex_of_body("x-opentrain-signature")
        },
    }
}

fn verify(workspace: usize, secret: Option<&str>, request: &Recorded) -> Signed {
    match secret {
        None => Signed::Unverified,
        Some(secret) if scheme(workspace).verify(secret, request).is_ok() => Signed::Well,
        Some(_) => Signed::Badly,
    }
}

/// The signed timestamp, in seconds since 1970.
fn stamp_of(workspace: usize, request: &Recorded) -> Option<i64> {
    match workspace {
        NATIVE => request.header("webhook-timestamp")?.parse().ok(),
        PARTNER => {
            let value = request.header("x-opentrain-signature")?;
            value.strip_prefix("t=")?.split(',').next()?.parse().ok()
        }
        _ => None,
    }
}

fn wire_id(workspace: usize, request: &Recorded, body: &serde_json::Value) -> u64 {
    match workspace {
        NATIVE => request.header("webhook-id").map(fingerprint),
        AGENTS => body["eventId"].as_str().map(fingerprint),
        _ => body["id"].as_str().and_then(|id| id.parse().ok()),
    }
    .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    /// A partner's delivery; the digest was made with OpenSSL: `printf '1800000000.%s' "$body" | openssl dgst -hmac`.
    fn delivery(path: &str, signature: &str) -> Recorded {
        Recorded {
            method: "POST".to_owned(),
            path: path.to_owned(),
            headers: vec![("x-opentrain-signature".to_owned(), format!("t=1800000000,v1={signature}"))],
            body: br#"{"id":"7","data":{"number":2}}"#.to_vec(),
            received_at: Instant::now(),
        }
    }

    #[test]
    fn arrivals_are_written_down_and_verified_as_soon_as_the_secret_is_known() {
        let ledger = Ledger::new(1);
        let hook = ledger.add_hook(PARTNER, Wants::ALL, Temper::Steady);
        let good = DIGEST;
        assert_eq!(ledger.receive(delivery("/h0", good)).status, 200);
        ledger.set_secret(hook, SECRET);
        assert_eq!(ledger.receive(delivery("/h0", good)).status, 200);
        assert_eq!(ledger.receive(delivery("/h0", "00")).status, 200);
        assert_eq!(ledger.receive(delivery("/h9", good)).status, 400);
        let arrivals = ledger.take_arrivals();
        let signed: Vec<Signed> = arrivals.iter().map(|arrival| arrival.signed).collect();
        assert_eq!(signed, [Signed::Well, Signed::Well, Signed::Badly, Signed::Badly]);
        assert_eq!((arrivals[0].number, arrivals[0].wire_id, arrivals[0].reply), (2, 7, Reply::Taken));
        assert!(arrivals[0].skew_ms.is_some_and(|skew| skew.abs() > 1_000), "2027 is not now");
        assert_eq!(arrivals[3].reply, Reply::Strange);
    }

    const DIGEST: &str = "fbba0a18e98918031adddcd3e73c5584cda0149c39e2b4bcbe7f22d85fc78148";

    #[test]
    fn a_failing_receiver_gives_in_at_last_but_for_what_is_doomed() {
        let mut pages = Pages::default();
        let mut kinds = std::collections::BTreeSet::new();
        for number in 0..2_000 {
            let replies: Vec<Reply> = (0..4).map(|_| pages.reply(9, Temper::Failing, 3, number)).collect();
            kinds.insert(replies[0]);
            assert_eq!(is_doomed(number), !replies[3].is_taken(), "{number}: {replies:?}");
        }
        assert_eq!(kinds.len(), 7, "{kinds:?}");
        assert_eq!(pages.reply(9, Temper::Steady, 3, 5), Reply::Taken);
    }
}
