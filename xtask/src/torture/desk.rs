//! How webhooks of each dialect are made, switched and deleted: requests and what their answers tell.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use signalpost_testkit::{HttpClient, Request, Response};

use super::events::{AGENTS, NATIVE, SUBJECTS, Wants, types};
use super::ledger::State;

/// As for publishers: shorter than a freeze.
const ANSWER_TIMEOUT: Duration = Duration::from_millis(1_500);

/// Where there are several servers, an answer may have to wait until one that stands still has gone on or lost its lease. Who
/// waits this long and has none has found a call that hangs.
const PATIENCE: Duration = Duration::from_secs(30);

/// Where one workspace's webhooks are managed: at any of the servers.
pub(super) struct Desk {
    pub(super) workspace: usize,
    pub(super) workspace_id: String,
    /// The customer's credential; the operator's key in a native workspace.
    credential: String,
    operator_key: String,
    counters: Vec<Counter>,
    /// The one at which calls are made, until it does not answer.
    at: usize,
    /// Whether calls that are not answered for long are faults.
    is_patient: bool,
}

/// One server's.
struct Counter {
    client: HttpClient,
    operator: HttpClient,
}

/// A webhook as the answer to its creation tells it.
pub(super) struct Created {
    pub(super) id: String,
    pub(super) secret: String,
}

/// What is to be done to a webhook that there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Deed {
    SwitchOff,
    SwitchOn,
    Delete,
}

/// What a call came to.
pub(super) enum Reached<T> {
    Done(T),
    /// Nobody knows whether it was done.
    Unanswered,
    /// It was not done, and may be tried again.
    Refused,
    /// An answer that is not documented.
    Fault(String),
}

impl Desk {
    pub(super) fn new(
        workspace: usize,
        workspace_id: &str,
        credential: &str,
        addresses: &[(SocketAddr, SocketAddr)],
        operator_key: &str,
    ) -> Self {
        // Who goes elsewhere soon and who waits are different callers; there are both.
        let is_patient = addresses.len() > 1 && workspace == NATIVE;
        let timeout = if is_patient { PATIENCE } else { ANSWER_TIMEOUT };
        let counter = |(public, operator): &(SocketAddr, SocketAddr)| Counter {
            client: HttpClient::new(if workspace == NATIVE { *operator } else { *public }, timeout),
            operator: HttpClient::new(*operator, ANSWER_TIMEOUT),
        };
        Self {
            workspace,
            workspace_id: workspace_id.to_owned(),
            credential: credential.to_owned(),
            operator_key: operator_key.to_owned(),
            counters: addresses.iter().map(counter).collect(),
            at: workspace % addresses.len(),
            is_patient,
        }
    }

    /// Calls at one server; the next call goes to another one when this is not answered.
    fn call(&mut self, request: &Request) -> std::io::Result<Response> {
        let at = self.at;
        let answer = self.counters[at].client.send(request);
        self.stay_if(answer)
    }

    fn stay_if(&mut self, answer: std::io::Result<Response>) -> std::io::Result<Response> {
        if answer.is_err() {
            self.at = (self.at + 1) % self.counters.len();
        }
        answer
    }

    /// Whether a call came to nothing that somebody with patience has made.
    fn hung<T>(&self, what: &str, reached: Reached<T>, asked: Instant) -> Reached<T> {
        match reached {
            Reached::Unanswered if self.is_patient && asked.elapsed() >= PATIENCE => {
                Reached::Fault(format!("{what} was not answered for {} s", PATIENCE.as_secs()))
            }
            other => other,
        }
    }

    /// Whether an unanswered creation can be repeated and makes one webhook all the same.
    pub(super) const fn can_repeat_creation(&self) -> bool {
        self.workspace == NATIVE
    }

    /// What switching off means here for what is pending.
    pub(super) const fn state_when_off(&self) -> State {
        if self.workspace == super::events::PARTNER { State::Held } else { State::Off }
    }

    /// Creates a webhook. `key` names the call, where calls can be named.
    pub(super) fn create(&mut self, url: &str, wants: Wants, key: &str) -> Reached<Created> {
        let kinds = types(self.workspace);
        let events: Vec<&str> =
            (0..kinds.len()).filter(|kind| wants.kinds[*kind]).map(|kind| kinds[kind]).collect();
        let body = match self.workspace {
            NATIVE => {
                json!({"url": url, "events": events, "filter": wants.filter(), "ordered": wants.in_order})
            }
            AGENTS => json!({"name": "torture", "agentId": SUBJECTS[0], "url": url, "events": events}),
            _ => json!({"url": url, "eventTypes": events}),
        };
        let request = self.authorized(Request::new("POST", self.collection().as_str()).json(&body));
        let request =
            if self.can_repeat_creation() { request.header("idempotency-key", key) } else { request };
        let asked = Instant::now();
        let answer = self.call(&request);
        let reached = reached(answer, &[200, 201], |response| created(&response.json()));
        self.hung("a creation", reached, asked)
    }

    /// Does it; what is done already counts as done.
    pub(super) fn act(&mut self, id: &str, deed: Deed) -> Reached<()> {
        let path = format!("{}/{id}", self.collection());
        let active = deed == Deed::SwitchOn;
        let body = match self.workspace {
            NATIVE | AGENTS => json!({"active": active}),
            _ => json!({"status": if active { "ACTIVE" } else { "DISABLED" }}),
        };
        let (request, good): (Request, &[u16]) = match deed {
            Deed::Delete => (Request::new("DELETE", &path), &[200, 204, 404]),
            Deed::SwitchOff | Deed::SwitchOn => (Request::new("PATCH", &path).json(&body), &[200]),
        };
        let asked = Instant::now();
        let answer = self.call(&self.authorized(request));
        self.hung("a change", reached(answer, good, |_| Some(())), asked)
    }

    /// Ids and URLs of all webhooks of the workspace.
    pub(super) fn list(&mut self) -> Reached<Vec<(String, String)>> {
        let mut all = Vec::new();
        let mut cursor = String::new();
        loop {
            let path = format!("/v1/workspaces/{}/webhooks?limit=250{cursor}", self.workspace_id);
            let request =
                Request::new("GET", &path).header("authorization", &format!("Bearer {}", self.operator_key));
            let at = self.at;
            let answer = self.counters[at].operator.send(&request);
            let page = match reached(self.stay_if(answer), &[200], |response| Some(response.json())) {
                Reached::Done(page) => page,
                Reached::Unanswered => return Reached::Unanswered,
                Reached::Refused => return Reached::Refused,
                Reached::Fault(fault) => return Reached::Fault(fault),
            };
            let text = |row: &Value, name: &str| row[name].as_str().map(str::to_owned);
            let rows = page["data"].as_array().into_iter().flatten();
            all.extend(rows.filter_map(|row| Some((text(row, "id")?, text(row, "url")?))));
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return Reached::Done(all),
            }
        }
    }

    fn collection(&self) -> String {
        match self.workspace {
            NATIVE => format!("/v1/workspaces/{}/webhooks", self.workspace_id),
            AGENTS => "/v1/webhooks".to_owned(),
            _ => "/api/partner/v1/webhook-endpoints".to_owned(),
        }
    }

    fn authorized(&self, request: Request) -> Request {
        match self.workspace {
            AGENTS => request.header("x-api-key", &self.credential),
            _ => request.header("authorization", &format!("Bearer {}", self.credential)),
        }
    }
}

fn reached<T>(
    answer: std::io::Result<Response>,
    good: &[u16],
    read: impl FnOnce(&Response) -> Option<T>,
) -> Reached<T> {
    let Ok(response) = answer else { return Reached::Unanswered };
    match response.status {
        429 | 503 | 507 => Reached::Refused,
        status if good.contains(&status) => match read(&response) {
            Some(value) => Reached::Done(value),
            None => Reached::Fault(format!("an answer {status} is not as documented: {}", response.text())),
        },
        status => {
            Reached::Fault(format!("a call about webhooks was answered with {status}: {}", response.text()))
        }
    }
}

/// The places of id and secret in the three dialects.
fn created(json: &Value) -> Option<Created> {
    let id = json["id"].as_str().or(json["webhookId"].as_str()).or(json["webhookEndpoint"]["id"].as_str())?;
    Some(Created { id: id.to_owned(), secret: json["secret"].as_str()?.to_owned() })
}

#[cfg(test)]
mod tests {
    use signalpost_testkit::free_port;

    use super::*;

    #[test]
    fn a_desk_goes_elsewhere_when_it_is_not_answered() {
        let nobody = || SocketAddr::from(([127, 0, 0, 1], free_port()));
        let addresses = [(nobody(), nobody()), (nobody(), nobody())];
        let mut desk = Desk::new(NATIVE, "w", "key", &addresses, "key");
        assert_eq!(desk.at, NATIVE);
        assert!(matches!(desk.act("id", Deed::Delete), Reached::Unanswered));
        assert!(matches!((desk.list(), desk.at), (Reached::Unanswered, 0)));
        let long_ago = Instant::now().checked_sub(PATIENCE).expect("the machine runs for longer");
        assert!(matches!(desk.hung("it", Reached::Unanswered::<()>, long_ago), Reached::Fault(_)));
        assert!(matches!(desk.hung("it", Reached::Unanswered::<()>, Instant::now()), Reached::Unanswered));
    }

    #[test]
    fn created_webhooks_are_read_in_every_dialect() {
        for json in [
            json!({"id": "w", "secret": "s"}),
            json!({"webhookId": "w", "secret": "s"}),
            json!({"webhookEndpoint": {"id": "w"}, "secret": "s"}),
        ] {
            let created = created(&json).expect("all is there");
            assert_eq!((created.id.as_str(), created.secret.as_str()), ("w", "s"));
        }
        assert!(created(&json!({"id": "w"})).is_none());
    }

    #[test]
    fn an_answer_is_done_refused_or_a_fault() {
        let answer = |status| Ok(Response { status, headers: Vec::new(), body: Vec::new() });
        let read = |answer| reached(answer, &[204], |_| Some(()));
        assert!(matches!(read(answer(204)), Reached::Done(())));
        assert!(matches!(read(answer(507)), Reached::Refused));
        assert!(matches!(read(answer(400)), Reached::Fault(_)));
        assert!(matches!(read(Err(std::io::ErrorKind::TimedOut.into())), Reached::Unanswered));
    }
}
