//! `/v1/cluster`: which nodes share the store, and which of them delivers what.

use axum::extract::State;
use http::StatusCode;
use schemars::JsonSchema;
use serde::Serialize;
use signalpost_engine::{Cluster, Engine};

use super::Shared;
use crate::kit::refusal::Answer;
use crate::kit::reply;

/// The nodes that share the store, and which of them delivers what.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Cluster")]
pub(super) struct Shown {
    nodes: Vec<Node>,
    /// Parts of all webhooks that change owners as a whole.
    groups: Vec<Group>,
}

/// A process that works on the store.
#[derive(Serialize, JsonSchema)]
struct Node {
    /// Given anew with each start.
    #[schemars(example = 3)]
    number: u16,
    /// Whether groups fall to it.
    #[schemars(example = true)]
    delivers: bool,
    /// Milliseconds since it said that it lives; null for one that shares the store with nobody.
    #[schemars(example = 1_240)]
    renewed_ms_ago: Option<u64>,
    /// Whether it is the one that answers.
    #[schemars(example = true)]
    is_this: bool,
}

/// One part of all webhooks.
#[derive(Serialize, JsonSchema)]
struct Group {
    #[schemars(example = 17)]
    number: usize,
    /// How often it has changed hands; null when nobody ever had it.
    #[schemars(example = 4)]
    epoch: Option<u64>,
    /// The number of the node that delivers for it; null while nobody does.
    #[schemars(example = 3)]
    owner: Option<u16>,
    /// Age of the oldest delivery that is due, in milliseconds, when this node last looked at all that is owed, which it does
    /// every 30 seconds; 0 when none was, null before the first look. What a pause holds is due.
    #[schemars(example = 0)]
    oldest_due_ms: Option<u64>,
}

pub(super) async fn get(State(surface): Shared) -> Answer {
    let cluster = surface.engine.cluster().await?;
    reply::json(StatusCode::OK, &shown(&cluster, &surface.engine))
}

fn shown(cluster: &Cluster, engine: &Engine) -> Shown {
    let nodes = cluster.nodes.iter().map(|node| Node {
        number: node.number,
        delivers: node.delivers,
        renewed_ms_ago: node.renewed_ms_ago,
        is_this: node.is_this,
    });
    let groups = cluster.groups.iter().map(|one| Group {
        number: one.group.number(),
        epoch: one.epoch.map(|epoch| epoch.number()),
        owner: one.owner,
        oldest_due_ms: engine.metrics().oldest_due.ms(one.group),
    });
    Shown { nodes: nodes.collect(), groups: groups.collect() }
}
