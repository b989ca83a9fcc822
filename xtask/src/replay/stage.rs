//! The server, its webhooks, what failed, and live events beside.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use signalpost_testkit::{Operator, Receiver, Server, ServerOptions, wait_for_some};

use super::arrivals::{Arrivals, BYSTANDER, TARGET};
use crate::release::START_TIMEOUT;

const BATCH: usize = 500;
/// Live events of each of the two webhooks in a second.
const LIVE_PER_S: u32 = 50;
const LOOK_EVERY: Duration = Duration::from_millis(50);

pub(super) struct Stage {
    pub(super) server: Server,
    pub(super) arrivals: Arc<Arrivals>,
    pub(super) workspace: String,
    bystander: String,
    webhook: String,
    /// Listens as long as it is kept.
    _receiver: Receiver,
}

impl Stage {
    /// A webhook of which so many deliveries have failed, and a bystander in a workspace of its own.
    pub(super) fn prepare(binary: std::path::PathBuf, deliveries: usize) -> Result<Self, String> {
        let (arrivals, receiver) = Arrivals::start(deliveries)?;
        let server = Server::start(ServerOptions::new(binary), START_TIMEOUT)?;
        let mut operator = server.operator();
        let new = json!({"dialect": "native", "name": "replay", "policy": {"retry_schedule_s": []}});
        let [(workspace, webhook), (bystander, _)] = [TARGET, BYSTANDER]
            .map(|path| {
                let workspace = operator.create_workspace(&new)?;
                let (webhook, _) =
                    operator.create_webhook(&workspace, &json!({"url": receiver.url(path)}))?;
                Ok::<_, String>((workspace, webhook))
            })
            .into_iter()
            .collect::<Result<Vec<_>, _>>()?
            .try_into()
            .map_err(|_| "two were made")?;
        let stage = Self { server, arrivals, workspace, bystander, webhook, _receiver: receiver };
        stage.fail(&mut operator, deliveries)?;
        Ok(stage)
    }

    fn fail(&self, operator: &mut Operator, deliveries: usize) -> Result<(), String> {
        let path = format!("/v1/workspaces/{}/events/batch", self.workspace);
        for first in (0..deliveries).step_by(BATCH) {
            let numbers = first..deliveries.min(first + BATCH);
            let events: Vec<Value> =
                numbers.map(|number| json!({"type": "replay.made", "data": {"number": number}})).collect();
            operator.post(&path, &Value::from(events))?;
        }
        self.wait_ended(operator)?;
        self.arrivals.mend();
        Ok(())
    }

    /// Waits until nothing is pending of the workspace.
    pub(super) fn wait_ended(&self, operator: &mut Operator) -> Result<(), String> {
        let path = format!("/v1/workspaces/{}/deliveries?status=pending&limit=1", self.workspace);
        let mut cursor = String::new();
        wait_for_some("every delivery to end", Duration::from_secs(300), || {
            let page = match operator.get(&format!("{path}{cursor}")) {
                Ok(page) => page,
                Err(error) => return Some(Err(error)),
            };
            if page["data"].as_array().is_some_and(|rows| !rows.is_empty()) {
                cursor.clear();
                return None;
            }
            match page["next_cursor"].as_str() {
                None => Some(Ok(())),
                Some(next) => {
                    cursor = format!("&cursor={next}");
                    None
                }
            }
        })?
    }

    /// Publishes live events for so long, on threads of their own.
    pub(super) fn live(&self, lasts: Duration) -> Vec<JoinHandle<Result<(), String>>> {
        let start = |workspace: &String| {
            let (mut operator, arrivals, workspace) =
                (self.server.operator(), Arc::clone(&self.arrivals), workspace.clone());
            std::thread::spawn(move || {
                let began = Instant::now();
                let first_us = arrivals.now_us();
                for number in 0.. {
                    let due = Duration::from_secs(number) / LIVE_PER_S;
                    if due >= lasts {
                        return Ok(());
                    }
                    std::thread::sleep(due.saturating_sub(began.elapsed()));
                    let due_us = first_us + u64::try_from(due.as_micros()).unwrap_or(u64::MAX);
                    operator
                        .publish(&workspace, &json!({"type": "replay.live", "data": {"due_us": due_us}}))?;
                }
                Ok(())
            })
        };
        [&self.workspace, &self.bystander].map(start).into()
    }

    /// Asks for a replay of what has failed, and waits until it is planned.
    pub(super) fn plan(&self, operator: &mut Operator, per_second: usize) -> Result<Value, String> {
        let path = format!("/v1/workspaces/{}/webhooks/{}/replays", self.workspace, self.webhook);
        let new = json!({
            "which": "failed", "since": "2000-01-01T00:00:00Z", "types": ["replay.made"], "rate_per_second": per_second
        });
        let made = operator.post(&path, &new)?;
        self.wait_for(operator, made["id"].as_str().unwrap_or_default(), "planned")
    }

    pub(super) fn command(
        &self,
        operator: &mut Operator,
        replay: &str,
        command: &str,
    ) -> Result<Value, String> {
        let path = format!("/v1/workspaces/{}/replays/{replay}/{command}", self.workspace);
        operator.post(&path, &json!({}))
    }

    pub(super) fn wait_for(
        &self,
        operator: &mut Operator,
        replay: &str,
        status: &str,
    ) -> Result<Value, String> {
        let path = format!("/v1/workspaces/{}/replays/{replay}", self.workspace);
        wait_for_some(&format!("the replay to be {status}"), Duration::from_secs(600), || {
            std::thread::sleep(LOOK_EVERY);
            match operator.get(&path) {
                Ok(replay) if replay["status"] == status => Some(Ok(replay)),
                Ok(replay) if replay["status"] == "cancelled" => {
                    Some(Err(format!("it was cancelled: {replay}")))
                }
                Ok(_) => None,
                Err(error) => Some(Err(error)),
            }
        })?
    }
}
