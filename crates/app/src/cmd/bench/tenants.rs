//! Making the workspaces and webhooks of a run through the operator API, many at a time.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::client::Connection;
use super::group::Group;
use super::request::{Letterhead, Route};
use crate::cmd::Failure;

/// Enough calls under way for the server to commit them together.
const CONNECTIONS: usize = 32;
const EVENT_TYPE: &str = "bench.made";

/// What is to be made.
#[derive(Clone, Debug)]
pub(super) struct Tenants {
    pub(super) workspaces: u32,
    pub(super) webhooks_each: u32,
    pub(super) matching: Matching,
    /// The workspaces' `policy`, null for the dialect's.
    pub(super) policy: Value,
    pub(super) group: Group,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Matching {
    /// Every webhook of a workspace gets every event.
    All,
    /// Each webhook has an event type of its own.
    OneType,
}

/// What was made, in the order of the webhooks' numbers.
#[derive(Debug, Default)]
pub(super) struct Made {
    pub(super) routes: Vec<Route>,
    pub(super) secrets: Vec<String>,
}

/// Id of a workspace, and the secrets of its webhooks.
type Workspace = (String, Vec<String>);

struct Job {
    tenants: Tenants,
    letterhead: Letterhead,
    urls: Box<dyn Fn(u32) -> String>,
    next: Cell<u32>,
    /// By position, once it is made.
    made: RefCell<Vec<Option<Workspace>>>,
}

impl Tenants {
    /// Workspaces of one webhook each, with the dialect's policy.
    pub(super) fn single(workspaces: u32) -> Self {
        let (matching, policy, group) = (Matching::All, Value::Null, Group::Measured);
        Self { workspaces, webhooks_each: 1, matching, policy, group }
    }

    /// Makes them; webhook number `n`, counted from `first_target`, delivers to `url(n)`. Must run inside a `LocalSet`.
    pub(super) async fn make(
        self,
        letterhead: &Letterhead,
        first_target: u32,
        url: impl Fn(u32) -> String + 'static,
    ) -> Result<Made, Failure> {
        let count = usize::try_from(self.workspaces).expect("32 bits fit");
        let job = Rc::new(Job {
            tenants: self,
            letterhead: letterhead.clone(),
            urls: Box::new(move |number| url(first_target + number)),
            next: Cell::new(0),
            made: RefCell::new(vec![None; count]),
        });
        let mut workers = JoinSet::new();
        for _ in 0..CONNECTIONS.min(count) {
            workers.spawn_local(work(Rc::clone(&job)));
        }
        while let Some(ended) = workers.join_next().await {
            ended.unwrap_or_else(|_| Err(Failure::new("the making of webhooks broke")))?;
        }
        let mut made = Made::default();
        for (position, workspace) in job.made.take().into_iter().enumerate() {
            let (workspace, secrets) = workspace.expect("every workspace was made, or we had failed");
            let position = u32::try_from(position).expect("as many as were asked for");
            let first = first_target + position * job.tenants.webhooks_each;
            made.routes.extend(job.tenants.routes(&workspace, first));
            made.secrets.extend(secrets);
        }
        Ok(made)
    }

    fn routes(&self, workspace: &str, first: u32) -> Vec<Route> {
        let group = self.group;
        let route =
            |event_type, targets| Route { workspace: workspace.to_owned(), event_type, targets, group };
        match self.matching {
            Matching::All => vec![route(EVENT_TYPE.to_owned(), first..first + self.webhooks_each)],
            Matching::OneType => {
                let webhooks = 0..self.webhooks_each;
                webhooks.map(|own| route(type_of(own), first + own..first + own + 1)).collect()
            }
        }
    }

    fn webhook(&self, own: u32, url: &str) -> Value {
        match self.matching {
            Matching::All => json!({"url": url}),
            Matching::OneType => json!({"url": url, "events": [type_of(own)]}),
        }
    }
}

fn type_of(own: u32) -> String {
    format!("{EVENT_TYPE}.{own}")
}

async fn work(job: Rc<Job>) -> Result<(), Failure> {
    let mut connection = Connection::new(job.letterhead.operator);
    loop {
        let position = job.next.get();
        if position >= job.tenants.workspaces {
            return Ok(());
        }
        job.next.set(position + 1);
        let mut new = json!({"dialect": "native", "name": format!("Bench {position}")});
        if !job.tenants.policy.is_null() {
            new["policy"] = job.tenants.policy.clone();
        }
        let workspace = text_at(&connection.post(&job.letterhead, "/v1/workspaces", &new).await?, "id")?;
        let path = format!("/v1/workspaces/{workspace}/webhooks");
        let mut secrets = Vec::new();
        for own in 0..job.tenants.webhooks_each {
            let url = (job.urls)(position * job.tenants.webhooks_each + own);
            let webhook = connection.post(&job.letterhead, &path, &job.tenants.webhook(own, &url)).await?;
            secrets.push(text_at(&webhook, "secret")?);
        }
        job.made.borrow_mut()[usize::try_from(position).expect("32 bits fit")] = Some((workspace, secrets));
    }
}

fn text_at(answer: &Value, field: &str) -> Result<String, Failure> {
    let text = answer[field].as_str().map(str::to_owned);
    text.ok_or_else(|| Failure::new(format!("an answer has no `{field}`: {answer}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routes_name_the_webhooks_that_match() {
        let tenants = Tenants { webhooks_each: 3, ..Tenants::single(1) };
        let together = tenants.routes("ws_1", 10);
        assert_eq!((together.len(), together[0].targets.clone()), (1, 10..13));
        let apart = Tenants { matching: Matching::OneType, ..tenants }.routes("ws_1", 10);
        let parts: Vec<_> =
            apart.iter().map(|route| (route.event_type.as_str(), route.targets.clone())).collect();
        assert_eq!(parts, [("bench.made.0", 10..11), ("bench.made.1", 11..12), ("bench.made.2", 12..13)]);
    }
}
