//! The auditor. It sees what went into the API, what receivers saw, and what the engine's lists say at the end.

mod ceilings;
mod explained;
mod farewell;
mod health;
mod history;
mod holds;
mod once;
mod order;
mod promises;
mod recorded;
mod removed;
mod signature;
mod wire;

use std::collections::BTreeMap;

use signalpost_core::attempt::Outcome;

use self::health::Trips;
use crate::facts::{Facts, WebhookFacts};
use crate::ground::Moment;
use crate::network::{DELIVERY_HEADER, Sent, WEBHOOK_HEADER};
use crate::process::ProcessEnd;
use crate::settle::Lists;
use crate::trouble::Trouble;
use crate::world::World;

/// Findings of one kind beyond this are not listed: one cause has many.
const FINDINGS_MAX: usize = 8;

pub(crate) struct Evidence<'a> {
    pub(crate) facts: &'a Facts,
    pub(crate) sent: &'a [Sent],
    pub(crate) lists: &'a BTreeMap<usize, Lists>,
    pub(crate) ends: &'a [ProcessEnd],
    pub(crate) trouble: &'a Trouble,
    pub(crate) cores: usize,
    pub(crate) nodes: u16,
    by_delivery: BTreeMap<&'a str, Vec<&'a Sent>>,
    by_webhook: BTreeMap<&'a str, Vec<&'a Sent>>,
    webhooks: BTreeMap<&'a str, &'a WebhookFacts>,
    trips: BTreeMap<&'a str, Trips<'a>>,
}

impl<'a> Evidence<'a> {
    pub(crate) fn new(
        facts: &'a Facts,
        sent: &'a [Sent],
        lists: &'a BTreeMap<usize, Lists>,
        ends: &'a [ProcessEnd],
        world: &'a World,
    ) -> Self {
        let webhooks = facts.webhooks.iter().map(|webhook| (webhook.public_id.as_str(), webhook)).collect();
        let by = |header| {
            let mut grouped: BTreeMap<&str, Vec<&Sent>> = BTreeMap::new();
            sent.iter().for_each(|sent| grouped.entry(sent.header(header)).or_default().push(sent));
            grouped
        };
        let (by_delivery, by_webhook) = (by(DELIVERY_HEADER), by(WEBHOOK_HEADER));
        let (trouble, cores) = (world.trouble.as_ref(), world.options.cores);
        let nodes = world.options.nodes.count;
        let trips = BTreeMap::new();
        let mut evidence = Self {
            facts,
            sent,
            lists,
            ends,
            trouble,
            cores,
            nodes,
            by_delivery,
            by_webhook,
            webhooks,
            trips,
        };
        let each = facts.webhooks.iter();
        evidence.trips =
            each.map(|webhook| (webhook.public_id.as_str(), Trips::of(&evidence, webhook))).collect();
        evidence
    }

    /// How a process ended, if it did.
    fn end_of(&self, process: u32) -> Option<&'a ProcessEnd> {
        self.ends.iter().find(|end| end.process == process)
    }

    /// Whether the webhook's own failures may have switched it off, so that it was off at some moment of this time.
    fn may_be_off(&self, webhook: &WebhookFacts, from: Moment, to: Moment) -> bool {
        self.trips_of(webhook).is_some_and(|trips| trips.may_be_off(webhook, from, to))
    }

    /// Whether they may have done so in this time.
    fn may_go_off(&self, webhook: &WebhookFacts, from: Moment, to: Moment) -> bool {
        self.trips_of(webhook).is_some_and(|trips| trips.may_go_off(from, to))
    }

    fn trips_of(&self, webhook: &WebhookFacts) -> Option<&Trips<'a>> {
        self.trips.get(webhook.public_id.as_str())
    }
}

/// The rule of the product, written down a second time: a receiver answered with a status from 200 to 299.
const fn succeeded(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Status(200..=299))
}

/// Everything that must not be.
pub(crate) fn audit(evidence: &Evidence<'_>) -> Vec<String> {
    let checks = [
        promises::check(evidence),
        explained::check(evidence),
        history::check(evidence),
        wire::check(evidence),
        once::check(evidence),
        order::check(evidence),
        ceilings::check(evidence),
        signature::check(evidence),
    ];
    checks.into_iter().flat_map(|findings| findings.into_iter().take(FINDINGS_MAX)).collect()
}
