//! Sending many deliveries once more, or to another webhook: asking for it, looking at it, and saying how it goes on.

mod pace;
mod plan;
mod run;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};

use signalpost_core::error::{Error, ErrorCode, FieldErrors};
use signalpost_core::event::{check_event_type, check_subject};
use signalpost_core::id::{DeliveryId, ReplayId, WebhookId, WorkspaceId};
use signalpost_core::limits::{EVENT_TYPE_CHARS_MAX, REPLAY_PER_SECOND_MAX, REPLAY_TYPES_MAX};
use signalpost_core::matching::{check_pattern, pattern_prefix};
use signalpost_core::principal::Principal;
use signalpost_core::replay::{Command, Phase, Progress, Replay, Selection, Start, Which};
use signalpost_core::time::Timestamp;
use signalpost_core::webhook::Remembered;
use signalpost_store::catalog::RememberedWebhooks;
use signalpost_store::replays::{Change, ChangeReplay, ListReplays, Waits};
use signalpost_store::{Done, Effect, StoreError};

use crate::Engine;
use crate::directory::View;
use crate::mailbox::Mailbox;
use crate::once::Keep;

/// Deliveries of a plan that are shown.
const SAMPLE_ROWS: usize = 10;

/// A replay that somebody asks for.
#[derive(Clone, Debug)]
pub struct NewReplay {
    /// Public id of the webhook whose deliveries are looked at; the target itself when `None`.
    pub source: Option<String>,
    pub which: Which,
    /// Events that were accepted from then on,
    pub since: Timestamp,
    /// and before then; before now when `None`, or when it lies ahead.
    pub until: Option<Timestamp>,
    /// Event types and patterns such as `order.*`; of any type when it is empty.
    pub types: Vec<String>,
    pub subject: Option<String>,
    /// Deliveries a second.
    pub per_second: u64,
    pub start: Start,
}

/// A replay as it is shown.
#[derive(Clone, Debug)]
pub struct ShownReplay {
    pub replay: Replay,
    /// Public ids of the webhooks, of those that are deleted too. `None` when it is not known any more.
    pub source: Option<String>,
    pub target: Option<String>,
    /// Why it sends less than it might.
    pub waits: Option<Waits>,
}

/// What the loop and whoever looks at its work tell each other.
pub(crate) struct ReplayDesk {
    /// Rung when there is something to do, or somebody has changed what is done.
    bell: Mailbox<()>,
    waits: Mutex<BTreeMap<ReplayId, Waits>>,
}

impl ReplayDesk {
    pub(crate) fn new(bell: Mailbox<()>) -> Self {
        Self { bell, waits: Mutex::default() }
    }

    fn ring(&self) {
        self.bell.push_all([()]);
    }

    fn note_wait(&self, replay: ReplayId, waits: Option<Waits>) {
        let mut known = self.waits.lock().unwrap_or_else(PoisonError::into_inner);
        match waits {
            Some(waits) => known.insert(replay, waits),
            None => known.remove(&replay),
        };
    }

    fn no_wait(&self, replay: ReplayId) {
        self.note_wait(replay, None);
    }

    fn wait_of(&self, replay: &Replay) -> Option<Waits> {
        let known = self.waits.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&replay.id).copied().filter(|_| replay.phase == Phase::Running)
    }
}

impl Engine {
    /// Begins to plan what is to be sent to the webhook with this public id. Nothing is sent before the plan is complete, and
    /// with [`Start::WhenTold`] before somebody says so.
    ///
    /// `NotFound` for a webhook that the workspace does not have, `Invalid` for a selection that means nothing, `LimitReached`
    /// when the workspace has as many replays as it may have.
    pub async fn create_replay(
        &self,
        view: &View,
        webhook: &str,
        new: NewReplay,
        by: Principal,
        keep: Option<Keep<'_, ShownReplay>>,
    ) -> Result<Done<ShownReplay, Vec<u8>>, Error> {
        let workspace = view.workspace.id;
        let target = self.webhook(workspace, webhook).await?;
        let source = match &new.source {
            Some(source) => self.webhook(workspace, source).await.map_err(unknown_source)?,
            None => target.clone(),
        };
        let now = self.clock.now();
        let (per_second, until) = check(&new, now)?;
        let NewReplay { which, since, types, subject, start, .. } = new;
        let replay = Replay {
            id: ReplayId::from_raw(self.mint_id()),
            workspace,
            selection: Selection { source: source.id, which, since, until, types, subject },
            target: target.id,
            per_second,
            start,
            phase: Phase::Planning,
            made_by: by.clone(),
            made_at: now,
            changed_by: by,
            changed_at: now,
            progress: Progress::default(),
        };
        let effect = Effect::CreateReplay(Box::new(replay.clone()));
        let (source, target) = (Some(source.public_id), Some(target.public_id));
        let shown = ShownReplay { replay, source, target, waits: None };
        let done = self.carry_out(Some(workspace), effect, &shown, keep.as_ref()).await?;
        self.replay_desk.ring();
        Ok(done.map_now(|()| {
            let (id, by) = (shown.replay.id.to_public(), shown.replay.made_by.to_text());
            tracing::info!(replay = id, by, webhook, "a replay was asked for");
            shown
        }))
    }

    /// Newest first.
    pub async fn list_replays(
        &self,
        workspace: WorkspaceId,
        before: Option<ReplayId>,
        limit: usize,
    ) -> Result<Vec<ShownReplay>, Error> {
        let replays = self.store.list_replays(ListReplays { workspace, before, limit }).await?;
        let mut names = BTreeMap::new();
        let mut shown = Vec::with_capacity(replays.len());
        for replay in replays {
            shown.push(self.shown_replay(replay, &mut names).await?);
        }
        Ok(shown)
    }

    /// One replay, and the oldest deliveries of its plan; none when it has ended.
    pub async fn replay(
        &self,
        workspace: WorkspaceId,
        public_id: &str,
    ) -> Result<(ShownReplay, Vec<DeliveryId>), Error> {
        let id = replay_id(public_id)?;
        let replay = self.store.replay(workspace, id).await?;
        let replay = replay.ok_or_else(|| Error::not_found("replay"))?;
        let events = self.store.replay_sample(workspace, id, SAMPLE_ROWS).await?;
        let webhook = replay.target;
        let sample = events.into_iter().map(|event| DeliveryId { event, webhook }).collect();
        Ok((self.shown_replay(replay, &mut BTreeMap::new()).await?, sample))
    }

    /// Says how a replay goes on, and answers how it is then. `Conflict` when it is not in a state for that.
    pub async fn command_replay(
        &self,
        workspace: WorkspaceId,
        public_id: &str,
        command: Command,
        by: Principal,
    ) -> Result<ShownReplay, Error> {
        let (replay, at) = (replay_id(public_id)?, self.clock.now());
        let who = by.to_text();
        let params = ChangeReplay { workspace, replay, change: Change::Asked(command), by, at };
        let replay = self.store.change_replay(params).await?;
        tracing::info!(replay = public_id, by = who, ?command, phase = ?replay.phase, "a replay was changed");
        self.replay_desk.ring();
        self.shown_replay(replay, &mut BTreeMap::new()).await
    }

    async fn shown_replay(
        &self,
        replay: Replay,
        names: &mut BTreeMap<WebhookId, Option<String>>,
    ) -> Result<ShownReplay, Error> {
        for webhook in [replay.selection.source, replay.target] {
            if let Entry::Vacant(unnamed) = names.entry(webhook) {
                let found = self.remembered_by_id(replay.workspace, webhook).await?;
                unnamed.insert(found.map(|webhook| webhook.public_id().to_owned()));
            }
        }
        let name = |webhook| names.get(&webhook).cloned().flatten();
        let (source, target) = (name(replay.selection.source), name(replay.target));
        Ok(ShownReplay { waits: self.replay_desk.wait_of(&replay), replay, source, target })
    }

    /// A webhook of a workspace, or what is left of it.
    pub(crate) async fn remembered_by_id(
        &self,
        workspace: WorkspaceId,
        webhook: WebhookId,
    ) -> Result<Option<Remembered>, StoreError> {
        let before = Some(WebhookId::from_raw(webhook.raw().saturating_add(1)));
        let wanted = RememberedWebhooks { workspace, public_id: None, before, limit: 1 };
        let found = self.store.remembered_webhooks(wanted).await?.pop();
        Ok(found.filter(|found| found.id() == webhook))
    }
}

fn replay_id(public_id: &str) -> Result<ReplayId, Error> {
    ReplayId::from_public(public_id).ok_or_else(|| Error::not_found("replay"))
}

fn unknown_source(error: Error) -> Error {
    match error.code {
        ErrorCode::NotFound => Error::field("source", "names no webhook of this workspace"),
        _ => error,
    }
}

/// How fast it goes, and where its window ends.
fn check(new: &NewReplay, now: Timestamp) -> Result<(NonZeroU32, Timestamp), Error> {
    let mut errors = FieldErrors::default();
    let until = new.until.map_or(now, |until| until.min(now));
    if new.since >= until {
        let end = if new.until.is_some_and(|until| until < now) { "`until`" } else { "now" };
        errors.push("since", format!("must lie before {end}"));
    }
    errors.take("types", check_types(&new.types));
    errors.take("subject", new.subject.as_deref().map_or(Ok(()), check_subject));
    let per_second = errors.take("rate_per_second", check_rate(new.per_second));
    errors.into_result()?;
    per_second.map(|per_second| (per_second, until)).ok_or_else(|| Error::internal("a rate that is no error"))
}

fn check_rate(per_second: u64) -> Result<NonZeroU32, String> {
    let wrong = || format!("must be from 1 to {REPLAY_PER_SECOND_MAX}");
    let rate = u32::try_from(per_second).ok().filter(|rate| *rate <= REPLAY_PER_SECOND_MAX);
    rate.and_then(NonZeroU32::new).ok_or_else(wrong)
}

fn check_types(types: &[String]) -> Result<(), String> {
    if types.len() > REPLAY_TYPES_MAX {
        return Err(format!("may name at most {REPLAY_TYPES_MAX} event types"));
    }
    for entry in types {
        let checked = match pattern_prefix(entry) {
            Some(_) => check_pattern(entry),
            None => check_event_type(entry),
        };
        let shown: String = entry.chars().take(EVENT_TYPE_CHARS_MAX).collect();
        checked.map_err(|problem| format!("`{shown}` {problem}"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new() -> NewReplay {
        NewReplay {
            source: None,
            which: Which::Failed,
            since: Timestamp::from_ms(1_000),
            until: None,
            types: vec!["order.paid".to_owned(), "invoice.*".to_owned()],
            subject: Some("shop-17".to_owned()),
            per_second: 100,
            start: Start::WhenTold,
        }
    }

    const NOW: Timestamp = Timestamp::from_ms(9_000);

    fn until(new: &NewReplay) -> Timestamp {
        check(new, NOW).expect("it means something").1
    }

    fn refused_at(new: &NewReplay) -> Vec<String> {
        let error = check(new, NOW).expect_err("it means nothing");
        error.fields.into_iter().map(|field| field.field).collect()
    }

    #[test]
    fn a_window_ends_now_at_the_latest() {
        assert_eq!(until(&new()), NOW);
        let ending = |ms| NewReplay { until: Some(Timestamp::from_ms(ms)), ..new() };
        assert_eq!(until(&ending(8_000)), Timestamp::from_ms(8_000));
        assert_eq!(until(&ending(9_999)), NOW, "what is accepted later is not in the plan anyhow");
        assert_eq!(refused_at(&ending(1_000)), ["since"]);
        assert_eq!(refused_at(&NewReplay { since: NOW, ..ending(9_999) }), ["since"]);
    }

    #[test]
    fn everything_that_is_wrong_is_told_at_once() {
        let wrong = NewReplay {
            since: NOW,
            types: vec!["order paid".to_owned()],
            subject: Some(String::new()),
            per_second: 0,
            ..new()
        };
        assert_eq!(refused_at(&wrong), ["since", "types", "subject", "rate_per_second"]);
        let fastest = u64::from(REPLAY_PER_SECOND_MAX);
        assert!(check(&NewReplay { per_second: fastest, ..new() }, NOW).is_ok());
        assert_eq!(refused_at(&NewReplay { per_second: fastest + 1, ..new() }), ["rate_per_second"]);
        let many = vec!["a".to_owned(); REPLAY_TYPES_MAX + 1];
        assert_eq!(refused_at(&NewReplay { types: many, ..new() }), ["types"]);
    }
}
