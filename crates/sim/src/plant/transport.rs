//! A transport that does something else with some requests than it was asked to.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;
use signalpost_core::attempt::{Exchange, Failure, Outcome, Timing};
use signalpost_core::ports::{LocalBoxFuture, OutboundRequest, Transport};
use signalpost_core::target_url::TargetUrl;

use crate::chance::SharedChance;
use crate::executor::Group;
use crate::ground::Ground;
use crate::network::{DELIVERY_HEADER, EVENT_HEADER, SIGNATURE_HEADER};
use crate::plant::Plant;

const STAMP_HEADER: &str = "x-timestamp";
/// How long an attempt waits that starts late: long enough for a webhook to change.
const LATE_MS: u64 = 3_000;

type Headers = Vec<(Arc<str>, String)>;

pub(crate) struct PlantedTransport {
    plant: Plant,
    inner: Rc<dyn Transport>,
    ground: Rc<Ground>,
    chance: Arc<SharedChance>,
    group: Group,
    /// The headers of the first attempt of each delivery.
    first: RefCell<BTreeMap<String, Headers>>,
}

impl PlantedTransport {
    pub(crate) fn new(
        plant: Plant,
        inner: Rc<dyn Transport>,
        ground: Rc<Ground>,
        chance: Arc<SharedChance>,
        group: Group,
    ) -> Self {
        Self { plant, inner, ground, chance, group, first: RefCell::default() }
    }

    fn bend(&self, request: &mut OutboundRequest) {
        let rare = || self.chance.draw().permille(50);
        match self.plant {
            Plant::ChangeEventId if self.first_headers(request).is_some() => {
                change(&mut request.headers, EVENT_HEADER, |value| value.push('x'));
            }
            Plant::ReuseTimestamp => {
                if let Some(first) = self.first_headers(request) {
                    reuse(&mut request.headers, &first);
                }
            }
            Plant::DamageSignature if rare() => {
                change(&mut request.headers, SIGNATURE_HEADER, |value| value.push('x'));
            }
            Plant::WrongHost if rare() => {
                let url = request.url.as_str().replacen("http://w", "http://w9", 1);
                request.url = Arc::new(TargetUrl::parse(&url).expect("another name is as good"));
            }
            _ => {}
        }
    }

    /// Those of the delivery's first attempt by this core, if this is not it.
    fn first_headers(&self, request: &OutboundRequest) -> Option<Headers> {
        let delivery = header(&request.headers, DELIVERY_HEADER)?;
        let mut first = self.first.borrow_mut();
        let known = first.get(&delivery).cloned();
        first.entry(delivery).or_insert_with(|| request.headers.clone());
        known
    }
}

impl Transport for PlantedTransport {
    fn send(&self, mut request: OutboundRequest) -> LocalBoxFuture<'static, Exchange> {
        self.bend(&mut request);
        let (plant, ground, inner) = (self.plant, Rc::clone(&self.ground), Rc::clone(&self.inner));
        let hit = |odds| self.chance.draw().permille(odds);
        match plant {
            Plant::StartLate if hit(300) => Box::pin(async move {
                ground.sleep_ms(LATE_MS).await;
                inner.send(request).await
            }),
            Plant::SendTwice if hit(50) => {
                let twin = inner.send(request.clone());
                ground.spawn(self.group, async move { drop(twin.await) });
                inner.send(request)
            }
            Plant::LeakRequests => {
                let left = inner.send(request);
                ground.spawn(self.group, async move { drop(left.await) });
                Box::pin(std::future::ready(given_up()))
            }
            _ => Box::pin(async move { misread(plant, inner.send(request).await) }),
        }
    }
}

fn header(headers: &[(Arc<str>, String)], name: &str) -> Option<String> {
    headers.iter().find(|(known, _)| &**known == name).map(|(_, value)| value.clone())
}

fn change(headers: &mut [(Arc<str>, String)], name: &str, how: impl FnOnce(&mut String)) {
    let found = headers.iter_mut().find(|(known, _)| &**known == name);
    how(&mut found.expect("every profile of this world has it").1);
}

fn reuse(headers: &mut [(Arc<str>, String)], first: &[(Arc<str>, String)]) {
    for name in [STAMP_HEADER, SIGNATURE_HEADER] {
        let before = header(first, name).expect("the first attempt had it");
        change(headers, name, |value| *value = before);
    }
}

fn misread(plant: Plant, exchange: Exchange) -> Exchange {
    match plant {
        Plant::IgnoreRetryAfter => Exchange { retry_after: None, ..exchange },
        Plant::BlockedAsDelivered if exchange.outcome == Outcome::Failed(Failure::Blocked) => {
            Exchange { outcome: Outcome::Status(200), detail: String::new(), ..exchange }
        }
        _ => exchange,
    }
}

fn given_up() -> Exchange {
    Exchange {
        outcome: Outcome::Failed(Failure::Timeout),
        detail: "The network says nothing yet.".to_owned(),
        retry_after: None,
        timing: Timing::default(),
        answer: Bytes::new(),
    }
}
